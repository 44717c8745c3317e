// distribute: what hwloc_distrib takes to spread so many over a machine; the floor for deciding.
#pragma once

#include <hwloc.h>

#include "components/kit/result.h"

namespace schedd::bench {

/// CPU time in ns. It knows no loads, weights, demands or memory of before.
kit::Result<double> distribute(hwloc_topology_t topology, unsigned count);

} // namespace schedd::bench
