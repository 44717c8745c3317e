// The systemd actuator: placing, reading back, putting back, with a PID 1 that may lie or hang.
#include "tests/unit/service/a_unit.h"

#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "service/actuators/task_affinity.h"

namespace schedd::test {
namespace {

TEST_F(AUnit, IsPlacedByOneCallAndReadBack) {
    const auto outcome = actuator.place(kFoo, cpus("2-3"));
    EXPECT_EQ(outcome.state, State::applied) << outcome.detail;
    EXPECT_EQ(outcome.written, cpus("2-3"));
    EXPECT_EQ(outcome.effective, cpus("2-3"));
    EXPECT_EQ(units.calls, std::vector<std::string>{"foo.service 2-3"});
}

TEST_F(AUnit, IsLookedAtOnceWhenItIsCapturedAndPlaced) {
    ASSERT_TRUE(actuator.capture(kFoo));
    EXPECT_EQ(actuator.current(kFoo).value(), cpus("0-7"));
    ASSERT_EQ(actuator.place(kFoo, cpus("2-3")).state, State::applied);
    EXPECT_EQ(units.looks, 1);
    units.state.allowed = cpus("5"); // the next act sees what is there then
    ASSERT_EQ(actuator.place(kFoo, cpus("2-3")).state, State::applied);
    EXPECT_EQ(units.looks, 2);
    EXPECT_EQ(units.calls, (std::vector<std::string>{"foo.service 2-3", "foo.service 2-3"}));
}

TEST_F(AUnit, ThatIsThereAlreadyIsNotWrittenAgain) {
    ASSERT_EQ(actuator.place(kFoo, cpus("2-3")).state, State::applied);
    EXPECT_EQ(actuator.place(kFoo, cpus("2-3")).state, State::applied);
    EXPECT_EQ(units.calls.size(), 1U);
}

TEST_F(AUnit, IsNotClaimedToBeWhereSystemdOnlySaysSo) {
    units.lies = true;
    EXPECT_EQ(actuator.place(kFoo, cpus("2-3")).state, State::overridden);
    units.lies = false;
    units.forgets_the_kernel = true;
    const auto outcome = actuator.place(kFoo, cpus("2-3"));
    EXPECT_EQ(outcome.state, State::overridden);
    EXPECT_EQ(outcome.effective, cpus("0-7"));
    EXPECT_NE(outcome.detail.find("cpuset.cpus of /system.slice/foo.service"), std::string::npos)
        << outcome.detail;
}

TEST_F(AUnit, IsNotSentToCpusThatSystemdWouldTakeWithoutDoingIt) {
    const auto offline = actuator.place(kFoo, cpus("63"));
    EXPECT_EQ(offline.state, State::invalid);
    EXPECT_NE(offline.detail.find("none of the CPUs 63 is online"), std::string::npos) << offline.detail;
    host.set(kGroups + "/system.slice/cpuset.cpus.effective", "0-3\n");
    const auto disjoint = actuator.place(kFoo, cpus("4-5"));
    EXPECT_EQ(disjoint.state, State::invalid);
    EXPECT_NE(disjoint.detail.find("left by /system.slice"), std::string::npos) << disjoint.detail;
    EXPECT_TRUE(units.calls.empty());
}

TEST_F(AUnit, WithoutAControllerIsInvalidAfterwards) {
    host.remove(kGroups + kService + "/cpuset.cpus");
    units.forgets_the_kernel = true;
    const auto outcome = actuator.place(kFoo, cpus("2"));
    EXPECT_EQ(outcome.state, State::invalid);
    EXPECT_NE(outcome.detail.find("controller"), std::string::npos) << outcome.detail;
}

TEST_F(AUnit, ThatDoesNotRunIsPendingAndStartsThere) {
    units.state.control_group.clear();
    const auto outcome = actuator.place(kFoo, cpus("2"));
    EXPECT_EQ(outcome.state, State::pending);
    EXPECT_NE(outcome.detail.find("will start on these CPUs"), std::string::npos) << outcome.detail;
    EXPECT_EQ(units.state.allowed, cpus("2"));
    EXPECT_FALSE(actuator.current(kFoo));
}

TEST_F(AUnit, ThatDoesNotExistOrCannotBeAskedForIsInvalid) {
    EXPECT_EQ(actuator.place(Target::unit("bar.service"), cpus("2")).state, State::invalid);
    EXPECT_EQ(actuator.capture(Target::unit("bar.service")).error().kind, Errc::no_such_object);
    units.is_hung = true;
    const auto outcome = actuator.place(kFoo, cpus("2"));
    EXPECT_EQ(outcome.state, State::invalid);
    EXPECT_NE(outcome.detail.find("did not answer"), std::string::npos) << outcome.detail;
}

TEST_F(AUnit, ThatSomebodyElseSetIsForeign) {
    ASSERT_EQ(actuator.place(kFoo, cpus("2-3")).state, State::applied);
    units.state.allowed = cpus("5");
    units.show("5", "5");
    const auto outcome = actuator.check(kFoo, cpus("2-3"));
    EXPECT_EQ(outcome.state, State::foreign);
    EXPECT_NE(outcome.detail.find("AllowedCPUs of foo.service is 5, 2-3 was written"), std::string::npos);
}

TEST_F(AUnit, IsReadBackWithoutAskingSystemdWhileTheKernelAgrees) {
    ASSERT_EQ(actuator.place(kFoo, cpus("2-3")).state, State::applied);
    units.looks = 0;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(actuator.check(kFoo, cpus("2-3")).state, State::applied);
    EXPECT_EQ(units.looks, 0);
    EXPECT_EQ(units.mask_looks, 0);
    actuator.forget_answers();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(actuator.check(kFoo, cpus("2-3")).state, State::applied);
    EXPECT_EQ(units.looks, 0);
    EXPECT_EQ(units.mask_looks, 1) << "once after its files were read anew";
    units.state.allowed = cpus("5"); // the unit's files were read anew, and the kernel does not know yet
    actuator.forget_answers();
    EXPECT_EQ(actuator.check(kFoo, cpus("2-3")).state, State::foreign);
    EXPECT_EQ(actuator.check(kFoo, cpus("2-3")).state, State::foreign) << "and it stays so";
}

TEST_F(AUnit, WhoseCpusWentOfflineRunsElsewhereAndIsSaidTo) {
    ASSERT_EQ(actuator.place(kFoo, cpus("2")).state, State::applied);
    units.show("2", "0-1,3-7");
    EXPECT_EQ(actuator.check(kFoo, cpus("2")).state, State::overridden);
}

TEST_F(AUnit, ThatWasUnsetIsWidenedBeforeItIsUnset) {
    const auto original = actuator.capture(kFoo).value();
    EXPECT_EQ(original, "unit:unset:");
    ASSERT_EQ(actuator.place(kFoo, cpus("2-3")).state, State::applied);
    make_drop_in();
    units.calls.clear();
    const auto outcome = actuator.restore(kFoo, original);
    EXPECT_EQ(outcome.state, State::free) << outcome.detail;
    EXPECT_EQ(units.calls, (std::vector<std::string>{"foo.service 0-7", "foo.service unset"}));
    EXPECT_FALSE(std::filesystem::exists(drop_in())) << "it was not there before";
    EXPECT_FALSE(std::filesystem::exists(run.path() + "/system.control/foo.service.d"));
}

TEST_F(AUnit, WithAValueFromAFileGetsItBackAndTheRunTimeSettingGoes) {
    units.state.allowed = cpus("0-3");
    units.show("0-3", "0-3");
    const auto original = actuator.capture(kFoo).value();
    EXPECT_EQ(original, "unit:file:0-3");
    ASSERT_EQ(actuator.place(kFoo, cpus("2")).state, State::applied);
    make_drop_in();
    EXPECT_EQ(actuator.restore(kFoo, original).state, State::free);
    EXPECT_EQ(units.state.allowed, cpus("0-3"));
    EXPECT_FALSE(std::filesystem::exists(drop_in()));
}

TEST_F(AUnit, WithARunTimeValueKeepsItsFile) {
    units.state.allowed = cpus("0-3");
    units.show("0-3", "0-3");
    make_drop_in();
    units.files = {drop_in()};
    const auto original = actuator.capture(kFoo).value();
    EXPECT_EQ(original, "unit:runtime:0-3");
    ASSERT_EQ(actuator.place(kFoo, cpus("2")).state, State::applied);
    EXPECT_EQ(actuator.restore(kFoo, original).state, State::free);
    EXPECT_TRUE(std::filesystem::exists(drop_in()));
}

TEST_F(AUnit, IsNotPlacedWhereItsCpuAffinityWouldKeepItFromStarting) {
    units.usual = cpus("0-4");
    const auto outcome = actuator.place(kFoo, cpus("6-7"));
    EXPECT_EQ(outcome.state, State::invalid);
    EXPECT_NE(outcome.detail.find("CPUAffinity= is 0-4"), std::string::npos) << outcome.detail;
    EXPECT_TRUE(units.calls.empty());
    EXPECT_EQ(actuator.place(kFoo, cpus("4-7")).state, State::applied);
}

/// A unit with a task that really runs, confined to CPU 0, in a group that says that it gives CPUs 0-7.
struct AUnitWithATask : AUnit {
    Child child;

    AUnitWithATask() {
        set_affinity(child.pid(), cpus("0"));
        host.set(kGroups + kService + "/cgroup.threads", std::to_string(child.pid()) + "\n");
        std::array<char, 1024> buffer;
        const auto stat = "proc/" + std::to_string(child.pid()) + "/stat";
        host.set(stat, std::string(machine().read(stat, buffer).value()));
    }
    /// As Linux 6.1 does it when the group's CPUs change.
    void overwrite() { actuators::set_affinity(child.pid(), TaskMask{cpus("0"), true}).value(); }
};

TEST_F(AUnitWithATask, OfItsOwnAffinityGivesItBack) {
    const auto original = actuator.capture(kFoo).value();
    EXPECT_EQ(original, fmt::format("unit:unset:;{}/{}=0", child.pid(), child.target().start_time));
    ASSERT_NE(actuator.place(kFoo, cpus("0-1")).state, State::invalid);
    overwrite();
    units.usual = cpus("1");
    EXPECT_EQ(actuator.restore(kFoo, original).state, State::free);
    EXPECT_EQ(actuators::affinity_of(child.pid()).value(), cpus("0")) << "its own, not the unit's";
}

TEST_F(AUnitWithATask, KeepsAStrangersAffinityWhenTheControllerComesAndGoes) {
    host.set(kGroups + "/cgroup.threads", "");
    host.set(kGroups + "/other.slice/cgroup.controllers", "");
    host.set(kGroups + "/other.slice/cgroup.procs", "");
    host.set(kGroups + "/other.slice/cgroup.threads", std::to_string(child.pid()) + "\n");
    host.set(kGroups + kService + "/cgroup.threads", "");
    host.set("proc/" + std::to_string(child.pid()) + "/cgroup", "0::/other.slice\n");
    const auto all = (overwrite(), actuators::affinity_of(child.pid()).value());
    for (const std::string group : {"", "/system.slice"})
        host.set(kGroups + group + "/cpuset.cpus.effective", all.text() + "\n");
    set_affinity(child.pid(), cpus("0"));
    host.remove(kGroups + kService + "/cpuset.cpus");
    units.then = [&] { overwrite(); }; // what the kernel does
    ASSERT_NE(actuator.place(kFoo, cpus("0")).state, State::invalid);
    EXPECT_EQ(actuators::affinity_of(child.pid()).value(), cpus("0"));
}

TEST_F(AUnitWithATask, KeepsItsAffinityWhenTheControllerGoesAfterTheAnswer) {
    const auto all = (overwrite(), actuators::affinity_of(child.pid()).value());
    for (const std::string group : {"", "/system.slice", "/system.slice/foo.service"})
        host.set(kGroups + group + "/cpuset.cpus.effective", all.text() + "\n");
    set_affinity(child.pid(), cpus("0"));
    const auto original = actuator.capture(kFoo).value();
    ASSERT_EQ(actuator.place(kFoo, all).state, State::applied);
    // one that was let go before: its wide set stays in the file
    host.set(kGroups + "/system.slice/bar.service/cgroup.procs", "");
    host.set(kGroups + "/system.slice/bar.service/cpuset.cpus", all.text() + "\n");
    bool is_on = true;
    const auto switch_off = [&] {
        if (std::exchange(is_on, false)) overwrite();
        host.remove(kGroups + kService + "/cpuset.cpus");
    };
    units.when_asked_again = switch_off;
    EXPECT_EQ(actuator.restore(kFoo, original).state, State::free);
    switch_off(); // a while later at the latest
    EXPECT_EQ(actuators::affinity_of(child.pid()).value(), cpus("0"));
}

TEST_F(AUnitWithATask, ThatIsNewGetsTheAffinityOfTheUnit) {
    overwrite();
    host.set(kGroups + kService + "/cpuset.cpus.effective",
             actuators::affinity_of(child.pid()).value().text() + "\n");
    host.set(kGroups + "/system.slice/cpuset.cpus.effective",
             actuators::affinity_of(child.pid()).value().text() + "\n");
    units.usual = cpus("0");
    // another task had the number
    EXPECT_EQ(actuator.restore(kFoo, fmt::format("unit:unset:;{}/1=1", child.pid())).state, State::free);
    EXPECT_EQ(actuators::affinity_of(child.pid()).value(), cpus("0"));
}

TEST_F(AUnitWithATask, ThatEndedIsNoMistake) {
    const auto original = actuator.capture(kFoo).value();
    child.end();
    EXPECT_EQ(actuator.restore(kFoo, original).state, State::free);
}

TEST_F(AUnit, ThatCannotBeWidenedStaysInTheLedger) {
    ASSERT_EQ(actuator.place(kFoo, cpus("2-3")).state, State::applied);
    units.forgets_the_kernel = true;
    const auto outcome = actuator.restore(kFoo, "unit:unset:");
    EXPECT_EQ(outcome.state, State::invalid);
    EXPECT_NE(outcome.detail.find("before unsetting it"), std::string::npos) << outcome.detail;
}

TEST_F(AUnit, ThatIsGoneLeavesNothingBehind) {
    make_drop_in();
    std::filesystem::rename(run.path() + "/system.control/foo.service.d",
                            run.path() + "/system.control/bar.service.d");
    EXPECT_EQ(actuator.restore(Target::unit("bar.service"), "unit:unset:").state, State::gone);
    EXPECT_FALSE(std::filesystem::exists(run.path() + "/system.control/bar.service.d"));
}

TEST_F(AUnit, IsNotRestoredFromJunk) {
    for (const auto* junk : {"", "unit:", "unit:unset:0", "unit:file:", "unit:odd:1", "cpus:1", "unit:file:x",
                             "unit:unset:;1", "unit:unset:;1/2", "unit:unset:;0/2=1",
                             "unit:unset:;1/2=", "unit:unset:;1=2/3", "unit:unset:;1/2=1;x"})
        EXPECT_EQ(actuator.restore(kFoo, junk).state, State::invalid) << junk;
    EXPECT_TRUE(units.calls.empty());
}

TEST_F(AUnit, IsTheOnlyThingItPlaces) {
    EXPECT_FALSE(actuator.handles(Target::Sort::cgroup));
    EXPECT_EQ(actuator.place(Target::cgroup("/a"), cpus("0")).state, State::invalid);
    EXPECT_EQ(actuator.check(Target::cgroup("/a"), cpus("0")).state, State::invalid);
    EXPECT_EQ(actuator.restore(Target::cgroup("/a"), "unit:unset:").state, State::invalid);
    EXPECT_FALSE(actuator.current(Target::cgroup("/a")));
    EXPECT_FALSE(actuator.capture(Target::cgroup("/a")));
}

TEST_F(AUnit, IsFollowedByTheFileThatShowsOtherWriters) {
    struct : FileWatch {
        void follow(const Target& target, const std::string& file) override { files[target.name] = file; }
        void let_go(const Target& target) override { files.erase(target.name); }
        std::map<std::string, std::string> files;
    } watch;
    SystemdActuator watching{CpusetHierarchy(host, CpusetMount{kGroups, 2}), units, &watch, run.path()};
    const auto original = watching.capture(kFoo).value();
    ASSERT_EQ(watching.place(kFoo, cpus("2-3")).state, State::applied);
    EXPECT_EQ(watch.files["foo.service"], "/" + kGroups + kService + "/cpuset.cpus");
    ASSERT_EQ(watching.restore(kFoo, original).state, State::free);
    EXPECT_TRUE(watch.files.empty());
}

TEST_F(AUnit, ThatSomebodyElseSetIsNamedWithTheFile) {
    ASSERT_EQ(actuator.place(kFoo, cpus("2-3")).state, State::applied);
    make_drop_in();
    run.write("system.control/foo.service.d/50-AllowedCPUs.conf", "[Service]\nAllowedCPUs=5\n");
    units.files = {drop_in()};
    units.state.allowed = cpus("5");
    units.show("5", "5");
    const auto outcome = actuator.check(kFoo, cpus("2-3"));
    EXPECT_NE(outcome.detail.find(drop_in() + " set it"), std::string::npos) << outcome.detail;
    units.state.allowed.reset(); // systemctl revert
    EXPECT_EQ(actuator.check(kFoo, cpus("2-3")).state, State::overridden);
}

} // namespace
} // namespace schedd::test
