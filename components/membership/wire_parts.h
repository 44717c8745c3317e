// The parts that may follow the core of a datagram: their numbers on the wire, and what texts in them may be.
#pragma once

#include <cstdint>
#include <string_view>

namespace schedd::membership::wire {

/// A number once given is never used for anything else; PROTOCOL.md has the table.
enum class Part : std::uint16_t {
    loads = 1,
    sources = 2,
    name = 3,
    number = 4,
    addresses = 5,
    features = 6,
    ring = 7,
    heard = 8,
    applied = 9,
    trouble = 10,
    suspicions = 11,
    nonce = 12,
    target = 13,
    delta = 14,
};
constexpr std::uint16_t kLastPart = 14;

constexpr std::size_t kPartHeader = 4; // type and length
constexpr std::size_t kLoadRow = 6;
constexpr std::size_t kAddressRow = 16;
constexpr std::size_t kSuspicionRow = 20;
constexpr std::size_t kSourceRow = 3; // and the path
constexpr std::size_t kApplied = 28;

constexpr std::int32_t kLastNumber = 65'535; // of a node

/// UTF-8 without control characters, C1 included: it is shown on terminals.
[[nodiscard]] bool is_plain_text(std::string_view text);

} // namespace schedd::membership::wire
