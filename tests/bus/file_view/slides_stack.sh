#!/bin/bash
# The slides: stacking schedulers. slides_stack.sh MOUNTPOINT PID, the pid for `pidof apache`.
set -euo pipefail
SR00T=$1/krg_schedulers
cd $SR00T/schedulers
mkdir swap_avoidance
cd swap_avoidance/process_set
mkdir single_processes/$2
