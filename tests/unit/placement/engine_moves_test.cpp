// Work for other nodes: what policies want moved reaches the mover, and new work finds its node in the order
// of the stack.
#include <gmock/gmock.h>

#include "tests/kit/fake_mover.h"
#include "tests/unit/placement/an_engine.h"

namespace schedd::placement {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct WorkForOtherNodes : AnEngine {
    test::FakeMover mover;
    WorkForOtherNodes() {
        world.cluster.fill(3);
        engine->nodes_changed();
        engine->set_mover(&mover);
    }
    void wants(std::vector<Move> moves) {
        policy().set_moves(std::move(moves));
        decide({});
    }
    std::string ejected(const std::string& scheduler = "S") {
        return world.read("schedulers/" + scheduler + ".ejected");
    }
    std::string place(const NewTask& task) {
        const auto placed = engine->place_task(task, world.clock.now());
        return placed ? fmt::format("{} {}", placed->scheduler, placed->to.node) : placed.error().text();
    }
};

TEST_F(WorkForOtherNodes, IsHandedToTheMoverOncePerDecision) {
    attach(10);
    wants({{.target = process(10), .to = 1, .reason = "it is idle"}});
    EXPECT_TRUE(policy().has_movement());
    EXPECT_THAT(mover.asked, ElementsAre("S process:10 -> 1: it is idle"));
    tick();
    const auto decided = static_cast<std::size_t>(policy().decided());
    EXPECT_EQ(mover.asked.size(), decided);
}
TEST_F(WorkForOtherNodes, ThatIsRefusedIsToldWithTheReason) {
    attach(10);
    mover.immobile[process(10)] = "it has a device open";
    wants({{.target = process(10), .to = 1, .reason = "x"}});
    EXPECT_EQ(world.log.count("it has a device open"), 1U);
    EXPECT_EQ(ejected(), "");
}
TEST_F(WorkForOtherNodes, IsExplainedWithWhatSpeaksAgainstAMove) {
    attach(10);
    mover.immobile[process(10)] = "it has a device open";
    tick();
    const auto rows = engine->explain("process:10").value();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_THAT(rows[0].considered, ElementsAre(ElementsAre("it may move: it has a device open")));
}
TEST_F(WorkForOtherNodes, OfStrangersEjectsThePolicy) {
    wants({{.target = process(11), .to = 1, .reason = "x"}});
    EXPECT_THAT(ejected(), HasSubstr("process:11 moved, which is not in its process set"));
    EXPECT_THAT(mover.asked, IsEmpty());
}
TEST_F(WorkForOtherNodes, ForANodeThatIsNotThereOrTakesNoneEjectsThePolicy) {
    attach(10);
    wants({{.target = process(10), .to = 7, .reason = "x"}});
    EXPECT_THAT(ejected(), HasSubstr("node 7, which is not in its node set"));
    EXPECT_THAT(mover.asked, IsEmpty());
}
TEST_F(WorkForOtherNodes, ForThisNodeEjectsThePolicy) {
    attach(10);
    wants({{.target = process(10), .to = 0, .reason = "x"}});
    EXPECT_THAT(ejected(), HasSubstr("moved to this node"));
}
TEST_F(WorkForOtherNodes, ForOneThatDrainsEjectsThePolicy) {
    world.cluster.rows[2].takes_work = false;
    engine->nodes_changed();
    attach(10);
    wants({{.target = process(10), .to = 2, .reason = "x"}});
    EXPECT_THAT(ejected(), HasSubstr("which takes no work"));
}
TEST_F(WorkForOtherNodes, IsNotAskedForWithoutAMoverOrWithoutNodes) {
    attach(10);
    engine->set_mover(nullptr);
    wants({{.target = process(10), .to = 1, .reason = "x"}});
    engine->set_mover(&mover);
    world.cluster.rows.clear();
    engine->nodes_changed();
    decide({});
    EXPECT_THAT(mover.asked, IsEmpty());
    EXPECT_EQ(ejected(), "");
}
TEST_F(WorkForOtherNodes, IsNotMovedByARehearsal) {
    attach(10);
    policy().set_moves({{.target = process(10), .to = 1, .reason = "x"}});
    policy().make_due();
    (void)engine->rehearse(world.clock.now());
    EXPECT_THAT(mover.asked, IsEmpty());
}

/// Members of a scheduler whose node set this node has left.
struct WorkLeftBehind : WorkForOtherNodes {
    WorkLeftBehind() {
        attach(10);
        tick();
        policy().set_moves({{.target = process(10), .to = 1, .reason = "not for this node"}});
        EXPECT_TRUE(world.apply("write schedulers/S.node_set 1-2"));
        tick();
    }
};
TEST_F(WorkLeftBehind, MayStillBeMovedAway) {
    EXPECT_THAT(mover.asked, ElementsAre("S process:10 -> 1: not for this node"));
    EXPECT_EQ(ejected(), "");
    const int decided = policy().decided();
    policy().make_due();
    EXPECT_LE(engine->next_due(), world.clock.now());
    tick();
    EXPECT_EQ(mover.asked.size(), 2U);
    EXPECT_EQ(policy().decided(), decided) << "it decides nothing here";
}
TEST_F(WorkLeftBehind, IsMovedToNodesOfTheSetAlone) {
    policy().set_moves({{.target = process(10), .to = 0, .reason = "x"}});
    policy().make_due();
    tick();
    EXPECT_THAT(ejected(), HasSubstr("node 0, which is not in its node set"));
    EXPECT_EQ(mover.asked.size(), 1U);
}
TEST_F(WorkLeftBehind, IsNotAskedAboutWhereNothingMovesOrNobodyIsLeft) {
    engine->set_mover(nullptr);
    policy().make_due();
    EXPECT_EQ(engine->next_due(), world.at<Probe>("probes/cpu").next_due());
    engine->set_mover(&mover);
    ASSERT_TRUE(world.apply("remove schedulers/S/process_set/process:10"));
    tick();
    policy().make_due();
    EXPECT_EQ(engine->next_due(), world.at<Probe>("probes/cpu").next_due());
    tick();
    EXPECT_EQ(mover.asked.size(), 1U);
}

TEST_F(WorkForOtherNodes, NewWorkStaysHereUnlessSomebodyHasANode) {
    EXPECT_EQ(place({.command = "make"}), " 0");
    policy().set_destination(Destination{2, "idle"});
    EXPECT_EQ(place({.command = "make"}), " 0") << "nobody is asked about who is no member";
    attach(10);
    EXPECT_EQ(place({.command = "make", .caller = 10}), "S 2");
    ASSERT_EQ(policy().tasks().size(), 1U);
    EXPECT_EQ(policy().tasks()[0].command, "make");
}
TEST_F(WorkForOtherNodes, NewWorkAsksExplicitMembershipFirstAndThenAll) {
    second_scheduler();
    ASSERT_TRUE(world.apply("write schedulers/T/process_set.handle_all true"));
    policy("T").set_destination(Destination{1, "all"});
    policy().set_destination(Destination{2, "mine"});
    attach(10);
    EXPECT_EQ(place({.caller = 10}), "S 2");
    EXPECT_EQ(place({.caller = 11}), "T 1");
    policy().set_destination(std::nullopt);
    EXPECT_EQ(place({.caller = 10}), "T 1") << "who has no node leaves it to the next";
    ASSERT_TRUE(world.apply("write schedulers/T.precedence 5"));
    policy().set_destination(Destination{2, "mine"});
    EXPECT_EQ(place({.caller = 10}), "T 1");
}
TEST_F(WorkForOtherNodes, NewWorkAsksTheSchedulerItNames) {
    policy().set_destination(Destination{1, "x"});
    EXPECT_EQ(place({.scheduler = "S"}), "S 1");
    EXPECT_THAT(place({.scheduler = "nobody"}), HasSubstr("scheduler 'nobody'"));
}
TEST_F(WorkForOtherNodes, NewWorkIsNotSentToWhoRefused) {
    policy().set_destination(Destination{1, "x"});
    EXPECT_EQ(place({.scheduler = "S", .refused = {1}}), " 0");
    EXPECT_THAT(ejected(), HasSubstr("node 1 again, which has refused"));
}
TEST_F(WorkForOtherNodes, NewWorkIsNotPlacedByAFrozenScheduler) {
    policy().set_destination(Destination{1, "x"});
    attach(10);
    decide({{process(10), cpus("1"), "x"}});
    engine->freeze(false, {"S"});
    EXPECT_EQ(place({.caller = 10}), " 0");
}
TEST_F(WorkForOtherNodes, NewWorkMayStayWhereItIsByDecision) {
    policy().set_destination(Destination{0, "here is best"});
    EXPECT_EQ(place({.scheduler = "S"}), "S 0");
}

} // namespace
} // namespace schedd::placement
