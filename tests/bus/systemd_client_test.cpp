// BusUnitManager against a systemd that the test plays: the very bytes, the signals, and the ways to fail.
#include "service/systemd/bus_unit_manager.h"

#include <poll.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/bus/client.h"
#include "tests/bus/played_systemd.h"
#include "tests/bus/private_bus.h"
#include "tests/kit/manual_clock.h"

namespace schedd::test {
namespace {

using kit::Errc;
using systemd::BusUnitManager;

model::CpuSet cpus(std::string_view list) { return model::CpuSet::parse(list).value(); }

struct TheSystemdClient : testing::TestWithParam<BusKind> {
    void SetUp() override {
        if (!bus.obstacle().empty()) GTEST_SKIP() << bus.obstacle();
        played.emplace(bus.address());
        played->add_service("foo_2eservice", "/system.slice/foo.service");
        played->add_service("asleep_2eservice", "");
        played->add_service("nowhere_2eservice", "", "not-found");
        auto opened = BusUnitManager::open(bus.address(), clock);
        ASSERT_TRUE(opened) << opened.error().text();
        units = std::move(*opened);
        units->listen({[this](bool begins) { heard += begins ? "reloading " : "reloaded "; },
                       [this](const std::string& unit) { heard += unit + " "; },
                       [this] { heard += "resumed "; }});
    }
    /// Waits until something more was heard.
    bool hears(const std::string& text) {
        for (int i = 0; i < 2000 && heard.find(text) == std::string::npos; ++i) {
            pollfd fd{units->fd(), POLLIN, 0};
            ::poll(&fd, 1, 20);
            units->process();
        }
        return heard.find(text) != std::string::npos;
    }

    PrivateBus bus{GetParam()};
    ManualClock clock;
    std::optional<PlayedSystemd> played;
    std::unique_ptr<BusUnitManager> units;
    std::string heard;
};

INSTANTIATE_TEST_SUITE_P(Bus, TheSystemdClient, testing::Values(BusKind::dbus_daemon, BusKind::dbus_broker),
                         [](const auto& row) {
                             return row.param == BusKind::dbus_daemon ? "DbusDaemon" : "DbusBroker";
                         });

TEST_P(TheSystemdClient, SetsAllowedCpusAtRunTimeInSystemdsBytes) {
    ASSERT_TRUE(units->allow_cpus("foo.service", cpus("0,9,16-17")));
    EXPECT_EQ(played->calls, std::vector<std::string>{"foo.service runtime AllowedCPUs"});
    EXPECT_EQ(played->mask, (std::vector<std::uint8_t>{0x01, 0x02, 0x03}));
    ASSERT_TRUE(units->allow_cpus("foo.service", std::nullopt));
    EXPECT_TRUE(played->mask.empty());
    EXPECT_GE(played->subscribers, 1) << "some launchers of brokers subscribe too";
}

TEST_P(TheSystemdClient, LooksAtAUnit) {
    played->mask = {0x0c, 0x80};
    const auto foo = units->look("foo.service");
    ASSERT_TRUE(foo) << foo.error().text();
    EXPECT_EQ(foo->control_group, "/system.slice/foo.service");
    EXPECT_EQ(foo->allowed, cpus("2-3,15"));
    played->mask.clear();
    const auto asleep = units->look("asleep.service");
    ASSERT_TRUE(asleep) << asleep.error().text();
    EXPECT_EQ(asleep->control_group, "");
    EXPECT_EQ(asleep->allowed, std::nullopt);
    played->drop_ins = {"/run/a.conf", "/run/b.conf"};
    EXPECT_EQ(units->drop_ins("foo.service").value(), played->drop_ins);
}

TEST_P(TheSystemdClient, TellsTheVersionAndWhoIsOnTheBus) {
    EXPECT_EQ(units->version().value(), "252.39-1~deb12u1");
    EXPECT_EQ(units->has_owner("org.freedesktop.login1").value(), true);
    EXPECT_EQ(units->has_owner("org.example.Nobody").value(), false);
    played.reset();
    EXPECT_FALSE(units->version());
}

TEST_P(TheSystemdClient, TellsThatAUnitDoesNotExist) {
    const auto nowhere = units->look("nowhere.service");
    ASSERT_FALSE(nowhere);
    EXPECT_EQ(nowhere.error().kind, Errc::no_such_object);
    EXPECT_NE(nowhere.error().text().find("nowhere.service is not-found"), std::string::npos);
    EXPECT_FALSE(units->look("never-heard-of.service"));
}

TEST_P(TheSystemdClient, SaysWhatSystemdRefused) {
    const std::vector<std::pair<std::string, Errc>>
        refusals{{"org.freedesktop.systemd1.NoSuchUnit", Errc::no_such_object},
                 {"org.freedesktop.DBus.Error.AccessDenied", Errc::denied},
                 {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", Errc::denied},
                 {"org.freedesktop.DBus.Error.PropertyReadOnly", Errc::invalid_value},
                 {"org.freedesktop.DBus.Error.InvalidArgs", Errc::invalid_value},
                 {"org.freedesktop.DBus.Error.Failed", Errc::io}};
    for (const auto& [name, kind] : refusals) {
        played->refusal = name;
        const auto set = units->allow_cpus("foo.service", cpus("1"));
        ASSERT_FALSE(set) << name;
        EXPECT_EQ(set.error().kind, kind) << name;
        EXPECT_NE(set.error().text().find("as the test wants it"), std::string::npos) << set.error().text();
    }
}

TEST_P(TheSystemdClient, HearsWhatSystemdSays) {
    played->tell_reloading(true);
    played->tell_new("new.service");
    played->tell_job_done("started.service");
    ASSERT_TRUE(hears("started.service"));
    EXPECT_EQ(heard, "reloading started.service ")
        << "asking about a unit makes it new: that would never end";
    played->tell_reloading(false);
    ASSERT_TRUE(hears("reloaded"));
}

TEST_P(TheSystemdClient, HearsThatTheMachineHasWokenUp) {
    played->tell_sleep(true);
    played->tell_job_done("mark.service");
    ASSERT_TRUE(hears("mark.service"));
    EXPECT_EQ(heard, "mark.service ") << "falling asleep is no news";
    played->tell_sleep(false);
    EXPECT_TRUE(hears("resumed"));
}

TEST_P(TheSystemdClient, FindsUnitFiles) {
    played->fragment = "/lib/systemd/system/foo.service";
    played->drop_ins = {"/etc/systemd/system/foo.service.d/10.conf"};
    EXPECT_EQ(units->search_path().value(),
              (std::vector<std::string>{"/etc/systemd/system", "/lib/systemd/system"}));
    const auto loaded = units->loaded_units().value();
    ASSERT_EQ(loaded.size(), 2U);
    EXPECT_EQ(loaded[0].id, "foo.service");
    EXPECT_TRUE(loaded[0].is_active && loaded[0].exists);
    EXPECT_FALSE(loaded[1].is_active || loaded[1].exists);
    const auto unit = units->find("foo.service").value();
    EXPECT_EQ(unit.id, "foo.service");
    EXPECT_TRUE(unit.is_active && unit.exists);
    EXPECT_EQ(unit.files, (std::vector<std::string>{"/lib/systemd/system/foo.service",
                                                    "/etc/systemd/system/foo.service.d/10.conf"}));
    EXPECT_FALSE(units->find("nowhere.service").value().exists);
}

TEST_P(TheSystemdClient, AsksForAReloadWithoutWaitingForIt) {
    ASSERT_TRUE(units->ask_reload());
    for (int i = 0; i < 2000 && played->reloads == 0; ++i) ::usleep(5000);
    EXPECT_EQ(played->reloads, 1);
}

TEST_P(TheSystemdClient, HearsWhatWasSaidWhileItWaitedForAnAnswer) {
    played->tell_reloading(false);
    ASSERT_TRUE(units->look("foo.service"));
    units->process();
    EXPECT_TRUE(hears("reloaded"));
}

TEST_P(TheSystemdClient, FailsWithoutSystemdOrBus) {
    played.reset();
    EXPECT_FALSE(units->look("foo.service"));
    EXPECT_FALSE(BusUnitManager::open(bus.address(), clock)) << "there is no systemd on it any more";
    EXPECT_FALSE(BusUnitManager::open("unix:path=/nonexistent/bus", clock));
}

TEST(AMaskOfBytes, IsReadAsItIsWritten) {
    for (const auto* list : {"0", "7", "8", "0-63", "5,64", "1023", "1024", "0-1,1023-1030,8191"})
        EXPECT_EQ(systemd::cpus_of(systemd::bytes_of(cpus(list)).data(),
                                   systemd::bytes_of(cpus(list)).size()),
                  cpus(list))
            << list;
    EXPECT_TRUE(systemd::bytes_of({}).empty());
}
TEST(AMaskOfBytes, WithCpusThatNoMachineHasIsRefused) {
    std::vector<unsigned char> bytes(kit::limits::kMaxCpus / 8 + 1);
    EXPECT_EQ(systemd::cpus_of(bytes.data(), bytes.size()), model::CpuSet()) << "long, but empty";
    bytes.back() = 4;
    const auto refused = systemd::cpus_of(bytes.data(), bytes.size());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, kit::Errc::limit_exceeded);
    EXPECT_EQ(refused.error().text(), "PID 1 gave CPU 8194: CPUs below 8192 (limit kMaxCpus)");
}

} // namespace
} // namespace schedd::test
