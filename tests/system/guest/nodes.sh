#!/bin/bash
# For the cases of several machines, which each runs in step with the others; $NODE says on which. Sourced by
# case.sh there. `ssh node2 COMMAND` works as root between all of them.
set -euo pipefail

others() { for node in 1 2 3; do [ "$node" = "$NODE" ] || echo "node$node"; done; }
link() { cat /run/cluster-link; }

# Waits until all have come to the same place: each writes the name on its board, which is asked by TCP. That
# needs neither schedd nor SSH. A name is used once. in_step NAME [SECONDS]
in_step() {
    local other
    echo "$1" >>/run/steps
    for other in $(others); do await "${2:-250}" "$other at '$1'" has_come "$other" "$1"; done
}
has_come() {
    local steps
    sleep 0.5
    steps=$(timeout 20 bash -c "exec 3<>/dev/tcp/$1/7777 && cat <&3") && grep -q -x "$2" <<<"$steps"
}
# only_on NUMBER COMMAND...
only_on() { [ "$1" != "$NODE" ] || "${@:2}"; }

# Makes schedd.service one of a cluster, as the example beside the package says; no harm where it is.
join_cluster() {
    local folder=/etc/systemd/system/schedd.service.d other
    install -m 600 /run/guest/cluster/cluster.keys /etc/schedd/cluster.keys
    if ! [ -e $folder/50-peers.conf ]; then
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
is_gone() { [[ $(node_fact "$1" state) =~ ^(dead|left)$ ]]; }
all_have_one_configuration() {
    local node digests=()
    for node in 1 2 3; do digests+=("$(node_fact "node$node" configuration)"); done
    [ -n "${digests[0]}" ] && [ "${digests[0]}" = "${digests[1]}" ] && [ "${digests[0]}" = "${digests[2]}" ]
}
