// low_threshold_filter, constant_filter and diff_filter in chains.
#include <gtest/gtest.h>

#include "components/filters/value_filters.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

struct SimpleChain : testing::Test {
    World world{{&kTestProbe, &kTestPolicy, &filters::kLowThreshold, &filters::kConstant, &filters::kDiff,
                 &filters::kThreshold}};
    std::string port = "schedulers/S/test_policy/node_load";

    SimpleChain() {
        EXPECT_TRUE(world.apply("create probes/cpu\ncreate probes/other cpu\ncreate schedulers/S\n"
                                "create schedulers/S/test_policy"));
        world.cluster.fill(2);
    }
    void link(const std::string& chain) {
        const auto done = world.apply("link '" + chain + "' " + port);
        ASSERT_TRUE(done) << done.error().text();
    }
    void push(std::int64_t load, const std::string& name = "cpu") {
        world.at<TestProbe>("probes/" + name).push(load, world.clock.now());
    }
    bool passes(std::int64_t load) {
        auto& policy = world.at<TestPolicy>("schedulers/S/test_policy");
        const int before = policy.updates();
        push(load);
        return policy.updates() > before;
    }
    std::string value() { return world.read(port); }
    std::optional<Sample> of_node(NodeId node) { return world.at<Port>(port).collected_from(node); }
};

using ALowThreshold = SimpleChain;
using AConstant = SimpleChain;
using ADifference = SimpleChain;

TEST_F(ALowThreshold, PassesWhatIsNoMoreThanItsBound) {
    link("cpu/load | low_threshold(threshold=100)");
    EXPECT_TRUE(passes(99));
    EXPECT_TRUE(passes(100));
    EXPECT_FALSE(passes(101));
    EXPECT_TRUE(passes(-1));
    EXPECT_EQ(value(), "-1");
}
TEST_F(ALowThreshold, PassesEverythingAtFirst) {
    link("cpu/load | low_threshold");
    EXPECT_TRUE(passes(INT64_MAX));
}
TEST_F(ALowThreshold, IgnoresItsBoundWhenRead) {
    link("cpu/load | low_threshold(threshold=100)");
    push(500);
    EXPECT_EQ(value(), "500");
}

TEST_F(AConstant, StandsForEveryValueButLeavesTheUpdates) {
    link("cpu/load | constant(constant=1000) | threshold(threshold=1000)");
    EXPECT_TRUE(passes(37));
    EXPECT_EQ(value(), "1000");
    EXPECT_EQ(world.read(port + "/threshold/constant.collected_value"), "37");
    ASSERT_TRUE(world.apply("write " + port + "/threshold/constant.constant 999"));
    EXPECT_FALSE(passes(37));
}
TEST_F(AConstant, StandsForOtherNodesAndForNothingAtAll) {
    link("| constant(constant=7)");
    EXPECT_EQ(value(), "7");
    ASSERT_TRUE(of_node(1));
    EXPECT_EQ(number_of(of_node(1)->value), 7);
    EXPECT_EQ(of_node(1)->origin, 1);
}

struct ADiff : SimpleChain {
    ADiff() {
        link("cpu/load | diff");
        EXPECT_TRUE(world.apply("link other/load " + port + "/diff/second_value"));
    }
};
TEST_F(ADiff, TakesTheSecondValueOff) {
    push(1000, "other");
    EXPECT_TRUE(passes(8000));
    EXPECT_EQ(value(), "7000");
    push(9000, "other");
    EXPECT_EQ(value(), "-1000");
    push(INT64_MIN, "other");
    EXPECT_EQ(value(), "9223372036854775807");
}
TEST_F(ADiff, HasNoValueWithoutBoth) {
    EXPECT_FALSE(passes(8000));
    push(1000, "other");
    EXPECT_TRUE(passes(8000));
    world.at<TestProbe>("probes/other").clear_load();
    EXPECT_FALSE(passes(8000));
    EXPECT_FALSE(world.at<Port>(port).collected());
}
TEST_F(ADiff, IsAsOldAsTheOlderOne) {
    push(1000, "other");
    const auto then = world.clock.now();
    world.clock.advance(std::chrono::seconds(2));
    push(8000);
    ASSERT_TRUE(world.at<Port>(port).collected());
    EXPECT_EQ(world.at<Port>(port).collected()->time, then);
    world.clock.advance(std::chrono::seconds(2));
    EXPECT_FALSE(world.at<Port>(port).collected());
}
TEST_F(ADiff, OfAnotherNodeIsOfWhatThatToldOfBoth) {
    world.cluster.tell(1, "probes/cpu/load", 50, world.clock.now());
    EXPECT_FALSE(of_node(1));
    world.cluster.tell(1, "probes/other/load", 20, world.clock.now());
    ASSERT_TRUE(of_node(1));
    EXPECT_EQ(number_of(of_node(1)->value), 30);
}
TEST_F(ADifference, TakesOnlyWhatItsFilterTakes) {
    link("cpu/load | diff");
    const auto second = port + "/diff/second_value";
    EXPECT_EQ(world.kind("link cpu/memory " + second), Errc::type_mismatch);
    EXPECT_EQ(world.kind("link cpu/process_load " + second), Errc::type_mismatch);
    EXPECT_FALSE(world.kind("link 'other/load | constant(constant=1)' " + second)) << "filters fit there too";
    push(100);
    EXPECT_EQ(value(), "99");
}

} // namespace
} // namespace schedd::test
