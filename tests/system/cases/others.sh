#!/bin/bash
# Others beside schedd: those who may not change anything, and those who change the same things.
set -euo pipefail

as_nobody() { runuser -u nobody -- "$@"; }
state_now() { schedd-cli export --verbs && schedd-cli tree --list=members; }

Nobody_may_use_a_changing_verb() {
    local before verb said code
    configured_balancer
    sleeper one
    schedd-cli attach CPU_LB unit:test-one.service
    before=$(state_now)
    printf 'create probes/mem\n' >/run/test-recipe
    while read -r verb; do
        code=0
        # shellcheck disable=SC2086  # the words of a command line
        said=$(as_nobody schedd-cli --no-ask-password $verb 2>&1) || code=$?
        echo "$verb: $code: $said"
        same "exit code of $verb" "$code" 4
        same "the state after $verb" "$(state_now)" "$before"
    done <<'END'
create probes/mem
create schedulers/X
set probes/cpu.probe_period 4000
set schedulers/CPU_LB/load_balancing.level l3
set schedulers/CPU_LB.precedence 5
remove -r schedulers/CPU_LB
link cpu/node_load schedulers/CPU_LB/load_balancing/node_load
unlink schedulers/CPU_LB/load_balancing/node_load
attach CPU_LB unit:test-two.service
detach CPU_LB unit:test-one.service
apply /run/test-recipe
reload
END
    expect "reading" as_nobody schedd-cli status
    expect "verifying" as_nobody schedd-cli explain CPU_LB
}

# Every method that takes options at its end changes something.
Nobody_may_call_a_changing_method() {
    local before method arguments said
    configured_balancer
    before=$(state_now)
    while read -r method arguments; do
        # shellcheck disable=SC2086  # the words of a command line
        if said=$(as_nobody busctl --system call org.schedd1 /org/schedd1 org.schedd1.Manager "$method" \
            $arguments 2>&1); then fail "$method is done for nobody: $said"; fi
        echo "$method: $said"
        grep -q -i 'denied\|authoriz\|may ' <<<"$said" || fail "$method fails otherwise: $said"
        same "the state after $method" "$(state_now)" "$before"
    done <<'END'
Create ssa{sv} probes/mem mem 0
Remove sa{sv} schedulers/CPU_LB 1 recursive b true
Write ssva{sv} probes/cpu probe_period s 4000 0
Link ssa{sv} cpu/node_load schedulers/CPU_LB/load_balancing/node_load 0
Unlink sa{sv} schedulers/CPU_LB/load_balancing/node_load 0
Apply sa{sv} [] 1 format s verbs
Attach ssa{sv} CPU_LB unit:test-one.service 0
Detach ssa{sv} CPU_LB unit:test-one.service 0
Reload a{sv} 0
END
    if as_nobody busctl --system set-property org.schedd1 /org/schedd1/probes/cpu org.schedd1.Probe \
        ProbePeriod t 4000; then fail "a property is set for nobody"; fi
    same "the state after it" "$(state_now)" "$before"
}

What_systemctl_revert_takes_away_is_noticed() {
    local before
    sleeper one
    sleeper two
    before=$(snapshot)
    configured_balancer
    schedd-cli attach CPU_LB unit:test-one.service unit:test-two.service
    await 60 "one placed" is_placed one
    await 60 "applied" has_state one applied
    systemctl revert test-one.service
    # theirs, or put right: said is what is
    await 60 "it is noticed" settled
    schedd-cli explain unit:test-one.service
    sound
    schedd-cli detach CPU_LB unit:test-one.service unit:test-two.service
    schedd-cli verify
    await 30 "one free" is_free one
    await 30 "two free" is_free two
    same "drop-ins left" "$(left_by_schedd)" ""
    soon_unchanged "$before"
}
settled() { has_state one foreign || { has_state one applied && is_placed one; }; }

What_somebody_else_set_is_left_and_the_rest_is_put_back() {
    local before
    sleeper one
    sleeper two
    before=$(snapshot)
    configured_balancer
    schedd-cli attach CPU_LB unit:test-one.service unit:test-two.service
    await 60 "one placed" is_placed one
    await 60 "two placed" is_placed two
    systemctl set-property --runtime test-one.service AllowedCPUs=6-7
    await 60 "foreign" has_state one foreign
    sound
    schedd-cli detach CPU_LB unit:test-one.service unit:test-two.service
    await 30 "two free" is_free two
    same "AllowedCPUs of one" "$(property test-one.service AllowedCPUs)" 6-7
    # what they do to get it back is what brings the machine back
    systemctl set-property --runtime test-one.service AllowedCPUs=0-7
    systemctl revert test-one.service
    systemctl daemon-reload
    soon_unchanged "$before"
}
