// node_drain: who leaves, in which order and to where, and who cannot.
#include <gmock/gmock.h>

#include "tests/unit/policies/sender.h"

namespace schedd::policies {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct ADrain : testing::Test, test::Sender {
    explicit ADrain(const std::vector<std::string>& links = {"load/load node_load",
                                                             "load/process_load process_load"})
        : Sender(kNodeDrain, {"load"}, links) {
        world.cluster.fill(3);
        for (const auto& [pid, load] : {std::pair(10, 800), {11, 900}, {12, 100}}) add(pid, load, "load");
        tell(1, "load", 0);
        tell(2, "load", 0);
    }
    void drain(bool is_draining = true) {
        world.cluster.rows[0].is_draining = is_draining;
        world.cluster.rows[0].takes_work = !is_draining;
        nodes_changed();
    }
    /// What leaves in so many seconds, if each move succeeds.
    std::vector<std::string> leave(int seconds) {
        std::vector<std::string> gone;
        for (int i = 0; i < seconds; ++i) {
            for (auto& move : moves()) {
                gone.push_back(move);
                mover.last = world.clock.now();
                remove(last_moves[0].target.pid);
            }
            pass(std::chrono::milliseconds(500));
        }
        return gone;
    }
};

TEST_F(ADrain, LetsAllBeOnANodeThatStays) {
    EXPECT_THAT(leave(10), IsEmpty());
    EXPECT_EQ(read("note"), "");
    EXPECT_EQ(policy().next_due(), kNever);
}
TEST_F(ADrain, MovesTheLargestFirstAndSpreadsThem) {
    drain();
    EXPECT_TRUE(policy().due());
    EXPECT_THAT(leave(10), ElementsAre("11 -> 1", "10 -> 2", "12 -> 2"));
    EXPECT_THAT(moves(), IsEmpty());
    EXPECT_EQ(read("left"), "0");
    EXPECT_EQ(read("note"), "this node drains");
}
TEST_F(ADrain, ForcesNoMoveToBeWorthIt) {
    drain();
    (void)moves();
    ASSERT_EQ(last_moves.size(), 1U);
    EXPECT_EQ(last_moves[0].gain, 0);
    EXPECT_EQ(last_moves[0].reason, "this node drains; node 1 (beta) has least to do");
}
TEST_F(ADrain, LeavesTwoSecondsBetweenTwo) {
    drain();
    EXPECT_EQ(leave(4).size(), 1U);
    EXPECT_EQ(leave(1).size(), 1U);
}
TEST_F(ADrain, TriesTheOthersBeforeOneThatFailedAgain) {
    drain();
    std::vector<std::string> asked;
    for (int i = 0; i < 4; ++i) {
        asked.push_back(moves().at(0).substr(0, 2));
        pass(std::chrono::seconds(2));
        for (const auto& [pid, load] : {std::pair(10, 800), {11, 900}, {12, 100}}) want(pid, load, "load");
        tell(1, "load", 0);
    }
    EXPECT_THAT(asked, ElementsAre("11", "10", "12", "11"));
}
TEST_F(ADrain, NamesWhoCannotBeMoved) {
    drain();
    mover.immobile[Target::process(10, 1)] = "it has a device open";
    mover.immobile[Target::process(12, 1)] = "it has a terminal";
    EXPECT_THAT(leave(10), ElementsAre("11 -> 1"));
    EXPECT_EQ(read("left"), "2");
    EXPECT_EQ(read("note"), "this node drains; process:10 cannot: it has a device open; nor can 1 more");
    EXPECT_THAT(considered(10), ElementsAre("it cannot be moved: it has a device open", HasSubstr("node 2")));
}
TEST_F(ADrain, StopsWhenTheNodeStaysAfterAll) {
    drain();
    EXPECT_EQ(moves().size(), 1U);
    drain(false);
    pass(std::chrono::seconds(3));
    EXPECT_THAT(moves(), IsEmpty());
    EXPECT_THAT(considered(10).front(), HasSubstr("if this node drained"));
}
TEST_F(ADrain, WithNowhereToGoWaits) {
    for (auto& row : world.cluster.rows) row.takes_work = false;
    drain();
    EXPECT_THAT(moves(), IsEmpty());
    EXPECT_THAT(considered(10).front(), HasSubstr("no other node of the node set takes work"));
    world.cluster.rows[2].takes_work = true;
    EXPECT_THAT(moves(), ElementsAre("11 -> 2"));
}

struct ABlindDrain : ADrain {
    ABlindDrain() : ADrain({}) {}
};
TEST_F(ABlindDrain, SpreadsByWhatItSentAlone) {
    drain();
    EXPECT_THAT(leave(10), ElementsAre("10 -> 1", "11 -> 2", "12 -> 1"));
}

} // namespace
} // namespace schedd::policies
