#!/bin/bash
# What is set of units beside their CPUs: weight and memory nodes; and who had set them before.
set -euo pipefail

weight_file() { cat "${cgroups:?}/system.slice/test-$1.service/cpu.weight"; }
nodes_file() { cat "${cgroups:?}/system.slice/test-$1.service/cpuset.mems"; }
has_weight() { [ "$(property "test-$1.service" CPUWeight)" = "$2" ] && [ "$(weight_file "$1")" = "$2" ]; }
is_local() { [[ $(nodes_file "$1") =~ ^[01]$ ]]; }
not_ours() { find /run/systemd/system.control -name '50-*.conf' 2>/dev/null || true; }

A_weight_and_memory_nodes_are_set_and_put_back() {
    local before
    sleeper one
    sleeper two CPUWeight=50
    before=$(snapshot)
    configured_balancer numa
    schedd-cli attach CPU_LB unit:test-one.service unit:test-two.service --weight 300 --memory local
    await 60 "one's weight" has_weight one 300
    await 60 "two's weight" has_weight two 300
    await 60 "one's memory" is_local one
    await 60 "two's memory" is_local two
    await 30 "applied" has_state one applied
    # near its CPUs: those of node 0 are 0-3
    case $(cpus_of "$(main_pid one)") in
    0-3) same "its node" "$(nodes_file one)" 0 ;;
    4-7) same "its node" "$(nodes_file one)" 1 ;;
    *) fail "one is on CPUs $(cpus_of "$(main_pid one)")" ;;
    esac
    expect "verify" schedd-cli verify
    schedd-cli set 'schedulers/CPU_LB/process_set/unit:test-one.service.weight' 700
    await 30 "another weight" has_weight one 700
    schedd-cli detach CPU_LB unit:test-one.service unit:test-two.service
    soon_unchanged "$before"
    same "its own weight" "$(property test-two.service CPUWeight)" 50
    same "settings left" "$(not_ours)" ""
}

A_weight_that_somebody_else_sets_is_theirs() {
    sleeper one
    sleeper two
    configured_balancer
    schedd-cli attach CPU_LB unit:test-one.service unit:test-two.service --weight 300
    await 60 "one's weight" has_weight one 300
    systemctl set-property --runtime test-one.service CPUWeight=20
    await 60 "it is said" is_said
    schedd-cli detach CPU_LB unit:test-one.service unit:test-two.service
    await 30 "one free" is_free one
    same "their weight" "$(property test-one.service CPUWeight)" 20
}
is_said() {
    { schedd-cli verify || true; } | grep -q 'CPUWeight of test-one.service is 20, 300 was written'
}
