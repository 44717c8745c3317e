#!/bin/bash
# The slides: query data, a line for each stage. slides_query.sh MOUNTPOINT, after slides_build.sh.
set -euo pipefail
SR00T=$1/krg_schedulers
PROBE=$SR00T/probes/cpu
POLICY=$SR00T/schedulers/CPU_LB/load_balancing
cat $PROBE/node_load/value
cd $POLICY/node_load
cat collected_value
cat remote_cache/value
cat remote_cache/collected_value
