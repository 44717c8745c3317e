#!/bin/bash
# Placing on a machine of 8 CPUs and 2 memory nodes, by the installed service with its sandbox.
set -euo pipefail

are_apart() { is_narrow "$1" && is_narrow "$2" && [ "$(cpus_of "$1")" != "$(cpus_of "$2")" ]; }

The_machine_has_eight_CPUs_and_two_nodes() {
    same "CPUs" "$(cat /sys/devices/system/cpu/online)" 0-7
    same "nodes" "$(cat /sys/devices/system/node/online)" 0-1
    schedd-cli status | grep -q 8 || fail "schedd does not see 8 CPUs"
}

Processes_are_placed_and_put_back_when_detached() {
    local one two
    one=$(spin one)
    two=$(spin two)
    balancer
    schedd-cli attach CPU_LB "process:$one" "process:$two"
    await 60 "both on CPUs of their own" are_apart "$one" "$two"
    schedd-cli explain "process:$one"
    schedd-cli detach CPU_LB "process:$one" "process:$two"
    await 30 "the first put back" runs_on "$one" 0-7
    await 30 "the second put back" runs_on "$two" 0-7
}

Processes_of_another_user_are_placed() {
    local one two
    one=$(spin one --uid=alice)
    two=$(spin two --uid=alice)
    balancer
    schedd-cli attach CPU_LB "process:$one" "process:$two"
    await 60 "both on CPUs of their own" are_apart "$one" "$two"
    systemctl stop schedd.service
    same "after the stop, one" "$(cpus_of "$one")" 0-7
    same "after the stop, two" "$(cpus_of "$two")" 0-7
}

What_a_killed_daemon_left_is_put_back_by_the_next() {
    local one two
    one=$(spin one)
    two=$(spin two)
    balancer
    schedd-cli attach CPU_LB "process:$one" "process:$two"
    await 60 "both on CPUs of their own" are_apart "$one" "$two"
    kill -KILL "$(daemon_pid)"
    await 60 "the first put back" runs_on "$one" 0-7
    await 30 "the second put back" runs_on "$two" 0-7
}
