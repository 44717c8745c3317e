// power over what daemons said and recorded, missing and broken files of the kernel.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "components/model/source_trouble.h"
#include "components/probes/probes.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Power : ::testing::Test {
    World world{{&probes::kPower}};
    RecordingSink profile{types::kPowerProfile};

    Power() {
        EXPECT_TRUE(world.apply("create probes/power"));
        profile.connect(world.at<Source>("probes/power/profile"));
    }
    void say(const std::string& what) {
        world.power.profile = what;
        world.power.profile_from = "org.freedesktop.UPower.PowerProfiles";
    }
    void supply(const std::string& name, const std::string& file, const std::string& content) {
        world.host.set("sys/class/power_supply/" + name + "/" + file, content + "\n");
    }
    void battery(const std::string& name, const std::string& status, const std::string& capacity) {
        supply(name, "type", "Battery");
        supply(name, "present", "1");
        supply(name, "status", status);
        supply(name, "capacity", capacity);
    }
    void energy(const std::string& zone, const std::string& uj) {
        world.host.set("sys/class/powercap/" + zone + "/energy_uj", uj + "\n");
        world.host.set("sys/class/powercap/" + zone + "/max_energy_range_uj", "262143328850\n");
    }
    void measure() {
        world.clock.advance(std::chrono::seconds(1));
        world.at<Probe>("probes/power").run(world.clock.now());
    }
    [[nodiscard]] std::string read(const std::string& source) const {
        return world.read("probes/power/" + source);
    }
};

using APowerProbe = Power;

TEST_F(APowerProbe, GivesWhatTheDaemonsSay) {
    say("power-saver");
    world.power.degraded = "lap-detected";
    world.power.on_battery = true;
    world.power.battery_percent = 40.6;
    world.power.battery_from = "org.freedesktop.UPower";
    measure();
    EXPECT_EQ(read("profile"), "power-saver");
    EXPECT_EQ(read("degraded"), "lap-detected");
    EXPECT_EQ(read("on_battery"), "1");
    EXPECT_EQ(read("battery_percent"), "41");
    EXPECT_EQ(world.read("probes/power.profile_from"), "org.freedesktop.UPower.PowerProfiles");
    EXPECT_EQ(world.read("probes/power.battery_from"), "org.freedesktop.UPower");
}
TEST_F(APowerProbe, TellsTheLastOfAMillionChangesAndOnlyWhatIsNew) {
    for (int i = 0; i < 1'000'000; ++i) say(i % 2 == 0 ? "performance" : "power-saver");
    measure();
    measure();
    say("any text that a daemon may say");
    measure();
    std::vector<std::string> heard;
    for (const auto& sample : profile.updates()) heard.push_back(text_of(sample.value));
    EXPECT_THAT(heard, ElementsAre("power-saver", "any text that a daemon may say"));
}
TEST_F(APowerProbe, FallsBackOnTheKernelsFilesAndComesBack) {
    world.host.set("sys/firmware/acpi/platform_profile", "low-power\n");
    supply("AC", "type", "Mains");
    supply("AC", "online", "0");
    battery("BAT0", "Discharging", "80");
    battery("BAT1", "Unknown", "40");
    measure();
    EXPECT_EQ(read("profile"), "low-power");
    EXPECT_EQ(world.read("probes/power.profile_from"), "platform_profile");
    EXPECT_EQ(read("on_battery"), "1");
    EXPECT_EQ(read("battery_percent"), "60");
    EXPECT_THAT(read("degraded"), HasSubstr("no value"));
    say("balanced");
    measure();
    EXPECT_EQ(read("profile"), "balanced");
    EXPECT_EQ(read("degraded"), "");
    world.power = {};
    world.host.remove("sys/firmware/acpi/platform_profile");
    measure();
    EXPECT_THAT(read("profile"), HasSubstr("no value"));
    EXPECT_EQ(world.read("probes/power.profile_from"), "");
}
TEST_F(APowerProbe, WithoutAnybodySaysWhyThereIsNoValue) {
    world.power.profile_trouble = "nobody has the name net.hadess.PowerProfiles";
    measure();
    const auto trouble = world.at<Probe>("probes/power").trouble();
    EXPECT_THAT(trouble, HasSubstr("nobody has the name net.hadess.PowerProfiles"));
    EXPECT_THAT(trouble, HasSubstr("sys/firmware/acpi/platform_profile"));
    EXPECT_THAT(trouble, HasSubstr("neither mains nor battery"));
    EXPECT_THAT(trouble, HasSubstr("intel-rapl"));
    EXPECT_THAT(read("on_battery"), HasSubstr("no value"));
    for (int i = 0; i < 5; ++i) measure();
    EXPECT_EQ(world.log.count("platform_profile"), 1U);
}
TEST_F(APowerProbe, SaysOfEachSourceWhatIsWrongWithThatAlone) {
    world.power.profile_trouble = "nobody has the name net.hadess.PowerProfiles";
    world.power.battery_trouble = "nobody has the name org.freedesktop.UPower";
    measure();
    const auto& probe = world.at<Probe>("probes/power");
    const auto why = [&](const std::string& source) {
        return dynamic_cast<const SourceTrouble&>(probe).trouble_of(
            world.at<Source>("probes/power/" + source));
    };
    const auto is_about = [&](const std::string& source, const std::string& who) {
        for (const auto* other : {"PowerProfiles", "UPower", "rapl"})
            EXPECT_EQ(why(source).find(other) != std::string::npos, other == who)
                << source << ": " << why(source);
    };
    is_about("profile", "PowerProfiles");
    is_about("degraded", "PowerProfiles");
    is_about("on_battery", "UPower");
    is_about("battery_percent", "UPower");
    is_about("energy", "rapl");
    world.power.on_battery = false;
    world.power.battery_from = "org.freedesktop.UPower";
    world.host.set("sys/firmware/acpi/platform_profile", "balanced\n");
    energy("intel-rapl:0", "1");
    measure();
    EXPECT_EQ(probe.trouble(), "") << "a machine without a battery is well";
    EXPECT_EQ(why("battery_percent"), "org.freedesktop.UPower tells of no battery");
    EXPECT_EQ(why("profile"), "");
    EXPECT_THAT(why("degraded"), HasSubstr("platform_profile does not say it"));
    EXPECT_EQ(why("energy"), "");
}
TEST_F(APowerProbe, DoesNotTakeAMouseForTheMachinesBattery) {
    battery("hidpp_0", "Discharging", "5");
    supply("hidpp_0", "scope", "Device");
    supply("AC", "type", "Mains");
    supply("AC", "online", "1");
    measure();
    EXPECT_EQ(read("on_battery"), "0");
    EXPECT_THAT(read("battery_percent"), HasSubstr("no value"));
}
TEST_F(APowerProbe, LosesABatteryThatIsTakenOut) {
    battery("BAT0", "Discharging", "50");
    measure();
    EXPECT_EQ(read("battery_percent"), "50");
    supply("BAT0", "present", "0");
    supply("AC", "type", "Mains");
    supply("AC", "online", "1");
    measure();
    EXPECT_EQ(read("on_battery"), "0");
    EXPECT_THAT(read("battery_percent"), HasSubstr("no value"));
}
TEST_F(APowerProbe, IgnoresFilesOfGarbage) {
    for (const auto* text : {"", "\n", "two words\n", "\x01\n",
                             "a-word-that-is-longer-than-anybody-would-ever-"
                             "write-into-such-a-file-for-a-name\n"}) {
        world.host.set("sys/firmware/acpi/platform_profile", text);
        measure();
        EXPECT_THAT(read("profile"), HasSubstr("no value")) << text;
    }
    battery("BAT0", "Discharging", "101");
    measure();
    EXPECT_EQ(read("on_battery"), "1");
    EXPECT_THAT(read("battery_percent"), HasSubstr("no value"));
}
TEST_F(APowerProbe, AddsUpTheEnergyOfAllPackages) {
    energy("intel-rapl:0", "1000000");
    energy("intel-rapl:1", "500000");
    energy("intel-rapl:0:0", "7"); // a part of the first
    measure();
    EXPECT_EQ(read("energy"), "0");
    energy("intel-rapl:0", "3000000");
    energy("intel-rapl:1", "600000");
    measure();
    EXPECT_EQ(read("energy"), "2100");
}
TEST_F(APowerProbe, GoesOnOverTheWrapOfACounter) {
    energy("intel-rapl:0", "262143328000");
    measure();
    energy("intel-rapl:0", "4150");
    measure();
    EXPECT_EQ(read("energy"), "5");
}
TEST_F(APowerProbe, SaysWhoMayNotReadTheEnergy) {
    world.host.set_error("sys/class/powercap/intel-rapl:0/energy_uj",
                         {Errc::denied, "opening sys/class/powercap/intel-rapl:0/energy_uj",
                          "Permission denied"});
    measure();
    EXPECT_THAT(read("energy"), HasSubstr("no value"));
    EXPECT_THAT(world.at<Probe>("probes/power").trouble(), HasSubstr("Permission denied"));
}

} // namespace
} // namespace schedd::test
