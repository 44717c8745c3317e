// Octets: big-endian numbers and bytes written to and read from the formats of the replicated configuration.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "components/membership/cipher.h"

namespace schedd::membership {

using Octets = std::vector<std::byte>;

template <std::unsigned_integral T> void put(Octets& out, T value) {
    for (std::size_t i = sizeof(T); i-- > 0;)
        out.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * i)));
}

inline void put_bytes(Octets& out, Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

inline Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

/// Reads from the front. After the first read beyond the end all further ones give 0 or nothing, and
/// has_failed().
class OctetReader {
public:
    explicit OctetReader(Bytes bytes) : rest_(bytes) {}
    template <std::unsigned_integral T> T number() {
        const auto bytes = take(sizeof(T));
        std::uint64_t value = 0;
        for (const auto byte : bytes) value = value << 8U | std::to_integer<std::uint64_t>(byte);
        return static_cast<T>(value);
    }
    Bytes take(std::size_t length) {
        if (length > rest_.size() || has_failed_) {
            has_failed_ = true;
            return {};
        }
        const auto bytes = rest_.first(length);
        rest_ = rest_.subspan(length);
        return bytes;
    }
    std::string text(std::size_t length) {
        const auto bytes = take(length);
        std::string out(bytes.size(), '\0');
        for (std::size_t i = 0; i < bytes.size(); ++i) out[i] = static_cast<char>(bytes[i]);
        return out;
    }
    [[nodiscard]] std::size_t left() const { return rest_.size(); }
    [[nodiscard]] bool has_failed() const { return has_failed_; }

private:
    Bytes rest_;
    bool has_failed_ = false;
};

} // namespace schedd::membership
