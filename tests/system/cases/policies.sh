#!/bin/bash
# Policies that know what a drop-in asks for: whole cores, and batch work that yields.
set -euo pipefail

# with_section NAME LINE...: a drop-in for schedd, beside the unit.
with_section() {
    local folder=/run/systemd/system/test-$1.service.d
    mkdir -p "$folder"
    printf '%s\n' '[X-Schedd]' "${@:2}" >"$folder/50-schedd.conf"
}
exclusive_scheduler() {
    printf '%s\n' '[scheduler.CORES]' 'policy = "exclusive_cores"' >/etc/schedd/schedulers.d/cores.toml
    schedd-cli reload
}
allowed() { property "test-$1.service" AllowedCPUs; }
has_cpus() { [ "$(cpus_of "$(main_pid "$1")" | sort -u)" = "$2" ]; }
is_narrow_unit() { [ -n "$(allowed "$1")" ]; }

Two_services_get_cores_of_their_own_by_drop_ins_and_give_them_back() {
    local before one two rest cpu
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
    one=$(allowed one) two=$(allowed two) rest=$(allowed rest)
    echo "one $one, two $two, rest $rest"
    schedd-cli explain unit:test-one.service
    # a core has two CPUs: 0-1, 2-3, 4-5, 6-7
    [[ $one =~ ^(0-1|2-3|4-5|6-7)$ ]] || fail "one has no whole core: $one"
    [[ $two =~ ^(0-1|2-3|4-5|6-7)$ ]] || fail "two has no whole core: $two"
    [ "$one" != "$two" ] || fail "they share a core"
    for cpu in ${one%-*} ${two%-*}; do
        if schedd_cpus_overlap "$rest" "$cpu"; then fail "the rest may run on CPU $cpu"; fi
    done
    sound
    rm -r /run/systemd/system/test-{one,two,rest}.service.d
    systemctl daemon-reload
    soon_unchanged "$before"
    same "drop-ins left" "$(left_by_schedd)" ""
}
# Whether a CPU is in a list such as "0-1,6".
schedd_cpus_overlap() {
    tr ',' '\n' <<<"$1" | while IFS=- read -r from to; do seq "$from" "${to:-$from}"; done | grep -q -x "$2"
}
