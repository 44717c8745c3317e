// make_actuator(), the router and the dry run.
#include "service/actuators/router.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "service/actuators/dry_run.h"
#include "tests/kit/fake_host.h"
#include "tests/unit/service/world.h"

namespace schedd::test {
namespace {

using actuators::DryRun;
using actuators::make_actuator;
using placement::State;

const CpuSet kOne = CpuSet::of(1);
const CpuSet kBoth = CpuSet::range(0, 1);

TEST(TheActuators, AreChosenByName) {
    for (const auto* kind : {"auto", "affinity", "dry-run"})
        EXPECT_EQ(make_actuator(kind, machine()).value()->name(), kind);
    EXPECT_FALSE(make_actuator("affinity", machine()).value()->handles(Target::Sort::cgroup));
    EXPECT_TRUE(make_actuator("dry-run", machine()).value()->handles(Target::Sort::cgroup));
    for (const auto* kind : {"auto", "affinity", "dry-run"}) {
        const auto actuator = make_actuator(kind, machine()).value();
        EXPECT_TRUE(actuator->handles(Target::Sort::process));
        EXPECT_FALSE(actuator->handles(Target::Sort::unit));
    }
}

TEST(TheActuators, ThatAreNotThereAreRefusedWithTheOnesThatAre) {
    const auto systemd = make_actuator("systemd", machine()).error();
    EXPECT_EQ(systemd.kind, Errc::not_supported);
    EXPECT_NE(systemd.text().find("systemd is not there to place units"), std::string::npos)
        << systemd.text();
    EXPECT_EQ(make_actuator("Auto", machine()).error().kind, Errc::invalid_value);
    EXPECT_EQ(make_actuator("", machine()).error().kind, Errc::invalid_value);
}

TEST(TheActuators, DoNotActOnTheRunningMachineForARecordedOne) {
    const auto recorded = host::DirHost::open_root(SCHEDD_MACHINES "/two-cpus").value();
    for (const auto* kind : {"auto", "affinity", "cgroup"}) {
        const auto error = make_actuator(kind, *recorded).error();
        EXPECT_EQ(error.kind, Errc::not_supported) << kind;
        EXPECT_NE(error.text().find("dry-run"), std::string::npos);
    }
    EXPECT_TRUE(make_actuator("dry-run", *recorded));
}

TEST(TheAffinityActuator, RefusesAGroupInWords) {
    const auto actuator = make_actuator("affinity", machine()).value();
    const auto outcome = actuator->place(Target::cgroup("/a"), kOne);
    EXPECT_EQ(outcome.state, State::invalid);
    EXPECT_NE(outcome.detail.find("does not place cgroup:/a"), std::string::npos) << outcome.detail;
    EXPECT_EQ(actuator->capture(Target::cgroup("/a")).error().kind, Errc::not_supported);
}

class TheAutomaticActuator : public ::testing::Test {
protected:
    void SetUp() override {
        if (const auto why = CpusetGroup::unavailable(); !why.empty()) GTEST_SKIP() << why;
    }
};

TEST_F(TheAutomaticActuator, PlacesProcessesByAffinityAndGroupsByTheirCpuset) {
    const auto actuator = make_actuator("auto", machine()).value();
    ASSERT_TRUE(actuator->handles(Target::Sort::cgroup));
    const CpusetGroup group(unique_group("auto"));
    Child child;
    group.take(child.pid());
    const auto as_process = actuator->capture(child.target()).value();
    const auto as_group = actuator->capture(group.target()).value();
    EXPECT_EQ(as_group, "cpus:0-1");
    EXPECT_EQ(actuator->place(child.target(), kOne).state, State::applied);
    EXPECT_EQ(cpuset_group(child.pid()), group.path()) << "it stays in its group";
    const auto born = target_of(child.fork_child());
    EXPECT_EQ(actuator->capture_child(child.target(), as_process, kOne, born).value(), as_process);
    EXPECT_EQ(actuator->place(group.target(), kOne).state, State::applied);
    EXPECT_EQ(actuator->current(group.target()).value(), kOne);
    EXPECT_EQ(actuator->check(group.target(), kOne).state, State::applied);
    EXPECT_EQ(actuator->restore(group.target(), as_group).state, State::free);
    EXPECT_EQ(actuator->restore(child.target(), as_process).state, State::free);
    EXPECT_EQ(affinity(child.pid()), kBoth);
}

TEST_F(TheAutomaticActuator, PutsBackWhatAnotherKindHasDone) {
    const CpusetGroup group(unique_group("other"));
    const Child child;
    group.take(child.pid());
    const auto before = make_actuator("cgroup", machine()).value();
    const auto original = before->capture(child.target()).value();
    ASSERT_EQ(before->place(child.target(), kOne).state, State::applied);
    ASSERT_EQ(cpuset_group(child.pid()), group.path() + "/schedd.1");
    for (const auto* kind : {"auto", "affinity"}) // the daemon was started again with another option
        EXPECT_EQ(make_actuator(kind, machine()).value()->restore(child.target(), original).state,
                  State::free);
    EXPECT_EQ(cpuset_group(child.pid()), group.path());
}

TEST(ADryRun, AnswersAsIfDoneAndTouchesNothing) {
    DryRun dry(machine());
    const Child child(1);
    const auto before = affinity(child.pid());
    const auto original = dry.capture(child.target()).value();
    EXPECT_EQ(original, before.text());
    const auto outcome = dry.place(child.target(), kOne);
    EXPECT_EQ(outcome.state, State::applied);
    EXPECT_EQ(outcome.effective, kOne);
    EXPECT_EQ(dry.current(child.target()).value(), kOne);
    EXPECT_EQ(dry.check(child.target(), kOne).state, State::applied);
    EXPECT_EQ(dry.check(child.target(), CpuSet::of(0)).state, State::overridden);
    EXPECT_EQ(affinity(child.pid()), before);
    EXPECT_EQ(dry.restore(child.target(), original).state, State::free);
    EXPECT_EQ(dry.current(child.target()).value(), before);
    const auto who = child.target().text();
    EXPECT_EQ(dry.take_actions(),
              (std::deque<std::string>{"place " + who + " on 1", "restore " + who + " to " + original}));
    EXPECT_TRUE(dry.take_actions().empty());
}

TEST(ADryRun, KnowsThatATargetIsGone) {
    DryRun dry(machine());
    Child child;
    const auto target = child.target();
    ASSERT_EQ(dry.place(target, kOne).state, State::applied);
    child.end();
    EXPECT_EQ(dry.current(target).error().kind, Errc::no_such_object);
    EXPECT_EQ(dry.check(target, kOne).state, State::gone);
    EXPECT_EQ(dry.restore(target, "0").state, State::gone);
    EXPECT_EQ(dry.capture(Target::cgroup("/no/such/group")).error().kind, Errc::no_such_object);
    const Target unit{Target::Sort::unit, 0, 0, "a.service"};
    EXPECT_EQ(dry.place(unit, kOne).state, State::invalid);
}

TEST(ADryRun, WorksOnARecordedMachine) {
    const auto recorded = host::DirHost::open_root(SCHEDD_MACHINES "/two-cpus").value();
    DryRun dry(*recorded);
    const auto sleeper = Target::process(300, 287031);
    EXPECT_EQ(dry.current(sleeper).value(), kBoth);
    EXPECT_EQ(dry.place(sleeper, kOne).state, State::applied);
    EXPECT_EQ(dry.place(Target::process(300, 1), kOne).state, State::gone);
}

TEST(ADryRun, KeepsABoundedListOfActions) {
    const auto recorded = host::DirHost::open_root(SCHEDD_MACHINES "/two-cpus").value();
    DryRun dry(*recorded);
    for (std::size_t i = 0; i < limits::kDryRunActions + 10; ++i)
        dry.place(Target::process(300, 287031), CpuSet::of(static_cast<int>(i % 2)));
    EXPECT_EQ(dry.take_actions().size(), limits::kDryRunActions);
}

} // namespace
} // namespace schedd::test
