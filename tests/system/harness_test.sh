#!/usr/bin/env bash
# Tries the system tier itself: guests that hang, say nothing or not enough, played by a few lines of shell.
# shellcheck disable=SC2016  # the guests expand their own arguments
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# A guest is called as boot.sh is: IMAGE DRIVE RESULTS CONSOLE.
cat >"$work/guest" <<'END'
#!/bin/bash
echo "the console" >"$4"
eval "$PLAY"
END
chmod +x "$work/guest"

# plays WHAT PLAY WANTED [PATTERN]: what run.sh reports when the guest does PLAY, with its results in $3.
plays() {
    local what=$1 found
    found=$(PLAY=$2 SCHEDD_VM_PLAYED=$work/guest SCHEDD_VM_WORK=$work SCHEDD_VM_SECONDS=${limit:-3} \
        "$here/run.sh" ${4:+"$4"} 2>"$work/log" || true)
    is "$what" "$found" "$3"
}
is() {
    if [ "$2" = "$3" ]; then
        echo "ok: $1"
    else
        printf 'FAILED: %s: found\n%s\nwanted\n%s\n' "$1" "$2" "$3"
        failures=$((failures + 1))
    fi
}

good='printf "ok package.It_installs\nok a.B\nskip a.C: why\ndone 3\n" >"$3"'
plays "a guest that does as it should" "$good" $'ok package.It_installs\nok a.B\nskip a.C: why'
plays "a guest that hangs is ended and told" 'echo "ok a.B" >"$3"; exec sleep 100' \
    $'ok a.B\nnot ok guest: it was ended after 3 s; it reported 1 results and ended with \'no count\''
is "its console is shown" "$(grep -c '^the console' "$work/log")" 1
limit=60 SCHEDD_VM_QUIET=1 plays "a guest that falls silent" 'echo "ok a.B" >"$3"; exec sleep 100' \
    "ok a.B
not ok guest: it was ended after 1 s of silence; it reported 1 results and ended with 'no count'"
plays "a guest that hangs at once" 'exec sleep 100' \
    'not ok guest: it was ended after 3 s; no case reported anything'
SCHEDD_VM_SILENT=1 plays "a guest that does not come up is started again" \
    "[ -e '$work/tried' ] || { touch '$work/tried'; exec sleep 100; }; $good" \
    $'ok package.It_installs\nok a.B\nskip a.C: why'
limit=60 SCHEDD_VM_SILENT=1 plays "a guest that never comes up fails who asked for it" 'exec sleep 100' \
    'not ok guest: it has not come up in 3 tries'
limit=60 SCHEDD_VM_SILENT=1 plays "and is skipped beside other tests" 'exec sleep 100' \
    'skip guest: it has not come up in 3 tries' --short
plays "a guest without its last line" 'printf "ok a.B\nok a.C\n" >"$3"' \
    $'ok a.B\nok a.C\nnot ok guest: it reported 2 results and ended with \'no count\''
plays "a guest that lost a result" 'printf "ok a.B\ndone 2\n" >"$3"' \
    $'ok a.B\nnot ok guest: it reported 1 results and ended with \'2\''
plays "a guest that says nothing" ':' 'not ok guest: no case reported anything'
plays "a guest that says it ran nothing" 'echo "done 0" >"$3"' 'not ok guest: no case reported anything'
plays "a pattern that nothing matches" 'printf "ok package.It_installs\ndone 1\n" >"$3"' \
    $'ok package.It_installs\nnot ok guest: no case is called nosuch.*' 'nosuch.*'
plays "a guest that cannot be started" 'exit 3' 'not ok guest: no case reported anything'

# The machines of a cluster, of which each plays the same; $SCHEDD_VM_NODE tells which it is.
clusters() {
    local what=$1 found
    found=$(PLAY=$2 SCHEDD_VM_PLAYED=$work/guest SCHEDD_VM_WORK=$work SCHEDD_VM_SECONDS=${limit:-3} \
        "$here/cluster.sh" "${@:4}" 2>"$work/log" || true)
    is "$what" "$found" "$3"
}
both='printf "ok package.It_installs\nok a.B\ndone 2\n" >"$3"'
all_of() { printf 'ok node%s.package.It_installs\nok node%s.a.B\n' "$1" "$1"; }
limit=60 clusters "machines that do as they should" "$both" "$(all_of 1; all_of 2; all_of 3)"
limit=60 clusters "one that does not work as the others" \
    "[ \$SCHEDD_VM_NODE = 2 ] && printf 'ok a.B\nnot ok a.C: why\n' >\"\$3\" || { $both; }" \
    "$(all_of 1)
ok node2.a.B
not ok node2.a.C: why
not ok node2: it reported 2 results and ended with 'no count'
$(all_of 3)"
clusters "one that hangs" "[ \$SCHEDD_VM_NODE = 3 ] && { echo 'ok a.B' >\"\$3\"; exec sleep 100; }; $both" \
    "$(all_of 1; all_of 2)
ok node3.a.B
not ok node3: it was ended after 3 s; it reported 1 results and ended with 'no count'"
limit=60 SCHEDD_VM_SILENT=1 clusters "one that does not come up is started again" \
    "[ \$SCHEDD_VM_NODE != 1 ] || [ -e '$work/again' ] || { touch '$work/again'; exec sleep 100; }; $both" \
    "$(all_of 1; all_of 2; all_of 3)"
limit=60 SCHEDD_VM_SILENT=1 clusters "one that never comes up" \
    "[ \$SCHEDD_VM_NODE != 1 ] || exec sleep 100; $both" \
    "not ok node1: it was ended since node1 has not come up in 3 tries; no case reported anything
$(all_of 2; all_of 3)"
clusters "a file of cases that is not there" "$both" \
    "not ok guest: there is no $here/guest/nosuch.sh" guest/nosuch.sh

# How ./dev counts what was reported.
counting=$(sed -n '/^start_guests() {/,/^}/p; /^collect_guests() {/,/^}/p' "$here/../../dev")
counts_of() {
    bash -c "set -euo pipefail
        root=$work/root passed=0 failed=0 skipped=0 guests=''
        say() { echo \"\$*\" >&2; }
        $counting
        start_guests \"\$@\"; collect_guests cluster
        echo \$passed \$failed \$skipped" - "$@" 2>"$work/log"
}
mkdir -p "$work/root/tests/system"
printf '#!/bin/sh\nprintf "%%s\\n" "$@"\n' >"$work/root/tests/system/told"
chmod +x "$work/root/tests/system/told"
is "what a cluster reports is counted" \
    "$(counts_of told 'ok a' 'ok b' 'not ok c: why' 'skip d: not here')" "2 1 1"
is "and what failed is shown" "$(grep -c -x -e 'FAILED: c: why' -e 'skipped: d: not here' "$work/log")" 2
is "nothing is a failure" "$(counts_of told '')/$(counts_of true)" "0 1 0/0 1 0"

# What a case comes to, by the very function of the guest.
counted=$(sed -n '/^counted() {/,/^}/p' "$here/guest/start.sh" | sed "s,/run/case.log,$work/case.log,")
result_of() {
    bash -c "set -euo pipefail
        count=0; journalctl() { :; }; report() { echo \"\$*\" >&3; }
        $counted
        counted a.B \"\$@\" 3>&1" - "$@" 2>/dev/null | grep -v '^#' || true
}
is "a case that fails without a word" "$(result_of false)" "not ok a.B: no output (exit 1)"
is "a case that fails and says why" "$(result_of bash -c 'echo one; echo why; exit 4')" \
    "not ok a.B: why (exit 4)"
is "a case that is skipped" "$(result_of bash -c 'echo "skip: not here"; exit 77')" "skip a.B: not here"
is "a case that is killed" "$(result_of bash -c 'kill -KILL $$')" "not ok a.B: no output (exit 137)"
is "a case that is not there" "$(result_of /nonexistent | sed 's/: .*(/: (/')" "not ok a.B: (exit 127)"
is "a case that is well" "$(result_of true)" "ok a.B"

# Each pattern of the short list still means a case.
unmatched() {
    local pattern file
    grep -v '^#' "$here/short.list" | while read -r pattern; do
        file=$here/cases/${pattern%%.*}.sh
        # shellcheck disable=SC2254  # a pattern is meant
        for name in $(sed -n 's/^\([A-Z][A-Za-z0-9_]*\)() {.*/\1/p' "$file" 2>/dev/null); do
            case ${pattern%%.*}.$name in $pattern) continue 2 ;; esac
        done
        echo "$pattern"
    done
}
is "the short list names cases that there are" "$(unmatched)" ""

exit $((failures > 0))
