#!/bin/bash
# What schedd says of a whole machine: what it lacks, how it is made, and what would be on another one.
set -euo pipefail

doctor() { schedd-cli doctor --json=short; }

Doctor_finds_all_that_is_essential() {
    doctor
    schedd-cli doctor || fail "something essential is said to be missing"
    doctor | grep -q '"ok":true' || fail "it is not ok"
    # what is known of this machine: two nodes, siblings, cgroup version 2, pressure, systemd and polkit
    for check in cpuset systemd psi numa smt polkit; do
        doctor | tr '}' '\n' | grep "\"check\":\"$check\"" | grep -q '"state":"ok"' ||
            fail "$check: $(doctor | tr '}' '\n' | grep "\"$check\"" || echo "is not looked at")"
    done
}

The_machine_is_drawn_with_a_unit_on_its_CPUs() {
    placed_pair
    schedd-cli graph --topology
    schedd-cli graph --topology | grep -q "unit:test-one.service" || fail "the unit is not in the picture"
    schedd-cli graph --topology | grep -q "NUMA node 1" || fail "the second node is not in it"
    schedd-cli graph --topology --format=svg -o /tmp/machine.svg
    grep -q "</svg>" /tmp/machine.svg || fail "the picture is not whole"
}

The_same_policies_run_on_another_machine() {
    local load
    load=$(dpkg -L schedd | grep '/load.toml\(.gz\)\?$') || fail "the example load is not installed"
    cp "$load" /tmp/load.toml
    mkdir -p /tmp/sim/schedulers.d
    printf '%s\n' '[probe.cpu]' 'probe_period = 1000' '[scheduler.LB]' 'policy = "load_balancing"' \
        'process_set = ["exec:*"]' '[scheduler.LB.attributes]' 'level = "core"' '[scheduler.LB.ports]' \
        'node_load = "cpu/node_load"' 'process_load = "cpu/process_load"' >/tmp/sim/schedulers.d/lb.toml
    schedd-cli simulate --topology='synthetic:numa:2 core:4 pu:2' --load=/tmp/load.toml --config=/tmp/sim \
        --duration=20 --picture=/tmp/timeline.svg
    grep -q "</svg>" /tmp/timeline.svg || fail "the timeline is not whole"
}
