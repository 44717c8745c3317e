// Infeasible weights: which weight still means something when one task cannot use more than one CPU.
#pragma once

#include <span>

namespace schedd::policies {

/// What one subject asks for: `weight` is its share per wanted CPU, `duty` how many CPUs it wants (0.25 = a
/// quarter of one; above 1 for several threads).
struct Ask {
    double weight;
    double duty;
};

/// The largest weight that can have its full effect on `cpus` CPUs: a subject of weight w is to be counted as
/// min(w, lambda). 64 x weight 1 and 1 x weight 10000, all duty 1, on 32 CPUs: 64/31. O(n log n).
/// When the duties together are less than `cpus` no weight matters and all count as the smallest one.
/// REQUIRES: cpus > 0; weights and duties not negative. (Restated from sched_ext's scx_utils infeasible
/// weights.)
double largest_feasible_weight(std::span<const Ask> asks, double cpus);

} // namespace schedd::policies
