// What a node must know of its earlier lives: how many there were, the number it had, and whom it has met.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "components/membership/node.h"

namespace schedd::net {

using namespace schedd::kit;
using membership::NodeId;
using membership::NodeUid;

/// The file cluster.boot.
struct Lives {
    std::uint32_t counter = 0; // of this life
    std::uint64_t stamp = 0;   // Hlc::bits of the last one that was written
    std::optional<NodeId> number;
    bool is_draining = false;
    bool operator==(const Lives&) const = default;
};

std::string text_of(const Lives& lives);
/// Fails with invalid_value, naming the line.
Result<Lives> parse_lives(std::string_view text);

/// Reads the file in `directory` ("": there is none), counts one more life, and writes it. What is wrong is
/// added to `troubles`; the counter is then 0 if it could not be read, and the node lives on all the same:
/// a random number tells the lives apart. A file that is damaged is set aside.
Lives begin_life(const std::string& directory, std::vector<Error>& troubles);
/// Once the number is had, and now and then for the stamp. Fails with denied or io.
Status write_lives(const std::string& directory, const Lives& lives);

using Remembered = membership::Node::Remembered;
std::string text_of(std::span<const Remembered> peers);
/// Lines that cannot be read are left out; their count goes to `unreadable`.
std::vector<Remembered> parse_peers(std::string_view text, std::size_t& unreadable);
/// The file cluster.peers.
std::vector<Remembered> read_peers(const std::string& directory, std::vector<Error>& troubles);
Status write_peers(const std::string& directory, std::span<const Remembered> peers);

} // namespace schedd::net
