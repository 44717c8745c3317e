// Envelope: a draft sealed into a datagram, a datagram opened into a message; what cannot be opened is
// counted.
#pragma once

#include <array>

#include "components/membership/cipher.h"
#include "components/membership/wire.h"

namespace schedd::membership {

/// Keeps 3.6 kB of buffers and allocates nothing; `cipher` outlives it.
class Envelope {
public:
    Envelope(std::uint64_t cluster, NodeUid self, Cipher& cipher)
        : cluster_(cluster), self_(self), cipher_(cipher) {}

    struct Sealed {
        Bytes datagram; // until the next seal()
        std::size_t loads = 0;
        std::size_t sources = 0; // how many of them are in it (wire::Written)
    };
    /// Of the header only type and flags are the caller's. Sealed with the active key.
    /// REQUIRES: seq, period and state of the core are sound.
    Sealed seal(const Draft& draft);

    /// The message refers to this object's memory, until the next open(); seal() may be called meanwhile.
    /// Header, cluster, key, tag, body, in this order, so that the cheapest reason comes first. Of Drop's
    /// reasons it gives all up to `malformed`; major only when the sender is a member. What is refused is
    /// counted.
    [[nodiscard]] wire::Read<Message> open(Bytes datagram);
    /// Of the last open() that found one. To be believed only after a message or Drop::major.
    [[nodiscard]] const Header& header() const { return header_; }

    /// Counts what the caller refuses for reasons of its own.
    void count(wire::Drop reason) { ++dropped_[static_cast<std::size_t>(reason)]; }
    [[nodiscard]] const std::array<std::uint64_t, wire::kDrops>& dropped() const { return dropped_; }

private:
    wire::Read<Message> read(Bytes datagram);

    std::uint64_t cluster_;
    NodeUid self_;
    Cipher& cipher_;
    Header header_;
    std::array<std::byte, wire::kDatagram> draft_{};
    std::array<std::byte, wire::kDatagram> sealed_{};
    std::array<std::byte, wire::kDatagram> opened_{};
    std::array<std::uint64_t, wire::kDrops> dropped_{};
};

} // namespace schedd::membership
