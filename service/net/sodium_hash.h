// SodiumHash: BLAKE2b by libsodium, and the two short names that are made with it.
#pragma once

#include <span>
#include <string_view>

#include "components/membership/hash.h"
#include "components/membership/key_text.h"

namespace schedd::net {

/// BLAKE2b with 16 bytes of output and no key.
class SodiumHash final : public membership::Hash {
public:
    [[nodiscard]] membership::Digest of(membership::Bytes bytes) const override;
};

/// What a cluster's name is in packets: the first 8 of the 16 bytes, as a number in network order.
[[nodiscard]] std::uint64_t cluster_id(std::string_view name);

/// Of the numbers and secrets of all keys, by number; which one is active makes no difference. Never 0.
[[nodiscard]] std::uint64_t ring_fingerprint(std::span<const membership::Key> keys);

} // namespace schedd::net
