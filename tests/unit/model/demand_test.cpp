// Demand: which sources somebody wants, and that probes rest while nobody does.
#include <gtest/gtest.h>

#include "components/model/demand.h"
#include "components/model/published.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Demand : ::testing::Test {
    World world{{&kTestProbe, &kTestPolicy, &kPassFilter, &filters::kThreshold, &filters::kFreqLimit}};
    Demand() {
        world.start({.pid = 10});
        EXPECT_TRUE(world.apply("create probes/cpu\nwrite probes/cpu.probe_period 100\n"
                                "create schedulers/S\ncreate schedulers/S/test_policy"));
    }
    TestProbe& probe() { return world.at<TestProbe>("probes/cpu"); }
    const Source& source(const std::string& name) { return world.at<Source>("probes/cpu/" + name); }
    void link() { EXPECT_TRUE(world.apply("link cpu/load schedulers/S/test_policy/node_load")); }
    /// Runs the probe whenever it is due. Returns how often that was.
    int live(Duration time) {
        const auto before = probe().measured();
        for (const Time end = world.clock.now() + time; world.clock.now() < end;) {
            world.clock.advance(milliseconds(10));
            if (probe().next_due() <= world.clock.now()) probe().run(world.clock.now());
        }
        return probe().measured() - before;
    }
    [[nodiscard]] Duration until_due() { return probe().next_due() - world.clock.now(); }
};
using ARestingProbe = Demand;
using AWantedSource = Demand;

TEST_F(ARestingProbe, MeasuresItsFirstValuesThoughNobodyHasAsked) {
    EXPECT_GE(live(seconds(2)), 19);
    EXPECT_FALSE(source("load").rests());
}
TEST_F(ARestingProbe, RestsWhenNobodyWantsAnything) {
    live(seconds(4));
    EXPECT_TRUE(source("load").rests());
    EXPECT_EQ(live(seconds(10)), 10) << "once a second, so that a value is there for who looks";
    EXPECT_TRUE(source("load").read({})->fresh_at(world.clock.now()));
}
TEST_F(ARestingProbe, ThatIsSlowKeepsItsPeriodAtRest) {
    ASSERT_TRUE(world.apply("write probes/cpu.probe_period 5000"));
    live(seconds(20));
    EXPECT_EQ(live(seconds(50)), 10);
}
TEST_F(ARestingProbe, IsWokenByAReader) {
    live(seconds(5) + milliseconds(300));
    ASSERT_GT(until_due(), milliseconds(200));
    EXPECT_FALSE(world.read("probes/cpu/load").starts_with("error"));
    EXPECT_LE(until_due(), Duration{}) << "its period is over";
    EXPECT_GE(live(seconds(5)), 49);
    live(seconds(20));
    EXPECT_TRUE(source("load").rests()) << "who has not asked for long does not ask any more";
}
TEST_F(ARestingProbe, StaysAwakeForAReaderWhoComesNowAndThen) {
    live(seconds(5));
    for (int i = 0; i < 4; ++i) {
        world.read("probes/cpu/load");
        live(seconds(8));
        EXPECT_FALSE(source("load").rests());
    }
}
TEST_F(ARestingProbe, RestsAsSoonAtAShorterPeriodAsIfItHadAlwaysHadIt) {
    ASSERT_TRUE(world.apply("write probes/cpu.probe_period 10000"));
    live(seconds(20));
    world.read("probes/cpu/load");
    live(seconds(20));
    ASSERT_FALSE(source("load").rests());
    ASSERT_TRUE(world.apply("write probes/cpu.probe_period 100"));
    live(seconds(9));
    EXPECT_FALSE(source("load").rests());
    live(seconds(2));
    EXPECT_TRUE(source("load").rests());
}
TEST_F(ARestingProbe, IsNotWokenByPortsOfASchedulerWithoutMembers) {
    link();
    live(seconds(5));
    EXPECT_EQ(live(seconds(5)), 5);
    EXPECT_FALSE(feeds_members(source("load")));
}
TEST_F(ARestingProbe, TellsItsSinksAlsoAtRest) {
    link();
    live(seconds(5));
    const auto& policy = world.at<TestPolicy>("schedulers/S/test_policy");
    const auto before = policy.updates();
    live(seconds(3));
    EXPECT_EQ(policy.updates(), before + 3) << "filters that remember go on";
}
TEST_F(ARestingProbe, IsWokenByAMember) {
    link();
    live(seconds(5) + milliseconds(300));
    ASSERT_TRUE(world.apply("create schedulers/S/process_set/process:10"));
    EXPECT_LE(until_due(), Duration{});
    EXPECT_GE(live(seconds(30)), 299);
    ASSERT_TRUE(world.apply("remove schedulers/S/process_set/process:10"));
    live(seconds(5));
    EXPECT_EQ(live(seconds(5)), 5);
}
TEST_F(ARestingProbe, IsAwakeForWhoHandlesAll) {
    link();
    ASSERT_TRUE(world.apply("write schedulers/S/process_set.handle_all true"));
    live(seconds(5));
    EXPECT_GE(live(seconds(5)), 49);
}
TEST_F(ARestingProbe, KeepsItsPeriodWhenItWasHurried) {
    live(seconds(5) + milliseconds(300));
    world.read("probes/cpu/load");
    probe().run(world.clock.now());
    EXPECT_EQ(until_due(), milliseconds(100));
}

TEST_F(AWantedSource, RestsAloneWhileAnotherIsWanted) {
    link();
    ASSERT_TRUE(world.apply("create schedulers/S/process_set/process:10"));
    live(seconds(5));
    EXPECT_FALSE(source("load").rests());
    EXPECT_TRUE(source("memory").rests());
    EXPECT_TRUE(probe().is_wanted(source("load")));
    EXPECT_FALSE(probe().is_wanted(source("memory")));
}
TEST_F(AWantedSource, FeedsMembersThroughFilters) {
    ASSERT_TRUE(world.apply("link 'cpu/load | pass | threshold(threshold=5)' "
                            "schedulers/S/test_policy/node_load\n"
                            "create schedulers/S/process_set/process:10"));
    EXPECT_TRUE(feeds_members(source("load")));
    EXPECT_FALSE(feeds_members(source("process_load")));
}
TEST_F(AWantedSource, IsWantedWhenItIsPublishedToOtherNodes) {
    live(seconds(5));
    ASSERT_EQ(published(world.tree).size(), 1U); // as each heartbeat does
    live(milliseconds(200));
    EXPECT_FALSE(source("load").rests());
    EXPECT_TRUE(source("memory").rests());
}
TEST_F(AWantedSource, IsAskedAtTheLowerEndOfAChain) {
    ASSERT_TRUE(world.apply("link 'cpu/load | pass' schedulers/S/test_policy/node_load"));
    for (const auto* part : {"schedulers/S/test_policy/node_load", "schedulers/S/test_policy/node_load/pass",
                             "probes/cpu/load"}) {
        live(seconds(20));
        ASSERT_TRUE(source("load").rests());
        ask_source_of(world.at(part));
        EXPECT_TRUE(probe().is_wanted(source("load"))) << part;
        EXPECT_FALSE(probe().is_wanted(source("memory"))) << part;
    }
}
TEST_F(AWantedSource, IsNotAskedThroughAnOpenEnd) {
    ask_source_of(world.at("schedulers/S/test_policy/node_load")); // nothing is linked
    ask_source_of(world.at("schedulers/S"));
    live(seconds(5));
    EXPECT_TRUE(source("load").rests());
}

} // namespace
} // namespace schedd::test
