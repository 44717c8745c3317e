// The real daemon beside played daemons of power: who is followed, what is held, and what bad ones can do.
#include <chrono>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/bus/daemon.h"
#include "tests/bus/held_from_here.h"
#include "tests/bus/played_power.h"

namespace schedd::test {
namespace {

using testing::HasSubstr;
using testing::Not;

struct APowerDaemon : OnBothBuses {
    void stack() {
        const auto built = client->apply_verbs(
            "create probes/power\nwrite probes/power.probe_period 50\ncreate probes/cpu\n"
            "create schedulers/DESK\ncreate schedulers/DESK/nest\ncreate schedulers/POWER\n"
            "create schedulers/POWER/power_profile\nwrite schedulers/POWER/power_profile.linger 0\n"
            "write schedulers/POWER/power_profile.table \"power-saver: DESK/nest.headroom=0 "
            "DESK.precedence=7; "
            "balanced: ; performance: DESK.active=false\"\n"
            "link probes/power/profile schedulers/POWER/power_profile/profile\n");
        ASSERT_TRUE(built) << built.message;
    }
    std::string read(const std::string& place) {
        const auto answer = client->read(place);
        return answer ? answer.value : answer.message;
    }
    /// Until the place reads so.
    bool becomes(const std::string& place, const std::string& text) {
        return client->wait_for([&] { return read(place).find(text) != std::string::npos; });
    }
    nlohmann::json status() { return nlohmann::json::parse(client->call<std::string>("Status").value); }
    bool hold_is(const std::string& state) {
        return client->wait_for([&] {
            const auto holds = status()["holds"];
            return !holds.empty() && holds[0]["state"].get<std::string>().find(state) != std::string::npos;
        });
    }
    /// The played one has said something that reached the daemon.
    bool is_known() {
        return client->wait_for([&] { return !status()["power"]["profile"].get<std::string>().empty(); });
    }
};

INSTANTIATE_TEST_SUITE_P(Bus, APowerDaemon, ::testing::ValuesIn(kBothBuses), name_of_bus);

TEST_P(APowerDaemon, IsFollowedUnderEitherNameAndMissedWhenItEnds) {
    stack();
    EXPECT_TRUE(becomes("probes/power/profile", "nobody has the name"));
    {
        PlayedPower old(bus.address(), {kOldPower});
        EXPECT_TRUE(becomes("probes/power/profile", "balanced"));
        EXPECT_EQ(read("probes/power.profile_from"), kOldPower);
        PlayedPower young(bus.address(), {kNewPower});
        young.choose("performance");
        EXPECT_TRUE(becomes("probes/power/profile", "performance")) << "the newer name counts";
        EXPECT_EQ(read("probes/power.profile_from"), kNewPower);
    }
    EXPECT_TRUE(becomes("probes/power/profile", "nobody has the name"));
    PlayedPower both(bus.address(), {kNewPower, kOldPower});
    both.choose("power-saver");
    both.degrade("lap-detected");
    both.announce();
    EXPECT_TRUE(becomes("probes/power/profile", "power-saver"));
    EXPECT_TRUE(becomes("probes/power/degraded", "lap-detected"));
    EXPECT_EQ(both.set_calls(), 0);
}
TEST_P(APowerDaemon, ChangesSettingsOfOthersAndTheyAreUndone) {
    PlayedPower power(bus.address(), {kNewPower});
    stack();
    EXPECT_TRUE(becomes("schedulers/POWER/power_profile.row", "balanced"));
    const auto configured = client->call<std::string>("Export", Variants{}).value;
    power.choose("power-saver");
    EXPECT_TRUE(becomes("schedulers/DESK.precedence", "7"));
    EXPECT_EQ(read("schedulers/DESK/nest.headroom"), "0");
    EXPECT_EQ(client->call<std::string>("Export", Variants{}).value, configured);
    power.choose("performance");
    EXPECT_TRUE(becomes("schedulers/DESK.active", "false"));
    EXPECT_EQ(read("schedulers/DESK.precedence"), "0");
    EXPECT_EQ(read("schedulers/DESK/nest.headroom"), "25");
    power.choose("a word that nobody knows");
    EXPECT_TRUE(becomes("schedulers/DESK.active", "true"));
    EXPECT_TRUE(becomes("schedulers/POWER/power_profile.note", "has no row"));
    const auto refused =
        client->apply_verbs("write schedulers/POWER/power_profile.table \"p: NONE.active=no\"\n");
    EXPECT_EQ(refused.error, "NoSuchObject");
    EXPECT_THAT(refused.message, HasSubstr("schedulers/NONE"));
}
TEST_P(APowerDaemon, TellsEverywhereThatATableAsksForWhatIsOff) {
    PlayedPower power(bus.address(), {kNewPower});
    stack();
    const auto verified = [&] { return client->call<std::string>("Verify").value; };
    EXPECT_TRUE(becomes("schedulers/POWER/power_profile.row", "balanced"));
    EXPECT_THAT(verified(), Not(HasSubstr("POWER")));
    ASSERT_TRUE(
        client->apply_verbs("write schedulers/POWER/power_profile.table \"balanced: cpus.epp=power\"\n"));
    const std::string told = "the table of POWER asks for epp=power, but frequency is off: set frequency = ";
    EXPECT_TRUE(becomes("schedulers/POWER/power_profile.note", told))
        << read("schedulers/POWER/power_profile.note");
    EXPECT_THAT(status()["power"]["trouble"].get<std::string>(), HasSubstr(told));
    const auto findings = nlohmann::json::parse(verified())["findings"];
    ASSERT_EQ(findings.size(), 1U) << findings.dump();
    EXPECT_EQ(findings[0]["target"], "schedulers/POWER/power_profile");
    EXPECT_THAT(findings[0]["detail"].get<std::string>(), HasSubstr(told));
    int code = 0;
    EXPECT_THAT(run({SCHEDD_CLI, "--bus=" + bus.address(), "verify"}, &code), HasSubstr(told));
    EXPECT_EQ(code, 3);
    EXPECT_THAT(run({SCHEDD_CLI, "--bus=" + bus.address(), "status"}), HasSubstr(told));
    daemon->configure("frequency.toml", "[daemon]\nfrequency = \"on\"\n");
    ASSERT_TRUE(client->call<std::string>("Reload", Variants{}));
    EXPECT_TRUE(becomes("schedulers/POWER/power_profile.note",
                        "energy preferences are left to org.freedesktop.UPower.PowerProfiles"))
        << read("schedulers/POWER/power_profile.note");
    EXPECT_THAT(verified(), HasSubstr("left to org.freedesktop.UPower.PowerProfiles"));
    ASSERT_TRUE(client->apply_verbs("write schedulers/POWER/power_profile.table \"balanced:\"\n"));
    EXPECT_TRUE(client->wait_for([&] { return read("schedulers/POWER/power_profile.note").empty(); }));
    EXPECT_THAT(verified(), Not(HasSubstr("POWER")));
}
TEST_P(APowerDaemon, SaysThatADryRunOnlyWouldPack) {
    if (status()["topology"]["cores"].get<int>() < 2) GTEST_SKIP() << "needs two cores";
    PlayedPower power(bus.address(), {kNewPower});
    stack();
    const Sleeper work;
    const auto made = client->apply_verbs(
        "create schedulers/POWER/process_set/" + work.member() + "\nwrite schedulers/POWER/process_set/" +
        work.member() +
        ".class batch\nwrite schedulers/POWER/power_profile.table \"balanced: batch.cores=1\"\n");
    ASSERT_TRUE(made) << made.message;
    EXPECT_TRUE(client->wait_for([&] { return !status()["power"]["packed"].empty(); }));
    EXPECT_THAT(status()["power"]["packed"][0].get<std::string>(), HasSubstr("batch would be packed on CPU"));
}
TEST_P(APowerDaemon, RefusesFilesOfPowerWithTheirNameAndLine) {
    stack();
    daemon->configure("games.toml",
                      "[probe.power]\n[scheduler.GAMES]\npolicy = \"power_profile\"\n"
                      "[scheduler.GAMES.attributes]\ntable = \"balanced: NONE.active=false\"\n");
    const auto refused = client->call<std::string>("Reload", Variants{});
    EXPECT_THAT(refused.message,
                HasSubstr("schedulers.d/games.toml:5:1: schedulers/GAMES/power_profile.table"));
    EXPECT_THAT(refused.message, HasSubstr("schedulers/NONE"));
    daemon->configure("games.toml", "[scheduler.GAMES]\npolicy = \"power_profile\"\n"
                                    "[scheduler.GAMES.attributes]\ntable = \"balanced: cpus.epp=turbo\"\n");
    const auto odd = client->call<std::string>("Reload", Variants{});
    EXPECT_THAT(odd.message, HasSubstr("schedulers.d/games.toml:4"));
    EXPECT_THAT(odd.message, HasSubstr("epp=turbo"));
}
TEST_P(APowerDaemon, ExportsTemplatesAndLoadsThemAgain) {
    daemon->configure("games.toml", "[template.GAME]\nexec = [\"sleep 98765\"]\nprecedence = 3\n"
                                    "hold_profile = \"performance\"\n[scheduler.OWN]\nprecedence = 4\n");
    ASSERT_TRUE(client->call<std::string>("Reload", Variants{}));
    Child game({"sleep", "98765"}, "/dev/null");
    const auto made = "schedulers/GAME-" + std::to_string(game.pid());
    EXPECT_TRUE(becomes(made + ".precedence", "3"));
    const auto text = client->call<std::string>("Export", Variants{}).value;
    EXPECT_THAT(text, HasSubstr("[template.GAME]\nexec = [\"sleep 98765\"]\nprecedence = 3\n"));
    EXPECT_THAT(text, Not(HasSubstr("GAME-")));
    daemon->configure("games.toml", text);
    const auto changes = client->call<std::string>("Reload", Variants{});
    EXPECT_TRUE(changes) << changes.message;
    EXPECT_EQ(nlohmann::json::parse(changes.value)["changes"], nlohmann::json::array()) << changes.value;
    EXPECT_EQ(client->call<std::string>("Export", Variants{}).value, text);
    daemon->kill();
    daemon->start_again(bus);
    EXPECT_TRUE(becomes(made + ".precedence", "3")) << "by its template, which came from the export";
    EXPECT_EQ(client->call<std::string>("Export", Variants{}).value, text);
    game.end();
}
TEST_P(APowerDaemon, ThatIsUpowerSaysWhatItRunsOn) {
    stack();
    auto upower = std::make_unique<PlayedUpower>(bus.address(), true, 41.2);
    PlayedPower power(bus.address(), {kOldPower});
    EXPECT_TRUE(becomes("probes/power/battery_percent", "41"));
    EXPECT_EQ(read("probes/power/on_battery"), "1");
    EXPECT_EQ(read("probes/power.battery_from"), "org.freedesktop.UPower");
    const auto shown = run({SCHEDD_CLI, "--bus=" + bus.address(), "status"});
    EXPECT_THAT(shown, HasSubstr("balanced (on battery 41 %)"));
    upower.reset();
    EXPECT_TRUE(becomes("probes/power.battery_from", ""));
    EXPECT_TRUE(
        client->wait_for([&] { return read("probes/power.battery_from") != "org.freedesktop.UPower"; }));
}
TEST_P(APowerDaemon, HoldsAProfileAsLongAsSomebodyWantsItAndIsNeverSet) {
    PlayedPower power(bus.address(), {kNewPower, kOldPower});
    ASSERT_TRUE(is_known());
    {
        const HeldFromHere hold(*client, "profile:performance", "game", "frames");
        ASSERT_EQ(hold.error(), "") << hold.message();
        EXPECT_TRUE(hold_is("held"));
        ASSERT_EQ(power.holds().size(), 1U);
        EXPECT_EQ(power.holds()[0].profile, "performance");
        EXPECT_EQ(power.holds()[0].reason, "frames");
        EXPECT_EQ(power.holds()[0].application, "org.schedd1");
    }
    EXPECT_TRUE(client->wait_for([&] { return power.holds().empty(); }));
    EXPECT_EQ(power.set_calls(), 0);
    const HeldFromHere other(*client, "profile:turbo");
    EXPECT_EQ(other.error(), "org.schedd1.Error.InvalidValue");
}
TEST_P(APowerDaemon, LosesTheHoldsOfOneThatCrashes) {
    PlayedPower power(bus.address(), {kNewPower});
    ASSERT_TRUE(is_known());
    const HeldFromHere hold(*client, "profile:performance");
    EXPECT_TRUE(hold_is("held"));
    daemon->kill();
    EXPECT_TRUE(client->wait_for([&] { return power.holds().empty(); })) << "gone with its connection";
    daemon->start_again(bus);
    EXPECT_TRUE(daemon->is_running());
}
TEST_P(APowerDaemon, HoldsForASchedulerWhileItsMembersAreBusy) {
    PlayedPower power(bus.address(), {kNewPower});
    Child busy({"sh", "-c", "while :; do :; done"}, "/dev/null");
    const auto built =
        client->apply_verbs("create schedulers/GAME\nwrite schedulers/GAME.hold_profile performance\n"
                            "create schedulers/GAME/process_set/process:" +
                            std::to_string(busy.pid()) + "\n");
    ASSERT_TRUE(built) << built.message;
    EXPECT_TRUE(client->wait_for([&] { return power.holds().size() == 1; }));
    EXPECT_THAT(power.holds().at(0).reason, HasSubstr("GAME"));
    EXPECT_TRUE(client->wait_for(
        [&] { return status()["power"]["held"][0] != "performance for scheduler:GAME: asked"; }));
    EXPECT_EQ(status()["power"]["held"][0], "performance for scheduler:GAME: held")
        << "its daemon has time to say so";
    EXPECT_TRUE(client->wait_for([&] {
        return status()["power"]["held"][0] ==
               "performance for scheduler:GAME: held, but the profile is balanced";
    })) << "the played one does not do as it says";
    busy.end();
    EXPECT_TRUE(client->wait_for([&] { return power.holds().empty(); }));
    EXPECT_EQ(power.set_calls(), 0);
}
TEST_P(APowerDaemon, ThatIsNotThereCannotHoldAnything) {
    const HeldFromHere hold(*client, "profile:performance");
    EXPECT_EQ(hold.error(), "org.schedd1.Error.NotSupported");
    EXPECT_THAT(hold.message(), HasSubstr(kOldPower));
    int code = 0;
    const auto said =
        run({SCHEDD_CLI, "--bus=" + bus.address(), "hold", "--profile=performance", "--", "true"}, &code);
    EXPECT_EQ(code, 1) << said;
}
TEST_P(APowerDaemon, LetsACommandRunUnderAProfile) {
    PlayedPower power(bus.address(), {kOldPower});
    ASSERT_TRUE(is_known());
    int code = 0;
    const auto verb = [&](const std::string& command) {
        return run({SCHEDD_CLI, "--bus=" + bus.address(), "hold", "--profile=power-saver", "--", "sh", "-c",
                    command},
                   &code);
    };
    EXPECT_THAT(verb(std::string(SCHEDD_CLI) + " --bus=" + bus.address() + " hold"),
                HasSubstr("profile:power-saver"));
    EXPECT_EQ(code, 0);
    EXPECT_TRUE(client->wait_for([&] { return power.holds().empty(); }));
    power.refuse(true);
    EXPECT_THAT(verb("echo started"), HasSubstr("refused: not you"));
    EXPECT_EQ(code, 1);
    EXPECT_THAT(verb("echo started"), Not(HasSubstr("started\n")));
}
TEST_P(APowerDaemon, ThatVanishesInMidCallIsAskedAgainWhenItComesBack) {
    auto power = std::make_unique<PlayedPower>(bus.address(), std::vector<std::string>{kNewPower});
    ASSERT_TRUE(is_known());
    power->hang(true);
    HeldFromHere hold(*client, "profile:performance");
    EXPECT_TRUE(client->wait_for([&] { return power->hold_calls() == 1; }));
    EXPECT_TRUE(hold_is("asked"));
    power.reset();
    EXPECT_TRUE(hold_is("waits: nobody has the name"));
    PlayedPower next(bus.address(), {kNewPower});
    EXPECT_TRUE(hold_is("held"));
    EXPECT_EQ(next.holds().size(), 1U);
    hold.release();
    EXPECT_TRUE(client->wait_for([&] { return next.holds().empty(); }));
}
TEST_P(APowerDaemon, WhoseHoldAPersonTookAwayIsNotAskedAgain) {
    PlayedPower power(bus.address(), {kNewPower});
    ASSERT_TRUE(is_known());
    const HeldFromHere hold(*client, "profile:performance");
    EXPECT_TRUE(hold_is("held"));
    power.take_away();
    EXPECT_TRUE(hold_is("released: a profile was chosen by hand"));
    power.choose("balanced");
    EXPECT_TRUE(is_known());
    EXPECT_EQ(power.hold_calls(), 1);
}
TEST_P(APowerDaemon, ThatSpeaksWithoutEndIsAskedNowAndThenAndItsLastWordCounts) {
    PlayedPower power(bus.address(), {kNewPower});
    stack();
    EXPECT_TRUE(becomes("probes/power/profile", "balanced"));
    const auto before = power.asked();
    const auto begin = std::chrono::steady_clock::now();
    constexpr int kFlood = 50'000; // emitting asks the getter once for each
    for (int i = 0; i < kFlood; ++i) power.choose(i % 2 == 0 ? "performance" : "balanced");
    power.choose("power-saver");
    EXPECT_TRUE(becomes("probes/power/profile", "power-saver"));
    EXPECT_TRUE(becomes("schedulers/DESK.precedence", "7"));
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    EXPECT_LE(power.asked() - before - kFlood - 1, ms.count() / 250 + 4);
}

} // namespace
} // namespace schedd::test
