// libsodium's secretstream, with session keys by BLAKE2b from the cluster's key and both hellos.
#include "service/net/secret_stream.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <fmt/format.h>
#include <sodium/crypto_generichash.h>
#include <sodium/randombytes.h>
#include <sodium/utils.h>

namespace schedd::net {

namespace {

constexpr std::string_view kMagic = "SCSY";
constexpr std::uint8_t kMajor = 1;
constexpr std::size_t kKeyAt = 5;
constexpr std::size_t kClusterAt = 8;
constexpr std::size_t kSenderAt = 16;
constexpr std::size_t kNonceAt = 24;
constexpr std::string_view kPurpose = "schedd synchronisation 1";

unsigned char* raw(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }
const unsigned char* raw(const std::byte* bytes) { return reinterpret_cast<const unsigned char*>(bytes); }

void put(std::span<std::byte> out, std::uint64_t number) {
    for (std::size_t i = out.size(); i-- > 0; number >>= 8U) out[i] = static_cast<std::byte>(number);
}

std::uint64_t get(Bytes bytes) {
    std::uint64_t number = 0;
    for (const auto byte : bytes) number = (number << 8U) | std::to_integer<std::uint64_t>(byte);
    return number;
}

} // namespace

SecretStream::SecretStream(End end, std::uint64_t cluster, NodeUid self, const KeySource& keys)
    : end_(end), cluster_(cluster), self_(self), keys_(keys) {
    randombytes_buf(hello_.data() + kNonceAt, kHello - kNonceAt);
    if (end_ == End::caller) write_hello(keys_.active_key());
}

SecretStream::~SecretStream() {
    sodium_memzero(out_key_.data(), out_key_.size());
    sodium_memzero(in_key_.data(), in_key_.size());
    sodium_memzero(&out_, sizeof out_);
    sodium_memzero(&in_, sizeof in_);
}

void SecretStream::write_hello(std::uint8_t key_id) {
    std::memcpy(hello_.data(), kMagic.data(), kMagic.size());
    hello_[4] = std::byte{kMajor};
    hello_[kKeyAt] = std::byte{key_id};
    put(std::span(hello_).subspan(kClusterAt, 8), cluster_);
    put(std::span(hello_).subspan(kSenderAt, 8), static_cast<std::uint64_t>(self_));
}

Status SecretStream::take_hello(Bytes other) {
    if (other.size() != kHello || std::memcmp(other.data(), kMagic.data(), kMagic.size()) != 0)
        return fail(Errc::invalid_value, "what calls does not speak schedd's protocol");
    if (std::to_integer<unsigned>(other[4]) != kMajor)
        return fail(Errc::invalid_value,
                    fmt::format("synchronisation of major version {}", std::to_integer<unsigned>(other[4])),
                    fmt::format("this program speaks version {}", kMajor));
    if (get(other.subspan(kClusterAt, 8)) != cluster_)
        return fail(Errc::invalid_value, "it belongs to another cluster");
    other_ = NodeUid{get(other.subspan(kSenderAt, 8))};
    if (other_ == self_) return fail(Errc::invalid_value, "it has this node's own identity");
    std::copy(other.begin(), other.end(), others_hello_.begin());
    const auto key_id = std::to_integer<std::uint8_t>(other[kKeyAt]);
    if (end_ == End::called) write_hello(key_id);
    else if (std::byte{key_id} != hello_[kKeyAt])
        return fail(Errc::invalid_value, "it answers with another key than it was called with");
    return derive(key_id);
}

Status SecretStream::derive(std::uint8_t key_id) {
    const auto key = keys_.key(key_id);
    if (!key) return fail(Errc::no_such_object, fmt::format("key {} is not in the ring", key_id));
    const auto& calling = end_ == End::caller ? hello_ : others_hello_;
    const auto& called = end_ == End::caller ? others_hello_ : hello_;
    // a key for each direction: what one end has said cannot be said back to it
    for (const auto direction : {End::caller, End::called}) {
        crypto_generichash_state state;
        auto& made = direction == end_ ? out_key_ : in_key_;
        const unsigned char way = direction == End::caller ? 'c' : 's';
        crypto_generichash_init(&state, raw(key->data()), key->size(), made.size());
        crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(kPurpose.data()),
                                  kPurpose.size());
        crypto_generichash_update(&state, &way, 1);
        crypto_generichash_update(&state, raw(calling.data()), calling.size());
        crypto_generichash_update(&state, raw(called.data()), called.size());
        crypto_generichash_final(&state, made.data(), made.size());
        sodium_memzero(&state, sizeof state);
    }
    return {};
}

std::array<std::byte, kStreamHeader> SecretStream::begin() {
    std::array<std::byte, kStreamHeader> header{};
    crypto_secretstream_xchacha20poly1305_init_push(&out_, raw(header.data()), out_key_.data());
    return header;
}

Status SecretStream::take_begin(Bytes header) {
    if (header.size() == kStreamHeader &&
        crypto_secretstream_xchacha20poly1305_init_pull(&in_, raw(header.data()), in_key_.data()) == 0)
        return {};
    return fail(Errc::invalid_value, "the stream does not begin as it must");
}

void SecretStream::seal(Bytes frame, bool is_last, std::vector<std::byte>& out) {
    const auto size = frame.size() + crypto_secretstream_xchacha20poly1305_ABYTES;
    const auto at = out.size();
    out.resize(at + 4 + size);
    put(std::span(out).subspan(at, 4), size);
    const unsigned char tag = is_last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                                      : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    crypto_secretstream_xchacha20poly1305_push(&out_, raw(out.data() + at + 4), nullptr, raw(frame.data()),
                                               frame.size(), nullptr, 0, tag);
}

Result<SecretStream::Frame> SecretStream::open(Bytes sealed) {
    if (sealed.size() < crypto_secretstream_xchacha20poly1305_ABYTES)
        return fail(Errc::invalid_value, "a frame is too short");
    Frame frame;
    frame.bytes.resize(sealed.size() - crypto_secretstream_xchacha20poly1305_ABYTES);
    unsigned char tag = 0;
    if (crypto_secretstream_xchacha20poly1305_pull(&in_, raw(frame.bytes.data()), nullptr, &tag,
                                                   raw(sealed.data()), sealed.size(), nullptr, 0) != 0)
        return fail(Errc::denied, "a frame is forged, damaged, or sealed with another key");
    frame.is_last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    return frame;
}

} // namespace schedd::net
