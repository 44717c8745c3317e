// SecretStream: frames of a synchronisation over TCP, sealed with a key that both ends make from the
// cluster's; only bytes here, no socket.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <sodium/crypto_secretstream_xchacha20poly1305.h>

#include "components/kit/result.h"
#include "components/membership/cipher.h"
#include "components/membership/ids.h"
#include "components/membership/limits.h"

namespace schedd::net {

using namespace schedd::kit;
using membership::Bytes;
using membership::NodeUid;

/// The ring, for those who need a key itself and not only what it seals.
class KeySource {
public:
    virtual ~KeySource() = default;
    [[nodiscard]] virtual std::uint8_t active_key() const = 0;
    /// 32 bytes, or none if there is no key of that number.
    [[nodiscard]] virtual std::optional<std::span<const std::byte, 32>> key(std::uint8_t id) const = 0;
};

/// What each end says first, in clear: 56 bytes, bound into the session's keys.
///   magic "SCSY" 4 | major 1 | key 1 | zero 2 | cluster 8 | sender 8 | nonce 32, all big-endian
constexpr std::size_t kHello = 56;
constexpr std::size_t kStreamHeader = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr std::size_t kFrameOverhead = 4 + crypto_secretstream_xchacha20poly1305_ABYTES;

class SecretStream {
public:
    enum class End : std::uint8_t { caller, called };
    /// The caller uses the ring's active key; the called one the caller's.
    SecretStream(End end, std::uint64_t cluster, NodeUid self, const KeySource& keys);
    ~SecretStream();
    SecretStream(const SecretStream&) = delete;
    SecretStream& operator=(const SecretStream&) = delete;

    /// What to send before anything else; the called end has it once it has taken the other's hello.
    /// Then follows begin().
    [[nodiscard]] Bytes hello() const { return hello_; }
    /// `other` is exactly kHello bytes. Fails with invalid_value (no hello of ours, another major version,
    /// another cluster, itself), no_such_object (a key that is not in the ring).
    Status take_hello(Bytes other);
    /// kStreamHeader bytes to send before the first frame. REQUIRES: take_hello() has succeeded.
    std::array<std::byte, kStreamHeader> begin();
    /// The other's stream header. Fails with invalid_value.
    Status take_begin(Bytes header);

    /// length u32 of what follows | sealed. `is_last`: no frame comes after it. REQUIRES: begin() was called,
    /// and at most limits::kFrame bytes.
    void seal(Bytes frame, bool is_last, std::vector<std::byte>& out);
    struct Frame {
        std::vector<std::byte> bytes;
        bool is_last = false;
    };
    /// What follows the length. Fails with denied: forged, damaged, out of order, or of another key.
    Result<Frame> open(Bytes sealed);

    /// Whom the other end says to be; believed once open() has succeeded.
    [[nodiscard]] NodeUid other() const { return other_; }

private:
    using Key = std::array<unsigned char, crypto_secretstream_xchacha20poly1305_KEYBYTES>;
    Status derive(std::uint8_t key_id);
    void write_hello(std::uint8_t key_id);

    End end_;
    std::uint64_t cluster_;
    NodeUid self_;
    const KeySource& keys_;
    std::array<std::byte, kHello> hello_{};
    std::array<std::byte, kHello> others_hello_{};
    NodeUid other_{};
    Key out_key_{}, in_key_{};
    crypto_secretstream_xchacha20poly1305_state out_{}, in_{};
};

} // namespace schedd::net
