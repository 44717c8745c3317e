// Packets sealed and opened by libsodium.
#include "service/net/sodium_cipher.h"

#include <algorithm>
#include <new>

#include <sodium.h>

#include "service/net/sodium_hash.h"

namespace schedd::net {

using namespace schedd::membership;

namespace {

constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kKeyBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const unsigned char* raw(Bytes bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* raw(Space space) { return reinterpret_cast<unsigned char*>(space.data()); }

} // namespace

void SodiumCipher::Free::operator()(Secrets* secrets) const { sodium_free(secrets); }

Result<std::unique_ptr<SodiumCipher>> SodiumCipher::make() {
    if (sodium_init() < 0)
        return fail(Errc::not_supported, "libsodium cannot be used", "it finds no random numbers");
    auto* memory = sodium_malloc(sizeof(Secrets));
    if (!memory) return fail(Errc::limit_exceeded, "there is no memory for keys");
    Guarded secrets(new (memory) Secrets);
    sodium_mprotect_readonly(memory);
    return std::unique_ptr<SodiumCipher>(new SodiumCipher(std::move(secrets)));
}

Status SodiumCipher::replace(std::span<const Key> keys) {
    std::bitset<256> known;
    for (const auto& key : keys) known.set(key.id);
    const auto active = std::ranges::find(keys, true, &Key::is_active);
    if (keys.empty() || known.test(0) || known.count() != keys.size() || active == keys.end() ||
        std::ranges::count(keys, true, &Key::is_active) != 1)
        return fail(Errc::invalid_value, "these keys are no ring",
                    "numbers from 1 to 255, each once, one of them active");
    sodium_mprotect_readwrite(secrets_.get());
    sodium_memzero(secrets_.get(), sizeof(Secrets));
    for (const auto& key : keys) secrets_->of[key.id] = key.secret;
    sodium_mprotect_readonly(secrets_.get());
    known_ = known;
    active_ = active->id;
    fingerprint_ = ring_fingerprint(keys);
    return {};
}

std::span<const std::byte, kKeyBytes> SodiumCipher::secret(std::uint8_t key) const {
    return secrets_->of[key];
}

std::size_t SodiumCipher::overhead() const { return kNonce + kTag; }

std::size_t SodiumCipher::seal(std::uint8_t key, Bytes clear, Bytes body, Space out) {
    const auto nonce = out.first(kNonce);
    randombytes_buf(nonce.data(), nonce.size());
    crypto_aead_xchacha20poly1305_ietf_encrypt(raw(out.subspan(kNonce)), nullptr, raw(body), body.size(),
                                               raw(clear), clear.size(), nullptr, raw(nonce),
                                               raw(secret(key)));
    return kNonce + body.size() + kTag;
}

std::optional<std::size_t> SodiumCipher::open(std::uint8_t key, Bytes clear, Bytes sealed, Space out) const {
    if (!knows(key) || sealed.size() < kNonce + kTag) return std::nullopt;
    const auto size = sealed.size() - kNonce - kTag;
    if (size > out.size()) return std::nullopt;
    const auto rest = sealed.subspan(kNonce);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(raw(out), nullptr, nullptr, raw(rest), rest.size(),
                                                   raw(clear), clear.size(), raw(sealed.first(kNonce)),
                                                   raw(secret(key))) != 0)
        return std::nullopt;
    return size;
}

} // namespace schedd::net
