#!/bin/bash
# Kinds of units: with CPUs of their own, instances, a user's, slices with others below.
set -euo pipefail

A_unit_with_its_own_CPUAffinity_keeps_it() {
    local before own
    sleeper one CPUAffinity=0-4
    sleeper two
    await 10 "own affinity" unit_runs_on one 0-4
    before=$(snapshot)
    configured_balancer
    schedd-cli attach CPU_LB unit:test-one.service unit:test-two.service
    await 60 "both placed" both_placed one two
    sleep 3
    own=$(cpus_of "$(main_pid one)")
    schedd-cli explain unit:test-one.service
    [ "$own" != 0-7 ] || fail "its affinity is lost"
    schedd-cli detach CPU_LB unit:test-one.service unit:test-two.service
    await 30 "its own again" unit_runs_on one 0-4
    await 30 "the other free" is_free two
    unchanged "$before"
}
has_cpus() { [ -n "$(property "test-$1.service" AllowedCPUs)" ]; }
both_placed() { has_cpus "$1" && has_cpus "$2"; }

instances() {
    printf '%s\n' '[Service]' 'ExecStart=/bin/sleep infinity' >/run/systemd/system/test-work@.service
    systemctl daemon-reload
    systemctl start "$@"
}

An_instance_is_placed_and_its_sister_is_not() {
    local before
    instances test-work@a.service test-work@b.service
    sleeper one
    before=$(snapshot)
    configured_balancer
    schedd-cli attach CPU_LB unit:test-work@a.service unit:test-one.service
    await 60 "placed" both_placed work@a one
    same "the sister" "$(property test-work@b.service AllowedCPUs)" ""
    unit_runs_on work@b 0-7 || fail "the sister is on $(cpus_of "$(main_pid work@b)")"
    sound
    schedd-cli detach CPU_LB unit:test-work@a.service unit:test-one.service
    soon_unchanged "$before"
}

A_template_stands_for_all_its_instances() {
    local before
    instances test-work@a.service test-work@b.service
    before=$(snapshot)
    configured_balancer
    schedd-cli attach CPU_LB unit:test-work@.service
    await 60 "both instances placed" both_placed work@a work@b
    systemctl start test-work@c.service
    await 60 "one that starts later" both_placed work@a work@c
    sound
    systemctl stop test-work@c.service
    schedd-cli detach CPU_LB unit:test-work@.service
    soon_unchanged "$before"
    same "drop-ins left" "$(left_by_schedd)" ""
}

# A service of alice's own manager.
service_of_alice() {
    loginctl enable-linger alice
    await 60 "her manager" systemctl is-active user@"$(id -u alice)".service
    runuser -u alice -- env XDG_RUNTIME_DIR="/run/user/$(id -u alice)" \
        systemd-run --user --quiet --unit=hers --collect /bin/sleep infinity
    await 20 "her service" hers
}
hers() { pgrep -u alice -x sleep; }
no_more_alice() {
    loginctl disable-linger alice
    systemctl stop user@"$(id -u alice)".service user-"$(id -u alice)".slice || true
}

A_users_services_are_placed_by_her_slice() {
    local before slice
    slice=user-$(id -u alice).slice
    service_of_alice
    sleeper one
    before=$(snapshot)
    configured_balancer
    schedd-cli attach CPU_LB "unit:$slice" unit:test-one.service
    await 60 "her service narrowed" is_narrow "$(hers)"
    [ -n "$(property "$slice" AllowedCPUs)" ] || fail "not by her slice"
    sound
    schedd-cli detach CPU_LB "unit:$slice" unit:test-one.service
    await 30 "free again" runs_on "$(hers)" 0-7
    soon_unchanged "$before"
    no_more_alice
}

A_slice_is_placed_with_slices_and_services_below_it() {
    local before inner deeper
    sleeper inner Slice=test-batch.slice
    sleeper deeper Slice=test-batch-night.slice
    inner=$(main_pid inner)
    deeper=$(main_pid deeper)
    sleeper one
    before=$(snapshot)
    configured_balancer
    schedd-cli attach CPU_LB unit:test-batch.slice unit:test-one.service
    await 60 "the service below narrowed" is_narrow "$inner"
    await 30 "the one below a slice below narrowed" is_narrow "$deeper"
    same "together" "$(cpus_of "$inner")" "$(cpus_of "$deeper")"
    sound
    # both of the family are members: the inner one decides for itself inside of the outer one
    schedd-cli attach CPU_LB unit:test-deeper.service
    sleep 5
    schedd-cli explain CPU_LB
    sound
    schedd-cli detach CPU_LB unit:test-batch.slice unit:test-one.service unit:test-deeper.service
    soon_unchanged "$before"
    same "drop-ins left" "$(left_by_schedd)" ""
}
