#!/usr/bin/env bash
# `schedd-cli run` to another node: a real sshd on loopback in a network namespace of its own, with keys and
# configuration of its own, and behind it a real systemd in namespaces ("systemd") or programs that play
# systemd-run and systemctl ("played"). Which node is asked is played by schedd-placer.
# Usage: run.sh FOLDER-OF-PROGRAMS systemd|played [figures]. Exits with 77 where that cannot be.
set -euo pipefail

programs=$(readlink -f "$1")
manager=$2
folder=${SCHEDD_RUN_INSIDE:-}
if [ -z "$folder" ]; then
    if [ "$(id -u)" != 0 ] || ! unshare -n -m true 2>/dev/null || ! command -v ip >/dev/null; then
        echo "network namespaces need root and iproute2"
        exit 77
    fi
    if [ ! -x /usr/sbin/sshd ]; then
        echo "openssh-server is not installed"
        exit 77
    fi
    # all goes with these namespaces; nothing reaches the machine's own network
    folder=$(mktemp -d /tmp/schedd-run.XXXXXX)
    code=0
    SCHEDD_RUN_INSIDE=$folder unshare -n -m --propagation private \
        "$(readlink -f "$0")" "$programs" "${@:2}" || code=$?
    rm -rf "$folder"
    exit $code
fi
cd "$folder"
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/sshd
ip link set lo up

started=()
drop_connection() {
    local socket
    for socket in runtime/schedd-ssh/*; do
        ssh -F ssh_config -o ControlPath="$folder/$socket" -O exit node2 2>/dev/null || true
    done
}
end_all() {
    drop_connection
    [ ! -s sshd.pid ] || "${there[@]}" kill "$(cat sshd.pid)" || true
    [ ${#started[@]} = 0 ] || kill -KILL "${started[@]}" 2>/dev/null || true
    # it removes its control group when its input ends
    if [ -n "${inner_pid:-}" ]; then
        exec {inner_input}>&-
        wait "$inner_pid" || true
    fi
}
trap 'end_all 2>/dev/null' EXIT
trap 'exit 1' TERM INT HUP
fail() {
    echo "FAILED: $*"
    tail -n 15 ./*log err 2>/dev/null || true
    exit 1
}
await() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt "$end" ] || fail "$what"
        sleep 0.05
    done
}
is() { [ "$2" = "$3" ] || fail "$1: '${2:0:200}', not '${3:0:200}'"; }
says() { grep -q -- "$1" err || fail "it does not say '$1'"; }

# ---- the other node ------------------------------------------------------------------------------

mkdir bin units
there=() # what takes a command to the other node
play_systemd() {
    cat >bin/systemd-run <<'END'
#!/usr/bin/env bash
# Plays systemd-run: its options as far as they concern the work, and a session for the unit's processes.
folder=$(dirname "$(dirname "$0")")
environment=() unit=
if [ -e "$folder/users-alone" ] && [ "$1" != --user ]; then
    echo "Failed to start transient service unit: Access denied" >&2
    exit 1
fi
while [ "$1" != -- ]; do
    case $1 in
        --setenv=*) environment+=("${1#--setenv=}") ;;
        --unit=*) unit=${1#--unit=} ;;
        --working-directory=*) cd "${1#*=}" || exit 1 ;;
    esac
    shift
done
shift
setsid --wait sh -c 'echo $$ >"$1"; shift; exec "$@"' sh "$folder/units/$unit" \
    env -i "${environment[@]}" "${@//\$\$/\$}" || code=$?
rm -f "$folder/units/$unit"
exit "${code:-0}"
END
    cat >bin/systemctl <<'END'
#!/usr/bin/env bash
# Plays systemctl stop and kill.
folder=$(dirname "$(dirname "$0")")
for word; do
    case $word in
        --signal=*) signal=${word#--signal=} ;;
        *.service) kill -s "${signal:-TERM}" -- "-$(cat "$folder/units/$word")" ;;
    esac
done
END
    chmod +x bin/systemd-run bin/systemctl
}

if [ "$manager" = systemd ]; then
    coproc inner { exec "$programs/schedd-inner-systemd" 2>inner-log; }
    inner_pid=$!
    inner_input=${inner[1]}
    if ! read -r -t 60 pid <&"${inner[0]}"; then
        cat inner-log
        echo "there can be no systemd in namespaces here"
        exit 77
    fi
    there=(nsenter -t "$pid" -m -p -C)
    "${there[@]}" mkdir -p /run/sshd
    # it has no units but its bus; these are what services depend on
    for target in sysinit basic shutdown; do
        printf '[Unit]\nDefaultDependencies=no\n' |
            "${there[@]}" tee "/run/systemd/system/$target.target" >/dev/null
    done
    "${there[@]}" systemctl daemon-reload
else
    play_systemd
fi

for key in host other-host user other-user; do ssh-keygen -q -t ed25519 -N '' -f "$key" -C "$key"; done
cp user.pub authorized
# SHLVL: bash reads this user's .bashrc for sshd's commands only where it is the first shell; what is in there
# takes time, and may be ended in the middle with locks of its own left behind.
cat >sshd_config <<END
Port 2222
ListenAddress 127.0.0.2
HostKey $folder/host
AuthorizedKeysFile $folder/authorized
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication yes
PidFile $folder/sshd.pid
MaxStartups 50
SetEnv PATH=$folder/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin SHLVL=9
END
start_sshd() {
    "${there[@]}" /usr/sbin/sshd -f "$folder/sshd_config" -E "$folder/sshd-log"
    await 10 "sshd" test -s sshd.pid
}
end_sshd() { # connections stay
    [ ! -s sshd.pid ] || "${there[@]}" kill "$(cat sshd.pid)"
    await 10 "the end of sshd" test ! -e sshd.pid
}
start_sshd
write_ssh_config() {
    cat >ssh_config <<END
Host *
    Port 2222
    IdentityFile $folder/$1
    IdentitiesOnly yes
    UserKnownHostsFile $folder/$2
    GlobalKnownHostsFile /dev/null
END
}
write_ssh_config user known
echo "node2 $(cut -d' ' -f1,2 host.pub)" >known
echo "node2 $(cut -d' ' -f1,2 other-host.pub)" >changed
: >unknown

# ---- this node -----------------------------------------------------------------------------------

cat >bus.conf <<END
<busconfig><type>session</type><listen>unix:path=$folder/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
</busconfig>
END
dbus-daemon --config-file=bus.conf --nofork --nopidfile 2>/dev/null &
started+=($!)
await 10 "a bus" test -S bus
export SCHEDD_BUS_ADDRESS=unix:path=$folder/bus
mkdir -m 700 runtime
export XDG_RUNTIME_DIR=$folder/runtime

placer=
# nodes NAME=ADDRESS...: what there is to choose from.
nodes() {
    [ -z "$placer" ] || { kill "$placer"; wait "$placer" || true; } 2>/dev/null
    DBUS_SESSION_BUS_ADDRESS=$SCHEDD_BUS_ADDRESS "$programs/schedd-placer" "$@" >>placer-log 2>&1 &
    placer=$!
    started+=("$placer")
    await 10 "the placer" busctl --address="$SCHEDD_BUS_ADDRESS" status org.schedd1
}
run() { timeout 60 "$programs/schedd-cli" run --ssh-config="$folder/ssh_config" "$@" 2>err; }
code_of() {
    local code=0
    "$@" || code=$?
    echo "$code"
}
nodes node2=127.0.0.2

# ---- what is carried -----------------------------------------------------------------------------

# the work runs in a session of the other side, so its parent is not this script's
there_mark='[ "$SCHEDD_BUS_ADDRESS" ] && cat /proc/$PPID/comm'
if [ "$manager" = systemd ]; then
    is "it runs below systemd" schedd-run- \
        "$(run -- sh -c 'grep -o "schedd-run-[0-9a-f]*" /proc/self/cgroup | cut -c1-11')"
else
    is "it runs below systemd-run" "$(run -- sh -c "$there_mark")" sh
fi
is "nothing is said off a terminal" "$(cat err)" ""
run -v -- true
says "run: on node2 (CPU 0.3 of 1.0)"
is "an exit code" "$(code_of run -- sh -c 'exit 7')" 7
is "another exit code" "$(code_of run -- false)" 1
is "255" "$(code_of run -- sh -c 'exit 255')" 255
is "what a signal ends" "$(code_of run -- sh -c 'kill -KILL $$')" 137
is "no such command" "$(code_of run -- no-such-command)" 127
says "node2 did not take it: there is no command 'no-such-command' there"
is "input" "$(seq 200000 | run -- cat | md5sum)" "$(seq 200000 | md5sum)"
is "no input" "$(run -- cat </dev/null)" ""
is "input that nobody reads" "$(seq 200000 | code_of run -- true)" 0
is "output that nobody reads any more" "$(run -- yes | head -n 1)" y
is "output" "$(run -- seq 200000 | md5sum)" "$(seq 200000 | md5sum)"
run -- sh -c 'echo to-output; echo to-error >&2' >out
is "output alone" "$(cat out)" to-output
is "errors alone" "$(cat err)" to-error
is "an environment" "$(WORD="a b \$c \"'%n" run -- sh -c 'echo "$WORD"')" "a b \$c \"'%n"
mkdir "a folder"
is "a working directory" "$folder/a folder" \
    "$(cd "a folder" && timeout 60 "$programs/schedd-cli" run --ssh-config=../ssh_config -- pwd)"
hostile=('' ' ' "'" '"' \\ '$HOME' '$$' '${HOME}' '$$HOME' '%n' '`id`' '*' $'a\nb'
    ';id' '--' '-x' 'é' $'\x01')
is "hostile words" "$(run -- printf '<%s>' "${hostile[@]}" | md5sum)" \
    "$(printf '<%s>' "${hostile[@]}" | md5sum)"
big=$(head -c 100000 /dev/zero | tr '\0' x)
is "100 kB in one word" "$(run -- printf %s "$big" | wc -c)" 100000
is "what is too much runs here" "$(run -- printf %s "$big" "$big" | wc -c)" 200000
says "node2 did not take it: a command of .* bytes for node node2: at most 131071"
if [ "$manager" = played ]; then # root here is somebody else there
    touch users-alone
    is "the user's own manager takes it" "$(echo in | run -v -- cat)" in
    says "run: on node2"
    is "nobody else was asked" "$(grep -c 'did not take it' err)" 0
    rm users-alone
fi
echo "ok: exit code, input, output, environment, directory and words are carried"

# ---- signals -------------------------------------------------------------------------------------

# interrupt SIGNAL: the exit code of work that is sent it
interrupt() {
    local marker=$RANDOM$RANDOM code=0 child
    "$programs/schedd-cli" run --ssh-config=ssh_config -- sh -c "sleep 4$marker" </dev/null 2>err &
    child=$!
    await 20 "the work runs" pgrep -f "^sleep 4$marker"
    kill -s "$1" $child
    wait $child || code=$?
    await 10 "the work has ended" eval "! pgrep -f '^sleep 4$marker'"
    echo $code
}
# a shell in the background ignores SIGINT and hands that on
set -m
is "Ctrl-C" "$(interrupt INT)" 130
is "SIGTERM" "$(interrupt TERM)" 143
set +m
is "an interrupt that the work deals with" "$(
    set -m
    "$programs/schedd-cli" run --ssh-config=ssh_config -- \
        sh -c 'trap "echo caught; exit 5" INT; touch ready; while :; do sleep 0.05; done' &
    await 20 "the work runs" test -e ready
    kill -INT $!
    wait $! || echo $?
)" $'caught\n5'
echo "ok: Ctrl-C and SIGTERM reach the work, which ends"

# ---- the connection ------------------------------------------------------------------------------

is "a kept connection" "$(find runtime/schedd-ssh -type s | wc -l)" 1
end_sshd
is "the kept connection is used" "$(code_of run -- sh -c 'exit 3')" 3
is "nobody complains" "$(cat err)" ""
drop_connection
is "a node that is gone: here" "$(run -- sh -c 'echo ran')" ran
says "node2 did not take it: .*Connection refused"
start_sshd

# one that takes connections and is silent, one that is gone, and one that does it
python3 -c 'import socket, time
s = socket.create_server(("127.0.0.4", 2222)); open("silent", "w"); time.sleep(600)' &
started+=($!)
await 10 "a silent node" test -e silent
nodes node4=127.0.0.4 node3=127.0.0.3 node2=127.0.0.2
before=$SECONDS
is "the third takes it" "$(echo in | run -v -- cat)" in
says 'node4 did not take it: .*\(did not answer within 5 s\|timed out during banner exchange\)'
says "node3 did not take it: .*Connection refused"
says "run: on node2"
echo "ok: a silent node and a gone one are passed over after $((SECONDS - before)) s"

# ---- what is never trusted, and never hangs ------------------------------------------------------

nodes node2=127.0.0.2
drop_connection
write_ssh_config other-user known
is "a password would be wanted: here" "$(code_of run -- sh -c 'exit 4')" 4
says "node2 did not take it: it wants a password or another key"
write_ssh_config user changed
is "a changed host key: here" "$(code_of run -- sh -c 'exit 4')" 4
says "node2 did not take it: its host key is another than the one known for node2"
write_ssh_config user unknown
is "an unknown host key: here" "$(code_of run -- sh -c 'exit 4')" 4
says "node2 did not take it: its host key is not known"
is "no key was taken" "$(cat unknown)" ""
is "there or not at all" "$(code_of run --node=node2 -- true)" 125
is "quiet" "$(run -q -- true; cat err)" ""
write_ssh_config user known
echo "ok: no password, no changed and no unknown host key; refused, named, and it runs here"

# ---- make ----------------------------------------------------------------------------------------

mkdir make
for i in $(seq 12); do echo "int f$i(void) { return $i; }" >"make/f$i.c"; done
printf 'all: %s\n%%.o: %%.c\n\t$(CC) -c $< -o $@\n' "$(printf 'f%d.o ' $(seq 12))" >make/Makefile
drop_connection
handshakes() { grep -c 'Accepted publickey' sshd-log || true; }
before=$(handshakes)
compiler="$programs/schedd-cli run --ssh-config=$folder/ssh_config -- gcc"
make -s -C make -j4 CC="$compiler" >out 2>err || fail "make -j4"
is "make is silent" "$(cat out err)" ""
is "one connection was made for all" "$(($(handshakes) - before))" 1
is "all is made" "$(find make -name '*.o' | wc -l)" 12
echo 'broken' >make/f1.c
is "what does not compile" "$(code_of make -s -C make CC="$compiler" 2>err)" 2
says "f1.c:1:1: error"
echo "ok: make -j4 with CC='schedd-cli run -- gcc', through a connection that is not there at first"

# ---- units ---------------------------------------------------------------------------------------

if [ "$manager" = systemd ]; then
    property() { "${there[@]}" systemctl show "$1" -P "$2"; }
    unit=$(run --no-wait -- sleep 1000)
    is "it runs on its own" "$(property "$unit" ActiveState)" active
    "${there[@]}" systemctl stop "$unit"
    unit=$(run --migratable -p CPUWeight=77 -- sleep 1001)
    is "a property" "$(property "$unit" CPUWeight)" 77
    property "$unit" Environment | tr ' ' '\n' | grep -qx SCHEDD_MIGRATABLE=1 || fail "the mark is missing"
    main=$(property "$unit" MainPID)
    await 5 "a namespace of its own" "${there[@]}" sh -c \
        "grep -q 'NSpid:.*[[:space:]]1\$' /proc/\$(cat /proc/$main/task/$main/children | tr -d ' ')/status"
    "${there[@]}" systemctl stop "$unit"
    is "a name" "$(run --unit=named --no-wait -- sleep 1002)" named.service
    is "a name that is taken" "$(code_of run --node=node2 --unit=named --no-wait -- sleep 1002)" 125
    says "named.service"
    "${there[@]}" systemctl stop named.service
    mkdir only-here && mount -t tmpfs tmpfs only-here && mkdir only-here/in
    (cd only-here/in && run -- pwd) >out
    is "a folder that is not there: here" "$(cat out)" "$folder/only-here/in"
    : >placer-log
    is "a member" "$(code_of run --scheduler=S --unit=mine -- sh -c 'exit 6')" 6
    await 5 "it is a member no more" grep -qx "Detach S unit:mine.service" placer-log
    is "attached before, detached after" "$(grep -c '^[AD].*tach S unit:mine.service' placer-log)" 2
    on_terminal="'$programs/schedd-cli' run --ssh-config=ssh_config --pty -- tty"
    is "a terminal" "$(script -qec "$on_terminal" /dev/null </dev/null | grep -c /dev/pts/)" 1
    # and on a node that systemd runs, what stays there
    nodes
    here() { "${there[@]}" env -C "$folder" "$programs/schedd-cli" run "$@" 2>err; }
    here -- cat /proc/self/cgroup >out
    grep -q 'schedd-run-[0-9a-f]*\.scope$' out || fail "no scope here: $(cat out err)"
    is "an exit code out of a scope" "$(code_of here -- sh -c 'exit 7')" 7
    is "a service here" "$(echo in | here --unit=local -- cat)" in
    is "an exit code out of a service" "$(code_of here --unit=local -- sh -c 'exit 7')" 7
    : >placer-log
    is "a member here" "$(code_of here --scheduler=S --unit=mine -- sh -c 'exit 6')" 6
    await 5 "it is a member no more" grep -qx "Detach S unit:mine.service" placer-log
    nodes node2=127.0.0.2
    echo "ok: units, properties, names, members, scopes"
fi

# ---- figures -------------------------------------------------------------------------------------

clock() { date +%s%N; }
# figures COUNT MS/100...: the least and the median
figures() {
    local count=$1 times
    mapfile -t times < <(printf '%s\n' "${@:2}" | sort -n)
    printf '%d.%02d ms at best, %d.%02d median' $((times[0] / 100)) $((times[0] % 100)) \
        $((times[count / 2] / 100)) $((times[count / 2] % 100))
}
# measure COUNT COMMAND...: how long it takes until a command that it runs there has started, and ended
measure() {
    local i begin started starts=() ends=()
    for ((i = 0; i < $1; ++i)); do
        begin=$(clock)
        started=$("${@:2}" date +%s%N </dev/null)
        ends+=($((($(clock) - begin) / 10000)))
        starts+=($(((started - begin) / 10000)))
    done
    echo "started $(figures "$1" "${starts[@]}"); ended $(figures "$1" "${ends[@]}")"
}
count=21
[ "${3:-}" != figures ] || count=101
# where all is slow, the node may have been passed over and its connection given up
is_warm() { run -- true && [ -n "$(find runtime/schedd-ssh -type s)" ]; }
await 60 "a kept connection" is_warm
socket=$(find runtime/schedd-ssh -type s)
bare=(ssh -F ssh_config -o ControlPath="$folder/$socket" node2)
echo "figures of $count:"
echo "  bare ssh over the kept connection: $(measure $count "${bare[@]}")"
[ "$manager" != systemd ] || echo "  systemd-run over it: $(
    measure $count "${bare[@]}" systemd-run --quiet --collect --pipe --wait --service-type=exec
)"
echo "  schedd-cli run: $(measure $count "$programs/schedd-cli" run --ssh-config=ssh_config --)"
