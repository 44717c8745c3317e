#!/bin/bash
# The cases of work that moves between three machines, by CRIU and SSH: cluster.sh is given this file. Each
# case runs on all three, in step (nodes.sh). The machines share no file system: what is
# counted on each is put together.
# Seconds for a case: 1500
# shellcheck disable=SC2317,SC2153  # called by name; NODE is the machine's
set -euo pipefail

# shellcheck disable=SC2034  # of nodes.sh
step_seconds=1400 # others wait so long: a move takes an emulated machine a minute or more
migrate=/usr/libexec/schedd/schedd-migrate

# counter NAME [BYTES]: work that counts and says so, as test-NAME.service, with so much memory; what it
# counted here is in /var/tmp/NAME.
counter() {
    systemd-run --quiet --collect --unit="test-$1" "$migrate" enclose -- /usr/local/bin/test-counter "$@"
    await 60 "test-$1 counts" test -s "/var/tmp/$1"
}
# On all, since the program has to be there: its last number is kept in memory, not in the file. Emulated
# machines are slow, and a step that takes long is no fault here.
lay_out() {
    if ! [ -e /etc/schedd/schedd.conf ]; then
        printf '[migration]\nstep_limit = 240\n' >/etc/schedd/schedd.conf
        systemctl reload schedd.service
    fi
    cat >/usr/local/bin/test-counter <<'COUNTER'
#!/bin/bash
count=0
ballast=$(head -c "${2:-0}" /dev/zero | tr '\0' x)
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
# refused_with WORDS COMMAND...: it fails and says so.
refused_with() {
    local words=$1 said
    shift
    if said=$("$@" 2>&1); then fail "it was done: $*: $said"; fi
    grep "$words" <<<"$said" || fail "it does not say '$words': $said"
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
        ssh node2 schedd-cli status --json=short </dev/null |
            grep '"guests":\[{"unit":"test-alpha.service","home":"node1"' ||
            fail "the other does not know whose it is"
    fi
    in_step moved
}

What_cannot_move_is_refused_with_the_reason() {
    join_cluster
    if [ "$NODE" = 1 ]; then
        spin plain
        refused_with 'PID namespace' schedd-cli migrate unit:test-plain.service node2
        refused_with 'unit file' schedd-cli migrate unit:dbus.service node2
        refused_with 'already' schedd-cli migrate unit:test-plain.service node1
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
        refused_with 'no guests' schedd-cli migrate unit:test-beta.service node3 --wait
        expect "it goes on here" is_here test-beta
        systemctl stop test-beta.service
    fi
    in_step refused
    only_on 3 schedd-cli unblock
    in_step unblocked
}

A_changed_host_key_is_named_and_the_work_goes_on() {
    join_cluster
    lay_out
    if [ "$NODE" = 1 ]; then
        counter gamma
        systemctl stop 'schedd-link-*'
        mv /root/.ssh/known_hosts /run/known-root
        refused_with '[Hh]ost key' schedd-cli migrate unit:test-gamma.service node2 --wait
        mv /run/known-root /root/.ssh/known_hosts
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
        counter zeta 32M # which are under way for a while
        schedd-cli migrate unit:test-zeta.service node3
        await 200 "it is carried" is_at_phase test-zeta carry
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

Work_of_a_scheduler_is_its_member_over_there_too() {
    is_member_at() { ssh "$1" schedd-cli tree schedulers/flock </dev/null | grep -q test-eta; }
    join_cluster
    lay_out
    only_on 1 schedd-cli create schedulers/flock
    await 120 "the scheduler" schedd-cli get schedulers/flock
    in_step flock
    if [ "$NODE" = 1 ]; then
        schedd-cli run --no-wait --migratable --node node1 --scheduler flock --unit test-eta -- \
            /usr/local/bin/test-counter eta
        await 60 "it counts" test -s /var/tmp/eta
        expect "it is a member" is_member_at node1
        expect "it moves" schedd-cli migrate unit:test-eta.service node2 --wait
        expect "it goes on" grows_at node2 eta
        expect "it is a member there" is_member_at node2
        expect_fails "it is one here" is_member_at node1
        ssh node2 systemctl stop test-eta.service </dev/null
        expect_fails "it is one after its end" is_member_at node2
        schedd-cli remove -r schedulers/flock
    fi
    in_step flock-gone
}

# Two figures, told with the results: what a move and the bare steps by hand take. No time is asserted.
A_move_says_how_long_it_stood_still() {
    local pid before bare frozen out
    join_cluster
    lay_out
    in_step laid-out
    if [ "$NODE" = 1 ]; then
        counter theta 32M
        schedd-cli migrate unit:test-theta.service node2 --wait
        frozen=$(schedd-cli status --json=short | grep -o '"unit":"test-theta.service"[^}]*' |
            sed -n 's/.*"frozen_ms":\([0-9]*\).*/\1/p' | tail -n 1)
        ssh node2 systemctl stop test-theta.service </dev/null
        counter iota 32M
        pid=$(pgrep -f "^bash $migrate init .* iota")
        mkdir -p /var/tmp/bare
        ssh node2 mkdir -p /var/tmp/bare </dev/null # with a warm connection
        out=$(readlink "/proc/$pid/fd/1")
        before=$(date +%s%3N)
        criu dump -t "$pid" -D /var/tmp/bare --manage-cgroups=ignore -v1 -o dump.log
        tar -C /var/tmp/bare -cf - . | ssh node2 tar -C /var/tmp/bare -xf -
        # shellcheck disable=SC2029
        ssh node2 "exec 5> >(exec cat >/dev/null 2>&1); criu restore -d -D /var/tmp/bare -v1 \
            --manage-cgroups=ignore --inherit-fd 'fd[5]:$out' -o restore.log" </dev/null
        bare=$(($(date +%s%3N) - before))
        expect "what was moved by hand goes on" grows_at node2 iota
        number "a move by schedd stands still (ms)" "$frozen"
        number "criu dump, tar over ssh, criu restore by hand (ms)" "$bare"
        [ "$frozen" -gt 0 ] || fail "nobody knows how long it stood still"
    fi
    in_step compared
}

# The legacy scheduler as it is shipped, for the work of these cases alone; said to one node, on all.
legacy() {
    sed '/scheduler.mosix/,$ s|^handle_all = true|process_set = ["exec:/usr/local/bin/test-hog"]|' \
        /usr/share/doc/schedd/examples/legacy.toml >/run/legacy.toml
    schedd-cli apply /run/legacy.toml
}
with_legacy() {
    join_cluster
    lay_out
    systemctl stop 'test-hog-*.service' # of the case before
    cp --remove-destination /bin/bash /usr/local/bin/test-hog
    in_step hogs-laid-out
    only_on 1 legacy
    await 120 "the legacy scheduler" schedd-cli get schedulers/mosix
    in_step legacy
}
hog() {
    systemd-run --quiet --collect --unit="test-hog-$1" "$migrate" enclose -- \
        /usr/local/bin/test-hog -c 'while :; do :; done'
}
hogs_at() {
    ssh "node$1" systemctl list-units --plain --no-legend --state=active "'test-hog-*.service'" </dev/null |
        wc -l
}
spread() { echo "$(hogs_at 1)/$(hogs_at 2)/$(hogs_at 3)"; }
# Writes on the board how many hogs are here whenever that changes: "hogs TIME COUNT". By nothing but what the
# shell has built in, since on an emulated machine whatever is run for looking is load that is balanced too.
watch_hogs() (
    shopt -s nullglob
    mkfifo /run/never
    exec {never}<>/run/never
    was=''
    while :; do
        hogs=(/sys/fs/cgroup/system.slice/test-hog-*.service)
        [ ${#hogs[@]} = "$was" ] || echo "hogs $EPOCHSECONDS ${#hogs[@]}" >>/run/steps
        was=${#hogs[@]}
        read -r -t 1 -u "$never" || true
    done
)
# Whether there have been two on each for so many seconds, by the boards; sets $since.
two_on_each_for() {
    local node
    sleep 45
    since=$(for node in 1 2 3; do
        timeout 20 bash -c "exec 3<>/dev/tcp/node$node/7777 && cat <&3" | sed -n "s/^hogs /$node /p"
    done | sort -s -n -k2,2 | awk '
        { count[$1] = $3; is = count[1] == 2 && count[2] == 2 && count[3] == 2; since = is ? $2 : 0 }
        END { print since + 0 }')
    [ "$since" -gt 0 ] && [ $((EPOCHSECONDS - since)) -ge "$1" ]
}
started_moves() {
    local node
    for node in 1 2 3; do
        ssh "node$node" "journalctl -q -o short-unix SCHEDD_PHASE=link | grep -F test-hog-" </dev/null || true
    done
}

New_work_goes_round_the_nodes() {
    local said=()
    with_legacy
    if [ "$NODE" = 1 ]; then
        await 180 "the connections are made" are_connected
        for _ in 1 2 3 4 5; do said+=("$(schedd-cli run -- hostname)"); done
        echo "${said[*]}"
        [[ " node1 node2 node3 node1 node2 node3 node1 " == *" ${said[*]} "* ]] ||
            fail "not round: ${said[*]}"
    fi
    in_step round
}

# An emulated machine's first handshake takes longer than schedd-cli waits; it goes on being made.
are_connected() {
    local node
    schedd-cli run -- true
    sleep 5
    for node in node2 node3; do
        find /run/schedd/ssh /run/user -name "$node-????????????????" -type s 2>/dev/null | grep -q . ||
            return 1
    done
}

# Who is not root runs work there as himself, in his own manager.
Work_of_a_user_runs_in_his_own_manager() {
    local said user=worker home key
    join_cluster
    id $user >/dev/null 2>&1 || useradd --create-home $user
    home=$(getent passwd $user | cut -d: -f6)
    install -d -m 700 -o $user "$home/.ssh"
    for key in id_ed25519 authorized_keys known_hosts config; do
        sed 's,/root/,~/,' "/root/.ssh/$key" >"$home/.ssh/$key"
    done
    chown -R $user "$home/.ssh"
    chmod 600 "$home"/.ssh/*
    systemctl start "user@$(id -u $user).service"
    in_step user
    if [ "$NODE" = 1 ]; then
        of_user() {
            runuser -u $user -- env -C /tmp "XDG_RUNTIME_DIR=/run/user/$(id -u $user)" \
                schedd-cli run --node=node2 -- "$@"
        }
        await 180 "it runs there" of_user true # the first handshake takes longer than it waits
        said=$(echo input | of_user sh -c 'hostname; id -un; cat; cat /proc/self/cgroup')
        echo "$said"
        same "where, who and what" "$(head -n 3 <<<"$said" | paste -sd' ')" "node2 $user input"
        grep -q "/user@$(id -u $user).service/.*schedd-run-.*\.service" <<<"$said" ||
            fail "not in his manager"
        expect_fails "its exit code" of_user false
    fi
    in_step user-done
}

A_node_that_drains_is_left_by_its_work() {
    with_legacy
    if [ "$NODE" = 2 ]; then
        hog 1
        hog 2
        schedd-cli nodes drain node2
        await 900 "both are elsewhere" are_spread_without_node2
        schedd-cli nodes undrain node2
    fi
    in_step drained
}
are_spread_without_node2() { sleep 10 && [[ $(spread) =~ ^(2/0/0|1/0/1|0/0/2)$ ]]; }

# The last, since it takes the longest.
Six_hogs_spread_to_two_on_each_and_stay() {
    local started since watcher i
    with_legacy
    # shellcheck disable=SC2034  # of nodes.sh
    step_pause=45
    watch_hogs &
    watcher=$!
    if [ "$NODE" = 1 ]; then
        for i in 1 2 3 4 5 6; do hog "$i"; done
        await 1300 "two on each for a minute" two_on_each_for 75
        started=$(started_moves | sort -n)
        echo "two on each since $since, of these moves:"
        echo "$started"
        # of one node: the time, the node, ...
        awk '$2 in before && $1 - before[$2] < 2 { print "moves at " before[$2] " and " $1; bad = 1 }
            { before[$2] = $1 } END { exit bad }' <<<"$started" || fail "two moves began within 2 s"
        # what begins later may be due to the asking
        awk -v since="$since" 'NF { ++all } $1 > since && $1 < since + 75 { print "one at " $1; bad = 1 }
            END { exit bad || all < 4 }' <<<"$started" || fail "a move began since $since, or none at all"
    fi
    in_step spread
    kill "$watcher"
}
