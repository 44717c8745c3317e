#!/bin/bash
# The package: what is there after it was installed, how the service is started, and what purging leaves.
# dpkg's triggers take a minute each time where the machine is emulated.
# Seconds for a case: 480
set -euo pipefail

The_service_runs_and_starts_at_boot() {
    same "state" "$(systemctl is-active schedd.service)" active
    same "at boot" "$(systemctl is-enabled schedd.service)" enabled
    expect "status" schedd-cli status
    busctl --system list --no-pager | grep -q '^org\.schedd1 ' || fail "org.schedd1 is not on the bus"
}

Calling_the_bus_name_starts_the_service() {
    systemctl stop schedd.service
    same "state" "$(systemctl is-active schedd.service || true)" inactive
    expect "status" schedd-cli status
    same "state" "$(systemctl is-active schedd.service)" active
}

Man_pages_completions_and_interfaces_are_in_place() {
    local page file
    for page in 'schedd(8)' 'schedd-cli(1)' 'schedd.conf(5)'; do
        expect "man page" man --where "$page"
    done
    for file in /usr/share/bash-completion/completions/schedd-cli \
        /usr/share/zsh/vendor-completions/_schedd-cli \
        /usr/share/fish/vendor_completions.d/schedd-cli.fish \
        /usr/share/dbus-1/interfaces/org.schedd1.Manager.xml \
        /usr/share/dbus-1/system-services/org.schedd1.service \
        /usr/share/dbus-1/system.d/org.schedd1.conf \
        /usr/share/doc/schedd/examples/50-schedd.conf; do
        [ -s "$file" ] || fail "$file is missing"
    done
}

The_unit_holds_up_to_systemd_analyze() {
    expect "verify" systemd-analyze verify schedd.service
    expect "security" systemd-analyze security --threshold=20 --no-pager schedd.service
}

Upgrading_keeps_the_service_and_its_name() {
    local before
    before=$(daemon_pid)
    expect "installing once more" apt_quiet install --reinstall /var/cache/schedd-test/schedd_*.deb
    expect "status" schedd-cli status
    [ "$(daemon_pid)" != "$before" ] || fail "the old daemon still runs after the upgrade"
}

Purging_leaves_nothing() {
    local before
    sleeper one
    sleeper two
    mkdir -p /etc/systemd/system/test-two.service.d
    echo '[Unit]' >/etc/systemd/system/test-two.service.d/60-mine.conf
    before=$(snapshot)
    # what a stop would leave, and files that dpkg does not know of
    printf '[daemon]\non_stop = "leave"\n' >/etc/schedd/schedd.conf
    configured_balancer
    rm /etc/schedd/schedd.conf /etc/schedd/schedulers.d/lb.toml
    # a busy machine's systemd may not have answered a moment ago
    await 60 "one attached" schedd-cli attach --persistent CPU_LB unit:test-one.service
    await 60 "two attached" schedd-cli attach --persistent CPU_LB unit:test-two.service
    await 60 "one placed" is_placed one
    await 60 "two placed" is_placed two
    expect "purge" apt_quiet purge schedd
    systemctl daemon-reload
    soon_unchanged "$before"
    same "its folder" "$(ls -d /etc/systemd/system/test-one.service.d 2>/dev/null)" ""
    [ -e /etc/systemd/system/test-two.service.d/60-mine.conf ] || fail "somebody else's drop-in is gone"
    rm -r /etc/systemd/system/test-two.service.d
    systemctl stop test-one.service test-two.service
    expect_fails "the name" schedd-cli --version
    local left
    left=$(find / -xdev -path /var/cache -prune -o -path /var/log -prune -o -path /run -prune -o \
        -name '*schedd*' ! -name '*schedd-guest*' ! -name 'schedd-case*' -print)
    left+=$(find /run -xdev -path /run/guest -prune -o -path /run/systemd/transient -prune -o \
        -path /run/systemd/units -prune -o -name '*schedd*' ! -name '*schedd-guest*' \
        ! -name 'schedd-case*' -print)
    same "left behind" "$left" ""
    same "the unit" "$(property schedd.service LoadState)" not-found
    expect_fails "the bus" busctl --system introspect org.schedd1 /org/schedd1
    expect "installing again" apt_quiet install /var/cache/schedd-test/schedd_*.deb
}
