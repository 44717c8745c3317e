#!/bin/bash
# The cases of three machines in a cluster. Each runs on all of them, in step; $NODE says on which.
# Seconds for a case: 300
set -euo pipefail

others() { for node in 1 2 3; do [ "$node" = "$NODE" ] || echo "node$node"; done; }
# State of a node as this one sees it.
state_of() {
    schedd-cli nodes --json=short |
        sed -n "s/.*\"name\":\"$1\"[^}]*\"state\":\"\([a-z]*\)\".*/\1/p"
}
is_seen_as() { [ "$(state_of "$1")" = "$2" ]; }
# Waits until all three have come to the same place; what they tell each other is the configuration itself.
meet() {
    local node
    schedd-cli create "schedulers/met-$1-$NODE"
    for node in 1 2 3; do await 200 "node $node at $1" schedd-cli get "schedulers/met-$1-$node"; done
}
digest() {
    schedd-cli nodes --json=short | tr '{' '\n' |
        sed -n 's/.*"configuration":"\([0-9a-f]*\)".*/\1/p' | sort -u
}
all_have_one_configuration() { [ "$(digest | wc -l)" = 1 ]; }

The_service_joins_with_a_credential() {
    install -m 600 /run/guest/guest/cluster.keys /etc/schedd/cluster.keys
    install -D -m 644 /usr/share/doc/schedd/examples/50-peers.conf \
        /etc/systemd/system/schedd.service.d/50-peers.conf
    systemctl daemon-reload
    systemctl restart schedd.service
    local other
    for other in $(others); do await 200 "$other is alive" is_seen_as "$other" alive; done
    journalctl -q -b -u schedd.service | grep -q 'cluster.keys.*cannot' && fail "the key was not read"
    meet joined
}

What_is_configured_on_one_is_on_all() {
    if [ "$NODE" = 1 ]; then
        schedd-cli create probes/cpu
        schedd-cli create schedulers/CPU_LB
        schedd-cli create schedulers/CPU_LB/load_balancing
        schedd-cli link 'cpu/node_load | threshold(threshold=100)' schedulers/CPU_LB/load_balancing/node_load
        schedd-cli set probes/cpu.probe_period 500
    fi
    has_the_period() { [ "$(schedd-cli get probes/cpu.probe_period)" = 500 ]; }
    await 60 "the probe" has_the_period
    await 60 "the chain" schedd-cli get schedulers/CPU_LB/load_balancing/node_load/threshold
    meet configured
    if [ "$NODE" = 3 ]; then schedd-cli remove -r schedulers/CPU_LB; fi
    gone() { ! schedd-cli get schedulers/CPU_LB; }
    await 60 "the scheduler is gone" gone
    meet removed
    await 60 "one configuration" all_have_one_configuration
}

A_value_of_another_node_is_read() {
    local other
    for other in $(others); do
        await 60 "the load of $other" schedd-cli get "$other:probes/cpu/node_load"
    done
    meet read
}

A_change_for_one_node_stays_there() {
    schedd-cli create --local "schedulers/only-$NODE"
    meet local
    local node
    for node in 1 2 3; do
        [ "$node" = "$NODE" ] || expect_fails "what is of node $node" schedd-cli get "schedulers/only-$node"
    done
}

A_killed_machine_is_dead_and_comes_back_equal() {
    meet killing
    if [ "$NODE" = 3 ]; then
        systemctl mask --runtime schedd.service # so that it is not started again at once
        systemctl kill -s KILL schedd.service
        sleep 25
        systemctl unmask --runtime schedd.service
        systemctl start schedd.service
    else
        await 100 "node3 has gone" is_gone node3
        [ "$NODE" != 1 ] || schedd-cli create schedulers/while-away
    fi
    await 100 "what was made meanwhile" schedd-cli get schedulers/while-away
    for other in $(others); do await 100 "$other is alive" is_seen_as "$other" alive; done
    await 60 "one configuration" all_have_one_configuration
    meet back
}
is_gone() { [ "$(state_of "$1")" = dead ] || [ "$(state_of "$1")" = left ]; }

A_node_is_drained_and_taken_back() {
    if [ "$NODE" = 2 ]; then schedd-cli nodes drain node2; fi
    await 60 "node2 drains" is_seen_as node2 draining
    meet drained
    if [ "$NODE" = 2 ]; then schedd-cli nodes undrain node2; fi
    await 60 "node2 is back" is_seen_as node2 alive
    meet undrained
}
