// SodiumCipher: XChaCha20-Poly1305 by libsodium with a ring of keys that never reach a swap device.
#pragma once

#include <array>
#include <bitset>
#include <memory>
#include <span>

#include "components/membership/cipher.h"
#include "components/membership/key_text.h"

namespace schedd::net {

using namespace schedd::kit;

/// Sealed is 24 random bytes of nonce, the ciphertext, 16 bytes of tag. Random nonces of 192 bits hold also
/// for two machines made from one image. Nothing is allocated per packet.
class SodiumCipher final : public membership::Cipher {
public:
    /// Without keys: knows none and must not seal. Fails with not_supported (no random numbers here) or
    /// limit_exceeded (no memory).
    static Result<std::unique_ptr<SodiumCipher>> make();

    /// In place of all that it had. Fails with invalid_value, and nothing changes, unless the keys are such
    /// as membership::parse_keys() gives.
    Status replace(std::span<const membership::Key> keys);
    /// The key itself, for what is encrypted in other ways (streams). REQUIRES: knows(key).
    [[nodiscard]] std::span<const std::byte, membership::kKeyBytes> secret(std::uint8_t key) const;

    [[nodiscard]] std::size_t overhead() const override;
    [[nodiscard]] std::uint8_t active() const override { return active_; }
    [[nodiscard]] bool knows(std::uint8_t key) const override { return known_.test(key); }
    [[nodiscard]] std::uint64_t fingerprint() const override { return fingerprint_; }
    std::size_t seal(std::uint8_t key, membership::Bytes clear, membership::Bytes body,
                     membership::Space out) override;
    [[nodiscard]] std::optional<std::size_t> open(std::uint8_t key, membership::Bytes clear,
                                                  membership::Bytes sealed,
                                                  membership::Space out) const override;

private:
    struct Secrets {
        std::array<membership::Secret, 256> of{};
    };
    /// Guarded and locked memory (sodium_malloc), which is wiped when it is freed.
    struct Free {
        void operator()(Secrets* secrets) const;
    };
    using Guarded = std::unique_ptr<Secrets, Free>;
    explicit SodiumCipher(Guarded secrets) : secrets_(std::move(secrets)) {}

    Guarded secrets_;
    std::bitset<256> known_;
    std::uint8_t active_ = 0;
    std::uint64_t fingerprint_ = 0;
};

} // namespace schedd::net
