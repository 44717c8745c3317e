// Homes across changes of the subjects and of the machine.
#include "policies/homes.h"

#include <gtest/gtest.h>

#include "tests/kit/machine.h"

namespace schedd::policies {
namespace {

Subject subject(Pid pid) { return {Target::process(pid, 1), "handle_all", 100, {pid}, CpuSet::range(0, 3)}; }

struct HomesOnTwoCores {
    Topology whole = test::machine({.cores_per_l3 = 2, .threads_per_core = 2});
    Topology topology = whole;
    std::vector<Subject> subjects{subject(10), subject(20), subject(30)};
    Homes homes;

    HomesOnTwoCores() {
        homes.follow_topology(topology, Level::core);
        homes.follow_subjects(subjects);
        for (std::size_t i = 0; i < 3; ++i) homes[i].put(i % 2, Time{5}, "because");
    }
};

TEST(Homes, AreHeldOnAllCpusOfTheirDomain) {
    HomesOnTwoCores t;
    const auto held = t.homes.decisions();
    ASSERT_EQ(held.size(), 3U);
    EXPECT_EQ(held[0].cpus.text(), "0-1");
    EXPECT_EQ(held[1].cpus.text(), "2-3");
    EXPECT_EQ(held[2].target, t.subjects[2].target);
    EXPECT_EQ(held[2].reason, "because");
}

TEST(Homes, ForgetWhoIsGoneAndKeepTheRest) {
    HomesOnTwoCores t;
    t.subjects.erase(t.subjects.begin());
    t.subjects.push_back(subject(40));
    t.homes.follow_subjects(t.subjects);
    ASSERT_EQ(t.homes.size(), 3U);
    EXPECT_EQ(t.homes[0].domain, 1U);
    EXPECT_EQ(t.homes[1].domain, 0U);
    EXPECT_EQ(t.homes[2].domain, kNowhere);
    EXPECT_EQ(t.homes.decisions().size(), 2U);
}

TEST(Homes, DoNotTakeAReusedPidForTheSame) {
    HomesOnTwoCores t;
    t.subjects[1].target.start_time = 2;
    t.homes.follow_subjects(t.subjects);
    EXPECT_EQ(t.homes[1].domain, kNowhere);
    EXPECT_FALSE(t.homes[1].put_at.has_value());
}

TEST(Homes, FollowACoreThatLostAThread) {
    HomesOnTwoCores t;
    test::set_online(t.topology, t.whole, CpuSet::parse("0,2-3").value());
    t.homes.follow_topology(t.topology, Level::core);
    const auto held = t.homes.decisions();
    ASSERT_EQ(held.size(), 3U);
    EXPECT_EQ(held[0].cpus.text(), "0");
    EXPECT_EQ(held[0].reason, "stays on core 0: it holds most of what was core 0, now CPUs 0");
    EXPECT_EQ(held[1].reason, "because") << "core 1 is as it was";
}

TEST(Homes, AreLostWithTheirCore) {
    HomesOnTwoCores t;
    test::set_online(t.topology, t.whole, CpuSet::range(0, 1));
    t.homes.follow_topology(t.topology, Level::core);
    EXPECT_TRUE(t.homes[1].is_displaced());
    EXPECT_EQ(t.homes[1].lost, "core 1");
    EXPECT_EQ(t.homes.decisions().size(), 2U);
}

TEST(Homes, GoUpWithACoarserLevelAndAreLostWithAFinerOne) {
    HomesOnTwoCores t;
    t.homes.follow_topology(t.topology, Level::package);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(t.homes[i].domain, 0U);
    EXPECT_EQ(t.homes.decisions()[1].cpus.text(), "0-3");
    t.homes.follow_topology(t.topology, Level::core);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(t.homes[i].is_displaced()) << "nothing says which core";
}

TEST(Homes, NoticeCpusThatAreNoLongerAllowed) {
    HomesOnTwoCores t;
    t.topology.allowed = CpuSet::range(2, 3); // even if nobody counted the generation up
    t.homes.follow_topology(t.topology, Level::core);
    EXPECT_TRUE(t.homes[0].is_displaced());
    EXPECT_EQ(t.homes.usable_cpus(), 2);
}

TEST(TheDomainAroundAMask, LooksOnlyAtUsableCpus) {
    HomesOnTwoCores t;
    EXPECT_EQ(t.homes.domain_around(CpuSet::of(3)), 1U);
    EXPECT_EQ(t.homes.domain_around(CpuSet::range(2, 3)), 1U);
    EXPECT_EQ(t.homes.domain_around(CpuSet::range(1, 2)), kNowhere);
    EXPECT_EQ(t.homes.domain_around(CpuSet::range(2, 9)), 1U) << "CPUs 4 to 9 are not there";
    EXPECT_EQ(t.homes.domain_around({}), kNowhere);
    EXPECT_EQ(t.homes.domain_around(CpuSet::of(77)), kNowhere);
}

TEST(Homes, SurviveAMachineWithoutUsableCpus) {
    HomesOnTwoCores t;
    t.topology.allowed = {};
    t.homes.follow_topology(t.topology, Level::core);
    EXPECT_TRUE(t.homes.domains().empty());
    EXPECT_TRUE(t.homes.decisions().empty());
    t.topology.allowed = t.topology.online;
    t.homes.follow_topology(t.topology, Level::core);
    EXPECT_EQ(t.homes.domains().size(), 2U);
    EXPECT_TRUE(t.homes[0].is_displaced());
}

} // namespace
} // namespace schedd::policies
