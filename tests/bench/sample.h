// Samples: medians and pairs, and what CPU time was used.
#pragma once

#include <cstdint>
#include <vector>

#include <sys/types.h>

#include "components/kit/result.h"

namespace schedd::bench {

using namespace schedd::kit;

/// REQUIRES: not empty.
double median(std::vector<double> values);

/// Measurements of one round belong together: the machine was equally busy for both.
class Pairs {
public:
    void add(double ours, double peer);
    [[nodiscard]] bool empty() const { return ours_.empty(); }
    [[nodiscard]] std::size_t size() const { return ours_.size(); }
    [[nodiscard]] double ours() const { return median(ours_); }
    [[nodiscard]] double peer() const { return median(peer_); }
    /// The median of the ratios of the pairs, not the ratio of the medians: noise common to a pair cancels.
    [[nodiscard]] double ratio() const { return median(ratios_); }

private:
    std::vector<double> ours_;
    std::vector<double> peer_;
    std::vector<double> ratios_;
};

/// CPU time of the calling thread, user and system, in ns.
std::int64_t thread_cpu_ns();
/// CPU time of all threads of a process, exact to the last context switch or timer tick.
Result<std::int64_t> process_cpu_ns(pid_t pid);
std::int64_t monotonic_ns();

} // namespace schedd::bench
