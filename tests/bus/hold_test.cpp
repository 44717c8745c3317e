// Holds: they last until the last copy of their descriptor is closed, whoever has it.
#include <nlohmann/json.hpp>

#include "dbus/limits.h"
#include "tests/bus/attempts.h"
#include "tests/bus/daemon.h"
#include "tests/bus/held_from_here.h"
#include "tests/bus/played_polkit.h"

namespace schedd::test {
namespace {

struct AHold : OnBothBuses {
    nlohmann::json holds() {
        return nlohmann::json::parse(client->call<std::string>("Status").value)["holds"];
    }
    bool all_gone() {
        return client->wait_for([&] { return holds().empty(); });
    }
    Answer<std::string> property(const std::string& path, const std::string& name) {
        const auto value = client->get(path, "Hold", name);
        return {value ? value.value.get<std::string>() : "", value.error, value.message};
    }
};

INSTANTIATE_TEST_SUITE_P(Bus, AHold, ::testing::ValuesIn(kBothBuses), name_of_bus);

TEST_P(AHold, IsAnObjectThatSaysWhoHoldsWhatAndWhy) {
    build();
    const HeldFromHere hold(*client, "scheduler:S", "bench", "numbers");
    ASSERT_EQ(hold.error(), "") << hold.message();
    EXPECT_EQ(hold.path(), "/org/schedd1/holds/1");
    EXPECT_EQ(property(hold.path(), "What").value, "scheduler:S");
    EXPECT_EQ(property(hold.path(), "Who").value, "bench");
    EXPECT_EQ(property(hold.path(), "Why").value, "numbers");
    EXPECT_EQ(client->get(hold.path(), "Hold", "Uid").value.get<std::uint32_t>(), ::geteuid());
    EXPECT_EQ(client->get(hold.path(), "Hold", "Pid").value.get<std::uint32_t>(),
              static_cast<std::uint32_t>(::getpid()));
    EXPECT_GT(client->get(hold.path(), "Hold", "Since").value.get<std::uint64_t>(), 1'000'000'000'000'000U);
    const auto managed = client->managed().value;
    ASSERT_TRUE(managed.contains(sdbus::ObjectPath(hold.path())));
    EXPECT_TRUE(managed.at(sdbus::ObjectPath(hold.path())).contains("org.schedd1.Hold"));
    EXPECT_EQ(holds()[0]["who"], "bench");
}

TEST_P(AHold, IsAnnouncedAndRetracted) {
    std::vector<std::string> heard;
    auto proxy = sdbus::createProxy(client->connection(), "org.schedd1", "/org/schedd1");
    const std::string manager = "org.freedesktop.DBus.ObjectManager";
    const auto hear = [&](const char* word) {
        return [&heard, word](sdbus::Signal& signal) {
            sdbus::ObjectPath path;
            signal >> path;
            heard.push_back(word + path);
        };
    };
    proxy->registerSignalHandler(manager, "InterfacesAdded", hear("+"));
    proxy->registerSignalHandler(manager, "InterfacesRemoved", hear("-"));
    proxy->finishRegistration();
    HeldFromHere hold(*client, "scheduler:*");
    ASSERT_TRUE(client->wait_for([&] { return heard.size() == 1; }));
    hold.release();
    ASSERT_TRUE(client->wait_for([&] { return heard.size() == 2; }));
    EXPECT_EQ(heard, (std::vector<std::string>{"+/org/schedd1/holds/1", "-/org/schedd1/holds/1"}));
}

TEST_P(AHold, LastsUntilItsLastCopyIsClosed) {
    HeldFromHere hold(*client, "scheduler:*");
    hold.duplicate();
    hold.close_one();
    for (int i = 0; i < 20; ++i) EXPECT_EQ(holds().size(), 1U);
    hold.close_one();
    EXPECT_TRUE(all_gone());
    EXPECT_EQ(property(hold.path(), "What").error, "org.freedesktop.DBus.Error.UnknownObject");
}

TEST_P(AHold, GoesWithTheProcessThatHasIt) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
        auto other = std::make_unique<Client>(bus.address());
        const HeldFromHere hold(*other, "scheduler:*", "a child");
        (void)!::write(ready[1], "x", 1);
        ::pause();
        ::_exit(0);
    }
    Child child(pid);
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
    ::close(ready[1]);
    ASSERT_EQ(holds().size(), 1U);
    EXPECT_EQ(holds()[0]["pid"], pid);
    ::kill(pid, SIGKILL);
    EXPECT_TRUE(all_gone());
}

TEST_P(AHold, KeepsItsSchedulerFromBeingRemovedAndNamesTheHolder) {
    build();
    ASSERT_TRUE(client->create("schedulers/T"));
    HeldFromHere hold(*client, "scheduler:S", "bench", "numbers");
    HeldFromHere second(*client, "scheduler:S", "another");
    for (const auto* path : {"schedulers/S", "schedulers/S/load_balancing"}) {
        const auto refused = client->remove(path, {{"recursive", basic(true)}});
        EXPECT_EQ(refused.error, "Busy") << path;
        EXPECT_NE(refused.message.find("is held by bench"), std::string::npos) << refused.message;
        EXPECT_NE(refused.message.find("numbers"), std::string::npos) << refused.message;
    }
    EXPECT_EQ(client->apply_verbs("create probes/mem\nremove -r schedulers/S\n").error, "Busy");
    EXPECT_EQ(client->read("probes/mem.probe_period").error, "NoSuchObject") << "all or nothing";
    EXPECT_TRUE(client->remove("schedulers/T"));
    hold.release();
    ASSERT_TRUE(client->wait_for([&] { return holds().size() == 1; }));
    EXPECT_EQ(client->remove("schedulers/S", {{"recursive", basic(true)}}).error, "Busy");
    second.release();
    ASSERT_TRUE(all_gone());
    EXPECT_TRUE(client->remove("schedulers/S", {{"recursive", basic(true)}}));
}

TEST_P(AHold, LetsItsSchedulersMembersComeAndGo) {
    build();
    const Sleeper work;
    const HeldFromHere hold(*client, "scheduler:S");
    EXPECT_TRUE(client->call<sdbus::ObjectPath>("Attach", std::string("S"), work.member(), Variants{}));
    EXPECT_TRUE(client->call("Detach", std::string("S"), work.member(), Variants{}));
}

TEST_P(AHold, IsRefusedForWhatCannotBeHeld) {
    for (const auto* what : {"", "S", "scheduler:", "scheduler:a/b", "unit:x.service", "scheduler:**",
                             "scheduler:../..", "SCHEDULER:S"}) {
        const HeldFromHere hold(*client, what);
        EXPECT_EQ(hold.error(), "org.schedd1.Error.InvalidValue") << what;
        EXPECT_NE(hold.message().find("scheduler:NAME, scheduler:* for all"), std::string::npos)
            << hold.message();
    }
    const HeldFromHere turbo(*client, "profile:turbo");
    EXPECT_EQ(turbo.error(), "org.schedd1.Error.InvalidValue");
    EXPECT_NE(turbo.message().find("the profile 'turbo' cannot be held"), std::string::npos)
        << turbo.message();
    EXPECT_NE(turbo.message().find("performance or power-saver"), std::string::npos) << turbo.message();
    EXPECT_EQ(turbo.message().find("scheduler:"), std::string::npos) << turbo.message();
    build();
    const HeldFromHere unknown(*client, "scheduler:NOPE");
    EXPECT_EQ(unknown.error(), "org.schedd1.Error.NoSuchObject") << unknown.message();
    const HeldFromHere long_text(*client, "scheduler:S", std::string(257, 'x'));
    EXPECT_EQ(long_text.error(), "org.schedd1.Error.LimitExceeded");
    const HeldFromHere nobody(*client, "scheduler:S", "");
    EXPECT_EQ(nobody.error(), "org.schedd1.Error.InvalidValue");
    const HeldFromHere lines(*client, "scheduler:S", "me", "one\ntwo\x1b[31m");
    EXPECT_EQ(lines.error(), "org.schedd1.Error.InvalidValue");
    const HeldFromHere option(*client, "scheduler:S", "me", "", {{"forever", basic(true)}});
    EXPECT_EQ(option.error(), "org.schedd1.Error.InvalidValue");
    EXPECT_TRUE(holds().empty());
}

TEST_P(AHold, IsOnlyTriedByADryRun) {
    build();
    const HeldFromHere dry(*client, "scheduler:S", "me", "", {{"dry_run", basic(true)}});
    EXPECT_EQ(dry.path(), "/") << dry.message();
    EXPECT_TRUE(holds().empty());
    const HeldFromHere wrong(*client, "S", "me", "", {{"dry_run", basic(true)}});
    EXPECT_EQ(wrong.error(), "org.schedd1.Error.InvalidValue");
}

TEST_P(AHold, IsOneOfSoManyOfItsUser) {
    build();
    std::vector<std::unique_ptr<HeldFromHere>> held;
    for (std::size_t i = 0; i < kit::limits::kHoldsPerUser; ++i) {
        held.push_back(std::make_unique<HeldFromHere>(*client, "scheduler:S"));
        ASSERT_EQ(held.back()->error(), "") << i << held.back()->message();
    }
    const HeldFromHere more(*client, "scheduler:S");
    EXPECT_EQ(more.error(), "org.schedd1.Error.LimitExceeded");
    EXPECT_NE(more.message().find("limit holds of one user = 64"), std::string::npos) << more.message();
    held.clear();
    EXPECT_TRUE(all_gone());
}

TEST_P(AHold, IsGivenToOthersAsPolkitSays) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    build();
    PlayedPolkit polkit(bus.address(), Verdict::allow);
    const auto caller = client_of(65534, bus.address());
    {
        const HeldFromHere hold(*caller, "scheduler:S", "a user");
        ASSERT_EQ(hold.error(), "") << hold.message();
        EXPECT_EQ(polkit.asked().back().action, "org.schedd1.hold");
        EXPECT_EQ(polkit.asked().back().details, (std::map<std::string, std::string>{{"scheduler", "S"}}));
        EXPECT_EQ(holds()[0]["uid"], 65534);
    }
    EXPECT_TRUE(all_gone());
    polkit.decide(Verdict::deny);
    const HeldFromHere refused(*caller, "scheduler:S");
    EXPECT_EQ(refused.error(), "org.schedd1.Error.Denied");
}

} // namespace
} // namespace schedd::test
