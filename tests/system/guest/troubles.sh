#!/bin/bash
# What may happen to three machines in a cluster, in step (nodes.sh): keys are exchanged, a link goes, there
# is no IPv4, a disk is full or fails.
# Seconds for a case: 1200
set -euo pipefail

link=$(cat /run/cluster-link)

all_are_alive() {
    local node
    for node in 1 2 3; do is_seen_as "node$node" alive || return 1; done
}
# await_cluster NAME: all alive for all, with one configuration.
await_cluster() {
    await 250 "all are alive ($1)" all_are_alive
    await 120 "one configuration ($1)" all_have_one_configuration
    in_step "$1"
}
# It exits with 3 where something else lacks.
doctor() { schedd-cli doctor || true; }
doctor_of_keys() { doctor | grep -A3 '^[a-z]* *cluster-keys' | tr -s ' \n' ' '; }
keys_are() { doctor_of_keys | grep -q -E "$1"; }

# Brings node1's key file to all, who read it one after the other: a credential is read when the service
# starts.
keys_everywhere() {
    local other node
    if [ "$NODE" = 1 ]; then
        for other in $(others); do
            ssh "$other" 'cd /etc/schedd && umask 077 && cat >keys.new && mv keys.new cluster.keys' \
                </etc/schedd/cluster.keys
        done
    fi
    in_step "$1-brought"
    for node in 2 3; do
        only_on "$node" systemctl restart schedd.service
        await 250 "node$node has the keys ($1)" is_seen_as "node$node" alive
        in_step "$1-$node"
    done
    await 120 "all have the same keys ($1)" keys_are 'all who are there have the same keys'
    await_cluster "$1"
}
on_node1() { if [ "$NODE" = 1 ]; then "$@" && systemctl restart schedd.service; fi; }
The_key_is_exchanged_while_all_stay_together() {
    local file=/etc/schedd/cluster.keys
    join_cluster
    in_step before-keys
    only_on 1 schedd-cli create schedulers/before-keys # an empty configuration has no digest to compare
    on_node1 schedd-cli nodes keygen --add $file
    if [ "$NODE" = 1 ]; then
        await 250 "who lacks the key is told" keys_are 'other keys than here: node[23], node[23]'
    else
        await 250 "who has another is told" keys_are 'other keys than here: node1 '
    fi
    in_step key-added
    keys_everywhere added
    on_node1 schedd-cli nodes keygen --activate 2 $file
    keys_everywhere activated
    on_node1 schedd-cli nodes keygen --remove 1 $file
    keys_everywhere removed
    same "the numbers of the keys" "$(sed -n 's/^\([0-9]\+\) .*/\1/p' $file)" 2
}

A_machine_whose_link_was_down_is_found_again() {
    join_cluster
    in_step before
    if [ "$NODE" = 2 ]; then
        others_are_at watching # they do not ask any more whether this one has come here
        ip link set "$link" down
        await 100 "the link is not used" no_interface
        schedd-cli create schedulers/side-2
        sleep 150 # until the others have seen it, which cannot be asked
        ip link set "$link" up
        ip addr replace "fd77::$NODE/64" dev "$link" nodad
    else
        has_come_to watching
        await 140 "node2 is dead" is_seen_as node2 dead
        only_on 1 schedd-cli create schedulers/side-1
    fi
    in_step link-back 400
    await 120 "what was made on one side" schedd-cli get schedulers/side-1
    await 120 "what was made on the other" schedd-cli get schedulers/side-2
    await_cluster healed
}
no_interface() { doctor | grep -q '^lacks *cluster-interfaces'; }

IPv6_alone_is_enough() {
    join_cluster
    in_step before-ipv6
    ip -4 addr flush dev "$link"
    await_cluster without-ipv4
    only_on 3 systemctl restart schedd.service
    await 250 "node3 is back" is_seen_as node3 alive
    in_step restarted-without-ipv4
    only_on 3 schedd-cli create schedulers/by-ipv6
    await 120 "what was made by IPv6" schedd-cli get schedulers/by-ipv6
    addresses() { schedd-cli nodes --json=short | grep -o '"addresses":\[[^]]*\]'; }
    if addresses | grep -q '10\.77\.'; then fail "IPv4 is used: $(addresses | paste -sd' ')"; fi
    await_cluster by-ipv6
    ip addr add "10.77.0.$NODE/24" dev "$link"
    await_cluster with-ipv4
}

# The state directory of node3 is a file system of its own for once.
with_small_disk() {
    local state=/var/lib/schedd
    systemctl stop schedd.service
    cp /run/guest/cluster/small.ext4 /run/small.ext4
    mkdir -p /run/small
    mount -o loop,errors=remount-ro /run/small.ext4 /run/small
    cp -a $state/. /run/small/
    umount /run/small
    mount -o loop,errors=remount-ro /run/small.ext4 $state
    systemctl start schedd.service
}
# More than a block of log. many_schedulers NAME
many_schedulers() { printf "[scheduler.$1-%d]\\n" {1..60} | schedd-cli apply - >/dev/null; }
has_cpus() { [ -n "$(property test-before.service AllowedCPUs)" ]; }
trouble_of() { node_fact "$1" trouble; }
has_trouble() { [[ $(trouble_of "$1") == *"$2"* ]]; }
has_none() { [ -z "$(trouble_of "$1")" ]; }
A_full_and_then_a_failing_disk_are_told_and_the_node_works_on() {
    local state=/var/lib/schedd device
    join_cluster
    only_on 1 schedd-cli create schedulers/disk # an empty configuration has no digest to compare
    only_on 3 with_small_disk
    await_cluster small-disk
    if [ "$NODE" = 3 ]; then
        spin before >/dev/null
        printf '%s\n' '[probe.cpu]' '[scheduler.CPU_LB]' 'policy = "load_balancing"' \
            '[scheduler.CPU_LB.attributes]' 'level = "core"' 'min_load = 0' \
            '[scheduler.CPU_LB.ports]' 'node_load = "cpu/node_load"' 'process_load = "cpu/process_load"' |
            schedd-cli apply -
        schedd-cli attach CPU_LB unit:test-before.service
        await 120 "it is placed" has_cpus
        cat /dev/zero >$state/filler 2>/dev/null || true
        sync
    fi
    in_step full
    only_on 1 many_schedulers full
    await 120 "what was made while it was full" schedd-cli get schedulers/full-60
    await 120 "the full disk is told" has_trouble node3 'cannot be kept'
    await 120 "one configuration all the same" all_have_one_configuration
    in_step told-full
    only_on 3 rm $state/filler
    await 120 "there is room" has_none node3
    in_step room
    if [ "$NODE" = 3 ]; then
        device=$(basename "$(findmnt -n -o SOURCE $state)")
        echo 1 >"/sys/fs/ext4/$device/trigger_fs_error"
        expect_fails "the disk is read-only" touch $state/probe
    fi
    in_step failing
    only_on 2 many_schedulers failing
    await 120 "what was made while it was read-only" schedd-cli get schedulers/failing-60
    await 120 "the read-only disk is told" has_trouble node3 'cannot be kept'
    in_step told-failing
    if [ "$NODE" = 3 ]; then
        daemon_pid >/dev/null || fail "the daemon does not run any more"
        has_cpus || fail "what was placed is not placed any more"
        systemctl stop schedd.service
        if has_cpus; then fail "what was placed is so after the daemon's end"; fi
        umount $state
        systemctl start schedd.service
        await 120 "what it missed" schedd-cli get schedulers/failing-60
        schedd-cli remove -r schedulers/CPU_LB
    fi
    await_cluster disk-again
}
