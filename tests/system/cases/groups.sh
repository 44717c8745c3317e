#!/bin/bash
# Control groups of version 2: groups that a service made below its own, delegated one.
set -euo pipefail

group=system.slice/test-tree.service

# A service with two groups below its own, each with work.
tree_of_groups() {
    cat >/usr/local/bin/test-tree <<'TREE'
#!/bin/bash
set -e
top=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)
mkdir "$top/main" "$top/one" "$top/two"
echo $$ >"$top/main/cgroup.procs"
echo +cpuset >"$top/cgroup.subtree_control"
for group in one two; do (echo "$BASHPID" >"$top/$group/cgroup.procs"; while :; do :; done) & done
wait
TREE
    chmod +x /usr/local/bin/test-tree
    systemd-run --quiet --unit=test-tree --collect --property=Delegate=yes /usr/local/bin/test-tree
    await 20 "the groups" grep -q . /sys/fs/cgroup/$group/two/cgroup.procs
}
are_apart() {
    [ "$(cpus_in $group/one)" != 0-7 ] && [ "$(cpus_in $group/two)" != 0-7 ] &&
        [ "$(cpus_in $group/one)" != "$(cpus_in $group/two)" ]
}
are_free() { [ "$(cpus_in $group/one)$(cpus_in $group/two)" = 0-70-7 ]; }

Groups_in_a_delegated_service_are_placed_and_put_back() {
    tree_of_groups
    local before file
    before=$(snapshot)
    balancer
    schedd-cli attach CPU_LB "cgroup:/$group/one" "cgroup:/$group/two"
    await 60 "the groups apart" are_apart
    schedd-cli explain "cgroup:/$group/one"
    schedd-cli detach CPU_LB "cgroup:/$group/one" "cgroup:/$group/two"
    await 30 "the tasks put back" are_free
    # Linux does not take an empty list for a group with tasks (ENOSPC): all CPUs are what is left to ask for.
    for file in /sys/fs/cgroup/$group/{one,two}/cpuset.cpus; do
        if echo >"$file"; then fail "the kernel takes an empty $file, so should schedd have left it"; fi
        before=$(sed "s,^$file: \$,$file: 0-7," <<<"$before")
    done
    unchanged "$before"
}
