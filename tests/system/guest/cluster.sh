#!/bin/bash
# The cases of three machines in a cluster: each runs on all of them, in step (nodes.sh).
# Seconds for a case: 600
set -euo pipefail

root_at() { [ "$(ssh "$1" 'hostname; id -u' </dev/null | paste -sd' ')" = "$1 0" ]; }
Root_reaches_each_machine_by_ssh_without_a_question() {
    local other
    in_step up 550
    for other in $(others); do await 120 "$other by SSH" root_at "$other"; done
    in_step reached
}

The_service_joins_with_a_credential() {
    join_cluster
    [ -e /run/credentials/schedd.service/schedd.keys ] || fail "systemd has given no credential"
    tr '\0' '\n' </proc/"$(daemon_pid)"/environ | grep -q '^CREDENTIALS_DIRECTORY=/run/credentials/schedd' ||
        fail "the daemon was not told of it"
    in_step joined
    only_on 1 schedd-cli create schedulers/first # an empty configuration has no digest
    await 120 "one configuration" all_have_one_configuration
    in_step one
}

What_is_configured_on_one_is_on_all() {
    has_the_period() { [ "$(schedd-cli get probes/cpu.probe_period)" = 500 ]; }
    gone() { ! schedd-cli get schedulers/CPU_LB; }
    join_cluster
    only_on 1 balancer
    await 120 "the probe" has_the_period
    await 120 "the port" schedd-cli get schedulers/CPU_LB/load_balancing/process_load
    in_step configured
    only_on 3 schedd-cli remove -r schedulers/CPU_LB
    await 120 "the scheduler is gone" gone
    in_step removed
    await 120 "one configuration" all_have_one_configuration
    in_step equal
}

A_value_of_another_node_is_read() {
    local other
    join_cluster
    for other in $(others); do
        await 120 "the load of $other" schedd-cli get "$other:probes/cpu/node_load"
    done
    in_step read
}

A_change_for_one_node_stays_there() {
    local node
    join_cluster
    schedd-cli create --local "schedulers/only-$NODE"
    schedd-cli create "schedulers/all-$NODE"
    for node in 1 2 3; do await 120 "what is for all" schedd-cli get "schedulers/all-$node"; done
    for node in 1 2 3; do
        [ "$node" = "$NODE" ] || expect_fails "what is of node $node" schedd-cli get "schedulers/only-$node"
    done
    in_step local
}

A_killed_service_is_dead_and_comes_back_equal() {
    local other
    join_cluster
    in_step killing
    if [ "$NODE" = 3 ]; then
        systemctl mask --runtime schedd.service # so that it is not started again at once
        systemctl kill -s KILL schedd.service
    else
        await 200 "node3 is dead" is_seen_as node3 dead
    fi
    in_step dead
    only_on 1 schedd-cli create schedulers/while-away
    in_step made
    if [ "$NODE" = 3 ]; then
        systemctl unmask --runtime schedd.service
        systemctl start schedd.service
    fi
    await 200 "what was made meanwhile" schedd-cli get schedulers/while-away
    for other in $(others); do await 200 "$other is alive" is_seen_as "$other" alive; done
    await 120 "one configuration" all_have_one_configuration
    in_step back
}

A_stopped_service_has_left() {
    join_cluster
    in_step leaving
    only_on 2 systemctl stop schedd.service
    [ "$NODE" = 2 ] || await 120 "node2 has left" is_seen_as node2 left
    in_step has-left
    only_on 2 systemctl start schedd.service
    await 200 "node2 is back" is_seen_as node2 alive
    in_step is-back
}

A_node_is_drained_and_taken_back() {
    join_cluster
    only_on 1 schedd-cli nodes drain node2
    await 120 "node2 drains" is_seen_as node2 draining
    in_step drained
    only_on 2 schedd-cli nodes undrain node2
    await 120 "node2 is back" is_seen_as node2 alive
    in_step undrained
}
