// Ideal schedules by arithmetic alone.
#include "components/sim/bounds.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <queue>
#include <tuple>

namespace schedd::sim {

namespace {

/// A hundred years are longer than any run; twice as much, and an arrival, must still fit.
Duration in_range(double ns) { return Duration(std::llround(std::min(ns, 3.2e18))); }

} // namespace

std::vector<Duration> processor_sharing(const std::vector<Job>& jobs, double capacity) {
    std::vector<Duration> response(jobs.size());
    // Each thread has got the same since it came: `served` is what one from the beginning would have. A job
    // ends when that is its size more than when it came.
    using Ending = std::tuple<double, std::size_t>;
    std::priority_queue<Ending, std::vector<Ending>, std::greater<>> running;
    double served = 0;
    double now = 0;
    double threads = 0;
    std::size_t next = 0;
    while (next < jobs.size() || !running.empty()) {
        const double rate = threads > 0 ? std::min(1.0, capacity / threads) : 1;
        const double arrival = next < jobs.size() ? static_cast<double>(jobs[next].arrives.count())
                                                  : std::numeric_limits<double>::infinity();
        const double end = running.empty() ? std::numeric_limits<double>::infinity()
                                           : now + (std::get<0>(running.top()) - served) / rate;
        if (arrival <= end) {
            if (threads > 0) served += (arrival - now) * rate;
            now = arrival;
            running.emplace(served + static_cast<double>(jobs[next].size.count()), next);
            threads += jobs[next].threads;
            ++next;
            continue;
        }
        served = std::get<0>(running.top());
        now = end;
        const auto& job = jobs[std::get<1>(running.top())];
        const Duration took = in_range(now - static_cast<double>(job.arrives.count()));
        response[std::get<1>(running.top())] = std::max(took, job.size);
        threads -= job.threads;
        running.pop();
    }
    return response;
}

Makespan makespan(const std::vector<Job>& jobs, const std::vector<double>& speeds) {
    if (speeds.empty()) return {};
    std::vector<std::pair<double, int>> sizes; // of a thread, and how many
    double work = 0;
    for (const auto& job : jobs) {
        sizes.emplace_back(static_cast<double>(job.size.count()), job.threads);
        work += sizes.back().first * job.threads;
    }
    std::ranges::sort(sizes, std::greater<>());
    double capacity = 0;
    double fastest = 0;
    using Free = std::pair<double, std::size_t>; // since when, which CPU
    std::priority_queue<Free, std::vector<Free>, std::greater<>> cpus;
    for (std::size_t i = 0; i < speeds.size(); ++i) {
        capacity += speeds[i];
        fastest = std::max(fastest, speeds[i]);
        cpus.emplace(0, i);
    }
    double last = 0;
    for (const auto& [size, threads] : sizes)
        for (int i = 0; i < threads; ++i) {
            const auto [since, cpu] = cpus.top();
            cpus.pop();
            const double end = since + size / speeds[cpu];
            last = std::max(last, end);
            cpus.emplace(end, cpu);
        }
    const double least = std::max(work / capacity, sizes.empty() ? 0 : sizes.front().first / fastest);
    return {in_range(least), in_range(last)};
}

} // namespace schedd::sim
