#!/bin/bash
# exclusive_cores: whole cores for services that ask by drop-ins, groups as partitions; both over hotplug.
set -euo pipefail

exclusive_scheduler() {
    printf '%s\n' '[scheduler.CORES]' 'policy = "exclusive_cores"' >/etc/schedd/schedulers.d/cores.toml
    schedd-cli reload
}
# As the kernel writes it; systemd puts blanks between ranges.
allowed() { property "test-$1.service" AllowedCPUs | tr ' ' ','; }
has_cpus() { [ "$(cpus_of "$(main_pid "$1")" | sort -u)" = "$2" ]; }
is_narrow_unit() { [ -n "$(allowed "$1")" ]; }

Two_services_get_cores_of_their_own_by_drop_ins_and_give_them_back() {
    local before one two cpu state
    sleeper one
    sleeper two
    sleeper rest
    before=$(snapshot)
    exclusive_scheduler
    with_section one Scheduler=CORES CPUs=2 Exclusive=yes Class=latency
    with_section two Scheduler=CORES CPUs=2 Exclusive=yes
    with_section rest Scheduler=CORES
    systemctl daemon-reload
    for name in one two rest; do await 60 "$name placed" is_narrow_unit $name; done
    await 30 "verify" schedd-cli verify
    one=$(allowed one) two=$(allowed two)
    echo "one $one, two $two, rest $(allowed rest)"
    schedd-cli explain unit:test-one.service
    # a core has two CPUs: 0-1, 2-3, 4-5, 6-7
    [[ $one =~ ^(0-1|2-3|4-5|6-7)$ ]] || fail "one has no whole core: $one"
    [[ $two =~ ^(0-1|2-3|4-5|6-7)$ ]] || fail "two has no whole core: $two"
    await 30 "cores that nobody else may use" are_apart
    sound
    # half of a core goes and its owner needs another; it is the second half, for CPU 0 cannot go
    cpu=${one#*-}
    for state in 0 1; do
        set_cpu "$cpu" $state
        await 30 "it is noticed that CPU $cpu is at $state" is_noticed
        await 60 "cores of their own with CPU $cpu at $state" are_apart
        await 60 "what is wanted holds with CPU $cpu at $state" schedd-cli verify
        echo "CPU $cpu at $state: one $(allowed one), two $(allowed two), rest $(allowed rest)"
        sound
    done
    without_drop_ins
    soon_unchanged "$before"
    same "drop-ins left" "$(left_by_schedd)" ""
}
# Whether NAME has two CPUs or more, all that are online of each of their cores, and its process runs there.
has_whole_cores() {
    local cpu sibling siblings mine
    mine=$(cpus_in_list "$(allowed "$1")")
    [ "$(wc -l <<<"$mine")" -ge 2 ] || return 1
    for cpu in $mine; do
        # what is offline has none
        siblings=$(cat "/sys/devices/system/cpu/cpu$cpu/topology/thread_siblings_list") || return 1
        for sibling in $(cpus_in_list "$siblings"); do
            grep -q -x "$sibling" <<<"$mine" || return 1
        done
    done
    has_cpus "$1" "$(allowed "$1")"
}
# one and two have cores of their own, and the rest is kept off these.
are_apart() {
    has_whole_cores one && has_whole_cores two && is_narrow_unit rest &&
        has_cpus rest "$(allowed rest)" && ! meet "$(allowed one)" "$(allowed two)" &&
        ! meet "$(allowed rest)" "$(allowed one),$(allowed two)"
}

# A group of root's own at the top, which no unit owns, with a task.
top_group() {
    echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control
    mkdir "/sys/fs/cgroup/$1"
    sleep infinity &
    echo $! >"/sys/fs/cgroup/$1/cgroup.procs"
}
partition_scheduler() {
    printf '%s\n' '[scheduler.CORES]' 'policy = "exclusive_cores"' \
        'process_set = [{ member = "cgroup:/part", cpus = 2, exclusive = true }]' \
        '[scheduler.CORES.attributes]' "partition = \"$1\"" >/etc/schedd/schedulers.d/cores.toml
    schedd-cli reload
}
partition_of() { cat "/sys/fs/cgroup/$1/cpuset.cpus.partition"; }
is_partition() { [ "$(partition_of "$1")" = "$2" ]; }
has_task_on() { [ "$(cpus_of "$(head -n 1 "/sys/fs/cgroup/$1/cgroup.procs")" | sort -u)" = "$2" ]; }

A_group_becomes_a_partition_and_a_plain_group_again() {
    local own kind
    sleeper rest
    top_group part
    for kind in root isolated; do
        partition_scheduler $kind # in its file: the next run of the daemon knows the member too
        await 60 "a partition of kind $kind" is_partition part $kind
        await 30 "verify" schedd-cli verify
        own=$(cat /sys/fs/cgroup/part/cpuset.cpus)
        [[ $own =~ ^(0-1|2-3|4-5|6-7)$ ]] || fail "it has no whole core: $own"
        has_task_on part "$own" || fail "its task runs elsewhere"
        if meet "$(cpus_of "$(main_pid rest)" | sort -u)" "$own"; then
            fail "a service that is no member may run on CPUs $own of a partition of kind $kind"
        fi
    done
    schedd-cli explain cgroup:/part
    # the daemon is killed: the next one knows the partition, and its CPUs, which it is not allowed itself
    kill -KILL "$(daemon_pid)"
    await 30 "the next daemon" schedd-cli status
    await 30 "verify" schedd-cli verify
    is_partition part isolated || fail "after a crash it is $(partition_of part)"
    set_cpu 7 0
    await 30 "schedd knows" is_noticed
    set_cpu 7 1
    await 60 "verify after hotplug" schedd-cli verify
    is_partition part isolated || fail "after hotplug it is $(partition_of part)"
    schedd-cli detach CORES cgroup:/part
    await 30 "a plain group" is_partition part member
    has_task_on part 0-7 || fail "its task is on $(cpus_of "$(head -n 1 /sys/fs/cgroup/part/cgroup.procs)")"
    sound
    kill "$(head -n 1 /sys/fs/cgroup/part/cgroup.procs)"
    await 10 "no task" test -z "$(cat /sys/fs/cgroup/part/cgroup.procs)"
    rmdir /sys/fs/cgroup/part
}

A_partition_that_is_not_valid_tells_the_kernels_reason() {
    tree_of_groups_for_partitions
    exclusive_scheduler
    schedd-cli set schedulers/CORES/exclusive_cores.partition root
    schedd-cli attach CORES "cgroup:/$inner" --cpus=2 --exclusive
    await 60 "the kernel's word" is_partition "$inner" "root invalid (Parent is not a partition root)"
    await 30 "the kernel's reason" explains_its_reason
    if schedd-cli verify; then fail "verify says that it holds"; fi
    schedd-cli detach CORES "cgroup:/$inner"
    await 30 "a plain group" is_partition "$inner" member
    systemctl stop test-inner.service
}
inner=system.slice/test-inner.service/in
tree_of_groups_for_partitions() {
    cat >/usr/local/bin/test-inner <<'INNER'
#!/bin/bash
set -e
top=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)
mkdir "$top/main" "$top/in"
echo $$ >"$top/main/cgroup.procs"
echo +cpuset >"$top/cgroup.subtree_control"
(echo "$BASHPID" >"$top/in/cgroup.procs"; exec sleep infinity) &
wait
INNER
    chmod +x /usr/local/bin/test-inner
    systemd-run --quiet --unit=test-inner --collect --property=Delegate=yes /usr/local/bin/test-inner
    await 20 "the group" grep -q . "/sys/fs/cgroup/$inner/cgroup.procs"
}
explains_its_reason() { schedd-cli explain "cgroup:/$inner" | grep -q "Parent is not a partition root"; }
