// Cores: which cores a request gets on named machines, and against trying all choices on small ones.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "components/kit/rng.h"
#include "policies/cores.h"
#include "tests/kit/shapes.h"

namespace schedd::policies {
namespace {

using test::machine;
using test::set_online;
using testing::ElementsAre;
using testing::IsEmpty;
using Kinds = CoreRequest::Kinds;

CpuSet cpus(const std::string& list) { return CpuSet::parse(list).value(); }

Cores cores_of(const Topology& topology, const std::string& reserved = "",
               Cores::Smt smt = Cores::Smt::share) {
    return {topology, cpus(reserved), smt};
}

/// The CPUs of what is chosen, and taken; "" if it does not fit.
std::string take(Cores& cores, const CoreRequest& request, int keep_free = 1) {
    const auto chosen = cores.choose(request, keep_free);
    cores.take(chosen);
    return cores.mask(chosen).text();
}

void block(Cores& cores, const std::string& list) {
    const CpuSet which = cpus(list);
    for (int cpu = which.first(); cpu >= 0; cpu = which.next(cpu)) {
        const int core = cores.core_of(cpu);
        if (cores.is_free(core)) cores.take({&core, 1});
    }
}

TEST(AChoice, TakesTheFewestWholeCoresForTheCpusAskedFor) {
    Cores cores = cores_of(test::shape_1n8c_smt());
    EXPECT_EQ(take(cores, {.cpus = 3}), "0-1,8-9");
    EXPECT_EQ(take(cores, {.cpus = 1}), "2,10");
    EXPECT_EQ(take(cores, {.cpus = 4}), "3-4,11-12");
    EXPECT_EQ(cores.rest().text(), "5-7,13-15");
    EXPECT_EQ(take(cores, {.cpus = 5}), "") << "one core is kept free";
    EXPECT_EQ(cores.largest(1), 4);
    EXPECT_EQ(take(cores, {.cpus = 4}), "5-6,13-14");
    EXPECT_EQ(cores.largest(1), 0);
    EXPECT_EQ(cores.largest(0), 2);
    EXPECT_EQ(cores.largest(100), 0);
}

TEST(AChoice, KeepsSiblingsIdleWhereACoreCountsAsOne) {
    Cores cores = cores_of(test::shape_1n8c_smt(), "", Cores::Smt::one_per_core);
    EXPECT_EQ(take(cores, {.cpus = 3}), "0-2");
    EXPECT_EQ(cores.rest().text(), "3-7,11-15") << "8-10 are nobody's";
    EXPECT_EQ(cores.largest(1), 4);
}

TEST(AChoice, LiesInOneNodeIfItFitsThereWhereLeastIsLeftOver) {
    Cores cores = cores_of(test::shape_2n16c_smt());
    block(cores, "0-5");
    EXPECT_EQ(take(cores, {.cpus = 8}), "6-13") << "node 0 has 10 CPUs left, node 1 has 16";
    EXPECT_EQ(take(cores, {.cpus = 12}), "16-27");
    EXPECT_EQ(take(cores, {.cpus = 2}), "14-15");
}

TEST(AChoice, TakesTheFewestNodesWhenOneIsNotEnough) {
    Cores cores = cores_of(test::shape_8n64c_ccx());
    block(cores, "0-5,8-15");
    EXPECT_EQ(take(cores, {.cpus = 10}), "6-7,16-23") << "node 2 whole, and what fits best of the others";
    EXPECT_EQ(take(cores, {.cpus = 17}), "24-40");
}

TEST(AChoice, LiesInTheFewestL3GroupsOfItsNode) {
    Cores cores = cores_of(test::shape_1n64c_l3_per_8());
    EXPECT_EQ(take(cores, {.cpus = 6}), "0-5");
    EXPECT_EQ(take(cores, {.cpus = 3}), "8-10") << "2 left in l3 0 are too few";
    EXPECT_EQ(take(cores, {.cpus = 2}), "6-7") << "they are just right for these";
    EXPECT_EQ(take(cores, {.cpus = 12}), "11-14,16-23");
}

TEST(AChoice, ThatSpreadsTakesAsMuchOfEachL3GroupInAsFewNodes) {
    Cores cores = cores_of(test::shape_8n64c_ccx());
    EXPECT_EQ(take(cores, {.cpus = 4, .spread = true}), "0-1,4-5");
    EXPECT_EQ(take(cores, {.cpus = 1, .spread = true}), "2");
    EXPECT_EQ(take(cores, {.cpus = 1, .spread = true}), "6") << "most is left there";
    EXPECT_EQ(take(cores, {.cpus = 10, .spread = true}), "3,7-15") << "still as few nodes as possible";
}

TEST(AChoice, KeepsL2ClustersTogether) {
    Cores cores = cores_of(test::shape_hybrid_8p_16e());
    block(cores, "16");
    EXPECT_EQ(take(cores, {.cpus = 4, .kinds = Kinds::efficient}), "20-23");
    EXPECT_EQ(take(cores, {.cpus = 2, .kinds = Kinds::efficient}), "17-18") << "the cluster begun already";
}

TEST(AChoice, UsesUpThePreferredKindOfCoreFirst) {
    Cores cores = cores_of(test::shape_hybrid_8p_16e());
    EXPECT_EQ(take(cores, {.cpus = 4, .kinds = Kinds::performance}), "0-3");
    EXPECT_EQ(take(cores, {.cpus = 4, .kinds = Kinds::efficient}), "16-19");
    EXPECT_EQ(take(cores, {.cpus = 2, .kinds = Kinds::any}), "20-21")
        << "12 CPUs are left of either: the fast ones stay free";
    EXPECT_EQ(take(cores, {.cpus = 13, .kinds = Kinds::performance}), "4-15,22");
    EXPECT_EQ(take(cores, {.cpus = 2, .kinds = Kinds::performance}), "24-25") << "no fast one is left";
}

TEST(AChoice, TakesTheHalfCoreForTheLastCpu) {
    auto topology = test::shape_1n8c_smt();
    const auto whole = topology;
    set_online(topology, whole, whole.online - cpus("13"));
    Cores cores = cores_of(topology);
    EXPECT_EQ(take(cores, {.cpus = 3}), "0,5,8") << "no CPU is left over";
    EXPECT_EQ(take(cores, {.cpus = 3}), "1-2,9-10");
}

TEST(AChoice, NearCoresThatItHasGoesOnWhereTheyAre) {
    Cores cores = cores_of(test::shape_8n64c_ccx());
    block(cores, "20-21");
    const std::vector<int> own{20, 21};
    EXPECT_THAT(cores.choose({.cpus = 2}, 1, own), ElementsAre(22, 23)) << "the same l3";
    EXPECT_THAT(cores.choose({.cpus = 4}, 1, own), ElementsAre(16, 17, 22, 23)) << "the same node";
    EXPECT_THAT(cores.choose({.cpus = 7}, 1, own), ElementsAre(0, 16, 17, 18, 19, 22, 23));
    EXPECT_THAT(cores.choose({.cpus = 2, .spread = true}, 1, own), ElementsAre(16, 17)) << "the other l3";
}

TEST(AChoice, AmongItsOwnCoresKeepsThoseThatLieTogether) {
    Cores cores = cores_of(test::shape_8n64c_ccx());
    const std::vector<int> own{3, 16, 17, 40};
    cores.take(own);
    EXPECT_THAT(cores.choose_among({.cpus = 2}, own), ElementsAre(16, 17));
    EXPECT_THAT(cores.choose_among({.cpus = 3}, own), ElementsAre(3, 16, 17));
    EXPECT_THAT(cores.choose_among({.cpus = 5}, own), ElementsAre(3, 16, 17, 40)) << "all, if too few";
    EXPECT_EQ(cores.free_cores(), 60) << "nothing is changed by asking";
}

TEST(AChoice, FallsBackToTheLargestCoresWhenFewMayBeTaken) {
    // node 0 has four half cores, node 1 two whole ones; only two may be taken
    Topology topology = machine({.nodes = 2, .cores_per_l3 = 4, .threads_per_core = 2});
    const auto whole = topology;
    set_online(topology, whole, cpus("0,2,4,6,8-11"));
    const Cores cores = cores_of(topology);
    EXPECT_THAT(cores.choose({.cpus = 4}, 0), ElementsAre(0, 1, 2, 3));
    EXPECT_THAT(cores.choose({.cpus = 4}, 4), ElementsAre(4, 5));
    EXPECT_EQ(cores.largest(4), 4);
    EXPECT_EQ(cores.largest(3), 5);
}

TEST(AReservedCpu, MakesItsCoreNobodysAndItsSiblingShared) {
    Cores cores = cores_of(test::shape_1n8c_smt(), "0-1,9");
    EXPECT_EQ(cores.size(), 6);
    EXPECT_EQ(cores.core_of(0), -1);
    EXPECT_EQ(cores.core_of(8), -1);
    EXPECT_TRUE(cores.has_loose_cpus()) << "8 is";
    EXPECT_EQ(cores.rest().text(), "2-8,10-15");
    EXPECT_EQ(take(cores, {.cpus = 12}, 0), "2-7,10-15");
    EXPECT_EQ(cores.rest().text(), "8");
    EXPECT_FALSE(cores_of(test::shape_1n8c_smt(), "0,8").has_loose_cpus());
}

TEST(ANonsenseRequest, GetsNothing) {
    Cores cores = cores_of(test::shape_1n2c());
    for (const int many : {0, -1, INT32_MIN, 2, 3, INT32_MAX})
        EXPECT_THAT(cores.choose({.cpus = many}, 1), IsEmpty()) << many;
    EXPECT_THAT(Cores().choose({.cpus = 1}, 0), IsEmpty());
    EXPECT_EQ(Cores().largest(0), 0);
    EXPECT_EQ(Cores().core_of(0), -1);
    EXPECT_EQ(cores.core_of(-1), -1);
    EXPECT_EQ(cores.core_of(kit::limits::kMaxCpus), -1);
}

TEST(AnOddMachine, IsTakenAsItIs) {
    Cores hole = cores_of(test::shape_2n8c_cpu3_offline());
    EXPECT_EQ(take(hole, {.cpus = 4}), "4-7") << "node 0 has three";
    EXPECT_EQ(take(hole, {.cpus = 2}), "0-1");
    Cores far = cores_of(test::shape_discontiguous_nodes());
    EXPECT_EQ(take(far, {.cpus = 3}), "0-2");
    EXPECT_EQ(take(far, {.cpus = 2}), "4-5");
    EXPECT_EQ(far.place(std::vector<int>{0, 4}), "numa 0,8, l3 3,7");
    Cores box = cores_of(test::shape_container_4_of_64());
    EXPECT_EQ(box.size(), 4) << "siblings that are not ours count for none";
    EXPECT_EQ(take(box, {.cpus = 3}), "8-10");
    Cores bare = cores_of(test::shape_no_caches());
    EXPECT_EQ(take(bare, {.cpus = 3, .spread = true}), "0-2");
    EXPECT_EQ(bare.place(std::vector<int>{0, 1}), "numa 0");
    Cores huge = cores_of(test::shape_8n1024c_wide());
    EXPECT_EQ(huge.size(), 1024);
    EXPECT_EQ(huge.core_of(2047), 1023);
    EXPECT_EQ(huge.core_of(2048), -1);
    EXPECT_EQ(take(huge, {.cpus = 300}), "0-299");
    EXPECT_EQ(Cores(Topology(), {}, Cores::Smt::share).size(), 0);
}

TEST(AChoice, SaysWhereItIs) {
    const Cores hybrid = cores_of(test::shape_hybrid_8p_16e());
    const int fast = hybrid.core_of(0);
    const int slow = hybrid.core_of(20);
    EXPECT_EQ(hybrid.place(std::vector<int>{fast}), "numa 0, l3 0, core kind 1 (fastest) of 0-1");
    EXPECT_EQ(hybrid.place(std::vector<int>{slow}), "numa 0, l3 0, core kind 0 (slowest) of 0-1");
    EXPECT_EQ(hybrid.place(std::vector<int>{fast, slow}), "numa 0, l3 0, core kind 0-1 of 0-1");
}

/// Numbers of nodes and of (node, L3) pairs that cores lie in.
std::pair<std::size_t, std::size_t> scatter(const Topology& topology, const Cores& cores,
                                            const std::vector<int>& chosen) {
    std::set<int> nodes;
    std::set<std::pair<int, int>> caches;
    const CpuSet all = cores.cpus(chosen);
    for (const auto& cpu : topology.cpus)
        if (all.contains(cpu.id)) {
            nodes.insert(cpu.numa);
            caches.insert({cpu.numa, cpu.l3});
        }
    return {nodes.size(), caches.size()};
}

TEST(AChoice, IsInNoMoreNodesAndCachesThanTheBestOfAllChoices) {
    kit::Rng rng(5);
    for (int round = 0; round < 300; ++round) {
        const Topology topology = machine({.nodes = 1 + static_cast<int>(rng.below(3)),
                                           .l3_per_node = 1 + static_cast<int>(rng.below(2)),
                                           .cores_per_l3 = 1 + static_cast<int>(rng.below(2)),
                                           .threads_per_core = 1 + static_cast<int>(rng.below(2))});
        Cores cores = cores_of(topology);
        std::vector<int> open;
        for (int core = 0; core < cores.size(); ++core)
            if (rng.below(3) == 0) cores.take({&core, 1});
            else open.push_back(core);
        for (int need = 1; need <= cores.largest(0); ++need) {
            const auto chosen = cores.choose({.cpus = need}, 0);
            ASSERT_GE(cores.capacity(chosen), need);
            ASSERT_FALSE(cores.is_too_much(chosen, need));
            std::size_t nodes = 99;
            for (unsigned bits = 1; bits < 1U << open.size(); ++bits) {
                std::vector<int> other;
                for (std::size_t i = 0; i < open.size(); ++i)
                    if (bits >> i & 1U) other.push_back(open[i]);
                if (cores.capacity(other) >= need)
                    nodes = std::min(nodes, scatter(topology, cores, other).first);
            }
            const auto found = scatter(topology, cores, chosen);
            ASSERT_EQ(found.first, nodes) << "round " << round << ", " << need << " CPUs";
            if (nodes > 1) continue;
            // inside one node the number of caches is the least that this node allows
            std::size_t caches = 99;
            const int node = topology.cpus[static_cast<std::size_t>(cores.cpus(chosen).first())].numa;
            for (unsigned bits = 1; bits < 1U << open.size(); ++bits) {
                std::vector<int> other;
                for (std::size_t i = 0; i < open.size(); ++i)
                    if (bits >> i & 1U) other.push_back(open[i]);
                const bool is_here = std::ranges::all_of(other, [&](int core) {
                    const auto cpu = static_cast<std::size_t>(cores.cpus({&core, 1}).first());
                    return topology.cpus[cpu].numa == node;
                });
                if (is_here && cores.capacity(other) >= need)
                    caches = std::min(caches, scatter(topology, cores, other).second);
            }
            ASSERT_EQ(found.second, caches) << "round " << round << ", " << need << " CPUs";
        }
    }
}

TEST(TheLargestRequest, FitsAndNoLargerOneDoes) {
    kit::Rng rng(6);
    for (int round = 0; round < 500; ++round) {
        const Topology whole =
            machine({.nodes = 2, .l3_per_node = 2, .cores_per_l3 = 2, .threads_per_core = 4});
        Topology topology = whole;
        CpuSet online;
        for (int cpu = 0; cpu < 32; ++cpu)
            if (rng.below(3) != 0) online.add(cpu);
        set_online(topology, whole, online);
        const Cores cores = cores_of(topology);
        for (int keep = 0; keep <= cores.size(); ++keep) {
            const int largest = cores.largest(keep);
            for (int need = 1; need <= largest + 1; ++need) {
                const auto chosen = cores.choose({.cpus = need, .spread = rng.below(2) == 0}, keep);
                ASSERT_EQ(chosen.empty(), need > largest) << need << " CPUs, keeping " << keep;
                ASSERT_LE(static_cast<int>(chosen.size()), std::max(0, cores.size() - keep));
                ASSERT_FALSE(cores.is_too_much(chosen, need));
            }
        }
    }
}

} // namespace
} // namespace schedd::policies
