// DatagramSocket: one UDP socket that never blocks; many datagrams are read with one call, and what the
// kernel had to drop is noticed.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "components/membership/cipher.h"
#include "service/net/addresses.h"

namespace schedd::net {

using membership::Bytes;

/// A descriptor that is closed with its owner.
class Descriptor {
public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept;
    Descriptor& operator=(Descriptor&& other) noexcept;
    [[nodiscard]] int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

private:
    int fd_;
};

struct Datagram {
    Bytes bytes;
    Address from;
    int hops = -1; // TTL or hop limit that was left; -1: not told
};

struct SocketCounts {
    std::uint64_t received = 0, received_bytes = 0, sent = 0, sent_bytes = 0;
    std::uint64_t unsent = 0;       // the kernel refused to send
    std::uint64_t too_long = 0;     // longer than any datagram of ours
    std::uint64_t wrong_hops = 0;   // came from farther away than groups reach
    std::uint64_t overflows = 0;    // times that the receive buffer was found too full, with losses
    std::uint64_t kernel_drops = 0; // by the filter, or for want of room
    SocketCounts& operator+=(const SocketCounts& other);
};

constexpr int kSocketBuffer = 1 << 20;      // a thousand peers that speak at once
constexpr std::size_t kLongest = 1472;      // more than any datagram of ours; what is longer is dropped
constexpr std::size_t kReadAtOnce = 32;     // datagrams by one call
constexpr std::size_t kReadPerRound = 2048; // by one read(); the rest waits for the next turn

/// Where datagrams are read into; one for all sockets.
class ReadBuffer {
public:
    ReadBuffer();
    ~ReadBuffer();

private:
    friend class DatagramSocket;
    struct Slots;
    std::unique_ptr<Slots> slots_;
};

class DatagramSocket {
public:
    /// Takes `fd`, made and bound by others.
    DatagramSocket(Descriptor fd, std::uint32_t interface) : fd_(std::move(fd)), interface_(interface) {}

    [[nodiscard]] int fd() const { return fd_.get(); }
    /// Whether another socket that asks for it may be bound to the same port from now on.
    Status share_port(bool is_shared);
    /// False if the kernel refused; last_error() says why, and it is counted.
    bool send(const Address& to, Bytes bytes);
    /// Hands over what waits; true if datagrams have been lost since the last time for want of room.
    bool read(ReadBuffer& buffer, const std::function<void(const Datagram&)>& take);

    [[nodiscard]] const SocketCounts& counts() const { return counts_; }
    SocketCounts& counts() { return counts_; }
    /// errno of the last send that failed; 0 after one that did not.
    [[nodiscard]] int last_error() const { return last_error_; }

private:
    [[nodiscard]] bool has_overflowed();

    Descriptor fd_;
    std::uint32_t interface_; // 0: all
    SocketCounts counts_;
    int last_error_ = 0;
};

} // namespace schedd::net
