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
    local seconds=$1 what=$2 i
    shift 2
    for ((i = 0; i < seconds * 5; ++i)); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.2
    done
    fail "$what: not within $seconds s"
}

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

# Everything about placement that can be read of a machine: what to compare before and after.
snapshot() {
    find /sys/fs/cgroup \( -name cpuset.cpus -o -name cpuset.mems -o -name cpu.weight -o -name cpu.max \) |
        sort | while read -r file; do echo "$file: $(cat "$file")"; done
}
# unchanged BEFORE: fails with what differs between an earlier snapshot and now.
unchanged() {
    local changes
    changes=$(diff <(echo "$1") <(snapshot)) ||
        fail "the machine is not as it was: $(paste -sd' ' <<<"$changes")"
}

# shellcheck disable=SC1090  # whichever case is asked for
source "$1"
"$2"
