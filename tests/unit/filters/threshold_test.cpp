// threshold_filter: which updates pass, and that reads always do.
#include <gtest/gtest.h>

#include "tests/kit/world.h"

namespace schedd::test {
namespace {

struct Chain : ::testing::Test {
    Chain() {
        EXPECT_TRUE(
            world.apply("create probes/cpu\n"
                        "create schedulers/S\n"
                        "create schedulers/S/test_policy\n"
                        "link 'cpu/load | threshold(threshold=100)' schedulers/S/test_policy/node_load"));
    }
    World world;
    TestProbe& probe() { return world.at<TestProbe>("probes/cpu"); }
    TestPolicy& policy() { return world.at<TestPolicy>("schedulers/S/test_policy"); }
    std::string path = "schedulers/S/test_policy/node_load/threshold";

    /// Whether an update of that load reaches the policy.
    bool passes(std::int64_t load) {
        const int before = policy().updates();
        probe().push(load, world.clock.now());
        return policy().updates() > before;
    }
};

using AThreshold = Chain;

TEST_F(AThreshold, DropsAnUpdateBelowItsBound) { EXPECT_FALSE(passes(99)); }
TEST_F(AThreshold, PassesAnUpdateAtItsBound) { EXPECT_TRUE(passes(100)); }
TEST_F(AThreshold, PassesAnUpdateAboveItsBoundEachTime) {
    EXPECT_TRUE(passes(101));
    EXPECT_TRUE(passes(101));
}
TEST_F(AThreshold, DropsWhatIsBelowZero) {
    EXPECT_FALSE(passes(-1));
    ASSERT_TRUE(world.apply("write " + path + ".threshold 0"));
    EXPECT_FALSE(passes(-1));
    EXPECT_TRUE(passes(0));
}
TEST_F(AThreshold, FollowsItsAttributeWhileItRuns) {
    ASSERT_TRUE(world.apply("write " + path + ".threshold 50"));
    EXPECT_TRUE(passes(99));
    ASSERT_TRUE(world.apply("write " + path + ".threshold 9223372036854775807"));
    EXPECT_FALSE(passes(INT64_MAX - 1));
    EXPECT_TRUE(passes(INT64_MAX));
}
TEST_F(AThreshold, IgnoresItsBoundWhenRead) {
    probe().push(5, world.clock.now());
    EXPECT_EQ(world.read(path), "5");
    EXPECT_EQ(world.read(path + ".collected_value"), "5");
    EXPECT_EQ(world.read("schedulers/S/test_policy/node_load"), "5");
}
TEST_F(AThreshold, RefusesABoundThatIsNoNumber) {
    for (const auto* bad : {"-1", "1x", "''", "9223372036854775808"})
        EXPECT_EQ(world.kind("write " + path + ".threshold " + bad), Errc::invalid_value) << bad;
    EXPECT_EQ(world.read(path + ".threshold"), "100");
}

} // namespace
} // namespace schedd::test
