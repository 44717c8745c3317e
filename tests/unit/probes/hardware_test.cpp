// hardware_probe: what counts as a trouble, and for how long it is news.
#include <gtest/gtest.h>

#include "components/probes/hardware_counts.h"
#include "components/probes/probes.h"
#include "tests/kit/world.h"

namespace schedd::probes {
namespace {

struct AHardwareProbe : testing::Test {
    test::World world{{&kHardware}};

    AHardwareProbe() {
        edac(0, 0, 0);
        checks("0 0");
        throttles(0, 0);
        EXPECT_TRUE(world.apply("create probes/hardware_probe"));
        measure();
    }
    void edac(int controller, int corrected, int uncorrected) {
        const auto mc = fmt::format("sys/devices/system/edac/mc/mc{}/", controller);
        world.host.set(mc + "ce_count", fmt::format("{}\n", corrected));
        world.host.set(mc + "ue_count", fmt::format("{}\n", uncorrected));
    }
    void checks(const std::string& counts) {
        world.host.set("proc/interrupts",
                       "           CPU0       CPU1\n  0:   36   0  timer\nMCE:  " + counts +
                           "   Machine check exceptions\nMCP:  9 9   Machine check polls\n");
    }
    void throttles(int cpu, int times) {
        world.host.set(fmt::format("sys/devices/system/cpu/cpu{}/thermal_throttle/core_throttle_count", cpu),
                       fmt::format("{}\n", times));
    }
    void disk(const std::string& name, const std::string& text) {
        world.host.set("var/lib/smartmontools/smartd." + name + ".ata.state", text);
    }
    std::string measure(Duration after = std::chrono::seconds(10)) {
        world.clock.advance(after);
        world.at<Probe>("probes/hardware_probe").run(world.clock.now());
        return read("troubles");
    }
    std::string read(const std::string& source) { return world.read("probes/hardware_probe/" + source); }
};

TEST_F(AHardwareProbe, AddsUpWhatTheMachineReports) {
    edac(0, 7, 0);
    edac(1, 1, 2);
    checks("1 3");
    throttles(0, 5);
    throttles(11, 6);
    measure();
    EXPECT_EQ(read("corrected_errors"), "8");
    EXPECT_EQ(read("uncorrected_errors"), "2");
    EXPECT_EQ(read("machine_checks"), "4");
    EXPECT_EQ(read("throttles"), "11");
    EXPECT_NE(read("disk_warnings").find("no value"), std::string::npos) << "smartd is not there";
}
TEST_F(AHardwareProbe, CountsWhatIsNewAsTroubles) {
    EXPECT_EQ(measure(), "0");
    edac(0, 9, 0);
    EXPECT_EQ(measure(), "0") << "nine corrected errors are none yet";
    edac(0, 20, 1);
    EXPECT_EQ(measure(), "3") << "2 x 10 corrected, one that was not";
    checks("0 1");
    EXPECT_EQ(measure(), "4");
    throttles(0, 250);
    EXPECT_EQ(measure(), "6");
    ASSERT_TRUE(world.apply("write probes/hardware_probe.throttle_limit 0\n"
                            "write probes/hardware_probe.corrected_limit 0"));
    EXPECT_EQ(measure(), "2");
}
TEST_F(AHardwareProbe, ForgetsWhatIsNoNewsAnyMore) {
    edac(0, 0, 1);
    EXPECT_EQ(measure(), "1");
    EXPECT_EQ(measure(std::chrono::minutes(59)), "1");
    EXPECT_EQ(measure(std::chrono::minutes(2)), "0");
}
TEST_F(AHardwareProbe, TakesWhatWasThereAtTheFirstLookForOld) {
    disk("sda", "# smartd state file\ntemperature-min = 20\nmail.5.count = 2\nmail.5.first-sent-time = "
                "1700000000\n");
    EXPECT_EQ(measure(), "0");
    EXPECT_EQ(read("disk_warnings"), "2");
    disk("sdb", "mail.1.count = 1\nmail.1.last-sent-time = 1700000000\nmail.x = 7\nself-test-errors = 3\n");
    EXPECT_EQ(measure(), "1");
    EXPECT_EQ(read("disk_warnings"), "3");
}
TEST_F(AHardwareProbe, TakesARestartedCounterForNoNews) {
    edac(0, 0, 5);
    EXPECT_EQ(measure(), "5");
    edac(0, 0, 0);
    EXPECT_EQ(measure(), "5");
    edac(0, 0, 1);
    EXPECT_EQ(measure(), "6");
}
TEST_F(AHardwareProbe, PassesOverWhatCannotBeUnderstood) {
    world.host.set("sys/devices/system/edac/mc/mc0/ce_count", "garbage");
    world.host.set("sys/devices/system/edac/mc/mc0/ue_count", "99999999999999999999999");
    world.host.set("sys/devices/system/edac/mc/mcx/ce_count", "5");
    checks("18446744073709551615 18446744073709551615");
    disk("sda", "mail.1.count = \nmail.2.count =\n\n=\n");
    measure();
    EXPECT_NE(read("corrected_errors").find("no value"), std::string::npos);
    EXPECT_EQ(read("machine_checks"), std::to_string(std::int64_t{1} << 40));
    EXPECT_EQ(read("disk_warnings"), "0");
}
TEST(AHardwareProbeOfAVirtualMachine, SaysThatThereAreNoReports) {
    test::World world{{&kHardware}};
    ASSERT_TRUE(world.apply("create probes/hardware_probe"));
    world.at<Probe>("probes/hardware_probe").run(world.clock.now());
    EXPECT_NE(world.at<Probe>("probes/hardware_probe").trouble().find("EDAC"), std::string::npos);
    EXPECT_EQ(world.read("probes/hardware_probe/troubles"), "0");
}

} // namespace
} // namespace schedd::probes
