// load_balancing: placing newcomers, moving the placed, thresholds, weights, and when it leaves things alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policies/balancer.h"

namespace schedd::policies {
namespace {

using test::Balancer;
using test::Shape;
using testing::HasSubstr;

constexpr Shape kTwoCpus{.cores_per_l3 = 2};

TEST(LoadBalancing, SpreadsFourHogsOnOneOfTwoCpus) {
    Balancer b(kTwoCpus);
    for (Pid pid = 1; pid <= 4; ++pid) b.add(pid, 1000, "0");
    b.round();
    EXPECT_EQ(b.count_on("0"), 3);
    EXPECT_EQ(b.reason(1), "core 1 was 100 % below the average 2.00 tasks/CPU; took 1.00 from core 0 (4.00)");
    b.round();
    EXPECT_EQ(b.count_on("0"), 2);
    EXPECT_EQ(b.count_on("1"), 2);
    EXPECT_EQ(b.reason(2), "core 1 was 50 % below the average 2.00 tasks/CPU; took 1.00 from core 0 (3.00)");
    EXPECT_EQ(b.reason(4), "stays on core 0, where it was found on CPUs 0");
    EXPECT_EQ(b.moves(), "2");
}

TEST(LoadBalancing, PlacesWhoMayRunAnywhereTheLargestFirst) {
    Balancer b(kTwoCpus);
    b.add(1, 300, "0-1");
    b.add(2, 500, "0-1");
    b.add(3, 900, "0-1");
    b.round();
    EXPECT_EQ(b.cpus(3), "0");
    EXPECT_EQ(b.cpus(2), "1");
    EXPECT_EQ(b.cpus(1), "1");
    EXPECT_EQ(b.reason(3), "placed on the least loaded core 0 (0.00 of 1 CPUs)");
    EXPECT_EQ(b.reason(1), "placed on the least loaded core 1 (0.50 of 1 CPUs)");
    EXPECT_EQ(b.moves(), "0") << "a first placement is no move";
}

TEST(LoadBalancing, LeavesThreeHogsOnTwoCpusForGood) {
    Balancer b(kTwoCpus);
    for (Pid pid = 1; pid <= 3; ++pid) b.add(pid, 1000, "0");
    b.rounds(5);
    EXPECT_EQ(b.moves(), "1");
    const auto settled = b.decisions;
    for (int i = 0; i < 1000; ++i) {
        b.round();
        ASSERT_EQ(b.decisions.size(), settled.size());
        for (std::size_t d = 0; d < settled.size(); ++d) {
            ASSERT_EQ(b.decisions[d].cpus, settled[d].cpus) << "round " << i;
            ASSERT_EQ(b.decisions[d].reason, settled[d].reason) << "round " << i;
        }
    }
    EXPECT_EQ(b.moves(), "1");
}

TEST(LoadBalancing, LeavesThreeHogsAloneUnderMeasurementNoise) {
    Balancer b(kTwoCpus);
    for (Pid pid = 1; pid <= 3; ++pid) b.add(pid, 1000, "0-1");
    kit::Rng rng(3);
    for (int i = 0; i < 1000; ++i) {
        for (auto& [pid, load] : b.loads) load = 995 + static_cast<std::int64_t>(rng.below(11));
        b.round();
    }
    EXPECT_EQ(b.moves(), "0");
}

TEST(LoadBalancing, GivesEveryDecisionAReason) {
    Balancer b({.nodes = 2, .l3_per_node = 2, .cores_per_l3 = 2});
    for (Pid pid = 1; pid <= 20; ++pid) b.add(pid, 50L * pid, pid % 2 ? "0" : "0-7");
    for (int i = 0; i < 10; ++i)
        for (const auto& decision : b.round())
            EXPECT_GT(decision.reason.size(), 20U) << decision.target.text();
    EXPECT_EQ(b.decisions.size(), 20U);
}

TEST(LoadBalancing, DecidesTheSameFromTheSameInput) {
    const auto run = [] {
        Balancer b({.nodes = 2, .cores_per_l3 = 3});
        kit::Rng rng(11);
        for (Pid pid = 1; pid <= 40; ++pid)
            b.add(pid, static_cast<std::int64_t>(rng.below(1000)), rng.below(2) ? "2" : "0-5");
        std::string text;
        for (int i = 0; i < 30; ++i) {
            b.loads[1 + static_cast<Pid>(rng.below(40))] = static_cast<std::int64_t>(rng.below(1000));
            for (const auto& d : b.round())
                text += d.target.text() + " " + d.cpus.text() + " " + d.reason + "\n";
        }
        return text;
    };
    EXPECT_EQ(run(), run());
}

TEST(LoadBalancing, LeavesAlmostIdleNewcomersAlone) {
    Balancer b(kTwoCpus);
    b.add(1, 19, "0-1");
    b.add(2, 20, "0-1");
    b.add(3, 5, "0");
    b.round();
    EXPECT_EQ(b.cpus(1), "");
    EXPECT_EQ(b.cpus(2), "1") << "next to the little that pid 3 does on core 0";
    EXPECT_EQ(b.cpus(3), "");
    b.loads[2] = 1;
    b.round();
    EXPECT_EQ(b.cpus(2), "1") << "once placed it is held";
    b.set("min_load", "0");
    b.round();
    EXPECT_NE(b.cpus(1), "");
}

TEST(LoadBalancing, CountsAControlGroupAsTheSumOfItsProcesses) {
    Balancer b(kTwoCpus);
    b.add_group("/batch", {11, 12, 13}, "0-1");
    b.add_group("/empty", {}, "0-1");
    for (const Pid pid : {11, 12, 13}) b.loads[pid] = 500;
    b.add(21, 700, "0-1");
    b.add(22, 700, "0-1");
    b.round();
    ASSERT_NE(b.find(Target::cgroup("/batch")), nullptr);
    EXPECT_EQ(b.find(Target::cgroup("/batch"))->cpus.text(), "0") << "1.5 is the largest";
    EXPECT_EQ(b.cpus(21), "1");
    EXPECT_EQ(b.cpus(22), "1");
    EXPECT_EQ(b.find(Target::cgroup("/empty")), nullptr);
    // two of its processes end: 0.5 against 1.4
    b.subjects.front().pids = {11};
    b.loads.erase(12);
    b.loads.erase(13);
    b.rounds(5);
    EXPECT_EQ(b.moves(), "1");
    EXPECT_EQ(b.cpus(21), "0");
}

TEST(Weights, AreIgnoredWhileCpusAreFree) {
    Balancer b({.cores_per_l3 = 4}, "core");
    b.add(1, 400, "0", 10000);
    b.add(2, 400, "0", 1);
    b.add(3, 400, "1", 1);
    b.add(4, 400, "2", 1);
    b.add(5, 400, "3", 1);
    b.rounds(10);
    EXPECT_EQ(b.moves(), "0") << "2.0 of 4 CPUs are wanted: 0.4 counts as 0.4";
}

TEST(Weights, CountWhenTheCpusAreAllTaken) {
    Balancer b(kTwoCpus);
    b.add(1, 1000, "0", 300);
    b.add(2, 1000, "0", 300);
    for (Pid pid = 3; pid <= 8; ++pid) b.add(pid, 1000, "1", 100);
    b.rounds(20);
    EXPECT_EQ(b.count_on("0"), 2) << "2 x 300 against 6 x 100 is even";
    b.subjects[0].weight = b.subjects[1].weight = 100;
    b.rounds(20);
    EXPECT_EQ(b.count_on("0"), 4) << "now it was 2 against 6";
}

TEST(Weights, ThatCannotBeUsedAreCutFirst) {
    // 7 x weight 1 and one of 10000 on 4 CPUs: the heavy one can use one CPU, the others share three
    Balancer b({.cores_per_l3 = 4});
    b.add(1, 1000, "0", 10000);
    for (Pid pid = 2; pid <= 8; ++pid) b.add(pid, 1000, "0-3", 1);
    b.rounds(20);
    EXPECT_EQ(b.count_on("0"), 1) << "alone: it is worth 7/3 of the others";
    EXPECT_EQ(b.count_on("1") + b.count_on("2") + b.count_on("3"), 7);
    for (const char* cpu : {"1", "2", "3"}) EXPECT_GE(b.count_on(cpu), 2) << cpu;
}

TEST(ANumaMachine, MovesAcrossNodesOnlyBeyondItsThreshold) {
    // node 0: 4.6, node 1: 3.4 of an average of 4: 15 %
    Balancer b({.nodes = 2, .cores_per_l3 = 4}, "l3");
    for (Pid pid = 1; pid <= 23; ++pid) b.add(pid, 200, "0-3");
    for (Pid pid = 31; pid <= 47; ++pid) b.add(pid, 200, "4-7");
    b.rounds(10);
    EXPECT_EQ(b.moves(), "0");
    b.set("numa_imbalance", "14");
    b.round();
    EXPECT_EQ(b.moves(), "1");
    EXPECT_EQ(b.reason(1), "l3 1 was 15 % below the average 1.00 tasks/CPU; took 0.20 from l3 0 (1.15)");
}

TEST(ANumaMachine, UsesTheSmallerThresholdInsideANode) {
    Balancer b({.l3_per_node = 2, .cores_per_l3 = 4}, "l3");
    for (Pid pid = 1; pid <= 23; ++pid) b.add(pid, 200, "0-3");
    for (Pid pid = 31; pid <= 47; ++pid) b.add(pid, 200, "4-7");
    b.set("imbalance", "16");
    b.rounds(5);
    EXPECT_EQ(b.moves(), "0");
    b.set("imbalance", "5");
    b.rounds(5);
    EXPECT_NE(b.moves(), "0");
}

TEST(ANumaMachine, SaysWhichNodesExchanged) {
    Balancer b({.nodes = 2, .cores_per_l3 = 2}, "core");
    for (Pid pid = 1; pid <= 4; ++pid) b.add(pid, 1000, pid % 2 ? "0" : "1");
    b.round();
    EXPECT_EQ(b.reason(1), "node 1 was 100 % below the average 1.00 tasks/CPU; core 2 took 1.00 from core 0 "
                           "of node 0 (2.00)");
    b.rounds(5);
    for (const char* cpu : {"0", "1", "2", "3"}) EXPECT_EQ(b.count_on(cpu), 1) << cpu;
}

TEST(DomainsOfUnequalSize, AreFilledByTheirCpus) {
    Balancer b({.nodes = 1, .l3_per_node = 2, .cores_per_l3 = 4}, "l3");
    b.topology.allowed = CpuSet::range(0, 5); // l3 0 has four CPUs, l3 1 two
    for (Pid pid = 1; pid <= 12; ++pid) b.add(pid, 1000, "0-7");
    b.rounds(10);
    EXPECT_EQ(b.count_on("0-3"), 8);
    EXPECT_EQ(b.count_on("4-5"), 4);
}

TEST(ALevel, ThatHasOneDomainTakesNobody) {
    Balancer b({.cores_per_l3 = 4}, "numa");
    b.add(1, 1000, "0");
    b.add(2, 1000, "0-3");
    b.rounds(3);
    EXPECT_TRUE(b.decisions.empty());
}

TEST(ALevel, CanBeChangedWhileWorkIsPlaced) {
    Balancer b({.nodes = 2, .l3_per_node = 1, .cores_per_l3 = 2}, "auto");
    for (Pid pid = 1; pid <= 4; ++pid) b.add(pid, 1000, "0-3");
    b.round();
    EXPECT_EQ(b.count_on("0-1"), 2) << "auto is numa here";
    b.policy().done();
    b.set("level", "core");
    EXPECT_TRUE(b.policy().due()) << "a new attribute value is acted on";
    b.round();
    for (const char* cpu : {"0", "1", "2", "3"}) EXPECT_EQ(b.count_on(cpu), 1) << cpu;
    EXPECT_THAT(b.reason(1), HasSubstr("after numa 0 went away"));
    b.set("level", "package");
    b.round();
    EXPECT_EQ(b.count_on("0-1"), 2);
    EXPECT_EQ(b.count_on("2-3"), 2);
}

} // namespace
} // namespace schedd::policies
