// Packets as golden files hold them: hexadecimal digits in lines, with comments after '#'.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace schedd::golden {

/// The bytes; none, and a failed test, if there is anything but pairs of digits in it.
std::vector<std::byte> bytes_of_hex(std::string_view text);

} // namespace schedd::golden
