// Where new work goes: round_robin_balancer's ring, remote_clone_LB's choice.
#include <map>

#include <gmock/gmock.h>

#include "tests/unit/policies/sender.h"

namespace schedd::policies {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Nodes = std::vector<NodeId>;

struct ARing : testing::Test, test::Sender {
    ARing() : Sender(kRoundRobinBalancer, {}, {}) { numbers({0, 2, 3, 5}, 0); }
    void numbers(const Nodes& all, NodeId self) {
        world.cluster.rows.clear();
        for (const auto number : all)
            world.cluster.rows.push_back(
                {.number = number, .name = "n", .takes_work = true, .is_self = number == self});
    }
    Nodes places(int count) {
        Nodes all;
        for (int i = 0; i < count; ++i) all.push_back(place());
        return all;
    }
};

TEST_F(ARing, OfFourNodesAskedOnTheFirst) {
    EXPECT_EQ(read("last_target"), "-1");
    EXPECT_EQ(places(5), (Nodes{2, 3, 5, 0, 2}));
    EXPECT_EQ(read("last_target"), "2");
    EXPECT_EQ(last_place->reason, "node 2 (n) is the next after 0");
}
TEST_F(ARing, BeginsAfterTheNodeThatAsks) {
    numbers({0, 2, 3, 5}, 5);
    EXPECT_EQ(places(2), (Nodes{0, 2}));
}
TEST_F(ARing, OfThreeGoesRound) {
    numbers({0, 1, 2}, 0);
    EXPECT_EQ(places(5), (Nodes{1, 2, 0, 1, 2}));
}
TEST_F(ARing, PassesOverWhoTakesNoneRefusedOrHasNoNumber) {
    numbers({-1, 0, 1, 2}, 1);
    world.cluster.rows[3].takes_work = false;
    EXPECT_EQ(places(2), (Nodes{0, 1}));
    EXPECT_EQ(place({0}), 1);
    EXPECT_EQ(place({0, 1}), -1);
}
TEST_F(ARing, GoesOnWhenTheLastTargetHasGone) {
    EXPECT_EQ(places(2), (Nodes{2, 3}));
    numbers({0, 2, 5}, 0);
    EXPECT_EQ(place(), 5);
}
TEST_F(ARing, WithoutAClusterIsEmpty) {
    world.cluster.rows.clear();
    EXPECT_EQ(place(), -1);
    EXPECT_THAT(policy().considered(view(), {}).back(), HasSubstr("no node takes new work"));
}

struct ARemoteClone : testing::Test, test::Sender {
    ARemoteClone() : Sender(kRemoteCloneLb, {"load"}, {"load/load node_load"}, 2) { world.cluster.fill(2); }
    void loads(const std::vector<std::int64_t>& all) {
        if (world.cluster.rows.size() != all.size()) world.cluster.fill(static_cast<int>(all.size()));
        set("load", all[0]);
        for (std::size_t i = 1; i < all.size(); ++i) tell(static_cast<NodeId>(i), "load", all[i]);
    }
};

TEST_F(ARemoteClone, KeepsWorkHereWhileThereIsRoom) {
    loads({1000, 0});
    EXPECT_EQ(place(), 0) << "1000 + 1000 on two CPUs";
    EXPECT_EQ(last_place->reason, "there is room here: 2000 on 2 CPUs with it");
    EXPECT_EQ(place(), 1) << "what was placed just now counts";
    EXPECT_EQ(read("last_target"), "1");
}
TEST_F(ARemoteClone, CountsWhatItPlacedUntilThatIsMeasured) {
    loads({0, 0});
    EXPECT_EQ(place(), 0);
    EXPECT_EQ(place(), 0);
    EXPECT_EQ(place(), 1);
    EXPECT_EQ(place(), 1);
    EXPECT_EQ(place(), 0) << "both would have three: it stays";
    pass(std::chrono::seconds(3));
    loads({0, 0}); // all has ended
    EXPECT_EQ(place(), 0);
}
TEST_F(ARemoteClone, StaysWhereTheOthersAreNoBetter) {
    loads({3000, 3000});
    EXPECT_EQ(place(), 0);
    EXPECT_EQ(last_place->reason, "node 1 (beta) would have 4000 on 2 CPUs, here it is 4000");
    loads({3000, 2999});
    pass(std::chrono::seconds(3));
    loads({3000, 2999});
    EXPECT_EQ(place(), 1);
}
TEST_F(ARemoteClone, TakesTheBetterOfTwoDrawnByChance) {
    std::map<NodeId, int> chosen;
    for (int i = 0; i < 300; ++i) {
        pass(std::chrono::seconds(3));
        loads({9000, 1000, 2000, 3000});
        ++chosen[place()];
    }
    EXPECT_GT(chosen[1], chosen[2]);
    EXPECT_GT(chosen[2], 50);
    EXPECT_EQ(chosen[3], 0);
    EXPECT_EQ(chosen[0], 0);
}
TEST_F(ARemoteClone, SendsNothingToWhoToldNothingTakesNothingOrRefused) {
    loads({9000, 0, 0, 0});
    world.cluster.rows[1].takes_work = false;
    EXPECT_EQ(place({2}), 3);
    EXPECT_EQ(place({2, 3}), 0);
    EXPECT_EQ(place({0, 2, 3}), -1);
    pass(std::chrono::seconds(4));
    set("load", 9000);
    EXPECT_EQ(place(), 0);
    EXPECT_EQ(last_place->reason, "no other node has told its load");
}
TEST_F(ARemoteClone, KnowingNothingOfItselfStays) {
    loads({0, 0});
    probe("load").clear_load();
    EXPECT_EQ(place(), 0);
    EXPECT_EQ(place({0}), 1);
}
TEST_F(ARemoteClone, OnANodeThatDrainsGoesElsewhere) {
    loads({0, 5000});
    world.cluster.rows[0].takes_work = false;
    EXPECT_EQ(place(), 1);
}
TEST_F(ARemoteClone, HasMoreOrLessRoomAsToldTo) {
    loads({0, 0});
    write("room", "0");
    EXPECT_EQ(place(), 0) << "node 1 is no better";
    loads({1, 0});
    pass(std::chrono::seconds(3));
    loads({1, 0});
    EXPECT_EQ(place(), 1);
    write("room", "300");
    write("task_load", "500");
    pass(std::chrono::seconds(3));
    loads({5000, 0});
    EXPECT_EQ(place(), 0);
    EXPECT_EQ(place(), 0) << "6000 on two CPUs";
    EXPECT_EQ(place(), 1);
}
TEST_F(ARemoteClone, ExplainsWhatEachNodeWouldHave) {
    loads({3000, 500});
    add(10, 1000, "load");
    EXPECT_THAT(considered(10),
                ElementsAre("it stays where it is: only new work finds its node here",
                            "this node would have 4000 on 2 CPUs with new work, and has room for 2000",
                            "node 1 (beta) would have 1500 on 2 CPUs"));
}

} // namespace
} // namespace schedd::policies
