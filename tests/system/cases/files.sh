#!/bin/bash
# The file view as a service: off at first, mounted at /config, and what becomes of it when something ends.
set -euo pipefail

top=/config/krg_scheduler

is_there() { ls "$1" >/dev/null 2>&1; }
end_view() {
    systemctl disable -q --now schedd-fs.service
    ! mountpoint -q /config || fail "still mounted"
}

The_file_view_is_off_until_it_is_enabled() {
    ! mountpoint -q /config || fail "it is mounted"
    ! systemctl is-enabled -q schedd-fs.service || fail "it is enabled"
    expect "enabling" systemctl enable -q --now schedd-fs.service
    mountpoint -q /config || fail "it is not mounted"
    expect "a probe" mkdir "$top/probes/cpu"
    expect "the probe on the bus" schedd-cli get probes/cpu.probe_period
    same "its period" "$(cat "$top/probes/cpu/probe_period")" 1000
    rmdir "$top/probes/cpu"
    end_view
}

The_file_view_builds_a_scheduler_from_relative_links() {
    systemctl start schedd-fs.service
    cd "$top"
    mkdir probes/cpu
    mkdir -p schedulers/A/load_balancing
    expect "a relative link" ln -s probes/cpu/node_load schedulers/A/load_balancing/node_load/load
    same "its target" "$(readlink schedulers/A/load_balancing/node_load/load)" \
        ../../../../probes/cpu/node_load
    if su -s /bin/sh nobody -c "ls $top" >/dev/null 2>&1; then fail "another user sees it"; fi
    rm schedulers/A/load_balancing/node_load/load
    rmdir schedulers/A/load_balancing schedulers/A probes/cpu
    cd /
    end_view
}

The_file_view_outlives_the_daemon_and_a_crash_of_its_own() {
    local view
    systemctl start schedd-fs.service
    systemctl stop schedd.service
    if is_there "$top"; then fail "it shows what is not there"; fi
    systemctl start schedd.service
    await 30 "the parts" is_there "$top/probes"
    view=$(property schedd-fs.service MainPID)
    kill -KILL "$view"
    await 30 "the mount anew" is_there "$top/probes"
    end_view
}
