// nest: sizes, classes, reasons and restarts, decided by hand-made loads on machines of named shapes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kit/shapes.h"
#include "tests/unit/policies/nested.h"

namespace schedd::policies {
namespace {

using namespace std::chrono_literals;
using test::machine;
using test::Nested;
using testing::HasSubstr;

/// Eight cores under one cache.
struct Eight : Nested {
    explicit Eight(const std::string& links = "node_load process_load wait")
        : Nested(machine({.cores_per_l3 = 8}), links) {}
};

TEST(ANest, HoldsNobodyBeforeItKnowsForDecayWhatIsNeeded) {
    Eight n;
    n.add(1, 1400);
    n.rounds(10);
    EXPECT_EQ(n.cpus(1), "");
    EXPECT_EQ(n.get("state"), "spread");
    n.round();
    EXPECT_EQ(n.cpus(1), "0-1");
}

TEST(ANest, IsAsLargeAsTheLoadWithHeadroom) {
    Eight n;
    n.add(1, 900);
    n.add(2, 700);
    n.rounds(12);
    EXPECT_EQ(n.cpus(1), "0-1") << "2.0 of 1.6";
    EXPECT_EQ(n.cpus(2), "0-1");
    EXPECT_EQ(n.reason(1), "the nest has 2 of 8 cores: members want 1.60 CPUs, with 25 % headroom 2 cores, "
                           "and more were not needed for 10000 ms");
    EXPECT_EQ(n.get("nest_cpus"), "0-1");
    EXPECT_EQ(n.get("nest_cores"), "2");
    EXPECT_EQ(n.get("reserve_cpus"), "2-6");
    EXPECT_EQ(n.get("wanted"), "1600");
    EXPECT_EQ(n.get("state"), "settled");
    EXPECT_EQ(n.get("note"), "");
    n.rounds(10);
    EXPECT_EQ(n.get("reserve_cpus"), "");
    n.set("headroom", "100");
    n.rounds(3);
    EXPECT_EQ(n.cpus(1), "0-3") << "3.2 of 1.6";
}

TEST(ANest, DecidesTheSameAgainWhileNothingChanges) {
    Eight n;
    n.add(1, 900);
    n.add(2, 300, WorkClass::latency);
    n.add(3, 300, WorkClass::batch);
    n.rounds(40);
    const auto before = n.decisions;
    ASSERT_EQ(before.size(), 3U);
    for (int i = 0; i < 50; ++i) {
        n.load(1, 880 + i % 3); // as loads are
        n.round();
        n.decide();
        for (std::size_t k = 0; k < before.size(); ++k) {
            EXPECT_EQ(n.decisions.at(k).cpus, before[k].cpus);
            EXPECT_EQ(n.decisions.at(k).reason, before[k].reason);
        }
    }
}

TEST(ANest, WidensAfterImpatienceAndLetsGoWhenItNeedsAllCores) {
    Eight n;
    n.add(1, 900);
    n.rounds(30);
    ASSERT_EQ(n.cpus(1), "0-1");
    n.load(1, 4000);
    n.round();
    EXPECT_EQ(n.cpus(1), "0-1") << "cold cores are warmed up";
    EXPECT_EQ(n.get("reserve_cpus"), "2-4");
    EXPECT_EQ(n.get("state"), "short");
    n.round();
    EXPECT_EQ(n.cpus(1), "0-4");
    EXPECT_EQ(n.reason(1), "the nest has 5 of 8 cores: members want 4.00 CPUs, with 25 % headroom 5 cores");
    n.load(1, 7000);
    n.rounds(2);
    EXPECT_EQ(n.cpus(1), "") << "8.75 of 7.0";
    EXPECT_EQ(n.get("state"), "spread");
}

TEST(ANest, LetsGoWhenTheMachineIsFullOfOtherWork) {
    Eight n;
    n.add(1, 100);
    n.rounds(30);
    ASSERT_EQ(n.cpus(1), "0");
    n.probe().node = 7999;
    n.rounds(5);
    EXPECT_EQ(n.cpus(1), "0");
    n.probe().node = 8000;
    n.rounds(2);
    EXPECT_EQ(n.cpus(1), "");
    EXPECT_EQ(n.get("note"), "the machine is full: 8.00 tasks want its 8 CPUs");
    n.probe().node = 100;
    n.rounds(30);
    EXPECT_EQ(n.cpus(1), "0");
}

TEST(ANest, GrowsWhenAMemberWaitsThoughTheLoadIsSmall) {
    Eight n;
    n.add(1, 300);
    n.add(2, 300, WorkClass::latency);
    n.rounds(30);
    ASSERT_EQ(n.cpus(1), "0");
    n.probe().waits[2] = 30;
    n.rounds(30);
    EXPECT_EQ(n.cpus(1), "0") << "10 % is not beyond 10 %";
    n.probe().waits[2] = 60;
    n.rounds(2);
    EXPECT_EQ(n.cpus(1), "0-1");
    EXPECT_EQ(n.reason(1), "the nest has 2 of 8 cores: process:2 waited 20 % of the time that it wanted a "
                           "CPU, beyond 10 %");
    n.probe().waits[2] = 20;
    n.rounds(60);
    EXPECT_EQ(n.cpus(1), "0-1") << "more than half of the bound: nothing is given up";
    n.probe().waits[2] = 10;
    n.rounds(12);
    EXPECT_EQ(n.cpus(1), "0");
}

TEST(ANest, DoesNotCountAWaitThatWasMeasuredBeforeItGrew) {
    Eight n;
    n.set("impatience", "0");
    n.add(1, 300);
    n.rounds(30);
    n.probe().waits[1] = 200;
    n.round();
    ASSERT_EQ(n.cpus(1), "0-1");
    for (int i = 0; i < 10; ++i) n.decide();
    EXPECT_EQ(n.cpus(1), "0-1") << "asked often, measured once";
}

TEST(ANest, LetsBatchMembersWaitAndIgnoresWhoHardlyRuns) {
    Eight n;
    n.add(1, 300, WorkClass::batch);
    n.add(2, 19);
    n.probe().waits = {{1, 290}, {2, 19}};
    n.rounds(30);
    EXPECT_EQ(n.cpus(1), "0");
    EXPECT_EQ(n.cpus(2), "0");
}

TEST(ANest, GivesLatencyTheReserveAndBatchOnlyWhatItFills) {
    Eight n;
    n.add(1, 1000, WorkClass::batch);
    n.add(2, 1000);
    n.add(3, 400, WorkClass::latency);
    n.rounds(11);
    EXPECT_EQ(n.cpus(1), "0");
    EXPECT_EQ(n.cpus(2), "0-2") << "3.0 of 2.4";
    EXPECT_EQ(n.cpus(3), "") << "with its reserve the nest is the whole machine";
    n.set("reserve", "2");
    n.decide();
    EXPECT_EQ(n.cpus(3), "0-4");
    EXPECT_EQ(n.reason(1), "batch work of 1.00 tasks has the first 1 of 8 cores");
    EXPECT_THAT(n.reason(3),
                testing::StartsWith("the nest and its reserve have 5 of 8 cores: members want "));
    n.rounds(10);
    EXPECT_EQ(n.cpus(3), "0-2");
    n.subject(3).demand.work_class = WorkClass::batch;
    n.rounds(2);
    EXPECT_EQ(n.cpus(3), n.cpus(1)) << "a class that changes is followed";
}

TEST(Siblings, ArePackedWithBatchWorkOnly) {
    Nested n(machine({.cores_per_l3 = 8, .threads_per_core = 2}));
    n.set("headroom", "0");
    n.add(1, 2000, WorkClass::batch);
    n.rounds(30);
    EXPECT_EQ(n.cpus(1), "0-1") << "one core, both threads";
    n.subject(1).demand.work_class = WorkClass::latency;
    n.rounds(3);
    EXPECT_EQ(n.cpus(1), "0-3") << "a core for each CPU that it wants";
    n.set("siblings", "all");
    n.rounds(30);
    EXPECT_EQ(n.cpus(1), "0-1");
    n.set("siblings", "none");
    n.subject(1).demand.work_class = WorkClass::batch;
    n.rounds(3);
    EXPECT_EQ(n.cpus(1), "0-3");
}

TEST(ThePreferredKind, OfCoreComesFirst) {
    const std::pair<const char*, const char*> expected[] = {{"any", "0-1"},
                                                            {"performance", "0-1"},
                                                            {"efficient", "16"}};
    for (const auto& [prefer, cpus] : expected) {
        Nested n(test::shape_hybrid_8p_16e());
        n.set("prefer", prefer);
        n.add(1, 500);
        n.rounds(30);
        EXPECT_EQ(n.cpus(1), cpus) << prefer;
    }
}

TEST(ThePreferredKind, MayChangeAtAnyTime) {
    Nested n(test::shape_hybrid_8p_16e());
    n.add(1, 500);
    n.rounds(30);
    n.set("prefer", "efficient");
    EXPECT_TRUE(n.policy().due());
    n.decide();
    EXPECT_EQ(n.cpus(1), "16");
    EXPECT_EQ(n.reason(1),
              "the nest has 1 of 24 cores: the machine's CPUs, the floor or the preferred kind changed");
}

TEST(ANewcomer, IsTakenInWhenItIsMeasured) {
    Eight n;
    n.add(1, 500);
    n.rounds(30);
    n.add(2, 0);
    n.probe().loads.erase(2);
    n.rounds(3);
    EXPECT_EQ(n.cpus(2), "") << "it may want many";
    n.load(2, 10);
    n.round();
    EXPECT_EQ(n.cpus(2), "0");
    n.probe().loads.erase(2);
    n.round();
    EXPECT_EQ(n.cpus(2), "0") << "a gap changes nothing";
}

TEST(ANewcomer, IsNotTakenIntoANestThatIsTooSmall) {
    Eight n;
    n.add(1, 500);
    n.rounds(30);
    n.add(2, 4000);
    n.round();
    EXPECT_EQ(n.cpus(1), "0");
    EXPECT_EQ(n.cpus(2), "");
    n.round();
    EXPECT_EQ(n.cpus(1), "0-5");
    EXPECT_EQ(n.cpus(2), "0-5");
}

TEST(ANewcomer, ThatIsHeldAlreadyStaysInTheNest) {
    Eight n;
    n.add(1, 500);
    n.rounds(30);
    n.add(2, 0); // forked by a member
    n.probe().loads.erase(2);
    n.subject(2).current = CpuSet::of(0);
    n.subject(2).held = true;
    n.decide();
    EXPECT_EQ(n.cpus(2), "0");
}

TEST(AMemberWithCpusOfItsOwn, IsLeftAloneAndDoesNotCount) {
    Eight n;
    n.add(1, 500);
    n.add(2, 6000, WorkClass::normal, "4-7");
    n.rounds(30);
    EXPECT_EQ(n.cpus(1), "0");
    EXPECT_EQ(n.cpus(2), "");
    EXPECT_EQ(n.get("wanted"), "500");
    EXPECT_EQ(n.get("note"), "1 member came with CPUs of its own and is left alone");
}

TEST(AUnit, CountsWithAllItsProcessesAndWithNothingWhenItHasNone) {
    Eight n;
    n.add_unit("web.service", {10, 11});
    n.add_unit("empty.service", {});
    n.probe().loads = {{10, 600}, {11, 600}};
    n.rounds(12);
    EXPECT_EQ(n.cpus(Target::unit("web.service")), "0-1");
    EXPECT_EQ(n.cpus(Target::unit("empty.service")), "0-1") << "it will start on warm cores";
}

TEST(WithoutValues, EverythingStaysAsItIs) {
    Eight n;
    n.add(1, 500);
    n.rounds(30);
    ASSERT_EQ(n.cpus(1), "0");
    const auto reason = n.reason(1);
    n.probe().node.reset();
    n.load(1, 8000);
    n.rounds(30);
    EXPECT_EQ(n.cpus(1), "0");
    EXPECT_EQ(n.reason(1), reason);
    EXPECT_EQ(n.get("state"), "blind");
    EXPECT_EQ(n.get("note"), "node_load has no value: link cpu/node_load");
    EXPECT_EQ(n.policy().next_due(), kit::kNever);
    n.probe().node = 0;
    n.probe().loads.clear();
    n.rounds(30);
    EXPECT_EQ(n.cpus(1), "0");
    EXPECT_EQ(n.get("note"), "no member has a value on process_load: link cpu/process_load");
    n.load(1, 8000);
    n.rounds(2);
    EXPECT_EQ(n.cpus(1), "");
}

TEST(WithoutValues, NobodyIsEverHeld) {
    Eight n("");
    n.add(1, 500);
    n.rounds(60);
    EXPECT_TRUE(n.decisions.empty());
}

TEST(WithoutTheWaitPort, TheLoadAloneCounts) {
    Eight n("node_load process_load");
    n.add(1, 500);
    n.probe().waits[1] = 400;
    n.rounds(30);
    EXPECT_EQ(n.cpus(1), "0");
}

TEST(HostileValues, NeitherOverflowNorUnderflow) {
    Eight n;
    n.add(1, INT64_MAX);
    n.add(2, INT64_MIN);
    n.probe().waits = {{1, INT64_MAX}, {2, INT64_MIN}};
    n.rounds(30);
    EXPECT_TRUE(n.decisions.empty());
    EXPECT_EQ(n.get("wanted"), "8192000");
    n.probe().node = INT64_MAX;
    n.load(1, INT64_MIN);
    n.rounds(30);
    EXPECT_TRUE(n.decisions.empty());
    n.probe().node = INT64_MIN;
    n.rounds(30);
    EXPECT_EQ(n.cpus(1), "0");
}

TEST(AMachineThatChanges, KeepsTheSizeOfTheNest) {
    Eight n;
    n.add(1, 2400);
    n.rounds(30);
    ASSERT_EQ(n.cpus(1), "0-2");
    test::set_online(n.topology, n.whole, CpuSet::parse("1,3-7").value());
    n.decide();
    EXPECT_EQ(n.cpus(1), "1,3-4");
    EXPECT_EQ(n.reason(1),
              "the nest has 3 of 6 cores: the machine's CPUs, the floor or the preferred kind changed");
    test::set_online(n.topology, n.whole, CpuSet::parse("6-7").value());
    n.decide();
    EXPECT_EQ(n.cpus(1), "") << "all there are";
    n.load(1, 8000);
    n.rounds(2);
    test::set_online(n.topology, n.whole, CpuSet::parse("4-7").value());
    n.round();
    EXPECT_EQ(n.cpus(1), "") << "CPUs that come back hold nobody back";
    n.load(1, 2400);
    test::set_online(n.topology, n.whole, {});
    EXPECT_TRUE(n.decide().empty());
    test::set_online(n.topology, n.whole, n.whole.online);
    n.rounds(30);
    EXPECT_EQ(n.cpus(1), "0-2") << "and no CPU at all is survived";
}

TEST(AFloor, IsKeptAndMayBeTheWholeMachine) {
    Eight n;
    n.set("floor", "3");
    n.add(1, 100);
    n.rounds(30);
    EXPECT_EQ(n.cpus(1), "0-2");
    n.set("floor", "8192");
    n.decide();
    EXPECT_EQ(n.cpus(1), "");
    EXPECT_EQ(n.get("note"),
              "nothing can be packed: 8 cores with 8 CPUs can be used, the floor is 8192 CPUs");
}

TEST(ARestart, TakesTheNestOverAsItWasLeft) {
    Eight n;
    n.add(1, 2400);
    n.add(2, 100, WorkClass::batch);
    for (const auto& [pid, cpus] : {std::pair<Pid, int>(1, 2), {2, 0}}) {
        n.subject(pid).current = CpuSet::range(0, cpus);
        n.subject(pid).held = true;
    }
    n.round();
    EXPECT_EQ(n.cpus(1), "0-2");
    EXPECT_EQ(n.cpus(2), "0");
    EXPECT_EQ(n.reason(1), "the nest has 3 of 8 cores: it was found like this");
}

TEST(ARestart, BeginsWithAllCoresWhenNoNestCanBeSeen) {
    Eight n;
    n.add(1, 2400);
    n.subject(1).current = CpuSet::range(3, 5);
    n.subject(1).held = true;
    n.round();
    EXPECT_EQ(n.cpus(1), "");
}

TEST(ANest, WantsItsTurnWhenACoreHasDecayed) {
    Eight n;
    n.add(1, 500);
    n.round();
    const auto due = n.policy().next_due();
    EXPECT_EQ(due, n.world.clock.now() + 10s);
    n.set("decay", "2000");
    EXPECT_TRUE(n.policy().due()) << "a new attribute value is acted on";
    n.policy().done();
    n.world.clock.advance(2s);
    n.decide();
    EXPECT_EQ(n.cpus(1), "0") << "without another update";
}

TEST(ANest, IsPackedIntoTheFewestNodesAndCaches) {
    Nested n(machine({.nodes = 2, .l3_per_node = 2, .cores_per_l3 = 4}));
    test::set_online(n.topology, n.whole, CpuSet::range(2, 15));
    n.add(1, 2000);
    n.rounds(30);
    EXPECT_EQ(n.cpus(1), "8-10") << "the node and the cache that are whole";
    n.load(1, 5000);
    n.rounds(3);
    EXPECT_EQ(n.cpus(1), "8-14");
}

TEST(ANest, DecidesForThousandsOfMembers) {
    Nested n(machine({.nodes = 2, .l3_per_node = 4, .cores_per_l3 = 8, .threads_per_core = 2}));
    for (Pid pid = 1; pid <= 3000; ++pid) n.add(pid, 10, static_cast<WorkClass>(pid % 3));
    n.rounds(30);
    ASSERT_EQ(n.decisions.size(), 3000U);
    EXPECT_EQ(n.cpus(2), "0-9") << "ten CPUs of batch work on five cores";
    EXPECT_EQ(n.get("wanted"), "30000");
}

} // namespace
} // namespace schedd::policies
