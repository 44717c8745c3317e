// average_filter: worked values, true time between samples, reads, and what it leaves alone.
#include <gtest/gtest.h>

#include "components/filters/filters.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using std::chrono::milliseconds;

struct Averaged : ::testing::Test {
    World world{{&filters::kAverage}};
    RecordingSink sink;
    SettableSource source;
    std::unique_ptr<Part> part = filters::kAverage.make(filters::kAverage, "average", world.environment());
    Filter& filter = static_cast<Filter&>(*part);

    Averaged() {
        filter.take_type(types::kLoad);
        filter.connect(source);
        sink.connect(filter);
    }
    void push_after(milliseconds time, std::int64_t value) {
        world.clock.advance(time);
        source.push(value, world.clock.now());
    }
    void set_half_life(std::uint64_t ms) {
        ASSERT_TRUE(filter.write_attribute("half_life", AttributeValue(ms)));
    }
    std::int64_t read() { return number_of(filter.read({})->value); }
};

using AnAverage = Averaged;

TEST_F(AnAverage, IsItsFirstSample) {
    push_after(milliseconds(0), 1000);
    EXPECT_EQ(sink.numbers(), std::vector<std::int64_t>{1000});
}
TEST_F(AnAverage, GoesHalfWayInAHalfLife) {
    push_after(milliseconds(0), 0);
    for (int i = 0; i < 4; ++i) push_after(milliseconds(1000), 1000);
    EXPECT_EQ(sink.numbers(), (std::vector<std::int64_t>{0, 500, 750, 875, 938}));
}
TEST_F(AnAverage, WeighsByTheTimeThatHasPassed) {
    push_after(milliseconds(0), 0);
    push_after(milliseconds(2000), 1000);
    EXPECT_EQ(read(), 750);
}
TEST_F(AnAverage, DoesNotDependOnHowOftenASteadyValueIsSampled) {
    push_after(milliseconds(0), 0);
    for (int i = 0; i < 100; ++i) push_after(milliseconds(10), 1000);
    EXPECT_NEAR(static_cast<double>(read()), 500, 1);
}
TEST_F(AnAverage, FallsAsItRises) {
    push_after(milliseconds(0), 1000);
    push_after(milliseconds(1000), 0);
    EXPECT_EQ(read(), 500);
}
TEST_F(AnAverage, TakesNoNoticeOfASecondSampleOfTheSameInstantOrAnOlderOne) {
    push_after(milliseconds(0), 100);
    push_after(milliseconds(0), 900);
    EXPECT_EQ(read(), 100);
    source.push(900, world.clock.now() - milliseconds(500));
    EXPECT_EQ(read(), 100);
}
TEST_F(AnAverage, AnswersAReadWithTheAverageAndTheTimeOfTheLastSample) {
    push_after(milliseconds(0), 0);
    push_after(milliseconds(1000), 1000);
    const auto sample = filter.read({});
    ASSERT_TRUE(sample);
    EXPECT_EQ(number_of(sample->value), 500);
    EXPECT_EQ(sample->time, world.clock.now());
    EXPECT_EQ(number_of(filter.collected()->value), 1000);
}
TEST_F(AnAverage, OfHalfLifeZeroPassesEverything) {
    set_half_life(0);
    push_after(milliseconds(0), 0);
    push_after(milliseconds(1), 1000);
    EXPECT_EQ(sink.numbers(), (std::vector<std::int64_t>{0, 1000}));
    EXPECT_EQ(read(), 1000);
}
TEST_F(AnAverage, StartsAnewWhenItsHalfLifeIsWritten) {
    push_after(milliseconds(0), 0);
    set_half_life(2000);
    push_after(milliseconds(1000), 1000);
    EXPECT_EQ(read(), 1000);
    push_after(milliseconds(2000), 0);
    EXPECT_EQ(read(), 500);
}
TEST_F(AnAverage, StartsAnewWithAnotherSource) {
    push_after(milliseconds(0), 1000);
    filter.disconnect();
    EXPECT_FALSE(filter.read({}));
    SettableSource other;
    filter.connect(other);
    filter.completed();
    other.push(10, world.clock.now());
    EXPECT_EQ(sink.numbers().back(), 10);
    EXPECT_EQ(sink.completions(), 1);
    filter.disconnect();
}
TEST_F(AnAverage, HasNoValueWhenItsSourceHasNone) {
    push_after(milliseconds(0), 1000);
    source.set(std::nullopt);
    EXPECT_FALSE(filter.read({}));
}
TEST_F(AnAverage, NeedsUpdatesEvenIfThePortAboveOnlyReads) {
    RecordingSink reader(types::kLoad, false);
    sink.disconnect();
    reader.connect(filter);
    EXPECT_TRUE(filter.wants_updates());
    push_after(milliseconds(0), 0);
    push_after(milliseconds(1000), 1000);
    EXPECT_EQ(number_of(reader.collect({})->value), 500);
    EXPECT_EQ(reader.count(), 0U);
    set_half_life(0);
    EXPECT_FALSE(filter.wants_updates());
}
TEST_F(AnAverage, KeepsFractionsOfRealNumbers) {
    source.push({.value = 1.0, .time = world.clock.now()});
    world.clock.advance(milliseconds(1000));
    source.push({.value = 2.0, .time = world.clock.now()});
    EXPECT_DOUBLE_EQ(std::get<double>(sink.updates().back().value), 1.5);
}
TEST_F(AnAverage, LeavesTextAlone) {
    source.push({.value = std::string("performance"), .time = world.clock.now()});
    EXPECT_EQ(text_of(sink.updates().back().value), "performance");
    EXPECT_EQ(text_of(filter.read({})->value), "performance");
}
TEST_F(AnAverage, LeavesValuesByParameterAlone) {
    SettableSource by_pid(types::kLoadByPid);
    filter.disconnect();
    sink.disconnect();
    filter.take_type(types::kLoadByPid);
    filter.connect(by_pid);
    by_pid.set(Sample{.value = std::int64_t{100}, .time = world.clock.now()});
    EXPECT_EQ(number_of(filter.read(Parameter(std::int64_t{5}))->value), 105);
    EXPECT_FALSE(filter.wants_updates());
    filter.disconnect();
}
TEST_F(AnAverage, RefusesAHalfLifeOfMoreThanADay) {
    EXPECT_FALSE(filter.write_attribute("half_life", AttributeValue(std::uint64_t{86'400'001})));
    EXPECT_TRUE(filter.write_attribute("half_life", AttributeValue(std::uint64_t{86'400'000})));
}

} // namespace
} // namespace schedd::test
