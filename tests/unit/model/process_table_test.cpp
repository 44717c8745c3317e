// ProcessTable: scans, events, reuse of pids, kept traits and the journal of changes.
#include <gtest/gtest.h>

#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using What = ProcessEvent::What;

struct Listener final : ProcessListener {
    std::vector<std::string> lines;
    void process_arrived(const ProcessInfo& p) override { lines.push_back(fmt::format("+{}", p.pid)); }
    void process_left(Pid pid) override { lines.push_back(fmt::format("-{}", pid)); }
    void threads_changed(Pid pid) override { lines.push_back(fmt::format("~{}", pid)); }
};

struct Table : ::testing::Test {
    World world;
    ProcessTable& table = world.table;
    Listener listener;
    Table() { table.add_listener(listener); }
    ~Table() override { table.remove_listener(listener); }

    std::vector<Pid> changed_since(std::uint64_t generation) {
        std::vector<Pid> pids;
        EXPECT_TRUE(table.visit_changed(generation, [&](Pid pid) { pids.push_back(pid); }));
        return pids;
    }
};

using AProcessTable = Table;

TEST_F(AProcessTable, FindsArrivalsAndDeparturesByScanning) {
    world.proc.add({.pid = 10,
                    .comm = "a b) (c",
                    .parent = 7,
                    .group = 8,
                    .session = 9,
                    .start_time = 123,
                    .threads = 4});
    ASSERT_TRUE(table.scan());
    const auto* info = table.find(10);
    ASSERT_NE(info, nullptr);
    EXPECT_EQ(info->comm, "a b) (c");
    EXPECT_EQ(info->parent, 7);
    EXPECT_EQ(info->group, 8);
    EXPECT_EQ(info->session, 9);
    EXPECT_EQ(info->start_time, 123U);
    EXPECT_EQ(info->threads, 4);
    world.proc.remove(10);
    ASSERT_TRUE(table.scan());
    EXPECT_EQ(table.find(10), nullptr);
    EXPECT_EQ(listener.lines, (std::vector<std::string>{"+1", "+10", "-10"}));
}
TEST_F(AProcessTable, ReliesOnNothingAfterATimeWithoutNews) {
    // what happens to these is told by nobody, and their numbers are not all in one turn of the rotation
    for (Pid pid = 10; pid < 30; ++pid) world.proc.add({.pid = pid, .comm = "old", .start_time = 5});
    ASSERT_TRUE(table.scan());
    EXPECT_NE(table.trait(10, Trait::executable), "/bin/new"); // and is kept from now on
    for (Pid pid = 10; pid < 20; ++pid) world.proc.add({.pid = pid, .comm = "new", .start_time = 5});
    for (Pid pid = 20; pid < 30; ++pid) world.proc.add({.pid = pid, .comm = "other", .start_time = 9});
    world.host.set_link("proc/10/exe", "/bin/new");
    listener.lines.clear();
    ASSERT_TRUE(table.scan(true));
    for (Pid pid = 10; pid < 20; ++pid) EXPECT_EQ(table.find(pid)->comm, "new");
    for (Pid pid = 20; pid < 30; ++pid) EXPECT_EQ(table.find(pid)->start_time, 9U);
    EXPECT_EQ(table.trait(10, Trait::executable), "/bin/new");
    EXPECT_EQ(listener.lines.size(), 20U) << "ten left and ten came";
}
TEST_F(AProcessTable, CountsTheThreadsItIsToldOf) {
    world.start({.pid = 10});
    for (const auto what : {What::thread, What::thread, What::thread_exit})
        table.apply({.what = what, .pid = 10, .tid = 11});
    EXPECT_EQ(table.find(10)->threads, 2);
    for (int i = 0; i < 3; ++i) table.apply({.what = What::thread_exit, .pid = 10, .tid = 11});
    EXPECT_EQ(table.find(10)->threads, 1);
    table.apply({.what = What::thread, .pid = 99, .tid = 100}); // nobody knows it
}
TEST_F(AProcessTable, ScanningAgainChangesNothing) {
    world.proc.add({.pid = 10});
    ASSERT_TRUE(table.scan());
    const auto generation = table.generation();
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(table.scan());
    EXPECT_EQ(table.generation(), generation);
}
TEST_F(AProcessTable, FindsAReusedPidByScanningAWhile) {
    world.proc.add({.pid = 10, .start_time = 100});
    ASSERT_TRUE(table.scan());
    world.proc.add({.pid = 10, .comm = "other", .start_time = 200});
    for (int i = 0; i < 16; ++i) ASSERT_TRUE(table.scan());
    EXPECT_EQ(table.find(10)->start_time, 200U);
    EXPECT_EQ(table.find(10)->comm, "other");
    EXPECT_EQ(listener.lines, (std::vector<std::string>{"+1", "+10", "-10", "+10"}));
}
TEST_F(AProcessTable, LeavesOutWhatIsNoProcess) {
    for (const auto* name :
         {"proc/self/stat", "proc/0/stat", "proc/-5/stat", "proc/99999999999/stat", "proc/12x/stat"})
        world.host.set(name, "1 (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n");
    ASSERT_TRUE(table.scan());
    EXPECT_EQ(table.size(), 1U);
}
TEST_F(AProcessTable, LeavesOutZombiesAndGarbage) {
    world.proc.add({.pid = 10, .state = 'Z'});
    world.host.set("proc/11/stat", "garbage");
    world.host.set("proc/12/stat", "");
    world.host.set("proc/13/stat", "14 (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n");
    ASSERT_TRUE(table.scan());
    EXPECT_EQ(table.size(), 1U);
}
TEST_F(AProcessTable, CannotBeScannedWithoutProc) {
    FakeHost empty;
    ProcessTable other(empty, nullptr, kOwnPid);
    EXPECT_FALSE(other.scan());
}
TEST_F(AProcessTable, TakesAForkExecAndExit) {
    world.start({.pid = 10, .parent = 1});
    world.proc.add({.pid = 10, .comm = "make", .parent = 1});
    table.apply({.what = What::exec, .pid = 10});
    EXPECT_EQ(table.find(10)->comm, "make");
    world.end(10);
    EXPECT_EQ(listener.lines, (std::vector<std::string>{"+10", "-10"}));
    world.end(10);
    EXPECT_EQ(listener.lines.size(), 2U);
}
TEST_F(AProcessTable, IgnoresAForkThatHasEndedBeforeItCouldBeRead) {
    table.apply({.what = What::fork, .pid = 77, .parent = 1});
    EXPECT_EQ(table.find(77), nullptr);
    EXPECT_TRUE(listener.lines.empty());
}
TEST_F(AProcessTable, TakesAForkOfAKnownPidAsReuse) {
    world.start({.pid = 10, .start_time = 100});
    world.start({.pid = 10, .start_time = 200});
    EXPECT_EQ(listener.lines, (std::vector<std::string>{"+10", "-10", "+10"}));
    EXPECT_EQ(table.size(), 1U);
}
TEST_F(AProcessTable, TakesAnExecOfAnUnknownProcessAsItsArrival) {
    world.proc.add({.pid = 10});
    table.apply({.what = What::exec, .pid = 10});
    EXPECT_NE(table.find(10), nullptr);
    table.apply({.what = What::exec, .pid = 4711});
    EXPECT_EQ(table.find(4711), nullptr);
}
TEST_F(AProcessTable, PassesThreadEventsOn) {
    table.apply({.what = What::thread, .pid = 10, .tid = 11});
    table.apply({.what = What::thread_exit, .pid = 10, .tid = 11});
    EXPECT_EQ(listener.lines, (std::vector<std::string>{"~10", "~10"}));
}
TEST_F(AProcessTable, RemembersWhoForkedEvenIfThatOneIsGone) {
    world.start({.pid = 10, .parent = 1});
    world.proc.add({.pid = 11, .parent = 1}); // handed to init by now
    table.apply({.what = What::fork, .pid = 11, .parent = 10});
    world.end(10);
    EXPECT_EQ(table.parent_of(11), 10);
    EXPECT_EQ(table.parent_of(10), 1);
    EXPECT_EQ(table.parent_of(4711), std::nullopt);
}
TEST_F(AProcessTable, ForgetsTheLongDead) {
    for (Pid pid = 10; pid < 10 + 5000; ++pid) {
        world.start({.pid = pid});
        world.end(pid);
    }
    EXPECT_EQ(table.parent_of(10), std::nullopt);
    EXPECT_EQ(table.parent_of(5009), 1);
}
TEST_F(AProcessTable, RereadsGroupsAndSessions) {
    world.start({.pid = 10, .group = 10, .session = 10});
    const auto generation = table.generation();
    table.refresh_ids();
    EXPECT_EQ(table.generation(), generation);
    world.proc.add({.pid = 10, .group = 20, .session = 30});
    table.refresh_ids();
    EXPECT_EQ(table.find(10)->group, 20);
    EXPECT_EQ(table.find(10)->session, 30);
    EXPECT_EQ(table.generation(), generation + 1);
}
TEST_F(AProcessTable, TellsWhatChangedSinceAGeneration) {
    world.start({.pid = 10});
    const auto generation = table.generation();
    EXPECT_TRUE(changed_since(generation).empty());
    world.start({.pid = 11});
    table.apply({.what = What::exec, .pid = 10});
    world.end(11);
    EXPECT_EQ(changed_since(generation), (std::vector<Pid>{11, 10, 11}));
}
TEST_F(AProcessTable, SaysWhenTooMuchHasChangedToTell) {
    const auto generation = table.generation();
    for (Pid pid = 10; pid < 10 + 4096; ++pid) world.start({.pid = pid});
    EXPECT_EQ(changed_since(generation).size(), 4096U);
    world.start({.pid = 9999});
    EXPECT_FALSE(table.visit_changed(generation, [](Pid) {}));
}
TEST_F(AProcessTable, ReadsATraitOnce) {
    world.start({.pid = 10,
                 .cgroup = "/batch",
                 .user = 1000,
                 .executable = "/bin/make",
                 .command_line = "make -j 4"});
    EXPECT_EQ(table.trait(10, Trait::cpuset_group), "/batch");
    EXPECT_EQ(table.trait(10, Trait::systemd_group), "/batch");
    EXPECT_EQ(table.trait(10, Trait::executable), "/bin/make");
    EXPECT_EQ(table.trait(10, Trait::command_line), "make -j 4");
    EXPECT_EQ(table.trait(10, Trait::user), "1000");
    world.host.reset_counts();
    for (const auto which :
         {Trait::cpuset_group, Trait::systemd_group, Trait::executable, Trait::command_line, Trait::user})
        (void)table.trait(10, which);
    EXPECT_EQ(world.host.counts().reads + world.host.counts().links, 0U);
}
TEST_F(AProcessTable, DropsTraitsOnExec) {
    world.start({.pid = 10, .executable = "/bin/sh"});
    EXPECT_EQ(table.trait(10, Trait::executable), "/bin/sh");
    world.proc.add({.pid = 10, .executable = "/bin/make"});
    table.apply({.what = What::exec, .pid = 10});
    EXPECT_EQ(table.trait(10, Trait::executable), "/bin/make");
}
TEST_F(AProcessTable, NoticesInRotationThatAProcessMovedToAnotherGroup) {
    for (Pid pid = 10; pid < 14; ++pid) {
        world.start({.pid = pid, .cgroup = "/a"});
        (void)table.trait(pid, Trait::cpuset_group);
    }
    world.proc.add({.pid = 12, .cgroup = "/b"});
    const auto generation = table.generation();
    for (int i = 0; i < 4; ++i) table.refresh_ids(1);
    EXPECT_EQ(table.trait(12, Trait::cpuset_group), "/b");
    EXPECT_EQ(changed_since(generation), std::vector<Pid>{12});
}
TEST_F(AProcessTable, NoticesThatAProcessHasBecomeAnotherProgramWithoutExec) {
    world.start({.pid = 10, .executable = "/usr/sbin/criu"});
    world.start({.pid = 11});
    for (const Pid pid : {10, 11}) (void)table.trait(pid, Trait::executable);
    (void)table.trait(10, Trait::command_line);
    world.proc.add({.pid = 10, .executable = "/usr/bin/make"}); // restored
    world.host.set("proc/10/cmdline", std::string("make\0all\0", 9));
    const auto generation = table.generation();
    table.refresh_ids();
    EXPECT_EQ(table.trait(10, Trait::executable), "/usr/bin/make");
    EXPECT_EQ(table.trait(10, Trait::command_line), "make all");
    EXPECT_EQ(changed_since(generation), std::vector<Pid>{10});
}
TEST_F(AProcessTable, RereadsNoTraitNobodyAskedFor) {
    world.start({.pid = 10});
    world.host.reset_counts();
    table.refresh_ids();
    EXPECT_EQ(world.host.counts().reads, 1U); // proc/10/stat for the ids
}
TEST_F(AProcessTable, GivesEmptyTraitsForWhatCannotBeRead) {
    for (const auto which : {Trait::cpuset_group, Trait::executable, Trait::command_line, Trait::user})
        EXPECT_EQ(table.trait(4711, which), "");
    world.start({.pid = 10});
    world.host.set("proc/10/status", "Name: x\nUid:\tnobody\n");
    world.host.set("proc/10/cgroup", "junk\n::\n5\n");
    EXPECT_EQ(table.trait(10, Trait::user), "");
    EXPECT_EQ(table.trait(10, Trait::cpuset_group), "");
}
TEST_F(AProcessTable, TakesTheUnifiedGroupWhereThereIsNoCpusetHierarchy) {
    world.start({.pid = 10});
    world.host.set("proc/10/cgroup", "0::/user.slice/a:b\n");
    EXPECT_EQ(table.cgroup_of(10, "cpuset"), "/user.slice/a:b");
    world.host.set("proc/10/cgroup", "7:cpu,cpuset:/x\n0::/y\n");
    EXPECT_EQ(table.cgroup_of(10, "cpuset"), "/x");
}

TEST(AHoldOnARecordedProcess, LivesAsLongAsItsRecord) {
    World world;
    world.start({.pid = 10, .start_time = 5});
    const auto hold = world.table.hold(10);
    ASSERT_TRUE(hold);
    EXPECT_TRUE((*hold)->alive());
    world.proc.add({.pid = 10, .start_time = 6});
    EXPECT_FALSE((*hold)->alive());
    EXPECT_FALSE(world.table.hold(4711));
}

TEST(Protection, CoversWhatTheMachineNeeds) {
    EXPECT_NE(protection_of({.pid = 1, .comm = "init"}, kOwnPid), "");
    EXPECT_NE(protection_of({.pid = 9, .kernel_thread = true, .comm = "kworker/0:1"}, kOwnPid), "");
    EXPECT_NE(protection_of({.pid = kOwnPid, .comm = "test"}, kOwnPid), "");
    for (const auto* vital :
         {"schedd", "dbus-daemon", "dbus-broker", "systemd-journal", "systemd-logind", "systemd-udevd"})
        EXPECT_NE(protection_of({.pid = 9, .comm = vital}, kOwnPid), "") << vital;
    EXPECT_EQ(protection_of({.pid = 9, .comm = "make"}, kOwnPid), "");
    EXPECT_EQ(protection_of({.pid = 9, .comm = "scheddx"}, kOwnPid), "");
}

} // namespace
} // namespace schedd::test
