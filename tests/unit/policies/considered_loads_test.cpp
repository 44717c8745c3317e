// What the policies that go by measurements say of the ways not taken; where they name what would change it,
// it is tried.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policies/affinity_world.h"
#include "tests/unit/policies/balancer.h"
#include "tests/unit/policies/guarded.h"
#include "tests/unit/policies/nested.h"

namespace schedd::policies {
namespace {

using namespace schedd::test;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using enum WorkClass;

template <class AWorld> std::vector<std::string> said(AWorld& world, const Target& target) {
    const auto at = std::ranges::find(world.subjects, target, &Subject::target);
    return world.policy().considered({world.world.clock.now(), world.topology, world.subjects}, *at);
}
template <class AWorld> std::vector<std::string> said(AWorld& world, const std::string& unit) {
    return said(world, Target::unit(unit));
}
template <class AWorld> std::vector<std::string> said(AWorld& world, Pid pid) {
    return said(world, Target::process(pid, 1));
}

TEST(LoadBalancingConsidered, TellsTheLoadsAndThatAMoveHelpsNobody) {
    Balancer b({.cores_per_l3 = 2});
    for (const Pid pid : {10, 11, 12}) b.add(pid, 1000, "0");
    b.round();
    ASSERT_EQ(b.cpus(10), "1");
    EXPECT_THAT(said(b, 11),
                ElementsAre("load per CPU, least first: core 1 1.00; core 0 2.00",
                            "with its 1.00 on core 1 the two would be no nearer to the average of "
                            "1.50 per CPU"));
    EXPECT_THAT(said(b, 10), ElementsAre("load per CPU, least first: core 1 1.00; core 0 2.00",
                                         "it got its domain 0 ms ago, and stays 2000 ms more (settle)",
                                         "core 1 is not above the average of 1.50 per CPU, so nothing leaves "
                                         "it"));
}

TEST(LoadBalancingConsidered, TellsWhichHysteresisWouldLetItMove) {
    Balancer b({.cores_per_l3 = 2});
    b.set("imbalance", "0");
    b.add(10, 900, "0");
    b.add(11, 900, "1");
    b.add(12, 40, "0");
    b.add(13, 40, "0");
    b.round();
    EXPECT_THAT(said(b, 12),
                Contains("on core 1 it would lower the imbalance of the two by 0.08, and 0.09 are "
                         "asked for: hysteresis=8 would let it move"));
    EXPECT_EQ(b.moves(), "0");
    b.set("hysteresis", "8");
    b.round();
    EXPECT_EQ(b.moves(), "1");
}

TEST(LoadBalancingConsidered, TellsThatAllAreNearTheAverageOrPushNothing) {
    Balancer b({.cores_per_l3 = 2});
    b.add(10, 500, "0");
    b.add(11, 480, "1");
    b.round();
    EXPECT_THAT(said(b, 10), Contains("neither core 0 nor core 1 is further than 5 % (imbalance) from the "
                                      "average of 0.49 per CPU"));
    b.loads[11] = 100;
    b.set("push_from", "60");
    b.round();
    EXPECT_THAT(said(b, 10),
                Contains("core 0 has 0.50 per CPU, and what has no more than push_from=60 % keeps "
                         "its work while CPUs are free"));
}

TEST(LoadBalancingConsidered, TellsWhyItIsLeftAlone) {
    Balancer b({.cores_per_l3 = 2});
    b.add(10, 5, "0");
    b.add(11, 1000, "0");
    b.round();
    EXPECT_EQ(b.cpus(10), "");
    EXPECT_THAT(said(b, 10),
                Contains("it wants 0.005 CPUs, less than the 0.020 of min_load, so it is left alone"));
    Balancer blind({.cores_per_l3 = 2});
    blind.add(10, 1000, "0-1");
    blind.has_node_load = false;
    blind.round();
    EXPECT_THAT(said(blind, 10), Contains("node_load has no value: nobody is placed"));
}

TEST(LoadBalancingConsidered, TellsThatTheBudgetIsUsedUp) {
    Balancer b({.cores_per_l3 = 2});
    b.set("move_budget", "0");
    for (const Pid pid : {10, 11, 12}) b.add(pid, 1000, "0");
    b.round();
    EXPECT_THAT(said(b, 11),
                Contains("it was moved 0 times in the last minute, which is all of move_budget=0"));
    EXPECT_THAT(said(b, 11), Contains(HasSubstr("moves when it may")));
}

TEST(LoadBalancingConsidered, ComparesNodesWhereThereIsOneDomainOnEach) {
    Balancer b({.nodes = 2, .cores_per_l3 = 2}, "numa");
    b.add(10, 1000, "0-1");
    b.add(11, 800, "2-3");
    b.round();
    EXPECT_THAT(said(b, 10),
                Contains("neither numa 0 nor numa 1 is further than 17 % (numa_imbalance) from the "
                         "average of 0.45 per CPU"));
    Balancer nested({.nodes = 2, .cores_per_l3 = 2}, "numa,core");
    nested.add(10, 1000, "0");
    nested.round();
    EXPECT_THAT(said(nested, 10),
                Contains("load per CPU of what is balanced first: numa 0 0.50; numa 1 0.00"));
}

TEST(LoadBalancingConsidered, SaysNothingWhileMembersAreOthersThanAtItsDecision) {
    Balancer b({.cores_per_l3 = 2});
    b.add(10, 1000, "0");
    EXPECT_THAT(said(b, 10), IsEmpty()) << "it has not decided";
    b.round();
    b.add(9, 1000, "0");
    EXPECT_THAT(said(b, 10), IsEmpty());
    b.remove(10);
    EXPECT_THAT(said(b, 9), IsEmpty()) << "as many, but others";
}

TEST(PressureGuardConsidered, TellsTheBoundTheLastValueAndTheNextStepEitherWay) {
    Eight g;
    g.press(3, 150);
    ASSERT_EQ(g.pool(), "0-6");
    EXPECT_THAT(said(g, "batch.slice"),
                ElementsAre("unit:web.service waited most, 15.0 % of the time: beyond 10 % is too much, "
                            "below 5 "
                            "% is well",
                            "0 of 3 updates beyond 10 % have been seen: then the pool shrinks to CPUs 0-5",
                            "0 of 10 updates below 5 % have been seen: then the pool grows to CPUs 0-7",
                            "floor=8 would give it CPUs 0-7 at once",
                            "bound=15 would take what unit:web.service waits for bearable"));
    g.press(1, 40);
    EXPECT_THAT(said(g, "batch.slice"),
                Contains("1 of 10 updates below 5 % has been seen: then the pool grows to CPUs 0-7"));
    EXPECT_THAT(said(g, "batch.slice"), Not(Contains(HasSubstr("bound="))));
    g.set("floor", "8");
    g.decide();
    EXPECT_EQ(g.pool(), "") << "let go, as was said";
}

TEST(PressureGuardConsidered, TellsOtherClassesWhyTheyAreLeftAlone) {
    Eight g;
    EXPECT_THAT(said(g, "web.service"), IsEmpty()) << "nothing has been looked at";
    g.press(3, 150);
    EXPECT_THAT(said(g, "mail.service"),
                ElementsAre("members of class normal are never touched; CPUs are taken from class batch"));
    const auto lines = said(g, "web.service");
    EXPECT_THAT(lines, Contains("it waited for a CPU 15.0 % of the time itself"));
    EXPECT_THAT(lines, Contains("keep_apart=true would keep it off the pool's CPUs 0-6 once half of the 8 "
                                "cores are outside of it, 1 is now"));
}

TEST(PressureGuardConsidered, TellsThatTheFloorIsReachedAndNobodyHasAValue) {
    Eight g;
    g.set("floor", "7");
    g.press(3, 150);
    EXPECT_THAT(said(g, "batch.slice"), Contains("no more is taken: the floor is 7 CPUs"));
    Eight blind("");
    blind.round();
    EXPECT_THAT(said(blind, "batch.slice"),
                Contains("no port has a value: link pressure, wait or node_pressure"));
}

TEST(NestConsidered, TellsWhatTheLoadNeedsAndWhenTheNextCoreIsGivenUp) {
    Nested n(machine({.cores_per_l3 = 8}));
    n.add(1, 1000);
    n.add(2, 500, batch);
    n.round();
    const auto spread = said(n, 1);
    EXPECT_THAT(spread, Contains("the nest has all 8 cores, so nobody is held"));
    EXPECT_THAT(spread, Contains("members want 1.50 CPUs (latency 0.00, normal 1.00, batch 0.50): with 25 % "
                                 "headroom that fills 2 of 8 cores, and the nest has 8 and 0 in reserve"));
    EXPECT_THAT(spread, Contains("its last core leaves it in 10000 ms if it is not needed until then"));
    n.rounds(3);
    EXPECT_THAT(said(n, 1), Contains("its last core leaves it in 7000 ms if it is not needed until then"));
}

TEST(NestConsidered, TellsWhatAnotherClassOrFloorWouldGive) {
    Nested n(machine({.cores_per_l3 = 8}));
    n.set("decay", "2000");
    n.add(1, 1500);
    n.add(2, 500, batch);
    n.rounds(4);
    ASSERT_FALSE(n.cpus(1).empty());
    const auto lines = said(n, 2);
    EXPECT_THAT(lines, Contains(HasSubstr("class=normal would give it all")));
    const auto nest = n.get("nest_cores");
    EXPECT_THAT(said(n, 1), Contains(fmt::format("floor={0} would add a core at once: CPUs 0-{1}",
                                                 std::stoi(nest) + 1, nest)));
    n.set("floor", std::to_string(std::stoi(nest) + 1));
    n.decide();
    EXPECT_EQ(n.get("nest_cores"), std::to_string(std::stoi(nest) + 1)) << "as was said";
}

TEST(NestConsidered, TellsWhoCameConfinedOrIsNew) {
    Nested n(machine({.cores_per_l3 = 8}));
    n.add(1, 1000, normal, "3-4");
    n.round();
    EXPECT_THAT(said(n, 1), ElementsAre("it came with CPUs of its own, 3-4, and is left there: they may lie "
                                        "outside of the nest, so its load does not count"));
    n.add(2, 1000);
    EXPECT_THAT(said(n, 2), IsEmpty());
}

TEST(MemoryAffinityConsidered, TellsTheSharesAndWhatShareWouldHoldIt) {
    AffinityWorld a;
    a.add("a.service", 10, 1000);
    a.memory("a.service", {288, 224});
    a.updates(2); // the first asks for the group, the second has its value
    EXPECT_THAT(said(a, "a.service"), ElementsAre("of its 512 MiB lie on node 0 56 %; node 1 44 %",
                                                  "node 0 holds most, 56 %, and 60 % (share) are asked for",
                                                  "share=56 would hold it on node 0, CPUs 0-3"));
    a.set("share", "56");
    a.update();
    EXPECT_EQ(a.cpus("a.service"), "0-3");
    const auto lines = said(a, "a.service");
    EXPECT_THAT(lines, Contains("node 1 would have to hold 76 % for a move, and holds 44 %"));
    EXPECT_THAT(lines, Contains("the groups held on node 0 want 1.00 of its 4 CPUs"));
    EXPECT_THAT(lines, Contains(HasSubstr("move_memory=true would move the rest of its memory to node 0")));
}

TEST(MemoryAffinityConsidered, CountsTheUpdatesUntilAMove) {
    AffinityWorld a;
    a.add("a.service", 10);
    a.memory("a.service", {512, 0});
    a.updates(2);
    a.memory("a.service", {0, 512});
    a.update();
    EXPECT_THAT(said(a, "a.service"), Contains("node 1 holds more, for 1 of 3 updates; it was moved 0 of at "
                                               "most 6 times in the last minute"));
    a.updates(2);
    EXPECT_EQ(a.cpus("a.service"), "4-7");
}

TEST(MemoryAffinityConsidered, TellsWhyAGroupIsNotHeld) {
    AffinityWorld a;
    a.add("a.service", 10, 3000);
    a.add("b.service", 11, 3000);
    a.add("c.service", 12);
    a.memory("a.service", {512, 0});
    a.memory("b.service", {512, 0});
    a.memory("c.service", {8, 0});
    a.updates(2);
    EXPECT_THAT(said(a, "b.service"),
                Contains("it wants 3.00 CPUs, and of the 4 of node 0 3.00 are wanted by "
                         "groups that are held there"));
    EXPECT_THAT(said(a, "c.service"),
                Contains("it has 8 MiB, and with less than 64 MiB (least) it is left alone"));
    a.add("d.service", 13);
    EXPECT_THAT(said(a, "d.service"), IsEmpty()) << "nothing was decided about it";
    a.update();
    EXPECT_THAT(said(a, "d.service"),
                ElementsAre("cgroup_memory has no value for /d.service: link numa_memory/cgroup_memory"));
}

TEST(MemoryAffinityConsidered, TellsWhatCannotBeFollowed) {
    AffinityWorld single({.cores_per_l3 = 4});
    single.add("a.service", 10);
    single.update();
    EXPECT_THAT(said(single, "a.service"),
                ElementsAre("there is 1 NUMA node with usable CPUs, so nothing to choose from"));
    AffinityWorld a;
    a.add("a.service", 10);
    a.subjects[0].group.clear();
    a.update();
    EXPECT_THAT(said(a, "a.service"),
                ElementsAre(
                    "it has no control group of its own, and memory is known by control group alone"));
}

} // namespace
} // namespace schedd::policies
