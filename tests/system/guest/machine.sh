#!/bin/bash
# What can be read of a machine about where its tasks run, and whether it is as it was. Sourced by case.sh.
set -euo pipefail

cgroups=/sys/fs/cgroup

# What decides where tasks run: "FILE: VALUE" for each file of each control group, "task TID: CPUS" for each
# task.
snapshot() {
    local file value
    while read -r file; do
        IFS= read -r value <"$file" || true
        echo "$file: $value"
    done < <(find $cgroups \( -name 'cpuset.*' -o -name cpu.weight -o -name cpu.max \) | sort)
    tasks_and_cpus
}
# The tasks of all control groups but the root, where the kernel's own are.
tasks_and_cpus() {
    find $cgroups -mindepth 2 -name cgroup.threads -exec cat {} + 2>/dev/null | sed 's,.*,/proc/&/status,' |
        xargs -r grep -s -H '^Cpus_allowed_list' |
        sed 's,^/proc/\([0-9]*\)/status:Cpus_allowed_list:\t,task \1: ,' | sort || true
}
# unchanged BEFORE: fails with what differs between an earlier snapshot and now. A task that is new since has
# to be free, or as narrow as somebody was before.
unchanged() {
    local now changes
    now=$(snapshot)
    changes=$(diff <(grep -v '^task ' <<<"$1") <(grep -v '^task ' <<<"$now") || true)
    changes+=$(awk '$1 != "task" { next }
        NR == FNR { was[$2] = $3; known[$3] = 1; next }
        $2 in was ? was[$2] != $3 : !($3 in known) {
            print "task", $2, "is on", $3 ($2 in was ? ", not on " was[$2] : " and is new")
        }' <(echo "$1") <(echo "$now"))
    [ -z "$changes" ] || fail "the machine is not as it was: $(paste -sd' ' <<<"$changes" | named)"
}
# After each "task TID" of a line: what it runs, in which group.
named() {
    local line tid
    read -r line
    for tid in $(grep -o 'task [0-9]*' <<<"$line" | cut -d' ' -f2 | sort -u | head -n 8); do
        line+="; task $tid is $(tr '\n' ' ' <"/proc/$tid/comm") in $(tail -n 1 "/proc/$tid/cgroup")"
    done 2>/dev/null
    echo "$line"
}
# As before, or soon: shows what is not when it takes too long.
soon_unchanged() {
    local end=$((SECONDS + 60))
    while ! (unchanged "$1") >/dev/null; do
        if [ $SECONDS -ge $end ]; then unchanged "$1"; fi
        sleep 0.5
    done
}

# No task has an empty set of CPUs, or another than its control group gives it. In few processes: there may be
# hundreds of groups.
strays() {
    {
        find $cgroups -mindepth 2 -name cpuset.cpus.effective -exec grep -s -H '' {} + |
            sed 's,^\(.*\)/cpuset.cpus.effective:,given \1 ,'
        find $cgroups -mindepth 2 -name cgroup.threads -exec grep -s -H '' {} + |
            sed 's,^\(.*\)/cgroup.threads:,in \1 ,'
        tasks_and_cpus
    } | awk '$1 == "given" { given[$2] = $3; if ($3 == "") print $2 " has none" }
        $1 == "in" { group[$3 ":"] = $2 }
        $1 == "task" && $2 in group && group[$2] in given && given[group[$2]] != $3 {
            print "task " $2 " in " group[$2] " is on " $3 ", not on " given[group[$2]]
        }'
}
# Groups and tasks cannot be read at one moment, and a daemon may be at work: a stray is one that stays.
sound() {
    local look found
    for look in 1 2 3; do
        [ "$look" = 1 ] || sleep 1
        found=$(strays)
        [ -n "$found" ] || return 0
    done
    fail "$(paste -sd' ' <<<"$found")"
}

# CPU time that a process has used so far, in milliseconds; how often it was given a CPU.
cpu_ms() { awk '{ printf "%d\n", $1 / 1000000 }' "/proc/$1/schedstat"; }
wake_ups() { awk '{ print $3 }' "/proc/$1/schedstat"; }

# The CPUs of a list such as "0-1,6", a line each; whether two lists have one in common.
cpus_in_list() {
    tr ',' '\n' <<<"$1" | while IFS=- read -r from to; do [ -z "$from" ] || seq "$from" "${to:-$from}"; done
}
meet() { [ -n "$(comm -12 <(cpus_in_list "$1" | sort) <(cpus_in_list "$2" | sort))" ]; }

online() { cat /sys/devices/system/cpu/online; }
set_cpu() { echo "$2" >"/sys/devices/system/cpu/cpu$1/online"; }
