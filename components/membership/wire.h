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
    major,     // of a member with another major version, which is told about as incompatible
    truncated, // not as long as it says, or shorter than it must be
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

/// The clear part alone, and nothing of it is believed yet. `datagram` may be anything. Fails with magic or
/// truncated. Header and sealing are alike in all major versions, so that one that is not read can be
/// believed.
[[nodiscard]] Read<Header> read_header(Bytes datagram);
/// `body` has been authenticated with `header`. The message refers to it. Fails with major, truncated,
/// malformed.
[[nodiscard]] Read<Message> read_body(const Header& header, Bytes body);

/// Writes 24 bytes; `length` is of everything that follows it, sealed.
void write_header(const Header& header, std::size_t length, Space out);
/// How much was written, and how many of the loads and sources are in it or will never be.
struct Written {
    std::size_t size = 0;
    std::size_t loads = 0;
    std::size_t sources = 0;
};
/// Writes core and parts. What does not fit into `out` is left out, row by row from the end: sources, then
/// addresses, loads; texts are cut and numbers out of range left out, so that what is written can be read.
/// REQUIRES: seq, period and state of the core are sound; out has room for the core (56 bytes; in
/// 514 all fits but delta, loads, addresses and sources).
[[nodiscard]] Written write_body(const Draft& draft, Space out);

} // namespace schedd::membership::wire
