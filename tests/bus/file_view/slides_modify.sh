#!/bin/bash
# The slides: removing the threshold filter live. slides_modify.sh MOUNTPOINT
# The slides leave the port out of cd.
set -euo pipefail
SR00T=$1/krg_schedulers
PROBE=$SR00T/probes/cpu
POLICY=$SR00T/schedulers/CPU_LB/load_balancing
cd $POLICY/node_load/remote_cache
rm threshold/cpu_load
rmdir threshold
ln -s $PROBE/node_load cpu_load
