#!/bin/bash
# Policies that follow loads, on real units: pools, warm cores, protected services, memory; each over hotplug.
set -euo pipefail

allowed() { property "$1" AllowedCPUs; }
is_confined() { [ -n "$(allowed "$1")" ]; }
is_all() { [ -z "$(allowed "$1")" ] || [ "$(allowed "$1")" = 0-7 ]; }
cpus_in_list() {
    tr ',' '\n' <<<"$1" | while IFS=- read -r from to; do seq "$from" "${to:-$from}"; done
}
count_of() { cpus_in_list "$1" | wc -l; }
# Whether two lists have a CPU in common.
meet() { [ -n "$(comm -12 <(cpus_in_list "$1" | sort) <(cpus_in_list "$2" | sort))" ]; }
online() { cat /sys/devices/system/cpu/online; }
is_noticed() { schedd-cli status --json=short | grep -q "\"online\":\"$(online)\""; }
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
# scheduler NAME POLICY MEMBERS ATTRIBUTES PORTS: as a file; probes are there at 300 ms.
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
process_set = [$3]
[scheduler.$1.attributes]
$4
[scheduler.$1.ports]
$5
END
    schedd-cli reload
}
loads='node_load = "cpu/node_load"
process_load = "cpu/process_load"'
let_go() {
    rm /etc/schedd/schedulers.d/*.toml
    schedd-cli reload
    soon_unchanged "$1"
    same "drop-ins left" "$(left_by_schedd)" ""
}

Pools_give_a_group_of_services_cores_of_its_own() {
    local before web=test-web.service rest=test-rest.service
    service web
    sleeper rest
    before=$(snapshot)
    scheduler POOLS pools '"unit:test-web.service", "unit:test-rest.service"' \
        'pools = "web: min=1 max=2 share=none match=unit:test-web*"' "$loads"
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
    scheduler NEST nest '"unit:test-one.service", "unit:test-two.service"' \
        'decay = 1000' "$loads"
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
    scheduler GUARD pressure_guard '{ member = "unit:test-web.service", class = "latency" },
        { member = "unit:test-batch.service", class = "batch" }' \
        'patience = 1' 'pressure = "pressure/cgroup_cpu_some"'
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
    rm /etc/schedd/schedulers.d/*.toml
    schedd-cli reload
    await 60 "no drop-in left" no_drop_in
    sound
}
no_drop_in() { [ -z "$(left_by_schedd)" ]; }

has_size() { [ "$(stat -c %s "$1")" = "$2" ]; }
Memory_affinity_keeps_a_service_where_its_memory_is() {
    local before unit=test-pages.service
    service pages NUMAPolicy=bind NUMAMask=1 ExecStart= \
        'ExecStart=/bin/bash -c "head -c 96M /dev/zero >/dev/shm/test-pages; exec sleep infinity"'
    await 60 "its memory" has_size /dev/shm/test-pages $((96 << 20))
    before=$(snapshot)
    scheduler NUMA memory_affinity '"unit:test-pages.service"' 'least = 32' \
        'memory = "numa_memory/followed_memory"
cgroup_memory = "numa_memory/cgroup_memory"
node_available = "numa_memory/node_available"
process_load = "cpu/process_load"'
    await 90 "it is on a node" is_confined $unit
    schedd-cli explain unit:$unit
    same "the CPUs of the node of its memory" "$(allowed $unit)" \
        "$(cat /sys/devices/system/node/node1/cpulist)"
    await 60 "what is wanted holds" schedd-cli verify
    sound
    let_go "$before"
    rm /dev/shm/test-pages
}
