#!/bin/bash
# The slides: replacing a policy. slides_replace.sh MOUNTPOINT POLICY, which they call remote_clone_LB.
set -euo pipefail
SCHEDULER=$1/krg_schedulers/schedulers/CPU_LB
POLICY=$SCHEDULER/load_balancing
find $POLICY -type l -exec rm '{}' ';'
# as in configfs, rmdir complains of attributes and default groups on its way
find $POLICY | tac | xargs -n 1 rmdir || true
POLICY=$SCHEDULER/$2
mkdir $POLICY
