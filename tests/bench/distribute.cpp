// The floor for deciding, measured.
#include "tests/bench/distribute.h"

#include <climits>
#include <vector>

#include "tests/bench/sample.h"

namespace schedd::bench {

kit::Result<double> distribute(hwloc_topology_t topology, unsigned count) {
    std::vector<hwloc_bitmap_t> sets(count, nullptr);
    hwloc_obj_t root = hwloc_get_root_obj(topology);
    const auto before = thread_cpu_ns();
    const int error = hwloc_distrib(topology, &root, 1, sets.data(), count, INT_MAX, 0);
    const auto used = thread_cpu_ns() - before;
    for (auto* set : sets) hwloc_bitmap_free(set);
    if (error != 0) return kit::fail(kit::Errc::io, "hwloc_distrib failed");
    return static_cast<double>(used);
}

} // namespace schedd::bench
