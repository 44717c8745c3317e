// Datagrams to messages and back, and everything that may be wrong with one.
#include "components/membership/wire.h"

#include <gmock/gmock.h>

#include "components/membership/limits.h"
#include "components/membership/wire_parts.h"
#include "tests/kit/count_new.h"
#include "tests/unit/membership/packets.h"

namespace schedd::test {
namespace {

using namespace membership;
using wire::Drop;
using wire::Part;
using wire::read_body;
using wire::read_header;

constexpr auto number_of(Part part) { return static_cast<std::uint16_t>(part); }

/// Why a heartbeat with this part is not read; none if it is.
std::optional<Drop> refusal(Part part, std::string_view bytes) {
    Draft draft = packet(Type::leave).draft;
    draft.header.type = Type::heartbeat;
    const auto body = with_part(clear_of(draft).body, number_of(part), bytes);
    const auto message = read_body(draft.header, body);
    return message ? std::nullopt : std::optional(message.error());
}

TEST(APacketOfEachType, IsReadAsItWasDrafted) {
    for (const auto& [name, draft] : packets()) {
        auto clear = clear_of(draft);
        clear.header.resize(clear.header.size() + clear.body.size() + 40);
        const auto header = read_header(clear.header);
        ASSERT_TRUE(header) << name;
        const auto message = read_body(*header, clear.body);
        ASSERT_TRUE(message) << name << ": " << name_of(message.error());
        EXPECT_EQ(difference(*message, draft), "") << name;
    }
}

TEST(APacketOfEachType, IsReadWithoutAllocating) {
    ASSERT_TRUE(counting_works());
    for (const auto& [name, draft] : packets()) {
        const auto clear = clear_of(draft);
        std::size_t rows = 0;
        EXPECT_EQ(allocations_in([&] {
                      const auto message = read_body(draft.header, clear.body);
                      message->loads.each([&](const Load&) { ++rows; });
                      message->sources.each([&](const SourceName&) { ++rows; });
                      message->addresses.each([&](const Address&) { ++rows; });
                      message->suspicions.each([&](const Suspicion&) { ++rows; });
                  }),
                  0U)
            << name;
        EXPECT_EQ(rows, draft.loads.size() + draft.sources.size() + draft.addresses.size() +
                            draft.suspicions.size());
    }
}

TEST(APacketOfEachType, IsWrittenWithoutAllocating) {
    for (const auto& [name, draft] : packets()) {
        std::array<std::byte, wire::kDatagram> out{};
        std::size_t size = 0;
        EXPECT_EQ(allocations_in([&] { size = wire::write_body(draft, out).size; }), 0U) << name;
        EXPECT_GE(size, wire::kCore) << name;
    }
}

TEST(ABodyCutAnywhere, IsRefusedOrReadWithoutWhatWasCut) {
    for (const auto& [name, draft] : packets()) {
        const auto body = clear_of(draft).body;
        std::size_t read = 0;
        for (std::size_t size = 0; size < body.size(); ++size) {
            // in memory of its own, so that the sanitizers see what is read beyond it
            const std::vector<std::byte> cut(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size));
            const auto message = read_body(draft.header, cut);
            if (!message) {
                EXPECT_TRUE(message.error() == Drop::truncated || message.error() == Drop::malformed);
                continue;
            }
            ++read;
            EXPECT_GE(size, wire::kCore);
            EXPECT_NE(difference(*message, draft), "") << name << " of " << size;
        }
        EXPECT_LT(read, 12U) << name << ": only where a part ends";
    }
}

TEST(AHeaderCutAnywhere, IsRefused) {
    const auto clear = clear_of(packet(Type::leave).draft);
    for (std::size_t size = 0; size < wire::kHeader; ++size) {
        const std::vector<std::byte> cut(clear.header.begin(),
                                         clear.header.begin() + static_cast<std::ptrdiff_t>(size));
        const auto header = read_header(cut);
        ASSERT_FALSE(header);
        EXPECT_EQ(header.error(), size < 2 ? Drop::magic : Drop::truncated) << size;
    }
}

TEST(AHeader, IsRefusedIfTheRestIsNotAsLongAsItSays) {
    auto datagram = clear_of(packet(Type::leave).draft).header; // says 96
    for (const auto& [rest, is_read] :
         {std::pair{0, false}, {95, false}, {96, true}, {97, false}, {65535, false}}) {
        datagram.resize(wire::kHeader + static_cast<std::size_t>(rest));
        const auto header = read_header(datagram);
        EXPECT_EQ(header.has_value(), is_read) << rest;
        EXPECT_TRUE(is_read || header.error() == Drop::truncated) << rest;
    }
}

TEST(AHeader, OfSomebodyElsesProtocolIsNoneOfOurs) {
    auto datagram = clear_of(packet(Type::leave).draft).header;
    datagram[0] = std::byte{'X'};
    EXPECT_EQ(read_header(datagram).error(), Drop::magic);
    EXPECT_EQ(read_header({}).error(), Drop::magic);
}

TEST(AnotherMajorVersion, IsSeenInTheHeaderAndRefusedInTheBody) {
    Draft draft = packet(Type::heartbeat).draft;
    draft.header.major = 2;
    auto clear = clear_of(draft);
    EXPECT_EQ(read_body(draft.header, clear.body).error(), Drop::major);
    clear.header.resize(clear.header.size() + clear.body.size() + 40);
    const auto header = read_header(clear.header);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->major, 2);
    EXPECT_EQ(header->sender, draft.header.sender);
}

TEST(ATypeOfANewerMinorVersion, IsReadAsASignOfLife) {
    Draft draft = packet(Type::leave).draft;
    draft.header.type = static_cast<Type>(200);
    const auto message = read_body(draft.header, clear_of(draft).body);
    ASSERT_TRUE(message);
    EXPECT_EQ(static_cast<int>(message->header.type), 200);
}

TEST(ASenderThatIsNobody, IsMalformed) {
    Draft draft = packet(Type::leave).draft;
    draft.header.sender = kNobody;
    EXPECT_EQ(read_body(draft.header, clear_of(draft).body).error(), Drop::malformed);
}

TEST(ACore, IsMalformedIfANumberInItCannotBe) {
    const auto& draft = packet(Type::leave).draft;
    const auto refuses = [&](std::size_t at, std::uint8_t value, std::size_t count = 1) {
        auto body = clear_of(draft).body;
        std::fill_n(body.begin() + static_cast<std::ptrdiff_t>(at), count, std::byte{value});
        const auto message = read_body(draft.header, body);
        return !message && message.error() == Drop::malformed;
    };
    EXPECT_TRUE(refuses(8, 0, 8)) << "seq 0";
    EXPECT_TRUE(refuses(28, 0)) << "state 0";
    EXPECT_TRUE(refuses(28, 6)) << "state 6";
    EXPECT_FALSE(refuses(28, 5)) << "state 5";
    EXPECT_TRUE(refuses(29, 0)) << "period 0";
    EXPECT_TRUE(refuses(30, 3)) << "minor 3 to 2";
    EXPECT_FALSE(refuses(30, 2)) << "minor 2 to 2";
}

TEST(AnUnknownPart, IsSkippedEvenTwice) {
    const auto& draft = packet(Type::heartbeat).draft;
    auto body = with_part(clear_of(draft).body, 15, "what is to come");
    body = with_part(body, 15, "");
    body = with_part(body, 0, "x");
    body = with_part(body, 0xffff, std::string(65, 'x'));
    const auto message = read_body(draft.header, body);
    ASSERT_TRUE(message);
    EXPECT_EQ(difference(*message, draft), "");
}

TEST(AKnownPart, MayStandAnywhere) {
    Draft draft = packet(Type::leave).draft;
    auto body = with_part(clear_of(draft).body, number_of(Part::trouble), "no");
    body = with_part(body, number_of(Part::name), "me");
    const auto message = read_body(draft.header, body);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->name, "me");
    EXPECT_EQ(message->trouble, "no");
}

TEST(AKnownPart, IsMalformedIfItComesTwice) {
    const auto& draft = packet(Type::heartbeat).draft;
    const auto body = clear_of(draft).body;
    EXPECT_EQ(read_body(draft.header, with_part(body, number_of(Part::heard), {"\0\1", 2})).error(),
              Drop::malformed);
    EXPECT_EQ(read_body(draft.header, with_part(body, number_of(Part::name), "me")).error(), Drop::malformed);
    EXPECT_EQ(read_body(draft.header, with_part(body, number_of(Part::loads), "")).error(), Drop::malformed);
}

TEST(APart, IsTruncatedIfItSaysMoreThanIsLeft) {
    const auto& draft = packet(Type::leave).draft;
    for (const std::uint16_t part : {std::uint16_t{3}, std::uint16_t{999}})
        for (const std::uint16_t length : {std::uint16_t{3}, std::uint16_t{0xffff}}) {
            auto body = with_part(clear_of(draft).body, part, "ab");
            body[body.size() - 4] = static_cast<std::byte>(length >> 8U);
            body[body.size() - 3] = static_cast<std::byte>(length);
            EXPECT_EQ(read_body(draft.header, body).error(), Drop::truncated) << part << " " << length;
        }
}

TEST(APartOfAFixedSize, IsMalformedInAnyOther) {
    for (const auto& [part, size] : {std::pair{Part::number, 4U},
                                     {Part::features, 8U},
                                     {Part::ring, 8U},
                                     {Part::heard, 2U},
                                     {Part::applied, 28U},
                                     {Part::nonce, 8U},
                                     {Part::target, 8U}}) {
        EXPECT_EQ(refusal(part, std::string(size, '\0')), std::nullopt) << number_of(part);
        for (const auto other : {0U, size - 1, size + 1, 64U})
            EXPECT_EQ(refusal(part, std::string(other, '\0')), Drop::malformed)
                << number_of(part) << " of " << other;
    }
}

TEST(RowsOfAFixedSize, AreWholeAndAtMostTheLimit) {
    for (const auto& [part, row, limit] : {std::tuple{Part::loads, 6U, limits::kSources},
                                           {Part::addresses, 16U, limits::kAddresses},
                                           {Part::suspicions, 20U, limits::kSuspicions}}) {
        EXPECT_EQ(refusal(part, ""), std::nullopt) << "none are none";
        EXPECT_EQ(refusal(part, std::string(row * limit, 'x')), std::nullopt) << number_of(part);
        EXPECT_EQ(refusal(part, std::string(row * (limit + 1), 'x')), Drop::malformed) << number_of(part);
        EXPECT_EQ(refusal(part, std::string(row * limit - 1, 'x')), Drop::malformed) << number_of(part);
        EXPECT_EQ(refusal(part, std::string(row + 1, 'x')), Drop::malformed) << number_of(part);
    }
}

std::string source_row(std::size_t length, std::string_view path) {
    return std::string("\0\1", 2) + static_cast<char>(length) + std::string(path);
}

TEST(NamesOfSources, AreWholeReadableAndAtMostTheLimit) {
    EXPECT_EQ(refusal(Part::sources, ""), std::nullopt);
    EXPECT_EQ(refusal(Part::sources, source_row(1, "x")), std::nullopt);
    EXPECT_EQ(refusal(Part::sources, source_row(128, std::string(128, 'x'))), std::nullopt);
    EXPECT_EQ(refusal(Part::sources, source_row(129, std::string(129, 'x'))), Drop::malformed) << "too long";
    EXPECT_EQ(refusal(Part::sources, source_row(0, "")), Drop::malformed) << "empty";
    EXPECT_EQ(refusal(Part::sources, source_row(2, "x")), Drop::malformed) << "cut";
    EXPECT_EQ(refusal(Part::sources, std::string("\0\1", 2)), Drop::malformed) << "cut before its length";
    EXPECT_EQ(refusal(Part::sources, source_row(1, "x") + std::string(2, 0)), Drop::malformed)
        << "the second cut";
    EXPECT_EQ(refusal(Part::sources, source_row(1, "\xff")), Drop::malformed) << "not UTF-8";
    std::string many;
    for (std::size_t i = 0; i < limits::kSources; ++i) many += source_row(1, "x");
    EXPECT_EQ(refusal(Part::sources, many), std::nullopt);
    EXPECT_EQ(refusal(Part::sources, many + source_row(1, "x")), Drop::malformed) << "one too many";
}

TEST(ATextForPeople, IsRefusedIfATerminalMightObeyIt) {
    for (const auto part : {Part::name, Part::trouble}) {
        EXPECT_EQ(refusal(part, "größe"), std::nullopt);
        for (const std::string_view bad :
             {std::string_view("", 0), std::string_view("a\0b", 3), std::string_view("\x1b[2J"),
              std::string_view("a\nb"), std::string_view("\x7f"),
              std::string_view("\xc2\x9b"
                               "2J"),
              std::string_view("\xff"), std::string_view("\xc3"), std::string_view("\xed\xa0\x80"),
              std::string_view("\xc0\xaf")})
            EXPECT_EQ(refusal(part, bad), Drop::malformed) << ::testing::PrintToString(std::string(bad));
    }
    EXPECT_EQ(refusal(Part::name, std::string(64, 'x')), std::nullopt);
    EXPECT_EQ(refusal(Part::name, std::string(65, 'x')), Drop::malformed);
    EXPECT_EQ(refusal(Part::trouble, std::string(128, 'x')), std::nullopt);
    EXPECT_EQ(refusal(Part::trouble, std::string(129, 'x')), Drop::malformed);
}

TEST(ANumberOfANode, IsFromNoneTo65535) {
    EXPECT_EQ(refusal(Part::number, std::string("\xff\xff\xff\xff")), std::nullopt) << -1;
    EXPECT_EQ(refusal(Part::number, std::string("\xff\xff\xff\xfe")), Drop::malformed) << -2;
    EXPECT_EQ(refusal(Part::number, std::string("\0\0\xff\xff", 4)), std::nullopt) << 65535;
    EXPECT_EQ(refusal(Part::number, std::string("\0\1\0\0", 4)), Drop::malformed) << 65536;
}

TEST(ADelta, IsSomethingAndAtMostTheLimit) {
    EXPECT_EQ(refusal(Part::delta, "x"), std::nullopt);
    EXPECT_EQ(refusal(Part::delta, ""), Drop::malformed);
    EXPECT_EQ(refusal(Part::delta, std::string(limits::kDelta, 'x')), std::nullopt);
    EXPECT_EQ(refusal(Part::delta, std::string(limits::kDelta + 1, 'x')), Drop::malformed);
}

TEST(AMessage, IsMalformedWithoutWhatItsTypeIsAbout) {
    for (const auto type : {Type::ping, Type::ack, Type::ping_request, Type::suspect, Type::conf_delta}) {
        Draft draft = packet(Type::leave).draft;
        draft.header.type = type;
        EXPECT_EQ(read_body(draft.header, clear_of(draft).body).error(), Drop::malformed)
            << static_cast<int>(type);
    }
    Draft request = packet(Type::ping_request).draft;
    request.target = kNobody;
    EXPECT_EQ(read_body(request.header, clear_of(request).body).error(), Drop::malformed);
    request.nonce = {};
    request.target = NodeUid{1};
    EXPECT_EQ(read_body(request.header, clear_of(request).body).error(), Drop::malformed);
}

TEST(EveryReason, HasANameOfItsOwn) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < wire::kDrops; ++i) names.insert(name_of(static_cast<Drop>(i)));
    EXPECT_EQ(names.size(), wire::kDrops);
    EXPECT_EQ(name_of(Drop::full), "full");
    EXPECT_EQ(name_of(static_cast<Drop>(wire::kDrops)), "unknown");
    EXPECT_EQ(name_of(Announced::draining), "draining");
}

} // namespace
} // namespace schedd::test
