// Sockets and datagrams of those who are played.
#include "tests/bench/crowd.h"

#include <array>
#include <ctime>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include "components/kit/rng.h"
#include "components/membership/envelope.h"
#include "service/net/addresses.h"
#include "service/net/key_ring.h"
#include "service/net/sodium_hash.h"
#include "tests/bench/sample.h"

namespace schedd::bench {

namespace {

using namespace membership;

constexpr const char* kCluster = "schedd";
constexpr std::size_t kSources = 5;
constexpr std::size_t kForgedSize = 184;

net::SocketAddress group() { return net::to_socket(net::group_v4(net::cluster_id(kCluster), net::kPort)); }

/// That sends to the group by eth0, from that address; -1 if it cannot be.
int open_sender(const std::string& from, std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ip_mreqn by{};
    by.imr_ifindex = static_cast<int>(if_nametoindex("eth0"));
    const int off = 0;
    auto address = net::parse_address(from, port == 0 ? 1 : port);
    if (!address) return -1;
    address->port = port;
    const auto name = net::to_socket(*address);
    const bool is_made = fd >= 0 && setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof by) == 0 &&
                         setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &off, sizeof off) == 0 &&
                         bind(fd, name.get(), name.size) == 0;
    return is_made ? fd : -1;
}

void sleep_until(std::int64_t ns) {
    const timespec at{.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) != 0) {}
}

std::uint64_t wall_ms() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

/// One of the crowd.
struct Peer {
    Peer(std::size_t number, Cipher& cipher)
        : name(fmt::format("peer{}", number)),
          envelope(net::cluster_id(kCluster), NodeUid{1'000'000 + number}, cipher) {
        draft.header.type = Type::heartbeat;
        draft.core.boot = {1, static_cast<std::uint32_t>(number + 1)};
        draft.core.state = Announced::alive;
        draft.core.period = 10;
        draft.number = static_cast<NodeId>(number + 1);
        for (std::size_t i = 0; i < kSources; ++i) {
            const auto id = static_cast<std::uint16_t>(i);
            loads[i] = {id, static_cast<std::int32_t>(number)};
            paths[i] = fmt::format("probes/p{}/value", i);
            sources[i] = {id, paths[i]};
        }
    }
    Bytes beat(std::size_t heard) {
        const bool is_full = draft.core.seq % 10 == 0;
        ++draft.core.seq;
        draft.core.wall_ms = wall_ms();
        draft.heard = static_cast<std::uint16_t>(heard);
        draft.loads = loads;
        draft.sources = is_full ? std::span<const SourceName>(sources)
                                : std::span<const SourceName>(sources).subspan(draft.core.seq % kSources, 1);
        draft.name = is_full ? std::string_view(name) : std::string_view();
        return envelope.seal(draft).datagram;
    }
    std::string name;
    std::array<std::string, kSources> paths;
    std::array<Load, kSources> loads{};
    std::array<SourceName, kSources> sources{};
    Draft draft;
    Envelope envelope;
};

} // namespace

void speak_as_peers(const std::string& keys, std::size_t peers, Player::Count& sent) {
    auto cipher = net::SodiumCipher::make();
    const int fd = open_sender("0.0.0.0", net::kPort);
    if (!cipher || !net::load_keys(keys, **cipher) || fd < 0) return;
    std::vector<std::unique_ptr<Peer>> all;
    for (std::size_t i = 0; i < peers; ++i) all.push_back(std::make_unique<Peer>(i, **cipher));
    const auto to = group();
    const auto start = monotonic_ns();
    for (std::size_t turn = 0;; ++turn) {
        sleep_until(start + static_cast<std::int64_t>(turn * 1'000'000'000 / peers));
        const auto bytes = all[turn % peers]->beat(peers);
        if (sendto(fd, bytes.data(), bytes.size(), 0, to.get(), to.size) > 0) ++sent;
    }
}

void forge(std::size_t per_second, std::size_t addresses, Player::Count& sent) {
    constexpr std::size_t kAtOnce = 100;
    std::vector<int> sockets;
    for (std::size_t i = 1; i <= addresses; ++i)
        sockets.push_back(open_sender(fmt::format("10.7.200.{}", i), 0));
    auto to = group();
    std::vector<std::array<std::byte, kForgedSize>> packets(kAtOnce);
    std::vector<iovec> places;
    std::vector<mmsghdr> headers(kAtOnce);
    for (auto& packet : packets) {
        randombytes_buf(packet.data(), packet.size()); // what is sealed need not change
        places.push_back({packet.data(), packet.size()});
    }
    for (std::size_t i = 0; i < kAtOnce; ++i) {
        headers[i].msg_hdr.msg_name = to.get();
        headers[i].msg_hdr.msg_namelen = to.size;
        headers[i].msg_hdr.msg_iov = &places[i];
        headers[i].msg_hdr.msg_iovlen = 1;
    }
    Rng rng(1);
    const auto start = monotonic_ns();
    for (std::size_t turn = 0;; ++turn) {
        sleep_until(start + static_cast<std::int64_t>(turn * kAtOnce * 1'000'000'000 / per_second));
        for (auto& packet : packets) {
            Header header;
            header.major = wire::kMajor;
            header.type = Type::heartbeat;
            header.key = 1;
            header.cluster = net::cluster_id(kCluster);
            header.sender = NodeUid{rng.next()};
            wire::write_header(header, kForgedSize - wire::kHeader, Space(packet).first(wire::kHeader));
        }
        const int done = sendmmsg(sockets[turn % addresses], headers.data(), kAtOnce, 0);
        if (done > 0) sent += static_cast<std::uint64_t>(done);
    }
}

void hear_group(Player::Count& heard) {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto name = group();
    ip_mreqn membership{};
    membership.imr_multiaddr = reinterpret_cast<const sockaddr_in*>(name.get())->sin_addr;
    membership.imr_ifindex = static_cast<int>(if_nametoindex("eth0"));
    if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership) != 0 ||
        bind(fd, name.get(), name.size) != 0)
        return;
    std::array<std::byte, 1500> bytes{};
    while (recv(fd, bytes.data(), bytes.size(), 0) > 0) ++heard;
}

} // namespace schedd::bench
