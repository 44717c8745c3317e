// Which life is believed, replays, clocks far off, clones, numbers, joining and leaving, values, bounds.
#include <gmock/gmock.h>

#include "components/membership/peers.h"
#include "tests/kit/count_new.h"
#include "tests/kit/peer_world.h"

namespace schedd::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using wire::Drop;

constexpr const char* kLoad = "probes/cpu/node_load";

TEST(AReplay, ChangesNothing) {
    PeerWorld world;
    auto& peer = world.peer(1);
    const auto old = peer.says(Type::heartbeat, world.clocks.wall_ms());
    world.hears(peer, old);
    world.run(3s);
    const auto before = world.node->peer(peer.uid);
    world.hears(peer, old);
    const auto after = world.node->peer(peer.uid);
    EXPECT_EQ(before->silence, after->silence);
    EXPECT_EQ(world.dropped(Drop::replay), 1U);
}

TEST(AReplay, OfAnUnheardDatagramThatWasOvertakenIsNoSignOfLife) {
    PeerWorld world;
    auto& peer = world.peer(1);
    peer.is_silent = true;
    const auto held_back = peer.says(Type::heartbeat, world.clocks.wall_ms());
    world.hears(peer, Type::heartbeat);
    world.run(2s);
    world.hears(peer, held_back);
    EXPECT_GE(world.node->peer(peer.uid)->silence, 2s);
}

TEST(AnEarlierLife, IsAskedAndBelievedOnlyWhenItAnswersTheNonce) {
    PeerWorld world;
    auto& peer = world.peer(1);
    peer.boot = {7, 1};
    world.run(2s);
    world.forget_sent();
    peer.boot = {1, 2}; // its state directory is lost
    peer.seq = 0;
    peer.is_silent = true;
    world.hears(peer, Type::heartbeat);
    EXPECT_EQ(world.node->peer(peer.uid)->boot, (Boot{7, 1}));
    ASSERT_EQ(world.sent_to(Type::ping, peer.at), 1U);
    world.hears(peer, Type::ack, [](Draft& draft) { draft.nonce = 1; });
    EXPECT_EQ(world.node->peer(peer.uid)->boot, (Boot{7, 1})) << "another nonce";
    peer.answers = true;
    world.run(20ms);
    EXPECT_EQ(world.node->peer(peer.uid)->boot, (Boot{1, 2}));
}

TEST(ALaterLife, IsBelievedAtOnceAndItsOldValuesAreGone) {
    PeerWorld world;
    auto& peer = world.peer(1);
    peer.is_silent = true;
    const std::array loads{Load{1, 5}};
    const std::array names{SourceName{1, kLoad}};
    world.hears(peer, Type::heartbeat, [&](Draft& draft) {
        draft.loads = loads;
        draft.sources = names;
    });
    ASSERT_TRUE(world.node->values().read(peer.uid, kLoad));
    peer.boot = {2, 9};
    peer.seq = 0;
    peer.state = Announced::joining;
    world.hears(peer, Type::join);
    EXPECT_EQ(world.standing(1), Standing::joining);
    EXPECT_FALSE(world.node->values().read(peer.uid, kLoad));
}

TEST(AnUnknownLife, IsAskedFirstWhereThereIsNoCommonClock) {
    PeerWorld world([](NodeSettings& settings) { settings.is_replay_monotonic = true; });
    auto& peer = world.peer(1);
    peer.is_silent = true;
    world.clocks.ahead_ms = 999'999'999;
    world.hears(peer, Type::heartbeat);
    EXPECT_FALSE(world.knows(1));
    peer.answers = true;
    world.run(20ms);
    EXPECT_EQ(world.standing(1), Standing::alive);
}

TEST(AFarClock, IsShownOnceItsOwnerHasAnsweredAndNothingIsTakenFromIt) {
    PeerWorld world;
    auto& peer = world.peer(1);
    peer.is_silent = true;
    const auto far = [&] { return world.clocks.wall_ms() + 40'000; };
    world.hears(peer, peer.says(Type::heartbeat, far()));
    EXPECT_FALSE(world.knows(1)) << "it may be a replay";
    EXPECT_EQ(world.dropped(Drop::skew), 1U);
    std::optional<std::uint64_t> nonce;
    ASSERT_TRUE(world.last(Type::ping, [&](const Message& message) { nonce = message.nonce; }));
    world.hears(peer, peer.says(Type::ack, far(), [&](Draft& draft) { draft.nonce = nonce; }));
    EXPECT_EQ(world.standing(1), Standing::skewed);
    EXPECT_EQ(world.node->peer(peer.uid)->clock_offset_ms, -40'000);
    world.hears(peer, Type::heartbeat);
    EXPECT_EQ(world.standing(1), Standing::alive) << "its clock is right again";
}

TEST(FarClocks, OfManyAreAskedAboutSixtyFourAtOnceAndThenInTurn) {
    PeerWorld world;
    world.run(2s);
    world.forget_sent();
    const auto all_speak = [&] {
        for (std::uint8_t i = 100; i < 200; ++i) {
            auto& peer = world.peer(i);
            peer.is_silent = true;
            world.hears(peer, peer.says(Type::heartbeat, world.clocks.wall_ms() + 40'000));
        }
    };
    all_speak();
    EXPECT_EQ(world.sent(Type::ping), 64U);
    all_speak();
    EXPECT_EQ(world.sent(Type::ping), 64U) << "no time has passed";
    world.run(2s); // answers do not count any more
    all_speak();
    EXPECT_EQ(world.sent(Type::ping), 64U + 40U) << "twenty a second, where so few are known";
}

TEST(APing, IsAnsweredWithItsNonceAtMostFiveTimesAtOnce) {
    PeerWorld world;
    auto& peer = world.peer(1);
    world.run(2s);
    world.forget_sent();
    for (int i = 0; i < 50; ++i) world.hears(peer, Type::ping, [](Draft& draft) { draft.nonce = 77; });
    EXPECT_EQ(world.sent_to(Type::ack, peer.at), 5U);
    ASSERT_TRUE(world.last(Type::ack, [](const Message& message) { EXPECT_EQ(message.nonce, 77U); }));
}

TEST(APingForALease, GetsCopiesOfTheHeartbeatsForAMinute) {
    PeerWorld world;
    auto& peer = world.peer(1);
    world.run(3s);
    world.hears(peer, Type::ping, [](Draft& draft) {
        draft.nonce = 1;
        draft.header.flags = flags::kLease;
    });
    world.forget_sent();
    world.run(10s);
    EXPECT_GE(world.sent_to(Type::heartbeat, peer.at), 9U);
    world.run(51s);
    world.forget_sent();
    world.run(5s);
    EXPECT_EQ(world.sent_to(Type::heartbeat, peer.at), 0U);
}

TEST(ARequestToPing, IsCarriedOutAndTheAnswerHandedOn) {
    PeerWorld world;
    world.peer(1);
    auto& target = world.peer(2);
    world.run(2s);
    target.answers = true;
    world.forget_sent();
    world.hears(world.peer(1), Type::ping_request, [](Draft& draft) {
        draft.nonce = 99;
        draft.target = NodeUid{2};
    });
    EXPECT_EQ(world.sent_to(Type::ping, target.at), 1U);
    world.run(20ms);
    EXPECT_EQ(world.sent_to(Type::ack, world.peer(1).at), 1U);
    ASSERT_TRUE(world.last(Type::ack, [](const Message& m) { EXPECT_EQ(m.target, NodeUid{2}); }));
}

TEST(ACopyOfThisMachine, WithAHigherLifeIsShownAndThisOneStays) {
    PeerWorld world;
    world.run(2s);
    auto& copy = world.peers.try_emplace(50, 50).first->second; // our own uid
    copy.boot = {6, 1};
    copy.answers = true;
    world.run(5s);
    EXPECT_FALSE(world.node->is_gone());
    const auto all = world.node->peers();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].standing, Standing::clone);
}

TEST(ACopyOfThisMachine, WithALowerLifeDisplacesIt) {
    PeerWorld world;
    world.run(2s);
    auto& copy = world.peers.try_emplace(50, 50).first->second;
    copy.boot = {5, 1};
    copy.answers = true;
    world.run(5s);
    EXPECT_TRUE(world.node->is_gone());
    EXPECT_EQ(world.listener.displacer, copy.at);
    world.forget_sent();
    world.run(5s);
    EXPECT_EQ(world.transport.sent.size(), 0U) << "it stays away";
}

TEST(ACopyOfThisMachine, IsNotBelievedFromARecording) {
    PeerWorld world;
    world.run(2s);
    auto& copy = world.peers.try_emplace(50, 50).first->second;
    copy.boot = {4, 1}; // our own earlier life, sent again by somebody
    world.run(5s);
    EXPECT_FALSE(world.node->is_gone());
    EXPECT_TRUE(world.node->peers().empty());
}

TEST(ANode, JoinsThreeTimesAndIsAliveWhenItsConfigurationIsComplete) {
    PeerWorld world;
    world.configuration.complete = false;
    world.configuration.completes_alone = false;
    world.run(3s);
    EXPECT_EQ(world.sent(Type::join), 3U);
    EXPECT_EQ(world.node->state(), Announced::joining);
    world.configuration.complete = true;
    world.run(200ms);
    EXPECT_EQ(world.node->state(), Announced::alive);
    EXPECT_THAT(world.listener.own, ElementsAre(Announced::alive));
}

TEST(ANode, IsToldThatItIsAloneOnlyWhenNoMemberIsHeard) {
    PeerWorld alone;
    alone.configuration.complete = false;
    alone.run(5s);
    EXPECT_EQ(alone.configuration.alones, 1);
    PeerWorld other;
    other.configuration.complete = false;
    other.peer(1);
    other.run(10s);
    EXPECT_EQ(other.configuration.alones, 0);
}

TEST(ANode, SaysGoodbyeThreeTimes) {
    PeerWorld world;
    world.run(3s);
    world.forget_sent();
    world.node->leave();
    world.node->leave();
    EXPECT_FALSE(world.node->is_gone());
    world.run(250ms);
    EXPECT_EQ(world.sent(Type::leave), 3U);
    EXPECT_TRUE(world.node->is_gone());
}

TEST(APeerThatLeaves, HasLeftAtOnceAndIsNotBroughtBackByWhatWasOvertaken) {
    PeerWorld world;
    auto& peer = world.peer(1);
    world.run(2s);
    peer.is_silent = true;
    const auto late = peer.says(Type::heartbeat, world.clocks.wall_ms());
    world.hears(peer, Type::leave, [](Draft& draft) { draft.core.state = Announced::leaving; });
    EXPECT_EQ(world.standing(1), Standing::left);
    world.hears(peer, late);
    EXPECT_EQ(world.standing(1), Standing::left);
    EXPECT_EQ(world.node->counts().deaths, 0U);
}

TEST(ADrainingNode, SaysSo) {
    PeerWorld world;
    world.run(3s);
    world.node->drain(true);
    world.run(300ms);
    EXPECT_EQ(world.node->state(), Announced::draining);
    ASSERT_TRUE(
        world.last(Type::heartbeat, [](const Message& m) { EXPECT_EQ(m.core.state, Announced::draining); }));
    EXPECT_FALSE(takes_work(Standing::draining));
}

TEST(Published, ValuesAreInEveryHeartbeatAndAllNamesWithinTen) {
    PeerWorld world;
    std::vector<Published> sources;
    for (int i = 0; i < 40; ++i) sources.push_back({"probes/p" + std::to_string(i) + "/value", i});
    sources.push_back({"probes/none", std::nullopt});
    world.run(8s);
    world.node->set_published(sources);
    world.forget_sent();
    world.run(11s);
    std::set<std::string> names;
    for (const auto& one : world.transport.sent) {
        const auto message = world.opener.open(one.bytes);
        ASSERT_TRUE(message);
        if (message->header.type != Type::heartbeat) continue;
        EXPECT_EQ(message->loads.size(), 40U);
        message->sources.each([&](const SourceName& name) { names.emplace(name.path); });
    }
    EXPECT_EQ(names.size(), 41U);
}

TEST(Values, WaitForTheirNamesAndAreGoneWhenTheyAreNotToldAnyMore) {
    PeerWorld world;
    auto& peer = world.peer(1);
    peer.is_silent = true;
    const std::array loads{Load{3, -7}};
    world.hears(peer, Type::heartbeat, [&](Draft& draft) { draft.loads = loads; });
    EXPECT_FALSE(world.node->values().read(peer.uid, kLoad));
    const std::array names{SourceName{3, kLoad}};
    world.hears(peer, Type::heartbeat, [&](Draft& draft) {
        draft.loads = loads;
        draft.sources = names;
    });
    ASSERT_TRUE(world.node->values().read(peer.uid, kLoad));
    EXPECT_EQ(world.node->values().read(peer.uid, kLoad)->value, -7);
    world.hears(peer, Type::heartbeat);
    EXPECT_FALSE(world.node->values().read(peer.uid, kLoad));
}

TEST(ForgedDatagrams, ChangeNothingAndAreToldOnceInTenMinutes) {
    PeerWorld world;
    world.run(2s);
    auto& peer = world.peer(1);
    peer.is_silent = true;
    const auto lines = world.log.lines().size();
    for (int i = 0; i < 1000; ++i) {
        auto bytes = peer.says(Type::heartbeat, world.clocks.wall_ms());
        bytes.back() ^= std::byte{1};
        world.hears(peer, bytes);
    }
    EXPECT_FALSE(world.knows(1));
    EXPECT_EQ(world.dropped(Drop::forged), 1000U);
    EXPECT_EQ(world.log.lines().size(), lines + 1);
    world.clock.advance(10min);
    auto bytes = peer.says(Type::heartbeat, world.clocks.wall_ms());
    bytes.back() ^= std::byte{1};
    world.hears(peer, bytes);
    EXPECT_EQ(world.log.lines().size(), lines + 2);
}

TEST(ForgedDatagrams, InAFloodLeaveRoomForThoseOfPeers) {
    PeerWorld world;
    auto& friendly = world.peer(2);
    world.run(2s);
    auto& hostile = world.peer(1);
    hostile.is_silent = friendly.is_silent = true;
    auto bytes = hostile.says(Type::heartbeat, world.clocks.wall_ms());
    bytes.back() ^= std::byte{1};
    for (int i = 0; i < 10'000; ++i) world.hears(hostile, bytes);
    EXPECT_GT(world.dropped(Drop::rate), 5000U);
    const auto received = world.node->counts().received;
    world.hears(friendly, Type::heartbeat);
    EXPECT_EQ(world.node->counts().received, received + 1);
}

TEST(TheTable, HoldsNoMoreThanItMayAndOnlyTheDeadMakeRoom) {
    PeerWorld world([](NodeSettings& settings) { settings.max_peers = 3; });
    for (std::uint8_t i = 1; i <= 3; ++i) world.peer(i);
    world.run(2s);
    world.peer(4);
    world.run(2s);
    EXPECT_EQ(world.node->peers().size(), 3U);
    EXPECT_FALSE(world.knows(4));
    EXPECT_GT(world.dropped(Drop::full), 0U);
    world.peer(1).is_silent = true;
    world.run(8s);
    EXPECT_TRUE(world.knows(4));
    EXPECT_FALSE(world.knows(1));
    EXPECT_THAT(world.listener.forgotten, Contains(NodeUid{1}));
}

TEST(TheTable, CostsAtMostAKibibyteForAPeerWithSixtyFourValues) {
    Peers peers(membership::limits::kPeers);
    Values values;
    Envelope opener(PlayedPeer::kCluster, NodeUid{999}, *std::make_unique<NullCipher>());
    std::optional<NodeUid> evicted;
    for (std::uint64_t i = 1; i <= membership::limits::kPeers; ++i)
        ASSERT_TRUE(peers.add(static_cast<NodeUid>(i), evicted));
    EXPECT_FALSE(evicted);
    std::vector<Load> loads;
    for (std::uint16_t i = 0; i < membership::limits::kSources; ++i) loads.push_back({i, i});
    PlayedPeer peer(1);
    NullCipher cipher;
    Envelope reader(PlayedPeer::kCluster, NodeUid{999}, cipher);
    const auto bytes = peer.says(Type::heartbeat, 1, [&](Draft& draft) { draft.loads = loads; });
    const auto message = reader.open(bytes);
    ASSERT_TRUE(message);
    for (std::uint64_t i = 1; i <= membership::limits::kPeers; ++i)
        values.take(static_cast<NodeUid>(i), *message, 1s, 1h);
    const auto each = (peers.bytes() + values.bytes()) / membership::limits::kPeers;
    RecordProperty("bytes", static_cast<int>(each));
    EXPECT_LE(each, 1100U) << "bytes";
    EXPECT_LE(peers.bytes() / membership::limits::kPeers, 460U);
}

TEST(AKnownPeer, IsHeardWithoutAllocating) {
    ASSERT_TRUE(counting_works());
    PeerWorld world;
    auto& peer = world.peer(1);
    peer.is_silent = true;
    const std::array loads{Load{1, 5}, Load{2, 6}};
    const std::array names{SourceName{1, kLoad}};
    std::vector<std::vector<std::byte>> datagrams;
    for (int i = 0; i < 60; ++i)
        datagrams.push_back(peer.says(Type::heartbeat, world.clocks.wall_ms(), [&](Draft& draft) {
            draft.loads = loads;
            draft.sources = names;
            draft.name = "one";
        }));
    for (int i = 0; i < 10; ++i) world.hears(peer, datagrams[static_cast<std::size_t>(i)]);
    EXPECT_EQ(allocations_in([&] {
                  for (std::size_t i = 10; i < 60; ++i) world.hears(peer, datagrams[i]);
              }),
              0U);
    EXPECT_EQ(world.node->counts().received, 60U);
}

TEST(WhatIsRemembered, StopsReplaysOverARestart) {
    std::vector<Node::Remembered> kept;
    std::vector<std::byte> old;
    {
        PeerWorld world;
        auto& peer = world.peer(1);
        peer.is_silent = true;
        old = peer.says(Type::heartbeat, world.clocks.wall_ms());
        world.hears(peer, old);
        kept = world.node->remember();
    }
    ASSERT_EQ(kept.size(), 1U);
    PeerWorld world;
    world.node->recall(kept);
    world.hears(world.peer(1), old);
    EXPECT_EQ(world.standing(1), Standing::dead);
    EXPECT_EQ(world.dropped(Drop::replay), 1U);
    world.peer(1).seq = 1;
    world.hears(world.peer(1), Type::heartbeat);
    EXPECT_EQ(world.standing(1), Standing::alive);
}

TEST(ANodeWithoutAGroup, TellsTheListedAndTheHeard) {
    PeerWorld world([](NodeSettings& settings) {
        settings.uses_group = false;
        settings.peers = {address_of(1), address_of(9)};
    });
    world.peer(1);
    world.peer(2);
    world.run(3s);
    world.forget_sent();
    world.run(5s);
    for (const int to : {1, 2, 9})
        EXPECT_GE(world.sent_to(Type::heartbeat, address_of(static_cast<std::uint8_t>(to))), 4U) << to;
    for (const auto& one : world.transport.sent) EXPECT_TRUE(one.to);
}

TEST(AJoinerWithoutAConfiguration, IsAnsweredByTheElectedOne) {
    std::size_t answered = 0;
    for (std::uint8_t joiner = 100; joiner < 140; ++joiner) {
        PeerWorld world;
        for (std::uint8_t i = 1; i <= 3; ++i) world.peer(i);
        world.run(3s);
        world.forget_sent();
        auto& newcomer = world.peer(joiner);
        newcomer.is_silent = true;
        newcomer.state = Announced::joining;
        world.hears(newcomer, Type::join);
        answered += world.sent_to(Type::heartbeat, newcomer.at);
    }
    EXPECT_GT(answered, 2U);
    EXPECT_LT(answered, 25U) << "one of four, each time another";
}

TEST(News, OfTheConfigurationIsToldThreeTimesUnlessNewerHasReplacedIt) {
    PeerWorld world;
    world.run(3s);
    world.forget_sent();
    const std::array<std::byte, 3> first{};
    const std::array<std::byte, 5> second{};
    world.node->spread(first);
    world.run(20ms);
    world.node->spread(second);
    world.run(300ms);
    EXPECT_EQ(world.sent(Type::conf_delta), 4U);
    ASSERT_TRUE(world.last(Type::conf_delta, [](const Message& m) { EXPECT_EQ(m.delta.size(), 5U); }));
}

} // namespace
} // namespace schedd::test
