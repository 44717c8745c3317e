// libsodium behind the interfaces: sealed packets open, changed ones do not, and hashes are those of other
// programs.
#include <algorithm>
#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <sodium.h>

#include "components/membership/envelope.h"
#include "service/net/sodium_cipher.h"
#include "service/net/sodium_hash.h"
#include "tests/kit/count_new.h"

namespace schedd::test {
namespace {

using namespace membership;
using net::SodiumCipher;
using net::SodiumHash;

Key key(std::uint8_t id, bool is_active, std::uint8_t first = 0) {
    Key key{id, is_active, {}};
    for (std::size_t i = 0; i < kKeyBytes; ++i) key.secret[i] = static_cast<std::byte>(first + i);
    return key;
}

std::vector<std::byte> bytes_of(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

std::string hex(Bytes bytes) {
    std::string text(2 * bytes.size() + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                   bytes.size());
    text.pop_back();
    return text;
}

struct ASodiumCipher : testing::Test {
    std::unique_ptr<SodiumCipher> cipher = *SodiumCipher::make();
    const std::vector<std::byte> clear = bytes_of("clear");
    const std::vector<std::byte> body = bytes_of("a body of some length");

    void SetUp() override { ASSERT_TRUE(cipher->replace(std::array{key(1, true), key(9, false, 100)})); }
    std::vector<std::byte> sealed(std::uint8_t with) {
        std::vector<std::byte> out(body.size() + cipher->overhead());
        EXPECT_EQ(cipher->seal(with, clear, body, out), out.size());
        return out;
    }
    std::optional<std::vector<std::byte>> opened(std::uint8_t with, Bytes of_clear, Bytes what) {
        std::vector<std::byte> out(what.size());
        const auto size = cipher->open(with, of_clear, what, out);
        if (!size) return std::nullopt;
        out.resize(*size);
        return out;
    }
};

TEST_F(ASodiumCipher, OpensWhatItSealedWithEachKeyOfTheRing) {
    EXPECT_EQ(cipher->overhead(), 40U);
    for (const std::uint8_t id : std::array<std::uint8_t, 2>{1, 9}) {
        EXPECT_TRUE(cipher->knows(id));
        EXPECT_EQ(opened(id, clear, sealed(id)), body);
    }
    EXPECT_EQ(cipher->active(), 1);
    EXPECT_FALSE(cipher->knows(0));
    EXPECT_FALSE(cipher->knows(2));
}

TEST_F(ASodiumCipher, RefusesEachChangedBitAnotherKeyAndAnotherClearPart) {
    const auto packet = sealed(1);
    for (std::size_t at = 0; at < packet.size() * 8; ++at) {
        auto changed = packet;
        changed[at / 8] ^= static_cast<std::byte>(1U << (at % 8));
        ASSERT_EQ(opened(1, clear, changed), std::nullopt) << "bit " << at;
    }
    EXPECT_EQ(opened(9, clear, packet), std::nullopt);
    EXPECT_EQ(opened(2, clear, packet), std::nullopt) << "a key that is not there";
    EXPECT_EQ(opened(1, bytes_of("clea"), packet), std::nullopt);
    EXPECT_EQ(opened(1, {}, packet), std::nullopt);
}

TEST_F(ASodiumCipher, RefusesWhatIsCutAndWhatItHasNoRoomFor) {
    const auto packet = sealed(1);
    for (std::size_t size = 0; size < packet.size(); ++size)
        ASSERT_EQ(opened(1, clear, Bytes(packet).first(size)), std::nullopt) << size;
    std::vector<std::byte> small(body.size() - 1);
    EXPECT_EQ(cipher->open(1, clear, packet, small), std::nullopt);
}

TEST_F(ASodiumCipher, SealsAnEmptyBody) {
    std::vector<std::byte> out(40);
    EXPECT_EQ(cipher->seal(1, clear, {}, out), 40U);
    EXPECT_EQ(opened(1, clear, out), std::vector<std::byte>{});
}

TEST_F(ASodiumCipher, NeverUsesANonceTwice) {
    std::set<std::string> nonces;
    for (int i = 0; i < 1000; ++i) nonces.insert(hex(Bytes(sealed(1)).first(24)));
    EXPECT_EQ(nonces.size(), 1000U);
}

TEST_F(ASodiumCipher, AllocatesNothingPerPacket) {
    ASSERT_TRUE(counting_works());
    std::array<std::byte, 100> packet{};
    std::array<std::byte, 100> out{};
    std::optional<std::size_t> size;
    EXPECT_EQ(allocations_in([&] {
                  const auto length = cipher->seal(9, clear, body, packet);
                  size = cipher->open(9, clear, Bytes(packet).first(length), out);
              }),
              0U);
    EXPECT_EQ(size, body.size());
}

TEST_F(ASodiumCipher, ForgetsTheKeysThatAreReplaced) {
    const auto with_1 = sealed(1);
    ASSERT_TRUE(cipher->replace(std::array{key(2, true)}));
    EXPECT_FALSE(cipher->knows(1));
    EXPECT_FALSE(cipher->knows(9));
    EXPECT_EQ(cipher->active(), 2);
    EXPECT_EQ(opened(1, clear, with_1), std::nullopt);
    EXPECT_TRUE(std::ranges::all_of(cipher->secret(9), [](std::byte byte) { return byte == std::byte{0}; }));
    EXPECT_EQ(cipher->secret(2)[5], std::byte{5});
}

TEST_F(ASodiumCipher, KeepsItsKeysIfTheNewOnesAreNoRing) {
    const std::vector<std::vector<Key>> bad{{},
                                            {key(1, false)},
                                            {key(0, true)},
                                            {key(1, true), key(1, false)},
                                            {key(1, true), key(2, true)}};
    for (const auto& keys : bad) {
        EXPECT_EQ(cipher->replace(keys).error().kind, Errc::invalid_value);
        EXPECT_TRUE(cipher->knows(9));
        EXPECT_EQ(cipher->active(), 1);
    }
}

TEST_F(ASodiumCipher, HasAFingerprintOfTheRingAndNotOfTheActiveKey) {
    const auto print = cipher->fingerprint();
    const auto with = [&](std::vector<Key> keys) {
        EXPECT_TRUE(cipher->replace(keys));
        return cipher->fingerprint();
    };
    EXPECT_EQ(with({key(9, true, 100), key(1, false)}), print);
    const std::set<std::uint64_t> prints{print, with({key(1, true)}), with({key(2, true)}),
                                         with({key(1, true, 1)}), with({key(1, true, 100), key(9, false)})};
    EXPECT_EQ(prints.size(), 5U);
    EXPECT_FALSE(prints.contains(0));
}

TEST_F(ASodiumCipher, CarriesEnvelopes) {
    Envelope mine(42, NodeUid{1}, *cipher);
    Envelope yours(42, NodeUid{2}, *cipher);
    Draft draft;
    draft.core.seq = 1;
    draft.name = "me";
    auto datagram = mine.seal(draft).datagram;
    EXPECT_EQ(datagram.size(), 24U + 24 + 56 + 6 + 16);
    const auto message = yours.open(datagram);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->name, "me");
    ASSERT_TRUE(cipher->replace(std::array{key(1, true, 77)})) << "the same number, another key";
    EXPECT_EQ(yours.open(datagram).error(), wire::Drop::forged);
}

TEST(ACipherWithoutKeys, OpensNothing) {
    const auto cipher = SodiumCipher::make();
    ASSERT_TRUE(cipher);
    std::array<std::byte, 64> out{};
    EXPECT_EQ((*cipher)->open(0, {}, std::array<std::byte, 50>{}, out), std::nullopt);
    EXPECT_EQ((*cipher)->fingerprint(), 0U);
}

// As `b2sum -l 128` and Python's hashlib.blake2b(digest_size=16) have it.
TEST(AHash, IsThatOfOtherPrograms) {
    const auto of = [](std::string_view text) {
        const auto digest = SodiumHash().of(std::as_bytes(std::span(text)));
        return hex(std::as_bytes(std::span(digest.bytes)));
    };
    EXPECT_EQ(of(""), "cae66941d9efbd404e4d88758ea67670");
    EXPECT_EQ(of("schedd"), "f0977f416ce351fede95afdb182b7ab9");
    EXPECT_EQ(net::cluster_id("schedd"), 0xf0977f416ce351feU);
    EXPECT_NE(net::cluster_id("schedd"), net::cluster_id("schedd2"));
}

} // namespace
} // namespace schedd::test
