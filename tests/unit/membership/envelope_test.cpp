// Sealing and opening, and which reason comes first for a datagram with several things wrong.
#include "components/membership/envelope.h"

#include <gmock/gmock.h>

#include "components/membership/limits.h"
#include "tests/kit/count_new.h"
#include "tests/kit/null_cipher.h"
#include "tests/unit/membership/packets.h"

namespace schedd::test {
namespace {

using namespace membership;
using wire::Drop;

constexpr std::uint64_t kCluster = 42;
constexpr NodeUid kMe{1};
constexpr NodeUid kYou{2};

struct AnEnvelope : testing::Test {
    NullCipher my_keys;
    NullCipher your_keys;
    Envelope mine{kCluster, kMe, my_keys};
    Envelope yours{kCluster, kYou, your_keys};

    std::vector<std::byte> sealed(Draft draft = packet(Type::heartbeat).draft) {
        const auto datagram = mine.seal(draft).datagram;
        return {datagram.begin(), datagram.end()};
    }
    /// Why `yours` refuses it, which must be counted.
    std::optional<Drop> refusal(Bytes datagram) {
        const auto before = yours.dropped();
        const auto message = yours.open(datagram);
        auto expected = before;
        if (!message) ++expected[static_cast<std::size_t>(message.error())];
        EXPECT_EQ(yours.dropped(), expected);
        return message ? std::nullopt : std::optional(message.error());
    }
};

TEST_F(AnEnvelope, OpensToWhatWasSealedWithItsSenderAndCluster) {
    for (const auto& [name, draft] : packets()) {
        const auto datagram = sealed(draft);
        EXPECT_LE(datagram.size(), wire::kDatagram);
        const auto message = yours.open(datagram);
        ASSERT_TRUE(message) << name;
        EXPECT_EQ(message->header.sender, kMe);
        EXPECT_EQ(message->header.cluster, kCluster);
        Draft expected = draft;
        expected.header = message->header;
        EXPECT_EQ(message->header.type, draft.header.type);
        EXPECT_EQ(difference(*message, expected), "") << name;
    }
}

TEST_F(AnEnvelope, NeitherSealsNorOpensWithAllocating) {
    ASSERT_TRUE(counting_works());
    const auto& draft = packet(Type::heartbeat).draft;
    bool is_read = false;
    EXPECT_EQ(allocations_in([&] { is_read = yours.open(mine.seal(draft).datagram).has_value(); }), 0U);
    EXPECT_TRUE(is_read);
}

TEST_F(AnEnvelope, KeepsAMessageWhileItSealsAnAnswer) {
    const auto datagram = sealed();
    const auto message = yours.open(datagram);
    ASSERT_TRUE(message);
    const auto answer = yours.seal(packet(Type::ack).draft);
    EXPECT_EQ(message->name, packet(Type::heartbeat).draft.name);
    EXPECT_TRUE(mine.open(answer.datagram));
}

TEST_F(AnEnvelope, RefusesAnyChangedBit) {
    const auto datagram = sealed();
    ASSERT_EQ(refusal(datagram), std::nullopt);
    for (std::size_t at = 0; at < datagram.size(); ++at)
        for (unsigned bit = 0; bit < 8; ++bit) {
            auto changed = datagram;
            changed[at] ^= static_cast<std::byte>(1U << bit);
            ASSERT_NE(refusal(changed), std::nullopt) << "byte " << at << " bit " << bit;
        }
}

TEST_F(AnEnvelope, RefusesADatagramCutAnywhere) {
    const auto datagram = sealed();
    for (std::size_t size = 0; size < datagram.size(); ++size) {
        const std::vector<std::byte> cut(datagram.begin(),
                                         datagram.begin() + static_cast<std::ptrdiff_t>(size));
        ASSERT_EQ(refusal(cut), size < 2 ? Drop::magic : Drop::truncated) << size;
    }
}

TEST_F(AnEnvelope, TellsTheFirstReasonInItsOrder) {
    auto datagram = sealed();
    datagram.back() ^= std::byte{1};
    EXPECT_EQ(refusal(datagram), Drop::forged);
    datagram[5] = std::byte{200};
    EXPECT_EQ(refusal(datagram), Drop::key) << "before any cryptography";
    datagram[15] ^= std::byte{1};
    EXPECT_EQ(refusal(datagram), Drop::cluster);
    datagram.pop_back();
    EXPECT_EQ(refusal(datagram), Drop::truncated);
    datagram[0] ^= std::byte{1};
    EXPECT_EQ(refusal(datagram), Drop::magic);
    EXPECT_EQ(yours.dropped()[static_cast<std::size_t>(Drop::key)], 1U);
}

/// A datagram sealed by a member with whatever clear part and body.
std::vector<std::byte> sealed_anyhow(Header header, Bytes body) {
    NullCipher cipher;
    std::vector<std::byte> datagram(wire::kHeader + body.size() + cipher.overhead());
    wire::write_header(header, body.size() + cipher.overhead(), datagram);
    const Space space(datagram);
    cipher.seal(1, space.first(wire::kHeader), body, space.subspan(wire::kHeader));
    return datagram;
}

TEST_F(AnEnvelope, TellsAnotherMajorVersionOnlyOfAMember) {
    const auto body = clear_of(packet(Type::heartbeat).draft).body;
    auto datagram = sealed_anyhow({2, Type::heartbeat, 0, 1, kCluster, kMe}, body);
    EXPECT_EQ(refusal(datagram), Drop::major);
    EXPECT_EQ(yours.header().sender, kMe);
    EXPECT_EQ(yours.header().major, 2);
    datagram.back() ^= std::byte{1};
    EXPECT_EQ(refusal(datagram), Drop::forged);
}

TEST_F(AnEnvelope, RefusesWhatIsShorterThanItsCipherAddsAndLongerThanADatagram) {
    const Header header{1, Type::heartbeat, 0, 1, kCluster, kMe};
    std::vector<std::byte> datagram(wire::kHeader + 39);
    wire::write_header(header, 39, datagram);
    EXPECT_EQ(refusal(datagram), Drop::truncated);
    EXPECT_EQ(refusal(sealed_anyhow(header, {})), Drop::truncated) << "no core";
    auto body = with_part(clear_of(packet(Type::leave).draft).body, 99, std::string(1076, 'x'));
    EXPECT_EQ(sealed_anyhow(header, body).size(), wire::kDatagram);
    EXPECT_EQ(refusal(sealed_anyhow(header, body)), std::nullopt);
    body = with_part(clear_of(packet(Type::leave).draft).body, 99, std::string(1077, 'x'));
    EXPECT_EQ(refusal(sealed_anyhow(header, body)), Drop::truncated);
    EXPECT_EQ(refusal(std::vector<std::byte>(65'507, std::byte{0x53})), Drop::magic);
}

TEST_F(AnEnvelope, OpensWithAnyKeyOfTheRingAndSealsWithTheActive) {
    const auto with_1 = sealed();
    my_keys.add(2);
    my_keys.activate(2);
    const auto with_2 = sealed();
    EXPECT_EQ(refusal(with_2), Drop::key);
    your_keys.add(2);
    EXPECT_EQ(refusal(with_2), std::nullopt);
    EXPECT_EQ(refusal(with_1), std::nullopt);
    your_keys.remove(1);
    EXPECT_EQ(refusal(with_1), Drop::key);
}

TEST_F(AnEnvelope, CountsWhatItsOwnerRefuses) {
    mine.count(Drop::replay);
    mine.count(Drop::replay);
    mine.count(Drop::full);
    EXPECT_EQ(mine.dropped()[static_cast<std::size_t>(Drop::replay)], 2U);
    EXPECT_EQ(mine.dropped()[static_cast<std::size_t>(Drop::full)], 1U);
}

} // namespace
} // namespace schedd::test
