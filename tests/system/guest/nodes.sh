#!/bin/bash
# For the cases of several machines, which each runs in step with the others; $NODE says on which. Sourced by
# case.sh there. `ssh node2 COMMAND` works as root between all of them.
set -euo pipefail

others() { for node in 1 2 3; do [ "$node" = "$NODE" ] || echo "node$node"; done; }
steps_of=$2 # the case

# Waits until all have come to the same place: each writes the name on its board, which is asked by TCP. That
# needs neither schedd nor SSH. A name is used once in a case. Asking keeps an emulated machine busy: where
# that matters, $step_pause says how long to wait before. in_step NAME [SECONDS]
in_step() {
    has_come_to "$1"
    others_are_at "$@"
}
has_come_to() { echo "$steps_of.$1" >>/run/steps; }
# Who fails says so, and the others need not wait.
trap '[ $? = 0 ] || has_come_to failed' EXIT
others_are_at() {
    local other
    for other in $(others); do
        await "${2:-${step_seconds:-300}}" "$other at '$1'" board_of "$other" "$1|failed"
        expect_fails "waiting for $other at '$1', which has failed" board_of "$other" failed
    done
}
# board_of NODE STEP|...: one of them is on it.
board_of() {
    local steps
    sleep "${step_pause:-0.5}"
    steps=$(timeout 20 bash -c "exec 3<>/dev/tcp/$1/7777 && cat <&3") &&
        grep -q -x -E "$steps_of\.($2)" <<<"$steps"
}
# only_on NUMBER COMMAND...
only_on() { [ "$1" != "$NODE" ] || "${@:2}"; }

# Makes schedd.service one of a cluster, as the example beside the package says; no harm where it is.
join_cluster() {
    local folder=/etc/systemd/system/schedd.service.d other
    if ! [ -e $folder/50-peers.conf ]; then
        install -m 600 /run/guest/cluster/cluster.keys /etc/schedd/cluster.keys
        install -D -m 644 -t $folder /usr/share/doc/schedd/examples/50-peers.conf
        systemctl daemon-reload
        systemctl restart schedd.service
    fi
    for other in $(others); do await 250 "$other is alive" is_seen_as "$other" alive; done
}

# node_fact NAME KEY: what this node knows of another, "" if nothing.
node_fact() {
    schedd-cli nodes --json=short | tr -d '\n' | sed 's/{"/\n{"/g' |
        sed -n "/\"name\":\"$1\"/s/.*\"$2\":\"\{0,1\}\([^,\"}]*\).*/\1/p"
}
is_seen_as() { [ "$(node_fact "$1" state)" = "$2" ]; }
all_have_one_configuration() {
    local node digests=()
    for node in 1 2 3; do digests+=("$(node_fact "node$node" configuration)"); done
    [ -n "${digests[0]}" ] && [ "${digests[0]}" = "${digests[1]}" ] && [ "${digests[0]}" = "${digests[2]}" ]
}
