#!/bin/bash
# Whole units, placed through PID 1 by the installed service: followed, verified, put back.
set -euo pipefail

Units_are_placed_verified_and_put_back() {
    local before
    service one
    service two
    before=$(snapshot)
    balancer
    schedd-cli attach CPU_LB unit:test-one.service unit:test-two.service
    await 60 "one placed" is_placed one
    await 60 "two placed" is_placed two
    [ "$(property test-one.service AllowedCPUs)" != "$(property test-two.service AllowedCPUs)" ] ||
        fail "both are on $(property test-one.service AllowedCPUs)"
    expect "verify" schedd-cli verify
    expect "explain" schedd-cli explain unit:test-one.service
    await 30 "applied" has_state one applied
    same "effective" "$(schedd-cli get schedulers/CPU_LB/process_set/unit:test-one.service.effective_cpus)" \
        "$(cat /sys/fs/cgroup/system.slice/test-one.service/cpuset.cpus.effective)"
    schedd-cli detach CPU_LB unit:test-one.service unit:test-two.service
    await 30 "one free" is_free one
    await 30 "two free" is_free two
    same "drop-ins left" "$(left_by_schedd)" ""
    unchanged "$before"
}

A_restarted_unit_starts_where_it_was() {
    local cpus
    placed_pair
    cpus=$(property test-one.service AllowedCPUs)
    systemctl restart test-one.service
    same "after the restart" "$(cpus_of "$(main_pid one)" | sort -u)" "$cpus"
    await 30 "applied" has_state one applied
}

A_stopped_unit_is_pending_and_placed_when_it_starts() {
    placed_pair
    systemctl stop test-one.service
    await 60 "pending" has_state one pending
    systemctl start test-one.service
    await 60 "placed again" is_placed one
    await 60 "applied" has_state one applied
}

A_daemon_reload_changes_nothing() {
    local cpus
    placed_pair
    cpus=$(property test-one.service AllowedCPUs)
    systemctl daemon-reload
    sleep 3
    expect "verify" schedd-cli verify
    is_placed one || fail "it is on $(cpus_of "$(main_pid one)")"
    [ -n "$cpus" ] || fail "nothing was allowed"
}

What_an_administrator_sets_is_theirs() {
    placed_pair
    systemctl set-property --runtime test-one.service AllowedCPUs=7
    await 60 "foreign" has_state one foreign
    expect_fails "verify" schedd-cli verify
    sleep 5
    same "AllowedCPUs" "$(property test-one.service AllowedCPUs)" 7
    schedd-cli detach CPU_LB unit:test-one.service
    same "AllowedCPUs after" "$(property test-one.service AllowedCPUs)" 7
}

A_value_of_the_unit_file_comes_back() {
    service one
    mkdir -p /run/systemd/system/test-one.service.d
    printf '[Service]\nAllowedCPUs=0-3\n' >/run/systemd/system/test-one.service.d/10-own.conf
    systemctl daemon-reload
    systemctl restart test-one.service
    await 10 "own value" unit_runs_on one 0-3
    service two
    balancer
    schedd-cli attach CPU_LB unit:test-one.service unit:test-two.service
    await 60 "narrower" is_placed two
    schedd-cli detach CPU_LB unit:test-one.service unit:test-two.service
    await 30 "own value again" unit_runs_on one 0-3
    same "AllowedCPUs" "$(property test-one.service AllowedCPUs)" 0-3
    same "drop-ins left" "$(left_by_schedd)" ""
}

A_stop_of_schedd_puts_all_back() {
    placed_pair
    systemctl stop schedd.service
    is_free one || fail "one is on $(cpus_of "$(main_pid one)"), $(property test-one.service AllowedCPUs)"
    is_free two || fail "two is on $(cpus_of "$(main_pid two)")"
    same "drop-ins left" "$(left_by_schedd)" ""
}

What_a_killed_schedd_left_is_put_back_by_the_next() {
    placed_pair
    kill -KILL "$(daemon_pid)"
    await 60 "one free" is_free one
    await 30 "two free" is_free two
}

A_slice_is_placed_with_all_below_it() {
    local inner
    inner=$(spin inner --slice=test-batch.slice)
    service one
    balancer
    schedd-cli attach CPU_LB unit:test-batch.slice unit:test-one.service
    await 60 "the inner process narrowed" is_narrow "$inner"
    [ -n "$(property test-batch.slice AllowedCPUs)" ] || fail "not by the slice"
    schedd-cli detach CPU_LB unit:test-batch.slice
    await 30 "the inner process free" runs_on "$inner" 0-7
}

What_is_vital_is_refused() {
    balancer
    expect_fails "dbus" schedd-cli attach CPU_LB unit:dbus.service
    expect_fails "system.slice" schedd-cli attach CPU_LB unit:system.slice
    expect_fails "-.slice" schedd-cli attach CPU_LB unit:-.slice
    expect_fails "a name without type" schedd-cli attach CPU_LB unit:foo
}

A_unit_that_does_not_exist_is_said_to() {
    balancer
    schedd-cli attach CPU_LB unit:test-nowhere.service
    service one
    schedd-cli attach CPU_LB unit:test-one.service
    sleep 5
    schedd-cli tree schedulers/CPU_LB
    [ "$(state_of nowhere)" != applied ] || fail "it is said to be applied"
}
