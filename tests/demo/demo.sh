#!/usr/bin/env bash
# The demonstration: a scheduler is put together out of small parts, moves real work, is changed while it
# runs, and leaves the machine as it was. Needs `schedd`, `schedd-cli` and `schedd-spinner` in PATH and a
# running private instance (SCHEDD_BUS_ADDRESS); `./dev demo` sees to both.
set -euo pipefail

work=$(mktemp -d "${TMPDIR:-/tmp}/schedd-demo.XXXXXX")
spinners=()
session_leader=

cleanup() {
    for pid in "${spinners[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${spinners[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT

bold=$(test -t 1 && printf '\033[1m' || true)
dim=$(test -t 1 && printf '\033[2m' || true)
plain=$(test -t 1 && printf '\033[0m' || true)

say() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
die() { printf 'demo: FAILED: %s\n' "$*" >&2; exit 1; }
# Prints a command as the user would type it, runs it, and shows what it says.
run() {
    local shown='' word
    for word in "$@"; do case $word in *[\ \|\(]*) shown+=" '$word'" ;; *) shown+=" $word" ;; esac; done
    printf '%s$%s%s\n' "$dim" "$shown" "$plain"
    "$@"
}
# Runs a command that must be refused, and shows the refusal.
refused() {
    local said
    printf '%s$ %s%s\n' "$dim" "$*" "$plain"
    if said=$("$@" 2>&1); then die "was not refused: $*"; fi
    printf '   refused: %s\n' "$said"
}
# All that the spinners have done so far.
count() {
    cat "$work"/count.* | od -An -v -tu8 | awk '{ for (i = 1; i <= NF; i++) sum += $i } END { print sum }'
}
# Work done per second over $1 seconds.
throughput() {
    local before after started ended
    before=$(count); started=$(date +%s%N)
    sleep "$1"
    after=$(count); ended=$(date +%s%N)
    awk -v work=$((after - before)) -v ns=$((ended - started)) 'BEGIN { printf "%.0f", work / ns * 1e9 }'
}
# The affinity of every task of every spinner, one line each.
affinities() {
    local pid task
    for pid in "${spinners[@]}"; do
        for task in /proc/"$pid"/task/*; do
            printf '%s %s\n' "${task##*/}" "$(awk '/^Cpus_allowed_list/ { print $2 }' "$task/status")"
        done
    done
}
# Waits until $1 (a command) succeeds, at most $2 seconds.
await() {
    local i
    for ((i = 0; i < $2 * 10; i++)); do if $1; then return 0; fi; sleep 0.1; done
    return 1
}
spread() { test "$(affinities | awk '{ print $2 }' | sort -u | wc -l)" -gt 1; }
as_before() { affinities | cmp -s - "$work/before"; }
# A number out of `schedd-cli status --json`.
fact() { schedd-cli status --json=short | grep -o "\"$1\":[0-9]*" | head -1 | grep -o '[0-9]*$'; }

# A CPU that this shell may use.
cpu=$(awk '/^Cpus_allowed_list/ { split($2, first, /[-,]/); print first[1] }' /proc/self/status)

say "Four programs that always want a CPU, all of them on CPU $cpu"
for name in a b; do
    taskset -c "$cpu" schedd-spinner "$work/count.$name" & spinners+=($!)
done
# a session of its own with two programs, one of them with two threads
setsid bash -c 'echo $$ > "$0/leader"; trap "" HUP
    schedd-spinner "$0/count.c" 2 & echo $! > "$0/c"
    exec schedd-spinner "$0/count.d"' "$work" & wrapper=$!
await "test -s $work/c -a -s $work/count.d" 5 || die "the spinners did not start"
session_leader=$(cat "$work/leader")
spinners+=("$session_leader" "$(cat "$work/c")")
test "$wrapper" = "$session_leader" || spinners+=("$wrapper")
for pid in "${spinners[@]}"; do taskset -a -c -p "$cpu" "$pid" >/dev/null; done
affinities | tee "$work/before" | sed 's/^/   task /; s/ \([0-9,-]*\)$/ may run on CPU \1/'
base=$(throughput 3)
echo "   work done: $base units/s"

say "A probe, and how often it measures"
run schedd-cli create probes/cpu
run schedd-cli set probes/cpu.probe_period 500
sleep 1.2
run schedd-cli get probes/cpu/node_load

say "A scheduler with a policy; a filter in its port; the chain is linked from the source"
run schedd-cli create schedulers/CPU_LB
run schedd-cli create schedulers/CPU_LB/load_balancing
run schedd-cli set schedulers/CPU_LB/load_balancing.level core
run schedd-cli create schedulers/CPU_LB/load_balancing/node_load/threshold
run schedd-cli set schedulers/CPU_LB/load_balancing/node_load/threshold.threshold 100
run schedd-cli link probes/cpu/process_load schedulers/CPU_LB/load_balancing/process_load
run schedd-cli link probes/cpu/node_load schedulers/CPU_LB/load_balancing/node_load/threshold

say "The work it is responsible for: two processes, and a session with all that will ever be in it"
run schedd-cli attach CPU_LB "process:${spinners[0]}"
run schedd-cli attach CPU_LB "process:${spinners[1]}"
run schedd-cli attach CPU_LB "session:$session_leader"

say "The value at every stage"
sleep 1.2
run schedd-cli get probes/cpu/node_load schedulers/CPU_LB/load_balancing/node_load/threshold.value \
    schedulers/CPU_LB/load_balancing/node_load.collected_value "probes/cpu/process_load[${spinners[0]}]"
run schedd-cli graph CPU_LB

say "The work spreads"
if [ "$(nproc)" -gt 1 ]; then await spread 15 || die "the work did not spread"; fi
sleep 2
run schedd-cli explain CPU_LB
affinities | sed 's/^/   task /; s/ \([0-9,-]*\)$/ may run on CPU \1/'
balanced=$(throughput 3)
ratio=$(awk -v a="$balanced" -v b="$base" 'BEGIN { printf "%.2f", a / b }')
echo "   work done: $balanced units/s, $ratio times as much"

say "Live: the threshold is taken out of the chain, in one step or not at all"
run schedd-cli apply --verbs - <<'RECIPE'
unlink schedulers/CPU_LB/load_balancing/node_load/threshold
remove schedulers/CPU_LB/load_balancing/node_load/threshold
link probes/cpu/node_load schedulers/CPU_LB/load_balancing/node_load
RECIPE
run schedd-cli tree schedulers/CPU_LB

say "Three mistakes, and what is said of them"
refused schedd-cli link probes/cpu/process_load schedulers/CPU_LB/load_balancing/node_load
refused schedd-cli remove probes/cpu
run schedd-cli create probes/mem_probe
run schedd-cli unlink schedulers/CPU_LB/load_balancing/node_load
refused schedd-cli link probes/mem_probe/ram_free schedulers/CPU_LB/load_balancing/node_load
run schedd-cli link probes/cpu/node_load schedulers/CPU_LB/load_balancing/node_load

say "Live: the policy is replaced by one that decides nothing, and back, while the work runs"
run schedd-cli apply --verbs - <<'RECIPE'
remove -r schedulers/CPU_LB/load_balancing
create schedulers/CPU_LB/echo_policy
link probes/mem_probe/ram_free schedulers/CPU_LB/echo_policy/port_mem_free
link probes/mem_probe/ram_total schedulers/CPU_LB/echo_policy/port_mem_total
RECIPE
await as_before 20 || die "the new policy decides nothing, but something is still placed"
echo "   echo_policy decides nothing: every task is where it was before"
run schedd-cli apply --verbs - <<'RECIPE'
remove -r schedulers/CPU_LB/echo_policy
create schedulers/CPU_LB/load_balancing
write schedulers/CPU_LB/load_balancing.level core
link probes/cpu/process_load schedulers/CPU_LB/load_balancing/process_load
link probes/cpu/node_load schedulers/CPU_LB/load_balancing/node_load
RECIPE
if [ "$(nproc)" -gt 1 ]; then await spread 15 || die "the work did not spread again"; fi
echo "   load_balancing again: the work is spread again"
run schedd-cli status
moves=$(fact moves)

say "Letting go"
run schedd-cli detach CPU_LB "process:${spinners[0]}" "process:${spinners[1]}" "session:$session_leader"
affinities | sed 's/^/   task /; s/ \([0-9,-]*\)$/ may run on CPU \1/'
affinities | cmp - "$work/before" || die "not every task has the affinity it had before"
test "$(fact held)" = 0 || die "something is still held"
run schedd-cli remove -r schedulers/CPU_LB

printf '\ndemo: throughput %sx, %s moves, restored\n' "$ratio" "$moves"
