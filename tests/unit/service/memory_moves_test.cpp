// MemoryMoves: pages that lie elsewhere, moved by a child and told of as it was; and units that get it.
#include "service/actuators/memory_moves.h"

#include <cerrno>
#include <csignal>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include "tests/unit/service/a_unit.h"

namespace schedd::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int kLooks = 2000; // of 5 ms

/// On nodes 0 to 2, with a process each in the service and below it.
struct AMove : testing::Test {
    FakeHost host;
    CpusetHierarchy hierarchy{host, CpusetMount{kGroups, 2}};

    AMove() {
        host.set("sys/devices/system/node/has_memory", "0-2\n");
        for (const auto& group : {kService, kService + "/inner"}) {
            host.set(kGroups + group + "/cgroup.controllers", "cpuset memory\n");
            host.set(kGroups + group + "/cgroup.procs", group == kService ? "11\n12\n" : "13\n");
        }
        lie(100, 0, 20);
    }
    void lie(std::uint64_t on0, std::uint64_t on1, std::uint64_t on2) {
        host.set(kGroups + kService + "/memory.numa_stat",
                 fmt::format("anon N0={} N1={} N2={}\nfile N0=0 N1=0 N2=0\nkernel_stack N0=77 N1=0 N2=0\n",
                             on0 << 20, on1 << 20, on2 << 20));
    }
    /// What is said when no child is under way any more.
    static std::string end_of(MemoryMoves& moves, const std::string& unit) {
        auto told = moves.look(unit);
        for (int i = 0; i < kLooks && told.find("being moved") != std::string::npos; ++i) {
            ::usleep(5000);
            told = moves.look(unit);
        }
        return told;
    }
    static long move_nothing(Pid, const CpuSet&, const CpuSet&) { return 0; }
};

TEST_F(AMove, IsMadeOfEachProcessAlsoInGroupsBelow) {
    // the child's memory is its own: what it was asked comes back as what it says
    MemoryMoves moves(hierarchy, [](Pid pid, const CpuSet& from, const CpuSet& to) -> long {
        return from == cpus("0,2") && to == cpus("1") ? pid : 1'000'000;
    });
    moves.want("foo.service", kService, cpus("1"));
    EXPECT_THAT(moves.look("foo.service"), HasSubstr("being moved to node 1"));
    lie(0, 110, 10);
    EXPECT_EQ(end_of(moves, "foo.service"),
              "of 120 MiB elsewhere 110 MiB were moved to node 1; 36 pages could not be moved");
}
TEST_F(AMove, SaysWhatTheKernelRefused) {
    MemoryMoves moves(hierarchy, [](Pid pid, const CpuSet&, const CpuSet&) -> long {
        return pid == 11 ? -EPERM : pid == 12 ? -ESRCH : 0; // 12 has ended
    });
    moves.want("foo.service", kService, cpus("1"));
    const auto told = end_of(moves, "foo.service");
    EXPECT_THAT(told, HasSubstr("of 120 MiB elsewhere 0 MiB were moved"));
    EXPECT_THAT(told, HasSubstr("refused it for 1 of its processes"));
    EXPECT_THAT(told, Not(HasSubstr("pages")));
}
TEST_F(AMove, ClaimsNoNumbersThatNobodyTells) {
    host.remove(kGroups + kService + "/memory.numa_stat");
    MemoryMoves moves(hierarchy, move_nothing);
    moves.want("foo.service", kService, cpus("1"));
    EXPECT_EQ(end_of(moves, "foo.service"), "what 3 of its processes had elsewhere was moved to node 1");
}
TEST_F(AMove, IsNotBegunWhereNothingLiesElsewhere) {
    lie(0, 500, 0);
    MemoryMoves moves(hierarchy, move_nothing);
    moves.want("foo.service", kService, cpus("1"));
    EXPECT_EQ(moves.look("foo.service"), "");
    lie(100, 0, 0);
    host.set("sys/devices/system/node/has_memory", "0\n"); // and there is no elsewhere
    moves.want("bar.service", kService, cpus("0"));
    EXPECT_EQ(moves.look("bar.service"), "");
}
TEST_F(AMove, IsOneAtATime) {
    // the first waits for a file to go
    const TempDir lock;
    lock.write("held", "");
    MemoryMoves moves(hierarchy, [path = lock.path() + "/held"](Pid, const CpuSet&, const CpuSet&) -> long {
        for (int i = 0; i < kLooks && ::access(path.c_str(), F_OK) == 0; ++i) ::usleep(5000);
        return 0;
    });
    moves.want("one.service", kService, cpus("1"));
    moves.want("two.service", kService, cpus("2"));
    EXPECT_THAT(moves.look("one.service"), HasSubstr("being moved"));
    EXPECT_THAT(moves.look("two.service"), HasSubstr("waits"));
    moves.want("one.service", kService, cpus("1")); // said again: nothing begins anew
    ASSERT_EQ(::unlink((lock.path() + "/held").c_str()), 0);
    EXPECT_THAT(end_of(moves, "one.service"), HasSubstr("moved to node 1"));
    EXPECT_THAT(end_of(moves, "two.service"), HasSubstr("moved to node 2"));
}
TEST_F(AMove, EndsWithItsUnitOrWhenItIsTakenBack) {
    const auto hang = [](Pid, const CpuSet&, const CpuSet&) -> long {
        ::sleep(60);
        return 0;
    };
    {
        MemoryMoves moves(hierarchy, hang);
        moves.want("foo.service", kService, cpus("1"));
        moves.look("foo.service");
        moves.forget("foo.service");
        EXPECT_EQ(moves.look("foo.service"), "");
        moves.want("foo.service", kService, cpus("2"));
        moves.look("foo.service");
    } // and the second child ends here
}
TEST_F(AMove, TellsWhenItsProcessWasEnded) {
    MemoryMoves moves(hierarchy, [](Pid, const CpuSet&, const CpuSet&) -> long {
        ::raise(SIGKILL);
        return 0;
    });
    moves.want("foo.service", kService, cpus("1"));
    EXPECT_THAT(end_of(moves, "foo.service"), HasSubstr("not all of its memory was moved"));
}

TEST(ANumaStat, IsSummedUpForTheOtherNodes) {
    const auto text = "anon N0=1 N1=20\nfile N0=300 N1=4000\nslab N0=7 N1=7\n";
    EXPECT_EQ(bytes_elsewhere(text, cpus("0")), 4020U);
    EXPECT_EQ(bytes_elsewhere(text, cpus("0-1")), 0U);
    EXPECT_EQ(bytes_elsewhere(text, cpus("9")), 4321U);
}
TEST(ANumaStat, ThatIsNoneSaysNothing) {
    for (const auto* text : {"", "slab N0=7\n", "anon\n", "anon 7\n", "anon N=7\n", "anon N0\n", "anon N0=\n",
                             "anon N0=x\n", "anon N99999=1\n", "file N0=1 junk\n"})
        EXPECT_EQ(bytes_elsewhere(text, cpus("0")), std::nullopt) << text;
}

TEST(ThePagesOfAProcess, AreMovedByTheKernelOrTheReasonIsSaid) {
    const Child child(0);
    // from a node that is not there: nothing to do, if the call is allowed at all
    const long unmoved = migrate_pages_of(child.pid(), cpus("1000"), cpus("0"));
    if (unmoved == -ENOSYS || unmoved == -EPERM) GTEST_SKIP() << "migrate_pages is not allowed here";
    EXPECT_EQ(unmoved, 0);
    EXPECT_EQ(migrate_pages_of(child.pid(), cpus("0"), cpus("0")), 0);
    EXPECT_LT(migrate_pages_of(child.pid(), cpus("0"), cpus("1000")), 0) << "there is no such node";
}

/// The same through the actuator.
struct AUnitWithMemory : AUnit {
    SystemdActuator mover{CpusetHierarchy(host, CpusetMount{kGroups, 2}), units, nullptr, run.path(),
                          [](Pid, const CpuSet&, const CpuSet&) -> long { return 5; }};
    AUnitWithMemory() {
        host.set("sys/devices/system/node/has_memory", "0-1\n");
        host.set(kGroups + "/system.slice/cpuset.mems.effective", "0-1\n");
        host.set(kGroups + kService + "/cgroup.procs", "11\n");
        host.set(kGroups + kService + "/memory.numa_stat", "anon N0=1048576 N1=0\n");
        original = mover.capture(kFoo).value();
    }
    Outcome bind(std::optional<CpuSet> nodes) {
        Tuning tuning;
        tuning.memory_nodes = std::move(nodes);
        original = mover.capture_tuning(kFoo, original, tuning).value();
        return mover.tune(kFoo, tuning, original, mover.place(kFoo, cpus("2-3")));
    }
    Outcome check_until(const std::string& words) {
        Tuning tuning;
        tuning.memory_nodes = cpus("1");
        Outcome outcome;
        for (int i = 0; i < kLooks; ++i) {
            outcome = mover.check_tuning(kFoo, tuning, mover.check(kFoo, cpus("2-3")));
            if (outcome.detail.find(words) != std::string::npos) return outcome;
            ::usleep(5000);
        }
        return outcome;
    }
    std::string original;
};

TEST_F(AUnitWithMemory, IsToldOfPagesThatStayWithoutBeingCalledOverridden) {
    const auto outcome = bind(cpus("1"));
    EXPECT_EQ(outcome.state, State::applied);
    EXPECT_THAT(outcome.detail, HasSubstr("being moved to node 1"));
    const auto later = check_until("5 pages could not be moved");
    EXPECT_EQ(later.state, State::applied);
    EXPECT_THAT(later.detail, HasSubstr("of 1 MiB elsewhere 0 MiB were moved to node 1"));
}
TEST_F(AUnitWithMemory, SaysNothingMoreWhenItMayUseAllAgain) {
    bind(cpus("1"));
    EXPECT_EQ(bind(std::nullopt).detail, "");
}
TEST_F(AUnitWithMemory, IsNotTouchedWhereSystemdHasNotDoneIt) {
    units.forgets_the_kernel = true;
    EXPECT_THAT(bind(cpus("1")).detail, Not(HasSubstr("moved")));
}

} // namespace
} // namespace schedd::test
