// Options of the UDP sockets (man 7 ip, 7 ipv6), and the filter that runs in the kernel.
#include "service/net/sockets.h"

#include <array>
#include <cerrno>

#include <fmt/format.h>
#include <linux/filter.h>

#include "components/kit/errno_error.h"
#include "components/membership/wire.h"

namespace schedd::net {

namespace {

/// Sets options one after another; the first that fails is kept.
class Options {
public:
    explicit Options(int fd) : fd_(fd) {}
    template <class T> Options& set(int level, int name, const T& value, const char* what) {
        if (failed_ == nullptr && ::setsockopt(fd_, level, name, &value, sizeof value) != 0) {
            failed_ = what;
            errno_ = errno;
        }
        return *this;
    }
    [[nodiscard]] Status status(const std::string& where) const {
        if (failed_ == nullptr) return {};
        return std::unexpected(errno_error(errno_, fmt::format("{}: {}", where, failed_)));
    }

private:
    int fd_;
    const char* failed_ = nullptr;
    int errno_ = 0;
};

constexpr std::uint32_t kUdpHeader = 8;
constexpr std::uint32_t kClusterAt =
    8; // in a datagram: magic 2, major, type, flags, key, length 2, cluster 8

/// What is no datagram of ours is dropped before it wakes us. Classic BPF: a load beyond the end drops.
bool attach_filter(int fd, std::uint64_t cluster, bool is_cluster_checked) {
    const auto high = static_cast<std::uint32_t>(cluster >> 32U);
    const auto low = static_cast<std::uint32_t>(cluster);
    constexpr std::uint32_t kAll = 0xffffffff;
    std::array<sock_filter, 8> code{
        sock_filter BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kUdpHeader),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, membership::wire::kMagic, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kUdpHeader + kClusterAt),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kUdpHeader + kClusterAt + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, low, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, kAll),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    // to this machine alone: another cluster's are let in, so that they are counted and told about
    if (!is_cluster_checked) code[2] = BPF_STMT(BPF_RET | BPF_K, kAll);
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

Descriptor make(Family family, int type) {
    const int domain = family == Family::v4 ? AF_INET : AF_INET6;
    return Descriptor(::socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

void enlarge(int fd) {
    if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kSocketBuffer, sizeof kSocketBuffer) != 0)
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kSocketBuffer, sizeof kSocketBuffer);
}

Status set_v4(int fd, const GroupPlace& place, const LinkFacts& link, const std::string& where) {
    ip_mreqn from{};
    from.imr_ifindex = static_cast<int>(link.index);
    // sent whole where it fits, in fragments where the link is too narrow for 1200 bytes
    return Options(fd)
        .set(IPPROTO_IP, IP_MULTICAST_ALL, 0, "hearing this group alone")
        .set(IPPROTO_IP, IP_MULTICAST_LOOP, 0, "not hearing itself")
        .set(IPPROTO_IP, IP_MULTICAST_TTL, place.ttl, "setting the TTL")
        .set(IPPROTO_IP, IP_MULTICAST_IF, from, "sending by this interface")
        .set(IPPROTO_IP, IP_MTU_DISCOVER, static_cast<int>(IP_PMTUDISC_WANT), "not fragmenting")
        .set(IPPROTO_IP, IP_PKTINFO, 1, "asking where packets come in")
        .set(IPPROTO_IP, IP_RECVTTL, 1, "asking for the TTL")
        .status(where);
}

Status set_v6(int fd, const GroupPlace& place, const LinkFacts& link, const std::string& where) {
    const int hops = place.ttl <= 1 ? 255 : place.ttl;
    return Options(fd)
        .set(IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPv6 alone")
        .set(IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0, "hearing this group alone")
        .set(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0, "not hearing itself")
        .set(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops, "setting the hop limit")
        .set(IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(link.index), "sending by this interface")
        .set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "asking where packets come in")
        .set(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, "asking for the hop limit")
        .status(where);
}

Status join(int fd, const Address& group, const LinkFacts& link, const std::string& where) {
    if (group.is_v4()) {
        ip_mreqn request{};
        std::copy_n(group.ip.begin() + 12, 4, reinterpret_cast<std::uint8_t*>(&request.imr_multiaddr));
        request.imr_ifindex = static_cast<int>(link.index);
        return Options(fd).set(IPPROTO_IP, IP_ADD_MEMBERSHIP, request, "joining").status(where);
    }
    ipv6_mreq request{};
    std::copy_n(group.ip.begin(), 16, reinterpret_cast<std::uint8_t*>(&request.ipv6mr_multiaddr));
    request.ipv6mr_interface = link.index;
    return Options(fd).set(IPPROTO_IPV6, IPV6_JOIN_GROUP, request, "joining").status(where);
}

} // namespace

Address group_of(const GroupPlace& place, Family family) {
    return family == Family::v4 ? group_v4(place.cluster, place.port)
                                : group_v6(place.cluster, place.port, place.ttl > 1);
}

Result<std::unique_ptr<DatagramSocket>> open_group(const GroupPlace& place, const LinkFacts& link,
                                                   Family family) {
    auto group = group_of(place, family);
    group.interface = family == Family::v6 ? link.index : 0;
    const auto where = fmt::format("group {} on {}", text_of(group), link.name);
    auto fd = make(family, SOCK_DGRAM);
    if (!fd) return std::unexpected(errno_error(errno, where));
    // the port is also this machine's own socket's, which has made sure that no other program has it, and
    // shares it while this one is bound
    if (auto set = Options(fd.get()).set(SOL_SOCKET, SO_REUSEADDR, 1, "sharing the port").status(where); !set)
        return std::unexpected(set.error());
    auto set =
        family == Family::v4 ? set_v4(fd.get(), place, link, where) : set_v6(fd.get(), place, link, where);
    if (!set) return std::unexpected(set.error());
    enlarge(fd.get());
    if (!attach_filter(fd.get(), place.cluster, true))
        return std::unexpected(errno_error(errno, where + ": filtering"));
    const auto name = to_socket(group);
    if (::bind(fd.get(), name.get(), name.size) != 0)
        return std::unexpected(errno_error(errno, where + ": binding"));
    if (auto joined = join(fd.get(), group, link, where); !joined) return std::unexpected(joined.error());
    return std::make_unique<DatagramSocket>(std::move(fd), link.index);
}

Result<std::unique_ptr<DatagramSocket>> open_unicast(Family family, std::uint16_t port) {
    const auto where = fmt::format("UDP port {} ({})", port, name_of(family));
    auto fd = make(family, SOCK_DGRAM);
    if (!fd && errno == EAFNOSUPPORT)
        return fail(Errc::not_supported, where, "this machine has no such addresses");
    if (!fd) return std::unexpected(errno_error(errno, where));
    Options options(fd.get());
    if (family == Family::v6)
        options.set(IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPv6 alone")
            .set(IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0, "hearing no group")
            .set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "asking where packets come in");
    else
        options.set(IPPROTO_IP, IP_MULTICAST_ALL, 0, "hearing no group")
            .set(IPPROTO_IP, IP_MTU_DISCOVER, static_cast<int>(IP_PMTUDISC_WANT), "not fragmenting")
            .set(IPPROTO_IP, IP_PKTINFO, 1, "asking where packets come in");
    if (auto set = options.status(where); !set) return std::unexpected(set.error());
    enlarge(fd.get());
    if (!attach_filter(fd.get(), 0, false)) return std::unexpected(errno_error(errno, where + ": filtering"));
    Address any;
    if (family == Family::v4) any.ip[10] = any.ip[11] = 0xff;
    any.port = port;
    const auto name = to_socket(any);
    if (::bind(fd.get(), name.get(), name.size) != 0) {
        if (errno == EADDRINUSE)
            return fail(Errc::held_by_other, where + " is taken by another program",
                        "end it, or set another port = in [cluster] on every node");
        if (errno == EADDRNOTAVAIL)
            return fail(Errc::not_supported, where, "this machine has no such addresses");
        return std::unexpected(errno_error(errno, where));
    }
    return std::make_unique<DatagramSocket>(std::move(fd), 0);
}

} // namespace schedd::net
