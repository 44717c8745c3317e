#!/bin/bash
# Power: the real power-profiles-daemon and UPower, switched as a desktop does it.
set -euo pipefail

# Debian 12's daemon has the older name alone.
NAME=net.hadess.PowerProfiles
OBJECT=/net/hadess/PowerProfiles

daemon_of_profiles() {
    systemctl start power-profiles-daemon.service
    await 60 "a daemon of power profiles" busctl --quiet status "$NAME"
}
choose() { busctl set-property "$NAME" "$OBJECT" "$NAME" ActiveProfile s "$1"; }
holds_there() { busctl get-property "$NAME" "$OBJECT" "$NAME" ActiveProfileHolds | awk '{print $2}'; }
reads() { [ "$(schedd-cli get "$1")" = "$2" ]; }
has_no_value() { ! schedd-cli get "$1"; }
holds_are() { [ "$(holds_there)" = "$1" ]; }

stack() {
    schedd-cli create probes/power
    schedd-cli create probes/cpu
    schedd-cli create schedulers/DESK
    schedd-cli create schedulers/DESK/nest
    schedd-cli create schedulers/POWER
    schedd-cli create schedulers/POWER/power_profile
    schedd-cli set schedulers/POWER/power_profile.table \
        "power-saver: batch.cores=25% DESK/nest.headroom=0; balanced: ; performance: DESK.active=false"
    schedd-cli link power/profile schedulers/POWER/power_profile/profile
}

A_profile_that_people_choose_packs_and_unpacks_a_unit() {
    local before
    daemon_of_profiles
    choose balanced
    sleeper one
    before=$(snapshot)
    stack
    schedd-cli attach POWER unit:test-one.service --class=batch
    await 60 "the profile is read" reads probes/power/profile balanced
    unit_runs_on one 0-7 || fail "it is on $(cpus_of "$(main_pid one)") under balanced"
    choose power-saver
    await 60 "packed on a quarter of the cores" unit_runs_on one 0-1
    await 30 "the nest without headroom" reads schedulers/DESK/nest.headroom 0
    schedd-cli status | grep -F "power-saver" || fail "status does not say it"
    schedd-cli status | grep -F "batch packed on CPUs 0-1" || fail "status does not say what is packed"
    sound
    choose balanced
    await 60 "everywhere again" unit_runs_on one 0-7
    reads schedulers/DESK/nest.headroom 25 || fail "the headroom was not put back"
    schedd-cli detach POWER unit:test-one.service
    soon_unchanged "$before"
}

A_daemon_that_ends_is_missed_and_not_started() {
    daemon_of_profiles
    choose power-saver
    stack
    await 60 "the profile is read" reads schedulers/POWER/power_profile.row power-saver
    systemctl stop power-profiles-daemon.service
    await 60 "no value" has_no_value probes/power/profile
    await 60 "no row" reads schedulers/POWER/power_profile.row ""
    reads schedulers/DESK/nest.headroom 25 || fail "what was set because of the profile is left"
    sleep 5
    ! systemctl is-active --quiet power-profiles-daemon.service || fail "somebody started it"
    daemon_of_profiles
    choose power-saver
    await 60 "the profile is read again" reads schedulers/POWER/power_profile.row power-saver
}

A_held_profile_is_let_go_with_the_command_and_with_the_daemon() {
    local profile
    daemon_of_profiles
    choose balanced
    profile=power-saver # the placeholder driver of this machine knows no performance
    systemd-run --quiet --unit=test-holder --collect \
        schedd-cli hold --profile="$profile" --why="a test" -- /bin/sleep infinity
    await 60 "one hold there" holds_are 1
    systemctl stop test-holder.service
    await 60 "none there" holds_are 0
    systemd-run --quiet --unit=test-holder --collect \
        schedd-cli hold --profile="$profile" --why="a test" -- /bin/sleep infinity
    await 60 "one hold there" holds_are 1
    kill -KILL "$(daemon_pid)"
    await 60 "held again by the next daemon" holds_are 1
    systemctl stop test-holder.service
    await 60 "none there" holds_are 0
}

UPower_says_what_the_machine_runs_on() {
    systemctl start upower.service
    await 60 "UPower" busctl --quiet status org.freedesktop.UPower
    schedd-cli create probes/power
    await 60 "mains" reads probes/power/on_battery 0
    reads probes/power.battery_from org.freedesktop.UPower || fail "it is not UPower that says so"
}
