// mosix_load_balancer: the original's decisions, number by number, and what becomes of members that leave.
#include <set>

#include <gmock/gmock.h>

#include "tests/unit/policies/sender.h"

namespace schedd::policies {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct AMosixBalancer : testing::Test, test::Sender {
    AMosixBalancer()
        : Sender(kMosixLoadBalancer, {"load", "single"},
                 {"load/load local_load", "load/load remote_load", "single/load single_process_load",
                  "load/process_load process_load"}) {
        two_nodes();
    }
    void two_nodes() { nodes({0}); }
    /// What nodes 1, 2, ... have told.
    void nodes(const std::vector<std::int64_t>& loads) {
        world.cluster.fill(static_cast<int>(loads.size()) + 1);
        for (std::size_t i = 0; i < loads.size(); ++i) {
            tell(static_cast<NodeId>(i + 1), "load", loads[i]);
            tell(static_cast<NodeId>(i + 1), "single", 1000);
        }
    }
    void hogs(int count) {
        for (int i = 0; i < count; ++i) add(10 + i, 1000, "load");
    }
    /// An update of local_load, and what comes of it.
    std::vector<std::string> update(std::int64_t load) {
        set("load", load);
        EXPECT_TRUE(policy().due());
        return moves();
    }
};

TEST_F(AMosixBalancer, MovesOneOfTwoToAnIdleNode) {
    hogs(2);
    EXPECT_THAT(update(2000), ElementsAre("11 -> 1")) << "2000 > 0 + 1300";
    EXPECT_EQ(last_moves[0].reason, "load 2000 here, on node 1 (beta) 0, with one more and a margin 1300; "
                                    "it wants 1000");
}
TEST_F(AMosixBalancer, LeavesTwoAgainstOneAsTheyAre) {
    hogs(2);
    nodes({1000});
    EXPECT_THAT(update(2000), IsEmpty()) << "2000 < 1000 + 1300";
    EXPECT_EQ(read("state"), "node 1 (beta) with one more and a margin: 2300, not below 2000 here");
}
TEST_F(AMosixBalancer, MovesOneOfThreeAgainstOne) {
    hogs(3);
    nodes({1000});
    EXPECT_THAT(update(3000), ElementsAre("11 -> 1")) << "3000 > 2300";
}
TEST_F(AMosixBalancer, MovesToWhatIsStrictlyBelow) {
    hogs(2);
    nodes({700});
    EXPECT_THAT(update(2000), IsEmpty()) << "700 + 1300 = 2000 is not below";
    EXPECT_THAT(update(2001), ElementsAre("11 -> 1"));
}
TEST_F(AMosixBalancer, WeighsTheMarginByStabFactor) {
    hogs(2);
    nodes({500});
    EXPECT_THAT(update(1800), IsEmpty()) << "500 + 1300 = 1800";
    EXPECT_THAT(update(1801), ElementsAre("11 -> 1"));
    write("stab_factor", "0");
    EXPECT_THAT(update(500), IsEmpty()) << "500 + 0 = 500";
    EXPECT_THAT(update(501), ElementsAre("11 -> 1"));
}
TEST_F(AMosixBalancer, KeepsTheHeaviestAtHome) {
    add(10, 900, "load");
    add(11, 300, "load");
    add(12, 700, "load");
    EXPECT_THAT(update(1900), ElementsAre("12 -> 1"));
    remove(11);
    remove(12);
    EXPECT_THAT(update(1900), ElementsAre("10 -> 1")) << "the only one goes";
    want(10, 0, "load");
    EXPECT_THAT(update(1900), IsEmpty()) << "who wants nothing is not moved";
}
TEST_F(AMosixBalancer, PassesOverWhoMayNotMove) {
    hogs(3);
    want(12, 900, "load");
    mover.immobile[Target::process(11, 1)] = "it has a device open";
    EXPECT_THAT(update(3000), ElementsAre("12 -> 1"));
    mover.immobile[Target::process(10, 1)] = mover.immobile[Target::process(12, 1)] = "x";
    EXPECT_THAT(update(3000), IsEmpty());
}
TEST_F(AMosixBalancer, TakesAUnitForOne) {
    subjects.push_back({Target::unit("a.service"), "unit:a.service", 100, {20, 21}, topology.online});
    subjects.push_back({Target::unit("b.service"), "unit:b.service", 100, {22}, topology.online});
    want(20, 800, "load");
    want(21, 800, "load");
    want(22, 1000, "load");
    set("load", 2600);
    (void)moves();
    ASSERT_EQ(last_moves.size(), 1U);
    EXPECT_EQ(last_moves[0].target, Target::unit("b.service"));
}
TEST_F(AMosixBalancer, WeighsAUnitByWhatItWants) {
    for (const auto* name : {"a.service", "b.service"})
        subjects.push_back({Target::unit(name), std::string("unit:") + name, 100,
                            name[0] == 'a' ? std::vector<Pid>{20, 21} : std::vector<Pid>{22, 23},
                            topology.online});
    for (const Pid pid : {20, 21, 22, 23}) want(pid, 1000, "load");
    nodes({1400});
    set("load", 4000);
    EXPECT_THAT(moves(), IsEmpty()) << "1400 + 2 * 1300 = 4000 is not below: it would come back";
    EXPECT_EQ(read("state"), "node 1 (beta) with 2 more and a margin: 4000, not below 4000 here");
    set("load", 4001);
    (void)moves();
    ASSERT_EQ(last_moves.size(), 1U);
    EXPECT_THAT(last_moves[0].reason, HasSubstr("with 2 more and a margin 4000; it wants 2000"));
    want(21, 400, "load");
    want(23, 400, "load");
    set("load", 2800);
    EXPECT_EQ((moves(), last_moves.size()), 1U) << "1400 counts as one: 1400 + 1300 < 2800";
}
TEST_F(AMosixBalancer, ActsOnUpdatesOfLocalLoadAlone) {
    hogs(2);
    EXPECT_THAT(update(2000), ElementsAre("11 -> 1"));
    policy().make_due();
    EXPECT_THAT(moves(), IsEmpty()) << "nothing has been told since";
    set("single", 1000);
    EXPECT_THAT(moves(), IsEmpty());
    EXPECT_THAT(update(2000), ElementsAre("11 -> 1"));
}
TEST_F(AMosixBalancer, TakesTheLeastLoadedOfAllWhereToldTo) {
    hogs(2);
    write("choices", "0");
    nodes({500, 200, 200, 900});
    EXPECT_THAT(update(2000), ElementsAre("11 -> 2")) << "the lowest number of equals";
}
TEST_F(AMosixBalancer, TakesTheBetterOfTwoDrawnByChance) {
    hogs(2);
    nodes({100, 200, 300, 400});
    std::set<std::string> chosen;
    for (int i = 0; i < 200; ++i)
        for (const auto& move : update(2000)) chosen.insert(move);
    EXPECT_THAT(chosen, ElementsAre("11 -> 1", "11 -> 2", "11 -> 3")) << "the worst of four never is";
}
TEST_F(AMosixBalancer, DrawsAmongThoseThatHaveToldAll) {
    hogs(2);
    nodes({0, 0, 0});
    world.cluster.fill(6); // nodes 4 and 5 have told nothing
    world.cluster.tell(4, "probes/load/load", 0, world.clock.now());
    for (int i = 0; i < 50; ++i) EXPECT_EQ(update(2000).size(), 1U);
}
TEST_F(AMosixBalancer, SendsNothingToWhoTakesNoneOrHasToldLongAgo) {
    hogs(2);
    world.cluster.rows[1].takes_work = false;
    EXPECT_THAT(update(2000), IsEmpty());
    world.cluster.rows[1].takes_work = true;
    pass(std::chrono::seconds(4));
    want(10, 1000, "load");
    want(11, 1000, "load");
    EXPECT_THAT(update(2000), IsEmpty());
    EXPECT_EQ(read("state"), "no other node that takes work has told its load");
}
TEST_F(AMosixBalancer, WithoutALocalValueDoesNothing) {
    hogs(2);
    set("load", 2000);
    probe("load").clear_load();
    EXPECT_THAT(moves(), IsEmpty());
    EXPECT_EQ(read("state"), "local_load has no value");
}
TEST_F(AMosixBalancer, SaysWhatAMoveIsWorth) {
    hogs(2);
    (void)update(2000);
    EXPECT_EQ(last_moves[0].gain, 500) << "half of the only CPU here, a whole one there";
    topology.online = topology.allowed = CpuSet::range(0, 3);
    (void)update(2000);
    EXPECT_EQ(last_moves[0].gain, 1) << "it has a CPU here already";
}
TEST_F(AMosixBalancer, ExplainsWhyNobodyMovesAndWhatWouldMoveHim) {
    hogs(2);
    nodes({900});
    set("load", 2000);
    mover.immobile[Target::process(10, 1)] = "it has a device open";
    EXPECT_THAT(considered(10), ElementsAre("it cannot be moved: it has a device open",
                                            "it wants 1000; the next to be moved is process:11, which wants "
                                            "1000",
                                            "node 1 (beta): 2200 with one more and a margin, not below 2000 "
                                            "here; it would be with a stab_factor of 109"));
    write("stab_factor", "109");
    EXPECT_THAT(update(2000), ElementsAre("11 -> 1"));
    write("stab_factor", "110");
    EXPECT_THAT(update(2000), IsEmpty());
}

TEST_F(AMosixBalancer, EmptiesANodeThatDrainsSpreadByLoad) {
    nodes({0, 1500});
    for (const auto& [pid, load] : {std::pair(10, 400), {11, 1000}, {12, 900}, {13, 600}})
        add(pid, load, "load");
    world.cluster.rows[0].is_draining = true;
    world.cluster.rows[0].takes_work = false;
    nodes_changed();
    std::vector<std::string> gone;
    for (int second = 0; second < 20; ++second) {
        for (auto& move : moves()) {
            gone.push_back(move);
            remove(last_moves[0].target.pid);
            mover.last = world.clock.now();
        }
        EXPECT_LE(policy().next_due(), world.clock.now() + std::chrono::seconds(1));
        pass(std::chrono::seconds(1));
        tell(1, "load", 0);
        tell(2, "load", 1500);
        for (const auto& subject : subjects) want(subject.target.pid, 500 + subject.target.pid, "load");
    }
    EXPECT_THAT(gone, ElementsAre("11 -> 1", "13 -> 1", "12 -> 2", "10 -> 1"))
        << "1000, 513 (1000 + 513 is beyond 1500), 512, then what was sent 6 s ago is in what is told";
}
TEST_F(AMosixBalancer, EmptiesANodeThatLeavesTheNodeSetAndTriesNobodyForEver) {
    hogs(2);
    nodes({0, 0});
    const auto self = world.cluster.rows[0];
    world.cluster.rows.erase(world.cluster.rows.begin());
    nodes_changed({self});
    std::vector<std::string> asked;
    for (int second = 0; second < 30; ++second) {
        if (second == 1) add(30, 1000, "load"); // put here afterwards: it stays
        for (auto& move : moves()) {
            asked.push_back(move.substr(0, 2));
            mover.last = world.clock.now();
        }
        pass(std::chrono::seconds(1));
    }
    EXPECT_THAT(asked, ElementsAre("10", "11", "10", "11", "10", "11")) << "three times each, in turn";
    EXPECT_EQ(policy().next_due(), kNever);
}
TEST_F(AMosixBalancer, WaitsWhileAMoveIsUnderWay) {
    hogs(2);
    world.cluster.rows[0].is_draining = true;
    nodes_changed();
    mover.under_way = 1;
    EXPECT_THAT(moves(), IsEmpty());
    mover.under_way = 0;
    EXPECT_EQ(moves().size(), 1U);
}

} // namespace
} // namespace schedd::policies
