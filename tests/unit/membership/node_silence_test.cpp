// A peer that falls silent: late, suspect, asked by all ways, dead; and what the node is at fault for itself.
#include <gmock/gmock.h>

#include "tests/kit/peer_world.h"

namespace schedd::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct ASilentPeer : testing::Test {
    PeerWorld world;
    /// Twelve peers, of which two die.
    void let_two_die() {
        for (std::uint8_t i = 1; i <= 12; ++i) world.peer(i);
        world.run(5s);
        for (std::uint8_t i = 11; i <= 12; ++i) {
            world.peer(i).is_silent = true;
            world.hears(world.peer(i), Type::heartbeat);
        }
        world.run(7s);
    }
    /// Six peers that beat; the sixth falls silent just after a heartbeat.
    void begin() {
        for (std::uint8_t i = 1; i <= 6; ++i) world.peer(i);
        world.run(5s);
        auto& sixth = world.peer(6);
        sixth.is_silent = true;
        world.hears(sixth, Type::heartbeat);
        world.listener.changes.clear();
        world.forget_sent();
    }
};

TEST_F(ASilentPeer, IsLateThenSuspectThenDead) {
    begin();
    world.run(2490ms);
    EXPECT_EQ(world.standing(6), Standing::alive);
    world.run(20ms);
    EXPECT_EQ(world.standing(6), Standing::late);
    world.run(1s);
    EXPECT_EQ(world.standing(6), Standing::suspect);
    world.run(1970ms);
    EXPECT_EQ(world.standing(6), Standing::suspect);
    world.run(50ms);
    EXPECT_EQ(world.standing(6), Standing::dead);
    EXPECT_THAT(world.listener.changes,
                ElementsAre("06 alive -> late", "06 late -> suspect", "06 suspect -> dead"));
    EXPECT_THAT(world.configuration.gone, ElementsAre(NodeUid{6}));
    EXPECT_EQ(world.node->counts().deaths, 1U);
}

TEST_F(ASilentPeer, IsPingedEveryHalfPeriodOnceItIsSuspect) {
    begin();
    world.run(3480ms);
    EXPECT_EQ(world.sent_to(Type::ping, world.peer(6).at), 0U);
    world.run(2s);
    EXPECT_EQ(world.sent_to(Type::ping, world.peer(6).at), 4U);
}

TEST_F(ASilentPeer, IsProbedByThreeOthersAfterFourAndAHalfPeriods) {
    begin();
    world.run(4480ms);
    EXPECT_EQ(world.sent(Type::ping_request), 0U);
    world.run(40ms);
    EXPECT_EQ(world.sent(Type::ping_request), 3U);
    ASSERT_TRUE(world.last(Type::ping_request,
                           [](const Message& message) { EXPECT_EQ(message.target, NodeUid{6}); }));
}

TEST_F(ASilentPeer, IsToldOfTheSuspicionInTheNextHeartbeat) {
    begin();
    world.run(5s);
    std::size_t accusations = 0;
    for (const auto& one : world.transport.sent) {
        const auto message = world.opener.open(one.bytes);
        ASSERT_TRUE(message);
        message->suspicions.each([&](const Suspicion& suspicion) {
            ++accusations;
            EXPECT_EQ(suspicion.accused, NodeUid{6});
            EXPECT_EQ(suspicion.boot, (Boot{1, 100}));
        });
    }
    EXPECT_EQ(accusations, 1U);
}

TEST_F(ASilentPeer, ThatAnswersAPingIsAliveAndRefuted) {
    begin();
    world.peer(6).answers = true;
    world.run(6s);
    EXPECT_EQ(world.standing(6), Standing::alive);
    EXPECT_GE(world.node->counts().refuted, 1U);
    EXPECT_EQ(world.node->counts().deaths, 0U);
}

TEST_F(ASilentPeer, WhoseHeartbeatsAloneAreMissingIsAskedForCopiesUntilTheGroupIsHeardAgain) {
    begin();
    auto& sixth = world.peer(6);
    sixth.answers = true;
    world.run(8s);
    EXPECT_TRUE(world.node->peer(NodeUid{6})->is_unicast);
    ASSERT_TRUE(world.last(Type::ping, [](const Message& message) {
        EXPECT_EQ(message.header.flags & flags::kLease, flags::kLease);
    }));
    world.hears(sixth, Type::heartbeat, nullptr, false);
    EXPECT_TRUE(world.node->peer(NodeUid{6})->is_unicast) << "that was a copy";
    world.hears(sixth, Type::heartbeat);
    EXPECT_FALSE(world.node->peer(NodeUid{6})->is_unicast);
}

/// An answer from before its death says nothing of whether its heartbeats come now.
TEST_F(ASilentPeer, IsNotAskedForCopiesAsSoonAsItIsBack) {
    begin();
    auto& sixth = world.peer(6);
    sixth.answers = true;
    world.run(4s);
    ASSERT_EQ(world.standing(6), Standing::alive) << "it has answered";
    sixth.answers = false;
    world.run(6s);
    ASSERT_EQ(world.standing(6), Standing::dead);
    sixth.answers = true;
    for (int i = 0; i < 110 && world.standing(6) == Standing::dead; ++i) world.run(100ms);
    ASSERT_EQ(world.standing(6), Standing::alive) << "it has answered the ping of a dead one";
    EXPECT_FALSE(world.node->peer(NodeUid{6})->is_unicast);
    world.run(5s);
    EXPECT_TRUE(world.node->peer(NodeUid{6})->is_unicast) << "its heartbeats do not come";
}

TEST_F(ASilentPeer, IsNotDeadWhileAnotherVouchesForIt) {
    begin();
    world.run(4510ms);
    std::uint64_t nonce = 0;
    ASSERT_TRUE(world.last(Type::ping_request, [&](const Message& message) { nonce = *message.nonce; }));
    world.hears(world.peer(2), Type::ack, [&](Draft& draft) {
        draft.nonce = nonce;
        draft.target = NodeUid{6};
    });
    world.run(5s);
    EXPECT_EQ(world.standing(6), Standing::suspect);
    world.run(1s);
    EXPECT_EQ(world.standing(6), Standing::dead);
}

TEST_F(ASilentPeer, IsNotVouchedForWithAnotherNonce) {
    begin();
    world.run(4510ms);
    world.hears(world.peer(2), Type::ack, [&](Draft& draft) {
        draft.nonce = 12345;
        draft.target = NodeUid{6};
    });
    world.run(1500ms);
    EXPECT_EQ(world.standing(6), Standing::dead);
}

TEST_F(ASilentPeer, ThatIsHeardAgainAfterItsDeathIsAlive) {
    begin();
    world.run(7s);
    ASSERT_EQ(world.standing(6), Standing::dead);
    world.hears(world.peer(6), Type::heartbeat);
    EXPECT_EQ(world.standing(6), Standing::alive);
    world.peer(6).is_silent = true;
    world.run(6s);
    EXPECT_EQ(world.standing(6), Standing::dead) << "it is watched again";
}

/// A partition has healed: whose next heartbeat is lost is not waited for.
TEST_F(ASilentPeer, IsAskedForSoonAfterAnotherOfTheDeadHasComeBack) {
    let_two_die();
    ASSERT_EQ(world.standing(11), Standing::dead);
    ASSERT_EQ(world.standing(12), Standing::dead);
    world.hears(world.peer(11), Type::heartbeat);
    world.peer(11).is_silent = false;
    world.forget_sent();
    world.run(1150ms);
    EXPECT_EQ(world.sent_to(Type::ping, world.peer(12).at), 0U) << "its heartbeat may be on its way";
    world.run(100ms);
    EXPECT_EQ(world.sent_to(Type::ping, world.peer(12).at), 1U);
    world.run(1s);
    EXPECT_EQ(world.sent_to(Type::ping, world.peer(12).at), 3U) << "and then it is dead as before";
    world.hears(world.peer(11), Type::heartbeat);
    world.run(1s);
    EXPECT_EQ(world.sent_to(Type::ping, world.peer(12).at), 3U) << "that one was not dead";
}

TEST_F(ASilentPeer, ThatIsAskedForAfterAPartitionIsThereAgain) {
    let_two_die();
    world.peer(11).is_silent = false;
    world.peer(12).answers = true;
    world.hears(world.peer(11), Type::heartbeat);
    world.run(1300ms);
    EXPECT_EQ(world.standing(12), Standing::alive);
}

TEST(TheFingerprint, ChangesWithWhatIsToldAndNotWithTime) {
    PeerWorld world;
    for (std::uint8_t i = 1; i <= 4; ++i) world.peer(i);
    world.run(10s);
    const auto before = world.node->fingerprint();
    world.run(10s);
    EXPECT_EQ(world.node->fingerprint(), before);
    world.peer(4).is_silent = true;
    world.run(4s);
    ASSERT_EQ(world.standing(4), Standing::suspect);
    const auto without = world.node->fingerprint();
    EXPECT_NE(without, before);
    world.peer(4).is_silent = false;
    world.run(2s);
    EXPECT_EQ(world.node->fingerprint(), before);
}

TEST_F(ASilentPeer, IsJudgedByItsOwnPeriod) {
    begin();
    world.peer(6).period = 40;
    world.hears(world.peer(6), Type::heartbeat);
    world.run(9500ms);
    EXPECT_EQ(world.standing(6), Standing::alive);
    world.run(5s);
    EXPECT_EQ(world.standing(6), Standing::suspect);
}

TEST_F(ASilentPeer, IsForgottenAfterSevenDays) {
    begin();
    world.run(6s);
    world.clock.advance(membership::limits::kRemembered - 10s);
    world.node->tick();
    EXPECT_TRUE(world.knows(6));
    world.clock.advance(10s);
    world.node->tick();
    EXPECT_FALSE(world.knows(6));
    EXPECT_THAT(world.listener.forgotten, testing::Contains(NodeUid{6}));
}

TEST_F(ASilentPeer, IsPingedOnceInTenSecondsWhenItIsDead) {
    begin();
    world.run(6s);
    world.forget_sent();
    world.run(60s);
    EXPECT_EQ(world.sent_to(Type::ping, world.peer(6).at), 6U);
}

TEST_F(ASilentPeer, TakesItsValuesAlong) {
    begin();
    const std::array loads{Load{1, 42}};
    const std::array names{SourceName{1, "probes/cpu/node_load"}};
    world.hears(world.peer(6), Type::heartbeat, [&](Draft& draft) {
        draft.loads = loads;
        draft.sources = names;
    });
    ASSERT_TRUE(world.node->values().read(NodeUid{6}, "probes/cpu/node_load"));
    world.run(5400ms);
    EXPECT_TRUE(world.node->values().read(NodeUid{6}, "probes/cpu/node_load"));
    world.run(200ms);
    EXPECT_FALSE(world.node->values().read(NodeUid{6}, "probes/cpu/node_load"));
}

TEST_F(ASilentPeer, IsNotBlamedForTheNodesOwnPause) {
    begin();
    world.peer(6).is_silent = false;
    world.clock.advance(20s);
    world.node->tick();
    for (std::uint8_t i = 1; i <= 6; ++i) EXPECT_EQ(world.standing(i), Standing::alive) << int(i);
    EXPECT_GE(world.node->counts().worst_lag, 19s);
    world.run(3s);
    EXPECT_EQ(world.node->counts().suspicions, 0U);
}

TEST_F(ASilentPeer, IsNotBlamedForTheNodesOwnSleep) {
    begin();
    world.run(2s);
    world.clocks.asleep += 1min;
    world.run(2s);
    EXPECT_EQ(world.standing(6), Standing::alive);
    world.run(2s);
    EXPECT_NE(world.standing(6), Standing::alive) << "it is silent all the same";
}

TEST_F(ASilentPeer, IsNotBlamedForAPeriodAfterDatagramsWereLostHere) {
    begin();
    world.run(3400ms);
    world.node->overflowed();
    world.run(500ms);
    EXPECT_EQ(world.standing(6), Standing::late);
    world.run(600ms);
    EXPECT_EQ(world.standing(6), Standing::suspect);
}

TEST(AnIsolatedNode, HoldsItsVerdictsForThirtySecondsSaysSoAndAccusesNobody) {
    PeerWorld world;
    for (std::uint8_t i = 1; i <= 8; ++i) world.peer(i);
    world.run(5s);
    for (std::uint8_t i = 1; i <= 3; ++i) world.peer(i).is_silent = true;
    world.forget_sent();
    world.run(8s);
    EXPECT_EQ(world.standing(1), Standing::suspect);
    EXPECT_EQ(world.node->state(), Announced::isolated);
    world.run(20s);
    EXPECT_EQ(world.node->counts().deaths, 0U);
    world.run(5s);
    EXPECT_EQ(world.node->counts().deaths, 3U);
    EXPECT_EQ(world.node->state(), Announced::alive);
    EXPECT_GT(world.node->counts().isolated, 25s);
    for (const auto& one : world.transport.sent) {
        const auto message = world.opener.open(one.bytes);
        ASSERT_TRUE(message);
        EXPECT_TRUE(message->suspicions.empty());
    }
}

TEST(ADeafNodeAmongPeers, JoinsItsGroupsAnew) {
    PeerWorld world;
    world.peer(1);
    world.run(5s);
    EXPECT_EQ(world.transport.rejoins, 0);
    world.peer(1).is_silent = true;
    world.run(12s);
    EXPECT_EQ(world.transport.rejoins, 1);
    EXPECT_EQ(world.node->counts().rejoins, 1U);
}

TEST(AnAccusedNode, DefendsItselfAtOnceAndNotMoreThanFiveTimesASecond) {
    PeerWorld world;
    world.peer(1);
    world.run(5s);
    world.forget_sent();
    const auto accuse = [&](std::uint32_t incarnation) {
        const std::array accusations{Suspicion{PeerWorld::kSelf, {5, 500}, incarnation}};
        world.hears(world.peer(1), Type::heartbeat, [&](Draft& draft) { draft.suspicions = accusations; });
    };
    accuse(0);
    world.run(20ms);
    ASSERT_TRUE(world.last(Type::heartbeat, [](const Message& m) { EXPECT_EQ(m.core.incarnation, 1U); }));
    accuse(0);
    world.run(250ms);
    ASSERT_TRUE(world.last(Type::heartbeat, [](const Message& m) { EXPECT_EQ(m.core.incarnation, 1U); }))
        << "that accusation is answered already";
    world.forget_sent();
    for (std::uint32_t i = 1; i < 100; ++i) {
        accuse(i);
        world.run(10ms);
    }
    EXPECT_LE(world.sent(Type::heartbeat), 7U);
    accuse(UINT32_MAX);
    world.run(300ms);
    ASSERT_TRUE(
        world.last(Type::heartbeat, [](const Message& m) { EXPECT_EQ(m.core.incarnation, UINT32_MAX); }));
}

TEST(AnAccusedNode, DoesNotAnswerForAnotherLifeOrAnother) {
    PeerWorld world;
    world.peer(1);
    world.run(5s);
    const std::array accusations{Suspicion{PeerWorld::kSelf, {4, 400}, 9},
                                 Suspicion{NodeUid{3}, {5, 500}, 9}};
    world.hears(world.peer(1), Type::heartbeat, [&](Draft& draft) { draft.suspicions = accusations; });
    world.run(1500ms);
    ASSERT_TRUE(world.last(Type::heartbeat, [](const Message& m) { EXPECT_EQ(m.core.incarnation, 0U); }));
}

TEST(AHeartbeat, OfOneThatGoesTellsNoValuesAlsoIfItWasNotThere) {
    PeerWorld world;
    auto& peer = world.peer(1);
    peer.state = Announced::leaving;
    const std::array loads{Load{1, 5}};
    const std::array names{SourceName{1, "probes/cpu/node_load"}};
    world.hears(peer, Type::heartbeat, [&](Draft& draft) {
        draft.loads = loads;
        draft.sources = names;
    });
    EXPECT_EQ(world.standing(1), Standing::left);
    EXPECT_EQ(world.node->values().nodes(), 0U);
}

/// Sealed anew as of the next major version, and from `sender`.
std::vector<std::byte> as_of_version_two(std::vector<std::byte> bytes, NodeUid sender) {
    auto header = *wire::read_header(bytes);
    header.major = 2;
    header.sender = sender;
    const auto clear = Space(bytes).first(wire::kHeader);
    wire::write_header(header, bytes.size() - wire::kHeader, clear);
    const std::vector<std::byte> body(bytes.begin() + wire::kHeader + NullCipher::kNonce,
                                      bytes.end() - NullCipher::kTag);
    NullCipher().seal(header.key, clear, body, Space(bytes).subspan(wire::kHeader));
    return bytes;
}

TEST(AnotherMajorVersion, IsShownUnlessItHasThisNodesIdentityOrNone) {
    PeerWorld world;
    auto& peer = world.peer(1);
    peer.is_silent = true;
    const auto bytes = peer.says(Type::heartbeat, world.clocks.wall_ms());
    world.hears(peer, as_of_version_two(bytes, PeerWorld::kSelf));
    world.hears(peer, as_of_version_two(bytes, kNobody));
    EXPECT_TRUE(world.node->peers().empty());
    world.hears(peer, as_of_version_two(bytes, peer.uid));
    EXPECT_EQ(world.standing(1), Standing::incompatible);
    EXPECT_EQ(world.dropped(wire::Drop::major), 3U);
}

} // namespace
} // namespace schedd::test
