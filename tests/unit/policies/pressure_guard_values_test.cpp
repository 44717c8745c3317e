// pressure_guard: which values count, how often, and what gaps, old values and missing links do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policies/guarded.h"

namespace schedd::policies {
namespace {

using namespace std::chrono_literals;
using test::Eight;
using test::Guarded;
using test::kEightCpus;
using testing::HasSubstr;
using enum WorkClass;

TEST(TheValues, MayBeDelaysOfProcesses) {
    Guarded g(kEightCpus, "wait");
    g.add_process(7, latency);
    g.add_process(8, batch);
    g.gauge().waits[7] = 150;
    g.rounds(3);
    ASSERT_NE(g.find(Target::process(8, 1)), nullptr);
    EXPECT_EQ(g.get("worst"), "process:7 15 %");
    g.subjects.front().pids = {7, 9, 10};
    g.gauge().waits = {{7, 300}, {9, 400}, {10, 900}};
    g.rounds(1);
    EXPECT_EQ(g.get("worst"), "process:7 100 %") << "the sum, and no more than all the time";
}

TEST(TheValues, OfItsOwnGroupGoBeforeAll) {
    Eight g;
    g.gauge().node = 1000;
    g.gauge().waits[1000] = 1000; // web.service's process
    g.press(20, 10);
    EXPECT_EQ(g.get("worst"), "unit:web.service 1 %");
    EXPECT_TRUE(g.decisions.empty());
}

TEST(TheValues, OfTheMachineCountWhileNobodyHasAnyOther) {
    Eight g("group node");
    g.gauge().node = 150;
    g.rounds(3);
    EXPECT_EQ(g.pool(), "0-6");
    EXPECT_THAT(g.reason("batch.slice"), HasSubstr("the machine waited for a CPU 15.0 %"));
    EXPECT_EQ(g.get("note"), "no latency member has a value: the machine's counts, batch work's included");
    g.press(1, 20);
    EXPECT_EQ(g.get("worst"), "unit:web.service 2 %");
    g.gauge().groups.clear();
    g.rounds(30);
    EXPECT_EQ(g.get("state"), "blind") << "the machine's does not stand in for a gap";
    EXPECT_EQ(g.pool(), "0-6");
}

TEST(TheValues, ThatAreHostileAreCut) {
    Eight g;
    g.press(3, -5);
    EXPECT_EQ(g.get("worst"), "unit:web.service 0 %");
    g.press(3, INT64_MAX);
    EXPECT_EQ(g.get("worst"), "unit:web.service 100 %");
    g.gauge().groups.clear();
    g.gauge().waits[1000] = INT64_MIN;
    g.rounds(1);
    EXPECT_EQ(g.get("worst"), "unit:web.service 0 %");
}

TEST(WithoutAnyPortLinked, NothingIsSqueezedAndTheNoteSaysSo) {
    Eight g("");
    g.press(50, 1000);
    EXPECT_TRUE(g.decisions.empty());
    EXPECT_EQ(g.get("state"), "blind");
    EXPECT_EQ(g.get("note"), "no port has a value: link pressure, wait or node_pressure");
}

TEST(AGap, NeitherSqueezesNorReleases) {
    Eight g;
    g.press(6, 150);
    const auto before = g.decisions.front().reason;
    g.gauge().groups.clear();
    g.rounds(100);
    EXPECT_EQ(g.pool(), "0-5");
    EXPECT_EQ(g.reason("batch.slice"), before);
    EXPECT_EQ(g.get("state"), "blind");
    EXPECT_EQ(g.get("note"), "unit:web.service has no value any more: nothing is given back");
}

TEST(AGap, OfOneMemberHoldsBackWhatTheOthersWouldRelease) {
    Eight g;
    g.add("db.service", latency);
    g.gauge().groups["/db.service"] = 0;
    g.press(3, 150);
    ASSERT_EQ(g.pool(), "0-6");
    g.gauge().groups.erase("/db.service");
    g.press(100, 0);
    EXPECT_EQ(g.pool(), "0-6");
    EXPECT_EQ(g.get("state"), "holding");
    g.press(3, 150);
    EXPECT_EQ(g.pool(), "0-5") << "but not what they need";
    g.gauge().groups["/db.service"] = 0;
    g.press(10, 0);
    EXPECT_EQ(g.pool(), "0-6");
}

TEST(AGap, OfAMemberThatNeverHadAValueHoldsNothingBack) {
    Eight g;
    g.add("dark.service", latency);
    g.press(3, 150);
    g.press(10, 0);
    EXPECT_EQ(g.pool(), "");
}

TEST(AValue, ThatIsTooOldIsNone) {
    Eight g;
    g.press(3, 150);
    for (int i = 0; i < 20; ++i) { // the probe has stopped
        g.world.clock.advance(1s);
        g.decide();
    }
    EXPECT_EQ(g.pool(), "0-6");
    EXPECT_EQ(g.get("state"), "blind");
}

TEST(AValue, CountsOnceHoweverOftenIsDecided) {
    Eight g;
    g.press(1, 150);
    for (int i = 0; i < 50; ++i) g.decide();
    EXPECT_TRUE(g.decisions.empty());
    g.press(1, 150);
    for (int i = 0; i < 50; ++i) g.decide();
    EXPECT_TRUE(g.decisions.empty());
    g.press(1, 150);
    EXPECT_EQ(g.pool(), "0-6");
}

/// Eight cores; process 1 is guarded by its own delays, and what it wants is known.
struct Knowing : Guarded {
    Knowing() : Guarded(kEightCpus, "wait load") {
        add_process(1, latency);
        add_process(2, batch);
    }
    void live(int updates, std::int64_t runs, std::int64_t waits) {
        gauge().loads[1] = runs + waits;
        gauge().waits[1] = waits;
        rounds(updates);
    }
};

TEST(TheLoad, OfOneThatRunsAsBeforeMakesTheCalmLong) {
    Knowing g;
    g.live(3, 100, 150);
    ASSERT_EQ(g.get("squeezed"), "1");
    g.live(79, 60, 0);
    EXPECT_EQ(g.get("squeezed"), "1") << "it is well because of what was taken";
    g.live(1, 60, 0);
    EXPECT_EQ(g.get("squeezed"), "0") << "now and then it is tried";
    g.live(1, 100, 150);
    EXPECT_EQ(g.get("squeezed"), "1") << "and taken back at the first value that is too much";
    EXPECT_THAT(g.decisions.at(0).reason, testing::EndsWith("beyond 10 % in 1 update"));
}

TEST(TheLoad, OfOneThatBecameIdleIsNotWaitedForAfterHarm) {
    Knowing g;
    g.live(3, 100, 150);
    g.live(80, 100, 0);
    g.live(1, 100, 150); // the second time
    g.live(9, 0, 0);
    EXPECT_EQ(g.get("squeezed"), "1");
    g.live(1, 0, 0);
    EXPECT_EQ(g.get("squeezed"), "0");
}

TEST(TheLoad, CountsWithoutWhatWasWaiting) {
    Knowing g;
    g.live(3, 10, 900);
    const auto taken = g.get("squeezed");
    g.live(79, 10, 0);
    EXPECT_EQ(g.get("squeezed"), taken) << "a tenth of the load it had, but it runs as much";
}

TEST(TheLoad, ThatIsHostileOrGoneChangesNothing) {
    for (const std::int64_t load : {std::int64_t{-5}, INT64_MAX, INT64_MIN}) {
        Knowing g;
        g.gauge().loads[1] = load;
        g.gauge().waits[1] = 150;
        g.rounds(3);
        EXPECT_EQ(g.get("squeezed"), "1") << load;
        g.gauge().loads.clear();
        g.gauge().waits[1] = 0;
        g.rounds(10);
        EXPECT_EQ(g.get("squeezed"), "0") << "as without the port";
    }
}

} // namespace
} // namespace schedd::policies
