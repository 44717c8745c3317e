#!/bin/bash
# Runs one case: case.sh FILE FUNCTION. The helpers are for the cases.
set -euo pipefail

# Ends the case as skipped or failed; the last line of its output is the reason.
skip() { echo "skip: $*"; exit 77; }
fail() { echo "$*"; exit 1; }

# expect WHAT COMMAND...: the command succeeds.
expect() {
    local what=$1
    shift
    "$@" || fail "$what: failed: $*"
}
# expect_fails WHAT COMMAND...: it does not, whatever it exits with.
expect_fails() {
    local what=$1
    shift
    if "$@"; then fail "$what: succeeded: $*"; fi
}
# same WHAT FOUND WANTED
same() { [ "$2" = "$3" ] || fail "$1: is '$2', not '$3'"; }

# await SECONDS WHAT COMMAND...: the command succeeds some time. The emulated machine is slow: be generous.
await() {
    local end=$((SECONDS + $1)) what=$2 seconds=$1
    shift 2
    while :; do
        if "$@" >/dev/null 2>&1; then return 0; fi
        [ $SECONDS -lt $end ] || fail "$what: not within $seconds s"
        sleep 0.2
    done
}

# number WHAT VALUE: one that was measured; told with the results, whatever becomes of the case.
number() { echo "number: $1: $2"; }

apt_quiet() { DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@"; }
# property UNIT NAME: as systemd sees it.
property() { systemctl show --value -p "$2" "$1"; }
# The daemon's pid; fails if it does not run.
daemon_pid() {
    local pid
    pid=$(property schedd.service MainPID)
    [ "$pid" != 0 ] && echo "$pid"
}

# The CPUs of all threads of a process, one line each; those that threads of a control group's processes have.
cpus_of() { sed -n 's/^Cpus_allowed_list:\t//p' /proc/"$1"/task/*/status; }
cpus_in() {
    local pid
    while read -r pid; do cpus_of "$pid"; done </sys/fs/cgroup/"$1"/cgroup.procs | sort -u
}
is_narrow() { [ "$(cpus_of "$1" | sort -u)" != 0-7 ]; }
runs_on() { [ "$(cpus_of "$1" | sort -u)" = "$2" ]; }

# spin NAME [OPTION...]: work that always wants a CPU, as test-NAME.service; options are systemd-run's.
# Puts its pid out. All units test-* are stopped after the case.
spin() {
    local name=$1
    shift
    systemd-run --quiet --unit="test-$name" --collect "$@" /bin/bash -c 'while :; do :; done' >&2
    property "test-$name.service" MainPID
}

# CPU_LB, which spreads its members over the cores.
balancer() {
    schedd-cli create probes/cpu
    schedd-cli set probes/cpu.probe_period 500
    schedd-cli create schedulers/CPU_LB
    schedd-cli create schedulers/CPU_LB/load_balancing
    schedd-cli set schedulers/CPU_LB/load_balancing.level core
    schedd-cli link cpu/node_load schedulers/CPU_LB/load_balancing/node_load
    schedd-cli link cpu/process_load schedulers/CPU_LB/load_balancing/process_load
}

# shellcheck source=tests/system/guest/units.sh
source "${BASH_SOURCE[0]%/*}/units.sh"
# shellcheck source=tests/system/guest/machine.sh
source "${BASH_SOURCE[0]%/*}/machine.sh"
# shellcheck source=tests/system/guest/nodes.sh
[ -z "${NODE:-}" ] || source "${BASH_SOURCE[0]%/*}/nodes.sh"
# shellcheck disable=SC1090  # whichever case is asked for
source "$1"
"$2"
