#!/bin/bash
# Units attached by their own files: [X-Schedd], attach --persistent, ExecStartPre, templates, opt-out.
set -euo pipefail

units=/run/systemd/system

# service NAME [LINES]: a unit file of its own for work that always wants a CPU; LINES go into [Service].
service() {
    mkdir -p $units
    printf '[Service]\n%b\nExecStart=/bin/bash -c "while :; do :; done"\n' "${2:-}" >$units/test-"$1".service
}
# drop_in NAME LINES: [X-Schedd] for a unit, a template or a prefix.
drop_in() {
    mkdir -p $units/"$1".d
    printf '[X-Schedd]\n%b\n' "$2" >$units/"$1".d/50-test.conf
}
clean() {
    rm -rf $units/test-*.service{,.d} $units/test-.service.d /etc/systemd/system/test-*.d
    systemctl daemon-reload
}
main_pid() { property "$1" MainPID; }
unit_runs_on() { runs_on "$(main_pid "$1")" "$2"; }
is_placed() { [ -n "$(property "$1" AllowedCPUs)" ] && ! unit_runs_on "$1" 0-7; }
is_free() { [ -z "$(property "$1" AllowedCPUs)" ] && unit_runs_on "$1" 0-7; }
is_member() { schedd-cli get "schedulers/CPU_LB/process_set/unit:$1.state"; }
says() { schedd-cli status | grep -F "$1"; }
attribute() { schedd-cli get "schedulers/CPU_LB/process_set/unit:$1.$2"; }
has_state() { [ "$(attribute "$1" state)" = "$2" ]; }
not() { ! "$@"; }
journal_says() {
    journalctl -q --sync
    journalctl -q "${@:2}" | grep -F "$1"
}
reads_drop_in() { property "$1" DropInPaths | grep 50-schedd.conf; }
has_build_scheduler() { schedd-cli tree schedulers | grep BUILD-; }
left_by_schedd() {
    find /run/systemd/system.control /run/systemd/transient -name 50-AllowedCPUs.conf 2>/dev/null || true
}

Two_services_are_balanced_by_drop_ins_alone() {
    local before
    clean
    service one
    service two
    systemctl daemon-reload
    systemctl start test-one test-two
    before=$(snapshot)
    balancer
    drop_in test-one.service 'Scheduler=CPU_LB\nClass=latency'
    drop_in test-two.service 'Scheduler=CPU_LB'
    systemctl daemon-reload
    await 60 "one placed" is_placed test-one.service
    await 60 "two placed" is_placed test-two.service
    [ "$(property test-one AllowedCPUs)" != "$(property test-two AllowedCPUs)" ] ||
        fail "both are on $(property test-one AllowedCPUs)"
    same "class" "$(attribute test-one.service class)" latency
    expect "verify" schedd-cli verify
    expect "the unit's journal" journal_says "placed on CPUs" -u test-one.service
    expect "the catalog" journal_says "was placed on CPUs" -x -u test-one.service
    rm -r $units/test-one.service.d $units/test-two.service.d
    systemctl daemon-reload
    await 60 "one free" is_free test-one.service
    await 60 "two free" is_free test-two.service
    same "drop-ins left" "$(left_by_schedd)" ""
    unchanged "$before"
    clean
}

A_drop_in_waits_for_its_scheduler() {
    clean
    service one
    drop_in test-one.service 'Scheduler=CPU_LB'
    systemctl daemon-reload
    systemctl start test-one
    await 30 "told to wait" says "test-one.service is waiting for CPU_LB"
    balancer
    await 60 "placed" is_placed test-one.service
    clean
    await 60 "free" is_free test-one.service
}

A_restarted_service_stays_attached() {
    clean
    service one
    drop_in test-one.service 'Scheduler=CPU_LB'
    balancer
    systemctl daemon-reload
    systemctl start test-one
    await 60 "placed" is_placed test-one.service
    systemctl restart test-one
    await 60 "placed again" is_placed test-one.service
    expect "still a member" is_member test-one.service
    clean
}

Later_files_override_and_bad_lines_are_told() {
    clean
    service one
    mkdir -p $units/test-.service.d
    printf '[X-Schedd]\nScheduler=WRONG\nClass=batch\n' >$units/test-.service.d/10-all.conf
    drop_in test-one.service 'Scheduler=\nScheduler=CPU_LB\nColour=red'
    balancer
    systemctl daemon-reload
    systemctl start test-one
    await 60 "placed" is_placed test-one.service
    same "class" "$(attribute test-one.service class)" batch
    await 10 "complaint in the unit's journal" \
        journal_says "50-test.conf:4: there is no key" -u test-one.service
    clean
}

Instances_of_a_template_are_attached_while_they_run() {
    clean
    service many@
    drop_in test-many@.service 'Scheduler=CPU_LB'
    balancer
    systemctl daemon-reload
    systemctl start test-many@1 test-many@2
    await 60 "1 placed" is_placed test-many@1.service
    await 60 "2 placed" is_placed test-many@2.service
    systemctl stop test-many@1
    await 60 "1 no member" not is_member test-many@1.service
    expect "2 a member" is_member test-many@2.service
    systemctl stop test-many@2
    clean
}

Opt_out_wins_over_everything() {
    clean
    service one
    drop_in test-one.service 'Scheduler=CPU_LB\nOptOut=yes'
    balancer
    systemctl daemon-reload
    systemctl start test-one
    await 30 "said" says "test-one.service has opted out"
    expect_fails "attach" schedd-cli attach CPU_LB unit:test-one.service
    expect_fails "attach its process" schedd-cli attach CPU_LB "process:$(main_pid test-one)"
    schedd-cli set schedulers/CPU_LB/process_set.handle_all true
    sleep 5
    is_free test-one.service || fail "it was touched: $(cpus_of "$(main_pid test-one)")"
    clean
}

Attach_persistent_lasts_and_detach_takes_it_back() {
    local file=/etc/systemd/system/test-one.service.d/50-schedd.conf
    clean
    service one
    systemctl daemon-reload
    systemctl start test-one
    balancer
    schedd-cli attach CPU_LB unit:test-one.service --class latency --persistent
    grep -x 'Scheduler=CPU_LB' $file || fail "$file does not say it"
    await 60 "placed" is_placed test-one.service
    await 30 "read by systemd" reads_drop_in test-one
    systemctl restart schedd.service
    await 30 "waits without its scheduler" says "test-one.service is waiting for CPU_LB"
    is_free test-one.service || fail "it is held without a scheduler"
    balancer
    await 60 "placed again" is_placed test-one.service
    schedd-cli detach CPU_LB unit:test-one.service --persistent
    [ ! -e /etc/systemd/system/test-one.service.d ] || fail "the drop-in is still there"
    await 60 "free" is_free test-one.service
    await 30 "systemd has read it" not reads_drop_in test-one
    clean
}

A_foreign_drop_in_is_left_alone() {
    clean
    service one
    mkdir -p /etc/systemd/system/test-one.service.d
    echo '# mine' >/etc/systemd/system/test-one.service.d/50-schedd.conf
    balancer
    systemctl daemon-reload
    expect_fails "attach" schedd-cli attach CPU_LB unit:test-one.service --persistent
    expect_fails "detach" schedd-cli detach CPU_LB unit:test-one.service --persistent
    same "the file" "$(cat /etc/systemd/system/test-one.service.d/50-schedd.conf)" '# mine'
    expect_fails "an unknown unit" schedd-cli attach CPU_LB unit:test-nowhere.service --persistent
    clean
}

A_service_starts_in_its_place_by_ExecStartPre() {
    clean
    balancer
    printf '%s\n' '#!/bin/bash' 'sed -n "s/^Cpus_allowed_list:.//p" /proc/self/status >/run/test-first' \
        'while :; do :; done' >/usr/bin/test-first
    chmod +x /usr/bin/test-first
    cat >$units/test-one.service <<'EOF'
[Service]
ExecStartPre=-+/usr/bin/schedd-cli attach --wait --timeout 60 CPU_LB unit:%n
ExecStart=/usr/bin/test-first
EOF
    systemctl daemon-reload
    systemctl start test-one
    await 30 "started" test -s /run/test-first
    [ "$(cat /run/test-first)" != 0-7 ] || fail "its first process began on 0-7"
    same "where it began" "$(cat /run/test-first)" "$(property test-one AllowedCPUs)"
    clean
    rm /usr/bin/test-first
}

A_service_starts_without_schedd_too() {
    clean
    printf '%s\n' '[Service]' 'ExecStartPre=-+/usr/bin/schedd-cli attach --wait CPU_LB unit:%n' \
        'ExecStart=/bin/sleep infinity' >$units/test-one.service
    systemctl stop schedd.service
    systemctl daemon-reload
    expect "start" systemctl start test-one
    same "state" "$(property test-one ActiveState)" active
    same "schedd was not started for it" "$(property schedd ActiveState)" inactive
    clean
}

A_scheduler_is_made_for_a_program() {
    mkdir -p /etc/schedd/schedulers.d
    cat >/etc/schedd/schedulers.d/test.toml <<'EOF'
[probe.cpu]
[template.BUILD]
exec = ["/usr/bin/test-make *", "/bin/bash /usr/bin/test-make*"]
policy = "load_balancing"
[template.BUILD.ports]
node_load = "cpu/node_load"
process_load = "cpu/process_load"
EOF
    printf '#!/bin/bash\nwhile :; do :; done\n' >/usr/bin/test-make
    chmod +x /usr/bin/test-make
    schedd-cli reload
    systemd-run --quiet --unit=test-make --collect /usr/bin/test-make all
    await 30 "made" schedd-cli get "schedulers/BUILD-$(property test-make MainPID).precedence"
    await 60 "narrowed" is_narrow "$(property test-make MainPID)"
    systemctl stop test-make
    await 30 "removed" not has_build_scheduler
    rm /etc/schedd/schedulers.d/test.toml /usr/bin/test-make
    schedd-cli reload
}

Another_writer_is_noticed_at_once() {
    clean
    service one
    drop_in test-one.service 'Scheduler=CPU_LB'
    balancer
    systemctl daemon-reload
    systemctl start test-one
    await 60 "placed" is_placed test-one.service
    await 30 "applied" has_state test-one.service applied
    echo 7 >/sys/fs/cgroup/system.slice/test-one.service/cpuset.cpus
    await 8 "noticed before the next read-back" not has_state test-one.service applied
    expect_fails "verify" schedd-cli verify
    expect "the unit's journal" journal_says "left as it is" -u test-one.service
    clean
}
