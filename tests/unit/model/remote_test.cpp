// Values of other nodes: who answers, how old it may be, and what this node tells the others.
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "components/model/published.h"
#include "tests/kit/count_new.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

struct Remote : ::testing::Test {
    World world;
    Remote() {
        world.cluster.fill(3);
        EXPECT_TRUE(world.apply("create probes/cpu\ncreate schedulers/S\ncreate schedulers/S/test_policy\n"
                                "link 'cpu/load | pass' schedulers/S/test_policy/node_load\n"
                                "link cpu/process_load schedulers/S/test_policy/process_load"));
    }
    TestProbe& probe() { return world.at<TestProbe>("probes/cpu"); }
    [[nodiscard]] std::optional<Sample> from(NodeId node, const Parameter& parameter = {}) const {
        return world.at<TestPolicy>("schedulers/S/test_policy").port(0).collected_from(node, parameter);
    }
    void tell(NodeId node, std::int64_t value, Duration age = {}) {
        world.cluster.tell(node, "probes/cpu/load", value, world.clock.now() - age);
    }
    std::string error(const std::string& lines) {
        const auto done = world.apply(lines);
        return done ? "" : done.error().text();
    }
};
using APort = Remote;
using AProbe = Remote;

TEST_F(APort, CollectsWhatAnotherNodeTold) {
    tell(2, 1500, milliseconds(700));
    const auto sample = from(2);
    ASSERT_TRUE(sample);
    EXPECT_EQ(number_of(sample->value), 1500);
    EXPECT_EQ(sample->origin, 2);
    EXPECT_EQ(world.clock.now() - sample->time, milliseconds(700));
}
TEST_F(APort, HasNoValueOfANodeOlderThanThreeOfItsPeriods) {
    tell(2, 1500, seconds(3));
    EXPECT_TRUE(from(2));
    world.clock.advance(Duration(1));
    EXPECT_FALSE(from(2));
}
TEST_F(APort, HasNoValueOfWhoIsNotThere) {
    tell(2, 1500);
    world.cluster.rows.pop_back(); // dead, though its value is still known somewhere
    EXPECT_FALSE(from(2));
    EXPECT_FALSE(from(7));
    EXPECT_FALSE(from(-1));
    EXPECT_FALSE(from(65536));
    world.cluster.rows.clear();
    EXPECT_FALSE(from(0));
}
TEST_F(APort, HasNoValueThatANodeDoesNotPublish) { EXPECT_FALSE(from(2)); }
TEST_F(APort, AnswersForThisNodeFromItsOwnProbe) {
    tell(0, 99); // what others may say of it does not count
    EXPECT_FALSE(from(0));
    probe().push(5, world.clock.now());
    ASSERT_TRUE(from(0));
    EXPECT_EQ(number_of(from(0)->value), 5);
    EXPECT_EQ(from(0)->origin, kLocalNode);
}
TEST_F(APort, WithoutASourceCollectsFromNobody) {
    tell(2, 1500);
    ASSERT_TRUE(world.apply("unlink schedulers/S/test_policy/node_load/pass"));
    EXPECT_FALSE(from(2));
}
TEST_F(APort, GetsNoValueByParameterFromElsewhere) {
    world.cluster.tell(2, "probes/cpu/process_load", 700, world.clock.now());
    const auto& policy = world.at<TestPolicy>("schedulers/S/test_policy");
    EXPECT_FALSE(policy.port(1).collected_from(2, Parameter(std::int64_t{12})));
    EXPECT_FALSE(policy.port(1).collected_from(2));
    probe().set_process_load(12, 700, world.clock.now());
    EXPECT_TRUE(policy.port(1).collected_from(0, Parameter(std::int64_t{12})));
}
TEST_F(APort, ReadsByTheProbesNameAndNotByItsType) {
    ASSERT_TRUE(world.apply("create probes/two cpu\nunlink schedulers/S/test_policy/node_load/pass\n"
                            "link two/load schedulers/S/test_policy/node_load/pass"));
    tell(2, 1);
    world.cluster.tell(2, "probes/two/load", 2, world.clock.now());
    ASSERT_TRUE(from(2));
    EXPECT_EQ(number_of(from(2)->value), 2);
}
TEST_F(APort, CollectsFromOthersWithoutAllocating) {
    ASSERT_TRUE(counting_works());
    tell(1, 1);
    tell(2, 2);
    std::int64_t sum = 0;
    const Port& port = world.at<TestPolicy>("schedulers/S/test_policy").port(0);
    EXPECT_EQ(allocations_in([&] {
                  for (int i = 0; i < 100; ++i)
                      for (const auto& node : world.cluster.nodes())
                          if (const auto sample = port.collected_from(node.number))
                              sum += number_of(sample->value);
              }),
              0U);
    EXPECT_EQ(sum, 300);
}
TEST_F(APort, OfAFilterCollectsFromOthersToo) {
    RecordingSink sink;
    sink.connect(world.at<Filter>("schedulers/S/test_policy/node_load/pass"));
    tell(1, 8);
    EXPECT_EQ(number_of(sink.source()->read_remote(1, {})->value), 8);
    sink.disconnect();
}
TEST(AnOutput, ThatKnowsNoOtherNodesAnswersForNone) {
    const SettableSource source;
    EXPECT_FALSE(source.read_remote(0, {}));
}

TEST_F(AProbe, TellsOthersOfTheSourcesThatItPublishes) {
    probe().push(1500, world.clock.now());
    probe().push_memory(9, world.clock.now());
    auto told = published(world.tree);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].path, "probes/cpu/load");
    EXPECT_EQ(told[0].value, 1500);
    ASSERT_TRUE(world.apply("write probes/cpu.publish '  memory   load '"));
    told = published(world.tree);
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[0].path, "probes/cpu/load");
    EXPECT_EQ(told[1].path, "probes/cpu/memory");
    EXPECT_EQ(told[1].value, 9);
    ASSERT_TRUE(world.apply("write probes/cpu.publish ''"));
    EXPECT_TRUE(published(world.tree).empty());
}
TEST_F(AProbe, TellsNoValueThatItHasNotOrThatIsTooOld) {
    EXPECT_EQ(published(world.tree).at(0).value, std::nullopt);
    probe().push(5, world.clock.now());
    world.clock.advance(seconds(3));
    EXPECT_EQ(published(world.tree).at(0).value, 5);
    world.clock.advance(Duration(1));
    EXPECT_EQ(published(world.tree).at(0).value, std::nullopt);
}
TEST_F(AProbe, TellsTheLargestThereIsOfWhatDoesNotFit) {
    const auto told = [&](std::int64_t value) {
        probe().push(value, world.clock.now());
        return published(world.tree).at(0).value;
    };
    EXPECT_EQ(told(INT64_MAX), INT32_MAX);
    EXPECT_EQ(told(INT64_MIN), INT32_MIN);
    EXPECT_EQ(told(std::int64_t{INT32_MAX} + 1), INT32_MAX);
    EXPECT_EQ(told(INT32_MAX), INT32_MAX);
    EXPECT_EQ(told(-3), -3);
}
TEST_F(AProbe, RefusesToPublishWhatItCannot) {
    EXPECT_EQ(error("write probes/cpu.publish 'load nonsense'"),
              "probes/cpu.publish cannot hold 'nonsense': accepted: nothing, or with blanks between: load "
              "memory");
    EXPECT_THAT(error("write probes/cpu.publish process_load"),
                HasSubstr("'process_load': it takes a parameter"));
    EXPECT_THAT(error("write probes/cpu.publish 'load load'"), HasSubstr("'load' twice"));
    EXPECT_EQ(world.kind("write probes/cpu.publish " + std::string(5000, 'x')), Errc::invalid_value);
    EXPECT_EQ(world.read("probes/cpu.publish"), "load");
}
TEST_F(AProbe, IsPublishedByPathAndUpToALimit) {
    for (int i = 0; i < 31; ++i)
        ASSERT_TRUE(world.apply("create probes/p" + std::to_string(i) + " cpu\nwrite probes/p" +
                                std::to_string(i) + ".publish 'load memory'"));
    EXPECT_EQ(published(world.tree).size(), 63U);
    ASSERT_TRUE(world.apply("write probes/cpu.publish 'load memory'"));
    const auto told = published(world.tree);
    EXPECT_EQ(told.size(), limits::kPublished);
    EXPECT_TRUE(std::ranges::is_sorted(told, {}, &Published::path));
}

/// A probe of numbers with a point, and of words.
class OddProbe final : public Probe {
public:
    static constexpr AttributeSpec kAttributes[] = {probe_period(), publish("real word")};
    static constexpr SourceSpec kSources[] = {{.name = "real", .type = types::kLoad, .doc = "With a point."},
                                              {.name = "word", .type = types::kCount, .doc = "A word."}};
    OddProbe(const Descriptor& type, std::string name, const Environment& environment)
        : Probe(type, std::move(name), environment) {
        for (const auto& spec : kSources) adopt(std::make_unique<PlainSource>(spec));
    }
    void measure(Time /*now*/) override {}
    void put(double real) {
        static_cast<PlainSource&>(*children()[0]).set({.value = real});
        static_cast<PlainSource&>(*children()[1]).set({.value = std::string("fast")});
    }
};
const Descriptor kOddProbe{.name = "odd",
                           .kind = Kind::probe,
                           .doc = "Odd values.",
                           .make = make_part<OddProbe>,
                           .attributes = OddProbe::kAttributes,
                           .sources = OddProbe::kSources};

TEST(OddValues, AreRoundedOrNotTold) {
    World world({&kOddProbe});
    ASSERT_TRUE(world.apply("create probes/odd"));
    auto& probe = world.at<OddProbe>("probes/odd");
    const auto told = [&](double real) {
        probe.put(real);
        return published(world.tree).at(0).value;
    };
    EXPECT_EQ(told(2.5), 3);
    EXPECT_EQ(told(-1e300), INT32_MIN);
    EXPECT_EQ(told(std::numeric_limits<double>::infinity()), INT32_MAX);
    EXPECT_EQ(told(std::nan("")), std::nullopt);
    EXPECT_EQ(published(world.tree).at(1).value, std::nullopt);
}

} // namespace
} // namespace schedd::test
