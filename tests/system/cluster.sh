#!/usr/bin/env bash
# Three guests that form a cluster: boots them side by side, each runs the same cases in step with the others.
# Prints the results as run.sh does, each name with the guest's before it: "ok node2.cluster.NAME".
# Usage: cluster.sh [FILE...] [PATTERN,...]: files of cases, all unless given; of their names
# those that match, such as 'cluster.A_*'.
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# harness_test.sh plays the guests: a program in the place of boot.sh, a folder of its own
played=${SCHEDD_VM_PLAYED:-}
work=${SCHEDD_VM_WORK:-$here/../../build/system}/cluster
nodes=3
limit=${SCHEDD_VM_SECONDS:-2700} # until all have ended
silent=${SCHEDD_VM_SILENT:-300}  # for the first word of a guest
boots=3
guests=()
booted=()
since=()
shown=()
ended=''

say() { printf 'cluster: %s\n' "$*" >&2; }
end_guests() { [ ${#guests[@]} = 0 ] || kill -KILL "${guests[@]}" 2>/dev/null || true; }
trap end_guests EXIT
# shellcheck source=tests/system/prepare.sh
source "$here/prepare.sh"

boot() {
    local node=$1
    : >"$work/results-$node"
    shown[node]=0
    booted[node]=$((${booted[node]:-0} + 1))
    SCHEDD_VM_NODE=$node "${played:-$here/boot.sh}" "$image" "$drive" "$work/results-$node" \
        "$work/console-$node" </dev/null >"$work/qemu-$node.log" 2>&1 &
    guests[node]=$!
    since[node]=$SECONDS
}

show() {
    local node=$1 lines
    lines=$(wc -l <"$work/results-$node")
    [ "$lines" -gt "${shown[node]}" ] || return 0
    sed -n "$((shown[node] + 1)),${lines}p" "$work/results-$node" | tr -d '\r' |
        sed "s/^/cluster: $SECONDS s: node$node: /" >&2
    shown[node]=$lines
}

# One that hangs before anything of ours runs is started again; the others wait for it.
start_again_if_silent() {
    local node=$1
    [ "${shown[node]}" = 0 ] && [ $((SECONDS - since[node])) -gt "$silent" ] || return 0
    if [ "${booted[node]}" -ge "$boots" ]; then
        ended="since node$node has not come up in $boots tries"
        return
    fi
    say "node$node has not come up after $silent s, it is started again"
    kill -KILL "${guests[node]}" 2>/dev/null || true
    wait "${guests[node]}" 2>/dev/null || true
    boot "$node"
}

# Shows each new line until all have ended or their time is over.
follow() {
    local node
    while [ -n "$(jobs -r -p)" ] && [ -z "$ended" ]; do
        sleep 1
        for ((node = 1; node <= nodes; ++node)); do
            show "$node"
            if kill -0 "${guests[node]}" 2>/dev/null; then start_again_if_silent "$node"; fi
        done
        [ $((SECONDS - started)) -le "$limit" ] || ended="after $limit s"
    done
    [ -z "$ended" ] || say "the guests are not done, they are ended $ended"
    end_guests
    wait
    guests=()
}

image='' drive=$work/drive files=() only=''
for word; do
    case $word in
    *.sh) [ -e "$here/$word" ] || broken "there is no $here/$word"; files+=("$word") ;;
    *) only=$word ;;
    esac
done
[ ${#files[@]} -gt 0 ] || files=(guest/cluster.sh guest/troubles.sh)
mkdir -p "$work"
[ -n "$played" ] || prepare
# one group and port per run, so that two runs do not hear each other
export SCHEDD_VM_PORT=$((20000 + $$ % 20000))
started=$SECONDS
for ((node = 1; node <= nodes; ++node)); do boot "$node"; done
say "booting $nodes guests (at most $limit s); consoles in $work"
follow
for ((node = 1; node <= nodes; ++node)); do
    show "$node"
    collect "$work/results-$node" "node$node" "$work/console-$node"
done
