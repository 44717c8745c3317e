#!/bin/bash
# The unit's sandbox: that the capabilities it keeps suffice, and that without each of them something is lost.
set -euo pipefail

# with_capabilities LIST: the daemon, started with these alone.
with_capabilities() {
    local folder=/run/systemd/system/schedd.service.d
    mkdir -p "$folder"
    printf '[Service]\nCapabilityBoundingSet=\nCapabilityBoundingSet=%s\n' "$1" >"$folder/60-schedd-test.conf"
    systemctl daemon-reload
    systemctl restart schedd.service
}
# A program of alice's, /usr/local/bin/test-worker; puts its pid out.
worker_of_alice() {
    cp /bin/bash /usr/local/bin/test-worker
    systemd-run --quiet --unit=test-one --collect --uid=alice \
        /usr/local/bin/test-worker -c 'while :; do :; done' >&2
    property test-one.service MainPID
}
says() { journalctl -q --no-pager -o cat _PID="$(daemon_pid)" | grep -q "$1"; }

The_daemon_has_three_capabilities_and_no_more() {
    local bits
    bits=$(sed -n 's/^CapEff:\t//p' "/proc/$(daemon_pid)/status")
    # 12 is net_admin, 19 sys_ptrace, 23 sys_nice
    same "effective" "$((16#$bits))" $((1 << 12 | 1 << 19 | 1 << 23))
    same "no new privileges" "$(sed -n 's/^NoNewPrivs:\t//p' "/proc/$(daemon_pid)/status")" 1
}

Nothing_is_refused_to_the_daemon_at_its_start() {
    journalctl -q --no-pager -o cat _PID="$(daemon_pid)"
    if says 'found by scans'; then fail "there are no process events"; fi
    if says 'cannot\|denied\|not permitted\|read-only'; then fail "it complains"; fi
}

Processes_of_others_are_found_by_their_executable() {
    local one
    one=$(worker_of_alice)
    balancer
    schedd-cli attach CPU_LB exec:/usr/local/bin/test-worker
    await 60 "it was placed" is_narrow "$one"
}

Without_sys_ptrace_they_are_not() {
    local one
    with_capabilities 'CAP_SYS_NICE CAP_NET_ADMIN'
    one=$(worker_of_alice)
    balancer
    schedd-cli attach CPU_LB exec:/usr/local/bin/test-worker
    sleep 8
    if is_narrow "$one"; then fail "it was placed: the capability can go"; fi
}

Without_net_admin_processes_are_found_by_scans() {
    with_capabilities 'CAP_SYS_NICE CAP_SYS_PTRACE'
    says 'found by scans' || fail "there are process events: the capability can go"
}

Without_sys_nice_processes_of_others_are_refused() {
    local one
    with_capabilities 'CAP_SYS_PTRACE CAP_NET_ADMIN'
    one=$(spin one --uid=alice)
    balancer
    schedd-cli attach CPU_LB "process:$one" || true
    sleep 8
    if is_narrow "$one"; then fail "it was placed: the capability can go"; fi
    schedd-cli explain "process:$one" || true
}
