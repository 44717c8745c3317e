#!/bin/bash
# The slides: setting up a scheduler. slides_build.sh MOUNTPOINT PID, the pid for `pidof apache`.
set -euo pipefail
SR00T=$1/krg_schedulers
PROBE=$SR00T/probes/cpu
mkdir $PROBE
echo 1000 > $PROBE/probe_period
SCHEDULER=$SR00T/schedulers/CPU_LB
mkdir $SCHEDULER
POLICY=$SCHEDULER/load_balancing
mkdir $POLICY
cd $POLICY/node_load
mkdir remote_cache
mkdir remote_cache/threshold
cd remote_cache/threshold
echo 100 > threshold
ln -s $PROBE/node_load cpu_load
cd $POLICY/process_load
ln -s $PROBE/process_load cpu_load
cd $SCHEDULER/process_set
mkdir single_processes/$2
# ps pads short numbers with blanks, which the slides forgot
mkdir process_sessions/"`ps h -osid $$ | tr -d ' '`"
