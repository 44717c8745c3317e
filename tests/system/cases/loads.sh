#!/bin/bash
# Policies that follow loads or memory, on real units: pools, nest, pressure_guard, memory_affinity. Drop-ins
# attach all units and let them go; CPUs go or come back under all but those whose memory moves.
set -euo pipefail

allowed() { property "$1" AllowedCPUs; }
is_confined() { [ -n "$(allowed "$1")" ]; }
is_all() { [ -z "$(allowed "$1")" ] || [ "$(allowed "$1")" = 0-7 ]; }
count_of() { cpus_in_list "$1" | wc -l; }
# The last CPU goes and comes back; what is wanted holds before, meanwhile and after.
over_hotplug() {
    await 60 "what is wanted holds" schedd-cli verify
    set_cpu 7 0
    await 30 "that CPU 7 went is noticed" is_noticed
    await 60 "what is wanted holds without CPU 7" schedd-cli verify
    sound
    set_cpu 7 1
    await 30 "that CPU 7 is back is noticed" is_noticed
    await 60 "what is wanted holds again" schedd-cli verify
    sound
}
# scheduler NAME POLICY ATTRIBUTES PORTS: as a file, without members; probes are there at 300 ms.
scheduler() {
    cat >"/etc/schedd/schedulers.d/$1.toml" <<END
[probe.cpu]
probe_period = 300
[probe.pressure]
probe_period = 300
[probe.numa_memory]
probe_period = 1000
[scheduler.$1]
policy = "$2"
[scheduler.$1.attributes]
$3
[scheduler.$1.ports]
$4
END
    schedd-cli reload
}
loads='node_load = "cpu/node_load"
process_load = "cpu/process_load"'
memories='memory = "numa_memory/followed_memory"
cgroup_memory = "numa_memory/cgroup_memory"
node_available = "numa_memory/node_available"
process_load = "cpu/process_load"'
# let_go BEFORE: the units by their files, then the scheduler.
let_go() {
    without_drop_ins
    soon_unchanged "$1"
    rm /etc/schedd/schedulers.d/*.toml
    schedd-cli reload
    same "drop-ins left" "$(left_by_schedd)" ""
}

Pools_give_a_group_of_services_cores_of_its_own() {
    local before web=test-web.service rest=test-rest.service
    service web
    sleeper rest
    before=$(snapshot)
    scheduler POOLS pools 'pools = "web: min=1 max=2 share=none match=unit:test-web*"' "$loads"
    by_drop_ins POOLS web rest
    await 60 "web in its pool" is_confined $web
    await 60 "the rest in the other" is_confined $rest
    schedd-cli get schedulers/POOLS/pools.pool_cpus
    if meet "$(allowed $web)" "$(allowed $rest)"; then fail "$(allowed $web) and $(allowed $rest) meet"; fi
    unit_runs_on web "$(allowed $web)" || fail "web runs on $(cpus_of "$(main_pid web)")"
    over_hotplug
    if meet "$(allowed $web)" "$(allowed $rest)"; then fail "$(allowed $web) and $(allowed $rest) meet"; fi
    schedd-cli explain unit:$web
    let_go "$before"
}

Nest_packs_what_does_little_and_lets_it_go() {
    local before
    sleeper one
    sleeper two
    before=$(snapshot)
    scheduler NEST nest 'decay = 1000' "$loads"
    by_drop_ins NEST one two
    await 90 "one packed" is_confined test-one.service
    await 60 "two packed" is_confined test-two.service
    [ "$(count_of "$(allowed test-one.service)")" -lt 8 ] || fail "it is on $(allowed test-one.service)"
    unit_runs_on one "$(allowed test-one.service)" || fail "one runs on $(cpus_of "$(main_pid one)")"
    over_hotplug
    schedd-cli explain unit:test-one.service
    let_go "$before"
}

is_squeezed() { [ "$(count_of "$(allowed test-batch.service)")" -lt 4 ]; }
Pressure_guard_narrows_batch_work_while_a_service_waits() {
    local cpu
    # two cores with two CPUs each: more are not needed for work that waits, and would take long to emulate
    for cpu in 4 5 6 7; do set_cpu $cpu 0; done
    service web
    service batch ExecStart= \
        'ExecStart=/bin/bash -c "for i in 1 2 3 4 5 6; do (while :; do :; done) & done; wait"'
    await 30 "that they went is noticed" is_noticed
    scheduler GUARD pressure_guard 'patience = 1' 'pressure = "pressure/cgroup_cpu_some"'
    with_section web Scheduler=GUARD Class=latency
    with_section batch Scheduler=GUARD Class=batch
    systemctl daemon-reload
    await 90 "batch work narrowed" is_confined test-batch.service
    await 60 "by a core" is_squeezed
    schedd-cli explain unit:test-batch.service
    await 60 "what is wanted holds" schedd-cli verify
    if is_confined test-web.service; then fail "the protected service is on $(allowed test-web.service)"; fi
    sound
    for cpu in 4 5 6 7; do set_cpu $cpu 1; done
    await 30 "that they are back is noticed" is_noticed
    await 60 "what is wanted holds with them" schedd-cli verify
    systemctl stop test-web.service
    await 180 "all is given back when nobody waits" is_all test-batch.service
    without_drop_ins
    await 60 "batch work let go" is_free batch
    rm /etc/schedd/schedulers.d/*.toml
    schedd-cli reload
    await 60 "no drop-in left" no_drop_in
    sound
}
no_drop_in() { [ -z "$(left_by_schedd)" ]; }

has_size() { [ "$(stat -c %s "$1")" = "$2" ]; }
Memory_affinity_keeps_a_service_where_its_memory_is() {
    local before cpu unit=test-pages.service
    service pages NUMAPolicy=bind NUMAMask=1 ExecStart= \
        'ExecStart=/bin/bash -c "head -c 96M /dev/zero >/dev/shm/test-pages; exec sleep infinity"'
    await 60 "its memory" has_size /dev/shm/test-pages $((96 << 20))
    before=$(snapshot)
    scheduler NUMA memory_affinity 'least = 32' "$memories"
    by_drop_ins NUMA pages
    await 90 "it is on a node" is_confined $unit
    schedd-cli explain unit:$unit
    is_on_node1 pages || fail "it is on $(allowed $unit), not where its memory is"
    await 60 "what is wanted holds" schedd-cli verify
    sound
    for cpu in 4 5 6; do
        set_cpu $cpu 0
        await 30 "that CPU $cpu went is noticed" is_noticed
        await 60 "it is on what is left of the node without CPU $cpu" is_on_node1 pages
        sound
    done
    await 60 "what is wanted holds on one CPU" schedd-cli verify
    for cpu in 4 5 6; do set_cpu $cpu 1; done
    await 30 "that they are back is noticed" is_noticed
    await 60 "it is on the whole node again" is_on_node1 pages
    same "the CPUs of the node" "$(allowed $unit)" 4-7
    await 60 "what is wanted holds again" schedd-cli verify
    sound
    let_go "$before"
    rm /dev/shm/test-pages
}
# On all CPUs of node 1 that are online, by its unit and by its process.
is_on_node1() {
    local cpus
    cpus=$(cat /sys/devices/system/node/node1/cpulist)
    [ "$(allowed "test-$1.service")" = "$cpus" ] && unit_runs_on "$1" "$cpus"
}

# spread_pages NAME: a service with 12 MiB of its memory on node 0 and 48 MiB on node 1.
spread_pages() {
    cat >/usr/local/bin/test-pages <<'PAGES'
#!/usr/bin/perl
# So many MiB on node 0, so many on node 1: set_mempolicy(2), which perl knows by number, with MPOL_PREFERRED.
my @held;
for my $node (0, 1) {
    my $nodes = pack 'Q', 1 << $node;
    syscall(238, 1, $nodes, 64) == 0 or die "set_mempolicy: $!";
    vec($held[$node], ($ARGV[$node] << 20) - 1, 8) = 1;
}
sleep;
PAGES
    chmod +x /usr/local/bin/test-pages
    service "$1" ExecStart= 'ExecStart=/usr/local/bin/test-pages 12 48'
    await 60 "the memory of $1" has_spread "$1"
}
# mib_on NAME NODE: what its programs have there, in whole MiB.
mib_on() {
    local bytes file=${cgroups:?}/system.slice/test-$1.service/memory.numa_stat
    bytes=$(sed -n "s/^anon .*N$2=\([0-9]*\).*/\1/p" "$file")
    echo $((bytes >> 20))
}
# The kernel counts in batches: a little may be missing.
has_spread() { [ "$(mib_on "$1" 0)" -ge 10 ] && [ "$(mib_on "$1" 1)" -ge 46 ]; }
has_moved() { [ "$(mib_on "$1" 0)" -le 2 ]; }
nodes_of() { cat "${cgroups:?}/system.slice/test-$1.service/cpuset.mems"; }
is_bound() { [ "$(property "test-$1.service" AllowedMemoryNodes)" = 1 ] && [ "$(nodes_of "$1")" = 1 ]; }
is_one_bound() { is_bound one || is_bound two; }
is_unbound() { [ -z "$(property "test-$1.service" AllowedMemoryNodes)" ]; }
rebinds() { schedd-cli get schedulers/NUMA/memory_affinity.rebinds; }

Memory_affinity_moves_the_memory_of_one_service_a_minute() {
    local before began name moved
    spread_pages one
    spread_pages two
    before=$(snapshot)
    began=$SECONDS
    scheduler NUMA memory_affinity $'least = 32\nmove_memory = true\nmemory_budget = 1' "$memories"
    by_drop_ins NUMA one two
    for name in one two; do await 90 "$name on the node of most" is_on_node1 $name; done
    await 60 "one of them bound to the node" is_one_bound
    sleep 5 # some measurements more, in each of which the other could be bound if that were allowed
    moved=$(rebinds)
    [ "$moved" -le $((1 + (SECONDS - began) / 60)) ] || fail "$moved moved in $((SECONDS - began)) s"
    schedd-cli set schedulers/NUMA/memory_affinity.memory_budget 60
    for name in one two; do
        await 60 "$name bound to the node" is_bound $name
        # Linux 6.1 has been seen to leave the pages where they are, though cpuset.mems is what it should be:
        # then schedd moves them, one service at a time and the next at its next look
        await 60 "the memory of $name there" has_moved $name
        echo "MiB of $name by node, bound to node 1: $(mib_on $name 0) $(mib_on $name 1)"
        is_on_node1 $name || fail "$name is on $(allowed test-$name.service)"
    done
    same "how many were moved" "$(rebinds)" 2
    schedd-cli explain unit:test-two.service
    await 60 "what is wanted holds" schedd-cli verify
    sound
    # without leave to move memory they stay on their node, and may have new memory anywhere
    schedd-cli set schedulers/NUMA/memory_affinity.move_memory false
    for name in one two; do
        await 60 "$name may use all memory" is_unbound $name
        is_on_node1 $name || fail "$name is on $(allowed test-$name.service)"
    done
    let_go "$before"
}
