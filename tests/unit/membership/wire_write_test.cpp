// Writing: what does not fit or may not be is left out, and what is written can always be read.
#include <gmock/gmock.h>

#include "components/kit/rng.h"
#include "components/membership/limits.h"
#include "components/membership/wire.h"
#include "components/membership/wire_parts.h"
#include "tests/unit/membership/packets.h"

namespace schedd::test {
namespace {

using namespace membership;

struct Round {
    std::vector<std::byte> body;
    wire::Written written;
    Message message;
};

/// Writes into `room` bytes and reads it again.
Round round(const Draft& draft, std::size_t room = 1136) {
    Round round;
    round.body.resize(room);
    round.written = wire::write_body(draft, round.body);
    EXPECT_LE(round.written.size, room);
    round.body.resize(round.written.size);
    const auto message = wire::read_body(draft.header, round.body);
    EXPECT_TRUE(message) << (message ? "" : name_of(message.error()));
    if (message) round.message = *message;
    return round;
}

/// A heartbeat with nothing but the core.
Draft bare() {
    Draft draft = packet(Type::leave).draft;
    draft.header.type = Type::heartbeat;
    return draft;
}

struct Full {
    std::vector<Load> loads;
    std::vector<std::string> paths;
    std::vector<SourceName> sources;
    std::vector<Address> addresses{limits::kAddresses};
    Draft draft = bare();

    explicit Full(std::size_t length) {
        for (std::uint16_t id = 0; id < limits::kSources; ++id) {
            loads.push_back({id, id * 1000});
            paths.push_back(std::string(length, static_cast<char>('a' + id % 26)));
        }
        for (std::uint16_t id = 0; id < limits::kSources; ++id) sources.push_back({id, paths[id]});
        draft.loads = loads;
        draft.sources = sources;
        draft.addresses = addresses;
    }
};

TEST(ABodyThatIsTooFull, LosesSourcesFromTheEndThenAddressesThenLoads) {
    const Full full(20);
    const std::size_t loads = 4 + 6 * 64;
    const std::size_t addresses = 4 + 16 * 4;
    const auto with = [&](std::size_t room) { return round(full.draft, wire::kCore + room); };
    auto all = with(loads + addresses + 4 + 23 * 64);
    EXPECT_EQ(difference(all.message, full.draft), "");
    EXPECT_EQ(all.written.sources, 64U);
    all = with(loads + addresses + 4 + 23 * 64 - 1);
    EXPECT_EQ(all.written.sources, 63U);
    EXPECT_EQ(all.message.sources.size(), 63U);
    EXPECT_EQ(all.message.addresses.size(), 4U);
    all = with(loads + addresses - 1);
    EXPECT_EQ(all.written.sources, 0U);
    EXPECT_EQ(all.message.addresses.size(), 3U);
    EXPECT_EQ(all.message.loads.size(), 64U);
    all = with(loads - 1);
    EXPECT_EQ(all.written.loads, 63U);
    EXPECT_EQ(all.message.loads.size(), 63U);
    EXPECT_TRUE(all.message.addresses.empty());
    EXPECT_EQ(with(9).written.size, wire::kCore);
    EXPECT_EQ(with(10).message.loads.size(), 1U);
    EXPECT_EQ(with(0).written.size, wire::kCore);
}

TEST(ABodyThatIsTooFull, KeepsWhatItsTypeIsAboutAndIsReadInAnyRoom) {
    for (const auto& [name, draft] : packets()) {
        const auto whole = clear_of(draft).body.size();
        const std::size_t least = draft.header.type == Type::heartbeat ? wire::kCore : whole;
        for (auto room = least; room <= whole; ++room) round(draft, room);
    }
}

TEST(AWholeDatagram, HoldsTheLargestDeltaAndTheLargestOfEverythingSmall) {
    const std::string bytes(limits::kDelta, 'x');
    Draft draft = packet(Type::conf_delta).draft;
    draft.delta = std::as_bytes(std::span(bytes));
    EXPECT_EQ(round(draft).message.delta.size(), limits::kDelta);
    const std::vector<Suspicion> suspicions(limits::kSuspicions, Suspicion{kNobody, {1, 2}, 3});
    const std::string name(limits::kPeerName, 'n');
    const std::string trouble(limits::kTrouble, 't');
    draft = packet(Type::heartbeat).draft;
    draft.suspicions = suspicions;
    draft.name = name;
    draft.trouble = trouble;
    draft.nonce = 1;
    draft.target = NodeUid{5};
    draft.loads = {};
    draft.addresses = {};
    draft.sources = {};
    const auto read = round(draft, 514);
    EXPECT_EQ(read.written.size, 514U);
    EXPECT_EQ(difference(read.message, draft), "");
}

TEST(ADelta, ThatIsTooLongIsLeftOut) {
    const std::string bytes(limits::kDelta + 1, 'x');
    Draft draft = bare();
    draft.delta = std::as_bytes(std::span(bytes));
    EXPECT_TRUE(round(draft).message.delta.empty());
}

TEST(MoreRowsThanAllowed, AreCutToTheLimit) {
    const std::vector<Load> loads(65);
    const std::vector<SourceName> sources(65, SourceName{1, "x"});
    const std::vector<Address> addresses(5);
    const std::vector<Suspicion> suspicions(9);
    Draft draft = bare();
    draft.loads = loads;
    draft.sources = sources;
    draft.addresses = addresses;
    draft.suspicions = suspicions;
    const auto read = round(draft);
    EXPECT_EQ(read.message.loads.size(), 64U);
    EXPECT_EQ(read.message.sources.size(), 64U);
    EXPECT_EQ(read.message.addresses.size(), 4U);
    EXPECT_EQ(read.message.suspicions.size(), 8U);
}

TEST(ATextForPeople, IsCutWhereACharacterEnds) {
    Draft draft = bare();
    const std::string name = std::string(63, 'x') + "ä";
    draft.name = name;
    EXPECT_EQ(round(draft).message.name, std::string(63, 'x'));
    const std::string exact = std::string(62, 'x') + "ä";
    draft.name = exact;
    EXPECT_EQ(round(draft).message.name, exact);
    const std::string wide = std::string(61, 'x') + "\xf0\x9f\x98\x80"; // four bytes, of which three fit
    draft.name = wide;
    EXPECT_EQ(round(draft).message.name, std::string(61, 'x'));
    const std::string trouble(1'000'000, 't');
    draft.trouble = trouble;
    EXPECT_EQ(round(draft).message.trouble, std::string(limits::kTrouble, 't'));
}

TEST(ATextForPeople, HasQuestionMarksForWhatATerminalMightObey) {
    Draft draft = bare();
    draft.trouble = "a\nb\x1b[2J";
    EXPECT_EQ(round(draft).message.trouble, "a?b?[2J");
    draft.trouble = "\xff ok \xc3\xa4";
    EXPECT_EQ(round(draft).message.trouble, "? ok ??");
    draft.name = std::string_view("\0", 1);
    EXPECT_EQ(round(draft).message.name, "?");
}

TEST(ASourceThatNobodyCouldRead, IsLeftOutAndCountsAsTold) {
    const std::string long_path(limits::kSourcePath + 1, 'x');
    const std::array<SourceName, 5> sources{{{1, "a"}, {2, ""}, {3, "b\n"}, {4, long_path}, {5, "c"}}};
    Draft draft = bare();
    draft.sources = sources;
    const auto read = round(draft);
    EXPECT_EQ(read.written.sources, 5U);
    EXPECT_THAT(rows_of(read.message.sources), testing::ElementsAre(SourceName{1, "a"}, SourceName{5, "c"}));
}

TEST(ANumberOutOfRange, IsLeftOut) {
    Draft draft = bare();
    for (const NodeId number : {-2, 65536, 2'000'000'000}) {
        draft.number = number;
        EXPECT_EQ(round(draft).message.number, std::nullopt) << number;
    }
}

TEST(WhateverIsDrafted, IsRead) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        Rng rng(seed);
        const auto random_text = [&](std::size_t longest) {
            std::string text(rng.below(longest), 'x');
            for (auto& c : text)
                if (rng.below(8) == 0) c = static_cast<char>(rng.below(256));
            return text;
        };
        Full full(1);
        for (auto& path : full.paths) path = random_text(150);
        for (std::size_t i = 0; i < full.sources.size(); ++i) full.sources[i].path = full.paths[i];
        const auto name = random_text(100);
        const auto trouble = random_text(200);
        full.draft.name = name;
        full.draft.trouble = trouble;
        full.draft.number = static_cast<NodeId>(rng.below(100'000)) - 1000;
        const auto read = round(full.draft, wire::kCore + rng.below(1200));
        EXPECT_EQ(read.written.loads, read.message.loads.size());
    }
}

} // namespace
} // namespace schedd::test
