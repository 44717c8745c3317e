// CgroupActuator on single processes: into own groups and back (version 1).
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "service/actuators/cgroup.h"
#include "tests/unit/service/world.h"

namespace schedd::test {
namespace {

using actuators::CgroupActuator;
using actuators::CpusetHierarchy;
using actuators::OwnGroups;
using placement::State;

const CpuSet kZero = CpuSet::of(0);
const CpuSet kOne = CpuSet::of(1);
const CpuSet kBoth = CpuSet::range(0, 1);

/// Everything happens below one group of the test's own, so that nothing can be left behind.
class AProcessInAGroup : public ::testing::Test {
protected:
    void SetUp() override {
        if (const auto why = CpusetGroup::unavailable(); !why.empty()) GTEST_SKIP() << why;
        home.emplace(unique_group("home"));
        actuator.emplace(CpusetHierarchy::find(machine()).value());
    }
    void take(const Child& child) const { home->take(child.pid()); }

    std::optional<CpusetGroup> home;
    std::optional<CgroupActuator> actuator;
};

TEST_F(AProcessInAGroup, GoesToAnOwnGroupAndBackAndTheGroupIsRemoved) {
    const Child child(2);
    take(child);
    const auto original = actuator->capture(child.target()).value();
    EXPECT_EQ(original, "group:" + home->path() + "|0-1*");
    const auto outcome = actuator->place(child.target(), kOne);
    EXPECT_EQ(outcome.state, State::applied) << outcome.detail;
    EXPECT_EQ(outcome.effective, kOne);
    EXPECT_EQ(cpuset_group(child.pid()), home->path() + "/schedd.1");
    EXPECT_EQ(home->read("schedd.1/cpuset.mems"), home->read("cpuset.mems"));
    EXPECT_EQ(home->read("schedd.1/cgroup.clone_children"), "0");
    for (const Pid tid : child.threads()) EXPECT_EQ(affinity(tid), kOne);
    const auto restored = actuator->restore(child.target(), original);
    EXPECT_EQ(restored.state, State::free) << restored.detail;
    EXPECT_EQ(restored.detail, "");
    EXPECT_EQ(cpuset_group(child.pid()), home->path());
    for (const Pid tid : child.threads()) EXPECT_EQ(affinity(tid), kBoth);
    EXPECT_FALSE(home->has("schedd.1"));
}

TEST_F(AProcessInAGroup, SharesAnOwnGroupAndChangesIt) {
    const Child one;
    const Child two;
    take(one);
    take(two);
    ASSERT_EQ(actuator->place(one.target(), kOne).state, State::applied);
    ASSERT_EQ(actuator->place(two.target(), kOne).state, State::applied);
    ASSERT_EQ(actuator->place(one.target(), kZero).state, State::applied);
    EXPECT_EQ(cpuset_group(one.pid()), home->path() + "/schedd.0") << "beside, not inside the other";
    EXPECT_TRUE(home->has("schedd.1")) << "the second process is still there";
    EXPECT_EQ(affinity(two.pid()), kOne);
    ASSERT_EQ(actuator->place(two.target(), kZero).state, State::applied);
    EXPECT_FALSE(home->has("schedd.1"));
}

TEST_F(AProcessInAGroup, IsCapturedByWhereItWouldBeWithoutSchedd) {
    const Child child;
    take(child);
    ASSERT_EQ(actuator->place(child.target(), kOne).state, State::applied);
    EXPECT_EQ(actuator->capture(child.target()).value(), "group:" + home->path() + "|1*");
}

TEST_F(AProcessInAGroup, WithThreadsElsewhereGetsThemBackThere) {
    const Child child(1);
    take(child);
    const CpusetGroup side(home->path() + "/a b;c");
    const auto thread = child.threads()[1];
    ASSERT_TRUE(side.write("tasks", std::to_string(thread)));
    set_affinity(thread, kZero);
    const auto original = actuator->capture(child.target()).value();
    EXPECT_EQ(original.find_first_of(" \t\n"), std::string::npos) << original;
    ASSERT_EQ(actuator->place(child.target(), kOne).state, State::applied);
    const auto restored = actuator->restore(child.target(), original);
    EXPECT_EQ(restored.state, State::free) << restored.detail;
    EXPECT_EQ(restored.detail, "");
    EXPECT_EQ(cpuset_group(child.pid()), home->path());
    EXPECT_EQ(actuators::group_of(machine(), fmt::format("{}/task/{}", child.pid(), thread)), side.path());
    EXPECT_EQ(affinity(thread), kZero);
}

TEST_F(AProcessInAGroup, WhoseGroupIsGoneGoesToTheNearestThatIsLeft) {
    const Child child;
    std::string original;
    {
        const CpusetGroup inner(home->path() + "/inner");
        inner.take(child.pid());
        original = actuator->capture(child.target()).value();
        ASSERT_EQ(actuator->place(child.target(), kOne).state, State::applied);
    } // takes the own group below with it
    const auto restored = actuator->restore(child.target(), original);
    EXPECT_EQ(restored.state, State::free);
    EXPECT_NE(restored.detail.find("is gone"), std::string::npos) << restored.detail;
    EXPECT_EQ(cpuset_group(child.pid()), home->path());
}

TEST_F(AProcessInAGroup, ThatSomebodyElseMovedIsOverridden) {
    const Child child;
    take(child);
    ASSERT_EQ(actuator->place(child.target(), kOne).state, State::applied);
    take(child);
    const auto outcome = actuator->check(child.target(), kOne);
    EXPECT_EQ(outcome.state, State::overridden);
    EXPECT_NE(outcome.detail.find("moved it"), std::string::npos) << outcome.detail;
}

TEST_F(AProcessInAGroup, CannotHaveCpusThatItsGroupHasNot) {
    const CpusetGroup narrow(home->path() + "/narrow", "0");
    const Child child;
    narrow.take(child.pid());
    const auto outcome = actuator->place(child.target(), kOne);
    EXPECT_EQ(outcome.state, State::invalid);
    EXPECT_NE(outcome.detail.find(narrow.path()), std::string::npos) << outcome.detail;
    EXPECT_FALSE(narrow.has("schedd.1")) << "nothing is left behind";
    EXPECT_EQ(cpuset_group(child.pid()), narrow.path());
}

TEST_F(AProcessInAGroup, ThatHasEndedLeavesNothingBehind) {
    Child child;
    take(child);
    const auto target = child.target();
    child.end();
    EXPECT_EQ(actuator->place(target, kOne).state, State::gone);
    EXPECT_EQ(actuator->restore(target, "group:/|0-1").state, State::gone);
    EXPECT_FALSE(home->has("schedd.1"));
}

TEST_F(AProcessInAGroup, ThatForksHasAChildWithItsOriginal) {
    Child child;
    take(child);
    const auto original = actuator->capture(child.target()).value();
    ASSERT_EQ(actuator->place(child.target(), kOne).state, State::applied);
    const auto born = target_of(child.fork_child());
    EXPECT_EQ(actuator->capture_child(child.target(), original, kOne, born).value(), original);
    EXPECT_EQ(actuator->capture_child(child.target(), original, kZero, born).error().kind,
              Errc::no_such_object);
    ASSERT_EQ(actuator->restore(born, original).state, State::free);
    EXPECT_EQ(cpuset_group(born.pid), home->path());
}

TEST_F(AProcessInAGroup, NeedsPermission) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
    const Child child;
    take(child);
    const auto target = child.target();
    const auto said = in_another_process(65534, [&] {
        return CgroupActuator(CpusetHierarchy::find(machine()).value()).place(target, kOne).detail;
    });
    EXPECT_NE(said.find("ermi"), std::string::npos) << said; // "Permission denied", "not permitted"
    EXPECT_FALSE(home->has("schedd.1"));
}

TEST_F(AProcessInAGroup, IsNotPutBackFromJunk) {
    const Child child;
    take(child);
    for (const auto* bad : {"", "group:", "group:/a", "group:a|0", "group:/a|", "group:/a|x", "group:/%|0",
                            "group:/%zz|0", "group:/a;12|0", "group:/a;x:/b|0", "group:/a;0:/b|0",
                            "group:/a;12:b|0", "group:/a%00|0", "cpus:0"})
        EXPECT_EQ(actuator->restore(child.target(), bad).state, State::invalid) << bad;
    EXPECT_EQ(cpuset_group(child.pid()), home->path());
}

TEST(AnOwnGroup, IsNamedForItsCpus) {
    EXPECT_EQ(OwnGroups::name_for(CpuSet::parse("0-3,5").value()), "schedd.0-3,5");
    CpuSet odd;
    for (int cpu = 1; cpu < limits::kMaxCpus; cpu += 2) odd.add(cpu);
    const auto name = OwnGroups::name_for(odd);
    EXPECT_LT(name.size(), 255U);
    EXPECT_TRUE(OwnGroups::is_own("/a/" + name));
    auto other = odd;
    other.remove(1);
    other.add(0);
    EXPECT_NE(OwnGroups::name_for(other), name);
}

TEST(AnOwnGroup, IsToldFromOthersByItsName) {
    EXPECT_TRUE(OwnGroups::is_own("/schedd.0"));
    for (const auto* other :
         {"/", "/schedd", "/schedd.", "/schedd.slice", "/schedd.service", "/x.schedd.0", "/schedd.0/a"})
        EXPECT_FALSE(OwnGroups::is_own(other)) << other;
    EXPECT_EQ(OwnGroups::home_of("/a/schedd.0"), "/a");
    EXPECT_EQ(OwnGroups::home_of("/schedd.0"), "/");
    EXPECT_EQ(OwnGroups::home_of("/a"), "/a");
}

} // namespace
} // namespace schedd::test
