// Node numbers: which a node takes, and who keeps one that two have.
#include <gmock/gmock.h>

#include "tests/kit/peer_world.h"

namespace schedd::membership {
namespace {

using namespace schedd::test;

TEST(Numbers, AreTheLowestFreeTheLastHadOrTheWantedOne) {
    PeerWorld lowest;
    lowest.peer(1);
    lowest.run(500ms);
    lowest.hears(lowest.peer(1), Type::heartbeat, [](Draft& draft) { draft.number = 0; });
    lowest.run(5s);
    EXPECT_EQ(lowest.node->number(), 1);
    PeerWorld last([](NodeSettings& settings) { settings.last_number = 9; });
    last.run(5s);
    EXPECT_EQ(last.node->number(), 9);
    PeerWorld wanted([](NodeSettings& settings) { settings.number = 4; });
    wanted.run(2s);
    EXPECT_EQ(wanted.node->number(), 4);
    EXPECT_EQ(wanted.node->find("4"), PeerWorld::kSelf);
}

TEST(Numbers, ThatTwoHaveAreKeptByTheConfiguredOneAndThenByTheSmallerUid) {
    PeerWorld world;
    world.run(5s); // alone: a smaller uid that has no number yet would be left the lowest
    ASSERT_EQ(world.node->number(), 0);
    world.hears(world.peer(1), Type::heartbeat, [](Draft& draft) { draft.number = 0; });
    EXPECT_FALSE(world.node->number()) << "uid 1 is smaller than 50";
    EXPECT_NE(world.node->number_trouble(), "");
    world.run(5s);
    EXPECT_EQ(world.node->number(), 1);
    PeerWorld wanted([](NodeSettings& settings) { settings.number = 3; });
    wanted.peer(1);
    wanted.run(2s);
    wanted.hears(wanted.peer(1), Type::heartbeat, [](Draft& draft) { draft.number = 3; });
    EXPECT_EQ(wanted.node->number(), 3);
    EXPECT_EQ(wanted.node->peer(NodeUid{1})->number, -1);
    EXPECT_NE(wanted.node->peer(NodeUid{1})->trouble, "");
    wanted.hears(wanted.peer(1), Type::heartbeat, [](Draft& draft) {
        draft.number = 3;
        draft.header.flags = flags::kNumberWanted;
    });
    wanted.run(3s);
    EXPECT_FALSE(wanted.node->number());
}

TEST(Numbers, ThatTwoHaveAreToldWithTheNewNameOfTheNodeAndSoTheFingerprintChanges) {
    PeerWorld world([](NodeSettings& settings) { settings.number = 3; });
    world.run(2s);
    world.hears(world.peer(1), Type::heartbeat, [](Draft& draft) { draft.number = 3; });
    const auto before = world.node->fingerprint();
    world.node->set_name("renamed");
    EXPECT_EQ(world.node->peer(NodeUid{1})->trouble, "number 3 is renamed's");
    EXPECT_NE(world.node->fingerprint(), before);
}
} // namespace
} // namespace schedd::membership
