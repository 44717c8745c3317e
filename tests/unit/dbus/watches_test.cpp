// Watches of sources.
#include "dbus/watches.h"

#include <map>

#include <gtest/gtest.h>

#include "components/kit/limits.h"
#include "tests/kit/world.h"

namespace schedd::dbus {
namespace {

using std::chrono::milliseconds;

struct AWatch : ::testing::Test {
    AWatch() { EXPECT_TRUE(world.apply("create probes/cpu")); }
    const model::Part& load() { return world.at("probes/cpu/load"); }
    void measure(std::int64_t value) {
        world.at<test::TestProbe>("probes/cpu").push(value, world.clock.now());
        watches.tick(world.clock.now());
    }

    test::World world;
    std::vector<std::string> sent;
    std::map<std::string, std::function<void()>> leave;
    bool may_follow = true;
    Watches watches{[this](const std::string& name, std::function<void()> gone) {
                        leave[name] = std::move(gone);
                        return Connection::Watch(may_follow ? this : nullptr, [](void*) {});
                    },
                    [this](const model::Part&, const model::Sample& sample, std::uint64_t age_ms,
                           const std::string& to) {
                        sent.push_back(fmt::format("{} {} {}", to, model::text_of(sample.value), age_ms));
                    }};
};

TEST_F(AWatch, GetsEachNewSampleOnce) {
    ASSERT_TRUE(watches.watch(load(), ":1.1", 10));
    measure(5);
    watches.tick(world.clock.now());
    world.clock.advance(milliseconds(20));
    watches.tick(world.clock.now());
    EXPECT_EQ(sent, (std::vector<std::string>{":1.1 5 0"}));
    measure(6);
    EXPECT_EQ(sent.size(), 2U);
}

TEST_F(AWatch, GetsNoMoreThanItsIntervalAllows) {
    ASSERT_TRUE(watches.watch(load(), ":1.1", 1000));
    for (int i = 0; i < 30; ++i) {
        measure(i);
        world.clock.advance(milliseconds(100));
    }
    EXPECT_EQ(sent, (std::vector<std::string>{":1.1 0 0", ":1.1 10 0", ":1.1 20 0"}));
}

TEST_F(AWatch, SaysHowOldASampleIs) {
    measure(7);
    world.clock.advance(milliseconds(300));
    ASSERT_TRUE(watches.watch(load(), ":1.1", 10));
    watches.tick(world.clock.now());
    EXPECT_EQ(sent, (std::vector<std::string>{":1.1 7 300"}));
}

TEST_F(AWatch, EndsOnZeroAndWhenTheCallerLeaves) {
    ASSERT_TRUE(watches.watch(load(), ":1.1", 10));
    ASSERT_TRUE(watches.watch(load(), ":1.2", 10));
    ASSERT_TRUE(watches.watch(load(), ":1.1", 0));
    ASSERT_TRUE(watches.watch(load(), ":1.9", 0));
    leave.at(":1.2")();
    measure(1);
    EXPECT_TRUE(sent.empty());
    EXPECT_EQ(watches.size(), 0U);
}

TEST_F(AWatch, EndsWhenItsPartIsRemoved) {
    ASSERT_TRUE(watches.watch(load(), ":1.1", 10));
    watches.forget(load());
    EXPECT_EQ(watches.size(), 0U);
}

TEST_F(AWatch, IsChangedByASecondCall) {
    ASSERT_TRUE(watches.watch(load(), ":1.1", 10));
    ASSERT_TRUE(watches.watch(load(), ":1.1", 1000));
    EXPECT_EQ(watches.size(), 1U);
    measure(1);
    world.clock.advance(milliseconds(500));
    measure(2);
    EXPECT_EQ(sent.size(), 1U);
}

TEST_F(AWatch, IsRefusedWhereItMakesNoSense) {
    EXPECT_EQ(watches.watch(load(), ":1.1", 1).error().kind, Errc::invalid_value);
    EXPECT_EQ(watches.watch(load(), ":1.1", UINT64_MAX).error().kind, Errc::invalid_value);
    EXPECT_EQ(watches.watch(world.at("probes/cpu/process_load"), ":1.1", 100).error().kind,
              Errc::not_supported);
    may_follow = false;
    EXPECT_EQ(watches.watch(load(), ":1.1", 100).error().kind, Errc::io);
    EXPECT_EQ(watches.size(), 0U);
}

TEST_F(AWatch, IsRefusedBeyondTheLimitUntilSomebodyLeaves) {
    for (std::size_t i = 0; i < limits::kBusWatches; ++i)
        ASSERT_TRUE(watches.watch(load(), ":1." + std::to_string(i), 100));
    const auto refused = watches.watch(load(), ":2.0", 100);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().text(), "there are too many watches: limit watches = 256");
    leave.at(":1.7")();
    EXPECT_TRUE(watches.watch(load(), ":2.0", 100));
}

} // namespace
} // namespace schedd::dbus
