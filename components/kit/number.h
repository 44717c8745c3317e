// Strict numbers from text: decimal or 0x, nothing before, nothing after, no silent wrap.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace schedd::kit {

/// "100", "0x64" -> 100; "", "-1", "+1", "1x", "1 ", "99999999999999999999" -> none.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);

/// As above with an optional leading '-'; the range is that of int64.
std::optional<std::int64_t> parse_integer(std::string_view text);

} // namespace schedd::kit
