// GroupUsage: what control groups use of CPUs, from cpu.stat, of those that somebody asks for.
#include "components/probes/group_usage.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "components/kit/limits.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using probes::GroupUsage;
using std::chrono::seconds;

TEST(TheUsageInCpuStat, IsFoundAmongItsLines) {
    EXPECT_EQ(probes::parse_cpu_stat("usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n"), 1500U);
    EXPECT_EQ(probes::parse_cpu_stat("nr_periods 0\nusage_usec 7"), 7U);
    for (const auto* text : {"", "usage_usec", "usage_usec x\n", "user_usec 3\n", "usage_usec -1\n",
                             "usage_usec 99999999999999999999999\n"})
        EXPECT_FALSE(probes::parse_cpu_stat(text)) << text;
}

struct GroupsInUse : testing::Test {
    World world{{}};
    GroupUsage usage{world.host};
    Time now = seconds(100);

    void set(const std::string& group, std::uint64_t usec) {
        world.host.set("sys/fs/cgroup" + group + "/cpu.stat", fmt::format("usage_usec {}\n", usec));
    }
    std::int64_t used(std::string_view group) {
        const auto found = usage.look(group, now);
        return found ? found->used : -1;
    }
    void pass(int after = 1) {
        now += seconds(after);
        usage.measure(now, seconds(30));
    }
};

TEST_F(GroupsInUse, HaveAValueFromTheSecondLookOn) {
    set("/a.slice", 5'000'000);
    EXPECT_EQ(used("/a.slice"), -1);
    pass();
    EXPECT_EQ(used("/a.slice"), -1) << "what it used before is not of this period";
    set("/a.slice", 8'500'000);
    pass();
    EXPECT_EQ(used("/a.slice"), 3500);
    pass();
    EXPECT_EQ(used("/a.slice"), 0);
    set("/a.slice", 9'500'000);
    pass(4);
    EXPECT_EQ(used("/a.slice"), 250) << "over the time that has passed";
    usage.measure(now, seconds(30));
    EXPECT_EQ(used("/a.slice"), 250) << "at once again: nothing can have happened";
}

TEST_F(GroupsInUse, AreForgottenWhenGoneOrNoLongerAskedFor) {
    set("/a", 0);
    used("/a");
    pass();
    pass();
    EXPECT_EQ(used("/a"), 0);
    world.host.remove("sys/fs/cgroup/a/cpu.stat");
    pass();
    EXPECT_EQ(used("/a"), -1) << "gone; followed anew from here";
    set("/a", 50);
    pass();
    pass(31);
    int told = 0;
    usage.visit([&](const std::string&, const GroupUsage::Usage&) { ++told; });
    EXPECT_EQ(told, 0) << "nobody asked for longer than is waited";
}

TEST_F(GroupsInUse, OfAnotherGroupOfTheSameNameStartAnew) {
    set("/a", 1'000'000);
    used("/a");
    pass();
    set("/a", 10);
    pass();
    EXPECT_EQ(used("/a"), -1);
    set("/a", 500'010);
    pass();
    EXPECT_EQ(used("/a"), 500);
    set("/a", UINT64_MAX);
    pass();
    EXPECT_EQ(used("/a"), 1000 * static_cast<std::int64_t>(kit::limits::kMaxCpus)) << "no overflow";
}

TEST_F(GroupsInUse, AreNotMoreThanTheLimitAndNotOutsideOfTheHierarchy) {
    for (const auto* path : {"", "a", "/../proc", "/a//b"}) EXPECT_EQ(used(path), -1);
    for (std::size_t i = 0; i < kit::limits::kPressureGroups + 10; ++i) {
        set(fmt::format("/{}", i), 0);
        used(fmt::format("/{}", i));
    }
    pass();
    pass();
    std::size_t told = 0;
    usage.visit([&](const std::string&, const GroupUsage::Usage&) { ++told; });
    EXPECT_EQ(told, kit::limits::kPressureGroups);
}

TEST_F(GroupsInUse, AreFoundWhereTheUnifiedHierarchyIsBesideTheOther) {
    world.host.set("sys/fs/cgroup/unified/b/cpu.stat", "usage_usec 0\n");
    used("/b");
    pass();
    world.host.set("sys/fs/cgroup/unified/b/cpu.stat", "usage_usec 2000000\n");
    pass();
    EXPECT_EQ(used("/b"), 2000);
}

} // namespace
} // namespace schedd::test
