// wire: what a node adds to the cryptography of a heartbeat: sealing, opening, refusing a forged one.
#include <array>
#include <vector>

#include <fmt/format.h>
#include <sodium.h>

#include "components/membership/envelope.h"
#include "service/net/sodium_cipher.h"
#include "tests/bench/bench.h"
#include "tests/bench/interrupt.h"
#include "tests/kit/count_new.h"

namespace schedd::bench {

namespace {

using namespace membership;
using test::allocations_in;
using test::counting_works;

constexpr int kPackets = 20'000;
constexpr Goal kGoal{Goal::Sense::at_most, 1.25};

/// What most heartbeats are: five loads, and the small parts that are in each.
struct Typical {
    std::array<Load, 5> loads{{{1, 1500}, {2, 300}, {3, 4'000'000}, {4, 12}, {5, 0}}};
    Draft draft;
    Typical() {
        draft.core.seq = 1;
        draft.core.state = Announced::alive;
        draft.loads = loads;
        draft.features = 1;
        draft.ring = 1;
        draft.heard = 99;
    }
};

/// The same bytes by the library alone.
struct Bare {
    Bytes datagram; // of which the header is the associated data
    Bytes secret;
    std::vector<unsigned char> out = std::vector<unsigned char>(wire::kDatagram);

    static const unsigned char* raw(Bytes bytes) {
        return reinterpret_cast<const unsigned char*>(bytes.data());
    }
    /// With a random nonce, as it must be.
    void seal(Bytes body) {
        randombytes_buf(out.data(), 24);
        crypto_aead_xchacha20poly1305_ietf_encrypt(out.data() + 24, nullptr, raw(body), body.size(),
                                                   raw(datagram), wire::kHeader, nullptr, out.data(),
                                                   raw(secret));
    }
    bool open(Bytes sealed) {
        return crypto_aead_xchacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, raw(sealed) + 24,
                                                          sealed.size() - 24, raw(datagram), wire::kHeader,
                                                          raw(sealed), raw(secret)) == 0;
    }
};

/// CPU time of one of kPackets calls; none if one of them did not do what it should.
template <class Work> std::optional<double> cost(const Work& work) {
    bool is_right = true;
    const auto before = thread_cpu_ns();
    for (int i = 0; i < kPackets; ++i) is_right = work() && is_right;
    const auto used = static_cast<double>(thread_cpu_ns() - before) / kPackets;
    return is_right ? std::optional(used) : std::nullopt;
}

template <class Ours, class Theirs>
Status compare(Run& run, const std::string& what, const Ours& ours, const Theirs& theirs) {
    Pairs pairs;
    for (int pair = 0; pair < run.repeats(25, 9); ++pair) {
        if (auto going = not_interrupted(); !going) return going;
        const auto a = cost(ours);
        const auto b = cost(theirs);
        if (!a || !b) return fail(Errc::not_applied, what + ": a packet came out wrong");
        pairs.add(*a, *b);
    }
    run.compared(what + ", against libsodium alone", "ns CPU", pairs, kGoal, "same bytes, same key");
    return {};
}

} // namespace

Status wire(Run& run) {
    auto cipher = net::SodiumCipher::make();
    if (!cipher) return std::unexpected(cipher.error());
    Key key{1, true, {}};
    for (std::size_t i = 0; i < key.secret.size(); ++i) key.secret[i] = static_cast<std::byte>(i);
    if (auto taken = (*cipher)->replace(std::span(&key, 1)); !taken) return taken;
    Envelope sender(1, NodeUid{1}, **cipher);
    Envelope receiver(1, NodeUid{2}, **cipher);
    const Typical typical;
    const auto sealed = sender.seal(typical.draft).datagram;
    const std::vector<std::byte> datagram(sealed.begin(), sealed.end());
    auto forged = datagram;
    forged.back() ^= std::byte{1};
    const auto rest = Bytes(datagram).subspan(wire::kHeader);
    const std::vector<std::byte> body(rest.size() - 40);
    Bare bare{datagram, (*cipher)->secret(1)};

    if (!counting_works()) return fail(Errc::not_supported, "allocations are not counted in this program");
    run.alone("heap allocations per datagram: sealed, opened, a forged one refused", "allocations",
              static_cast<double>(allocations_in([&] {
                  (void)receiver.open(sender.seal(typical.draft).datagram);
                  (void)receiver.open(forged);
              })),
              Goal{Goal::Sense::at_most, 0});
    const auto size = fmt::format("a heartbeat of {} bytes", datagram.size());
    if (auto done = compare(
            run, size + " written and sealed",
            [&] { return sender.seal(typical.draft).datagram.size() == datagram.size(); },
            [&] {
                bare.seal(body);
                return true;
            });
        !done)
        return done;
    if (auto done = compare(
            run, size + " opened and read", [&] { return receiver.open(datagram).has_value(); },
            [&] { return bare.open(rest); });
        !done)
        return done;
    return compare(
        run, size + ", forged, refused", [&] { return !receiver.open(forged); },
        [&] { return !bare.open(Bytes(forged).subspan(wire::kHeader)); });
}

} // namespace schedd::bench
