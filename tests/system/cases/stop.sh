#!/bin/bash
# How schedd ends, and what stays: stopped with restore and with leave, killed at each change; halted.
# Seconds for a case: 600
set -euo pipefail

plan=/run/systemd/test-crash

A_stop_with_restore_puts_all_back() {
    local before work
    sleeper one
    sleeper two
    work=$(spin three)
    before=$(snapshot)
    configured_balancer
    schedd-cli attach CPU_LB unit:test-one.service unit:test-two.service "process:$work"
    await 60 "one placed" is_placed one
    await 60 "two placed" is_placed two
    await 60 "the process placed" is_narrow "$work"
    systemctl stop schedd.service
    systemctl start schedd.service
    unchanged "$before"
    same "drop-ins left" "$(left_by_schedd)" ""
}

A_stop_with_leave_leaves_all_and_the_next_start_takes_it_over() {
    local before cpus
    sleeper one
    sleeper two
    before=$(snapshot)
    printf '[daemon]\non_stop = "leave"\n' >/etc/schedd/schedd.conf
    configured_balancer
    schedd-cli attach CPU_LB unit:test-one.service unit:test-two.service
    await 60 "one placed" is_placed one
    await 60 "two placed" is_placed two
    cpus=$(property test-one.service AllowedCPUs)
    systemctl stop schedd.service
    same "AllowedCPUs while schedd is away" "$(property test-one.service AllowedCPUs)" "$cpus"
    is_placed two || fail "two is not placed any more"
    sound
    # members made over the bus are gone with the daemon: nobody wants the units narrowed any more
    systemctl start schedd.service
    soon_unchanged "$before"
    same "drop-ins left" "$(left_by_schedd)" ""
}

# ---- killed at each change -------------------------------------------------------------------------------

with_crashes() {
    local folder=/run/systemd/system/schedd.service.d
    mkdir -p $folder
    printf '%s\n' '[Unit]' 'StartLimitIntervalSec=0' '[Service]' 'RestartSec=50ms' \
        'Environment=LD_PRELOAD=/run/guest/guest/crash.so' >$folder/60-schedd-test.conf
    rm -f $plan
    systemctl daemon-reload
    systemctl restart schedd.service
    grep -q crash.so "/proc/$(daemon_pid)/maps" || fail "it is not preloaded"
}
another_daemon() { [ "$(daemon_pid)" != "$1" ] && schedd-cli status; }
# Whether the first of the plan has not died yet; whether all have.
is_pending() { [ -e $plan ] && [ "$(cat $plan)" = "$numbers" ]; }
is_done() { [ ! -e $plan ]; }
is_dead_or() { ! is_pending || "$@"; }

# killed_at PLAN BEFORE PLACED MEMBER...: attaches the members, waits for PLACED, lets go; schedd dies on the
# way as planned: "N" = at its Nth change, "N M" = its successor at its Mth, too. False if it lived through.
# Whatever happened: afterwards everything is as it was.
killed_at() {
    local numbers=$1 before=$2 placed=$3 pid is_whole=0
    shift 3
    pid=$(daemon_pid)
    echo "$numbers" >$plan
    schedd-cli attach CPU_LB "$@" || true
    await 60 "$placed, or killed at $numbers" is_dead_or "$placed"
    sound
    if is_pending; then schedd-cli detach CPU_LB "$@" || true; fi
    if is_pending; then
        is_whole=1
        rm $plan
    else
        await 60 "all of $numbers" is_done
        await 60 "another daemon" another_daemon "$pid"
    fi
    soon_unchanged "$before"
    sound
    same "drop-ins left, killed at $numbers" "$(left_by_schedd)" ""
    [ $is_whole = 0 ]
}
# killed_everywhere LEAST BEFORE PLACED MEMBER...: at change 1, 2, ... until it is through.
killed_everywhere() {
    local least=$1 number=1
    shift
    while killed_at $number "$@"; do number=$((number + 1)); done
    echo "killed at each of $((number - 1)) changes"
    [ $number -gt "$least" ] || fail "there were only $((number - 1)) changes to be killed at"
}

both_units() { is_placed one && is_placed two; }
both_processes() { is_narrow "$(main_pid one)" && is_narrow "$(main_pid two)"; }

Killed_at_each_change_to_units_the_next_puts_all_back() {
    local before
    sleeper one
    sleeper two
    with_crashes
    configured_balancer
    before=$(snapshot)
    killed_everywhere 8 "$before" both_units unit:test-one.service unit:test-two.service
}

Killed_at_each_change_to_processes_the_next_puts_all_back() {
    local before
    sleeper one
    sleeper two
    with_crashes
    configured_balancer
    before=$(snapshot)
    killed_everywhere 5 "$before" both_processes "process:$(main_pid one)" "process:$(main_pid two)"
}

Killed_again_while_it_puts_things_back_the_third_does() {
    local before second
    sleeper one
    sleeper two
    with_crashes
    configured_balancer
    before=$(snapshot)
    for second in 1 2 3 4 5 6; do # of 9: note, then widened, unset, and file and folder removed, for each
        killed_at "3 $second" "$before" both_units unit:test-one.service unit:test-two.service ||
            fail "it lived through"
    done
}

# with_members LIST: the scheduler of the configuration has these.
with_members() {
    sed -i "/^process_set/d; /^policy/a process_set = [$1]" /etc/schedd/schedulers.d/lb.toml
}

# Members from a file: the next daemon goes on with them.
Killed_at_each_change_the_next_goes_on_with_members_of_the_configuration() {
    local before numbers
    sleeper one
    sleeper two
    with_crashes
    configured_balancer
    before=$(snapshot)
    for numbers in 1 2 3 4; do # two for the first note, and one for each unit
        with_members '"unit:test-one.service", "unit:test-two.service"'
        echo "$numbers" >$plan
        schedd-cli reload || true
        await 60 "killed at $numbers, or placed" is_dead_or both_units
        rm -f $plan
        await 60 "placed, killed at $numbers" both_units
        await 30 "applied" has_state one applied
        sound
        with_members ''
        schedd-cli reload
        soon_unchanged "$before"
        same "drop-ins left, killed at $numbers" "$(left_by_schedd)" ""
    done
}

# ---- halted in mid-apply ---------------------------------------------------------------------------------

is_halted() { grep -q '^State:.*T' "/proc/$1/status"; }

# Between what schedd wrote down of a unit and what it asks of PID 1, and so on, the unit ends.
A_unit_that_vanishes_at_any_point_of_its_placing_leaves_nothing() {
    local before number pid
    sleeper one
    with_crashes
    configured_balancer
    before=$(snapshot)
    pid=$(daemon_pid)
    for number in 1 2 3; do # what it writes down, and each of the two units
        systemd-run --quiet --unit=test-brief --collect /bin/sleep infinity
        echo "-$number" >$plan # halted, not killed
        schedd-cli attach CPU_LB unit:test-brief.service unit:test-one.service &
        await 60 "halted at $number" is_halted "$pid"
        systemctl stop test-brief.service
        kill -CONT "$pid"
        wait $! || true
        await 60 "the other is placed" is_placed one
        sound
        [ "$(state_of brief)" != applied ] || fail "a unit that is not there is said to be placed"
        schedd-cli detach CPU_LB unit:test-brief.service unit:test-one.service
        soon_unchanged "$before"
        same "drop-ins left, halted at $number" "$(left_by_schedd)" ""
        same "the daemon" "$(daemon_pid)" "$pid"
    done
}
