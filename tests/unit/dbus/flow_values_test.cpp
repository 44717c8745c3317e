// Values for callers, and why there are none.
#include "dbus/flow_values.h"

#include <gtest/gtest.h>

#include "tests/kit/world.h"

namespace schedd::dbus {
namespace {

struct AFlowValue : ::testing::Test {
    AFlowValue() {
        EXPECT_TRUE(
            world.apply("create probes/cpu\ncreate schedulers/S\ncreate schedulers/S/load_balancing\n"));
    }
    test::TestProbe& probe() { return world.at<test::TestProbe>("probes/cpu"); }
    const model::Part& at(std::string_view path) { return world.at(path); }
    test::World world;
};

TEST_F(AFlowValue, IsTheSourcesSample) {
    probe().push(1500, world.clock.now());
    const auto sample = value_of(at("probes/cpu/load"));
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample->value, model::Value(std::int64_t{1500}));
}

TEST_F(AFlowValue, IsNoneBeforeTheFirstMeasurement) {
    const auto sample = value_of(at("probes/cpu/load"));
    ASSERT_FALSE(sample);
    EXPECT_EQ(sample.error().kind, Errc::no_value);
    EXPECT_EQ(sample.error().text(), "probes/cpu/load has no value: not measured yet");
}

TEST_F(AFlowValue, IsNoneWithTheProbesTrouble) {
    probe().set_trouble("proc/stat: no such file");
    EXPECT_EQ(value_of(at("probes/cpu/load")).error().detail, "proc/stat: no such file");
}

TEST_F(AFlowValue, TakesTheParameterOfItsType) {
    probe().set_process_load(12, 700, world.clock.now());
    EXPECT_EQ(model::number_of(value_of(at("probes/cpu/process_load"), "12")->value), 700);
    EXPECT_EQ(value_of(at("probes/cpu/process_load"), "13").error().text(),
              "probes/cpu/process_load has no value: nothing is known of that pid");
    EXPECT_EQ(value_of(at("probes/cpu/process_load")).error().text(),
              "probes/cpu/process_load has one value per pid: name a pid, or list them all");
    EXPECT_EQ(value_of(at("probes/cpu/load"), "12").error().kind, Errc::invalid_value);
}

TEST_F(AFlowValue, OfAPortIsWhatItCollects) {
    ASSERT_TRUE(
        world.apply("link 'cpu/load | threshold(threshold=5)' schedulers/S/load_balancing/node_load"));
    probe().push(9, world.clock.now());
    EXPECT_EQ(model::number_of(collected_value_of(at("schedulers/S/load_balancing/node_load"))->value), 9);
    EXPECT_EQ(model::number_of(
                  collected_value_of(at("schedulers/S/load_balancing/node_load/threshold"))->value),
              9);
    EXPECT_EQ(model::number_of(value_of(at("schedulers/S/load_balancing/node_load/threshold"))->value), 9);
}

TEST_F(AFlowValue, OfAPortIsNoneWhenItIsTooOld) {
    ASSERT_TRUE(world.apply("link cpu/load schedulers/S/load_balancing/node_load"));
    probe().push(9, world.clock.now());
    world.clock.advance(std::chrono::hours(1));
    const auto sample = collected_value_of(at("schedulers/S/load_balancing/node_load"));
    ASSERT_FALSE(sample);
    EXPECT_EQ(sample.error().detail, "the value is too old, or held back by a filter");
}

TEST_F(AFlowValue, NamesTheSinkThatHasNoSource) {
    ASSERT_TRUE(world.apply("create schedulers/S/load_balancing/node_load/threshold"));
    EXPECT_EQ(collected_value_of(at("schedulers/S/load_balancing/node_load")).error().detail,
              "no source is linked to schedulers/S/load_balancing/node_load/threshold");
    EXPECT_EQ(collected_value_of(at("schedulers/S/load_balancing/process_load"), "1").error().detail,
              "no source is linked to schedulers/S/load_balancing/process_load");
}

TEST_F(AFlowValue, IsNotHadFromWhatHasNoSuchSide) {
    EXPECT_EQ(value_of(at("probes/cpu")).error().kind, Errc::not_supported);
    EXPECT_EQ(collected_value_of(at("probes/cpu/load")).error().kind, Errc::not_supported);
}

} // namespace
} // namespace schedd::dbus
