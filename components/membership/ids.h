// What a node is called in packets: its identity, its life, where it can be reached, and stamps of time.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include "components/kit/result.h"
#include "components/model/value.h"

namespace schedd::membership {

using namespace schedd::kit;
/// The number that node sets speak of ("0-2,5"): given in the configuration, or the lowest that is free.
using model::NodeId;

/// Eight bytes of the application-specific machine id: who it is, for ever. 0 is nobody.
enum class NodeUid : std::uint64_t {};
constexpr NodeUid kNobody{};
/// As 16 hexadecimal digits.
std::string text_of(NodeUid uid);

/// One life of a node. `counter` grows by one at every start, as long as the state directory is kept;
/// `random` tells two machines apart that were made from one image.
struct Boot {
    std::uint32_t counter = 0;
    std::uint32_t random = 0;
    auto operator<=>(const Boot&) const = default;
};

/// Where a datagram came from and can be answered to. IPv4 as ::ffff:a.b.c.d; `interface` is the index of the
/// local one for link-local addresses and groups, 0 = any.
struct Address {
    std::array<std::uint8_t, 16> ip{};
    std::uint16_t port = 0;
    std::uint32_t interface = 0;
    bool operator==(const Address&) const = default;
    [[nodiscard]] bool is_v4() const;
};
/// "10.0.0.1:7420", "[fe80::1%3]:7420".
std::string text_of(const Address& address);

/// Hybrid logical clock (Kulkarni, Demirbas, Madappa, Avva, Leone: Logical Physical Clocks, OPODIS 2014):
/// 48 bits of wall-clock milliseconds, 16 bits of counter. Ordered as a number.
struct Hlc {
    std::uint64_t bits = 0;
    static constexpr Hlc of(std::uint64_t wall_ms, std::uint16_t counter) {
        return {(wall_ms << 16U) | counter};
    }
    [[nodiscard]] constexpr std::uint64_t wall_ms() const { return bits >> 16U; }
    [[nodiscard]] constexpr std::uint16_t counter() const { return static_cast<std::uint16_t>(bits); }
    auto operator<=>(const Hlc&) const = default;
};

/// Of a whole configuration: equal if and only if (but for chance, 2^-128) the entries are.
struct Digest {
    std::array<std::uint8_t, 16> bytes{};
    bool operator==(const Digest&) const = default;
};
/// The first eight hexadecimal digits, as people compare them.
std::string short_text(const Digest& digest);

} // namespace schedd::membership
