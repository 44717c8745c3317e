// Jobs: a stream of jobs on a SimWorld, and what their times are worth beside an ideal machine.
#pragma once

#include <map>
#include <vector>

#include "components/kit/rng.h"
#include "tests/sim/world.h"

namespace schedd::sim {

/// Poisson arrivals; sizes (CPU time of one thread) are bounded Pareto.
struct Stream {
    double load = 0.9; // of all CPUs, on average
    double shape = 1.5;
    double smallest_s = 3.4;
    double largest_s = 340; // mean 9.2 s with the other two
    std::size_t jobs = 2000;
    std::size_t warm_up = 400; // of them, not counted
    std::uint64_t seed = 1;
};

/// Slowdown = time from arrival to end over size. Ideal is one queue in which all CPUs are shared equally,
/// no job having more than one.
struct Quality {
    double slowdown = 0;       // mean
    double ideal_slowdown = 0; // mean of the same jobs
    double moves_per_job = 0;  // as the policy counts them
    double idle_share = 0;     // CPU time idle while as much work waited
    double widened_share = 0;  // of the jobs there were, on average
    std::size_t counted = 0;
    [[nodiscard]] double ratio() const { return slowdown / ideal_slowdown; }
};

/// Runs the stream to the end of its last job, as members of `handle_all`. All times are whole ticks (100
/// ms), of the ideal machine too.
Quality run_jobs(SimWorld& w, const Stream& stream);

/// One size; the whole size of a job that is found running at some time; the mean of the former. (Inverses of
/// the distribution functions; `u` from 0 to below 1.)
double pareto_size(const Stream& stream, double u);
double found_size(const Stream& stream, double u);
double mean_size(const Stream& stream);

} // namespace schedd::sim
