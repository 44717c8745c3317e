// freq_limit_filter: the rule of the original, case by case (Kerrighed freq_limit_filter.c).
#include <gtest/gtest.h>

#include "components/filters/filters.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Limited : ::testing::Test {
    World world{{&filters::kFreqLimit}};
    SettableSource source;
    SettableSource last_event{types::kInstant};
    SettableSource on_going{types::kCount};
    RecordingSink sink;
    std::unique_ptr<Part> part =
        filters::kFreqLimit.make(filters::kFreqLimit, "freq_limit", world.environment());
    Filter& filter = static_cast<Filter&>(*part);

    Limited() {
        filter.take_type(types::kLoad);
        filter.connect(source);
        sink.connect(filter);
    }
    void set_interval(std::uint64_t ns) {
        ASSERT_TRUE(filter.write_attribute("min_interval", AttributeValue(ns)));
    }
    void link_last_event(std::optional<std::int64_t> ns_ago) {
        if (!port("last_event").source()) port("last_event").connect(last_event);
        if (!ns_ago) return last_event.set(std::nullopt);
        last_event.set(Sample{.value = world.clock.now().count() - *ns_ago, .time = world.clock.now()});
    }
    void link_on_going(std::int64_t count) {
        if (!port("events_on_going").source()) port("events_on_going").connect(on_going);
        on_going.set(Sample{.value = count, .time = world.clock.now()});
    }
    Port& port(std::string_view name) { return static_cast<Port&>(*filter.child(name)); }
    bool passes() {
        const auto before = sink.count();
        source.push(7, world.clock.now());
        return sink.count() > before;
    }
};

using AFreqLimit = Limited;
constexpr std::uint64_t kTwoSeconds = 2'000'000'000;

TEST_F(AFreqLimit, WithoutAnIntervalPassesEverythingAndAsksNobody) {
    EXPECT_TRUE(passes());
    link_last_event(0);
    link_on_going(3);
    EXPECT_TRUE(passes());
}
TEST_F(AFreqLimit, WhoseLastEventIsNotLinkedDropsEverything) {
    set_interval(1);
    EXPECT_FALSE(passes());
}
TEST_F(AFreqLimit, WhoseLastEventCannotBeReadDropsEverything) {
    set_interval(1);
    link_last_event(std::nullopt);
    EXPECT_FALSE(passes());
}
TEST_F(AFreqLimit, DropsWithinItsIntervalAndPassesAtItsEnd) {
    set_interval(kTwoSeconds);
    link_last_event(kTwoSeconds - 1);
    EXPECT_FALSE(passes());
    link_last_event(kTwoSeconds);
    EXPECT_TRUE(passes());
}
TEST_F(AFreqLimit, MeasuresTheIntervalOnItsOwnClock) {
    set_interval(kTwoSeconds);
    link_last_event(0);
    EXPECT_FALSE(passes());
    world.clock.advance(milliseconds(1999));
    EXPECT_FALSE(passes());
    world.clock.advance(milliseconds(1));
    EXPECT_TRUE(passes());
}
TEST_F(AFreqLimit, DropsWhileAnEventIsUnderWay) {
    set_interval(kTwoSeconds);
    link_last_event(5'000'000'000);
    link_on_going(1);
    EXPECT_FALSE(passes());
    link_on_going(0);
    EXPECT_TRUE(passes());
}
TEST_F(AFreqLimit, WhoseEventsOnGoingAreNotLinkedIgnoresThem) {
    set_interval(kTwoSeconds);
    link_last_event(5'000'000'000);
    EXPECT_TRUE(passes());
}
TEST_F(AFreqLimit, LosesWhatItDrops) {
    set_interval(kTwoSeconds);
    link_last_event(0);
    EXPECT_FALSE(passes());
    world.clock.advance(seconds(10));
    EXPECT_EQ(sink.count(), 0U);
}
TEST_F(AFreqLimit, DropsWhenTheLastEventIsInTheFutureOrAbsurd) {
    set_interval(kTwoSeconds);
    link_last_event(-1);
    EXPECT_FALSE(passes());
    link_last_event(world.clock.now().count()); // never: instant 0
    EXPECT_TRUE(passes());
    last_event.set(Sample{.value = INT64_MIN, .time = world.clock.now()});
    EXPECT_TRUE(passes());
    last_event.set(Sample{.value = INT64_MAX, .time = world.clock.now()});
    EXPECT_FALSE(passes());
}
TEST_F(AFreqLimit, PassesEveryRead) {
    set_interval(kTwoSeconds);
    source.set(Sample{.value = std::int64_t{9}, .time = world.clock.now()});
    ASSERT_TRUE(filter.read({}));
    EXPECT_EQ(number_of(filter.read({})->value), 9);
}
TEST_F(AFreqLimit, DoesNotSubscribeToItsOwnPorts) {
    EXPECT_FALSE(port("last_event").wants_updates());
    EXPECT_FALSE(port("events_on_going").wants_updates());
    EXPECT_TRUE(filter.wants_updates());
}
TEST_F(AFreqLimit, HasPortsOfTheirOwnTypes) {
    World tree({&kTestProbe, &kTestPolicy, &filters::kFreqLimit});
    ASSERT_TRUE(tree.apply("create probes/cpu\ncreate schedulers/S\ncreate schedulers/S/test_policy\n"
                           "create schedulers/S/test_policy/node_load/freq_limit"));
    EXPECT_EQ(tree.kind("link probes/cpu/load schedulers/S/test_policy/node_load/freq_limit/last_event"),
              Errc::type_mismatch);
    EXPECT_EQ(tree.kind("remove schedulers/S/test_policy/node_load/freq_limit/last_event"),
              Errc::not_supported);
}

} // namespace
} // namespace schedd::test
