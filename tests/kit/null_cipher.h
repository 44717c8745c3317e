// NullCipher: a cipher that hides nothing and yet refuses what was changed; for tests and simulations.
#pragma once

#include <algorithm>
#include <set>

#include "components/membership/cipher.h"

namespace schedd::test {

/// Sealed is 24 bytes of nonce (zero), the body as it is, and 16 bytes that depend on key, clear part and
/// body.
class NullCipher final : public membership::Cipher {
public:
    explicit NullCipher(std::uint8_t active = 1) : active_(active), keys_{active} {}
    static constexpr std::size_t kNonce = 24;
    static constexpr std::size_t kTag = 16;

    /// As an administrator rotates keys.
    void add(std::uint8_t key) { keys_.insert(key); }
    void activate(std::uint8_t key) { active_ = key; }
    void remove(std::uint8_t key) { keys_.erase(key); }

    [[nodiscard]] std::size_t overhead() const override { return kNonce + kTag; }
    [[nodiscard]] std::uint8_t active() const override { return active_; }
    [[nodiscard]] bool knows(std::uint8_t key) const override { return keys_.contains(key); }
    [[nodiscard]] std::uint64_t fingerprint() const override {
        std::uint64_t print = 0;
        for (const auto key : keys_) print = print * 1000 + key;
        return print;
    }
    std::size_t seal(std::uint8_t key, membership::Bytes clear, membership::Bytes body,
                     membership::Space out) override {
        std::ranges::fill(out.first(kNonce), std::byte{0});
        std::ranges::copy(body, out.subspan(kNonce).begin());
        put_tag(tag_of(key, clear, body), out.subspan(kNonce + body.size(), kTag));
        return body.size() + overhead();
    }
    [[nodiscard]] std::optional<std::size_t> open(std::uint8_t key, membership::Bytes clear,
                                                  membership::Bytes sealed,
                                                  membership::Space out) const override {
        if (sealed.size() < overhead()) return std::nullopt;
        const auto body = sealed.subspan(kNonce, sealed.size() - overhead());
        std::array<std::byte, kTag> tag{};
        put_tag(tag_of(key, clear, body), tag);
        const auto zeros = sealed.first(kNonce);
        if (!std::ranges::equal(tag, sealed.last(kTag)) ||
            !std::ranges::all_of(zeros, [](std::byte byte) { return byte == std::byte{0}; }))
            return std::nullopt;
        std::ranges::copy(body, out.begin());
        return body.size();
    }

private:
    /// FNV-1a, each byte in its place counts.
    static std::uint64_t tag_of(std::uint8_t key, membership::Bytes clear, membership::Bytes body) {
        std::uint64_t hash = 0xcbf29ce484222325U ^ key;
        for (const auto part : {clear, body})
            for (const auto byte : part)
                hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3U;
        return hash;
    }
    static void put_tag(std::uint64_t hash, membership::Space out) {
        for (std::size_t i = 0; i < kTag; ++i) out[i] = static_cast<std::byte>(hash >> (8 * (i % 8)));
    }

    std::uint8_t active_;
    std::set<std::uint8_t> keys_;
};

} // namespace schedd::test
