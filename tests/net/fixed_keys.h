// FixedKeys: a key ring for tests of the sealed streams; the first key is active.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "service/net/secret_stream.h"

namespace schedd::net::test {

class FixedKeys final : public KeySource {
public:
    /// (number, what its 32 bytes are).
    FixedKeys(std::initializer_list<std::pair<std::uint8_t, char>> keys) {
        for (const auto& [id, content] : keys) {
            keys_.emplace_back(id, std::array<std::byte, 32>{});
            keys_.back().second.fill(static_cast<std::byte>(content));
        }
    }
    [[nodiscard]] std::uint8_t active_key() const override { return keys_.front().first; }
    [[nodiscard]] std::optional<std::span<const std::byte, 32>> key(std::uint8_t id) const override {
        for (const auto& [number, bytes] : keys_)
            if (number == id) return std::span<const std::byte, 32>(bytes);
        return std::nullopt;
    }

private:
    std::vector<std::pair<std::uint8_t, std::array<std::byte, 32>>> keys_;
};

} // namespace schedd::net::test
