#!/usr/bin/env bash
# Three guests that form a cluster: boots them side by side, each runs the cases of guest/cluster.sh in step
# with the others. Prints the results as run.sh does, each name with the guest's: "ok cluster.node2.NAME".
# Usage: cluster.sh
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
work=${SCHEDD_VM_WORK:-$here/../../build/system}/cluster
nodes=3
limit=${SCHEDD_VM_SECONDS:-1200} # until all have ended
guests=()

say() { printf 'cluster: %s\n' "$*" >&2; }
end_guests() { [ ${#guests[@]} = 0 ] || kill -KILL "${guests[@]}" 2>/dev/null || true; }
trap end_guests EXIT

mkdir -p "$work"
# shellcheck source=tests/system/prepare.sh
source "$here/prepare.sh"
# shellcheck disable=SC2034  # for prepare
image='' drive=$work/drive only=''
# shellcheck disable=SC2034
key=$(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n')
prepare
# one group and port per run, so that two runs do not hear each other
export SCHEDD_VM_PORT=$((20000 + $$ % 20000))
for ((node = 1; node <= nodes; ++node)); do
    : >"$work/results-$node"
    SCHEDD_VM_NODE=$node "$here/boot.sh" "$image" "$drive" "$work/results-$node" "$work/console-$node" \
        </dev/null >"$work/qemu-$node.log" 2>&1 &
    guests+=($!)
done
say "booting $nodes guests (at most $limit s); consoles in $work"

# Shows each new line until all have ended.
shown=(0 0 0 0)
while [ -n "$(jobs -r -p)" ]; do
    sleep 1
    for ((node = 1; node <= nodes; ++node)); do
        lines=$(wc -l <"$work/results-$node")
        [ "$lines" -gt "${shown[node]}" ] || continue
        sed -n "$((shown[node] + 1)),${lines}p" "$work/results-$node" | tr -d '\r' |
            sed "s/^/cluster: $SECONDS s: node$node: /" >&2
        shown[node]=$lines
    done
    if [ "$SECONDS" -gt "$limit" ]; then
        say "the guests are not done, they are ended after $limit s"
        end_guests
    fi
done
guests=()

for ((node = 1; node <= nodes; ++node)); do
    results=$(tr -d '\r' <"$work/results-$node")
    grep -a -E '^(ok|not ok|skip) ' <<<"$results" |
        sed -E "s/^(ok|not ok|skip) /\\1 cluster.node$node./" || true
    found=$(grep -a -c -E '^(ok|not ok|skip) ' <<<"$results" || true)
    announced=$(sed -n 's/^done \([0-9]*\)$/\1/p' <<<"$results")
    if [ "$found" -lt 2 ] || [ "$announced" != "$found" ]; then
        echo "not ok cluster.node$node: it reported $found results and ended with '${announced:-no count}'"
        tail -n 30 "$work/console-$node" | tr -d '\r' >&2
    fi
done
