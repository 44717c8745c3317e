#!/bin/bash
# CPUs that go offline and come back while units are on them.
set -euo pipefail

allowed() { property test-"$1".service AllowedCPUs; }
# The first CPU of a list such as "2-3".
first_of() { echo "${1%%[-,]*}"; }
all_cpus() {
    local cpu
    for cpu in 1 2 3 4 5 6 7; do set_cpu $cpu 1; done
}
holds() { schedd-cli verify; }
# Which of the two units is on none of the CPUs 0 and 1: CPU 0 cannot go.
movable() { if [[ $(allowed one) == 0* ]]; then echo two; else echo one; fi; }

One_CPU_of_a_unit_goes_and_comes_back() {
    local before name cpu
    service one
    service two
    before=$(snapshot)
    configured_balancer
    by_drop_ins CPU_LB one two
    await 60 "one placed" is_placed one
    await 60 "two placed" is_placed two
    name=$(movable)
    cpu=$(first_of "$(allowed "$name")")
    set_cpu "$cpu" 0
    await 30 "it is noticed" is_noticed
    await 60 "what is wanted holds" holds
    sound
    if cpus_in_list "$(cpus_of "$(main_pid "$name")")" | grep -q -x "$cpu"; then fail "it is on CPU $cpu"; fi
    set_cpu "$cpu" 1
    await 30 "its return is noticed" is_noticed
    await 60 "what is wanted holds again" holds
    sound
    without_drop_ins
    soon_unchanged "$before"
    same "drop-ins left" "$(left_by_schedd)" ""
}

All_CPUs_of_a_unit_go_and_come_back() {
    local before name cpu cpus
    service one
    service two
    before=$(snapshot)
    configured_balancer
    schedd-cli attach CPU_LB unit:test-one.service unit:test-two.service
    await 60 "one placed" is_placed one
    await 60 "two placed" is_placed two
    name=$(movable)
    cpus=$(allowed "$name")
    for cpu in $(cpus_in_list "$cpus"); do set_cpu "$cpu" 0; done
    await 30 "it is noticed" is_noticed
    await 60 "it is placed elsewhere" placed_off "$name" "$cpus"
    await 60 "what is wanted holds" holds
    sound
    all_cpus
    await 30 "their return is noticed" is_noticed
    await 60 "what is wanted holds again" holds
    sound
    schedd-cli detach CPU_LB unit:test-one.service unit:test-two.service
    soon_unchanged "$before"
}
placed_off() { is_placed "$1" && [ "$(allowed "$1")" != "$2" ]; }

A_unit_let_go_while_its_CPUs_are_offline_is_free_when_they_return() {
    local before name cpu
    service one
    service two
    before=$(snapshot)
    configured_balancer
    schedd-cli attach CPU_LB unit:test-one.service unit:test-two.service
    await 60 "one placed" is_placed one
    await 60 "two placed" is_placed two
    name=$(movable)
    for cpu in $(cpus_in_list "$(allowed "$name")"); do set_cpu "$cpu" 0; done
    await 30 "it is noticed" is_noticed
    schedd-cli detach CPU_LB unit:test-one.service unit:test-two.service
    await 30 "one free" is_free one
    await 30 "two free" is_free two
    all_cpus
    soon_unchanged "$before"
    same "drop-ins left" "$(left_by_schedd)" ""
}
