#!/bin/bash
# Holds: kept by systemd while the daemon restarts, gone with their holder.
set -euo pipefail

# What does not change while a hold lasts.
holds() { schedd-cli hold --json=short | sed 's/,"age_ms":[0-9]*//'; }
is_held() { [ "$(holds)" != "[]" ]; }
is_not_held() { [ "$(holds)" = "[]" ]; }
# A command under a hold, as a unit of its own.
holder() {
    systemd-run --quiet --unit=test-holder --collect \
        schedd-cli hold --what=scheduler:CPU_LB --why="night run" -- /bin/sleep infinity
    await 20 "held" is_held
}
stored() { property schedd.service NFileDescriptorStore; }
another_daemon() { [ "$(daemon_pid)" != "$1" ] && schedd-cli status; }

A_hold_outlives_a_restart_and_a_crash_of_the_daemon() {
    local before kept
    configured_balancer
    holder
    kept=$(holds)
    same "in systemd's store" "$(stored)" 1
    before=$(daemon_pid)
    systemctl restart schedd.service
    await 30 "another daemon" another_daemon "$before"
    same "the hold after a restart" "$(holds)" "$kept"
    expect_fails "removing what is held" schedd-cli remove -r schedulers/CPU_LB
    before=$(daemon_pid)
    kill -KILL "$before"
    await 30 "another daemon" another_daemon "$before"
    same "the hold after a crash" "$(holds)" "$kept"
    systemctl stop test-holder.service
    await 20 "released" is_not_held
    await 20 "out of systemd's store" no_descriptors
    expect "removing what is held no more" schedd-cli remove -r schedulers/CPU_LB
}
no_descriptors() { [ "$(stored)" = 0 ]; }

A_holder_that_ends_while_the_daemon_is_away_holds_nothing() {
    configured_balancer
    holder
    kill -STOP "$(daemon_pid)"
    systemctl stop test-holder.service
    kill -KILL "$(daemon_pid)"
    await 30 "the next daemon" schedd-cli status
    await 20 "released" is_not_held
}
