#!/bin/bash
# The real polkitd: it allows, it refuses, it asks for a password, it is killed, it is not there.
set -euo pipefail

rules=/etc/polkit-1/rules.d/10-test-schedd.rules

# allowed ACTION: alice may do this without a question, and nothing else.
allowed() {
    cat >$rules <<END
polkit.addRule(function(action, subject) {
    if (action.id == "$1" && subject.user == "alice") return polkit.Result.YES;
});
END
    systemctl restart polkit.service
}
no_rules() {
    rm -f $rules
    systemctl unmask --runtime polkit.service
    systemctl restart polkit.service
}
as_alice() { runuser -u alice -- "$@"; }
# asked CODE WHAT: alice's schedd-cli ended so.
refused() {
    local code=0
    as_alice schedd-cli --no-ask-password "${@:2}" >/run/test-said 2>&1 || code=$?
    cat /run/test-said
    same "exit code of ${*:2}" "$code" "$1"
}
has_probe() { schedd-cli get "probes/$1" >/dev/null 2>&1; }

Polkit_allows_what_its_rules_allow_and_no_more() {
    configured_balancer
    sleeper one
    refused 4 attach CPU_LB unit:test-one.service
    allowed org.schedd1.attach
    as_alice schedd-cli attach CPU_LB unit:test-one.service || fail "what a rule allows is refused"
    schedd-cli tree --list=members | grep -q test-one || fail "it is not attached"
    as_alice schedd-cli detach CPU_LB unit:test-one.service || fail "what a rule allows is refused"
    refused 4 create probes/mem
    if has_probe mem; then fail "it was done all the same"; fi
    # a property is set by the same rule as its method
    allowed org.schedd1.configure
    as_alice busctl --system set-property org.schedd1 /org/schedd1/probes/cpu org.schedd1.Probe \
        ProbePeriod t 4000 || fail "a rule allows to set it"
    same "the period" "$(schedd-cli get probes/cpu.probe_period)" 4000
    no_rules
}

Polkit_that_is_killed_refuses_nobody_for_ever() {
    local before pid
    configured_balancer
    before=$(daemon_pid)
    allowed org.schedd1.configure
    pid=$(property polkit.service MainPID)
    # killed while it has a question: halted first, so that it cannot answer
    kill -STOP "$pid"
    as_alice schedd-cli --no-ask-password create probes/mem >/run/test-said 2>&1 &
    sleep 3
    expect "root needs no polkit" schedd-cli create probes/pressure
    if has_probe mem; then fail "done without an answer"; fi
    kill -KILL "$pid"
    wait $! && fail "done without an answer"
    cat /run/test-said
    if has_probe mem; then fail "done without an answer"; fi
    # the bus starts it again for the next question
    expect "the next one" as_alice schedd-cli create probes/mem
    same "the daemon" "$(daemon_pid)" "$before"
    no_rules
}

Without_polkit_only_root_changes_anything() {
    configured_balancer
    systemctl mask --runtime polkit.service
    systemctl stop polkit.service
    refused 4 create probes/mem
    expect "reading" as_alice schedd-cli status
    expect "root" schedd-cli create probes/mem
    no_rules
}

# on_a_terminal PASSWORD COMMAND...: a terminal of alice's, in a session, without which polkit knows no agent;
# her password is typed when it is asked for. What is on the terminal is in /run/test-said.
on_a_terminal() {
    local asks
    rm -f /run/test-typed /run/test-said
    mkfifo /run/test-typed
    timeout 60 systemd-run --quiet --wait --pipe --collect --uid=alice --property=PAMName=login \
        script -q -e -c "${*:2}" /dev/null </run/test-typed >/run/test-said 2>&1 &
    exec {asks}>/run/test-typed
    await 30 "a question for a password" grep -q 'Password:' /run/test-said
    echo "$1" >&"$asks"
    await 30 "an answer" grep -q 'AUTHENTICATION [CF]' /run/test-said
    await 30 "the end of schedd-cli" has_ended
    exec {asks}>&-
    kill $! || true # script goes on without its command
    cat -v /run/test-said
}
has_ended() { ! pgrep -x schedd-cli; }

A_password_is_asked_for_on_the_terminal() {
    configured_balancer
    usermod -a -G sudo alice # who may answer for root, on Debian
    echo alice:right | chpasswd
    on_a_terminal wrong schedd-cli create probes/mem
    grep -q 'permission denied' /run/test-said || fail "nobody says that it is denied"
    grep -q 'Authentication is required to change the schedulers' /run/test-said || fail "nobody asked"
    if has_probe mem; then fail "done with a wrong password"; fi
    on_a_terminal right schedd-cli create probes/mem
    has_probe mem || fail "not done with the right password"
    if pgrep -x pkttyagent; then fail "the agent is still there"; fi
    gpasswd -d alice sudo
    passwd -d alice
}
