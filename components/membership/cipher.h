// Cipher: authenticated encryption with a ring of keys, as the packets need it; libsodium's is in
// service/net.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "components/kit/result.h"

namespace schedd::membership {

using Bytes = std::span<const std::byte>;
using Space = std::span<std::byte>;

/// Keys have numbers 1 to 255. One is active: what is sent is sealed with it; all in the ring are accepted.
class Cipher {
public:
    virtual ~Cipher() = default;
    /// Bytes that sealing adds: nonce and tag.
    [[nodiscard]] virtual std::size_t overhead() const = 0;
    [[nodiscard]] virtual std::uint8_t active() const = 0;
    [[nodiscard]] virtual bool knows(std::uint8_t key) const = 0;
    /// Of all keys in the ring and their numbers, so that nodes can see whether theirs are the same.
    [[nodiscard]] virtual std::uint64_t fingerprint() const = 0;
    /// nonce | ciphertext | tag into `out`, which has room for body + overhead(). Returns the size.
    /// REQUIRES: knows(key). `clear` is authenticated with it.
    virtual std::size_t seal(std::uint8_t key, Bytes clear, Bytes body, Space out) = 0;
    /// The body's size, or none if it is forged, damaged, or of another key. `out` has room for the body.
    [[nodiscard]] virtual std::optional<std::size_t> open(std::uint8_t key, Bytes clear, Bytes sealed,
                                                          Space out) const = 0;
};

} // namespace schedd::membership
