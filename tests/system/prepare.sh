#!/usr/bin/env bash
# For run.sh and cluster.sh, which source it: package, image and second drive.
# shellcheck disable=SC2034,SC2154  # here, work, drive and only are theirs
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

# Makes $drive of the package and $here's cases, $only among them, and the cluster's $key if there is one.
# Sets $image.
prepare() {
    local package needs folder
    mkdir -p "$work"
    say "making the package"
    package=$("$here/../../debian/package.sh") || broken "the package cannot be made"
    needs=()
    while read -r folder; do needs+=("$folder"); done < <(dpkg-deb -f "$package" Depends | tr ',' '\n' |
        sed 's/^ *//; s/[ (|:].*//')
    image=$("$here/image.sh" "${needs[@]}") || no_guest "its image cannot be made"
    folder=$(mktemp -d "$work/drive.XXXXXX")
    cp -r "$package" "$here/guest" "$here/cases" "$folder/"
    mv "$folder/guest/start.sh" "$folder/"
    echo "$only" >"$folder/only"
    [ -z "${key:-}" ] || echo "1 $key" >"$folder/guest/cluster.keys"
    g++ -std=c++23 -O1 -shared -fPIC -o "$folder/guest/crash.so" "$here/guest/crash.cpp" ||
        broken "what the daemon is killed by cannot be built"
    chmod -R a+rX "$folder"
    rm -f "$drive" # a guest that still has the old one keeps it
    mke2fs -q -F -t ext4 -d "$folder" "$drive" 128M >/dev/null ||
        broken "the second drive cannot be made"
    rm -rf "$folder"
}
