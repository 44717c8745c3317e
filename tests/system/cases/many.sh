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

# The scheduler that narrows one of the units from its NUMA node to a core.
narrower() {
    cat >/etc/schedd/schedulers.d/narrow.toml <<'END'
[scheduler.NARROW]
policy = "load_balancing"
process_set = ["unit:test-many@250.service"]
[scheduler.NARROW.attributes]
level = "core"
min_load = 0
[scheduler.NARROW.ports]
node_load = "cpu/node_load"
process_load = "cpu/process_load"
END
    schedd-cli reload
}
is_other_than() { [ "$(property test-many@250.service AllowedCPUs)" != "$1" ]; }

# told WHAT: CPU time and calls since the last time.
told() {
    local cpu sets all
    cpu=$(cpu_ms "$pid") sets=$(calls SetUnitProperties) all=$(calls "")
    number "$1: ms of CPU time" $((cpu - last_cpu))
    number "$1: calls of SetUnitProperties" $((sets - last_sets))
    number "$1: other calls to PID 1" $((all - last_all - sets + last_sets))
    delta_sets=$((sets - last_sets))
    last_cpu=$cpu last_sets=$sets last_all=$all
}

# One case, because starting 500 services takes minutes here.
Five_hundred_units_are_placed_held_and_put_back_at_little_cost() {
    local before pid cpus last_cpu last_sets=0 last_all=0 delta_sets seconds=30
    many_units
    configured_balancer numa
    before=$(snapshot)
    pid=$(daemon_pid)
    last_cpu=$(cpu_ms "$pid")
    listen

    names | xargs schedd-cli attach CPU_LB
    await 400 "all placed" all_are_placed
    told "attaching $count units at once"
    same "calls to place" "$delta_sets" $count
    sound

    sleep 12 # the first read-back
    told "settling"
    sleep $seconds
    told "steady for $seconds s"
    same "calls in the steady state" "$delta_sets" 0

    cpus=$(property test-many@250.service AllowedCPUs)
    narrower
    await 60 "one narrower" is_other_than "$cpus"
    sleep 3
    told "one of $count changed"
    same "calls for one change" "$delta_sets" 1

    systemctl daemon-reload
    sleep 15
    told "a daemon-reload, and 15 s"
    same "calls after a daemon-reload" "$delta_sets" 0
    expect "verify" schedd-cli verify
    told "verify"

    rm /etc/schedd/schedulers.d/narrow.toml
    schedd-cli remove -r schedulers/NARROW
    names | xargs schedd-cli detach CPU_LB || true # answers too late for the caller on an emulated machine
    await 400 "all put back" none_is_placed
    told "letting $count units go"
    soon_unchanged "$before"
    same "drop-ins left" "$(left_by_schedd)" ""
    same "the daemon" "$(daemon_pid)" "$pid"
}
none_is_placed() { [ -z "$(left_by_schedd)" ] && schedd-cli status; }
