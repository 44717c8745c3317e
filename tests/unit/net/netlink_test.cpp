// What the kernel's messages about interfaces do to the list, and that other bytes do nothing.
#include "service/net/link_watch.h"

#include <cstring>

#include <gtest/gtest.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

namespace schedd::net {
namespace {

/// A message of rtnetlink, put together by hand.
class Netlink {
public:
    Netlink(std::uint16_t type, const ifinfomsg& info) : Netlink(type, &info, sizeof info) {}
    Netlink(std::uint16_t type, const ifaddrmsg& info) : Netlink(type, &info, sizeof info) {}
    Netlink& add(std::uint16_t type, std::string_view content) {
        const rtattr attribute{static_cast<unsigned short>(RTA_LENGTH(content.size())), type};
        put(&attribute, sizeof attribute);
        put(content.data(), content.size());
        return *this;
    }
    [[nodiscard]] std::vector<std::byte> bytes() const {
        auto all = bytes_;
        const auto size = static_cast<std::uint32_t>(all.size());
        std::memcpy(all.data(), &size, sizeof size);
        return all;
    }

private:
    Netlink(std::uint16_t type, const void* info, std::size_t size) {
        nlmsghdr header{};
        header.nlmsg_type = type;
        put(&header, sizeof header);
        put(info, size);
    }
    void put(const void* from, std::size_t size) {
        const auto* begin = static_cast<const std::byte*>(from);
        bytes_.insert(bytes_.end(), begin, begin + size);
        while (bytes_.size() % 4 != 0) bytes_.push_back({});
    }
    std::vector<std::byte> bytes_;
};

Netlink link(std::uint16_t type, int index, unsigned flags, unsigned char family = AF_UNSPEC) {
    ifinfomsg info{};
    info.ifi_family = family;
    info.ifi_index = index;
    info.ifi_flags = flags;
    const std::uint32_t mtu = 1500;
    return Netlink(type, info)
        .add(IFLA_IFNAME, std::string_view("eth0\0", 5))
        .add(IFLA_MTU, {reinterpret_cast<const char*>(&mtu), 4});
}

Netlink address(std::uint16_t type, unsigned index, unsigned char flags = 0) {
    ifaddrmsg info{};
    info.ifa_family = AF_INET;
    info.ifa_prefixlen = 24;
    info.ifa_index = index;
    info.ifa_flags = flags;
    return Netlink(type, info)
        .add(IFA_ADDRESS, std::string_view("\x0a\0\0\x01", 4))
        .add(IFA_LOCAL, std::string_view("\x0a\0\0\x01", 4));
}

constexpr unsigned kGood = IFF_UP | IFF_RUNNING | IFF_MULTICAST;

struct Table {
    bool take(const Netlink& message) { return take_netlink(table, message.bytes()); }
    LinkTable table{{}, [](const std::string&) { return false; }};
};

TEST(AMessageOfTheKernel, TellsOfAnInterfaceAndItsAddress) {
    Table t;
    EXPECT_TRUE(t.take(link(RTM_NEWLINK, 2, kGood)));
    EXPECT_TRUE(t.take(address(RTM_NEWADDR, 2)));
    const auto fit = t.table.fit();
    ASSERT_EQ(fit.size(), 1U);
    EXPECT_EQ(fit[0].facts.name, "eth0");
    EXPECT_EQ(fit[0].facts.index, 2U);
    EXPECT_EQ(fit[0].facts.mtu, 1500U);
    ASSERT_EQ(fit[0].addresses.size(), 1U);
    EXPECT_EQ(membership::text_of(fit[0].addresses[0]), "10.0.0.1:0");
    EXPECT_FALSE(t.take(link(RTM_NEWLINK, 2, kGood))) << "told twice";
    EXPECT_TRUE(t.take(address(RTM_DELADDR, 2)));
    EXPECT_TRUE(t.table.fit().empty());
    EXPECT_TRUE(t.take(link(RTM_DELLINK, 2, kGood)));
    EXPECT_TRUE(t.table.links().empty());
}

TEST(AMessageOfTheKernel, AboutABridgesPortIsNotAboutTheInterface) {
    Table t;
    t.take(link(RTM_NEWLINK, 2, kGood));
    EXPECT_FALSE(t.take(link(RTM_DELLINK, 2, kGood, AF_BRIDGE)));
    EXPECT_EQ(t.table.links().size(), 1U);
}

TEST(AMessageOfTheKernel, AboutAnAddressStillBeingCheckedDoesNotMakeItUsable) {
    Table t;
    t.take(link(RTM_NEWLINK, 2, kGood));
    EXPECT_FALSE(t.take(address(RTM_NEWADDR, 2, IFA_F_TENTATIVE)));
    EXPECT_TRUE(t.take(address(RTM_NEWADDR, 2)));
    EXPECT_TRUE(t.take(address(RTM_NEWADDR, 2, IFA_F_DADFAILED))) << "somebody else has it";
    EXPECT_TRUE(t.table.fit().empty());
}

TEST(AMessageOfTheKernel, CutAnywhereOrChangedAnywhereDoesNoHarm) {
    const auto whole = link(RTM_NEWLINK, 2, kGood).bytes();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        Table t;
        EXPECT_FALSE(take_netlink(t.table, std::span(whole).first(size))) << size;
        auto shorter = std::vector(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        if (size >= 4) { // says that it is whole
            const auto told = static_cast<std::uint32_t>(size);
            std::memcpy(shorter.data(), &told, 4);
            take_netlink(t.table, shorter);
        }
        EXPECT_LE(t.table.links().size(), 1U);
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
        Table t;
        auto changed = whole;
        changed[at] = std::byte{0xff};
        take_netlink(t.table, changed);
        EXPECT_LE(t.table.links().size(), 1U);
    }
}

TEST(AMessageOfTheKernel, OfAnotherKindIsIgnored) {
    Table t;
    EXPECT_FALSE(t.take(link(RTM_NEWROUTE, 2, kGood)));
    EXPECT_FALSE(t.take(link(RTM_NEWLINK, 0, kGood)));
    EXPECT_FALSE(t.take(link(RTM_NEWLINK, -1, kGood)));
    EXPECT_TRUE(t.table.links().empty());
}

TEST(AWirelessInterface, IsNeverLookedForOutsideItsDirectory) {
    EXPECT_FALSE(is_wireless("/nowhere", "eth0"));
    EXPECT_FALSE(is_wireless("/sys", "../../../../etc"));
    EXPECT_FALSE(is_wireless("/sys", ""));
}

} // namespace
} // namespace schedd::net
