// Packets byte for byte as components/membership/PROTOCOL.md has them; made once by another program, and
// never to be changed: nodes of every released version read them.
#include <algorithm>

#include <gtest/gtest.h>
#include <sodium.h>

#include "components/membership/envelope.h"
#include "service/net/sodium_cipher.h"
#include "tests/golden/golden.h"
#include "tests/golden/hex.h"
#include "tests/unit/membership/packets.h"

namespace schedd::golden {
namespace {

using namespace membership;

std::string hex(Bytes bytes) {
    std::string text(2 * bytes.size() + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                   bytes.size());
    text.pop_back();
    return text;
}

std::vector<std::byte> packet_bytes(const std::string& name) {
    return bytes_of_hex(read_data("wire/" + name + ".hex"));
}

TEST(APacketOfEachType, IsWrittenToTheseBytes) {
    ASSERT_EQ(test::packets().size(), 8U);
    for (const auto& [name, draft] : test::packets()) {
        auto clear = test::clear_of(draft);
        clear.header.insert(clear.header.end(), clear.body.begin(), clear.body.end());
        EXPECT_EQ(hex(clear.header), hex(packet_bytes(name))) << name;
    }
}

TEST(APacketOfEachType, IsReadFieldByField) {
    for (const auto& [name, draft] : test::packets()) {
        const auto bytes = packet_bytes(name);
        ASSERT_GE(bytes.size(), wire::kHeader + wire::kCore) << name;
        // unsealed it is shorter by 40 than it says
        auto datagram = bytes;
        datagram.resize(bytes.size() + 40);
        const auto header = wire::read_header(datagram);
        ASSERT_TRUE(header) << name;
        const auto message = wire::read_body(*header, Bytes(bytes).subspan(wire::kHeader));
        ASSERT_TRUE(message) << name << ": " << name_of(message.error());
        EXPECT_EQ(test::difference(*message, draft), "") << name;
    }
}

struct ASealedPacket : testing::Test {
    std::vector<std::byte> file = packet_bytes("sealed");
    Bytes datagram = Bytes(file).subspan(kKeyBytes);
    std::unique_ptr<net::SodiumCipher> cipher = *net::SodiumCipher::make();

    void SetUp() override {
        Key key{9, true, {}};
        std::ranges::copy(Bytes(file).first(kKeyBytes), key.secret.begin());
        ASSERT_TRUE(cipher->replace(std::span(&key, 1)));
    }
};

TEST_F(ASealedPacket, OfAnotherProgramIsOpened) {
    const auto& ping = test::packet(Type::ping).draft;
    Envelope envelope(ping.header.cluster, NodeUid{1}, *cipher);
    const auto message = envelope.open(datagram);
    ASSERT_TRUE(message) << name_of(message.error());
    EXPECT_EQ(test::difference(*message, ping), "");
}

TEST_F(ASealedPacket, IsSealedToTheSameBytesButForItsNonce) {
    const auto& ping = test::packet(Type::ping).draft;
    Envelope envelope(ping.header.cluster, ping.header.sender, *cipher);
    const auto ours = envelope.seal(ping).datagram;
    ASSERT_EQ(ours.size(), datagram.size());
    EXPECT_EQ(hex(ours.first(wire::kHeader)), hex(datagram.first(wire::kHeader)));
    EXPECT_NE(hex(ours.subspan(wire::kHeader, 24)), hex(datagram.subspan(wire::kHeader, 24)));
    const auto body = test::clear_of(ping).body;
    std::vector<std::byte> sealed(body.size() + 16);
    const auto raw = [](const auto& bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); };
    crypto_aead_xchacha20poly1305_ietf_encrypt(reinterpret_cast<unsigned char*>(sealed.data()), nullptr,
                                               raw(body), body.size(), raw(ours), wire::kHeader, nullptr,
                                               raw(datagram.subspan(wire::kHeader)), raw(cipher->secret(9)));
    EXPECT_EQ(hex(sealed), hex(datagram.subspan(wire::kHeader + 24)));
}

} // namespace
} // namespace schedd::golden
