#!/usr/bin/env bash
# Real daemons, each with a bus, a state directory and a network namespace of its own, on one bridge: what is
# configured on one is on all, whatever happens to them meanwhile.
# Usage: daemons.sh FOLDER-OF-PROGRAMS NODES. Exits with 77 where there can be no namespaces.
set -euo pipefail

programs=$(readlink -f "$1")
nodes=$2
root_of_test=${SCHEDD_DAEMONS_INSIDE:-}
if [ -z "$root_of_test" ]; then
    if [ "$(id -u)" != 0 ] || ! unshare -n -m true 2>/dev/null || ! command -v ip >/dev/null; then
        echo "network namespaces need root and iproute2"
        exit 77
    fi
    # all goes with this namespace; nothing reaches the machine's own network
    folder=$(mktemp -d)
    code=0
    SCHEDD_DAEMONS_INSIDE=$folder unshare -n -m --propagation private \
        "$(readlink -f "$0")" "$programs" "$nodes" || code=$?
    rm -rf "$folder"
    exit $code
fi
cd "$root_of_test"

started=()
end_all() {
    [ ${#started[@]} = 0 ] || kill -KILL "${started[@]}" 2>/dev/null || true
}
trap end_all EXIT
fail() {
    echo "FAILED: $*"
    tail -n 15 ./*/log
    exit 1
}
# await SECONDS WHAT COMMAND...
await() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt "$end" ] || fail "$what"
        sleep 0.2
    done
}
cli() {
    local node=$1
    shift
    "$programs/schedd-cli" --bus "unix:path=$root_of_test/$node/bus" "$@"
}

# The bus, once for each node; then the daemon, as often as it is wanted.
prepare() {
    local node=$1
    mkdir -p "$node/conf" "$node/state"
    [ "$node" != 2 ] || mount -t tmpfs -o size=1m,mode=700 none "$node/state" # to be filled
    printf '%032x\n' $((node + 4096)) >"$node/machine-id"
    printf '[cluster]\nnode_name = "node%d"\nnumber = %d\nkeys = "%s"\n' "$node" "$node" \
        "$root_of_test/${2:-keys}" >"$node/conf/schedd.conf"
    cat >"$node/bus.conf" <<END
<busconfig><type>session</type><listen>unix:path=$root_of_test/$node/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
</busconfig>
END
    dbus-daemon --config-file="$node/bus.conf" --nofork --nopidfile 2>/dev/null &
    started+=($!)
    unshare -n sleep infinity &
    holder[node]=$!
    started+=($!)
    await 10 "a namespace" has_namespace "$!"
    ip link add "v$node" type veth peer name eth0 netns "${holder[node]}"
    ip link set "v$node" master br0 up
    inside "$node" ip addr add "10.7.$((node / 250)).$((node % 250 + 1))/16" dev eth0
    inside "$node" ip link set eth0 up
    inside "$node" ip link set lo up
}
has_namespace() { [ "$(readlink /proc/self/ns/net)" != "$(readlink "/proc/$1/ns/net")" ]; }
inside() { nsenter -t "${holder[$1]}" -n "${@:2}"; }
start() {
    local node=$1
    nsenter -t "${holder[node]}" -n unshare -m --propagation private bash -c "
        mount --bind $root_of_test/$node/machine-id /etc/machine-id
        exec $programs/schedd --bus unix:path=$root_of_test/$node/bus --state-dir $root_of_test/$node/state \
            --config-dir $root_of_test/$node/conf --actuator=dry-run" >>"$node/log" 2>&1 &
    daemon[node]=$!
    started+=($!)
}

# How many nodes NODE sees alive, itself among them.
alive_at() { cli "$1" tree nodes | grep -c 'state=alive' || true; }
sees() { [ "$(alive_at "$1")" = "$2" ]; }
all_see() {
    local node
    for ((node = 1; node <= nodes; ++node)); do sees "$node" "$1" || return 1; done
}
all_have_the_same_keys() {
    local node
    for ((node = 1; node <= nodes; ++node)); do
        cli "$node" doctor >told || true # of 3, where something else lacks
        grep -q 'all who are there have the same keys' told || return 1
    done
}
has() { cli "$1" get "$2" >/dev/null; }
all_have() {
    local node
    for ((node = 1; node <= nodes; ++node)); do has "$node" "$1" || return 1; done
}
has_not() { ! has "$1" "$2"; }

# three nodes are looked at closely; of many, only that what concerns all is so at all of them
echo "1 $(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n')" >keys
echo "1 $(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n')" >other-keys
chmod 600 keys other-keys
holder=()
daemon=()
ip link set lo up
for bridge in br0 br1; do
    ip link add "$bridge" type bridge
    ip link set "$bridge" up
done
for ((node = 1; node <= nodes; ++node)); do prepare "$node"; done
for ((node = 1; node <= nodes; ++node)); do start "$node"; done
await 60 "all see all" all_see "$nodes"
await 30 "each counts itself for new work" eval "cli 1 nodes | grep -q '$nodes nodes, $nodes of them'"
echo "ok: $nodes nodes see each other"

place() { cli 1 run --dry-run --json=short "$@" -- true; }
[[ $(place) == *'"name":"node1","here":true,"addresses":[],"scheduler":"","reason":"no scheduler is '* ]] ||
    fail "new work that nobody is asked about: $(place)"
[[ $(place --node=node2) == '{"node":2,"name":"node2","here":false,"addresses":["'*'was asked for"}'* ]] ||
    fail "new work for a node: $(place --node=node2)"
if place --node=node99 2>/dev/null; then fail "new work for a node that is not there"; fi
if place --scheduler=none 2>/dev/null; then fail "new work for a scheduler that is not there"; fi
cli 1 nodes drain node3
await 30 "it drains" eval "! place --node=node3"
said=$(place --node=node3 2>&1) || true
[[ $said == *'node3 takes no work: it is draining'* ]] || fail "new work for a node that drains: $said"
cli 1 nodes undrain node3
await 30 "it takes work again" place --node=node3
echo "ok: new work finds a node, and none that is not there or drains"

# the file is everybody's, and each reads it when told
await 30 "all have the same keys" all_have_the_same_keys
"$programs/schedd-cli" nodes keygen --add "$PWD/keys" >added
cli 1 reload
await 30 "who has a key that others lack is told" \
    eval "{ cli 1 doctor || true; } | grep -q 'other keys than here: node'"
await 30 "and they are" eval "{ cli 2 doctor || true; } | grep -q 'other keys than here: node1$'"
for ((node = 2; node <= nodes; ++node)); do cli "$node" reload; done
await 60 "all have the new key" all_have_the_same_keys
sees 1 "$nodes" || fail "somebody was lost by it"
echo "ok: who lacks a key is known before it is used"

cli 1 create probes/cpu
cli 1 create schedulers/CPU_LB
cli 1 create schedulers/CPU_LB/load_balancing
cli 1 link 'cpu/node_load | threshold(threshold=100)' schedulers/CPU_LB/load_balancing/node_load
await 30 "the chain is on all" all_have schedulers/CPU_LB/load_balancing/node_load/threshold
cli "$nodes" remove -r schedulers/CPU_LB
await 30 "it is gone on the first" has_not 1 schedulers/CPU_LB
echo "ok: what is configured on one is on all"

cli 2 create --local schedulers/mine
cli 2 create schedulers/ours
await 30 "a change for all" all_have schedulers/ours
has_not 1 schedulers/mine || fail "a change for one node is on another"
echo "ok: a change for one node stays there"

kill -KILL "${daemon[3]}"
await 40 "a killed node is dead" eval "cli 1 tree nodes | grep -q 'name=node3.*state=dead'"
cli 1 create schedulers/meanwhile
cli 1 remove schedulers/ours
start 3
await 40 "it has what was made meanwhile" has 3 schedulers/meanwhile
await 40 "it has not what was removed meanwhile" has_not 3 schedulers/ours
await 40 "all see all again" all_see "$nodes"
echo "ok: a killed node is dead and comes back equal"

# a partition: both sides are changed, and heal
cli 1 create schedulers/shared
await 30 "all have what both sides change" has 3 schedulers/shared
ip link set v3 master br1
await 60 "the other side is not alive" eval "! cli 1 tree nodes | grep -q 'name=node3.*state=alive'"
cli 1 create schedulers/here
cli 3 create schedulers/there
cli 1 set schedulers/here.precedence 4
cli 3 set schedulers/meanwhile.precedence 6
cli 1 set schedulers/meanwhile.precedence 5
cli 1 remove -r schedulers/shared
sleep 1 # the change is the later one
cli 3 set schedulers/shared.precedence 7
ip link set v3 master br0
await 60 "what one side wrote is on the other" has 3 schedulers/here
await 60 "and the other way round" has 1 schedulers/there
# verify exits with 3 where there is something
verified() { cli "$1" verify >"$1/told" || true; }
await 30 "a change of what was removed is told" \
    eval "verified 3; grep -q 'node3 changed it after node1 had removed schedulers/shared' 3/told"
await 30 "of two values the one that lost is told" \
    eval "verified 3; grep -q 'node3 wrote .6. while node1 wrote .5., which holds' 3/told"
grep -q 'had removed schedulers/shared: it does not hold' 3/log || fail "the log does not say what is lost"
cli 1 set schedulers/meanwhile.precedence 8
await 30 "who sets it anew settles that" eval "verified 3; ! grep -q 'which holds' 3/told"
cli 1 create schedulers/shared
await 30 "what is made anew starts clean" eval "verified 3; ! grep -q 'had removed' 3/told"
echo "ok: both sides of a partition agree when it heals, and what is lost is told"

# more than what is left of the last page
cat /dev/zero >2/state/filler 2>/dev/null || true
printf '[scheduler.full-%d]\n' {1..200} | cli 1 apply - >applied
await 30 "a node whose disk is full has what is made" has 2 schedulers/full-200
await 30 "it says that it cannot keep it" eval "cli 2 nodes | grep -q 'cannot be kept'"
await 30 "and tells the others" eval "cli 1 nodes | grep -q 'cannot be kept'"
rm 2/state/filler
cli 3 create schedulers/room
await 30 "there is room again" eval "cli 2 nodes >2/told && ! grep -q 'cannot be kept' 2/told"
echo "ok: a full disk is told, and the node works on"

kill -TERM "${daemon[2]}"
await 20 "a node that was stopped has left" eval "cli 1 tree nodes | grep -q 'name=node2[^0-9].*state=left'"
echo "ok: a node that is stopped says goodbye"

await 20 "it has let go of its files" mount -o remount,ro 2/state
start 2
await 30 "a node whose disk is read-only is there" \
    eval "cli 1 tree nodes | grep -q 'name=node2[^0-9].*state=alive'"
grep -q 'state is full or read-only: nothing is placed until' 2/log || fail "it does not say what it lacks"
kill -TERM "${daemon[2]}"
await 20 "it has left again" eval "cli 1 tree nodes | grep -q 'name=node2[^0-9].*state=left'"
mount -o remount,rw 2/state
echo "ok: a node starts with a read-only disk, and says so"

cp keys keys.good
echo garbage >>keys
if cli 1 reload 2>told; then fail "a broken key file is reloaded"; fi
grep -q "keys:3" told || fail "it does not say where the key file is wrong: $(cat told)"
cp keys.good keys
cli 1 reload
echo "ok: a broken key file fails the reload"

# a stranger with another key is nobody
prepare $((nodes + 1)) other-keys
start $((nodes + 1))
await 30 "the stranger runs" cli $((nodes + 1)) tree nodes
sleep 3
if cli 1 tree nodes | grep -q "name=node$((nodes + 1))"; then fail "a node with another key is known"; fi
{ cli 1 doctor || true; } >told
grep -q "cluster-strangers.*10\.7\.0\.$((nodes + 2)):" told || fail "doctor does not tell of it: $(cat told)"
echo "ok: a node with another key is nobody"
