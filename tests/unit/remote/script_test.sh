#!/usr/bin/env bash
# Tries what schedd-migrate does when a move is given up in the middle: folders of its own, criu and the other
# node played by a few lines of shell. Moves that go well, with the real ones, are for the guests.
# shellcheck disable=SC2317  # check calls them
set -euo pipefail

script=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../../.." && pwd)/service/remote/schedd-migrate
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SCHEDD_MIGRATE_DIR=$work/dir SCHEDD_MIGRATE_RUN=$work/run SCHEDD_MIGRATE_GROUPS=$work/groups
export SCHEDD_MIGRATE_TRANSIENT=$work/transient SCHEDD_MIGRATE_PROC=$work/proc PATH=$work/bin:$PATH
unit=work.service
out=$work/dir/out/$unit
in=$work/dir/in/$unit
failures=0

check() {
    local what=$1
    shift
    if "$@"; then
        echo "ok: $what"
    else
        echo "FAILED: $what"
        failures=$((failures + 1))
    fi
}
not() { ! "$@"; }
says() { grep -q "$1" "$work/said" || { cat "$work/said" && false; }; }
# What look leaves behind, of a unit whose only process, 77, is number 1 in its own PID namespace.
look_at_it() {
    rm -rf "$work/dir" "$work/sent"
    mkdir -p "$out/images" "$work/groups/g" "$work/proc/77" "$work/bin"
    echo /g >"$out/group"
    echo id=5 >"$out/move"
    echo 77 >"$work/groups/g/cgroup.procs"
    printf 'State:\tT (stopped)\nNSpid:\t77\t1\n' >"$work/proc/77/status"
}
# criu_does LINE: what is done in place of criu
criu_does() {
    printf '#!/bin/bash\n%s\n' "$1" >"$work/bin/criu"
    chmod +x "$work/bin/criu"
}
carry() { "$script" carry "$unit" -- bash -c "cat >'$work/sent'" >/dev/null 2>"$work/said"; }

look_at_it
criu_does "echo pages >'$out/images/pages'"
check "what is dumped is sent" carry
check "whole" grep -q dumping <(tar -tf "$work/sent")
check "and nobody waits for the dump any more" not test -e "$out/dumper"

look_at_it
criu_does "touch '$out/given-up'"
check "what is given up during the dump" not carry
check "is not sent" not test -e "$work/sent"
check "and says so" says "given up meanwhile"

look_at_it
touch "$out/given-up"
criu_does "touch '$work/dumped'"
check "what is given up before" not carry
check "is not even dumped" not test -e "$work/dumped"

look_at_it
mkdir -p "$work/proc/99"
printf '%s\0' /bin/bash "$script" carry "$unit" >"$work/proc/99/cmdline"
echo 99 >"$out/dumper"
touch "$out/dumping"
(sleep 1 && rm "$work/proc/99/cmdline") &
check "what is being dumped is thawed" "$script" thaw "$unit"
check "after the dump" not test -e "$work/proc/99/cmdline"
check "and nothing is left of it" not test -e "$out"

look_at_it
printf '%s\0' /usr/bin/sleep infinity >"$work/proc/99/cmdline"
echo 99 >"$out/dumper"
touch "$out/dumping"
check "nobody waits for who has that pid after a reboot" timeout 20 "$script" thaw "$unit"

mkdir -p "$in"
mkdir -p "$work/dir/images"
echo id=5 >"$in/move"
check "images without their end" not "$script" restore "$unit" 5 2>"$work/said" \
    < <(tar -C "$work/dir" -cf - images)
check "are not restored" not test -e "$in/restored"
check "and that is said" says "not come whole"

# A unit of that name has come since the other side was asked: systemd, played, refuses a second one.
printf '#!/bin/bash\necho "Unit %s was already loaded or has a fragment file." >&2\nexit 1\n' "$unit" \
    >"$work/bin/systemd-run"
printf '#!/bin/bash\necho "$*" >>"%s"\n' "$work/asked" >"$work/bin/systemctl"
chmod +x "$work/bin/systemd-run" "$work/bin/systemctl"
: >"$work/asked"
comes_whole() {
    mkdir -p "$in" "$work/dir/images" "$work/transient"
    touch "$work/dir/dumping" "$in/unit"
    echo id=5 >"$in/move"
    "$script" restore "$unit" 5 2>"$work/said" < <(tar -C "$work/dir" -cf - images dumping)
}
check "a copy beside a unit of that name" not comes_whole
check "is refused by systemd" says "already loaded"
check "which is not ended" not grep -q kill "$work/asked"
touch "$work/transient/$unit"
check "nor one that systemd-run has made" not comes_whole
check "which is seen" says "there is a $unit already"
check "and not ended" not grep -q kill "$work/asked"

exit $((failures > 0))
