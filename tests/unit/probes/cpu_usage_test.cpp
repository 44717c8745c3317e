// CpuUsage over hand-made proc/stat files.
#include "components/probes/cpu_usage.h"

#include <gtest/gtest.h>

#include "components/kit/limits.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using probes::CpuUsage;
using std::chrono::seconds;

struct Usage : ::testing::Test {
    FakeHost host;
    CpuUsage usage{host};
    Time now = seconds(100);

    Status measure(const std::string& text) {
        host.set("proc/stat", text);
        now += seconds(1);
        return usage.measure(now);
    }
};

using ACpuUsage = Usage;

TEST_F(ACpuUsage, IsTheShareOfUsedTicks) {
    ASSERT_TRUE(measure("cpu  9 9 9 9\ncpu0 100 0 0 100 0 0 0 0 0 0\ncpu1 0 0 0 500 0 0 0 0 0 0\nintr 1\n"));
    EXPECT_FALSE(usage.percent(0));
    ASSERT_TRUE(measure("cpu  9 9 9 9\ncpu0 115 5 5 175 0 0 0 0 0 0\ncpu1 0 0 0 600 0 0 0 0 0 0\nintr 1\n"));
    EXPECT_EQ(usage.percent(0), 25);
    EXPECT_EQ(usage.percent(1), 0);
}
TEST_F(ACpuUsage, CountsWaitingForIoAsUsed) {
    ASSERT_TRUE(measure("cpu0 0 0 0 0 0 0 0 0 0 0\n"));
    ASSERT_TRUE(measure("cpu0 10 0 0 50 40 0 0 0 0 0\n"));
    EXPECT_EQ(usage.percent(0), 50);
}
TEST_F(ACpuUsage, CountsStealAndInterruptsButNoGuestTwice) {
    ASSERT_TRUE(measure("cpu0 0 0 0 0 0 0 0 0 0 0\n"));
    ASSERT_TRUE(measure("cpu0 0 0 0 70 0 10 10 10 1000 1000\n"));
    EXPECT_EQ(usage.percent(0), 30);
}
TEST_F(ACpuUsage, HasNoValueForCpusThatAreNotThere) {
    ASSERT_TRUE(measure("cpu0 1 0 0 1\n"));
    ASSERT_TRUE(measure("cpu0 2 0 0 2\n"));
    for (const std::int64_t cpu : {std::int64_t{-1}, std::int64_t{1}, INT64_MAX, INT64_MIN})
        EXPECT_FALSE(usage.percent(cpu));
}
TEST_F(ACpuUsage, LosesACpuThatGoesOfflineAndStartsAnewWithIt) {
    ASSERT_TRUE(measure("cpu0 0 0 0 0\ncpu1 0 0 0 0\n"));
    ASSERT_TRUE(measure("cpu0 1 0 0 1\ncpu1 1 0 0 1\n"));
    ASSERT_TRUE(measure("cpu0 2 0 0 2\n"));
    EXPECT_FALSE(usage.percent(1));
    EXPECT_EQ(usage.percent(0), 50);
    ASSERT_TRUE(measure("cpu0 3 0 0 3\ncpu1 900 0 0 900\n"));
    EXPECT_FALSE(usage.percent(1));
    ASSERT_TRUE(measure("cpu0 4 0 0 4\ncpu1 900 0 0 901\n"));
    EXPECT_EQ(usage.percent(1), 0);
}
TEST_F(ACpuUsage, KeepsItsValueWhileNoTickHasPassed) {
    ASSERT_TRUE(measure("cpu0 0 0 0 0\n"));
    ASSERT_TRUE(measure("cpu0 3 0 0 1\n"));
    ASSERT_TRUE(measure("cpu0 3 0 0 1\n"));
    EXPECT_EQ(usage.percent(0), 75);
}
TEST_F(ACpuUsage, SurvivesCountersThatGoBack) {
    ASSERT_TRUE(measure("cpu0 100 0 0 100 50 0 0 0\n"));
    ASSERT_TRUE(measure("cpu0 100 0 0 110 45 0 0 0\n"));
    EXPECT_EQ(usage.percent(0), 0);
}
TEST_F(ACpuUsage, RefusesGarbageAndStartsAnew) {
    ASSERT_TRUE(measure("cpu0 0 0 0 0\n"));
    ASSERT_TRUE(measure("cpu0 1 0 0 1\n"));
    for (const auto* text : {"", "intr 1\n", "cpu  1 2 3 4\n", "cpu0\n", "cpu0 1 2 3\n", "cpu0 a b c d\n",
                             "cpux 1 2 3 4\n", "cpu-1 1 2 3 4\n", "cpu0 1 2 3 99999999999999999999\n"}) {
        const auto done = measure(text);
        ASSERT_FALSE(done) << text;
        EXPECT_NE(done.error().text().find("proc/stat"), std::string::npos);
        EXPECT_FALSE(usage.percent(0));
    }
    ASSERT_TRUE(measure("cpu0 5 0 0 5\n"));
    EXPECT_FALSE(usage.percent(0));
}
TEST_F(ACpuUsage, NamesAMissingFile) {
    const auto done = usage.measure(now);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().text().find("proc/stat"), std::string::npos);
}
TEST_F(ACpuUsage, ReadsAsManyCpusAsThereMayBeAndNoMore) {
    const auto text = [](int base) {
        std::string lines = "cpu  1 1 1 1\n";
        for (int cpu = 0; cpu < limits::kMaxCpus + 8; ++cpu)
            lines += fmt::format("cpu{} {} 0 0 {} 0 0 0 0 0 0\n", cpu, base, base);
        return lines + "intr 5\n";
    };
    ASSERT_TRUE(measure(text(0)));
    ASSERT_TRUE(measure(text(10)));
    EXPECT_EQ(usage.percent(limits::kMaxCpus - 1), 50);
    EXPECT_FALSE(usage.percent(limits::kMaxCpus));
    EXPECT_EQ(usage.cpus(), limits::kMaxCpus);
}

} // namespace
} // namespace schedd::test
