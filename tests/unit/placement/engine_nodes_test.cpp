// Schedulers for some nodes only: where one decides, what it lets go when this node leaves its set, what its
// policy sees of the nodes.
#include <gmock/gmock.h>

#include "tests/unit/placement/an_engine.h"

namespace schedd::placement {
namespace {

using testing::HasSubstr;

struct ASchedulerOfNodes : AnEngine {
    void three_nodes(int self = 0) {
        world.cluster.fill(3, self);
        engine->nodes_changed();
    }
    void place_10_on_2() {
        attach(10);
        decide({{process(10), cpus("2"), "x"}});
        ASSERT_EQ(actuator.mask(process(10)), cpus("2"));
    }
    void restart() {
        engine.emplace(world.tree, topology, actuator, ledger);
        engine->set_listener(&heard);
    }
    std::string detail(Pid pid) {
        return world.read("schedulers/S/process_set/process:" + std::to_string(pid) + ".detail");
    }
};

TEST_F(ASchedulerOfNodes, DecidesEverywhereAtFirst) {
    three_nodes(2);
    place_10_on_2();
    EXPECT_EQ(world.read("schedulers/S.effective_node_set"), "0-2");
    EXPECT_EQ(policy().nodes().size(), 3U);
    EXPECT_TRUE(policy().nodes()[2].is_self);
}
TEST_F(ASchedulerOfNodes, DecidesWithoutAClusterWhateverItsSet) {
    ASSERT_TRUE(world.apply("write schedulers/S.node_set 7"));
    place_10_on_2();
    EXPECT_TRUE(policy().nodes().empty());
    EXPECT_EQ(world.read("schedulers/S.effective_node_set"), "");
}
TEST_F(ASchedulerOfNodes, LetsItsMembersGoAtOnceWhenThisNodeLeavesItsSet) {
    three_nodes();
    place_10_on_2();
    ASSERT_TRUE(world.apply("write schedulers/S.node_set 1-2"));
    engine->settle(world.clock.now());
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-3"));
    EXPECT_EQ(engine->held(), 0U);
    EXPECT_EQ(state(10), "free");
    EXPECT_EQ(detail(10), "its scheduler is not for this node: node_set is 1-2");
}
TEST_F(ASchedulerOfNodes, IsNotAskedWhereItIsNot) {
    three_nodes();
    ASSERT_TRUE(world.apply("write schedulers/S.node_set 1-2"));
    attach(10);
    const int before = policy().decided();
    decide({{process(10), cpus("2"), "x"}});
    for (int i = 0; i < 20; ++i) tick();
    EXPECT_EQ(policy().decided(), before);
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-3"));
    EXPECT_TRUE(policy().due());
}
TEST_F(ASchedulerOfNodes, DoesNotWakeTheLoopWhereItIsNot) {
    three_nodes();
    ASSERT_TRUE(world.apply("write schedulers/S.node_set 1-2\nunlink schedulers/S/load_balancing/node_load\n"
                            "remove probes/cpu"));
    tick();
    policy().make_due();
    EXPECT_EQ(engine->next_due(), kNever);
    attach(10);
    tick();
    EXPECT_EQ(engine->next_due(), kNever);
}
TEST_F(ASchedulerOfNodes, DecidesAnewWhenThisNodeIsBackInItsSet) {
    three_nodes();
    place_10_on_2();
    ASSERT_TRUE(world.apply("write schedulers/S.node_set 1-2"));
    tick();
    attach(11);
    policy().set_decisions({{process(10), cpus("1"), "x"}, {process(11), cpus("3"), "y"}});
    ASSERT_TRUE(world.apply("write schedulers/S.node_set all"));
    EXPECT_LE(engine->next_due(), world.clock.now());
    tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("1"));
    EXPECT_EQ(actuator.mask(process(11)), cpus("3"));
    EXPECT_EQ(state(11), "applied");
}
TEST_F(ASchedulerOfNodes, GivesWayToOneThatHasThisNodeAlone) {
    three_nodes();
    place_10_on_2();
    second_scheduler();
    ASSERT_TRUE(world.apply("write schedulers/T.node_set 0\nwrite schedulers/T.node_set_exclusive true"));
    tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-3"));
    EXPECT_EQ(world.read("schedulers/S.effective_node_set"), "1-2");
    ASSERT_TRUE(world.apply("remove -r schedulers/T"));
    tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("2"));
}
TEST_F(ASchedulerOfNodes, TellsItsPolicyBeforeItLetsGo) {
    three_nodes();
    tick();
    (void)policy().take_heard();
    ASSERT_TRUE(world.apply("write schedulers/S.node_set 1"));
    tick();
    EXPECT_EQ(policy().take_heard(), "1 -0 (alpha) -2 (gamma)\n");
}
TEST_F(ASchedulerOfNodes, SeesWhichNodesTakeWork) {
    three_nodes(1);
    world.cluster.rows[2].takes_work = false;
    world.cluster.rows[2].is_draining = true;
    ASSERT_TRUE(world.apply("write schedulers/S.node_set 1-2"));
    decide({});
    ASSERT_EQ(policy().nodes().size(), 2U);
    EXPECT_TRUE(policy().nodes()[0].takes_work);
    EXPECT_FALSE(policy().nodes()[1].takes_work);
    EXPECT_TRUE(policy().nodes()[1].is_draining);
}
TEST_F(ASchedulerOfNodes, KeepsDecidingOnANodeThatDrains) {
    three_nodes();
    world.cluster.rows[0].takes_work = false;
    world.cluster.rows[0].is_draining = true;
    place_10_on_2();
    tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("2"));
    policy().done();
    world.cluster.rows[0].is_draining = false;
    engine->nodes_changed();
    tick();
    EXPECT_FALSE(policy().nodes()[0].is_draining);
}
TEST_F(ASchedulerOfNodes, ExplainsThatItIsNotForThisNode) {
    three_nodes();
    ASSERT_TRUE(world.apply("write schedulers/S.node_set beta"));
    attach(10);
    tick();
    const auto told = engine->explain("process:10");
    ASSERT_TRUE(told);
    ASSERT_EQ(told->size(), 1U);
    ASSERT_EQ(told->front().considered.size(), 1U);
    EXPECT_THAT(told->front().considered[0].at(0), HasSubstr("not for this node: node_set is beta"));
}
TEST_F(ASchedulerOfNodes, KeepsWhatAnEarlierRunHeldUntilItKnowsItsNumber) {
    three_nodes();
    ASSERT_TRUE(world.apply("write schedulers/S.node_set 0-1"));
    place_10_on_2();
    world.cluster.rows[0].number = -1;
    world.cluster.rows[0].is_joining = true;
    restart();
    const int before = policy().decided();
    tick();
    tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("2"));
    EXPECT_EQ(policy().decided(), before);
    world.cluster.rows[0].number = 0;
    world.cluster.rows[0].is_joining = false;
    engine->nodes_changed();
    tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("2"));
    EXPECT_GT(policy().decided(), before);
}
TEST_F(ASchedulerOfNodes, LetsGoWhatAnEarlierRunHeldWhereItIsNotForThisNode) {
    place_10_on_2();
    three_nodes();
    ASSERT_TRUE(world.apply("write schedulers/S.node_set 2"));
    restart();
    tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-3"));
}
TEST_F(ASchedulerOfNodes, KeepsNobodyOffCpusWhereItIsNot) {
    three_nodes();
    attach(11);
    second_scheduler();
    attach(10, "T");
    ASSERT_TRUE(world.apply("write schedulers/S.node_set 2"));
    policy().set_decisions({});
    decide({{.target = process(10), .cpus = cpus("2"), .reason = "x", .alone = cpus("2")}}, "T");
    tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("2"));
    EXPECT_EQ(actuator.mask(process(11)), cpus("0-3"));
    ASSERT_TRUE(world.apply("write schedulers/S.node_set all"));
    tick();
    tick();
    EXPECT_EQ(actuator.mask(process(11)), cpus("0-1,3"));
}
TEST_F(ASchedulerOfNodes, IsTriedInARehearsal) {
    three_nodes();
    place_10_on_2();
    ASSERT_TRUE(world.apply("write schedulers/S.node_set 1"));
    const auto plan = engine->rehearse(world.clock.now());
    ASSERT_EQ(plan.size(), 1U);
    EXPECT_EQ(plan[0].target, process(10));
    EXPECT_TRUE(plan[0].after.empty());
}

/// Throws when it is told of nodes.
class StartledPolicy final : public Policy {
public:
    using Policy::Policy;
    std::vector<Decision> decide(const View& view) override {
        std::vector<Decision> all;
        for (const auto& subject : view.subjects) all.push_back({subject.target, cpus("2"), "x"});
        return all;
    }
    void nodes_changed(NodesView nodes, NodesView /*joined*/, NodesView /*left*/) override {
        if (nodes.size() > 2) throw std::runtime_error("three is a crowd");
    }
};
const Descriptor kStartled{.name = "startled",
                           .kind = Kind::policy,
                           .doc = "Throws.",
                           .make = make_part<StartledPolicy>};

struct AStartledPolicy : EngineWorld {
    AStartledPolicy() : EngineWorld({&kStartled}, plain_machine(4)) { world.start({.pid = 10}); }
};
TEST_F(AStartledPolicy, IsPutOutOfActionAndItsMembersAreLetGo) {
    world.cluster.fill(2);
    apply("create schedulers/S\ncreate schedulers/S/startled\ncreate schedulers/S/process_set/process:10");
    tick();
    world.at<Policy>("schedulers/S/startled").make_due();
    tick();
    ASSERT_EQ(mask(10), "2");
    world.cluster.fill(3);
    engine->nodes_changed();
    tick();
    EXPECT_EQ(world.read("schedulers/S.ejected"), "it threw when nodes changed: three is a crowd");
    EXPECT_EQ(world.read("schedulers/S.effective_node_set"), "0-2");
    EXPECT_EQ(mask(10), "0-3");
}

} // namespace
} // namespace schedd::placement
