// ProcessSet: names of members, what they match, inheritance, exclusion, subjects, and what it costs.
#include <gtest/gtest.h>

#include "tests/kit/count_new.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using Sort = MemberName::Sort;

TEST(AMemberName, IsTakenApart) {
    EXPECT_EQ(MemberName::parse("process:12")->sort, Sort::process);
    EXPECT_EQ(MemberName::parse("process:12")->id, 12);
    EXPECT_EQ(MemberName::parse("process+children:12")->sort, Sort::process_children);
    EXPECT_EQ(MemberName::parse("user:0")->id, 0);
    EXPECT_EQ(MemberName::parse("exec:/usr/bin/make -j*")->text, "/usr/bin/make -j*");
    EXPECT_EQ(MemberName::parse("cgroup:/")->text, "/");
    EXPECT_EQ(MemberName::parse("unit:foo.service")->text, "foo.service");
}
TEST(AMemberName, ThatCannotBeUnderstoodIsRefused) {
    for (const std::string text : {"",
                                   "12",
                                   "process",
                                   "process:",
                                   "process:0x7",
                                   "process:007",
                                   "process:0",
                                   "process:-1",
                                   "process:x",
                                   "process:1x",
                                   "process:99999999999",
                                   "group:0",
                                   "session:0",
                                   "pid:1",
                                   "Process:1",
                                   " process:1",
                                   "cgroup:",
                                   "cgroup:a",
                                   "cgroup:/a/",
                                   "cgroup:/a/../b",
                                   "cgroup:/..",
                                   "cgroup://a",
                                   "exec:",
                                   "unit:",
                                   "unit:foo",
                                   "unit:.service",
                                   "unit:@.service",
                                   "unit:a b.service",
                                   "unit:a/b.service",
                                   "exec:a\nb",
                                   "user:",
                                   "user:root"}) {
        const auto parsed = MemberName::parse(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().kind, Errc::invalid_value) << text;
        EXPECT_FALSE(parsed.error().detail.empty()) << text;
    }
    EXPECT_FALSE(MemberName::parse("exec:" + std::string(10000, 'x')));
    EXPECT_FALSE(MemberName::parse(std::string("exec:a\0b", 8)));
}

struct Set : ::testing::Test {
    World world;
    Set() {
        world.host.set("sys/fs/cgroup/cpuset/batch/cgroup.procs", "");
        world.host.set("sys/fs/cgroup/cpuset/batch/inner/cgroup.procs", "");
        EXPECT_TRUE(world.apply("create schedulers/S"));
    }
    ProcessSet& set() { return world.at<ProcessSet>("schedulers/S/process_set"); }
    std::optional<Errc> attach(const std::string& name) {
        const auto done = world.tree.apply(
            Verb{.what = Verb::Do::create, .path = Path({"schedulers", "S", "process_set", name})});
        return done ? std::nullopt : std::optional(done.error().kind);
    }
    void detach(const std::string& name) {
        EXPECT_TRUE(world.tree.apply(
            Verb{.what = Verb::Do::remove, .path = Path({"schedulers", "S", "process_set", name})}));
    }
    /// "10:process:10 12:session:7", in the order of the subjects.
    std::string subjects(ProcessSet::Whole whole = {}) {
        std::string out;
        for (const auto& s : set().subjects(whole)) {
            std::string pids;
            for (const Pid pid : s.pids) pids += (pids.empty() ? "" : "+") + std::to_string(pid);
            out += (out.empty() ? "" : " ") + pids + "=" + s.member;
        }
        return out;
    }
    /// The member a process belongs by; "" for none.
    std::string member_of(Pid pid) {
        const auto match = set().match(*world.table.find(pid));
        return !match ? "" : match->member ? match->member->name() : "handle_all";
    }
};

using AProcessSet = Set;

TEST_F(AProcessSet, HoldsASingleProcessWithoutItsChildren) {
    world.start({.pid = 10});
    ASSERT_EQ(attach("process:10"), std::nullopt);
    world.start({.pid = 11, .parent = 10});
    EXPECT_EQ(subjects(), "10=process:10");
}
TEST_F(AProcessSet, SaysOfEachSubjectWhatItsMemberAsksFor) {
    world.start({.pid = 10});
    world.start({.pid = 11});
    ASSERT_EQ(attach("process:10"), std::nullopt);
    ASSERT_EQ(attach("session:11"), std::nullopt);
    ASSERT_TRUE(world.apply("write schedulers/S/process_set/process:10.class batch\n"
                            "write schedulers/S/process_set/process:10.cpus 4\n"
                            "write schedulers/S/process_set/process:10.exclusive true"));
    const auto& rows = set().subjects({});
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].demand, (Demand{WorkClass::batch, 4, true}));
    EXPECT_EQ(rows[1].demand, Demand());
    ASSERT_TRUE(world.apply("write schedulers/S/process_set/process:10.class latency"));
    EXPECT_EQ(set().subjects({})[0].demand.work_class, WorkClass::latency);
}
TEST_F(AProcessSet, HoldsAProcessWithItsDescendants) {
    world.start({.pid = 10});
    world.start({.pid = 11, .parent = 10});
    ASSERT_EQ(attach("process+children:10"), std::nullopt);
    world.start({.pid = 12, .parent = 11});
    world.start({.pid = 13, .parent = 1});
    EXPECT_EQ(subjects(), "10=process+children:10 11=process+children:10 12=process+children:10");
}
TEST_F(AProcessSet, KeepsADescendantWhoseAncestorsHaveEnded) {
    world.start({.pid = 10});
    ASSERT_EQ(attach("process+children:10"), std::nullopt);
    world.start({.pid = 11, .parent = 10});
    world.start({.pid = 12, .parent = 11});
    world.end(11); // before anybody looked
    EXPECT_EQ(member_of(12), "process+children:10");
    world.end(10);
    world.start({.pid = 13, .parent = 12});
    EXPECT_EQ(subjects(), "12=process+children:10 13=process+children:10");
}
TEST_F(AProcessSet, KeepsADescendantThroughAnExec) {
    world.start({.pid = 10});
    ASSERT_EQ(attach("process+children:10"), std::nullopt);
    world.start({.pid = 11, .parent = 10});
    EXPECT_EQ(member_of(11), "process+children:10");
    world.end(10);
    world.proc.add({.pid = 11, .comm = "next", .parent = 1});
    world.table.apply({.what = ProcessEvent::What::exec, .pid = 11});
    EXPECT_EQ(member_of(11), "process+children:10");
}
TEST_F(AProcessSet, DoesNotTakeTheChildrenOfAReusedPid) {
    world.start({.pid = 10, .start_time = 100});
    ASSERT_EQ(attach("process+children:10"), std::nullopt);
    world.end(10);
    world.start({.pid = 10, .start_time = 200});
    world.start({.pid = 11, .parent = 10});
    EXPECT_EQ(subjects(), "");
}
TEST_F(AProcessSet, DoesNotTakeAReusedPid) {
    world.start({.pid = 10, .start_time = 100});
    ASSERT_EQ(attach("process:10"), std::nullopt);
    world.end(10);
    EXPECT_EQ(subjects(), "");
    world.start({.pid = 10, .start_time = 200});
    EXPECT_EQ(subjects(), "");
}
TEST_F(AProcessSet, RefusesAPidThatDoesNotExistEvenIfItComesLater) {
    EXPECT_EQ(attach("process:10"), Errc::no_such_object);
    EXPECT_EQ(attach("process+children:10"), Errc::no_such_object);
    world.start({.pid = 10});
    EXPECT_EQ(subjects(), "");
}
TEST_F(AProcessSet, RefusesWhatIsProtected) {
    world.start({.pid = 2, .comm = "kthreadd", .kernel_thread = true});
    world.start({.pid = kOwnPid});
    world.start({.pid = 20, .comm = "systemd-logind"});
    for (const auto* name : {"process:1", "process:2", "process+children:1", "process:500", "process:20"})
        EXPECT_EQ(attach(name), Errc::not_attachable) << name;
}
TEST_F(AProcessSet, TakesNewMembersOfAGroupAndASession) {
    world.start({.pid = 10, .group = 10, .session = 7});
    ASSERT_EQ(attach("group:10"), std::nullopt);
    ASSERT_EQ(attach("session:7"), std::nullopt);
    world.start({.pid = 11, .group = 10, .session = 8});
    world.start({.pid = 12, .group = 12, .session = 7});
    world.start({.pid = 13, .group = 13, .session = 13});
    EXPECT_EQ(subjects(), "10=session:7 11=group:10 12=session:7");
}
TEST_F(AProcessSet, LosesAProcessThatMakesASessionOfItsOwn) {
    world.start({.pid = 10, .session = 7});
    ASSERT_EQ(attach("session:7"), std::nullopt);
    EXPECT_EQ(subjects(), "10=session:7");
    world.proc.add({.pid = 10, .session = 10});
    world.table.refresh_ids();
    EXPECT_EQ(subjects(), "");
}
TEST_F(AProcessSet, RefusesAGroupOrSessionNobodyIsIn) {
    EXPECT_EQ(attach("group:77"), Errc::no_such_object);
    EXPECT_EQ(attach("session:77"), Errc::no_such_object);
}
TEST_F(AProcessSet, TakesAUsersProcesses) {
    world.start({.pid = 10, .user = 1000});
    world.start({.pid = 11, .user = 100});
    ASSERT_EQ(attach("user:1000"), std::nullopt);
    EXPECT_EQ(subjects(), "10=user:1000");
}
TEST_F(AProcessSet, TakesAControlGroupAndWhatIsBelowIt) {
    ASSERT_EQ(attach("cgroup:/batch"), std::nullopt);
    world.start({.pid = 10, .cgroup = "/batch"});
    world.start({.pid = 11, .cgroup = "/batch/inner/deep"});
    world.start({.pid = 12, .cgroup = "/batches"});
    world.start({.pid = 13, .cgroup = "/"});
    EXPECT_EQ(subjects(), "10=cgroup:/batch 11=cgroup:/batch");
    EXPECT_EQ(subjects({.cgroups = true}), "10+11=cgroup:/batch");
    EXPECT_EQ(subjects({}), "10=cgroup:/batch 11=cgroup:/batch");
}
TEST_F(AProcessSet, GivesAWholeGroupEvenWhileItIsEmpty) {
    ASSERT_EQ(attach("cgroup:/batch"), std::nullopt);
    ASSERT_EQ(set().subjects({.cgroups = true}).size(), 1U);
    EXPECT_EQ(set().subjects({.cgroups = true}).front().target.text(), "cgroup:/batch");
}
TEST_F(AProcessSet, RefusesAControlGroupThatHoldsWhatIsNeverAMember) {
    EXPECT_EQ(attach("cgroup:/"), Errc::not_attachable);
    world.start({.pid = 10, .comm = "dbus-daemon", .cgroup = "/batch/inner/deep"});
    EXPECT_EQ(attach("cgroup:/batch"), Errc::not_attachable);
    EXPECT_EQ(attach("cgroup:/batch/inner"), Errc::not_attachable);
    world.proc.add({.pid = 10, .comm = "dbus-daemon", .cgroup = "/elsewhere"});
    world.table.refresh_ids();
    EXPECT_EQ(attach("cgroup:/batch"), std::nullopt);
}
TEST_F(AProcessSet, RefusesAControlGroupThatDoesNotExist) {
    EXPECT_EQ(attach("cgroup:/nowhere"), Errc::no_such_object);
}
TEST_F(AProcessSet, FollowsAProcessThatMovesBetweenGroups) {
    ASSERT_EQ(attach("cgroup:/batch"), std::nullopt);
    world.start({.pid = 10, .cgroup = "/"});
    EXPECT_EQ(subjects(), "");
    world.proc.add({.pid = 10, .cgroup = "/batch"});
    world.table.refresh_ids();
    EXPECT_EQ(subjects(), "10=cgroup:/batch");
}
TEST_F(AProcessSet, FindsWorkThatWasRestoredHere) {
    ASSERT_EQ(attach("exec:/usr/bin/make"), std::nullopt);
    world.start({.pid = 10, .executable = "/usr/sbin/criu"});
    EXPECT_EQ(subjects(), "");
    world.proc.add({.pid = 10, .executable = "/usr/bin/make"});
    world.table.refresh_ids();
    EXPECT_EQ(subjects(), "10=exec:/usr/bin/make");
}
TEST_F(AProcessSet, PrefersTheLatestAttachedOfSeveral) {
    ASSERT_EQ(attach("cgroup:/batch/inner"), std::nullopt);
    ASSERT_EQ(attach("cgroup:/batch"), std::nullopt);
    world.start({.pid = 10, .cgroup = "/batch/inner", .user = 5});
    EXPECT_EQ(member_of(10), "cgroup:/batch");
    ASSERT_EQ(attach("user:5"), std::nullopt);
    EXPECT_EQ(member_of(10), "user:5");
    detach("user:5");
    detach("cgroup:/batch");
    EXPECT_EQ(member_of(10), "cgroup:/batch/inner");
}
TEST_F(AProcessSet, TakesAUnitByItsNameInTheTreeOfGroups) {
    ASSERT_EQ(attach("unit:foo.service"), std::nullopt);
    world.start({.pid = 10, .cgroup = "/system.slice/foo.service"});
    world.start({.pid = 11, .cgroup = "/system.slice/foo.service/payload"});
    world.start({.pid = 12, .cgroup = "/system.slice/xfoo.service"});
    world.start({.pid = 13, .cgroup = "/system.slice/foo.service2"});
    world.start({.pid = 14, .cgroup = "/foo.service2/foo.service"});
    EXPECT_EQ(subjects(), "10=unit:foo.service 11=unit:foo.service 14=unit:foo.service");
}
TEST_F(AProcessSet, TakesNoUnitOfTheSameNameOfAUserManager) {
    ASSERT_EQ(attach("unit:foo.service"), std::nullopt);
    world.start({.pid = 10, .cgroup = "/user.slice/user-1.slice/user@1.service/app.slice/foo.service"});
    EXPECT_EQ(subjects(), "");
    ASSERT_EQ(attach("unit:user-1.slice"), std::nullopt);
    EXPECT_EQ(subjects(), "10=unit:user-1.slice");
}
TEST_F(AProcessSet, RefusesAUnitThatHoldsWhatIsNeverAMember) {
    world.start({.pid = 10, .comm = "dbus-daemon", .cgroup = "/system.slice/dbus.service"});
    world.start(
        {.pid = 11, .comm = "systemd", .cgroup = "/user.slice/user-1.slice/user@1.service/init.scope"});
    EXPECT_EQ(attach("unit:dbus.service"), Errc::not_attachable);
    EXPECT_EQ(attach("unit:system.slice"), Errc::not_attachable);
    EXPECT_EQ(attach("unit:-.slice"), Errc::not_attachable);
    EXPECT_EQ(attach("unit:user-1.slice"), std::nullopt) << "a user's own manager goes with the user";
    EXPECT_EQ(attach("unit:not-there-yet.service"), std::nullopt);
}
TEST_F(AProcessSet, GivesAWholeUnitEvenWhileItDoesNotRun) {
    ASSERT_EQ(attach("unit:foo.service"), std::nullopt);
    ASSERT_EQ(set().subjects({.units = true}).size(), 1U);
    EXPECT_EQ(set().subjects({.units = true}).front().target.text(), "unit:foo.service");
    world.start({.pid = 10, .cgroup = "/system.slice/foo.service"});
    world.start({.pid = 11, .cgroup = "/system.slice/foo.service/payload"});
    EXPECT_EQ(subjects({.units = true}), "10+11=unit:foo.service");
}
TEST_F(AProcessSet, SaysTheControlGroupOfAUnitAndOfAGroup) {
    const auto group = [&](ProcessSet::Whole whole) { return set().subjects(whole).front().group; };
    ASSERT_EQ(attach("unit:foo.service"), std::nullopt);
    EXPECT_EQ(group({.units = true}), "") << "it does not run";
    world.start({.pid = 11, .cgroup = "/system.slice/foo.service/payload"});
    EXPECT_EQ(group({.units = true}), "/system.slice/foo.service");
    EXPECT_EQ(group({}), "/system.slice/foo.service") << "of its processes where units are not placed whole";
    world.end(11);
    EXPECT_EQ(group({.units = true}), "") << "it has ended";
    ASSERT_TRUE(world.apply("remove schedulers/S/process_set/unit:foo.service"));
    world.host.set("sys/fs/cgroup/cpuset/batch/cgroup.procs", "");
    ASSERT_EQ(attach("cgroup:/batch"), std::nullopt);
    EXPECT_EQ(group({.cgroups = true}), "/batch") << "also while nobody is in it";
    world.start({.pid = 12, .cgroup = "/batch/x"});
    EXPECT_EQ(group({.cgroups = true}), "/batch");
    EXPECT_EQ(group({}), "/batch");
    ASSERT_EQ(attach("process:12"), std::nullopt);
    EXPECT_EQ(group({}), "") << "a process alone is not what its group is";
}
TEST_F(AProcessSet, GivesEachRunningInstanceOfATemplate) {
    ASSERT_EQ(attach("unit:w@.service"), std::nullopt);
    EXPECT_TRUE(set().subjects({.units = true}).empty());
    world.start({.pid = 10, .cgroup = "/system.slice/system-w.slice/w@a.service"});
    world.start({.pid = 11, .cgroup = "/system.slice/system-w.slice/w@b.service"});
    world.start({.pid = 12, .cgroup = "/system.slice/system-w.slice/w@b.service"});
    ASSERT_EQ(set().subjects({.units = true}).size(), 2U);
    EXPECT_EQ(set().subjects({.units = true}).front().target.text(), "unit:w@a.service");
    EXPECT_EQ(subjects({.units = true}), "10=unit:w@.service 11+12=unit:w@.service");
}
TEST_F(AProcessSet, TakesProgramsByPattern) {
    ASSERT_EQ(attach("exec:/usr/bin/ma?e"), std::nullopt);
    ASSERT_EQ(attach("exec:python3 *worker*"), std::nullopt);
    world.start({.pid = 10, .executable = "/usr/bin/make", .command_line = "make all"});
    world.start({.pid = 11, .executable = "/usr/bin/python3.11", .command_line = "python3 my worker 5"});
    world.start({.pid = 12, .executable = "/usr/bin/makes", .command_line = "makes"});
    world.start({.pid = 13, .executable = "", .command_line = ""});
    EXPECT_EQ(subjects(), "10=exec:/usr/bin/ma?e 11=exec:python3 *worker*");
}
TEST_F(AProcessSet, MatchesAProgramWhenItStartsIt) {
    ASSERT_EQ(attach("exec:/usr/bin/make"), std::nullopt);
    world.start({.pid = 10, .executable = "/bin/sh"});
    EXPECT_EQ(subjects(), "");
    world.proc.add({.pid = 10, .executable = "/usr/bin/make"});
    world.table.apply({.what = ProcessEvent::What::exec, .pid = 10});
    EXPECT_EQ(subjects(), "10=exec:/usr/bin/make");
}
TEST_F(AProcessSet, NeverHoldsWhatIsProtectedWhateverTheRule) {
    world.start({.pid = 2, .kernel_thread = true});
    world.start({.pid = 20, .comm = "dbus-daemon"});
    world.start({.pid = kOwnPid});
    world.start({.pid = 10});
    ASSERT_EQ(attach("exec:*"), std::nullopt);
    ASSERT_EQ(attach("user:0"), std::nullopt);
    EXPECT_EQ(subjects(), "10=user:0");
}
TEST_F(AProcessSet, HandlesAllButTheProtected) {
    world.start({.pid = 2, .kernel_thread = true});
    world.start({.pid = 20, .comm = "dbus-daemon"});
    world.start({.pid = 10});
    ASSERT_TRUE(world.apply("write schedulers/S/process_set.handle_all true"));
    EXPECT_EQ(subjects(), "10=handle_all");
    world.start({.pid = 11});
    EXPECT_EQ(subjects(), "10=handle_all 11=handle_all");
    ASSERT_TRUE(world.apply("write schedulers/S/process_set.handle_all false"));
    EXPECT_EQ(subjects(), "");
}
TEST_F(AProcessSet, ExcludesMembersWhileItHandlesAllAndTheOtherWayRound) {
    world.start({.pid = 10});
    ASSERT_TRUE(world.apply("write schedulers/S/process_set.handle_all true"));
    EXPECT_EQ(attach("process:10"), Errc::conflict);
    ASSERT_TRUE(world.apply("write schedulers/S/process_set.handle_all false"));
    ASSERT_EQ(attach("process:10"), std::nullopt);
    EXPECT_EQ(world.kind("write schedulers/S/process_set.handle_all true"), Errc::conflict);
    EXPECT_EQ(world.read("schedulers/S/process_set.handle_all"), "false");
}
TEST_F(AProcessSet, GivesTheWeightOfTheMember) {
    world.start({.pid = 10});
    ASSERT_EQ(attach("process:10"), std::nullopt);
    EXPECT_EQ(set().subjects({}).front().weight, 100U);
    ASSERT_TRUE(world.apply("write schedulers/S/process_set/process:10.weight 500"));
    EXPECT_EQ(set().subjects({}).front().weight, 500U);
    for (const auto* bad : {"0", "10001", "-1"})
        EXPECT_EQ(world.kind(std::string("write schedulers/S/process_set/process:10.weight ") + bad),
                  Errc::invalid_value);
}
TEST_F(AProcessSet, RefusesToHaveAMembersReportWritten) {
    world.start({.pid = 10});
    ASSERT_EQ(attach("process:10"), std::nullopt);
    EXPECT_EQ(world.kind("write schedulers/S/process_set/process:10.state applied"), Errc::not_supported);
}
TEST_F(AProcessSet, RefusesTheSameMemberTwice) {
    world.start({.pid = 10});
    ASSERT_EQ(attach("process:10"), std::nullopt);
    EXPECT_EQ(attach("process:10"), Errc::exists);
}
TEST_F(AProcessSet, AnswersForAProcessOutsideTheTable) {
    ASSERT_EQ(attach("cgroup:/batch"), std::nullopt);
    world.proc.add({.pid = 10, .cgroup = "/batch"});
    const auto info = world.table.look(10);
    ASSERT_TRUE(info);
    ASSERT_TRUE(set().match(*info));
    EXPECT_EQ(set().match(*info)->member->name(), "cgroup:/batch");
}
TEST_F(AProcessSet, KeepsItsRevisionWhileNothingOfItsOwnChanges) {
    world.start({.pid = 10});
    world.start({.pid = 11});
    ASSERT_EQ(attach("process:10"), std::nullopt);
    (void)set().subjects({});
    const auto revision = set().revision();
    world.start({.pid = 12});
    world.end(11);
    (void)set().subjects({});
    EXPECT_EQ(set().revision(), revision);
    world.end(10);
    EXPECT_EQ(subjects(), "");
    EXPECT_NE(set().revision(), revision);
}
TEST_F(AProcessSet, SeesEverythingAfterAStorm) {
    ASSERT_EQ(attach("cgroup:/batch"), std::nullopt);
    world.start({.pid = 10, .cgroup = "/batch"});
    (void)set().subjects({});
    for (Pid pid = 100; pid < 100 + 3000; ++pid) {
        world.start({.pid = pid});
        world.end(pid);
    }
    world.start({.pid = 11, .cgroup = "/batch"});
    world.end(10);
    EXPECT_EQ(subjects(), "11=cgroup:/batch");
}
TEST_F(AProcessSet, CostsNoReadAndNoAllocationWhileNothingChanges) {
    ASSERT_TRUE(counting_works());
    for (int i = 0; i < 200; ++i) {
        world.host.set(fmt::format("sys/fs/cgroup/cpuset/g{}/cgroup.procs", i), "");
        ASSERT_EQ(attach(fmt::format("cgroup:/g{}", i)), std::nullopt);
    }
    for (Pid pid = 1000; pid < 2000; ++pid)
        world.start({.pid = pid, .cgroup = fmt::format("/g{}", pid % 200)});
    const ProcessSet& all = set();
    EXPECT_EQ(all.subjects({.cgroups = true}).size(), 200U);
    EXPECT_EQ(all.subjects({.cgroups = true}).front().pids.size(), 5U);
    world.host.reset_counts();
    EXPECT_EQ(allocations_in([&] {
                  for (int i = 0; i < 100; ++i) (void)all.subjects({.cgroups = true});
              }),
              0U);
    EXPECT_EQ(world.host.counts().opens, 0U);
    world.start({.pid = 5000, .cgroup = "/g7"});
    world.host.reset_counts();
    (void)set().subjects({.cgroups = true});
    EXPECT_EQ(world.host.counts().reads, 1U); // the group of the one that is new
}

TEST_F(AProcessSet, SaysInWhichControlGroupAUnitOrGroupIs) {
    world.start({.pid = 10, .cgroup = "/system.slice/web.service/worker"});
    world.start({.pid = 11, .cgroup = "/batch/a"});
    world.host.set("sys/fs/cgroup/batch/cgroup.procs", "");
    world.start({.pid = 12, .cgroup = "/a.slice/t@1.service"});
    world.start({.pid = 13, .cgroup = "/a.slice/t@2.service"});
    world.start({.pid = 14});
    for (const auto* member :
         {"unit:web.service", "unit:idle.service", "unit:t@.service", "cgroup:/batch", "process:14"})
        ASSERT_EQ(attach(member), std::nullopt) << member;
    const auto groups = [&](ProcessSet::Whole whole) {
        std::string text;
        for (const auto& subject : set().subjects(whole))
            text += fmt::format("{}={} ", subject.target.text(), subject.group);
        return text;
    };
    EXPECT_EQ(groups({.cgroups = true, .units = true}),
              "process:14= cgroup:/batch=/batch unit:idle.service= unit:t@1.service=/a.slice/t@1.service "
              "unit:t@2.service=/a.slice/t@2.service unit:web.service=/system.slice/web.service ");
    EXPECT_EQ(groups({}), "process:10=/system.slice/web.service process:11=/batch "
                          "process:12=/a.slice/t@1.service process:13=/a.slice/t@2.service process:14= ")
        << "also where each process is placed for itself";
}

TEST(AProcessSetOfALiveKernel, HoldsItsProcessesByPidfd) {
    World world(World::default_types(), true);
    ASSERT_TRUE(world.apply("create schedulers/S"));
    world.start({.pid = 10});
    ASSERT_TRUE(world.apply("create schedulers/S/process_set/process:10"));
    auto& member = world.at<Member>("schedulers/S/process_set/process:10");
    EXPECT_TRUE(member.alive());
    world.kernel.end(10);
    EXPECT_FALSE(member.alive());
    world.kernel.set(10, 10, 10);
    EXPECT_FALSE(member.alive());
}
TEST(AProcessSetOfALiveKernel, AsksTheKernelForGroupsThatMadeNoEvent) {
    World world(World::default_types(), true);
    ASSERT_TRUE(world.apply("create schedulers/S"));
    world.start({.pid = 10, .group = 10});
    world.kernel.set(10, 33, 10);
    EXPECT_TRUE(world.apply("create schedulers/S/process_set/group:33"));
    EXPECT_EQ(world.at<ProcessSet>("schedulers/S/process_set").subjects({}).size(), 1U);
}

} // namespace
} // namespace schedd::test
