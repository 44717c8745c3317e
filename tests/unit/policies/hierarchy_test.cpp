// Domains inside each other, on made machines and on the shapes where it goes wrong.
#include "policies/hierarchy.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/kit/shapes.h"

namespace schedd::policies {
namespace {

std::string names(const Hierarchy& h) {
    std::string text;
    for (const auto& domain : h.domains) text += domain.name + "=" + domain.cpus.text() + " ";
    return text;
}

TEST(Levels, AreReadFromCoarseToFine) {
    EXPECT_EQ(Levels::parse("numa,l3").coarse_to_fine, (std::vector{Level::numa, Level::l3}));
    EXPECT_EQ(Levels::parse("core"), Levels(Level::core));
    EXPECT_EQ(Levels::parse("auto"), Levels(Level::automatic));
    EXPECT_EQ(Levels::parse("package,numa,l3,core").coarse_to_fine,
              (std::vector{Level::package, Level::numa, Level::l3, Level::core}));
}

TEST(AHierarchy, HasTheFinestDomainsFirst) {
    const auto h = hierarchy_of(test::machine({.nodes = 2, .l3_per_node = 2, .cores_per_l3 = 2}),
                                Levels::parse("numa,l3"));
    EXPECT_EQ(names(h), "l3 0=0-1 l3 1=2-3 l3 2=4-5 l3 3=6-7 numa 0=0-3 numa 1=4-7 ");
    EXPECT_EQ(h.leaves, 4U);
    EXPECT_EQ(h.tiers, 2U);
    EXPECT_EQ(h.domains[2].parent, 5U);
    EXPECT_EQ(h.domains[5].children, (std::vector<std::size_t>{2, 3}));
    EXPECT_EQ(h.around(3, 0), 5U);
    EXPECT_EQ(h.around(3, 1), 3U);
    EXPECT_EQ(h.around(5, 1), kNowhere) << "numa 1 is in no l3";
    EXPECT_TRUE(h.is_inside(3, 5));
    EXPECT_FALSE(h.is_inside(3, 4));
    EXPECT_TRUE(h.is_inside(4, kNowhere));
    EXPECT_TRUE(h.is_far[0]);
    EXPECT_FALSE(h.is_far[1]);
}

TEST(AHierarchy, OfOneLevelIsFlat) {
    const auto topology = test::machine({.nodes = 2, .cores_per_l3 = 2});
    const auto h = hierarchy_of(topology, Level::core);
    EXPECT_EQ(h.leaves, 4U);
    EXPECT_EQ(h.domains.size(), 4U);
    for (const auto& domain : h.domains) EXPECT_EQ(domain.parent, kNowhere);
}

TEST(AHierarchy, LeavesOutALevelThatDividesNothing) {
    const auto h =
        hierarchy_of(test::machine({.nodes = 2, .cores_per_l3 = 2}), Levels::parse("package,numa,l3,core"));
    EXPECT_EQ(h.tiers, 2U) << "package = numa = l3";
    EXPECT_EQ(names(h), "core 0=0 core 1=1 core 2=2 core 3=3 package 0=0-1 package 1=2-3 ");
}

TEST(AHierarchy, CutsACacheThatReachesOverTwoNodes) {
    auto topology = test::machine({.nodes = 2, .cores_per_l3 = 2});
    for (auto& cpu : topology.cpus) cpu.l3 = cpu.id == 0 ? 0 : 1;
    const auto h = hierarchy_of(topology, Levels::parse("numa,l3"));
    EXPECT_EQ(names(h), "l3 0=0 l3 1 of numa 0=1 l3 1 of numa 1=2-3 numa 0=0-1 numa 1=2-3 ");
}

TEST(AHierarchy, WithoutUsableCpusIsEmpty) {
    auto topology = test::machine({.nodes = 2, .cores_per_l3 = 2});
    topology.allowed = {};
    const auto h = hierarchy_of(topology, Levels::parse("numa,l3,core"));
    EXPECT_TRUE(h.domains.empty());
    EXPECT_EQ(h.leaves, 0U);
}

TEST(AHierarchy, OfAnyShapeDividesTheUsableCpusOnEveryTier) {
    for (const auto& [name, topology] : test::all_shapes())
        for (const char* levels :
             {"auto", "core", "numa,l3", "numa,core", "l3,core", "package,numa,l3,core"}) {
            const auto h = hierarchy_of(topology, Levels::parse(levels));
            for (std::size_t tier = 0; tier < h.tiers; ++tier) {
                CpuSet sum;
                for (const auto& domain : h.domains) {
                    if (domain.tier != tier) continue;
                    EXPECT_FALSE(domain.cpus.empty()) << name << " " << levels;
                    EXPECT_FALSE(domain.cpus.intersects(sum)) << name << " " << levels << " " << domain.name;
                    sum |= domain.cpus;
                    if (domain.parent == kNowhere) continue;
                    EXPECT_TRUE(domain.cpus.subset_of(h.domains[domain.parent].cpus)) << domain.name;
                }
                EXPECT_EQ(sum, topology.usable()) << name << " " << levels << " tier " << tier;
            }
            for (std::size_t d = 0; d < h.domains.size(); ++d)
                EXPECT_EQ(h.is_leaf(d), h.domains[d].tier + 1 == h.tiers) << name << " " << levels;
        }
}

} // namespace
} // namespace schedd::policies
