#!/bin/bash
# The service under systemd: reload, crash, watchdog, and how it ends.
set -euo pipefail

new_daemon() { daemon_pid && [ "$(daemon_pid)" != "$1" ] && schedd-cli status; }

A_killed_daemon_is_started_again() {
    local before
    before=$(daemon_pid)
    kill -KILL "$before"
    await 30 "a new daemon" new_daemon "$before"
}

A_daemon_that_hangs_is_ended_by_the_watchdog() {
    local before
    before=$(daemon_pid)
    same "watchdog" "$(property schedd.service WatchdogUSec)" 30s
    kill -STOP "$before"
    await 90 "a new daemon" new_daemon "$before"
    journalctl -q -b -u schedd.service | grep -q -i watchdog || fail "the journal names no watchdog"
}

A_reload_takes_a_new_scheduler_in() {
    cp /usr/share/doc/schedd/examples/cpu_lb.toml /etc/schedd/schedulers.d/
    expect "reload" systemctl reload schedd.service
    expect "the scheduler" schedd-cli get schedulers/CPU_LB
}

A_faulty_configuration_fails_the_reload_and_changes_nothing() {
    local before
    before=$(daemon_pid)
    printf '[scheduler.X]\npolicy = "no_such_policy"\n' >/etc/schedd/schedulers.d/x.toml
    expect_fails "reload" systemctl reload schedd.service
    same "state" "$(systemctl is-active schedd.service)" active
    same "process" "$(daemon_pid)" "$before"
    expect_fails "the scheduler" schedd-cli get schedulers/X
    journalctl -q -b -u schedd.service | grep -q 'x\.toml' || fail "the journal does not name the file"
}

The_log_is_turned_up_by_systemctl() {
    local level
    level=$(systemctl service-log-level schedd.service)
    systemctl service-log-level schedd.service debug
    same "the level" "$(systemctl service-log-level schedd.service)" debug
    same "where it goes" "$(systemctl service-log-target schedd.service)" journal
    systemctl service-log-level schedd.service "$level"
    same "the level again" "$(systemctl service-log-level schedd.service)" "$level"
}

Stopping_is_clean() {
    systemctl stop schedd.service
    same "result" "$(property schedd.service Result)" success
}
