// AffinityActuator on processes of our own.
#include "service/actuators/affinity.h"

#include <set>

#include <gtest/gtest.h>
#include <unistd.h>

#include "service/actuators/task_affinity.h"
#include "tests/unit/service/world.h"

namespace schedd::test {
namespace {

using actuators::AffinityActuator;
using actuators::ProcessMasks;
using actuators::TaskMask;
using placement::State;

const CpuSet kZero = CpuSet::of(0);
const CpuSet kOne = CpuSet::of(1);
const CpuSet kBoth = CpuSet::range(0, 1);

class AnAffinity : public ::testing::Test {
protected:
    void SetUp() override {
        if (!kBoth.subset_of(affinity(::getpid())))
            GTEST_SKIP() << "needs CPUs 0 and 1, has " << affinity(::getpid()).text();
    }
    static CpuSet union_of(const Child& child) {
        CpuSet all;
        for (const Pid tid : child.threads()) all |= affinity(tid);
        return all;
    }
    AffinityActuator actuator{machine()};
};

TEST_F(AnAffinity, PlacesEveryThreadAndTheOnesToCome) {
    Child child(3);
    const auto outcome = actuator.place(child.target(), kOne);
    EXPECT_EQ(outcome.state, State::applied) << outcome.detail;
    EXPECT_EQ(outcome.written, kOne);
    EXPECT_EQ(outcome.effective, kOne);
    child.start_thread();
    ASSERT_EQ(child.threads().size(), 5U);
    EXPECT_EQ(union_of(child), kOne);
    EXPECT_EQ(actuator.check(child.target(), kOne).state, State::applied);
    EXPECT_EQ(actuator.current(child.target()).value(), kOne);
}

TEST_F(AnAffinity, PlacesThreadsThatAreBornMeanwhile) {
    Child child;
    child.churn_threads();
    for (int round = 0; round < 20; ++round) {
        const auto& cpus = round % 2 == 0 ? kZero : kOne;
        const auto outcome = actuator.place(child.target(), cpus);
        ASSERT_EQ(outcome.state, State::applied) << outcome.detail;
        ASSERT_EQ(actuator.check(child.target(), cpus).state, State::applied) << "a thread was missed";
    }
}

TEST_F(AnAffinity, PutsEachThreadBackToItsOwn) {
    Child child(2);
    set_affinity(child.threads()[1], kZero);
    const auto original = actuator.capture(child.target()).value();
    ASSERT_EQ(actuator.place(child.target(), kOne).state, State::applied);
    const auto outcome = actuator.restore(child.target(), original);
    EXPECT_EQ(outcome.state, State::free) << outcome.detail;
    EXPECT_EQ(outcome.detail, "");
    EXPECT_EQ(affinity(child.threads()[0]), affinity(::getpid()));
    EXPECT_EQ(affinity(child.threads()[1]), kZero);
    EXPECT_EQ(affinity(child.threads()[2]), affinity(::getpid()));
    EXPECT_EQ(actuator.capture(child.target()).value(), original);
}

TEST_F(AnAffinity, LeavesThreadsToWhoeverHasSetThemSince) {
    Child child(2);
    const auto original = actuator.capture(child.target()).value();
    ASSERT_EQ(actuator.place(child.target(), kOne).state, State::applied);
    set_affinity(child.threads()[1], kZero);
    EXPECT_EQ(actuator.check(child.target(), kOne).state, State::overridden) << "two of three are still ours";
    const auto outcome = actuator.put_back(child.target(), original, {&kOne, 1});
    EXPECT_EQ(outcome.state, State::free);
    EXPECT_NE(outcome.detail.find("keeps 0, which somebody else has set"), std::string::npos)
        << outcome.detail;
    EXPECT_EQ(affinity(child.threads()[0]), affinity(::getpid()));
    EXPECT_EQ(affinity(child.threads()[1]), kZero);
    EXPECT_EQ(affinity(child.threads()[2]), affinity(::getpid()));
}

TEST_F(AnAffinity, IsForeignWhenNothingOfOursIsLeft) {
    const Child child(1);
    const auto original = actuator.capture(child.target()).value();
    ASSERT_EQ(actuator.place(child.target(), kOne).state, State::applied);
    for (const Pid tid : child.threads()) set_affinity(tid, kZero);
    const auto outcome = actuator.check(child.target(), kOne);
    EXPECT_EQ(outcome.state, State::foreign);
    EXPECT_EQ(outcome.effective, kZero);
    EXPECT_NE(outcome.detail.find("somebody else"), std::string::npos) << outcome.detail;
}

TEST_F(AnAffinity, ThatWasWidenedToAllIsNobodysAndPutBack) {
    // as the kernel does when the CPUs go, so it cannot be told from somebody who did it
    const Child child;
    set_affinity(child.pid(), kZero);
    const auto original = actuator.capture(child.target()).value();
    ASSERT_EQ(actuator.place(child.target(), kOne).state, State::applied);
    set_affinity(child.pid(), affinity(::getpid()));
    EXPECT_EQ(actuator.check(child.target(), kOne).state, State::overridden);
    ASSERT_EQ(actuator.put_back(child.target(), original, {&kOne, 1}).state, State::free);
    EXPECT_EQ(affinity(child.pid()), kZero);
}

TEST_F(AnAffinity, OfARunThatEndedHalfWayIsOurs) {
    const Child child;
    const auto original = actuator.capture(child.target()).value();
    ASSERT_EQ(actuator.place(child.target(), kZero).state, State::applied);
    const std::vector<CpuSet> written{kOne, kZero}; // noted, and not written any more
    ASSERT_EQ(actuator.put_back(child.target(), original, written).state, State::free);
    EXPECT_EQ(affinity(child.pid()), affinity(::getpid()));
}

TEST(AThreadsAffinity, IsSomebodyElsesUnlessWeOrTheKernelMadeIt) {
    const auto is_theirs = [](std::string_view now, std::string_view written, std::optional<CpuSet> cpuset) {
        const auto ours = CpuSet::parse(written).value();
        return actuators::is_somebody_elses(CpuSet::parse(now).value(), {&ours, 1}, cpuset);
    };
    const auto all = CpuSet::range(0, 7);
    EXPECT_FALSE(is_theirs("2-3", "2-3", all));
    EXPECT_FALSE(is_theirs("2", "2-3", CpuSet::range(0, 2))) << "its cpuset leaves no more";
    EXPECT_FALSE(is_theirs("0-1", "2-3", CpuSet::range(0, 1))) << "nothing is left of it";
    EXPECT_FALSE(is_theirs("0-7", "2-3", all)) << "all of its CPUs have gone, or had";
    EXPECT_TRUE(is_theirs("4", "2-3", all));
    EXPECT_TRUE(is_theirs("2", "2-3", all)) << "also inside";
    EXPECT_FALSE(is_theirs("2-3", "2-3", std::nullopt));
    EXPECT_TRUE(is_theirs("0-7", "2-3", std::nullopt));
}

TEST_F(AnAffinity, GivesThreadsBornSinceTheMainThreadsOwn) {
    Child child(1);
    set_affinity(child.pid(), kZero);
    set_affinity(child.threads()[1], kOne);
    const auto original = actuator.capture(child.target()).value();
    ASSERT_EQ(actuator.place(child.target(), kOne).state, State::applied);
    child.start_thread();
    ASSERT_EQ(actuator.restore(child.target(), original).state, State::free);
    EXPECT_EQ(affinity(child.threads()[1]), kOne);
    EXPECT_EQ(affinity(child.threads()[2]), kZero);
}

TEST_F(AnAffinity, DoesNotTouchAProcessThatTookOverTheNumber) {
    const Child child;
    auto other = child.target();
    other.start_time += 1;
    const auto before = affinity(child.pid());
    EXPECT_EQ(actuator.place(other, kOne).state, State::gone);
    EXPECT_EQ(actuator.restore(other, "1").state, State::gone);
    EXPECT_EQ(actuator.check(other, kOne).state, State::gone);
    EXPECT_EQ(actuator.capture(other).error().kind, Errc::no_such_object);
    EXPECT_EQ(actuator.current(other).error().kind, Errc::no_such_object);
    EXPECT_EQ(affinity(child.pid()), before);
}

TEST_F(AnAffinity, OfAnEndedProcessIsGone) {
    Child child;
    const auto target = child.target();
    child.end(); // a zombie first
    EXPECT_EQ(actuator.place(target, kOne).state, State::gone);
    EXPECT_EQ(actuator.capture(target).error().kind, Errc::no_such_object);
    const auto never = Target::process(INT32_MAX, 1);
    EXPECT_EQ(actuator.place(never, kOne).state, State::gone);
    EXPECT_EQ(actuator.restore(never, "0").state, State::gone);
}

TEST_F(AnAffinity, ThatCannotBeIsInvalidAndChangesNothing) {
    const Child child(1);
    const auto before = actuator.capture(child.target()).value();
    const auto outcome = actuator.place(child.target(), CpuSet::of(1000));
    EXPECT_EQ(outcome.state, State::invalid);
    EXPECT_NE(outcome.detail.find("1000"), std::string::npos) << outcome.detail;
    EXPECT_NE(outcome.detail.find("online"), std::string::npos) << outcome.detail;
    EXPECT_EQ(actuator.capture(child.target()).value(), before);
}

TEST_F(AnAffinity, SaysWhatTheKernelLeft) {
    const Child child;
    const auto outcome = actuator.place(child.target(), kOne | CpuSet::of(1000));
    EXPECT_EQ(outcome.state, State::applied);
    EXPECT_EQ(outcome.effective, kOne);
    EXPECT_NE(outcome.detail.find("leaves 1"), std::string::npos) << outcome.detail;
}

TEST_F(AnAffinity, ThatSomebodyElseChangedIsOverridden) {
    const Child child(1);
    ASSERT_EQ(actuator.place(child.target(), kOne).state, State::applied);
    const auto thread = child.threads()[1];
    set_affinity(thread, kBoth);
    const auto outcome = actuator.check(child.target(), kOne);
    EXPECT_EQ(outcome.state, State::overridden);
    EXPECT_EQ(outcome.effective, kBoth);
    EXPECT_NE(outcome.detail.find("thread " + std::to_string(thread)), std::string::npos) << outcome.detail;
    EXPECT_EQ(affinity(thread), kBoth) << "check writes nothing";
}

TEST_F(AnAffinity, NeedsPermission) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
    const Child child;
    const auto target = child.target();
    const auto said = in_another_process(65534, [&] {
        const auto outcome = actuator.place(target, kOne);
        const auto back = actuator.restore(target, "1");
        return std::string(outcome.state == State::invalid && back.state == State::invalid ? "invalid "
                                                                                           : "") +
               outcome.detail;
    });
    EXPECT_EQ(said.rfind("invalid ", 0), 0U) << said;
    EXPECT_NE(said.find("CAP_SYS_NICE"), std::string::npos) << said;
    EXPECT_EQ(affinity(child.pid()), affinity(::getpid()));
}

TEST_F(AnAffinity, OfAForkedChildIsItsParentsOriginal) {
    Child child;
    set_affinity(child.pid(), kBoth);
    const auto original = actuator.capture(child.target()).value();
    ASSERT_EQ(actuator.place(child.target(), kOne).state, State::applied);
    const auto born = target_of(child.fork_child());
    EXPECT_EQ(actuator.capture_child(child.target(), original, kOne, born).value(), original);
    EXPECT_EQ(actuator.capture_child(child.target(), original, kZero, born).error().kind,
              Errc::no_such_object)
        << "it was not born under this mask";
    EXPECT_EQ(actuator.capture_child(Target::cgroup("/a"), "cpus:0", kOne, born).error().kind,
              Errc::no_such_object);
    ASSERT_EQ(actuator.restore(born, original).state, State::free);
    EXPECT_EQ(affinity(born.pid), kBoth);
}

TEST_F(AnAffinity, OfAGroupIsNotItsBusiness) {
    const auto group = Target::cgroup("/a");
    EXPECT_FALSE(actuator.handles(Target::Sort::cgroup));
    EXPECT_EQ(actuator.place(group, kOne).state, State::invalid);
    EXPECT_EQ(actuator.capture(group).error().kind, Errc::not_supported);
}

TEST_F(AnAffinity, ThatFollowedItsCpusetFollowsItAgain) {
    if (const auto why = CpusetGroup::unavailable(); !why.empty()) GTEST_SKIP() << why;
    const CpusetGroup group(unique_group("follow"), "0");
    const Child child;
    group.take(child.pid());
    const auto original = actuator.capture(child.target()).value();
    EXPECT_EQ(original, "0*");
    ASSERT_EQ(actuator.place(child.target(), kZero).state, State::applied);
    ASSERT_EQ(actuator.restore(child.target(), original).state, State::free);
    ASSERT_TRUE(group.write("cpuset.cpus", "0-1"));
    EXPECT_EQ(affinity(child.pid()), kBoth);
}

TEST_F(AnAffinity, WhoseCpusAreGoneIsGivenAllThereAreWithARemark) {
    const Child child;
    ASSERT_EQ(actuator.place(child.target(), kOne).state, State::applied);
    const auto outcome = actuator.restore(child.target(), "1000");
    EXPECT_EQ(outcome.state, State::free);
    EXPECT_NE(outcome.detail.find("no longer"), std::string::npos);
    EXPECT_EQ(affinity(child.pid()), affinity(::getpid()));
}

TEST(LookingOverThreads, FindsTheOnesBornWhileItGoesOnButNotForEver) {
    Child child(1);
    std::set<Pid> seen;
    const auto once = [&](Pid tid) -> Status {
        if (seen.empty()) child.start_thread();
        EXPECT_TRUE(seen.insert(tid).second) << "visited twice";
        return {};
    };
    ASSERT_TRUE(actuators::for_each_thread(machine(), child.pid(), once));
    EXPECT_EQ(seen.size(), 3U);
    std::size_t visits = 0;
    const auto always = [&](Pid) -> Status {
        child.start_thread();
        return ++visits < 10'000 ? Status() : fail(Errc::limit_exceeded, "it never ends");
    };
    // each look finds as many new threads as the last: three, for each of the looks there are
    ASSERT_TRUE(actuators::for_each_thread(machine(), child.pid(), always));
    EXPECT_EQ(visits, 3 * limits::kThreadPasses);
}

TEST(LookingOverThreads, StopsAtTheFirstFailureButNotForOneThatHasEnded) {
    const Child child(2);
    int visits = 0;
    const auto refused = actuators::for_each_thread(machine(), child.pid(), [&](Pid) {
        return Status(++visits == 1 ? fail(Errc::no_such_object, "ended") : fail(Errc::denied, "no"));
    });
    EXPECT_EQ(refused.error().kind, Errc::denied);
    EXPECT_EQ(visits, 2);
}

TEST(RecordedAffinity, IsReadAsItWasWritten) {
    const ProcessMasks masks{{kBoth, true}, {{12, {kOne, false}}, {13, {kZero, true}}}};
    EXPECT_EQ(masks.text(), "0-1*;12=1;13=0*");
    EXPECT_EQ(ProcessMasks::parse(masks.text()).value(), masks);
    EXPECT_EQ(masks.of(12).cpus, kOne);
    AffinityActuator actuator(machine());
    EXPECT_EQ(actuator.told(masks.text()), "CPUs 0-1, 2 threads on others");
    EXPECT_EQ(actuator.told("3"), "CPUs 3");
    EXPECT_EQ(actuator.told("junk"), "junk");
    EXPECT_EQ(masks.of(99), masks.main);
}

TEST(RecordedAffinity, ThatIsJunkIsRefused) {
    for (const auto* bad : {"", "*", ";", "x", "0-1;", "0;12", "0;12=", "0;=1", "0;0=1", "0;-3=1", "0;12=x",
                            "0;99999999999=1", "0;12=1;", "8192", "group:/a|0"})
        EXPECT_EQ(ProcessMasks::parse(bad).error().kind, Errc::invalid_value) << bad;
    AffinityActuator actuator(machine());
    const Child child;
    EXPECT_EQ(actuator.restore(child.target(), "junk").state, State::invalid);
}

} // namespace
} // namespace schedd::test
