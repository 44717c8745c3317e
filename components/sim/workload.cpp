// Arrivals and sizes drawn from one stream of chance.
#include "components/sim/workload.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "components/sim/limits.h"

namespace schedd::sim {

namespace {

/// Uniform in (0, 1], so that its logarithm exists.
double chance(Rng& rng) { return (static_cast<double>(rng.next() >> 11U) + 1) / 9007199254740992.0; }

double exponential(Rng& rng, double mean) { return -mean * std::log(chance(rng)); }

/// By inversion of the distribution function: Harchol-Balter, Performance Modeling and Design of Computer
/// Systems, 2013, section 20.
double bounded_pareto(Rng& rng, double least, double most, double alpha) {
    if (least >= most) return least;
    const double ratio = std::pow(least / most, alpha);
    return std::min(most, least / std::pow(1 - chance(rng) * (1 - ratio), 1 / alpha));
}

double draw_size(const JobKind& kind, Rng& rng) {
    const auto mean = static_cast<double>(kind.mean.count());
    switch (kind.sizes) {
    case Sizes::fixed: return mean;
    case Sizes::exponential: return exponential(rng, mean);
    case Sizes::pareto:
        return bounded_pareto(rng, static_cast<double>(kind.least.count()),
                              static_cast<double>(kind.most.count()), kind.alpha_percent / 100.0);
    }
    return mean;
}

} // namespace

double mean_size_ns(const JobKind& kind) {
    if (kind.sizes != Sizes::pareto) return static_cast<double>(kind.mean.count());
    const auto least = static_cast<double>(kind.least.count());
    const auto most = static_cast<double>(kind.most.count());
    const double alpha = kind.alpha_percent / 100.0;
    if (least >= most) return least;
    const double whole = 1 - std::pow(least / most, alpha);
    if (kind.alpha_percent == 100) return least / whole * std::log(most / least);
    return std::pow(least, alpha) / whole * alpha / (alpha - 1) *
           (std::pow(least, 1 - alpha) - std::pow(most, 1 - alpha));
}

Result<std::vector<Job>> make_jobs(const JobKind& kind, int row, double capacity, Duration duration,
                                   Rng& rng) {
    auto between = static_cast<double>(kind.every.count());
    if (kind.load > 0) between = mean_size_ns(kind) * kind.threads / (capacity * kind.load / 100.0);
    const int together = kind.arrivals == Arrivals::bursts ? std::max(1, kind.burst) : 1;
    if (kind.arrivals == Arrivals::bursts) between *= together;
    const double swing = kind.arrivals == Arrivals::diurnal ? kind.swing / 100.0 : 0;
    const double day = std::max(1.0, static_cast<double>(kind.day.count()));
    const auto end = static_cast<double>(duration.count());
    if (between * static_cast<double>(kSimJobs) < end * together)
        return fail(Errc::limit_exceeded,
                    fmt::format("{}: {:.0f} jobs would come", kind.name, end / between * together),
                    fmt::format("at most {} (limit kSimJobs): a shorter duration or less load", kSimJobs));
    std::vector<Job> jobs;
    // the busiest time of the day, thinned out at other times (Lewis and Shedler, 1979)
    for (double at = exponential(rng, between / (1 + swing)); at < end;
         at += exponential(rng, between / (1 + swing))) {
        if (swing > 0) {
            const double now = 1 + swing * std::sin(2 * std::numbers::pi * at / day);
            if (chance(rng) * (1 + swing) > now) continue;
        }
        for (int i = 0; i < together; ++i) {
            const auto size = Duration(std::max<std::int64_t>(1000, std::llround(draw_size(kind, rng))));
            jobs.push_back({Time(static_cast<std::int64_t>(at)), size, kind.threads, row});
        }
        if (jobs.size() > kSimJobs)
            return fail(Errc::limit_exceeded, fmt::format("{}: too many jobs come", kind.name),
                        fmt::format("at most {} (limit kSimJobs)", kSimJobs));
    }
    return jobs;
}

std::vector<Job> jobs_of_log(const std::vector<LoggedJob>& log, int row, int speedup, int cpus,
                             Duration duration) {
    std::vector<Job> jobs;
    for (const auto& one : log) {
        const Time arrives = one.submitted / speedup;
        if (arrives >= duration) continue;
        jobs.push_back({arrives, std::max<Duration>(one.run / speedup, std::chrono::microseconds(1)),
                        std::clamp(one.processors, 1, std::max(1, cpus)), row});
    }
    sort_jobs(jobs);
    return jobs;
}

void sort_jobs(std::vector<Job>& jobs) {
    std::ranges::stable_sort(jobs, [](const Job& a, const Job& b) {
        return a.arrives != b.arrives ? a.arrives < b.arrives : a.kind < b.kind;
    });
}

} // namespace schedd::sim
