// Topology: domains of every level, offline and forbidden CPUs, what "auto" stands for.
#include "components/model/topology.h"

#include <gtest/gtest.h>

namespace schedd::model {
namespace {

/// Two packages of two cores of two threads; one L3 per package; a NUMA node each.
Topology two_packages() {
    Topology t;
    for (int id = 0; id < 8; ++id)
        t.cpus.push_back(
            {.id = id, .core = id / 2, .l2 = id / 2, .l3 = id / 4, .numa = id / 4, .package = id / 4});
    t.online = t.allowed = CpuSet::range(0, 7);
    return t;
}

std::string text(const std::vector<Domain>& domains) {
    std::string out;
    for (const auto& d : domains) out += (out.empty() ? "" : " | ") + d.name + "=" + d.cpus.text();
    return out;
}

TEST(ATopology, GroupsCpusByWhatTheyShare) {
    const auto t = two_packages();
    EXPECT_EQ(text(t.domains(Level::core)), "core 0=0-1 | core 1=2-3 | core 2=4-5 | core 3=6-7");
    EXPECT_EQ(text(t.domains(Level::l3)), "l3 0=0-3 | l3 1=4-7");
    EXPECT_EQ(text(t.domains(Level::numa)), "numa 0=0-3 | numa 1=4-7");
    EXPECT_EQ(text(t.domains(Level::package)), "package 0=0-3 | package 1=4-7");
    EXPECT_EQ(t.domains(Level::core)[2].numa, 1);
}
TEST(ATopology, LeavesOutOfflineAndForbiddenCpus) {
    auto t = two_packages();
    t.online.remove(0);
    t.allowed = CpuSet::range(0, 4);
    EXPECT_EQ(t.usable().text(), "1-4");
    EXPECT_EQ(text(t.domains(Level::core)), "core 0=1 | core 1=2-3 | core 2=4");
    t.allowed = CpuSet::range(0, 3);
    EXPECT_EQ(text(t.domains(Level::package)), "package 0=1-3");
}
TEST(ATopology, WithoutCachesGroupsThemByPackage) {
    auto t = two_packages();
    for (auto& cpu : t.cpus) cpu.l3 = -1;
    EXPECT_EQ(text(t.domains(Level::l3)), "package 0=0-3 | package 1=4-7");
}
TEST(ATopology, TakesForAutoTheWidestLevelWithSeveralDomains) {
    auto t = two_packages();
    EXPECT_EQ(t.resolve(Level::automatic), Level::numa);
    for (auto& cpu : t.cpus) cpu.numa = 0;
    EXPECT_EQ(t.resolve(Level::automatic), Level::package);
    for (auto& cpu : t.cpus) cpu.package = 0;
    EXPECT_EQ(t.resolve(Level::automatic), Level::l3);
    for (auto& cpu : t.cpus) cpu.l3 = 0;
    EXPECT_EQ(t.resolve(Level::automatic), Level::core);
    EXPECT_EQ(t.resolve(Level::package), Level::package);
    EXPECT_EQ(text(t.domains(Level::automatic)), text(t.domains(Level::core)));
}
TEST(ATopology, OfOneCpuIsOneDomainAtEveryLevel) {
    Topology t;
    t.cpus = {{.id = 3}};
    t.online = t.allowed = CpuSet::of(3);
    for (const auto level : {Level::automatic, Level::core, Level::l3, Level::numa, Level::package}) {
        ASSERT_EQ(t.domains(level).size(), 1U) << name_of(level);
        EXPECT_EQ(t.domains(level).front().cpus.text(), "3");
    }
}
TEST(ATopology, WithoutUsableCpusHasNoDomain) {
    auto t = two_packages();
    t.allowed = {};
    EXPECT_TRUE(t.domains(Level::automatic).empty());
    EXPECT_TRUE(Topology().domains(Level::core).empty());
}

} // namespace
} // namespace schedd::model
