// Group and unicast sockets in a namespace of their own: two ends of a veth pair stand for two machines.
#include "service/net/transport.h"

#include <cstring>

#include <gmock/gmock.h>
#include <poll.h>

#include "components/membership/wire.h"
#include "service/net/link_watch.h"
#include "tests/net/own_network.h"

namespace schedd::net {
namespace {

using test::ip;
using test::Lines;

constexpr std::uint64_t kCluster = 0x1122334455667788;

/// What the kernel's filter lets through: magic and cluster, and then anything.
std::vector<std::byte> datagram(std::uint64_t cluster, std::size_t size = 100) {
    std::vector<std::byte> bytes(size);
    bytes[0] = std::byte{membership::wire::kMagic >> 8U};
    bytes[1] = std::byte{membership::wire::kMagic & 0xffU};
    for (unsigned i = 0; i < 8; ++i) bytes[8 + i] = static_cast<std::byte>(cluster >> (56U - 8U * i));
    return bytes;
}

struct Heard {
    membership::Arrival arrival;
    std::size_t size = 0;
};

/// This machine: one transport on port 7420; the other end of its wire is in another namespace, with a bare
/// group socket.
class ATransport : public testing::Test {
protected:
    void SetUp() override {
        NEEDS_OWN_NETWORK();
        ip("link del a0");
        ASSERT_TRUE(ip("link add a0 type veth peer name b0 netns " + test::Elsewhere::path()));
        up_both();
        open();
    }
    void TearDown() override {
        transport.reset();
        ip("link del a0");
    }
    static void up(const std::string& name, const std::string& address) {
        ASSERT_TRUE(ip("link set " + name + " up"));
        ASSERT_TRUE(ip("addr add " + address + "/24 dev " + name));
        // an address for IPv6 at once, without the second of looking for duplicates
        ASSERT_TRUE(ip("addr add fd09::" + address.substr(7) + "/64 dev " + name + " nodad"));
    }
    static bool elsewhere(const std::string& arguments) {
        const test::Elsewhere other;
        return ip(arguments);
    }
    static void up_both() {
        up("a0", "10.9.0.1");
        const test::Elsewhere other;
        up("b0", "10.9.0.2");
    }
    void open(int ttl = 1) {
        auto opened = SocketTransport::open({{kCluster, 7420, ttl}, true}, log);
        ASSERT_TRUE(opened) << opened.error().text();
        transport = std::move(*opened);
        auto watching = LinkWatch::open({"a0"});
        ASSERT_TRUE(watching) << watching.error().text();
        watch = std::move(*watching);
        transport->use(watch->table().fit(), Time{});
    }
    /// Takes what the kernel tells until the condition holds.
    template <class Holds> bool until(const Holds& holds) {
        for (int i = 0; i < 500; ++i) {
            if (holds()) return true;
            pollfd waiting{watch->fd(), POLLIN, 0};
            ::poll(&waiting, 1, 10);
            const auto changed = watch->take();
            if (changed && *changed) transport->use(watch->table().fit(), Time{});
        }
        return false;
    }
    /// Waits for a datagram, at most five seconds.
    std::vector<Heard> hear(std::size_t at_least = 1) {
        std::vector<Heard> heard;
        for (int i = 0; i < 500 && heard.size() < at_least; ++i) {
            pollfd waiting{transport->fd(), POLLIN, 0};
            ::poll(&waiting, 1, 10);
            transport->read([&](const membership::Arrival& arrival,
                                Bytes bytes) { heard.push_back({arrival, bytes.size()}); },
                            now);
        }
        return heard;
    }
    std::unique_ptr<DatagramSocket> other_end(Family family, int ttl = 1, std::uint64_t cluster = kCluster) {
        const test::Elsewhere other;
        auto whole = LinkWatch::open({"b0"});
        EXPECT_TRUE(whole);
        LinkFacts facts;
        for (const auto& link : (*whole)->table().links())
            if (link.facts.name == "b0") facts = link.facts;
        auto socket = open_group({cluster, 7420, ttl}, facts, family);
        EXPECT_TRUE(socket) << socket.error().text();
        return socket ? std::move(*socket) : nullptr;
    }
    void say(Family family, int ttl = 1, std::uint64_t cluster = kCluster, std::size_t size = 100) {
        const auto socket = other_end(family, ttl, cluster);
        ASSERT_NE(socket, nullptr);
        auto to = group_of({kCluster, 7420, 1}, family);
        to.interface = 0;
        EXPECT_TRUE(socket->send(to, datagram(cluster, size))) << std::strerror(socket->last_error());
    }

    /// The kernel lets packets through some time after it has said that a wire works.
    bool is_heard_in_the_end() {
        for (int i = 0; i < 100; ++i) {
            if (const auto changed = watch->take(); changed && *changed)
                transport->use(watch->table().fit(), now);
            say(Family::v4);
            pollfd waiting{transport->fd(), POLLIN, 0};
            ::poll(&waiting, 1, 50);
            std::size_t count = 0;
            transport->read([&](const auto&, auto) { ++count; }, now);
            if (count > 0) return true;
        }
        return false;
    }

    Lines log;
    std::unique_ptr<SocketTransport> transport;
    std::unique_ptr<LinkWatch> watch;
    Time now{std::chrono::seconds(100)};
};

TEST_F(ATransport, JoinsBothFamiliesOnTheInterface) {
    const auto groups = transport->groups();
    ASSERT_EQ(groups.size(), 2U) << log.text;
    for (const auto& group : groups) {
        EXPECT_TRUE(group.is_joined);
        EXPECT_EQ(group.link.name, "a0");
        EXPECT_EQ(group.trouble, "");
    }
    EXPECT_TRUE(log.has("a0: joined 239.255.221.136:7420"));
    EXPECT_TRUE(log.has("a0: joined [ff12::d566:7788]:7420"));
}

TEST_F(ATransport, HearsItsGroupAndKnowsWhereItCameFrom) {
    say(Family::v4);
    auto heard = hear();
    ASSERT_EQ(heard.size(), 1U);
    EXPECT_TRUE(heard[0].arrival.is_group);
    EXPECT_EQ(membership::text_of(heard[0].arrival.from), "10.9.0.2:7420");
    say(Family::v6);
    heard = hear();
    ASSERT_EQ(heard.size(), 1U);
    EXPECT_TRUE(is_link_local(heard[0].arrival.from) || heard[0].arrival.from.ip[0] == 0xfd)
        << membership::text_of(heard[0].arrival.from);
}

/// How many datagrams come within half a second.
std::size_t count_at(DatagramSocket& socket) {
    ReadBuffer buffer;
    std::size_t count = 0;
    for (int i = 0; i < 10; ++i) {
        pollfd waiting{socket.fd(), POLLIN, 0};
        ::poll(&waiting, 1, 50);
        socket.read(buffer, [&](const Datagram& heard) { count += heard.bytes.size() == 100 ? 1 : 0; });
    }
    return count;
}

TEST_F(ATransport, SendsToTheGroupByIPv4AndToThoseWithoutItByIPv6) {
    const auto v4 = other_end(Family::v4);
    const auto v6 = other_end(Family::v6);
    ASSERT_TRUE(v4 && v6);
    transport->to_group(datagram(kCluster));
    EXPECT_EQ(count_at(*v4), 1U);
    EXPECT_EQ(count_at(*v6), 0U) << "nobody is there who needs it";
    say(Family::v6);
    ASSERT_EQ(hear().size(), 1U);
    transport->to_group(datagram(kCluster));
    EXPECT_EQ(count_at(*v4), 1U);
    EXPECT_EQ(count_at(*v6), 1U);
    now += kTellV6;
    say(Family::v4);
    ASSERT_EQ(hear().size(), 1U);
    say(Family::v6); // by somebody who speaks both
    ASSERT_EQ(hear().size(), 1U);
    transport->to_group(datagram(kCluster));
    EXPECT_EQ(count_at(*v6), 0U);
    EXPECT_EQ(transport->counts().sent, 4U);
}

TEST_F(ATransport, DoesNotHearOtherClustersOrStrangers) {
    say(Family::v4, 1, kCluster + 1);
    say(Family::v4, 1, kCluster, 4);
    say(Family::v4);
    const auto heard = hear();
    ASSERT_EQ(heard.size(), 1U) << "the last one alone";
    EXPECT_EQ(transport->counts().received, 1U);
}

TEST_F(ATransport, DoesNotTakeAStrangersPacketsForLossesOfItsOwn) {
    for (int i = 0; i < 50; ++i) say(Family::v4, 1, kCluster + 1);
    say(Family::v4);
    EXPECT_EQ(hear().size(), 1U);
    EXPECT_FALSE(transport->read([](const auto&, auto) {}, now));
    EXPECT_GE(transport->counts().kernel_drops, 50U);
    EXPECT_EQ(transport->counts().overflows, 0U);
}

TEST_F(ATransport, NoticesLossesForWantOfRoom) {
    const auto socket = other_end(Family::v4);
    ASSERT_NE(socket, nullptr);
    const auto to = group_of({kCluster, 7420, 1}, Family::v4);
    const auto bytes = datagram(kCluster, 1200);
    for (int i = 0; i < 20'000 && transport->counts().overflows == 0; ++i) socket->send(to, bytes);
    bool has_lost = false;
    for (int i = 0; i < 20; ++i) has_lost |= transport->read([](const auto&, auto) {}, now);
    EXPECT_TRUE(has_lost);
    EXPECT_FALSE(transport->read([](const auto&, auto) {}, now)) << "told once";
}

TEST_F(ATransport, DropsWhatCameFromTooFar) {
    say(Family::v4, 5);
    say(Family::v6, 5); // 5 hops left instead of 255
    say(Family::v4);
    EXPECT_EQ(hear().size(), 1U);
    transport->read([](const auto&, auto) {}, now);
    EXPECT_GE(transport->counts().wrong_hops, 1U);
}

TEST_F(ATransport, DropsWhatIsLongerThanAnyDatagramOfOurs) {
    say(Family::v4, 1, kCluster, 3000);
    say(Family::v4);
    EXPECT_EQ(hear().size(), 1U);
    EXPECT_EQ(transport->counts().too_long, 1U);
}

TEST_F(ATransport, HasThePortForItself) {
    Lines other;
    const auto second = SocketTransport::open({{kCluster, 7420, 1}, true}, other);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, Errc::held_by_other);
    EXPECT_THAT(second.error().text(),
                testing::HasSubstr("UDP port 7420 (IPv4) is taken by another program"));
    EXPECT_THAT(second.error().text(), testing::HasSubstr("port = in [cluster]"));
    // not even for who would share it
    for (const auto* address : {"0.0.0.0", "10.9.0.1"}) {
        const Descriptor thief(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        const int on = 1;
        ASSERT_EQ(::setsockopt(thief.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
        const auto name = to_socket(parse_address(address, 7420).value());
        EXPECT_NE(::bind(thief.get(), name.get(), name.size), 0) << address;
        EXPECT_EQ(errno, EADDRINUSE);
    }
}

TEST_F(ATransport, TalksToOneAddress) {
    const auto self = parse_address("10.9.0.1", 7420).value();
    transport->to(self, datagram(kCluster));
    const auto heard = hear();
    ASSERT_EQ(heard.size(), 1U);
    EXPECT_FALSE(heard[0].arrival.is_group);
    transport->to(parse_address("fd09::1", 7420).value(), datagram(kCluster));
    EXPECT_EQ(hear().size(), 1U);
    // nowhere to go: nothing happens but a count
    transport->to(parse_address("192.0.2.1", 7420).value(), datagram(kCluster));
    EXPECT_EQ(transport->counts().unsent, 1U);
}

TEST_F(ATransport, SurvivesAnInterfaceThatGoesDownAndComesBack) {
    ASSERT_TRUE(elsewhere("link set b0 down"));
    EXPECT_TRUE(until([&] { return transport->groups().empty(); })) << "no carrier";
    transport->to_group(datagram(kCluster));
    ASSERT_TRUE(elsewhere("link set b0 up"));
    EXPECT_TRUE(until([&] {
        const auto groups = transport->groups();
        return !groups.empty() && groups[0].is_joined;
    }));
    EXPECT_TRUE(is_heard_in_the_end());
}

TEST_F(ATransport, JoinsAnewWhenTheInterfaceIsRecreatedUnderItsNameAndIndex) {
    const auto index = transport->groups().at(0).link.index;
    ASSERT_TRUE(ip("link del a0"));
    ASSERT_TRUE(ip("link add a0 index " + std::to_string(index) + " type veth peer name b0 netns " +
                   test::Elsewhere::path()));
    up_both();
    EXPECT_TRUE(until([&] {
        const auto links = watch->table().fit();
        const auto groups = transport->groups();
        return !links.empty() && groups.size() == 2 && groups[0].is_joined && groups[1].is_joined;
    }));
    EXPECT_EQ(transport->groups().at(0).link.index, index);
    EXPECT_TRUE(is_heard_in_the_end());
}

TEST_F(ATransport, JoinsAnewWhenAsked) {
    transport->rejoin();
    EXPECT_EQ(transport->rejoins(), 1U);
    say(Family::v4);
    EXPECT_EQ(hear().size(), 1U);
}

TEST_F(ATransport, SendsLongDatagramsOverANarrowLinkInFragments) {
    ASSERT_TRUE(elsewhere("link set b0 mtu 576"));
    ASSERT_TRUE(ip("link set a0 mtu 576"));
    EXPECT_TRUE(until([&] { return watch->table().fit().at(0).facts.mtu == 576; }));
    transport.reset();
    open();
    EXPECT_TRUE(log.has("MTU of 576 is too small"));
    const auto socket = other_end(Family::v4);
    ASSERT_NE(socket, nullptr);
    transport->to_group(datagram(kCluster, 1200));
    ReadBuffer buffer;
    pollfd waiting{socket->fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&waiting, 1, 5000), 1);
    std::size_t size = 0;
    socket->read(buffer, [&](const Datagram& heard) { size = heard.bytes.size(); });
    EXPECT_EQ(size, 1200U);
}

TEST_F(ATransport, TellsOnceThatItCannotSend) {
    ASSERT_TRUE(ip("addr flush dev a0"));
    ASSERT_TRUE(ip("link set a0 down")); // and nobody tells the transport
    for (int i = 0; i < 3; ++i) transport->to_group(datagram(kCluster));
    EXPECT_GE(transport->counts().unsent, 3U);
    const auto first = log.text.find("cannot send to the group");
    ASSERT_NE(first, std::string::npos) << log.text;
    EXPECT_FALSE(transport->groups().at(0).trouble.empty());
}

} // namespace
} // namespace schedd::net
