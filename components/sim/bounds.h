// Bounds: what no scheduler of these jobs can beat by much, without moves, caches or masks.
#pragma once

#include <vector>

#include "components/sim/workload.h"

namespace schedd::sim {

/// The response time of each job if all CPUs were one that is shared equally by all threads at any moment, no
/// thread being faster than a single CPU (global processor sharing). `capacity` in CPUs of the fastest kind.
/// REQUIRES: `jobs` in order of arrival.
std::vector<Duration> processor_sharing(const std::vector<Job>& jobs, double capacity);

struct Makespan {
    Duration least{}; // no schedule is shorter: all the work on all CPUs, or the longest thread
    Duration lpt{};   // longest processing time first, nothing moved (Graham 1969): at most 4/3 of the best
};
/// Of all jobs, were they all there at once. `speeds`: of each CPU, the fastest kind has 1.
Makespan makespan(const std::vector<Job>& jobs, const std::vector<double>& speeds);

} // namespace schedd::sim
