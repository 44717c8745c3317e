// What the doctor says of the network, for each thing that can be wrong with it.
#include "service/doctor_network.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "tests/unit/dbus/some_nodes.h"

namespace schedd::service {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct TheNetworksDoctor : testing::Test {
    dbus::NetworkFacts network;
    std::vector<dbus::NodeFacts> nodes = test::some_nodes();
    TheNetworksDoctor() {
        network.cluster = "lab";
        network.port = 7420;
        network
            .interfaces = {{.name = "eth0", .groups = {"239.255.1.2"}, .querier_heard = true, .received = 5},
                           {.name = "wlan0", .why_not = "it is wireless"}};
    }
    dbus::Check check(std::string_view name) {
        doctor::Checks checks;
        doctor::check_network(network, nodes, checks);
        const auto found = std::ranges::find(checks, name, &dbus::Check::name);
        return found == checks.end() ? dbus::Check{"", "there is no such check", false, "", "", ""} : *found;
    }
    std::string state(std::string_view name) { return check(name).state; }
};

TEST_F(TheNetworksDoctor, SaysOneThingWhereMembershipIsOff) {
    network.off = "there is no key";
    doctor::Checks checks;
    doctor::check_network(network, nodes, checks);
    ASSERT_EQ(checks.size(), 1U);
    EXPECT_EQ(checks[0].state, "ok");
    EXPECT_EQ(checks[0].found, "membership is off: there is no key");
}

TEST_F(TheNetworksDoctor, FindsNothingWrongWhereNothingIs) {
    doctor::Checks checks;
    doctor::check_network(network, nodes, checks);
    EXPECT_EQ(checks.size(), 8U);
    for (const auto& one : checks) {
        EXPECT_EQ(one.state, "ok") << one.name << ": " << one.found;
        EXPECT_FALSE(one.essential) << one.name;
    }
    EXPECT_EQ(check("interface-eth0").found, "in 239.255.1.2, 5 packets received");
    EXPECT_EQ(check("interface-wlan0").found, "not in use: it is wireless");
}

TEST_F(TheNetworksDoctor, MissesAnInterface) {
    network.interfaces.erase(network.interfaces.begin());
    EXPECT_EQ(state("cluster-interfaces"), "lacks");
    network.is_multicast = false;
    EXPECT_EQ(state("cluster-interfaces"), "ok");
    EXPECT_EQ(state("multicast-querier"), "there is no such check");
}

TEST_F(TheNetworksDoctor, TellsWhatTheSocketsAndInterfacesSay) {
    network.trouble = "port 7420 is taken";
    EXPECT_EQ(state("cluster"), "lacks");
    EXPECT_EQ(check("cluster").found, "port 7420 is taken");
    network.interfaces[0].trouble = "the kernel has no buffers";
    EXPECT_EQ(state("interface-eth0"), "warning");
    EXPECT_THAT(check("interface-eth0").found, HasSubstr("no buffers"));
}

TEST_F(TheNetworksDoctor, MissesAQuerierWhereItIsKnownThatThereIsNone) {
    EXPECT_EQ(check("multicast-querier").found, "heard on eth0");
    network.interfaces[0].querier_heard = false;
    EXPECT_EQ(state("multicast-querier"), "warning");
    EXPECT_EQ(check("multicast-querier").found, "none heard on eth0");
    network.interfaces.push_back({.name = "eth1"});
    EXPECT_EQ(check("multicast-querier").found, "none heard on eth0; the kernel does not tell on eth1");
    network.interfaces[0].querier_heard = std::nullopt;
    EXPECT_EQ(state("multicast-querier"), "ok");
    EXPECT_EQ(check("multicast-querier").found, "the kernel does not tell on eth0, eth1");
}

TEST_F(TheNetworksDoctor, SeesOtherKeysOfWhoIsThere) {
    nodes[1].ring = 8;
    EXPECT_EQ(state("cluster-keys"), "warning");
    EXPECT_THAT(check("cluster-keys").found, HasSubstr("web2"));
    nodes[1].ring = 0;
    EXPECT_EQ(state("cluster-keys"), "ok") << "it has not told yet";
    nodes[1].ring = 8;
    nodes[1].standing = membership::Standing::dead;
    EXPECT_EQ(state("cluster-keys"), "ok");
}

TEST_F(TheNetworksDoctor, NamesStrangers) {
    network.strangers = {{"10.0.0.9:7420", "key", 12, 1500}};
    EXPECT_EQ(check("cluster-strangers").found, "10.0.0.9:7420: key, 12 packets, the last 1.5 s ago");
    network.strangers.assign(100, network.strangers[0]);
    EXPECT_THAT(check("cluster-strangers").found, HasSubstr("and 92 more"));
}

TEST_F(TheNetworksDoctor, SeesClocksThatAreMoreThanASecondAway) {
    nodes[1].clock_offset_ms = 1000;
    EXPECT_EQ(state("cluster-clocks"), "ok");
    nodes[1].clock_offset_ms = -1001;
    EXPECT_THAT(check("cluster-clocks").found, HasSubstr("web2 (ahead by 1.0 s)"));
    nodes[1].clock_offset_ms = 90'000;
    EXPECT_THAT(check("cluster-clocks").found, HasSubstr("web2 (behind by 90.0 s)"));
    nodes[1].clock_offset_ms = 0;
    network.clock_offset_ms = -2000;
    EXPECT_THAT(check("cluster-clocks").found, HasSubstr("this one is 2.0 s behind the median"));
}

TEST_F(TheNetworksDoctor, SeesLossAboveFivePercent) {
    nodes[1].loss = 0.05;
    EXPECT_EQ(state("cluster-loss"), "ok");
    nodes[1].loss = 0.31;
    EXPECT_THAT(check("cluster-loss").found, HasSubstr("web2 31 %"));
    nodes[1].standing = membership::Standing::left;
    EXPECT_EQ(state("cluster-loss"), "ok");
}

} // namespace
} // namespace schedd::service
