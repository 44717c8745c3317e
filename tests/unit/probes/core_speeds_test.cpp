// CoreSpeeds over recorded and broken files of sysfs and proc/cpuinfo.
#include <gtest/gtest.h>

#include "components/probes/core_speeds.h"
#include "tests/kit/fake_host.h"

namespace schedd::probes {
namespace {

struct TheCores : testing::Test {
    test::FakeHost host;
    CoreSpeeds speeds{host};

    void online(const std::string& cpus) { host.set("sys/devices/system/cpu/online", cpus); }
    void set(int cpu, const std::string& file, const std::string& text) {
        host.set("sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/" + file, text);
    }
};

TEST_F(TheCores, HaveTheirHighestFrequency) {
    online("0,2\n");
    set(0, "cpufreq/cpuinfo_max_freq", "3000000\n");
    set(2, "cpufreq/cpuinfo_max_freq", "2000000\n");
    ASSERT_TRUE(speeds.look());
    EXPECT_EQ(speeds.online().text(), "0,2");
    EXPECT_EQ(speeds.of(2), 2'000'000);
    EXPECT_EQ(speeds.of(1), std::nullopt);
    EXPECT_EQ(speeds.mean(), 2'500'000);
    EXPECT_EQ(speeds.fastest(), 3'000'000);
}
TEST_F(TheCores, WithoutFrequenciesHaveThatOfTheirDescription) {
    online("0-1\n");
    host.set("proc/cpuinfo", "processor\t: 0\nmodel name\t: x: y\ncpu MHz\t\t: 2394.374\n\n"
                             "processor\t: 1\ncpu MHz\t\t: 2394\n");
    ASSERT_TRUE(speeds.look());
    EXPECT_EQ(speeds.of(0), 2'394'374);
    EXPECT_EQ(speeds.of(1), 2'394'000);
}
TEST_F(TheCores, OfSlowerKindsCountWithTheFirmwaresRank) {
    online("0-1");
    for (const int cpu : {0, 1}) set(cpu, "cpufreq/cpuinfo_max_freq", "4000000");
    set(0, "acpi_cppc/highest_perf", "60");
    set(1, "acpi_cppc/highest_perf", "45");
    ASSERT_TRUE(speeds.look());
    EXPECT_EQ(speeds.of(0), 4'000'000);
    EXPECT_EQ(speeds.of(1), 3'000'000);
}
TEST_F(TheCores, AreNotRankedUnlessAllAre) {
    online("0-1");
    for (const int cpu : {0, 1}) set(cpu, "cpufreq/cpuinfo_max_freq", "4000000");
    set(1, "cpu_capacity", "512");
    ASSERT_TRUE(speeds.look());
    EXPECT_EQ(speeds.mean(), 4'000'000);
}
TEST_F(TheCores, AreReadAnewOnlyWhenOthersAreOnline) {
    online("0");
    set(0, "cpufreq/cpuinfo_max_freq", "1000000");
    ASSERT_TRUE(speeds.look());
    set(0, "cpufreq/cpuinfo_max_freq", "2000000");
    ASSERT_TRUE(speeds.look());
    EXPECT_EQ(speeds.mean(), 1'000'000);
    set(1, "cpufreq/cpuinfo_max_freq", "4000000");
    online("0-1");
    ASSERT_TRUE(speeds.look());
    EXPECT_EQ(speeds.mean(), 3'000'000);
}
TEST_F(TheCores, OfWhichOneIsNotKnownHaveNoMean) {
    online("0-1");
    set(0, "cpufreq/cpuinfo_max_freq", "1000000");
    ASSERT_TRUE(speeds.look());
    EXPECT_EQ(speeds.of(0), 1'000'000);
    EXPECT_EQ(speeds.mean(), std::nullopt);
    EXPECT_EQ(speeds.fastest(), std::nullopt);
}
TEST_F(TheCores, AreForgottenWhenTheirFileIsGoneOrNonsense) {
    EXPECT_FALSE(speeds.look());
    online("0");
    set(0, "cpufreq/cpuinfo_max_freq", "1000000");
    ASSERT_TRUE(speeds.look());
    online("many");
    EXPECT_EQ(speeds.look().error().kind, Errc::io);
    EXPECT_TRUE(speeds.online().empty());
    EXPECT_EQ(speeds.mean(), std::nullopt);
}
TEST_F(TheCores, AreNotTakenForFasterThanLight) {
    online("0");
    set(0, "cpufreq/cpuinfo_max_freq", "99999999999999999999");
    ASSERT_TRUE(speeds.look());
    EXPECT_EQ(speeds.mean(), std::nullopt);
    host.set("proc/cpuinfo", "processor: 0\ncpu MHz : -3\ncpu MHz : 99999999\n");
    online("0\n"); // another text: read anew
    ASSERT_TRUE(speeds.look());
    EXPECT_EQ(speeds.mean(), std::nullopt);
}

} // namespace
} // namespace schedd::probes
