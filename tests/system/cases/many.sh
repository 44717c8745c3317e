#!/bin/bash
# 500 units at once, and what they cost: counted in calls to PID 1 and in CPU time, never in time that passed.
# Seconds for a case: 900
set -euo pipefail

count=500

# 500 services that sleep, instances of one template.
many_units() {
    printf '%s\n' '[Service]' 'ExecStart=/bin/sleep infinity' >/run/systemd/system/test-many@.service
    systemctl daemon-reload
    seq -f 'test-many@%g.service' $count | xargs systemctl start
}
names() { seq -f 'unit:test-many@%g.service' $count; }
placed_units() {
    schedd-cli status --json=short | grep -o '"placed":[0-9]*' | cut -d: -f2
}
all_are_placed() { [ "$(placed_units)" = $count ]; }

# Listens to calls to PID 1 over the bus, which root's systemctl does not use.
# calls PATTERN: how many there were.
listen() {
    dbus-monitor --system --profile "type='method_call',destination='org.freedesktop.systemd1'" \
        >/run/test-calls 2>/dev/null &
    await 20 "the monitor" grep -q . /run/test-calls
}
calls() { grep -c "^mc.*$1" /run/test-calls || true; }

many_placed() {
    many_units
    configured_balancer
    names | xargs schedd-cli attach CPU_LB
    await 300 "all placed" all_are_placed
}

Five_hundred_units_attached_at_once_are_placed_and_put_back() {
    local before pid started used
    many_units
    before=$(snapshot)
    configured_balancer
    pid=$(daemon_pid)
    started=$(cpu_ms "$pid")
    listen
    names | xargs schedd-cli attach CPU_LB
    await 300 "all placed" all_are_placed
    used=$(($(cpu_ms "$pid") - started))
    number "CPU time to attach and place $count units, ms" $used
    number "calls of SetUnitProperties meanwhile" "$(calls SetUnitProperties)"
    number "other calls to PID 1 meanwhile" "$(($(calls "") - $(calls SetUnitProperties)))"
    same "calls" "$(calls SetUnitProperties)" $count
    sound
    started=$(cpu_ms "$pid")
    names | xargs schedd-cli detach CPU_LB
    number "CPU time to let them go, ms" $(($(cpu_ms "$pid") - started))
    soon_unchanged "$before"
    same "drop-ins left" "$(left_by_schedd)" ""
    same "the daemon" "$(daemon_pid)" "$pid"
}

Nothing_is_written_and_little_is_used_while_nothing_changes() {
    local pid started ticks used seconds=30
    many_placed
    pid=$(daemon_pid)
    sleep 5
    listen
    ticks=$(ticks_so_far)
    started=$(cpu_ms "$pid")
    sleep $seconds
    used=$(($(cpu_ms "$pid") - started))
    ticks=$(($(ticks_so_far) - ticks))
    number "ticks in $seconds s with $count units" "$ticks"
    number "CPU time in $seconds s with $count units, ms" "$used"
    number "calls to PID 1 in $seconds s" "$(calls "")"
    [ "$ticks" -gt 10 ] || fail "there were only $ticks ticks"
    same "calls of SetUnitProperties" "$(calls SetUnitProperties)" 0
}
ticks_so_far() { schedd-cli status --json=short | grep -o '"ticks":[0-9]*' | cut -d: -f2; }

# A second scheduler, which goes before, narrows one of the units.
One_changed_unit_is_one_call() {
    local pid
    many_placed
    pid=$(daemon_pid)
    listen
    cat >/etc/schedd/schedulers.d/narrow.toml <<'END'
[scheduler.NUMA]
policy = "load_balancing"
precedence = 5
process_set = ["unit:test-many@250.service"]
[scheduler.NUMA.attributes]
level = "core"
min_load = 0
[scheduler.NUMA.ports]
node_load = "cpu/node_load"
process_load = "cpu/process_load"
END
    schedd-cli reload
    sleep 5
    schedd-cli explain unit:test-many@250.service
    echo "$(calls SetUnitProperties) calls"
}

A_daemon_reload_with_many_units_costs_less_than_a_second() {
    local pid started used
    many_placed
    pid=$(daemon_pid)
    sleep 5
    listen
    started=$(cpu_ms "$pid")
    systemctl daemon-reload
    await 60 "the look at all units" looked_at_all
    sleep 3
    used=$(($(cpu_ms "$pid") - started))
    number "CPU time for a daemon-reload with $count units, ms" "$used"
    number "calls to PID 1 for it" "$(calls "")"
    same "calls of SetUnitProperties" "$(calls SetUnitProperties)" 0
    expect "verify" schedd-cli verify
}
looked_at_all() { [ "$(calls "")" -ge $count ]; }
