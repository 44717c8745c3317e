// The gate's clock: a polkit that never answers, with the patience of a test.
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/bus/attempts.h"
#include "tests/bus/played_polkit.h"
#include "tests/bus/served_world.h"

namespace schedd::test {
namespace {

struct TheGate : testing::TestWithParam<BusKind> {
    void SetUp() override {
        if (!bus.obstacle().empty()) GTEST_SKIP() << bus.obstacle();
        if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    }
    PrivateBus bus{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Bus, TheGate, testing::Values(BusKind::dbus_daemon, BusKind::dbus_broker),
                         [](const auto& row) {
                             return row.param == BusKind::dbus_daemon ? "DbusDaemon" : "DbusBroker";
                         });

TEST_P(TheGate, WaitsSoLongForPolkitAndThenSaysNo) {
    PlayedPolkit polkit(bus.address(), Verdict::hang);
    using std::chrono::milliseconds;
    const ServedWorld served(bus.address(), {.machine = milliseconds(100), .person = milliseconds(100)});
    const auto caller = client_of(65534, bus.address());
    for (const bool interactive : {false, true}) {
        const auto refused = caller->create("probes/cpu", "", {{"interactive", sdbus::Variant(interactive)}});
        EXPECT_EQ(refused.error, "Denied");
        EXPECT_NE(refused.message.find("org.schedd1.configure is denied to uid 65534: polkit did not answer"),
                  std::string::npos)
            << refused.message;
    }
    ASSERT_TRUE(caller->wait_for([&] { return polkit.called_off().size() == 2; }));
    EXPECT_EQ(polkit.called_off().front(), polkit.asked().front().number);
    polkit.decide(Verdict::allow); // too late
    EXPECT_EQ(caller->call<std::string>("Describe", std::string("probes/cpu")).error, "NoSuchObject");
    EXPECT_TRUE(caller->create("probes/cpu")) << "and the next one is asked about anew";
}

TEST_P(TheGate, GivesAPersonMoreTimeThanAMachine) {
    PlayedPolkit polkit(bus.address(), Verdict::hang);
    using namespace std::chrono_literals;
    const ServedWorld served(bus.address(), {.machine = 100ms, .person = 1h});
    const auto caller = client_of(65534, bus.address());
    const auto create = [](bool interactive) {
        return Attempt{"Create", "", "/org/schedd1", "org.schedd1.Manager", [=](sdbus::MethodCall& call) {
                           call << std::string(interactive ? "probes/cpu" : "schedulers/S") << std::string()
                                << Variants{{"interactive", sdbus::Variant(interactive)}};
                       }};
    };
    Running person(*caller, create(true));
    ASSERT_TRUE(caller->wait_for([&] { return polkit.asked().size() == 1; }));
    Running machine(*caller, create(false));
    ASSERT_TRUE(machine.ends(*caller));
    EXPECT_EQ(machine.error, "org.schedd1.Error.Denied");
    EXPECT_FALSE(person.is_over);
    polkit.decide(Verdict::allow);
    ASSERT_TRUE(person.ends(*caller));
    EXPECT_EQ(person.error, "") << person.message;
}

} // namespace
} // namespace schedd::test
