// CgroupActuator on control groups of our own (version 1), and on a tree that looks like version 2.
#include "service/actuators/cgroup.h"

#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/unit/service/world.h"

namespace schedd::test {
namespace {

using actuators::CgroupActuator;
using actuators::CpusetHierarchy;
using placement::State;

const CpuSet kZero = CpuSet::of(0);
const CpuSet kOne = CpuSet::of(1);
const CpuSet kBoth = CpuSet::range(0, 1);

class AControlGroup : public ::testing::Test {
protected:
    void SetUp() override {
        if (const auto why = CpusetGroup::unavailable(); !why.empty()) GTEST_SKIP() << why;
    }
    static CgroupActuator make() { return CgroupActuator(CpusetHierarchy::find(machine()).value()); }
    static std::map<std::string, std::string> files_of(const CpusetGroup& group) {
        std::map<std::string, std::string> files;
        for (const auto* name :
             {"cpuset.cpus", "cpuset.mems", "cpuset.cpu_exclusive", "cpuset.mem_exclusive",
              "cpuset.sched_load_balance", "cpuset.memory_migrate", "cgroup.clone_children"})
            files[name] = group.read(name);
        return files;
    }
};

TEST_F(AControlGroup, IsFoundWhereItIsMounted) {
    const auto hierarchy = CpusetHierarchy::find(machine()).value();
    EXPECT_EQ(hierarchy.mount().mount, "sys/fs/cgroup/cpuset");
    EXPECT_EQ(hierarchy.version(), 1);
}

TEST_F(AControlGroup, IsPlacedReadBackAndPutBackExactly) {
    auto actuator = make();
    const CpusetGroup group(unique_group("a"));
    const Child child;
    group.take(child.pid());
    const auto before = files_of(group);
    const auto original = actuator.capture(group.target()).value();
    EXPECT_EQ(original, "cpus:0-1");
    const auto outcome = actuator.place(group.target(), kOne);
    EXPECT_EQ(outcome.state, State::applied) << outcome.detail;
    EXPECT_EQ(outcome.effective, kOne);
    EXPECT_EQ(affinity(child.pid()), kOne);
    auto expected = before;
    expected["cpuset.cpus"] = "1";
    EXPECT_EQ(files_of(group), expected) << "nothing else is written";
    EXPECT_EQ(actuator.current(group.target()).value(), kOne);
    const auto restored = actuator.restore(group.target(), original);
    EXPECT_EQ(restored.state, State::free) << restored.detail;
    EXPECT_EQ(files_of(group), before);
    EXPECT_EQ(affinity(child.pid()), kBoth);
}

TEST_F(AControlGroup, ThatWasEmptyIsEmptyAgain) {
    auto actuator = make();
    const CpusetGroup group(unique_group("empty"), "");
    const auto original = actuator.capture(group.target()).value();
    EXPECT_EQ(original, "cpus:");
    EXPECT_EQ(actuator.current(group.target()).value(), kBoth) << "what its parent has";
    ASSERT_EQ(actuator.place(group.target(), kZero).state, State::applied);
    EXPECT_EQ(actuator.restore(group.target(), original).state, State::free);
    EXPECT_EQ(group.read("cpuset.cpus"), "");
}

TEST_F(AControlGroup, ThatWasEmptyKeepsItsCpusWhileTasksAreInIt) {
    auto actuator = make();
    const CpusetGroup group(unique_group("filled"), "");
    ASSERT_EQ(actuator.place(group.target(), kZero).state, State::applied);
    const Child child;
    group.take(child.pid());
    const auto outcome = actuator.restore(group.target(), "cpus:");
    EXPECT_EQ(outcome.state, State::invalid);
    EXPECT_NE(outcome.detail.find("no CPU"), std::string::npos) << outcome.detail;
    EXPECT_EQ(group.read("cpuset.cpus"), "0");
}

TEST_F(AControlGroup, WithAChildThatHasMoreIsNotShrunkAndTheChildIsNamed) {
    auto actuator = make();
    const CpusetGroup group(unique_group("outer"));
    const CpusetGroup inner(group.path() + "/inner");
    const auto outcome = actuator.place(group.target(), kZero);
    EXPECT_EQ(outcome.state, State::invalid);
    EXPECT_NE(outcome.detail.find(inner.path() + " has 0-1"), std::string::npos) << outcome.detail;
    EXPECT_EQ(group.read("cpuset.cpus"), "0-1");
    ASSERT_EQ(actuator.place(inner.target(), kZero).state, State::applied);
    EXPECT_EQ(actuator.place(group.target(), kZero).state, State::applied) << "inner first, then outer";
}

TEST_F(AControlGroup, CannotHaveMoreThanItsParentWhichIsNamed) {
    auto actuator = make();
    const CpusetGroup group(unique_group("small"), "0");
    const CpusetGroup inner(group.path() + "/inner");
    const auto outcome = actuator.place(inner.target(), kBoth);
    EXPECT_EQ(outcome.state, State::invalid);
    EXPECT_NE(outcome.detail.find(group.path() + " has 0"), std::string::npos) << outcome.detail;
    EXPECT_EQ(inner.read("cpuset.cpus"), "0");
    const auto absent = actuator.place(group.target(), CpuSet::of(1000));
    EXPECT_EQ(absent.state, State::invalid);
    EXPECT_NE(absent.detail.find("its parent / has 0-1"), std::string::npos) << absent.detail;
}

TEST_F(AControlGroup, ThatSomebodyElseWroteIsForeign) {
    auto actuator = make();
    const CpusetGroup group(unique_group("foreign"));
    ASSERT_EQ(actuator.place(group.target(), kOne).state, State::applied);
    ASSERT_TRUE(group.write("cpuset.cpus", "0-1"));
    const auto outcome = actuator.check(group.target(), kOne);
    EXPECT_EQ(outcome.state, State::foreign);
    EXPECT_EQ(outcome.effective, kBoth);
    EXPECT_NE(outcome.detail.find("something else wrote it"), std::string::npos) << outcome.detail;
}

TEST_F(AControlGroup, ThatIsGoneIsGone) {
    auto actuator = make();
    const auto target = Target::cgroup(unique_group("never"));
    EXPECT_EQ(actuator.place(target, kOne).state, State::gone);
    EXPECT_EQ(actuator.check(target, kOne).state, State::gone);
    EXPECT_EQ(actuator.restore(target, "cpus:0").state, State::gone);
    EXPECT_EQ(actuator.capture(target).error().kind, Errc::no_such_object);
    EXPECT_EQ(actuator.current(target).error().kind, Errc::no_such_object);
}

TEST_F(AControlGroup, ThatIsTheRootOrAUnitIsRefused) {
    auto actuator = make();
    EXPECT_EQ(actuator.capture(Target::cgroup("/")).error().kind, Errc::not_attachable);
    EXPECT_EQ(actuator.place(Target::cgroup("/"), kOne).state, State::invalid);
    const Target unit{Target::Sort::unit, 0, 0, "a.service"};
    EXPECT_FALSE(actuator.handles(Target::Sort::unit));
    EXPECT_EQ(actuator.place(unit, kOne).state, State::invalid);
    EXPECT_EQ(actuator.restore(unit, "cpus:0").state, State::invalid);
}

TEST_F(AControlGroup, IsNotPutBackFromJunk) {
    auto actuator = make();
    const CpusetGroup group(unique_group("junk"));
    for (const auto* bad : {"", "0-1", "cpus", "cpus:x", "cpus:5-2", "group:/a|0"})
        EXPECT_EQ(actuator.restore(group.target(), bad).state, State::invalid) << bad;
    EXPECT_EQ(group.read("cpuset.cpus"), "0-1");
}

TEST_F(AControlGroup, NeedsPermission) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
    const CpusetGroup group(unique_group("denied"));
    const auto said = in_another_process(65534, [&] {
        auto actuator = make();
        return actuator.place(group.target(), kOne).detail;
    });
    EXPECT_NE(said.find("Permission denied"), std::string::npos) << said;
    EXPECT_EQ(group.read("cpuset.cpus"), "0-1");
}

/// In a process with mounts of its own where the hierarchy cannot be written; nobody else sees that.
std::string where_the_tree_is_read_only(const std::function<std::string()>& work) {
    return in_another_process(0, [&]() -> std::string {
        const char* tree = "/sys/fs/cgroup/cpuset";
        if (::unshare(CLONE_NEWNS) != 0 ||
            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount(tree, tree, nullptr, MS_BIND, nullptr) != 0 ||
            ::mount(nullptr, tree, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0)
            return "skip";
        return work();
    });
}

TEST_F(AControlGroup, InAReadOnlyTreeIsUnavailableInWords) {
    const CpusetGroup group(unique_group("readonly"));
    const Child child;
    group.take(child.pid());
    const auto said = where_the_tree_is_read_only([&] {
        auto actuator = make();
        return actuator.place(group.target(), kOne).detail + "|" +
               actuator.place(child.target(), kOne).detail;
    });
    if (said == "skip") GTEST_SKIP() << "no private mounts here";
    const auto bar = said.find('|');
    EXPECT_NE(said.substr(0, bar).find("read-only"), std::string::npos) << said;
    EXPECT_NE(said.substr(bar).find("read-only"), std::string::npos) << said;
    EXPECT_EQ(group.read("cpuset.cpus"), "0-1");
    EXPECT_EQ(cpuset_group(child.pid()), group.path());
}

/// Files as version 2 has them. They do not act, which is what is wanted: the tests play the kernel.
class AVersion2Group : public ::testing::Test {
protected:
    AVersion2Group() {
        dir.write("cgroup.controllers", "cpuset cpu\n");
        dir.write("cpuset.cpus.effective", "0-3\n");
        dir.write("a/cgroup.controllers", "cpuset\n");
        dir.write("a/cgroup.threads", "");
        dir.write("a/cpuset.cpus", "");
        dir.write("a/cpuset.cpus.effective", "0-1\n");
    }
    TempDir dir;
    const Target group = Target::cgroup("/a");
    CgroupActuator actuator{CpusetHierarchy(machine(), {dir.path().substr(1), 2})};
};

TEST_F(AVersion2Group, IsPlacedByItsOwnFileAlone) {
    EXPECT_EQ(actuator.capture(group).value(), "cpus:");
    EXPECT_EQ(actuator.told("cpus:"), "cpuset.cpus empty");
    EXPECT_EQ(actuator.told("cpus:0-1"), "cpuset.cpus 0-1");
    EXPECT_EQ(actuator.told("group:/a|0-1"), "in /a, CPUs 0-1");
    const auto outcome = actuator.place(group, kBoth);
    EXPECT_EQ(outcome.state, State::applied) << outcome.detail;
    EXPECT_EQ(dir.read("a/cpuset.cpus"), "0-1");
    EXPECT_EQ(dir.read("cgroup.controllers"), "cpuset cpu");
}

TEST_F(AVersion2Group, WhoseEffectiveSetLiesOutsideIsOverridden) {
    const auto outcome = actuator.place(group, CpuSet::range(2, 3));
    EXPECT_EQ(outcome.state, State::overridden);
    EXPECT_NE(outcome.detail.find("/a runs on 0-1"), std::string::npos) << outcome.detail;
}

TEST_F(AVersion2Group, ThatHasNothingInCommonWithItsParentIsRefused) {
    const auto outcome = actuator.place(group, CpuSet::of(63)); // the kernel would say yes and do nothing
    EXPECT_EQ(outcome.state, State::invalid);
    EXPECT_NE(outcome.detail.find("its parent / has 0-3"), std::string::npos) << outcome.detail;
    EXPECT_EQ(dir.read("a/cpuset.cpus"), "");
}

TEST_F(AVersion2Group, IsWidenedBeforeItIsUnset) {
    dir.write("a/cpuset.cpus", "0-1\n");
    const auto stuck =
        actuator.restore(group, "cpus:"); // the effective set stays 0-1: tasks would stay there
    EXPECT_EQ(stuck.state, State::invalid);
    EXPECT_NE(stuck.detail.find("widening /a to 0-3"), std::string::npos) << stuck.detail;
    EXPECT_EQ(dir.read("a/cpuset.cpus"), "0-3") << "wide is the safe state";
    dir.write("a/cpuset.cpus.effective", "0-3\n");
    const auto free = actuator.restore(group, "cpus:");
    EXPECT_EQ(free.state, State::free) << free.detail;
    EXPECT_EQ(dir.read("a/cpuset.cpus"), "");
}

struct APartition : AVersion2Group {
    APartition() { dir.write("a/cpuset.cpus.partition", "member\n"); }
    static Tuning root() {
        Tuning tuning;
        tuning.partition = Partition::root;
        return tuning;
    }
    placement::Outcome make(const Tuning& tuning) {
        original = actuator.capture_tuning(group, original, tuning).value();
        return actuator.tune(group, tuning, original, actuator.place(group, kBoth));
    }
    std::string now() const { return dir.read("a/cpuset.cpus.partition"); }
    std::string original = "cpus:";
};

TEST_F(APartition, IsMadeAndPutBackToWhatItWas) {
    EXPECT_EQ(make(root()).state, State::applied);
    EXPECT_EQ(now(), "root");
    EXPECT_EQ(original, "cpus: partition=member>root");
    EXPECT_EQ(actuator.written_tuning(original), root());
    EXPECT_EQ(actuator.told(original), "cpuset.cpus empty");
    EXPECT_EQ(make({}).state, State::applied) << "wanted no more";
    EXPECT_EQ(now(), "member");
    make(root());
    dir.write("a/cpuset.cpus.effective", "0-3\n");
    EXPECT_EQ(actuator.restore(group, original).state, State::free);
    EXPECT_EQ(now(), "member");
    EXPECT_EQ(dir.read("a/cpuset.cpus"), "");
}

TEST_F(APartition, ThatTheKernelDoesNotFindValidTellsItsReasonAndConfinesAllTheSame) {
    ASSERT_EQ(make(root()).state, State::applied);
    dir.write("a/cpuset.cpus.partition", "root invalid (Cpu list in cpuset.cpus not exclusive)\n");
    const auto outcome = actuator.check_tuning(group, root(), actuator.check(group, kBoth));
    EXPECT_EQ(outcome.state, State::overridden);
    EXPECT_EQ(outcome.effective, kBoth);
    EXPECT_NE(outcome.detail.find("not exclusive"), std::string::npos) << outcome.detail;
    EXPECT_EQ(make(root()).state, State::overridden);
    EXPECT_NE(now().find("invalid"), std::string::npos) << "not written again: it becomes valid when it can";
}

TEST_F(APartition, ThatSomebodyElseChangedSinceIsLeftToThem) {
    ASSERT_EQ(make(root()).state, State::applied);
    dir.write("a/cpuset.cpus.partition", "isolated\n");
    dir.write("a/cpuset.cpus.effective", "0-3\n");
    EXPECT_EQ(actuator.restore(group, original).state, State::free);
    EXPECT_EQ(now(), "isolated");
}

TEST_F(APartition, OfAnOldKernelIsNotClaimed) {
    std::filesystem::remove(dir.path() + "/a/cpuset.cpus.partition");
    const auto outcome = make(root());
    EXPECT_EQ(outcome.state, State::overridden);
    EXPECT_NE(outcome.detail.find("this kernel has none"), std::string::npos) << outcome.detail;
    EXPECT_EQ(original, "cpus:");
    EXPECT_EQ(actuator.place(group, kBoth).state, State::applied) << "the CPUs are confined";
}

TEST_F(APartition, MayBeMovedThoughItsParentHasItsCpusNoMore) {
    ASSERT_EQ(make(root()).state, State::applied);
    dir.write("cpuset.cpus.effective", "2-3\n");
    EXPECT_EQ(actuator.place(group, kOne).state, State::overridden) << "the played kernel still says 0-1";
    EXPECT_EQ(dir.read("a/cpuset.cpus"), "1");
}

TEST_F(AVersion2Group, WithoutTheControllerNamesWhereItIsMissing) {
    dir.write("a/b/cgroup.controllers", "\n");
    const auto error = actuator.capture(Target::cgroup("/a/b")).error();
    EXPECT_EQ(error.kind, Errc::controller_unavailable);
    EXPECT_NE(error.text().find("cgroup.subtree_control of /a"), std::string::npos) << error.text();
    EXPECT_EQ(actuator.current(Target::cgroup("/a/b")).value(), kBoth)
        << "the nearest ancestor that has a set";
}

TEST_F(AVersion2Group, LeavesNothingBehindWhenAProcessCannotBeMovedThere) {
    dir.write("cgroup.subtree_control", "");
    const Child child;
    const auto before = cpuset_group(child.pid());
    // refused as not delegated under systemd, else for lack of the files that a kernel would have made
    const auto outcome = actuator.place(child.target(), kOne);
    EXPECT_EQ(outcome.state, State::invalid) << outcome.detail;
    EXPECT_FALSE(std::filesystem::exists(dir.path() + "/schedd.1"));
    EXPECT_EQ(cpuset_group(child.pid()), before);
}

} // namespace
} // namespace schedd::test
