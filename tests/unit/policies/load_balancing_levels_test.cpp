// load_balancing over several levels and by class: worked examples, then any loads on any shape.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kit/shapes.h"
#include "tests/unit/policies/balancer.h"

namespace schedd::policies {
namespace {

using test::Balancer;
using test::Shape;
using testing::HasSubstr;

constexpr Shape kTwoNodes{.nodes = 2, .l3_per_node = 2, .cores_per_l3 = 4}; // caches 0-3 4-7 8-11 12-15

void classify(Balancer& b, Pid pid, WorkClass work_class) {
    std::ranges::find(b.subjects, Target::process(pid, 1), &Subject::target)->demand.work_class = work_class;
}
/// Processes first..last that may run anywhere and want `load` each.
void add_class(Balancer& b, Pid first, Pid last, std::int64_t load, WorkClass work_class) {
    for (Pid pid = first; pid <= last; ++pid) {
        b.add(pid, load, b.whole.online.text());
        classify(b, pid, work_class);
    }
}
std::string widened(const Balancer& b) { return b.world.read("schedulers/LB/load_balancing.widened"); }

TEST(WorkTooLargeForAnyDomain, IsLetGoAndPlacedAgainWhenItFits) {
    Balancer b({.cores_per_l3 = 4}, "core");
    b.add_group("/big", {10, 11, 12}, "0-3");
    b.add(1, 1000, "0-3");
    for (const Pid pid : {10, 11, 12}) b.loads[pid] = 100;
    b.round();
    const auto big = Target::cgroup("/big");
    ASSERT_NE(b.find(big), nullptr) << "0.3 of a CPU fits on a core";
    for (const Pid pid : {10, 11, 12}) b.loads[pid] = 450;
    b.rounds(5);
    EXPECT_NE(b.find(big), nullptr) << "1.35 is hardly more than a core";
    for (const Pid pid : {10, 11, 12}) b.loads[pid] = 900;
    b.round();
    EXPECT_EQ(b.find(big), nullptr) << "2.7 would starve there";
    EXPECT_NE(b.cpus(1), "") << "and nobody else is let go";
    const auto& subject = *std::ranges::find(b.subjects, big, &Subject::target);
    const auto said = b.policy().considered({b.world.clock.now(), b.topology, b.subjects}, subject);
    EXPECT_THAT(said,
                testing::Contains(HasSubstr("it wants 2.70 CPUs, more than the 1 of the largest domain")));
    for (const Pid pid : {10, 11, 12}) b.loads[pid] = 320;
    b.rounds(5);
    EXPECT_EQ(b.find(big), nullptr) << "0.96 is not yet 10 % below";
    for (const Pid pid : {10, 11, 12}) b.loads[pid] = 200;
    b.rounds(3);
    ASSERT_NE(b.find(big), nullptr);
    EXPECT_THAT(b.find(big)->reason, HasSubstr("again, as it fits there now"));
}

TEST(WorkTooLargeForAnyDomain, SettlesBeforeItIsPlacedAgain) {
    Balancer b({.cores_per_l3 = 4}, "core");
    b.add(1, 500, "0-3");
    b.round();
    b.loads[1] = 3000;
    b.round();
    ASSERT_EQ(b.cpus(1), "");
    b.loads[1] = 500;
    b.round();
    EXPECT_EQ(b.cpus(1), "");
    EXPECT_THAT(b.policy().considered({b.world.clock.now(), b.topology, b.subjects}, b.subjects.front()),
                testing::Contains("it was let go as too large 1000 ms ago, and stays 1000 ms more (settle)"));
    b.loads[1] = 5; // now idle: it is placed when it wants something again, and only then this is a move
    b.rounds(5);
    EXPECT_EQ(b.cpus(1), "");
    EXPECT_EQ(b.moves(), "0");
    b.loads[1] = 500;
    b.round();
    EXPECT_NE(b.cpus(1), "");
    EXPECT_EQ(b.moves(), "1");
}

TEST(WorkTooLargeForAnyDomain, ComesBackNoMoreOftenThanTheBudgetAllows) {
    Balancer b({.cores_per_l3 = 4}, "core");
    b.set("move_budget", "2");
    b.set("settle", "0");
    b.add(1, 100, "0-3");
    b.round();
    int came = 0;
    for (int i = 0; i < 40; ++i) {
        const bool was_held = !b.cpus(1).empty();
        b.loads[1] = i % 2 == 0 ? 3000 : 100;
        b.round();
        came += !was_held && !b.cpus(1).empty() ? 1 : 0;
    }
    EXPECT_EQ(came, 2);
}

TEST(WorkTooLargeForAnyDomain, IsHeldWhereItWouldGetNoMoreByBeingLetGo) {
    Balancer b({.cores_per_l3 = 4, .threads_per_core = 2}, "core");
    b.add(1, 3000, "2");   // pinned: it would get one CPU
    b.add(2, 3000, "4-5"); // and this one no other than it has
    b.add(3, 3000, "0-7");
    for (int i = 0; i < 5; ++i) {
        b.round();
        EXPECT_EQ(b.cpus(1), "2-3");
        EXPECT_EQ(b.cpus(2), "4-5");
        EXPECT_EQ(b.cpus(3), "");
    }
}

TEST(WorkTooLargeForAnyDomain, IsPutBackWhereItTurnsOutToHaveComeWithNoMore) {
    Balancer b({.cores_per_l3 = 4, .threads_per_core = 2}, "core");
    b.add(1, 100, "2-3"); // held by an earlier run, so what it came with is not known
    b.subjects.front().held = true;
    b.came_with[Target::process(1, 1)] = CpuSet::of(2);
    b.round();
    EXPECT_EQ(b.cpus(1), "2-3");
    b.loads[1] = 3000;
    b.round();
    EXPECT_EQ(b.cpus(1), "") << "it might have all CPUs";
    b.rounds(3);
    EXPECT_EQ(b.cpus(1), "2-3");
    EXPECT_THAT(b.reason(1), HasSubstr(", again, as it came with no more CPUs"));
    for (int i = 0; i < 10; ++i) {
        b.round();
        EXPECT_EQ(b.cpus(1), "2-3") << "now it is known";
    }
}

TEST(WorkTooLargeForAnyDomain, CountsNowhereAtOnce) {
    Balancer b({.cores_per_l3 = 2, .threads_per_core = 2}, "core");
    b.add(1, 100, "0-3");
    b.add(2, 1000, "0-3");
    b.add(3, 900, "0-3");
    b.rounds(5);
    ASSERT_EQ(b.cpus(1), b.cpus(3)) << "1.0 on either core";
    b.loads[1] = 3000;
    for (int i = 0; i < 3; ++i) {
        b.round();
        EXPECT_EQ(b.cpus(1), "");
        EXPECT_EQ(b.moves(), "0") << "nobody makes way for one that has gone";
    }
}

TEST(WorkTooLargeForAnyDomain, IsPlacedWhenTheLevelIsCoarse) {
    Balancer b(kTwoNodes, "core");
    b.add(1, 8000, "0-15");
    b.rounds(3);
    EXPECT_EQ(b.cpus(1), "");
    b.set("level", "numa");
    b.round();
    EXPECT_EQ(b.cpus(1), "0-7") << "it is judged by its new domains, without hysteresis";
}

TEST(WorkTooLargeForAnyDomain, IsHeldOnTheCoarserOneWhereThatIsEnough) {
    Balancer b(kTwoNodes, "numa,core");
    b.add(1, 3000, "0-15");
    b.round();
    EXPECT_EQ(b.cpus(1), "0-7");
    b.loads[1] = 9000;
    b.round();
    EXPECT_EQ(b.cpus(1), "") << "more than a node";
}

TEST(SeveralLevels, PlaceInTheNodeFirstAndHoldOnTheCache) {
    Balancer b(kTwoNodes, "numa,l3");
    for (Pid pid = 1; pid <= 4; ++pid) b.add(pid, 1000, "0-15");
    b.round();
    EXPECT_EQ(b.cpus(1), "0-3");
    EXPECT_EQ(b.cpus(2), "8-11");
    EXPECT_EQ(b.cpus(3), "4-7");
    EXPECT_EQ(b.cpus(4), "12-15");
    EXPECT_EQ(b.reason(2), "placed on the least loaded l3 2 (0.00 of 4 CPUs)");
    EXPECT_EQ(widened(b), "0");
}

TEST(SeveralLevels, BalanceBetweenTheNodesThenInsideThem) {
    Balancer b(kTwoNodes, "numa,l3");
    for (Pid pid = 1; pid <= 4; ++pid) b.add(pid, 900, "0-3");
    b.round();
    EXPECT_EQ(b.reason(1),
              "numa 1 was 100 % below the average 0.23 tasks/CPU; l3 2 took 0.90 from l3 0 of numa 0 "
              "(0.45)");
    EXPECT_EQ(b.reason(2), "l3 1 was 100 % below the average 0.34 tasks/CPU; took 0.90 from l3 0 (0.68)");
    b.rounds(9);
    for (const char* cache : {"0-3", "4-7", "8-11", "12-15"}) EXPECT_EQ(b.count_on(cache), 1) << cache;
    EXPECT_EQ(b.moves(), "3");
}

TEST(SeveralLevels, HoldOnTheNodeWhatIsTooLargeForACache) {
    Balancer b(kTwoNodes, "numa,l3");
    b.add_group("/wide", {11, 12, 13, 14, 15, 16}, "0-15");
    for (Pid pid = 11; pid <= 16; ++pid) b.loads[pid] = 1000;
    b.add(1, 1000, "0-15");
    b.rounds(5);
    ASSERT_NE(b.find(Target::cgroup("/wide")), nullptr);
    EXPECT_EQ(b.find(Target::cgroup("/wide"))->cpus.text(), "0-7");
    EXPECT_EQ(b.find(Target::cgroup("/wide"))->reason,
              "placed on all of numa 0 (0.00 of 8 CPUs), no part of it has room");
    EXPECT_EQ(b.cpus(1), "8-11");
    EXPECT_EQ(widened(b), "1");
    EXPECT_EQ(b.moves(), "0");
}

TEST(SeveralLevels, WidenTheThirdOfThreeHogsOnTwoCores) {
    Balancer b({.cores_per_l3 = 2}, "numa,core");
    for (Pid pid = 1; pid <= 3; ++pid) b.add(pid, 1000, "0");
    b.rounds(5);
    EXPECT_EQ(b.count_on("0"), 1);
    EXPECT_EQ(b.count_on("1"), 1);
    EXPECT_EQ(b.count_on("0-1"), 1) << "each of the three has two thirds of a CPU";
    EXPECT_EQ(b.moves(), "1") << "to be widened is no move";
    EXPECT_EQ(b.reason(2), "widened to numa 0 (3.00 of 2 CPUs wanted), as core 0 is full (2.00 of 1)");
    EXPECT_EQ(widened(b), "1");
    const auto before = b.decisions;
    b.rounds(100);
    for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(b.decisions[i].reason, before[i].reason);
}

TEST(SeveralLevels, NarrowAgainWhenThereIsRoom) {
    Balancer b({.cores_per_l3 = 2}, "numa,core");
    for (Pid pid = 1; pid <= 3; ++pid) b.add(pid, 900, "0");
    b.rounds(3);
    ASSERT_EQ(b.cpus(2), "0-1");
    b.remove(1);
    b.rounds(3);
    EXPECT_EQ(b.cpus(2), "1");
    EXPECT_EQ(b.reason(2), "core 1 has room again (0.00 of 1 CPUs); took 0.90 from numa 0");
    EXPECT_EQ(b.moves(), "2");
    EXPECT_EQ(widened(b), "0");
}

TEST(SeveralLevels, StayFineWithWideningOffAndNarrowWhatWasWide) {
    Balancer b({.cores_per_l3 = 2}, "numa,core");
    for (Pid pid = 1; pid <= 3; ++pid) b.add(pid, 1000, "0");
    b.rounds(3);
    ASSERT_EQ(b.count_on("0-1"), 1);
    b.set("widen_at", "0");
    b.rounds(3);
    EXPECT_EQ(b.count_on("0-1"), 0);
    EXPECT_EQ(b.count_on("0"), 2);
}

TEST(SeveralLevels, PlaceInsideTheNodeAProcessIsConfinedTo) {
    Balancer b(kTwoNodes, "numa,l3");
    b.add(1, 1000, "0-3");
    b.add(2, 500, "0-7");
    b.round();
    EXPECT_EQ(b.cpus(2), "4-7") << "node 1 is idle, but it came confined to node 0";
}

TEST(SeveralLevels, FollowANodeThatLosesACache) {
    Balancer b(kTwoNodes, "numa,l3");
    for (Pid pid = 1; pid <= 4; ++pid) b.add(pid, 1000, "0-15");
    b.round();
    ASSERT_EQ(b.cpus(3), "4-7");
    test::set_online(b.topology, b.whole, CpuSet::parse("0-3,8-15").value());
    b.subjects[2].current = b.topology.usable();
    b.round();
    EXPECT_EQ(b.reason(3), "placed on the least loaded l3 2 (1.00 of 4 CPUs) after l3 1 went away");
    b.topology.allowed = {};
    ++b.topology.generation;
    b.round();
    EXPECT_TRUE(b.decisions.empty());
}

TEST(SeveralLevels, CanBeChosenWhileWorkIsPlaced) {
    Balancer b(kTwoNodes, "numa");
    for (Pid pid = 1; pid <= 4; ++pid) b.add(pid, 900, "0-15");
    b.rounds(3);
    b.set("level", "numa,l3");
    b.rounds(3);
    for (const char* cache : {"0-3", "4-7", "8-11", "12-15"}) EXPECT_EQ(b.count_on(cache), 1) << cache;
    b.set("level", "package,l3,core");
    b.rounds(6);
    EXPECT_EQ(b.decisions.size(), 4U);
    for (const auto& decision : b.decisions) EXPECT_EQ(decision.cpus.count(), 1) << decision.reason;
}

TEST(SeveralLevels, RefuseWhatIsNoListFromCoarseToFine) {
    Balancer b(kTwoNodes, "numa");
    for (const char* level : {"l3,numa", "numa,,l3", "numa,numa", "numa, l3", "auto,l3", ",", ""}) {
        const auto done = b.policy().write_attribute("level", std::string(level));
        ASSERT_FALSE(done) << level;
        EXPECT_THAT(done.error().text(), HasSubstr("numa,l3,core")) << "says what would be accepted";
    }
    EXPECT_EQ(b.world.read("schedulers/LB/load_balancing.level"), "numa");
}

TEST(PushFrom, KeepsWorkWhereNothingWaits) {
    Balancer b(kTwoNodes, "numa,l3");
    b.set("push_from", "100");
    for (Pid pid = 1; pid <= 4; ++pid) b.add(pid, 900, "0-3");
    b.rounds(5);
    EXPECT_EQ(b.moves(), "0");
    b.add(5, 900, "0-3");
    b.rounds(5);
    EXPECT_NE(b.moves(), "0") << "4.5 of 4 CPUs";
}

TEST(BatchWork, FillsCacheAfterCache) {
    Balancer b(kTwoNodes, "numa,l3");
    b.set("by_class", "true");
    add_class(b, 1, 5, 1000, WorkClass::batch);
    b.rounds(10);
    EXPECT_EQ(b.count_on("0-3"), 3);
    EXPECT_EQ(b.count_on("4-7"), 2);
    EXPECT_EQ(b.reason(2), "placed on l3 0, which batch work fills up to 80 % (1.00 of 4 CPUs)");
    EXPECT_EQ(b.moves(), "0") << "it stays packed";
}

TEST(BatchWork, IsSpreadAsUsualWithoutTheSwitch) {
    Balancer b(kTwoNodes, "numa,l3");
    add_class(b, 1, 4, 1000, WorkClass::batch);
    b.round();
    for (const char* cache : {"0-3", "4-7", "8-11", "12-15"}) EXPECT_EQ(b.count_on(cache), 1) << cache;
}

TEST(BatchWork, LeavesADomainThatBecameTooFull) {
    Balancer b(kTwoNodes, "numa,l3");
    b.set("by_class", "true");
    add_class(b, 1, 3, 1000, WorkClass::batch);
    b.round();
    ASSERT_EQ(b.count_on("0-3"), 3);
    b.loads[2] = 1500;
    b.rounds(5);
    EXPECT_EQ(b.cpus(1), "4-7") << "the smallest that is enough";
    EXPECT_EQ(b.reason(1),
              "l3 1 took 1.00 batch work from l3 0, of which 3.50 of 4 CPUs are wanted, more than 80 %");
    EXPECT_EQ(b.moves(), "1");
}

TEST(BatchWork, IsPackedTogetherWhenADomainCanBeEmptied) {
    Balancer b(kTwoNodes, "numa,l3");
    add_class(b, 1, 3, 800, WorkClass::batch);
    b.round();
    ASSERT_EQ(b.count_on("0-3"), 1);
    b.set("by_class", "true");
    b.rounds(10);
    EXPECT_EQ(b.count_on("0-3") + b.count_on("4-7") + b.count_on("8-11") + b.count_on("12-15"), 3);
    EXPECT_EQ(std::ranges::max(
                  {b.count_on("0-3"), b.count_on("4-7"), b.count_on("8-11"), b.count_on("12-15")}),
              3);
    EXPECT_EQ(b.moves(), "2");
    b.rounds(50);
    EXPECT_EQ(b.moves(), "2");
}

TEST(BatchWork, IsBalancedLikeAnyOtherWhenTheMachineIsFull) {
    Balancer b(kTwoNodes, "numa,l3");
    b.set("by_class", "true");
    add_class(b, 1, 16, 1000, WorkClass::batch);
    b.rounds(10);
    for (const char* cache : {"0-3", "4-7", "8-11", "12-15"}) EXPECT_EQ(b.count_on(cache), 4) << cache;
}

TEST(LatencyWork, GetsADomainForEachWhilePossible) {
    Balancer b(kTwoNodes, "numa,l3");
    b.set("by_class", "true");
    add_class(b, 1, 4, 300, WorkClass::latency);
    add_class(b, 11, 13, 900, WorkClass::batch);
    b.rounds(5);
    EXPECT_EQ(b.cpus(1), "0-3");
    EXPECT_EQ(b.cpus(2), "8-11");
    EXPECT_EQ(b.cpus(3), "4-7");
    EXPECT_EQ(b.cpus(4), "12-15");
    EXPECT_EQ(b.reason(3), "placed on the least loaded l3 1 without latency work (0.00 of 4 CPUs)");
    for (Pid pid = 11; pid <= 13; ++pid) EXPECT_EQ(b.cpus(pid), "0-3") << "batch work stays together";
    EXPECT_EQ(b.moves(), "0");
}

TEST(LatencyWork, PartsWhenItIsFoundTogether) {
    Balancer b(kTwoNodes, "numa,l3");
    b.set("by_class", "true");
    add_class(b, 1, 4, 300, WorkClass::latency);
    for (auto& subject : b.subjects) subject.current = CpuSet::range(0, 3);
    b.rounds(20);
    for (const char* cache : {"0-3", "4-7", "8-11", "12-15"}) EXPECT_EQ(b.count_on(cache), 1) << cache;
    EXPECT_EQ(b.reason(1), "l3 2 without latency work took 0.30 from l3 0, which has 4 latency members");
    EXPECT_EQ(b.moves(), "3");
}

TEST(Classes, WorkOnASingleLevelToo) {
    Balancer b(kTwoNodes, "l3");
    b.set("by_class", "true");
    add_class(b, 1, 2, 300, WorkClass::latency);
    add_class(b, 11, 13, 900, WorkClass::batch);
    add_class(b, 21, 22, 900, WorkClass::normal);
    b.rounds(5);
    EXPECT_EQ(b.cpus(1), "0-3");
    EXPECT_EQ(b.cpus(2), "8-11");
    EXPECT_EQ(b.cpus(11), b.cpus(12));
    EXPECT_EQ(b.cpus(12), b.cpus(13));
    EXPECT_NE(b.cpus(21), b.cpus(22));
    EXPECT_EQ(b.moves(), "0");
}

/// Any loads and classes on a shape: promises at each round; under a constant load it comes to rest.
std::string live(const test::NamedShape& shape, const char* level, bool by_class, std::uint64_t seed) {
    Balancer b({.cores_per_l3 = 2}, level);
    b.whole = b.topology = shape.topology;
    b.set("by_class", by_class ? "true" : "false");
    kit::Rng rng(seed);
    const auto usable = b.topology.usable();
    const auto count = 3 + rng.below(static_cast<std::uint64_t>(std::min(usable.count(), 64)) * 2);
    for (Pid pid = 1; pid <= static_cast<Pid>(count); ++pid) {
        add_class(b, pid, pid, static_cast<std::int64_t>(rng.below(1001)),
                  WorkClass{static_cast<int>(rng.below(3))});
        if (rng.below(4) == 0) b.subjects.back().current = CpuSet::of(usable.first());
    }
    std::string text;
    const auto promise = [&] {
        for (const auto& decision : b.round()) {
            EXPECT_FALSE(decision.cpus.empty()) << shape.name;
            EXPECT_TRUE(decision.cpus.subset_of(usable)) << shape.name << " " << decision.reason;
            EXPECT_GT(decision.reason.size(), 20U);
            text += decision.target.text() + decision.cpus.text() + decision.reason + "\n";
        }
    };
    for (int i = 0; i < 10; ++i) {
        b.loads[1 + static_cast<Pid>(rng.below(count))] = static_cast<std::int64_t>(rng.below(1001));
        promise();
    }
    b.rounds(150);
    const auto at_rest = b.decisions;
    b.rounds(70);
    EXPECT_EQ(at_rest.size(), b.decisions.size());
    for (std::size_t i = 0; i < std::min(at_rest.size(), b.decisions.size()); ++i)
        EXPECT_EQ(at_rest[i].reason, b.decisions[i].reason)
            << shape.name << " " << level << " by_class " << by_class << " seed " << seed;
    return text;
}

TEST(AnyShape, ComesToRestOnSeveralLevels) {
    std::uint64_t seed = 0;
    for (const auto& shape : test::all_shapes())
        for (const char* level : {"numa,l3", "numa,core", "package,l3,core", "core"})
            for (const bool by_class : {false, true}) {
                live(shape, level, by_class, ++seed);
                if (testing::Test::HasFailure()) return;
            }
}

TEST(AnyShape, TakesTenThousandMembersOnTwoThousandCpus) {
    for (const bool by_class : {false, true}) {
        Balancer b({.cores_per_l3 = 2}, "package,l3,core");
        b.whole = b.topology = test::shape_8n1024c_wide();
        b.set("by_class", by_class ? "true" : "false");
        for (Pid pid = 1; pid <= 10000; ++pid) {
            b.subjects.push_back({Target::process(pid, 1), "handle_all", 100, {pid}, b.topology.usable()});
            b.subjects.back().demand.work_class = WorkClass{pid % 3};
            b.loads[pid] = pid % 150;
        }
        b.world.clock.advance(std::chrono::seconds(1));
        for (const auto& [pid, load] : b.loads) b.probe().set_process_load(pid, load, b.world.clock.now());
        b.probe().push(1000, b.world.clock.now());
        const auto decisions = b.policy().decide({b.world.clock.now(), b.topology, b.subjects});
        double wanted = 0;
        std::map<int, double> by_core;
        for (const auto& decision : decisions) {
            ASSERT_FALSE(decision.cpus.empty());
            by_core[decision.cpus.first()] += static_cast<double>(b.loads[decision.target.pid]) / 1000;
            wanted += static_cast<double>(b.loads[decision.target.pid]) / 1000;
        }
        EXPECT_GT(wanted, 700) << "of 2048 CPUs";
        for (const auto& [cpu, load] : by_core) EXPECT_LE(load, 2.1) << "on the two threads of CPU " << cpu;
    }
}

TEST(AnyShape, DecidesTheSameTwice) {
    const auto shape = test::NamedShape{"8n64c-ccx", test::shape_8n64c_ccx()};
    EXPECT_EQ(live(shape, "numa,l3,core", true, 7), live(shape, "numa,l3,core", true, 7));
}

} // namespace
} // namespace schedd::policies
