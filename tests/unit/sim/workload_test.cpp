// Workloads: what comes is what was asked for, and the same for the same seed.
#include "components/sim/workload.h"

#include <gtest/gtest.h>

namespace schedd::sim {
namespace {

using namespace std::chrono_literals;

std::vector<Job> made(const JobKind& kind, std::uint64_t seed = 1, double capacity = 10,
                      Duration duration = 10000s) {
    Rng rng(seed);
    auto jobs = make_jobs(kind, 0, capacity, duration, rng);
    EXPECT_TRUE(jobs) << jobs.error().text();
    return jobs.value_or(std::vector<Job>{});
}

double work(const std::vector<Job>& jobs) {
    double sum = 0;
    for (const auto& job : jobs) sum += static_cast<double>(job.size.count()) * job.threads / 1e9;
    return sum;
}

TEST(AWorkload, OffersTheLoadThatWasAskedFor) {
    const JobKind small{.name = "a", .load = 50, .sizes = Sizes::exponential, .mean = 100ms};
    EXPECT_NEAR(work(made(small)) / (10 * 10000), 0.5, 0.01);
    const JobKind wide{.name = "a", .load = 80, .sizes = Sizes::fixed, .mean = 2s, .threads = 4};
    EXPECT_NEAR(work(made(wide)) / (10 * 10000), 0.8, 0.05);
    const JobKind pareto{.name = "a", .load = 90, .least = 100ms, .most = 100s, .alpha_percent = 150};
    EXPECT_NEAR(work(made(pareto)) / (10 * 10000), 0.9, 0.03);
}

TEST(AWorkload, ComesAsOftenAsWasAskedFor) {
    const JobKind kind{.name = "a", .every = 500ms, .sizes = Sizes::fixed, .mean = 1s};
    EXPECT_NEAR(static_cast<double>(made(kind).size()), 20000, 500);
    JobKind bursts = kind;
    bursts.arrivals = Arrivals::bursts;
    bursts.burst = 20;
    const auto jobs = made(bursts);
    EXPECT_NEAR(static_cast<double>(jobs.size()), 20000, 2000);
    for (std::size_t i = 0; i < jobs.size(); ++i) EXPECT_EQ(jobs[i].arrives, jobs[i - i % 20].arrives);
}

TEST(AWorkload, KeepsParetoSizesWithinTheirBounds) {
    const JobKind kind{.name = "a", .every = 100ms, .least = 100ms, .most = 1s, .alpha_percent = 100};
    double sum = 0;
    const auto jobs = made(kind);
    for (const auto& job : jobs) {
        EXPECT_GE(job.size, 100ms);
        EXPECT_LE(job.size, 1s);
        sum += static_cast<double>(job.size.count());
    }
    EXPECT_NEAR(sum / static_cast<double>(jobs.size()) / mean_size_ns(kind), 1, 0.02);
}

TEST(AWorkload, ComesByDayMoreThanByNight) {
    const JobKind kind{.name = "a",
                       .arrivals = Arrivals::diurnal,
                       .every = 100ms,
                       .day = 10000s,
                       .swing = 100,
                       .sizes = Sizes::fixed,
                       .mean = 1ms};
    std::size_t day = 0;
    const auto jobs = made(kind);
    for (const auto& job : jobs) day += job.arrives < 5000s ? 1U : 0U;
    EXPECT_NEAR(static_cast<double>(jobs.size()), 100000, 2000);
    EXPECT_GT(day, jobs.size() * 4 / 5) << "a sine is 0.82 above its mean in its first half";
}

TEST(AWorkload, IsTheSameForTheSameSeedOnly) {
    const JobKind kind{.name = "a", .load = 50, .least = 100ms, .most = 10s};
    const auto one = made(kind, 4);
    const auto same = made(kind, 4);
    ASSERT_EQ(one.size(), same.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
        EXPECT_EQ(one[i].arrives, same[i].arrives);
        EXPECT_EQ(one[i].size, same[i].size);
    }
    EXPECT_NE(made(kind, 5).front().arrives, one.front().arrives);
}

TEST(AWorkload, ThatIsTooLargeIsRefused) {
    const JobKind kind{.name = "flood", .every = 1ms, .sizes = Sizes::fixed, .mean = 1ms};
    Rng rng(1);
    const auto jobs = make_jobs(kind, 0, 1, 1000000s, rng);
    ASSERT_FALSE(jobs);
    EXPECT_EQ(jobs.error().kind, Errc::limit_exceeded);
    EXPECT_NE(jobs.error().text().find("flood: 1000000000 jobs would come"), std::string::npos);
}

} // namespace
} // namespace schedd::sim
