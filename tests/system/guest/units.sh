#!/bin/bash
# Units to place, and questions about them. Sourced by case.sh. NAME stands for test-NAME.service.

set -euo pipefail

# service NAME [LINE...]: a service of its own that always wants a CPU, with these lines in [Service].
service() {
    local name=$1
    shift
    mkdir -p /run/systemd/system
    rm -rf /run/systemd/system{,.control}/test-"$name".service.d # of a case before
    printf '%s\n' '[Service]' 'ExecStart=/bin/bash -c "while :; do :; done"' "$@" \
        >/run/systemd/system/test-"$name".service
    systemctl daemon-reload
    systemctl start test-"$name".service
}
# sleeper NAME [LINE...]: one that never does, which leaves the emulated CPUs alone; for configured_balancer.
sleeper() { service "$@" ExecStart= 'ExecStart=/bin/sleep infinity'; }
main_pid() { property test-"$1".service MainPID; }
unit_runs_on() { runs_on "$(main_pid "$1")" "$2"; }
is_placed() { [ -n "$(property test-"$1".service AllowedCPUs)" ] && ! unit_runs_on "$1" 0-7; }
is_free() { [ -z "$(property test-"$1".service AllowedCPUs)" ] && unit_runs_on "$1" 0-7; }
state_of() { schedd-cli get "schedulers/CPU_LB/process_set/unit:test-$1.service.state"; }
has_state() { [ "$(state_of "$1")" = "$2" ]; }

# What somebody's property leaves behind; not of units that were made by systemd-run with it.
left_by_schedd() {
    find /run/systemd/system.control /run/systemd/transient -name '50-Allowed*.conf' 2>/dev/null || true
}

# with_section NAME LINE...: [X-Schedd] with these lines beside the unit, read at the next daemon-reload.
with_section() {
    local folder=/run/systemd/system/test-$1.service.d
    mkdir -p "$folder"
    printf '%s\n' '[X-Schedd]' "${@:2}" >"$folder/50-schedd.conf"
}
# by_drop_ins SCHEDULER NAME...: attached by files alone, and let go by without_drop_ins.
by_drop_ins() {
    local name
    for name in "${@:2}"; do with_section "$name" Scheduler="$1"; done
    systemctl daemon-reload
}
without_drop_ins() {
    rm -r /run/systemd/system/test-*.service.d
    systemctl daemon-reload
}

# schedd knows the CPUs that are online now.
is_noticed() { schedd-cli status --json=short | grep -q "\"online\":\"$(online)\""; }

placed_pair() {
    service one
    service two
    balancer
    schedd-cli attach CPU_LB unit:test-one.service unit:test-two.service
    await 60 "one placed" is_placed one
    await 60 "two placed" is_placed two
}

# The same scheduler from a file, so that it is there again after a crash. It also places what is idle.
# configured_balancer [LEVEL]
configured_balancer() {
    cat >/etc/schedd/schedulers.d/lb.toml <<END
[probe.cpu]
probe_period = 300
[scheduler.CPU_LB]
policy = "load_balancing"
[scheduler.CPU_LB.attributes]
level = "${1:-core}"
min_load = 0
[scheduler.CPU_LB.ports]
node_load = "cpu/node_load"
process_load = "cpu/process_load"
END
    schedd-cli reload
}
