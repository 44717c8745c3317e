// A packet of every type with everything that belongs into it, as the tests of the wire compare them.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "components/membership/wire.h"

namespace schedd::test {

/// A draft and what its spans refer to.
struct Packet {
    std::string name; // of the type, as the golden files are called
    membership::Draft draft;
};

/// One of each type; `heartbeat` has every part that a heartbeat may have. What they refer to lives as long
/// as the program.
const std::vector<Packet>& packets();
const Packet& packet(membership::Type type);

/// Header (with the length that it has when sealed with 40 bytes more) and body, unsealed.
struct Clear {
    std::vector<std::byte> header;
    std::vector<std::byte> body;
};
Clear clear_of(const membership::Draft& draft);

/// A body with one more part.
std::vector<std::byte> with_part(std::vector<std::byte> body, std::uint16_t part, std::string_view bytes);

template <class T> std::vector<T> rows_of(const membership::Rows<T>& rows) {
    std::vector<T> all;
    rows.each([&](const T& row) { all.push_back(row); });
    return all;
}

/// What of a message is not as it was drafted, by name; empty if all is.
std::string difference(const membership::Message& message, const membership::Draft& draft);

} // namespace schedd::test
