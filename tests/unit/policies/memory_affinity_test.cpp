// memory_affinity: who is held on which node, for how long, and who is left alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "components/kit/rng.h"
#include "tests/unit/policies/affinity_world.h"

namespace schedd::test {
namespace {

using testing::HasSubstr;

TEST(AMemoryAffinity, HoldsAGroupWhereMostOfItsMemoryLies) {
    AffinityWorld w;
    w.add("db.service", 1, 1500);
    w.memory("db.service", {92, 420});
    w.updates(2); // the first asks for the group, the second has its value
    EXPECT_EQ(w.cpus("db.service"), "4-7");
    EXPECT_EQ(w.reason("db.service"),
              "node 1 holds 82 % of its 512 MiB; it wants 1.50 of the 4.00 CPUs left there");
    EXPECT_EQ(w.tuning("db.service"), "") << "memory is moved only when that is allowed";
    EXPECT_EQ(w.told("standing"), "1 held");
    EXPECT_EQ(w.told("moves"), "0");
    const auto before = w.reason("db.service");
    w.memory("db.service", {93, 430});
    w.updates(5);
    EXPECT_EQ(w.reason("db.service"), before) << "what stays must come back equal";
}

TEST(AMemoryAffinity, LeavesAloneWhatIsSpreadSmallOrNotMeasured) {
    AffinityWorld w;
    for (const Pid pid : {1, 2, 3}) w.add(fmt::format("u{}.service", pid), pid);
    w.memory("u1.service", {55, 45});
    w.memory("u2.service", {63, 0});
    w.subjects.push_back({Target::process(9, 1), "handle_all", 100, {9}, w.topology.usable()});
    std::ranges::sort(w.subjects, {}, &Subject::target);
    w.updates(3);
    EXPECT_TRUE(w.decisions.empty());
    EXPECT_EQ(w.told("standing"), "1 below least, 1 not measured, 1 spread, 1 without a control group");
    w.memory("u1.service", {60, 40});
    w.memory("u2.service", {64, 0});
    w.update();
    EXPECT_EQ(w.decisions.size(), 2U) << "at the bounds they are held";
}

TEST(AMemoryAffinity, MovesWhenAnotherNodeHoldsMoreByTheHysteresisForAWhile) {
    AffinityWorld w;
    w.add("db.service", 1);
    w.memory("db.service", {400, 100});
    w.updates(2);
    ASSERT_EQ(w.cpus("db.service"), "0-3");
    w.memory("db.service", {150, 350});
    w.updates(2);
    EXPECT_EQ(w.cpus("db.service"), "0-3") << "70 % for two updates";
    w.memory("db.service", {400, 100});
    w.update();
    w.memory("db.service", {150, 350});
    w.updates(2);
    EXPECT_EQ(w.cpus("db.service"), "0-3") << "it counts anew";
    w.update();
    EXPECT_EQ(w.cpus("db.service"), "4-7");
    EXPECT_EQ(w.reason("db.service"), "node 1 holds 70 % of its 500 MiB, node 0 30 %, for 3 updates");
    EXPECT_EQ(w.told("moves"), "1");
}

TEST(AMemoryAffinity, CountsMeasurementsNotCalls) {
    AffinityWorld w;
    w.add("db.service", 1);
    w.memory("db.service", {400, 100});
    w.updates(2);
    w.memory("db.service", {0, 500});
    w.update();
    for (int i = 0; i < 10; ++i) w.decide();
    EXPECT_EQ(w.cpus("db.service"), "0-3");
    w.updates(2);
    EXPECT_EQ(w.cpus("db.service"), "4-7");
}

TEST(AMemoryAffinity, StaysWithinTheHysteresisAndLetsGoBelowIt) {
    AffinityWorld w;
    w.add("db.service", 1);
    w.memory("db.service", {300, 200});
    w.updates(2);
    ASSERT_EQ(w.cpus("db.service"), "0-3");
    w.set("share", "60");
    w.memory("db.service", {205, 295}); // 41 % here, 59 % there
    w.updates(10);
    EXPECT_EQ(w.cpus("db.service"), "0-3");
    w.set("share", "70");
    w.updates(2);
    EXPECT_EQ(w.cpus("db.service"), "0-3") << "below 50 % for two updates";
    w.update();
    EXPECT_EQ(w.cpus("db.service"), "");
    EXPECT_EQ(w.told("standing"), "1 spread");
}

TEST(AMemoryAffinity, LetsGoWhatHasGivenItsMemoryBack) {
    AffinityWorld w;
    w.add("db.service", 1);
    w.memory("db.service", {64, 0});
    w.updates(2);
    w.memory("db.service", {32, 0});
    w.updates(5);
    EXPECT_EQ(w.cpus("db.service"), "0-3");
    w.memory("db.service", {31, 0});
    w.updates(3);
    EXPECT_EQ(w.cpus("db.service"), "");
}

TEST(AMemoryAffinity, MovesNoMoreOftenThanItsBudget) {
    AffinityWorld w;
    w.set("patience", "1");
    w.set("move_budget", "2");
    w.add("db.service", 1);
    w.memory("db.service", {400, 0});
    w.updates(2);
    for (int i = 0; i < 10; ++i) {
        w.memory("db.service",
                 i % 2 == 0 ? std::vector<std::int64_t>{0, 400} : std::vector<std::int64_t>{400, 0});
        w.update();
    }
    EXPECT_EQ(w.told("moves"), "2");
    w.updates(12);
    EXPECT_EQ(w.told("moves"), "2") << "it ended where its memory is";
    w.memory("db.service", {0, 400});
    w.update();
    EXPECT_EQ(w.told("moves"), "3");
}

TEST(AMemoryAffinity, HoldsNoMoreOnANodeThanItsCpusCanDo) {
    AffinityWorld w;
    w.add("a.service", 1, 3000);
    w.add("b.service", 2, 1001);
    w.add("c.service", 3, 1000);
    for (const auto* unit : {"a.service", "b.service", "c.service"}) w.memory(unit, {100, 0});
    w.updates(2);
    EXPECT_EQ(w.cpus("a.service"), "0-3");
    EXPECT_EQ(w.cpus("b.service"), "") << "4.001 CPUs of 4";
    EXPECT_EQ(w.cpus("c.service"), "0-3");
    EXPECT_EQ(w.told("standing"), "2 held, 1 waiting for CPUs or budget");
    w.memory("c.service", {99, 1});
    w.loads[1] = 3500;
    w.updates(2);
    EXPECT_EQ(w.cpus("c.service"), "0-3") << "crowded for two updates";
    w.update();
    EXPECT_EQ(w.cpus("c.service"), "") << "it has least of its memory there";
    EXPECT_EQ(w.cpus("a.service"), "0-3");
    w.loads.clear();
    w.updates(1);
    EXPECT_EQ(w.cpus("c.service"), "") << "a load that is not known is the last one";
    w.loads[1] = 0;
    w.update();
    EXPECT_EQ(w.cpus("c.service"), "0-3");
}

TEST(AMemoryAffinity, TakesAllToFitWithoutLoads) {
    AffinityWorld w;
    ASSERT_TRUE(w.world.apply("unlink schedulers/N/memory_affinity/process_load"));
    w.add("a.service", 1, 9000);
    w.memory("a.service", {100, 0});
    w.updates(2);
    EXPECT_EQ(w.reason("a.service"), "node 0 holds 100 % of its 100 MiB");
}

TEST(AMemoryAffinity, DecidesNothingOnOneNodeAndSaysSo) {
    AffinityWorld w({.nodes = 1, .cores_per_l3 = 4});
    w.add("db.service", 1);
    w.memory("db.service", {400});
    w.updates(3);
    EXPECT_TRUE(w.decisions.empty());
    EXPECT_EQ(w.told("standing"), "1 NUMA node with usable CPUs: nothing to decide");
}

TEST(AMemoryAffinity, HoldsNobodyForMemoryOnNodesWithoutCpus) {
    AffinityWorld w;
    w.add("far.service", 1);
    w.add("near.service", 2);
    w.memory("far.service", {50, 50, 400}); // node 2 is memory alone
    w.memory("near.service", {300, 0, 200});
    w.updates(3);
    EXPECT_EQ(w.cpus("far.service"), "");
    EXPECT_EQ(w.cpus("near.service"), "0-3") << "60 % of all it has";
}

TEST(AMemoryAffinity, ManagesWithNodesThatHaveCpusAlone) {
    AffinityWorld w({.nodes = 3, .cores_per_l3 = 2});
    w.add("db.service", 1);
    w.memory("db.service", {10, 90}); // node 2 has no memory, so numa_stat does not name it
    w.updates(2);
    EXPECT_EQ(w.cpus("db.service"), "2-3");
}

TEST(AMemoryAffinity, FindsANewNodeWhenTheCpusOfItsOwnGoAway) {
    AffinityWorld w({.nodes = 3, .cores_per_l3 = 2});
    w.set("move_budget", "0");
    w.set("share", "40");
    w.add("a.service", 1);
    w.add("b.service", 2);
    w.memory("a.service", {50, 45, 5});
    w.memory("b.service", {100, 0, 0});
    w.updates(2);
    ASSERT_EQ(w.cpus("a.service"), "0-1");
    set_online(w.topology, w.whole, CpuSet::range(1, 5));
    w.decide();
    EXPECT_EQ(w.cpus("a.service"), "1") << "the node has one CPU left";
    set_online(w.topology, w.whole, CpuSet::range(2, 5));
    w.decide();
    EXPECT_EQ(w.cpus("a.service"), "2-3");
    EXPECT_EQ(w.reason("a.service"), "node 1 holds 45 % of its 100 MiB, after node 0 went away");
    EXPECT_EQ(w.cpus("b.service"), "") << "none of its memory is on a node with CPUs";
    EXPECT_EQ(w.told("moves"), "1");
    set_online(w.topology, w.whole, CpuSet::range(2, 3));
    w.decide();
    EXPECT_TRUE(w.decisions.empty());
}

TEST(AMemoryAffinity, KeepsWhatItHoldsWhileMeasurementsAreMissing) {
    AffinityWorld w;
    w.add("db.service", 1);
    w.memory("db.service", {400, 0});
    w.updates(2);
    const auto before = w.reason("db.service");
    w.no_memory("db.service");
    w.updates(10);
    EXPECT_EQ(w.cpus("db.service"), "0-3");
    EXPECT_EQ(w.reason("db.service"), before);
    w.subjects.clear();
    w.update();
    EXPECT_TRUE(w.decisions.empty());
    EXPECT_EQ(w.told("standing"), "no members");
}

TEST(AMemoryAffinity, HoldsTheProcessesOfAGroupTogetherWhereItCannotBePlacedWhole) {
    AffinityWorld w;
    for (const Pid pid : {1, 2}) {
        w.subjects.push_back({Target::process(pid, 1), "cgroup:/batch", 100, {pid}, w.topology.usable()});
        w.subjects.back().group = "/batch";
        w.loads[pid] = 2001;
    }
    w.memory("batch", {0, 400});
    w.updates(2);
    EXPECT_TRUE(w.decisions.empty()) << "together they want 4.002 of 4 CPUs";
    w.loads[2] = 1000;
    w.update();
    ASSERT_EQ(w.decisions.size(), 2U);
    EXPECT_EQ(w.decisions[0].cpus.text(), "4-7");
    EXPECT_EQ(w.decisions[0].reason, w.decisions[1].reason);
}

TEST(AMemoryAffinity, RefusesAttributesOutOfRange) {
    AffinityWorld w;
    for (const auto& [name, value] :
         std::vector<std::pair<std::string, std::string>>{{"share", "0"},
                                                          {"share", "101"},
                                                          {"hysteresis", "101"},
                                                          {"least", "-1"},
                                                          {"patience", "0"},
                                                          {"memory_budget", "61"},
                                                          {"move_memory", "maybe"}})
        EXPECT_EQ(w.policy().write_attribute(name, value).error().kind, Errc::invalid_value) << name;
    EXPECT_EQ(w.policy().write_attribute("standing", std::string("x")).error().kind, Errc::not_supported);
}

/// Any sizes on any nodes, with CPUs that come and go: what must hold after each update.
class MemoryAffinityAtRandom : public testing::TestWithParam<std::uint64_t> {};

std::string lived(std::uint64_t seed) {
    kit::Rng rng(seed);
    const int nodes = 2 + static_cast<int>(rng.below(3));
    AffinityWorld w({.nodes = nodes, .cores_per_l3 = 2});
    w.set("patience", std::to_string(1 + rng.below(3)));
    w.set("move_budget", std::to_string(rng.below(4)));
    w.set("memory_budget", std::to_string(rng.below(3)));
    w.set("move_memory", rng.below(2) == 0 ? "true" : "false");
    for (Pid pid = 1; pid <= 6; ++pid) w.add(fmt::format("u{}.service", pid), pid);
    std::map<std::string, std::vector<std::pair<Time, std::string>>> changes;
    std::map<std::string, std::string> on;
    std::vector<std::pair<Time, std::string>> rebinds;
    std::map<std::string, std::string> bound;
    std::string story;
    const auto budget = std::stoul(w.told("move_budget"));
    const auto memory_budget = std::stoul(w.told("memory_budget"));
    for (int i = 0; i < 120; ++i) {
        for (Pid pid = 1; pid <= 6; ++pid) {
            if (rng.below(4) != 0) continue;
            std::vector<std::int64_t> mib;
            for (int n = 0; n <= nodes; ++n)
                mib.push_back(static_cast<std::int64_t>(rng.below(3) * rng.below(300)));
            w.memory(fmt::format("u{}.service", pid), mib);
            w.loads[pid] = static_cast<std::int64_t>(rng.below(2500));
        }
        w.update();
        const auto now = w.world.clock.now();
        for (const auto& decision : w.decisions) {
            const auto unit = decision.target.name;
            EXPECT_FALSE(decision.cpus.empty());
            EXPECT_TRUE(decision.cpus.subset_of(w.topology.usable()));
            const auto text = decision.cpus.text();
            if (on.contains(unit) && on[unit] != text) changes[unit].emplace_back(now, text);
            on[unit] = text;
            const auto node = decision.tuning.text();
            if (!node.empty() && bound[unit] != node) rebinds.emplace_back(now, unit);
            bound[unit] = node;
            story += decision.target.text() + text + decision.reason + node + "\n";
        }
        const auto within = [&](const auto& list) {
            return static_cast<std::size_t>(std::ranges::count_if(list, [&](const auto& one) {
                return now - one.first < std::chrono::minutes(1);
            }));
        };
        for (const auto& [unit, list] : changes) EXPECT_LE(within(list), budget) << unit << " seed " << seed;
        EXPECT_LE(within(rebinds), memory_budget) << "seed " << seed;
        EXPECT_EQ(w.policy().decide({now, w.topology, w.subjects}).size(), w.decisions.size())
            << "asked again, it says the same";
    }
    return story;
}

TEST_P(MemoryAffinityAtRandom, KeepsItsPromisesAndIsTheSameTwice) {
    const auto story = lived(GetParam());
    EXPECT_FALSE(story.empty()) << "somebody is held at some time";
    EXPECT_EQ(lived(GetParam()), story);
}
INSTANTIATE_TEST_SUITE_P(Seeds, MemoryAffinityAtRandom, testing::Range<std::uint64_t>(1, 31));

} // namespace
} // namespace schedd::test
