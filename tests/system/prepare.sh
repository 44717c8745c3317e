#!/usr/bin/env bash
# For run.sh and cluster.sh, which source it: package, image and second drive; what came of a guest.
# shellcheck disable=SC2034,SC2154  # here, work, drive, only, nodes and files are theirs
set -euo pipefail

# What did not work before there was a guest to ask counts as one failed test.
broken() {
    say "$*"
    echo "not ok guest: $*"
    exit 1
}
# No fault of ours: there is nothing to boot, or it does not come up. Beside other tests that is skipped and
# told; who asks for this tier alone wants it.
no_guest() {
    [ "${short:-}" = 1 ] || broken "$*"
    say "$*"
    echo "skip guest: $*"
    exit 0
}

# What the machines of a cluster share: the key that an administrator makes for schedd, by the package's own
# tool, and for SSH a key of root and one of each host. They are as old as the run.
# cluster_keys PACKAGE FOLDER
cluster_keys() {
    local node key keys=$2/cluster tool=$2/schedd-cli
    mkdir -p "$keys"
    dpkg-deb --fsys-tarfile "$1" | tar -xO ./usr/bin/schedd-cli >"$tool" || return
    chmod +x "$tool"
    "$tool" nodes keygen "$keys/cluster.keys" >/dev/null || return
    rm "$tool"
    ssh-keygen -q -t ed25519 -N '' -C root -f "$keys/root" || return
    # a disk to be filled; one with an error is only read-only if it has a journal
    mke2fs -q -F -t ext4 -b 1024 -m 0 -J size=1 "$keys/small.ext4" 4M >/dev/null || return
    for ((node = 1; node <= nodes; ++node)); do
        ssh-keygen -q -t ed25519 -N '' -C "node$node" -f "$keys/host-$node" || return
        key=$(cut -d' ' -f1,2 "$keys/host-$node.pub")
        echo "node$node,10.77.0.$node,fd77::$node $key" >>"$keys/known_hosts"
    done
}

# Makes $drive of the package and $here's cases, $only among them. With $nodes for that many machines of a
# cluster, which run the cases of $files. Sets $image.
prepare() {
    local package needs folder
    mkdir -p "$work"
    package=${SCHEDD_VM_PACKAGE:-}
    if [ -z "$package" ]; then
        say "making the package"
        # without that of debug information, which takes as long as all else
        package=$(DEB_BUILD_OPTIONS=noautodbgsym "$here/../../debian/package.sh") ||
            broken "the package cannot be made"
    fi
    [ -e "$package" ] || broken "there is no package $package"
    needs=()
    while read -r folder; do needs+=("$folder"); done < <(dpkg-deb -f "$package" Depends | tr ',' '\n' |
        sed 's/^ *//; s/[ (|:].*//')
    image=$("$here/image.sh" "${needs[@]}") || no_guest "its image cannot be made"
    folder=$(mktemp -d "$work/drive.XXXXXX")
    cp -r "$here/guest" "$here/cases" "$folder/"
    cp "$package" "$folder/schedd_package.deb"
    mv "$folder/guest/start.sh" "$folder/"
    echo "$only" >"$folder/only"
    if [ -n "${nodes:-}" ]; then
        cluster_keys "$package" "$folder" || broken "the keys of the cluster cannot be made"
        printf '%s\n' "${files[@]}" >"$folder/cluster/files"
    else
        g++ -std=c++23 -O1 -shared -fPIC -o "$folder/guest/crash.so" "$here/guest/crash.cpp" ||
            broken "what the daemon is killed by cannot be built"
    fi
    chmod -R a+rX "$folder"
    rm -f "$drive" # a guest that still has the old one keeps it
    mke2fs -q -F -t ext4 -d "$folder" "$drive" 128M >/dev/null ||
        broken "the second drive cannot be made"
    rm -rf "$folder"
}

# The results of a guest, with its name before each where it is one of several, and a failure of its own
# unless it said how many there are, and there are that many. collect RESULTS NAME CONSOLE
collect() {
    local results found announced why='' before=''
    [ "$2" = guest ] || before=$2.
    results=$(tr -d '\r' <"$1" | grep -a -E '^(ok|not ok|skip|done) ' || true)
    sed -n -E "s/^(ok|not ok|skip) /\\1 $before/p" <<<"$results"
    found=$(grep -c -E '^(ok|not ok|skip) ' <<<"$results" || true)
    announced=$(sed -n 's/^done \([0-9]*\)$/\1/p' <<<"$results")
    if [ "$found" = 0 ]; then why="no case reported anything"; fi
    if [ "$found" != 0 ] && [ "$announced" != "$found" ]; then
        why="it reported $found results and ended with '${announced:-no count}'"
    fi
    # the installation is always among them
    if [ -z "$why" ] && [ "$found" = 1 ] && [[ ${only:-} != package.It_installs* ]]; then
        why="no case is called ${only:-anything}"
    fi
    [ -n "$why" ] || return 0
    if [ -n "$ended" ]; then why="it was ended $ended; $why"; fi
    echo "not ok $2: $why"
    say "$2: its console ends:"
    tail -n 40 "$3" | tr -d '\r' >&2
}
