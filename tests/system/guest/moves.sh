#!/bin/bash
# The cases of work that moves between three machines, by CRIU and SSH: cluster.sh is given this file. Each
# case runs on all three, in step (nodes.sh). The machines share no file system: what is
# counted on each is put together.
# Seconds for a case: 600
set -euo pipefail

migrate=/usr/libexec/schedd/schedd-migrate

# counter NAME: work that counts and says so, as test-NAME.service; what it counted here is in /var/tmp/NAME.
counter() {
    systemd-run --quiet --collect --unit="test-$1" "$migrate" enclose -- /usr/local/bin/test-counter "$1"
    await 60 "test-$1 counts" test -s "/var/tmp/$1"
}
# On all, since the program has to be there: its last number is kept in memory, not in the file.
lay_out() {
    cat >/usr/local/bin/test-counter <<'COUNTER'
#!/bin/bash
count=0
while :; do
    count=$((count + 1))
    echo $count >>"/var/tmp/$1"
    sleep 0.3
done
COUNTER
    chmod 755 /usr/local/bin/test-counter
}
is_here() { [ "$(property "$1.service" ActiveState)" = active ]; }
runs_at() { ssh "$1" systemctl is-active -q "$2" </dev/null; }
last_at() { ssh "$1" tail -n 1 "/var/tmp/$2" </dev/null; }
grows_at() {
    local before
    before=$(last_at "$1" "$2")
    sleep 2
    [ "$(last_at "$1" "$2")" -gt "$before" ]
}
# All numbers of all machines, each once, none left out: what is counted twice was run twice.
no_count_is_lost() {
    local node
    # shellcheck disable=SC2029  # the name is ours
    for node in 1 2 3; do ssh "node$node" "cat /var/tmp/$1 2>/dev/null || true" </dev/null; done | sort -n |
        awk '$1 != NR { bad = 1; print "number " NR " is " $1; exit 1 }'
}
phase_of() {
    schedd-cli status --json=short | tr '{' '\n' | grep "\"unit\":\"$1.service\"" |
        sed -n 's/.*"phase":"\([a-z]*\)".*/\1/p' | tail -n 1
}
is_at_phase() { [ "$(phase_of "$1")" = "$2" ]; }

A_counter_that_migrates_loses_no_count() {
    join_cluster
    lay_out
    in_step laid-out
    if [ "$NODE" = 1 ]; then
        counter alpha
        expect "it moves" schedd-cli migrate unit:test-alpha.service node2 --wait
        expect_fails "it is here" is_here test-alpha
        expect "it is there" runs_at node2 test-alpha.service
        expect "it goes on" grows_at node2 alpha
        expect "each number is there once" no_count_is_lost alpha
        ssh node2 schedd-cli status --json=short </dev/null | grep '"guests":\[{"home":"node1"' ||
            fail "the other does not know whose it is"
    fi
    in_step moved
}

What_cannot_move_is_refused_with_the_reason() {
    join_cluster
    if [ "$NODE" = 1 ]; then
        spin plain
        schedd-cli migrate unit:test-plain.service node2 2>&1 | grep 'PID namespace' ||
            fail "pids are no reason"
        schedd-cli migrate unit:dbus.service node2 2>&1 | grep 'unit file' || fail "a unit file is no reason"
        schedd-cli migrate unit:test-plain.service node1 2>&1 | grep 'already' || fail "it goes to itself"
        expect "the work goes on" is_here test-plain
    fi
    in_step refused
}

Who_takes_no_guests_gets_none() {
    join_cluster
    lay_out
    only_on 3 schedd-cli block
    in_step blocked
    if [ "$NODE" = 1 ]; then
        counter beta
        schedd-cli migrate unit:test-beta.service node3 --wait 2>&1 | grep 'no guests' || fail "it was taken"
        expect "it goes on here" is_here test-beta
        systemctl stop test-beta.service
    fi
    only_on 3 schedd-cli unblock
    in_step unblocked
}

A_changed_host_key_is_named_and_the_work_goes_on() {
    join_cluster
    lay_out
    if [ "$NODE" = 1 ]; then
        counter gamma
        systemctl stop 'schedd-link-*'
        mv /etc/ssh/ssh_known_hosts /run/known || true
        mv /root/.ssh/known_hosts /run/known-root || true
        schedd-cli migrate unit:test-gamma.service node2 --wait 2>&1 | tee /run/said || true
        mv /run/known /etc/ssh/ssh_known_hosts || true
        mv /run/known-root /root/.ssh/known_hosts || true
        grep -i 'host key' /run/said || fail "the host key is not named"
        expect "it goes on here" is_here test-gamma
        expect "it counts" grows_at node1 gamma
        systemctl stop test-gamma.service
    fi
    in_step named
}

Guests_are_expelled_and_brought_home() {
    join_cluster
    lay_out
    in_step laid-out-again
    only_on 1 counter delta
    if [ "$NODE" = 1 ]; then
        schedd-cli migrate unit:test-delta.service node3 --wait
        ssh node3 schedd-cli expel </dev/null
        await 200 "it is home" is_here test-delta
        schedd-cli migrate unit:test-delta.service node2 --wait
        schedd-cli bring
        await 200 "it is home again" is_here test-delta
        await 60 "it goes on" grows_at node1 delta
        expect "each number is there once" no_count_is_lost delta
        systemctl stop test-delta.service
    fi
    in_step home
}

Work_is_saved_and_starts_again_as_it_was() {
    join_cluster
    lay_out
    if [ "$NODE" = 2 ]; then
        counter epsilon
        schedd-cli checkpoint unit:test-epsilon.service /var/tmp/saved
        expect "it goes on meanwhile" is_here test-epsilon
        systemctl stop test-epsilon.service
        schedd-cli restore /var/tmp/saved
        expect "it runs" is_here test-epsilon
        expect "it goes on" grows_at node2 epsilon
        systemctl stop test-epsilon.service
    fi
    in_step saved
}

A_target_that_dies_in_the_middle_loses_no_work() {
    join_cluster
    lay_out
    in_step dying
    local link
    link=$(ip -o link | sed -n 's/^[0-9]*: \(en[^:@]*\|eth[^:@]*\).*/\1/p' | sed q)
    if [ "$NODE" = 1 ]; then
        counter zeta
        schedd-cli migrate unit:test-zeta.service node3
        await 200 "it is dumped" is_at_phase test-zeta send
        touch /run/it-is-time
        await 200 "it has gone on here" is_at_phase test-zeta stayed
        expect "it runs" is_here test-zeta
        expect "it counts" grows_at node1 zeta
        systemctl stop test-zeta.service
    elif [ "$NODE" = 3 ]; then
        await 300 "it is time" ssh node1 test -e /run/it-is-time
        systemctl stop schedd.service
        ip link set dev "$link" down
        sleep 30
        ip link set dev "$link" up
        ip addr add 10.77.0.3/24 dev "$link" || true
        systemctl start schedd.service
    fi
    in_step lives
}
