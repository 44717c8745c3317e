// Addresses as people write them, as sockets have them, and groups from a cluster's number.
#include "service/net/addresses.h"

#include <gtest/gtest.h>

namespace schedd::net {
namespace {

std::string again(std::string_view text) {
    const auto address = parse_address(text, 7420);
    return address ? membership::text_of(*address) : "error: " + address.error().text();
}

TEST(AnAddress, IsReadWithAndWithoutAPort) {
    EXPECT_EQ(again("10.0.0.2"), "10.0.0.2:7420");
    EXPECT_EQ(again("10.0.0.2:7"), "10.0.0.2:7");
    EXPECT_EQ(again("fd00::3"), "[fd00::3]:7420");
    EXPECT_EQ(again("[fd00::3]"), "[fd00::3]:7420");
    EXPECT_EQ(again("[fd00::3]:65535"), "[fd00::3]:65535");
    EXPECT_EQ(again("[fe80::1%lo]:7420"), "[fe80::1%1]:7420");
    EXPECT_EQ(again("fe80::1%7"), "[fe80::1%7]:7420");
}

TEST(AnAddress, IsRefusedWithWhatWouldBeAccepted) {
    for (const auto* text : {"", ":", "[", "[]", "[fd00::3", "[fd00::3]x", "[fd00::3]:", "[fd00::3]:0",
                             "[10.0.0.1]", "10.0.0.2:", "10.0.0.2:0", "10.0.0.2:65536", "10.0.0.2:-1",
                             "10.0.0", "node7", "10.0.0.2%eth0", "fe80::1%no-such-interface", "1:2:3"}) {
        const auto address = parse_address(text, 7420);
        ASSERT_FALSE(address) << text;
        EXPECT_EQ(address.error().kind, Errc::invalid_value);
        EXPECT_NE(address.error().detail.find("write 10.0.0.2"), std::string::npos) << text;
    }
    EXPECT_FALSE(parse_address(std::string(100'000, '1'), 7420));
    EXPECT_FALSE(parse_address(std::string_view("10.0.0.2\0", 9), 7420));
}

TEST(AnAddress, OfAGroupOrOfEveryLinkIsNoPeer) {
    EXPECT_NE(again("239.255.1.2").find("is a group, not a peer"), std::string::npos);
    EXPECT_NE(again("ff02::1").find("is a group, not a peer"), std::string::npos);
    EXPECT_NE(again("fe80::1").find("is on every link"), std::string::npos);
}

TEST(AnAddress, SurvivesTheWayToTheKernelAndBack) {
    for (const auto* text : {"10.0.0.2:7", "[fd00::3]:65535", "[fe80::1%7]:7420"}) {
        const auto address = parse_address(text, 1);
        ASSERT_TRUE(address);
        const auto socket = to_socket(*address);
        EXPECT_EQ(socket.bytes.ss_family, address->is_v4() ? AF_INET : AF_INET6);
        EXPECT_EQ(from_socket(socket.bytes, 7), *address) << text;
    }
}

TEST(AnAddress, KeepsTheInterfaceOnlyOnTheLink) {
    const auto near = parse_address("[fe80::1%3]:1", 1);
    const auto far = parse_address("[fd00::1]:1", 1);
    ASSERT_TRUE(near && far);
    EXPECT_EQ(from_socket(to_socket(*near).bytes, 9).interface, 9U);
    EXPECT_EQ(from_socket(to_socket(*far).bytes, 9).interface, 0U);
}

TEST(AnAddress, OfAnotherFamilyIsUnspecified) {
    sockaddr_storage other{};
    other.ss_family = AF_UNIX;
    EXPECT_EQ(from_socket(other, 1), Address{});
}

TEST(AGroup, FollowsFromTheCluster) {
    EXPECT_EQ(membership::text_of(group_v4(0x1122334455667788, 7420)), "239.255.221.136:7420");
    EXPECT_EQ(membership::text_of(group_v6(0x1122334455667788, 7420, false)), "[ff12::d566:7788]:7420");
    EXPECT_EQ(membership::text_of(group_v6(0x1122334455667788, 7420, true)), "[ff15::d566:7788]:7420");
}

TEST(AGroup, IsNeverThatOfOtherServices) {
    for (std::uint64_t cluster = 0; cluster < 0x20000; ++cluster) {
        const auto v4 = group_v4(cluster, 1);
        EXPECT_TRUE(is_multicast(v4));
        ASSERT_EQ(v4.ip[12], 239);
        ASSERT_EQ(v4.ip[13], 255);
        ASSERT_NE(v4.ip[14], 255) << cluster;
        ASSERT_GE(group_v6(cluster << 12U, 1, false).ip[12], 0x80) << cluster;
    }
}

} // namespace
} // namespace schedd::net
