// TaskMeter: exact loads, threads, births and ends, files beyond the budget, broken files, allocations.
#include "components/probes/task_meter.h"

#include <gtest/gtest.h>

#include "components/kit/limits.h"
#include "tests/kit/count_new.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using probes::TaskMeter;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kMs = 1'000'000;

struct Meter : ::testing::Test {
    FakeHost host;
    FakeProc proc{host};
    std::optional<TaskMeter> meter_;
    Time now = seconds(1000);

    TaskMeter& meter() {
        if (!meter_) meter_.emplace(host);
        return *meter_;
    }
    void add(Pid pid, int threads = 1, std::uint64_t start_time = 0) {
        proc.add({.pid = pid, .start_time = start_time, .threads = threads});
        meter().add({.pid = pid,
                     .start_time = start_time ? start_time : static_cast<std::uint64_t>(pid) * 10,
                     .comm = "work",
                     .threads = threads});
    }
    void pass(milliseconds after = milliseconds(1000)) {
        now += after;
        meter().pass(now);
    }
    std::int64_t load(Pid pid) {
        const auto found = meter().load_of(pid);
        return found ? found->load : -1;
    }
    std::int64_t wait(Pid pid) {
        const auto found = meter().load_of(pid);
        return found ? found->wait : -1;
    }
};

using ATaskMeter = Meter;

TEST_F(ATaskMeter, CountsRunAndWaitTimeOverTheTimePassed) {
    add(10);
    proc.set_times(10, 5000 * kMs, 0);
    pass();
    EXPECT_EQ(load(10), -1);
    EXPECT_FALSE(meter().total());
    proc.set_times(10, 5400 * kMs, 600 * kMs);
    pass();
    EXPECT_EQ(load(10), 1000);
    proc.set_times(10, 5525 * kMs, 600 * kMs);
    pass(milliseconds(500));
    EXPECT_EQ(load(10), 250);
    pass();
    EXPECT_EQ(load(10), 0);
}
TEST_F(ATaskMeter, TellsWhatOfTheLoadWasWaiting) {
    add(10, 2);
    pass();
    proc.set_times(10, 10, 100 * kMs, 300 * kMs);
    proc.set_times(10, 1000010, 0, 500 * kMs);
    pass();
    EXPECT_EQ(load(10), 900);
    EXPECT_EQ(wait(10), 800) << "both threads";
    pass();
    EXPECT_EQ(wait(10), 0);
    proc.set_times(10, 10, 900 * kMs, 100 * kMs); // the wait went back: no clock does that
    pass();
    EXPECT_EQ(load(10), 600);
    EXPECT_EQ(wait(10), 0);
    proc.set_times(10, 10, 0, UINT64_MAX);
    pass();
    EXPECT_LE(wait(10), std::max<std::int64_t>(load(10), 0));
}
TEST_F(ATaskMeter, ReadsNothingOfAProcessWhoseClockStandsStill) {
    add(10, 3);
    host.set_cpu_time(10, 5000 * kMs);
    proc.set_times(10, 5000 * kMs, 0);
    pass();
    host.set_cpu_time(10, 5400 * kMs);
    proc.set_times(10, 5400 * kMs, 100 * kMs);
    pass();
    EXPECT_EQ(load(10), 500);
    host.reset_counts();
    pass();
    EXPECT_EQ(load(10), 0);
    EXPECT_EQ(meter().total(), 0);
    EXPECT_EQ(host.counts().reads, 0U);
    host.set_cpu_time(10, 5500 * kMs); // it runs again: what it waited for before counts too
    proc.set_times(10, 5500 * kMs, 200 * kMs);
    pass();
    EXPECT_EQ(load(10), 200);
}
TEST_F(ATaskMeter, ReadsANewThreadOfAProcessWhoseClockStandsStill) {
    add(10);
    host.set_cpu_time(10, 5000 * kMs);
    pass();
    pass();
    proc.add({.pid = 10, .start_time = 100, .threads = 2});
    meter().threads_changed(10);
    pass();
    EXPECT_EQ(meter().tasks(), 2U);
    EXPECT_EQ(load(10), 0);
}
TEST_F(ATaskMeter, ReadsEveryTaskBeyondTheBudgetThatHasRun) {
    host.set_open_budget(2);
    for (Pid pid = 10; pid < 30; ++pid) {
        add(pid);
        host.set_cpu_time(pid, 0);
    }
    pass();
    pass();
    for (Pid pid = 10; pid < 30; ++pid) {
        host.set_cpu_time(pid, 5 * kMs);
        proc.set_times(pid, 5 * kMs);
    }
    pass();
    for (Pid pid = 10; pid < 30; ++pid) EXPECT_EQ(load(pid), 5) << pid;
}
TEST_F(ATaskMeter, SumsOverProcesses) {
    add(10);
    add(11);
    add(12);
    pass();
    proc.set_times(10, 500 * kMs, 500 * kMs);
    proc.set_times(11, 500 * kMs, 500 * kMs);
    proc.set_times(12, 1 * kMs);
    pass();
    EXPECT_EQ(meter().total(), 2001);
}
TEST_F(ATaskMeter, CountsEveryThreadOfAProcess) {
    add(10, 3);
    pass();
    EXPECT_EQ(meter().tasks(), 3U);
    proc.set_times(10, 10, 100 * kMs, 0);
    proc.set_times(10, 1000010, 1000 * kMs, 0);
    proc.set_times(10, 2000010, 500 * kMs, 500 * kMs);
    pass();
    EXPECT_EQ(load(10), 2100);
}
TEST_F(ATaskMeter, CountsANewThreadFromItsBirthWhenToldOfIt) {
    add(10);
    pass();
    proc.set_times(10, 77, 400 * kMs, 0);
    meter().threads_changed(10);
    pass();
    EXPECT_EQ(load(10), 400);
    proc.set_times(10, 77, 650 * kMs, 0);
    pass();
    EXPECT_EQ(load(10), 250);
}
TEST_F(ATaskMeter, FindsThreadsNobodyToldOf) {
    add(10);
    pass();
    proc.add({.pid = 10, .threads = 2});
    for (int i = 0; i < 33; ++i) pass();
    EXPECT_EQ(meter().tasks(), 2U);
    proc.set_times(10, 1000010, 300 * kMs, 0);
    pass();
    EXPECT_EQ(load(10), 300);
}
TEST_F(ATaskMeter, DoesNotCountTheLifeOfAThreadFoundLate) {
    add(10);
    pass();
    proc.add({.pid = 10, .threads = 2});
    proc.set_times(10, 1000010, 999'000 * kMs, 0);
    for (int i = 0; i < 40; ++i) {
        pass();
        EXPECT_EQ(load(10), 0);
    }
    EXPECT_EQ(meter().tasks(), 2U);
}
TEST_F(ATaskMeter, DropsAThreadThatHasEnded) {
    add(10, 2);
    pass();
    pass();
    proc.remove_thread(10, 1000010);
    pass();
    EXPECT_EQ(meter().tasks(), 1U);
    EXPECT_EQ(load(10), 0);
    EXPECT_EQ(host.open_now(), 1U);
    EXPECT_EQ(meter().trouble(), "");
}
TEST_F(ATaskMeter, CountsAProcessBornSinceTheLastPassFromItsBirth) {
    add(10);
    pass();
    add(11);
    proc.set_times(11, 300 * kMs, 100 * kMs);
    pass();
    EXPECT_EQ(load(11), 400);
    EXPECT_EQ(meter().total(), 400);
}
TEST_F(ATaskMeter, CountsANewbornOverItsLifeWhereThatIsKnown) {
    add(10, 1, 1000);
    pass();
    add(11, 2, 5060); // a thread of its own was busy for as long as it was
    add(12, 1, 5000); // heard of late, so it is older than the pass before
    proc.set_times(11, 11, 390 * kMs, 10 * kMs);
    proc.set_times(11, 1000011, 0, 200 * kMs);
    proc.set_times(12, 500 * kMs, 0);
    host.set("proc/uptime", "51.00 70.00\n");
    pass(milliseconds(800));
    EXPECT_EQ(load(11), 1500) << "600 ms in 400";
    EXPECT_EQ(wait(11), 525);
    EXPECT_EQ(load(12), 625);
    EXPECT_EQ(meter().total(), 1375) << "what the machine had to do is over the whole time";
    proc.set_times(11, 11, 790 * kMs, 10 * kMs);
    host.set("proc/uptime", "51.80 70.00\n");
    pass(milliseconds(800));
    EXPECT_EQ(load(11), 500) << "from now on between passes";
    EXPECT_EQ(meter().total(), 500);
}
TEST_F(ATaskMeter, CountsANewbornForNoLessThanAQuarterOfTheTimeThatHasPassed) {
    add(10, 1, 1000);
    pass();
    add(11, 1, 5098);
    add(12, 1, 5100);
    proc.set_times(11, 20 * kMs, 0);
    proc.set_times(12, 5 * kMs, 0);
    host.set("proc/uptime", "51.00 70.00\n");
    pass();
    EXPECT_EQ(load(11), 80) << "all that it has done is to start";
    EXPECT_EQ(load(12), 20) << "its age is nothing";
    EXPECT_EQ(meter().total(), 25);
}
TEST_F(ATaskMeter, CountsANewbornOverTheTimeThatHasPassedWhereItsAgeCannotBe) {
    Pid pid = 11;
    add(10, 1, 1000);
    pass();
    for (const auto* uptime : {"", "soon", "49.99 1.00", "0.00 0.00", "184467440737095514.99 1.00"}) {
        host.set("proc/uptime", uptime); // a container's own begins later than the machine's
        add(pid, 1, 5000);
        proc.set_times(pid, 300 * kMs, 0);
        pass();
        EXPECT_EQ(load(pid++), 300) << uptime;
    }
}
TEST_F(ATaskMeter, LooksAtTheUptimeOnlyForNewborns) {
    add(10, 1, 1000);
    host.set("proc/uptime", "51.00 70.00\n");
    pass();
    host.reset_counts();
    pass();
    EXPECT_EQ(host.counts().opens, 0U);
    for (const Pid pid : {11, 12}) add(pid, 1, 5050);
    pass();
    EXPECT_EQ(host.counts().opens, 3U) << "twice what they did, once how long ago they were born";
}
TEST_F(ATaskMeter, GivesANewbornNoMoreThanTheTimeThatHasPassed) {
    add(10);
    pass();
    add(11);
    proc.set_times(11, 9000 * kMs, 0);
    pass();
    EXPECT_EQ(load(11), 1000);
}
TEST_F(ATaskMeter, DoesNotCountTheLifeOfAProcessFoundLate) {
    add(10, 1, 5000);
    pass();
    add(11, 1, 4999);
    proc.set_times(11, 300 * kMs, 0);
    pass();
    EXPECT_EQ(load(11), -1);
    proc.set_times(11, 400 * kMs, 0);
    pass();
    EXPECT_EQ(load(11), 100);
}
TEST_F(ATaskMeter, TakesWhatItFindsFirstAsABaseLine) {
    pass();
    pass();
    add(10);
    proc.set_times(10, 300 * kMs, 0);
    pass();
    EXPECT_EQ(load(10), -1);
}
TEST_F(ATaskMeter, ForgetsAProcessThatLeft) {
    add(10, 4);
    add(11);
    pass();
    pass();
    meter().remove(10);
    EXPECT_EQ(load(10), -1);
    EXPECT_EQ(meter().tasks(), 1U);
    EXPECT_EQ(host.open_now(), 1U);
    meter().remove(10);
    meter().remove(4711);
    pass();
    EXPECT_EQ(load(11), 0);
}
TEST_F(ATaskMeter, SurvivesAProcessThatVanishesBeforeAnybodySaysSo) {
    add(10);
    add(11);
    pass();
    pass();
    proc.remove(10);
    pass();
    EXPECT_EQ(load(10), -1);
    EXPECT_EQ(load(11), 0);
    meter().remove(10);
    EXPECT_EQ(meter().tasks(), 1U);
}
TEST_F(ATaskMeter, TakesAReusedPidAsAnotherProcess) {
    add(10);
    proc.set_times(10, 100'000 * kMs, 0);
    pass();
    pass();
    proc.remove(10);
    add(10, 1, 9999);
    proc.set_times(10, 50 * kMs, 0);
    pass();
    EXPECT_EQ(load(10), 50);
}
TEST_F(ATaskMeter, TakesAnotherClockForAnotherTask) {
    add(10);
    pass();
    proc.set_times(10, 500 * kMs, 0);
    pass();
    proc.set_times(10, 100 * kMs, 0); // an exec by another thread took over the pid
    pass();
    EXPECT_EQ(load(10), -1);
    proc.set_times(10, 100'000 * kMs, 0);
    pass();
    EXPECT_EQ(load(10), -1);
    proc.set_times(10, 100'200 * kMs, 0);
    pass();
    EXPECT_EQ(load(10), 200);
}
TEST_F(ATaskMeter, SaysWhichFileHoldsGarbageAndReadsItAgain) {
    add(10);
    add(11);
    pass();
    for (const auto* text : {"", "x y z", "1", "-1 -1 0", "99999999999999999999999 1 1"}) {
        host.set("proc/10/schedstat", text);
        pass();
        EXPECT_EQ(load(10), -1) << text;
        EXPECT_EQ(load(11), 0);
        EXPECT_NE(meter().trouble().find("proc/10/schedstat"), std::string::npos) << text;
    }
    proc.set_times(10, 700 * kMs);
    pass();
    EXPECT_EQ(load(10), -1);
    EXPECT_EQ(meter().trouble(), "");
    proc.set_times(10, 800 * kMs);
    pass();
    EXPECT_EQ(load(10), 100);
}
TEST_F(ATaskMeter, SaysWhichFileCannotBeRead) {
    add(10);
    pass();
    host.set_error("proc/10/schedstat", {Errc::denied, "cannot open proc/10/schedstat", "permission denied"});
    pass();
    EXPECT_NE(meter().trouble().find("permission denied"), std::string::npos);
    EXPECT_EQ(load(10), -1);
}
TEST_F(ATaskMeter, HasNoTotalWhereNoTaskCanBeRead) {
    add(10);
    host.remove("proc/10/schedstat");
    pass();
    pass();
    EXPECT_FALSE(meter().total());
    EXPECT_NE(meter().trouble(), "");
}
TEST_F(ATaskMeter, FollowsNoMoreTasksThanItsLimit) {
    TaskMeter& m = meter();
    for (std::size_t i = 1; i <= limits::kTasks + 5; ++i)
        m.add({.pid = static_cast<Pid>(i), .start_time = i, .comm = "work"});
    EXPECT_EQ(m.tasks(), limits::kTasks);
}
TEST_F(ATaskMeter, AllocatesNothingInASteadyPass) {
    ASSERT_TRUE(counting_works());
    for (Pid pid = 10; pid < 1010; ++pid) add(pid, pid % 7 == 0 ? 3 : 1);
    host.set_open_budget(5000);
    for (int i = 0; i < 3; ++i) pass();
    EXPECT_EQ(allocations_in([&] {
                  for (int i = 0; i < 64; ++i) pass();
                  (void)meter().load_of(10);
                  (void)meter().load_of(999999);
              }),
              0U);
}

/// 1000 processes, of which 96 can be kept open less what is left to others.
struct Crowd : Meter {
    static constexpr Pid kFirst = 10;
    static constexpr Pid kLast = 1009;
    Crowd() {
        host.set_open_budget(96);
        for (Pid pid = kFirst; pid <= kLast; ++pid) add(pid);
        pass();
        pass();
    }
};
using ATaskMeterBeyondItsBudget = Crowd;

TEST_F(ATaskMeterBeyondItsBudget, KeepsNoMoreFilesThanItMay) {
    EXPECT_EQ(meter().files_kept(), 84U);
    EXPECT_EQ(host.open_now(), 84U);
}
TEST_F(ATaskMeterBeyondItsBudget, ReadsAnEighthOfTheIdlePerPass) {
    host.reset_counts();
    for (int i = 0; i < 8; ++i) pass();
    const auto rechecks = 8 * 1000 / 32;
    EXPECT_NEAR(static_cast<double>(host.counts().reads), 8 * 84 + (1000 - 84) + rechecks, 10);
}
TEST_F(ATaskMeterBeyondItsBudget, TakesALoadOverItsOwnInterval) {
    proc.set_times(kLast, 800 * kMs, 0);
    std::int64_t seen = 0;
    for (int i = 0; i < 8; ++i) {
        pass();
        seen = std::max(seen, load(kLast));
    }
    // since its last reading 1 to 8 s had passed
    EXPECT_GE(seen, 100);
    EXPECT_LE(seen, 800);
    EXPECT_EQ(meter().total(), load(kLast));
}
TEST_F(ATaskMeterBeyondItsBudget, GivesABusyTaskTheFileOfAnIdleOne) {
    std::uint64_t run = 0;
    for (int i = 0; i < 10; ++i) {
        proc.set_times(kLast, run += 1000 * kMs, 0);
        pass();
    }
    EXPECT_EQ(load(kLast), 1000);
    EXPECT_EQ(meter().load_of(kLast)->time, now);
    EXPECT_EQ(meter().files_kept(), 84U);
    host.reset_counts();
    proc.set_times(kLast, run += 500 * kMs, 0);
    pass();
    EXPECT_EQ(load(kLast), 500);
}
TEST_F(ATaskMeterBeyondItsBudget, ReadsEveryBusyTaskEachPassEvenIfAllAreBusy) {
    for (std::uint64_t i = 1; i <= 10; ++i) {
        for (Pid pid = kFirst; pid <= kLast; ++pid) proc.set_times(pid, i * 100 * kMs, 0);
        pass();
    }
    EXPECT_EQ(meter().total(), 100'000);
    EXPECT_EQ(meter().files_kept(), 84U);
}
TEST_F(ATaskMeterBeyondItsBudget, AllocatesNothingInASteadyPass) {
    ASSERT_TRUE(counting_works());
    pass();
    EXPECT_EQ(allocations_in([&] {
                  for (int i = 0; i < 64; ++i) pass();
              }),
              0U);
}
TEST_F(ATaskMeterBeyondItsBudget, OpensWhatItMayWhenOthersHaveLeft) {
    for (Pid pid = kFirst; pid < kFirst + 950; ++pid) {
        proc.remove(pid);
        meter().remove(pid);
    }
    pass();
    EXPECT_EQ(meter().files_kept(), 50U);
    EXPECT_EQ(meter().longest_turn(), 1);
}
TEST_F(Meter, GetsAlongWithAHostThatOpensFewerThanPromised) {
    host.set_open_budget(1000);
    (void)meter();
    host.set_open_budget(5);
    for (Pid pid = 10; pid < 30; ++pid) add(pid);
    for (int i = 0; i < 10; ++i) pass();
    EXPECT_EQ(meter().files_kept(), 5U);
    EXPECT_EQ(meter().total(), 0);
    EXPECT_EQ(meter().trouble(), "");
}

} // namespace
} // namespace schedd::test
