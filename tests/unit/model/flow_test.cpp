// Values and flow: samples, subscription, connecting, what happens when an end goes away.
#include <gtest/gtest.h>

#include "tests/kit/count_new.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using std::chrono::seconds;

TEST(AValueType, DescribesItself) {
    EXPECT_EQ(describe(types::kLoad), "load [1/1000 task]");
    EXPECT_EQ(describe(types::kLoadByPid), "load [1/1000 task] by pid");
    EXPECT_NE(types::kLoad, types::kLoadByPid);
}
TEST(AValue, HasANumberAndAText) {
    EXPECT_EQ(number_of(Value(std::int64_t{7})), 7);
    EXPECT_EQ(number_of(Value(7.9)), 7);
    EXPECT_EQ(number_of(Value(std::string("seven"))), 0);
    EXPECT_EQ(text_of(Value(std::int64_t{-7})), "-7");
    EXPECT_EQ(text_of(Value(0.5)), "0.5");
    EXPECT_EQ(text_of(Parameter(std::string_view("/a"))), "/a");
    EXPECT_EQ(text_of(Parameter(std::int64_t{3})), "3");
    EXPECT_EQ(text_of(Parameter{}), "");
}
TEST(ASample, IsFreshForAsLongAsItSays) {
    const Sample sample{.value = std::int64_t{1}, .time = seconds(10), .fresh_for = seconds(3)};
    EXPECT_TRUE(sample.fresh_at(seconds(13)));
    EXPECT_FALSE(sample.fresh_at(seconds(13) + Duration(1)));
    EXPECT_TRUE((Sample{.value = std::int64_t{1}}).fresh_at(Time::max() / 2));
}

TEST(AnOutput, TellsOnlySinksThatWantUpdates) {
    SettableSource source;
    RecordingSink wants;
    RecordingSink reads(types::kLoad, false);
    EXPECT_FALSE(source.subscribed());
    reads.connect(source);
    EXPECT_FALSE(source.subscribed());
    wants.connect(source);
    EXPECT_TRUE(source.subscribed());
    source.push(5, seconds(1));
    EXPECT_EQ(wants.numbers(), std::vector<std::int64_t>{5});
    EXPECT_EQ(reads.count(), 0U);
    EXPECT_EQ(number_of(reads.collect({})->value), 5);
}
TEST(AnOutput, ThatGoesAwayLeavesItsSinksWithoutASource) {
    RecordingSink sink;
    {
        SettableSource source;
        sink.connect(source);
    }
    EXPECT_EQ(sink.source(), nullptr);
    EXPECT_FALSE(sink.collect({}));
    sink.disconnect();
}
TEST(AnInput, ThatGoesAwayIsToldNoMore) {
    SettableSource source;
    {
        RecordingSink sink;
        sink.connect(source);
    }
    EXPECT_TRUE(source.sinks().empty());
    source.push(1, seconds(1));
}
TEST(AnUpdate, AllocatesNothingOnItsWay) {
    ASSERT_TRUE(counting_works());
    SettableSource source;
    RecordingSink sink;
    sink.connect(source);
    EXPECT_EQ(allocations_in([&] {
                  for (int i = 0; i < 100; ++i) source.push(i, seconds(i));
              }),
              0U);
    EXPECT_EQ(sink.count(), 100U);
}

struct Ported : ::testing::Test {
    World world;
    Ported() {
        EXPECT_TRUE(world.apply("create probes/cpu\ncreate schedulers/S\ncreate schedulers/S/test_policy\n"
                                "link 'cpu/load | pass' schedulers/S/test_policy/node_load\n"
                                "link cpu/process_load schedulers/S/test_policy/process_load"));
    }
    TestProbe& probe() { return world.at<TestProbe>("probes/cpu"); }
    TestPolicy& policy() { return world.at<TestPolicy>("schedulers/S/test_policy"); }
};

TEST_F(Ported, APolicyIsToldOnceWhenAChainIsComplete) { EXPECT_EQ(policy().completions(), 2); }
TEST_F(Ported, AnUpdateMakesThePolicyDue) {
    policy().done();
    EXPECT_FALSE(policy().due());
    probe().push(5, world.clock.now());
    EXPECT_TRUE(policy().due());
}
TEST_F(Ported, APortHasNoValueWhenItsSampleIsTooOld) {
    probe().push(5, world.clock.now());
    world.clock.advance(seconds(3));
    EXPECT_TRUE(policy().port(0).collected());
    world.clock.advance(Duration(1));
    EXPECT_FALSE(policy().port(0).collected());
}
TEST_F(Ported, AChainReachesItsOrigin) {
    const auto& port = policy().port(0);
    EXPECT_EQ(&origin_of(port)->part(), &world.at("probes/cpu/load"));
    ASSERT_TRUE(world.apply("unlink schedulers/S/test_policy/node_load/pass"));
    EXPECT_EQ(origin_of(port), nullptr);
    EXPECT_FALSE(port.collected());
}
TEST_F(Ported, AParameterGoesThroughTheChain) {
    probe().set_process_load(12, 700, world.clock.now());
    EXPECT_EQ(number_of(policy().port(1).collected(Parameter(std::int64_t{12}))->value), 700);
    EXPECT_FALSE(policy().port(1).collected(Parameter(std::int64_t{13})));
    EXPECT_FALSE(policy().port(1).collected());
}
TEST_F(Ported, AProbeKeepsItsPeriodWithoutDrift) {
    auto& p = probe();
    const auto start = world.clock.now();
    p.run(start);
    EXPECT_EQ(p.next_due(), start + seconds(1));
    p.run(start + std::chrono::milliseconds(1100)); // late
    EXPECT_EQ(p.next_due(), start + seconds(2));
    p.run(start + seconds(10)); // so late that passes are left out
    EXPECT_EQ(p.next_due(), start + seconds(11));
    ASSERT_TRUE(world.apply("write probes/cpu.probe_period 100"));
    EXPECT_EQ(p.next_due(), Time{});
}
TEST_F(Ported, AProbeLogsItsTroubleOnceAndItsEnd) {
    probe().set_trouble("proc/x: gone");
    probe().set_trouble("proc/x: gone");
    probe().set_trouble("");
    EXPECT_EQ(world.log.lines().size(), 2U);
    EXPECT_EQ(world.log.lines().front().about, "probes/cpu");
}

TEST(ARegistry, FindsByNameAndAliasWithinAKind) {
    const Registry registry(World::default_types());
    EXPECT_EQ(*registry.find(Kind::filter, "threshold_filter"), &filters::kThreshold);
    EXPECT_EQ(*registry.find(Kind::filter, "threshold"), &filters::kThreshold);
    const auto none = registry.find(Kind::probe, "threshold");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().kind, Errc::no_such_object);
    EXPECT_NE(none.error().text().find("test_probe"), std::string::npos);
    EXPECT_FALSE(registry.find(Kind::filter, ""));
}

} // namespace
} // namespace schedd::test
