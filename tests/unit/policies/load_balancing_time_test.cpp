// load_balancing over time: settling, budgets, missing values, subjects that go and CPUs that come and go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policies/balancer.h"

namespace schedd::policies {
namespace {

using namespace std::chrono_literals;
using test::Balancer;
using test::Shape;
using testing::HasSubstr;

constexpr Shape kTwoCpus{.cores_per_l3 = 2};

/// One subject that follows an imbalance: pid 1 is light, pids 2 and 3 are too heavy to be worth a move.
struct Swing : Balancer {
    Swing() : Balancer(kTwoCpus) {
        add(1, 500, "0");
        add(2, 5800, "0");
        add(3, 5000, "1");
    }
    /// The heavier load changes sides; afterwards pid 1 would be better off on the other CPU.
    void swing() { std::swap(loads[2], loads[3]); }
};

TEST(Settling, KeepsAMovedSubjectWhereItIsForItsTime) {
    Swing b;
    b.set("settle", "3000");
    b.round();
    ASSERT_EQ(b.cpus(1), "1");
    b.swing();
    b.round();
    EXPECT_EQ(b.cpus(1), "1") << "1 s after the move";
    b.round(1999ms);
    EXPECT_EQ(b.cpus(1), "1") << "2.999 s after the move";
    b.round(1ms);
    EXPECT_EQ(b.cpus(1), "0") << "3 s after the move";
}

TEST(Settling, HoldsAfterTheFirstPlacementToo) {
    Balancer b(kTwoCpus);
    b.set("settle", "5000");
    b.add(1, 1000, "0-1");
    b.add(2, 900, "0-1");
    b.add(3, 800, "0-1");
    b.round();
    ASSERT_EQ(b.cpus(2), "1");
    ASSERT_EQ(b.cpus(3), "1");
    b.loads[1] = 0;
    b.rounds(4);
    EXPECT_EQ(b.moves(), "0");
    b.rounds(2);
    EXPECT_EQ(b.moves(), "1");
}

TEST(AMoveBudget, LimitsTheMovesOfASubjectInAnyMinute) {
    Swing b;
    b.set("settle", "0");
    b.set("move_budget", "3");
    for (int i = 0; i < 30; ++i) {
        b.round();
        b.swing();
    }
    EXPECT_EQ(b.moves(), "3");
    b.rounds(28); // the first move is 58 s ago, the load stands still
    EXPECT_EQ(b.moves(), "3");
    for (int i = 0; i < 10; ++i) {
        b.round();
        b.swing();
    }
    EXPECT_GT(std::stoi(b.moves()), 3) << "the first moves are more than a minute ago";
    EXPECT_LE(std::stoi(b.moves()), 6);
}

TEST(AMoveBudget, OfZeroLeavesEverybodyWhereHeWasPlaced) {
    Balancer b(kTwoCpus);
    b.set("move_budget", "0");
    for (Pid pid = 1; pid <= 4; ++pid) b.add(pid, 1000, "0");
    b.add(5, 1000, "0-1");
    b.rounds(20);
    EXPECT_EQ(b.moves(), "0");
    EXPECT_EQ(b.cpus(5), "1");
    EXPECT_EQ(b.count_on("0"), 4);
}

TEST(AMissingLoad, LeavesANewcomerAlone) {
    Balancer b(kTwoCpus);
    b.add(1, 1000, "0-1");
    b.add(2, 1000, "0-1");
    b.loads.erase(2);
    b.round();
    EXPECT_EQ(b.cpus(1), "0");
    EXPECT_EQ(b.cpus(2), "");
    b.loads[2] = 1000;
    b.round();
    EXPECT_EQ(b.cpus(2), "1");
}

TEST(AMissingLoad, KeepsWhoIsPlacedAndStillCountsHim) {
    Balancer b(kTwoCpus);
    b.add(1, 1000, "0");
    b.add(2, 1000, "1");
    b.add(3, 1000, "1");
    b.round();
    const auto before = b.decisions;
    b.loads.erase(1);
    b.rounds(10);
    ASSERT_EQ(b.decisions.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(b.decisions[i].reason, before[i].reason);
    EXPECT_EQ(b.moves(), "0") << "core 0 is not taken to be idle";
}

TEST(AMissingNodeLoad, KeepsWhatIsHeld) {
    Balancer b(kTwoCpus);
    for (Pid pid = 1; pid <= 3; ++pid) b.add(pid, 1000, "0");
    b.add(4, 1000, "0-1");
    b.round();
    const auto before = b.decisions;
    b.has_node_load = false;
    b.probe().clear_load();
    b.add(5, 1000, "0-1");
    b.rounds(10);
    ASSERT_EQ(b.decisions.size(), before.size());
    for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(b.decisions[i].reason, before[i].reason);
    b.has_node_load = true;
    b.round();
    EXPECT_NE(b.cpus(5), "");
}

TEST(AMissingNodeLoad, FromTheStartDecidesNothing) {
    Balancer b(kTwoCpus);
    b.has_node_load = false;
    b.add(1, 1000, "0-1");
    b.rounds(3);
    EXPECT_TRUE(b.decisions.empty());
}

TEST(ANodeLoad, ThatIsTooOldIsNone) {
    Balancer b(kTwoCpus);
    b.probe().push(1000, b.world.clock.now());
    b.has_node_load = false;
    b.add(1, 1000, "0-1");
    b.round(4s); // the probe's samples are good for 3 s
    EXPECT_TRUE(b.decisions.empty());
}

TEST(ASubjectThatIsGone, IsForgotten) {
    Balancer b(kTwoCpus);
    for (Pid pid = 1; pid <= 4; ++pid) b.add(pid, 1000, "0-1");
    b.round();
    ASSERT_EQ(b.count_on("1"), 2);
    b.remove(1);
    b.remove(3);
    b.round();
    EXPECT_EQ(b.decisions.size(), 2U);
    EXPECT_EQ(b.cpus(1), "");
    b.rounds(3);
    EXPECT_EQ(b.count_on("0"), 1) << "pids 2 and 4 shared core 1 until 1 and 3 had left core 0";
    b.add(1, 1000, "0-1");
    b.round();
    EXPECT_THAT(b.reason(1), HasSubstr("placed")) << "its number came back, it did not";
}

TEST(ACpuThatGoes, HasItsWorkPlacedAnewAtOnce) {
    Balancer b({.cores_per_l3 = 3});
    for (Pid pid = 1; pid <= 6; ++pid) b.add(pid, 1000, "0-2");
    b.set("move_budget", "0");
    b.set("settle", "60000");
    b.round();
    ASSERT_EQ(b.count_on("2"), 2);
    test::set_online(b.topology, b.whole, CpuSet::range(0, 1));
    for (auto& subject : b.subjects)
        if (subject.current == CpuSet::of(2)) subject.current = CpuSet::range(0, 1); // as the kernel does
    b.round();
    EXPECT_EQ(b.count_on("0"), 3);
    EXPECT_EQ(b.count_on("1"), 3);
    EXPECT_EQ(b.moves(), "2") << "forced, whatever the budget";
    EXPECT_EQ(b.reason(3), "placed on the least loaded core 0 (2.00 of 1 CPUs) after core 2 went away");
    b.topology = b.whole;
    b.topology.generation = 3;
    b.rounds(5);
    EXPECT_EQ(b.count_on("2"), 0) << "the budget of 0 holds for chosen moves";
    b.set("move_budget", "6");
    b.set("settle", "2000");
    b.rounds(6);
    for (const char* cpu : {"0", "1", "2"}) EXPECT_EQ(b.count_on(cpu), 2) << cpu;
}

TEST(ACpuThatGoes, WithoutLoadsStillLeavesNobodyOnIt) {
    Balancer b({.cores_per_l3 = 3});
    for (Pid pid = 1; pid <= 3; ++pid) b.add(pid, 1000, "0-2");
    b.round();
    test::set_online(b.topology, b.whole, CpuSet::range(0, 1));
    b.has_node_load = false;
    b.probe().clear_load();
    b.loads.clear();
    b.round();
    ASSERT_EQ(b.decisions.size(), 3U);
    for (const auto& decision : b.decisions) EXPECT_TRUE(decision.cpus.subset_of(CpuSet::range(0, 1)));
}

TEST(ACpuThatGoes, AsTheLastButOneKeepsWorkOnTheLast) {
    Balancer b(kTwoCpus);
    for (Pid pid = 1; pid <= 2; ++pid) b.add(pid, 1000, "0-1");
    b.round();
    test::set_online(b.topology, b.whole, CpuSet::of(0));
    b.round();
    EXPECT_EQ(b.count_on("0"), 2);
    b.topology = b.whole;
    b.topology.generation = 3;
    b.rounds(5);
    EXPECT_EQ(b.count_on("1"), 1);
}

TEST(LoadBalancing, RefusesAttributesOutOfRange) {
    Balancer b(kTwoCpus);
    for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"level", "l2"},
                                                                                      {"imbalance", "1001"},
                                                                                      {"hysteresis", "101"},
                                                                                      {"move_budget", "601"},
                                                                                      {"settle", "-1"},
                                                                                      {"min_load", "lots"}}) {
        const auto done = b.policy().write_attribute(name, value);
        ASSERT_FALSE(done) << name;
        EXPECT_EQ(done.error().kind, Errc::invalid_value) << name;
    }
    EXPECT_EQ(b.policy().write_attribute("moves", std::string("0")).error().kind, Errc::not_supported);
}

TEST(LoadBalancing, IsDueAtEachNodeLoadAndNotAtProcessLoads) {
    Balancer b(kTwoCpus);
    b.policy().done();
    b.probe().set_process_load(1, 500, b.world.clock.now());
    EXPECT_FALSE(b.policy().due());
    b.probe().push(1000, b.world.clock.now());
    EXPECT_TRUE(b.policy().due());
}

TEST(LoadBalancing, TakesTenThousandSubjectsInItsStride) {
    Balancer b({.nodes = 4, .l3_per_node = 4, .cores_per_l3 = 8}, "core");
    for (Pid pid = 1; pid <= 10000; ++pid) {
        b.subjects.push_back({Target::process(pid, 1), "handle_all", 100, {pid}, CpuSet::range(0, 127)});
        b.loads[pid] = pid % 997;
    }
    b.world.clock.advance(1s);
    for (const auto& [pid, load] : b.loads) b.probe().set_process_load(pid, load, b.world.clock.now());
    b.probe().push(1, b.world.clock.now());
    const auto decisions = b.policy().decide({b.world.clock.now(), b.topology, b.subjects});
    std::map<int, double> sums;
    double total = 0;
    for (const auto& decision : decisions) {
        sums[decision.cpus.first()] += static_cast<double>(b.loads[decision.target.pid]);
        total += static_cast<double>(b.loads[decision.target.pid]);
    }
    ASSERT_EQ(sums.size(), 128U);
    for (const auto& [cpu, sum] : sums) EXPECT_NEAR(sum, total / 128, 0.05 * total / 128) << cpu;
}

} // namespace
} // namespace schedd::policies
