// recvmmsg and what comes with it.
#include "service/net/datagram_socket.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <linux/sock_diag.h>
#include <sys/uio.h>
#include <unistd.h>

#include "components/kit/errno_error.h"

namespace schedd::net {

namespace {

struct Told {
    int hops = -1;
    std::uint32_t interface = 0;
};

template <class T> T content_of(const cmsghdr* control) {
    T content{};
    if (control->cmsg_len >= CMSG_LEN(sizeof content))
        std::memcpy(&content, CMSG_DATA(control), sizeof content);
    return content;
}

Told told_by(msghdr& header) {
    Told told;
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) told.hops = content_of<int>(c);
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT) told.hops = content_of<int>(c);
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
            told.interface = static_cast<std::uint32_t>(content_of<in_pktinfo>(c).ipi_ifindex);
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
            told.interface = content_of<in6_pktinfo>(c).ipi6_ifindex;
    }
    return told;
}

} // namespace

Descriptor::~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

Descriptor::Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

SocketCounts& SocketCounts::operator+=(const SocketCounts& other) {
    received += other.received;
    received_bytes += other.received_bytes;
    sent += other.sent;
    sent_bytes += other.sent_bytes;
    unsent += other.unsent;
    too_long += other.too_long;
    wrong_hops += other.wrong_hops;
    overflows += other.overflows;
    kernel_drops += other.kernel_drops;
    return *this;
}

struct ReadBuffer::Slots {
    std::array<mmsghdr, kReadAtOnce> headers{};
    std::array<iovec, kReadAtOnce> places{};
    std::array<sockaddr_storage, kReadAtOnce> names{};
    std::array<std::array<std::byte, kLongest>, kReadAtOnce> bytes;
    alignas(cmsghdr) std::array<std::array<char, 128>, kReadAtOnce> controls;

    void reset() {
        for (std::size_t i = 0; i < kReadAtOnce; ++i) {
            places[i] = {bytes[i].data(), bytes[i].size()};
            auto& header = headers[i].msg_hdr;
            header = {};
            header.msg_name = &names[i];
            header.msg_namelen = sizeof names[i];
            header.msg_iov = &places[i];
            header.msg_iovlen = 1;
            header.msg_control = controls[i].data();
            header.msg_controllen = controls[i].size();
        }
    }
};

ReadBuffer::ReadBuffer() : slots_(std::make_unique<Slots>()) {}
ReadBuffer::~ReadBuffer() = default;

Status DatagramSocket::share_port(bool is_shared) {
    const int value = is_shared ? 1 : 0;
    if (::setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &value, sizeof value) == 0) return {};
    return std::unexpected(errno_error(errno, "sharing the port"));
}

bool DatagramSocket::send(const Address& to, Bytes bytes) {
    const auto name = to_socket(to);
    for (;;) {
        const auto sent =
            ::sendto(fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, name.get(), name.size);
        if (sent < 0 && errno == EINTR) continue;
        last_error_ = sent < 0 ? errno : 0;
        if (sent < 0) {
            ++counts_.unsent;
            return false;
        }
        ++counts_.sent;
        counts_.sent_bytes += bytes.size();
        return true;
    }
}

/// The kernel's one counter of drops grows also for what the filter refused; but only a buffer that is full,
/// and nobody else empties it, has lost anything of ours.
bool DatagramSocket::has_overflowed() {
    std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
    socklen_t size = sizeof memory;
    if (::getsockopt(fd(), SOL_SOCKET, SO_MEMINFO, memory.data(), &size) != 0) return false;
    const auto grown = memory[SK_MEMINFO_DROPS] - static_cast<std::uint32_t>(counts_.kernel_drops);
    counts_.kernel_drops += grown;
    const bool is_full = memory[SK_MEMINFO_RMEM_ALLOC] >= memory[SK_MEMINFO_RCVBUF] / 4 * 3;
    if (grown == 0 || !is_full) return false;
    ++counts_.overflows;
    return true;
}

bool DatagramSocket::read(ReadBuffer& buffer, const std::function<void(const Datagram&)>& take) {
    const bool has_lost = has_overflowed();
    auto& slots = *buffer.slots_;
    for (std::size_t seen = 0; seen < kReadPerRound;) {
        slots.reset();
        const int count = ::recvmmsg(fd(), slots.headers.data(), kReadAtOnce, MSG_DONTWAIT, nullptr);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break; // nothing there, or an error that a later packet's path had
        for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
            auto& header = slots.headers[i].msg_hdr;
            const auto size = slots.headers[i].msg_len;
            ++counts_.received;
            counts_.received_bytes += size;
            if ((header.msg_flags & MSG_TRUNC) != 0) {
                ++counts_.too_long;
                continue;
            }
            const auto told = told_by(header);
            // a socket of one interface, and a packet of another: only a kernel without IP_MULTICAST_ALL
            if (interface_ != 0 && told.interface != 0 && told.interface != interface_) continue;
            const auto from = from_socket(slots.names[i], told.interface);
            if (from.port == 0 || is_multicast(from)) continue;
            take({Bytes(slots.bytes[i].data(), size), from, told.hops});
        }
        seen += static_cast<std::size_t>(count);
        if (static_cast<std::size_t>(count) < kReadAtOnce) break;
    }
    return has_lost;
}

} // namespace schedd::net
