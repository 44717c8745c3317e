#!/usr/bin/env bash
# The system tier: package, guest, cases. Prints the results, "ok NAME", "not ok NAME: why" or
# "skip NAME: why"; how far it is goes to standard error.
# Usage: run.sh [PATTERN,...] (of names: 'package.*'); run.sh --short (those in short.list); run.sh --shell.
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd "$here/../.." && pwd)
# harness_test.sh plays the guest: a program in the place of boot.sh, a folder of its own
played=${SCHEDD_VM_PLAYED:-}
work=${SCHEDD_VM_WORK:-$root/build/system}
limit=${SCHEDD_VM_SECONDS:-2700} # for the guest, from power on to power off
quiet=${SCHEDD_VM_QUIET:-1000}   # without a new line: longer than any one case may take
silent=${SCHEDD_VM_SILENT:-150}  # without any line: 20 s are usual, and now and then QEMU hangs in the kernel
boots=3
guest=''
ended=''
only=''
short=''

say() { printf 'system: %s\n' "$*" >&2; }
# shellcheck source=tests/system/prepare.sh
source "$here/prepare.sh"
end_guest() { [ -z "$guest" ] || kill -KILL "$guest" 2>/dev/null || true; }
trap end_guest EXIT

booted=0
boot() {
    : >"$work/results"
    booted=$((booted + 1))
    "${played:-$here/boot.sh}" "$image" "$drive" "$work/results" "$work/console" </dev/null \
        >"$work/qemu.log" 2>&1 &
    guest=$!
}

# Shows each new line of the results until the guest ends or its time is over.
follow() {
    local seen=0 lines started=$SECONDS heard=$SECONDS
    while kill -0 "$guest" 2>/dev/null; do
        sleep 1
        lines=$(wc -l <"$work/results")
        if [ "$lines" -gt "$seen" ]; then
            sed -n "$((seen + 1)),${lines}p" "$work/results" | tr -d '\r' |
                sed "s/^/system: $((SECONDS - started)) s: /" >&2
            seen=$lines
            heard=$SECONDS
        elif [ $(((SECONDS - started) % 60)) = 0 ]; then
            say "$((SECONDS - started)) s, $seen lines so far"
        fi
        if [ "$seen" = 0 ] && [ $((SECONDS - started)) -gt "$silent" ] && [ "$booted" -lt "$boots" ]; then
            say "the guest has not come up after $silent s, it is started again"
            end_guest
            wait "$guest" 2>/dev/null || true
            boot
            started=$SECONDS heard=$SECONDS
        elif [ "$seen" = 0 ] && [ $((SECONDS - started)) -gt "$silent" ]; then
            ended="after $silent s of silence"
        elif [ $((SECONDS - started)) -gt "$limit" ]; then
            ended="after $limit s"
        elif [ $((SECONDS - heard)) -gt "$quiet" ]; then
            ended="after $quiet s of silence"
        fi
        if [ -n "$ended" ]; then
            say "the guest is not done, it is ended $ended"
            end_guest
        fi
    done
    wait "$guest" 2>/dev/null || true
    guest=''
}

image=''
drive=$work/drive
# shellcheck disable=SC2034  # short is for no_guest
case ${1:-} in
--shell) drive=$work/drive-shell ;;
--short) short=1 only=$(grep -v '^#' "$here/short.list" | paste -sd,) ;;
*) only=${1:-} ;;
esac
[ -n "$played" ] || prepare
if [ "${1:-}" = --shell ]; then
    say "a shell in a guest with the package installed; cases are in /run/guest/cases; Ctrl-A X ends it"
    exec "$here/boot.sh" --shell "$image" "$drive"
fi
say "booting (at most $limit s); console in $work/console"
boot
follow
[ ! -s "$work/qemu.log" ] || cat "$work/qemu.log" >&2
if [ "$booted" = "$boots" ] && [ ! -s "$work/results" ]; then
    no_guest "it has not come up in $boots tries"
fi
collect "$work/results" guest "$work/console"
