// Reading packets from golden files.
#include "tests/golden/hex.h"

#include <charconv>

#include <gtest/gtest.h>

namespace schedd::golden {

std::vector<std::byte> bytes_of_hex(std::string_view text) {
    std::vector<std::byte> bytes;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        auto digits = line.substr(0, line.find('#'));
        digits = digits.substr(0, digits.find_last_not_of(' ') + 1);
        for (; !digits.empty(); digits.remove_prefix(std::min<std::size_t>(2, digits.size()))) {
            unsigned value = 0;
            const auto* end = digits.data() + std::min<std::size_t>(2, digits.size());
            const auto read = std::from_chars(digits.data(), end, value, 16);
            if (read.ptr != digits.data() + 2 || read.ec != std::errc()) {
                ADD_FAILURE() << "no pair of hexadecimal digits: " << digits;
                return {};
            }
            bytes.push_back(static_cast<std::byte>(value));
        }
    }
    return bytes;
}

} // namespace schedd::golden
