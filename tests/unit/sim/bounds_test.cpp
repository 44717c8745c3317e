// Bounds, against what can be worked out by hand.
#include "components/sim/bounds.h"

#include <gtest/gtest.h>

namespace schedd::sim {
namespace {

using namespace std::chrono_literals;

TEST(ProcessorSharing, GivesEachThreadItsShareAndNoneMoreThanACpu) {
    // alone until 1 s; then two on one CPU: the second has got 1 s at 3 s, the first 3 s of work at 4 s
    const std::vector<Job> jobs{{0s, 3s, 1, 0}, {1s, 1s, 1, 0}};
    const auto one = processor_sharing(jobs, 1);
    EXPECT_EQ(one[0], 4s);
    EXPECT_EQ(one[1], 2s);
    const auto two = processor_sharing(jobs, 2);
    EXPECT_EQ(two[0], 3s);
    EXPECT_EQ(two[1], 1s);
    const auto many = processor_sharing(jobs, 64);
    EXPECT_EQ(many[0], 3s) << "a thread is no faster than a CPU";
}

TEST(ProcessorSharing, CountsEveryThreadOfAJob) {
    const auto ends = processor_sharing({{0s, 1s, 4, 0}}, 2);
    EXPECT_EQ(ends[0], 2s);
    EXPECT_TRUE(processor_sharing({}, 2).empty());
}

TEST(Bounds, OfMoreWorkThanTimeCanCountAreLongAndNoOverflow) {
    const std::vector<Job> jobs(1000, {1s, 1'000'000'000s, 1024, 0});
    const auto ends = processor_sharing(jobs, 1);
    EXPECT_GT(ends.back(), 1'000'000'000s);
    const auto makespan_of_all = makespan({jobs.front()}, {1});
    EXPECT_GT(makespan_of_all.least, 1'000'000'000s);
    EXPECT_GE(makespan_of_all.lpt, makespan_of_all.least);
}

TEST(AMakespan, IsAtLeastTheWorkAndTheLongestThread) {
    const std::vector<Job> even{{0s, 1s, 4, 0}};
    EXPECT_EQ(makespan(even, {1, 1}).least, 2s);
    EXPECT_EQ(makespan(even, {1, 1}).lpt, 2s);
    const std::vector<Job> long_one{{0s, 9s, 1, 0}, {0s, 1s, 1, 0}};
    EXPECT_EQ(makespan(long_one, {1, 1}).least, 9s);
    // the example of Graham: 5 5 4 4 3 3 3 on 3 CPUs, best 9, LPT 11
    std::vector<Job> graham;
    for (const auto size : {5s, 5s, 4s, 4s, 3s, 3s, 3s}) graham.push_back({0s, size, 1, 0});
    EXPECT_EQ(makespan(graham, {1, 1, 1}).least, 9s);
    EXPECT_EQ(makespan(graham, {1, 1, 1}).lpt, 11s);
    EXPECT_EQ(makespan({}, {}).lpt, 0s);
}

} // namespace
} // namespace schedd::sim
