#!/bin/bash
# In the guest: installs the package, then runs the cases, or leaves the machine to who sits at the console.
# What comes of it goes to the second serial port, a line each: "ok NAME", "not ok NAME: why",
# "skip NAME: why", "# remark"; the last one is "done N".
set -euo pipefail

here=/run/guest
case_seconds=180
count=0
export DEBIAN_FRONTEND=noninteractive

report() { printf '%s\n' "$*" >&3; }

mode=$(sed -n 's/.*schedd\.mode=\([a-z]*\).*/\1/p' /proc/cmdline)
only=$(cat $here/only)
# of several machines: its number; then cases are run in step with the others, with no fresh start before each
node=$(sed -n 's/.*schedd\.node=\([0-9]*\).*/\1/p' /proc/cmdline)

install_package() {
    # apt wants to read the file as a user of its own
    install -D -t /var/cache/schedd-test "$here"/schedd_*.deb
    apt-get install -q -y -o Dpkg::Use-Pty=0 /var/cache/schedd-test/schedd_*.deb
}

# counted NAME COMMAND...: reports how the command ended; its output only if it failed.
counted() {
    local name=$1 log=/run/case.log code=0 why since
    shift
    since=$(date +%s)
    count=$((count + 1))
    "$@" >"$log" 2>&1 </dev/null || code=$?
    sed -n 's/^number: /# number: /p' "$log" >&3
    why=$(grep -a . "$log" | tail -n 1 | tr -d '\r' | cut -c1-300 || true)
    case $code in
    0) report "ok $name" ;;
    77) report "skip $name: ${why#skip: }" ;;
    *)
        report "not ok $name: ${why:-no output} (exit $code)"
        { tail -n 30 "$log" && journalctl -q -S "@$since" -n 20 -u schedd.service -o cat; } |
            tr -d '\r' | sed 's/^/#   /' >&3
        ;;
    esac
}

# What no case may inherit from the one before.
fresh() {
    [ -x /usr/sbin/schedd ] || install_package
    systemctl stop 'test-*' schedd.service || true
    for cpu in /sys/devices/system/cpu/cpu*/online; do echo 1 >"$cpu"; done
    rm -rf /usr/local/bin/test-* /var/lib/schedd /run/schedd
    rm -rf /run/systemd/system{,.control}/test-* /run/systemd/test-*
    rm -rf /etc/schedd/schedd.conf /etc/schedd/schedulers.d/*
    rm -f /etc/polkit-1/rules.d/10-test-* /run/systemd/system/polkit.service
    find /etc/systemd/system /run/systemd -name '*schedd*.conf' ! -name '50-root.conf' -delete
    systemctl daemon-reload
    systemctl reset-failed
    systemctl start schedd.service || true
} >/dev/null 2>&1

# Each case is a unit of its own, so that nothing it started outlives it, and has a time limit, which its file
# may raise by the comment "Seconds for a case: N".
run_case() {
    local unit=schedd-case-$count seconds code=0 began=$SECONDS
    seconds=$(sed -n 's/^# Seconds for a case: \([0-9]*\)$/\1/p' "$1")
    seconds=${seconds:-$case_seconds}
    systemd-run --quiet --wait --pipe --collect --unit="$unit" --property=TimeoutStopSec=5 \
        --property=RuntimeMaxSec="$seconds" --setenv=HOME=/root --setenv=NODE="$node" \
        "$here/guest/case.sh" "$1" "$2" || code=$?
    if [ $((SECONDS - began)) -ge "$seconds" ]; then echo "it was ended after $seconds s"; fi
    return $code
}

# Whether the name is one of those that are asked for, patterns with commas between them.
is_wanted() {
    local pattern patterns
    IFS=, read -r -a patterns <<<"${only:-*}"
    for pattern in "${patterns[@]}"; do
        # shellcheck disable=SC2254  # a pattern is meant
        case $1 in $pattern) return 0 ;; esac
    done
    return 1
}

# run_file FILE PREPARE: its cases that are asked for, each after that.
run_file() {
    local function name
    for function in $(sed -n 's/^\([A-Z][A-Za-z0-9_]*\)() {.*/\1/p' "$1"); do
        name=$(basename "$1" .sh).$function
        is_wanted "$name" || continue
        "$2"
        counted "$name" run_case "$1" "$function"
    done
}
run_cases() {
    local file
    for file in "$here"/cases/*.sh; do run_file "$file" fresh; done
}
# The machines of a cluster run the same cases at the same time, and wait for each other in them.
run_cluster() {
    local file other end
    while read -r file; do run_file "$here/$file" :; done <"$here/cluster/files"
    # who has ended first stays until the others have seen where it was (nodes.sh)
    echo end >>/run/steps
    end=$((SECONDS + 120))
    for other in 1 2 3; do
        until [ $SECONDS -gt $end ] || has_ended "node$other"; do sleep 1; done
    done
    sleep 10
}
has_ended() {
    local steps
    steps=$(timeout 20 bash -c "exec 3<>/dev/tcp/$1/7777 && cat <&3" 2>/dev/null) &&
        grep -q -x end <<<"$steps"
}

if [ "$mode" = shell ]; then
    install_package
    exit
fi
exec 3>/dev/ttyS1
stty -F /dev/ttyS1 raw -echo || true
trap 'report "# the guest ends"; sync; systemctl poweroff -f -f' EXIT
if [ -n "$node" ]; then "$here/guest/join.sh" "$node"; fi
report "# the guest is up after $(cut -d. -f1 /proc/uptime) s: $(uname -r), $(systemctl --version | sed q)"
counted package.It_installs install_package
if [ -x /usr/sbin/schedd ]; then
    if [ -n "$node" ]; then run_cluster; else run_cases; fi
fi
report "# the cases are done after $(cut -d. -f1 /proc/uptime) s"
report "done $count"
