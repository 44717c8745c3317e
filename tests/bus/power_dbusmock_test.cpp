// The real daemon beside the templates of python-dbusmock, written by those who write the real daemons: what
// our own played ones take for granted is not only our idea of them.
#include <filesystem>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sdbus-c++/sdbus-c++.h>

#include "tests/bus/daemon.h"
#include "tests/bus/held_from_here.h"
#include "tests/bus/played_power.h"

namespace schedd::test {
namespace {

constexpr const char* kPython = "/usr/bin/python3"; // Debian's, which has the package
constexpr const char* kMock = "org.freedesktop.DBus.Mock";

/// One template on the test's bus, in a process of its own.
class Mock {
public:
    Mock(const PrivateBus& bus, const std::string& name, const std::string& shown_as,
         const std::string& parameters)
        : process_({"env", "DBUS_SYSTEM_BUS_ADDRESS=" + bus.address(),
                    "DBUS_SESSION_BUS_ADDRESS=" + bus.address(), kPython, "-m", "dbusmock", "--template",
                    name, "--parameters", parameters},
                   bus.directory() + "/mock.log"),
          connection_(sdbus::createSessionBusConnectionWithAddress(bus.address())) {
        std::string path = "/" + shown_as;
        std::ranges::replace(path, '.', '/');
        object_ = sdbus::createProxy(*connection_, shown_as, path);
    }
    void update(const std::string& interface, const std::map<std::string, sdbus::Variant>& properties) {
        object_->callMethod("UpdateProperties").onInterface(kMock).withArguments(interface, properties);
    }
    /// It has become full to so many percent.
    void show_battery(double percent) {
        object_->callMethod("SetupDisplayDevice")
            .onInterface(kMock)
            .withArguments(std::int32_t{2}, std::int32_t{2}, percent, 50.0, 100.0, 5.0, std::int64_t{3600},
                           std::int64_t{0}, true, std::string("battery"), std::int32_t{1});
    }
    void end() { process_.end(); }

private:
    Child process_;
    std::unique_ptr<sdbus::IConnection> connection_;
    std::unique_ptr<sdbus::IProxy> object_;
};

struct AMockedDaemon : OnBothBuses {
    void SetUp() override {
        int code = 0;
        if (std::filesystem::exists(kPython)) run({kPython, "-c", "import dbusmock"}, &code);
        else code = 1;
        if (code != 0) GTEST_SKIP() << "python3-dbusmock is not installed: ./dev deps";
        OnBothBuses::SetUp();
        if (IsSkipped()) return;
        ASSERT_TRUE(client->apply_verbs("create probes/power\nwrite probes/power.probe_period 50\n"));
    }
    std::string read(const std::string& place) {
        const auto answer = client->read(place);
        return answer ? answer.value : answer.message;
    }
    bool becomes(const std::string& place, const std::string& text) {
        return client->wait_for([&] { return read(place).find(text) != std::string::npos; });
    }
    /// Followed, changed, held and gone, under one name.
    void try_profiles(const std::string& mocked, const std::string& name) {
        Mock mock(bus, mocked, name,
                  R"({"ActiveProfile": "power-saver", "PerformanceDegraded": "lap-detected"})");
        EXPECT_TRUE(becomes("probes/power/profile", "power-saver"))
            << content_of(bus.directory() + "/mock.log");
        EXPECT_EQ(read("probes/power.profile_from"), name);
        EXPECT_EQ(read("probes/power/degraded"), "lap-detected");
        mock.update(name, {{"ActiveProfile", sdbus::Variant(std::string("performance"))},
                           {"PerformanceDegraded", sdbus::Variant(std::string())}});
        EXPECT_TRUE(becomes("probes/power/profile", "performance"));
        EXPECT_EQ(read("probes/power/degraded"), "");
        const auto state = [&] {
            const auto status = nlohmann::json::parse(client->call<std::string>("Status").value);
            return status["holds"].empty() ? "none" : status["holds"][0]["state"].get<std::string>();
        };
        {
            const HeldFromHere hold(*client, "profile:performance", "game", "frames");
            ASSERT_EQ(hold.error(), "") << hold.message();
            EXPECT_TRUE(client->wait_for([&] { return state() == "held"; })) << state();
        }
        mock.update(name, {{"ActiveProfile", sdbus::Variant(std::string("a word of the future"))}});
        EXPECT_TRUE(becomes("probes/power/profile", "a word of the future"));
        mock.end();
        EXPECT_TRUE(becomes("probes/power/profile", "nobody has the name"));
        EXPECT_EQ(read("probes/power.profile_from"), "");
    }
};

INSTANTIATE_TEST_SUITE_P(Bus, AMockedDaemon, ::testing::ValuesIn(kBothBuses), name_of_bus);

TEST_P(AMockedDaemon, OfProfilesIsFollowedUnderItsOlderName) {
    try_profiles("power_profiles_daemon", kOldPower);
}
TEST_P(AMockedDaemon, OfProfilesIsFollowedUnderItsNewerName) {
    try_profiles(SCHEDD_MOCKS "/upower_power_profiles.py", kNewPower);
}
TEST_P(AMockedDaemon, ThatIsUpowerIsFollowed) {
    const std::string name = "org.freedesktop.UPower";
    Mock mock(bus, "upower", name, R"({"OnBattery": true})");
    EXPECT_TRUE(becomes("probes/power.battery_from", name)) << content_of(bus.directory() + "/mock.log");
    EXPECT_EQ(read("probes/power/on_battery"), "1");
    mock.show_battery(41.0);
    EXPECT_TRUE(becomes("probes/power/battery_percent", "41"));
    mock.update(name, {{"OnBattery", sdbus::Variant(false)}});
    EXPECT_TRUE(becomes("probes/power/on_battery", "0"));
    mock.end();
    EXPECT_TRUE(client->wait_for([&] { return read("probes/power.battery_from") != name; }));
}

} // namespace
} // namespace schedd::test
