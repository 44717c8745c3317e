// Wire: datagrams to messages and back, byte for byte as PROTOCOL.md says. Nothing is allocated for what was
// received, and every length is checked against the bytes that are left.
#pragma once

#include <optional>

#include "components/membership/message.h"

namespace schedd::membership::wire {

constexpr std::uint16_t kMagic = 0x5343; // "SC"
constexpr std::uint8_t kMajor = 1;
constexpr std::uint8_t kMinor = 0;
constexpr std::size_t kDatagram = 1200; // fits every link that IPv6 runs on
constexpr std::size_t kHeader = 24;
constexpr std::size_t kCore = 56;

/// Why a datagram was dropped; each is counted.
enum class Drop : std::uint8_t {
    magic,     // none of ours
    major,     // of another major version; the sender is told about as incompatible
    truncated, // shorter than it says, or than it must be
    cluster,   // of another cluster
    key,       // sealed with a key that is not in the ring
    forged,    // the tag is wrong
    malformed, // sealed by a member, and yet not to be read
    replay,    // seen before, or of an earlier life
    skew,      // its clock is too far from ours
    self,      // our own
    rate,      // more than may be looked at
    full,      // no room for another peer
};
constexpr std::size_t kDrops = 12;
std::string_view name_of(Drop reason);

template <class T> using Read = std::expected<T, Drop>;

/// The clear part alone, and nothing of it is believed yet. `datagram` may be anything.
[[nodiscard]] Read<Header> read_header(Bytes datagram);
/// `body` has been authenticated with `header`. The message refers to it.
[[nodiscard]] Read<Message> read_body(const Header& header, Bytes body);

/// Writes 24 bytes; `length` is of everything that follows it, sealed.
void write_header(const Header& header, std::size_t length, Space out);
/// Writes core and parts. What does not fit into `out` is left out, from the end of the list: sources, then
/// addresses, loads; returns the size. REQUIRES: out has room for the core and the scalar parts (256 bytes).
[[nodiscard]] std::size_t write_body(const Draft& draft, Space out);

} // namespace schedd::membership::wire
