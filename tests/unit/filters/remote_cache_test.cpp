// remote_cache_filter: how old a value of another node it serves, and that own values pass.
#include <gtest/gtest.h>

#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Cached : ::testing::Test {
    World world{{&kTestProbe, &kTestPolicy, &filters::kThreshold, &filters::kRemoteCache}};
    Cached() {
        world.cluster.fill(3);
        EXPECT_TRUE(world.apply("create probes/cpu\ncreate schedulers/S\ncreate schedulers/S/test_policy\n"
                                "link 'cpu/load | threshold(threshold=100) | remote_cache' "
                                "schedulers/S/test_policy/node_load"));
    }
    TestPolicy& policy() { return world.at<TestPolicy>("schedulers/S/test_policy"); }
    TestProbe& probe() { return world.at<TestProbe>("probes/cpu"); }
    void set_period(int ms) {
        ASSERT_TRUE(world.apply("write schedulers/S/test_policy/node_load/remote_cache.polling_period " +
                                std::to_string(ms)));
    }
    /// Whether a value that node 2 told so long ago, with that period, is served.
    bool serves(int age_ms, int period_ms = 1000) {
        world.cluster.tell(2, "probes/cpu/load", 7, world.clock.now() - milliseconds(age_ms),
                           milliseconds(period_ms));
        const auto sample = policy().port(0).collected_from(2);
        if (sample) {
            EXPECT_EQ(number_of(sample->value), 7);
            EXPECT_EQ(sample->origin, 2);
        }
        return sample.has_value();
    }
};
using ARemoteCache = Cached;

TEST_F(ARemoteCache, ServesTheLastValueUpToThreePeriodsAtFirst) {
    EXPECT_TRUE(serves(0));
    EXPECT_TRUE(serves(3000));
    EXPECT_FALSE(serves(3001));
    EXPECT_TRUE(serves(14'000, 5000));
    EXPECT_FALSE(serves(500, 100));
}
TEST_F(ARemoteCache, ServesNothingOlderThanItsPollingPeriod) {
    set_period(2000);
    EXPECT_TRUE(serves(2000));
    EXPECT_FALSE(serves(2001));
}
TEST_F(ARemoteCache, ServesNothingBeyondTheLimitHoweverLongItsPollingPeriod) {
    set_period(86'400'000);
    EXPECT_TRUE(serves(3000));
    EXPECT_FALSE(serves(3001));
}
TEST_F(ARemoteCache, TakesWhatIsAskedFresherThanAnybodyTellsForAPeriodAndAQuarter) {
    for (const int ms : {1, 100, 1000, 1250}) {
        set_period(ms);
        EXPECT_TRUE(serves(1250)) << ms;
        EXPECT_FALSE(serves(1251)) << ms;
    }
}
TEST_F(ARemoteCache, AsksMoreOfThoseWhoTellMoreOften) {
    set_period(100);
    EXPECT_TRUE(serves(125, 100));
    EXPECT_FALSE(serves(126, 100));
    set_period(200);
    EXPECT_TRUE(serves(200, 100));
    EXPECT_FALSE(serves(201, 100));
}
TEST_F(ARemoteCache, MakesAValueNoFresherForThoseAboveIt) {
    set_period(2000);
    world.cluster.tell(2, "probes/cpu/load", 7, world.clock.now() - milliseconds(1900));
    const auto sample = policy().port(0).collected_from(2);
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample->fresh_for, seconds(2));
}
TEST_F(ARemoteCache, HasNoValueOfANodeThatHasGone) {
    ASSERT_TRUE(serves(0));
    world.cluster.rows.pop_back();
    EXPECT_FALSE(policy().port(0).collected_from(2));
}
TEST_F(ARemoteCache, PassesOwnValuesAndUpdatesHoweverOldItMayServeOthers) {
    set_period(1);
    probe().push(500, world.clock.now());
    EXPECT_EQ(policy().updates(), 1);
    world.clock.advance(milliseconds(2900));
    ASSERT_TRUE(policy().port(0).collected());
    EXPECT_EQ(number_of(policy().port(0).collected()->value), 500);
    EXPECT_EQ(number_of(policy().port(0).collected_from(0)->value), 500);
    EXPECT_EQ(world.read("schedulers/S/test_policy/node_load/remote_cache"), "500");
}
TEST_F(ARemoteCache, RefusesAPeriodOfMoreThanADay) {
    const std::string path = "schedulers/S/test_policy/node_load/remote_cache.polling_period";
    EXPECT_EQ(world.kind("write " + path + " 86400001"), Errc::invalid_value);
    EXPECT_EQ(world.kind("write " + path + " -1"), Errc::invalid_value);
    EXPECT_EQ(world.read(path), "0");
}
TEST_F(ARemoteCache, IsCalledByItsLongNameToo) {
    EXPECT_FALSE(world.kind("remove -r schedulers/S/test_policy/node_load/remote_cache\n"
                            "create schedulers/S/test_policy/node_load/remote_cache_filter"));
}

} // namespace
} // namespace schedd::test
