// Which interfaces may be used, and that each has a life of its own.
#include "service/net/link_table.h"

#include <gmock/gmock.h>
#include <net/if.h>

namespace schedd::net {
namespace {

constexpr unsigned kGood = IFF_UP | IFF_RUNNING | IFF_MULTICAST | IFF_BROADCAST;

Address at(std::string_view text) {
    auto address = parse_address(text, 1).value_or(Address{});
    address.port = 0;
    return address;
}

struct Machine {
    explicit Machine(std::vector<std::string> patterns = {})
        : table(std::move(patterns), [](const std::string& name) { return name == "wlan0"; }) {}
    std::string unfit(LinkFacts facts, bool has_address = true) {
        const auto index = facts.index;
        table.link_is(std::move(facts));
        if (has_address) table.address_is(index, at("10.0.0.1"));
        for (const auto& link : table.links())
            if (link.facts.index == index) return link.unfit;
        return "there is none";
    }
    LinkTable table;
};

TEST(AnInterface, MayBeUsedIfItIsUpRunningAndDoesMulticast) {
    EXPECT_EQ(Machine().unfit({2, "eth0", kGood, 1500, 0}), "");
    EXPECT_EQ(Machine().unfit({2, "eth0", kGood & ~static_cast<unsigned>(IFF_UP), 1500, 0}), "it is down");
    EXPECT_EQ(Machine().unfit({2, "eth0", kGood & ~static_cast<unsigned>(IFF_RUNNING), 1500, 0}),
              "it has no carrier");
    EXPECT_EQ(Machine().unfit({2, "eth0", kGood & ~static_cast<unsigned>(IFF_MULTICAST), 1500, 0}),
              "it cannot do multicast");
    EXPECT_EQ(Machine().unfit({1, "lo", kGood | IFF_LOOPBACK, 65536, 0}), "it is a loopback interface");
    EXPECT_EQ(Machine().unfit({2, "eth0", kGood, 1500, 0}, false), "it has no address");
}

TEST(AnInterface, ThatIsWirelessOrAPartOfABridgeIsUsedOnlyIfNamed) {
    EXPECT_THAT(Machine().unfit({2, "wlan0", kGood, 1500, 0}), testing::HasSubstr("wireless"));
    EXPECT_THAT(Machine().unfit({2, "eth0", kGood, 1500, 9}), testing::HasSubstr("part of a bridge"));
    EXPECT_EQ(Machine({"wlan0"}).unfit({2, "wlan0", kGood, 1500, 0}), "");
    EXPECT_EQ(Machine({"eth*"}).unfit({2, "eth0", kGood, 1500, 9}), "");
}

TEST(AnInterface, ThatIsNotNamedIsNotUsedIfOthersAre) {
    EXPECT_EQ(Machine({"eth*", "enp?s0"}).unfit({2, "docker0", kGood, 1500, 0}),
              "it is not among interfaces = eth*, enp?s0");
    EXPECT_EQ(Machine({"eth*", "enp?s0"}).unfit({2, "enp3s0", kGood, 1500, 0}), "");
}

TEST(AnInterface, OfWhichOnlyAddressesAreKnownIsNotUsed) {
    Machine machine;
    EXPECT_TRUE(machine.table.address_is(3, at("10.0.0.1")));
    EXPECT_TRUE(machine.table.fit().empty());
    EXPECT_TRUE(machine.table.link_is({3, "eth1", kGood, 1500, 0}));
    EXPECT_EQ(machine.table.fit().size(), 1U);
}

TEST(AnInterface, OfWhichNothingIsToldIsNotUsed) {
    LinkTable table({}, [](const std::string&) { return false; });
    table.link_is({2, "", 0, 0, 0});
    ASSERT_EQ(table.links().size(), 1U);
    EXPECT_FALSE(table.links().front().is_fit());
    EXPECT_TRUE(table.fit().empty());
}

TEST(AnInterface, ToldTwiceIsNoChange) {
    Machine machine;
    EXPECT_TRUE(machine.table.link_is({2, "eth0", kGood, 1500, 0}));
    EXPECT_FALSE(machine.table.link_is({2, "eth0", kGood, 1500, 0}));
    EXPECT_TRUE(machine.table.address_is(2, at("10.0.0.1")));
    EXPECT_FALSE(machine.table.address_is(2, at("10.0.0.1")));
    EXPECT_TRUE(machine.table.address_is_gone(2, at("10.0.0.1")));
    EXPECT_FALSE(machine.table.address_is_gone(2, at("10.0.0.1")));
    EXPECT_TRUE(machine.table.link_is_gone(2));
    EXPECT_FALSE(machine.table.link_is_gone(2));
    EXPECT_FALSE(machine.table.address_is_gone(2, at("10.0.0.1")));
}

TEST(AnInterface, MadeAnewUnderTheSameIndexHasAnotherLife) {
    Machine machine;
    machine.unfit({2, "eth0", kGood, 1500, 0});
    const auto first = machine.table.fit().at(0).life;
    machine.unfit({2, "eth0", kGood, 9000, 0});
    EXPECT_EQ(machine.table.fit().at(0).life, first);
    machine.table.link_is_gone(2);
    machine.unfit({2, "eth0", kGood, 1500, 0});
    EXPECT_NE(machine.table.fit().at(0).life, first);
}

TEST(AnInterface, KnowsItsFamilies) {
    Machine machine;
    machine.unfit({2, "eth0", kGood, 1500, 0});
    EXPECT_TRUE(machine.table.fit().at(0).has(Family::v4));
    EXPECT_FALSE(machine.table.fit().at(0).has(Family::v6));
    machine.table.address_is(2, at("fd00::1"));
    EXPECT_TRUE(machine.table.fit().at(0).has(Family::v6));
}

TEST(TheListOfInterfaces, IsBounded) {
    Machine machine;
    for (std::uint32_t i = 1; i <= kLinks + 10; ++i) machine.table.link_is({i, "veth", kGood, 1500, 0});
    EXPECT_EQ(machine.table.links().size(), kLinks);
    for (std::uint32_t i = 0; i < kLinkAddresses + 10; ++i) {
        auto address = at("10.0.0.1");
        address.ip[15] = static_cast<std::uint8_t>(i);
        machine.table.address_is(1, address);
    }
    EXPECT_EQ(machine.table.links().at(0).addresses.size(), kLinkAddresses);
    EXPECT_FALSE(machine.table.link_is({0, "nothing", kGood, 1500, 0}));
}

TEST(APattern, IsMatchedAsInAShell) {
    EXPECT_TRUE(matches("eth*", "eth0"));
    EXPECT_TRUE(matches("*", ""));
    EXPECT_TRUE(matches("*0", "eth0.100"));
    EXPECT_TRUE(matches("e?p*s0", "enp12s0"));
    EXPECT_FALSE(matches("eth?", "eth10"));
    EXPECT_FALSE(matches("eth", "eth0"));
    EXPECT_FALSE(matches("", "eth0"));
    EXPECT_FALSE(matches(std::string(200, '*') + "x", std::string(5000, 'a')));
}

} // namespace
} // namespace schedd::net
