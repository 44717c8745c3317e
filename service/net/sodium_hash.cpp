// Hashes by libsodium.
#include "service/net/sodium_hash.h"

#include <algorithm>

#include <sodium.h>

namespace schedd::net {

using namespace schedd::membership;

namespace {

std::uint64_t first_8(const Digest& digest) {
    std::uint64_t number = 0;
    for (const auto byte : std::span(digest.bytes).first(8)) number = number << 8U | byte;
    return number;
}

} // namespace

Digest SodiumHash::of(Bytes bytes) const {
    Digest digest;
    crypto_generichash(digest.bytes.data(), digest.bytes.size(),
                       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), nullptr, 0);
    return digest;
}

std::uint64_t cluster_id(std::string_view name) {
    return first_8(SodiumHash().of(std::as_bytes(std::span(name))));
}

std::uint64_t ring_fingerprint(std::span<const Key> keys) {
    constexpr std::string_view kContext = "schedd key ring";
    Digest digest;
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, digest.bytes.size());
    const auto add = [&](const auto& bytes) {
        crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    };
    add(kContext);
    for (unsigned id = 1; id <= 255; ++id) {
        const auto key = std::ranges::find(keys, id, &Key::id);
        if (key == keys.end()) continue;
        add(std::array{static_cast<std::uint8_t>(id)});
        add(key->secret);
    }
    crypto_generichash_final(&state, digest.bytes.data(), digest.bytes.size());
    sodium_memzero(&state, sizeof state);
    return std::max<std::uint64_t>(first_8(digest), 1);
}

} // namespace schedd::net
