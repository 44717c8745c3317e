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
is "its console is shown" "$(grep -c 'the console' "$work/log")" 1
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
