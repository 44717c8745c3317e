// pressure_guard: squeezing and giving back, who is narrowed and where to, restarts and changes of the
// machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policies/guarded.h"

namespace schedd::policies {
namespace {

using namespace std::chrono_literals;
using test::Eight;
using test::Guarded;
using test::kEightCpus;
using test::Shape;
using testing::HasSubstr;
using enum WorkClass;

TEST(APressureGuard, SqueezesStepByStepAndGivesBackSlowly) {
    Eight g;
    g.press(5, 0);
    EXPECT_TRUE(g.decisions.empty()) << "nobody is touched while all is well";
    g.press(2, 150);
    EXPECT_EQ(g.pool(), "");
    g.press(1, 150);
    EXPECT_EQ(g.pool(), "0-6");
    EXPECT_EQ(g.reason("batch.slice"),
              "the batch pool has 7 of 8 CPUs: unit:web.service waited for a CPU 15.0 % "
              "of the time, beyond 10 % in 3 updates");
    EXPECT_EQ(g.get("pool_cpus"), "0-6");
    EXPECT_EQ(g.get("worst"), "unit:web.service 15 %");
    EXPECT_EQ(g.get("squeezed"), "1");
    EXPECT_EQ(g.get("state"), "squeezing");
    EXPECT_EQ(g.get("note"), "");
    g.press(3, 150);
    EXPECT_EQ(g.pool(), "0-5");
    g.press(100, 80);
    EXPECT_EQ(g.pool(), "0-5");
    EXPECT_EQ(g.get("state"), "holding");
    g.press(9, 49);
    EXPECT_EQ(g.pool(), "0-5");
    g.press(1, 49);
    EXPECT_EQ(g.pool(), "0-6");
    EXPECT_EQ(g.reason("batch.slice"),
              "the batch pool has 7 of 8 CPUs: no latency member waited for a CPU 5 % of "
              "the time in 10 updates");
    EXPECT_EQ(g.get("state"), "releasing");
    g.press(10, 0);
    EXPECT_EQ(g.pool(), "") << "given back whole, and let go";
    EXPECT_EQ(g.get("pool_cpus"), "0-7");
    EXPECT_EQ(g.get("state"), "calm");
}

TEST(APressureGuard, IsFasterBeyondTwiceTheBound) {
    Eight g;
    g.press(3, 500);
    EXPECT_EQ(g.pool(), "0-5");
}

TEST(APressureGuard, NeverGoesBelowItsFloor) {
    Eight g;
    g.press(100, 1000);
    EXPECT_EQ(g.pool(), "0") << "one core is left by default";
    EXPECT_EQ(g.get("state"), "holding");
    g.set("floor", "3");
    g.press(1, 1000);
    EXPECT_EQ(g.pool(), "0-2");
    EXPECT_THAT(g.reason("batch.slice"),
                HasSubstr("5 cores stay taken away after CPUs or the floor changed"));
    g.set("floor", "8");
    g.press(10, 1000);
    EXPECT_EQ(g.pool(), "");
    EXPECT_EQ(g.get("note"),
              "nothing can be taken away: 8 cores with 8 CPUs can be used, the floor is 8 CPUs");
}

TEST(APressureGuard, TakesAndLeavesWholeCores) {
    Guarded g({.cores_per_l3 = 4, .threads_per_core = 2});
    g.add("web.service", latency);
    g.add("batch.slice", batch);
    g.rounds(3, "web.service", 150);
    EXPECT_EQ(g.cpus("batch.slice"), "0-5");
    g.set("floor", "3");
    g.rounds(30, "web.service", 150);
    EXPECT_EQ(g.cpus("batch.slice"), "0-3") << "three CPUs are two cores";
}

TEST(APressureGuard, EmptiesOneNodeBeforeTheOther) {
    Guarded g({.nodes = 2, .l3_per_node = 2, .cores_per_l3 = 4});
    g.add("web.service", latency);
    g.add("batch.slice", batch);
    g.set("step", "25");
    g.rounds(3, "web.service", 150);
    EXPECT_EQ(g.cpus("batch.slice"), "0-11");
    g.rounds(3, "web.service", 150);
    EXPECT_EQ(g.cpus("batch.slice"), "0-7") << "all of node 1 is free";
    g.rounds(10, "web.service", 0);
    EXPECT_EQ(g.cpus("batch.slice"), "0-11") << "what went last comes back first";
}

TEST(APressureGuard, OnAMachineTooSmallSaysSo) {
    for (const Shape& shape : {Shape{}, Shape{.threads_per_core = 2}}) {
        Guarded g(shape);
        g.add("web.service", latency);
        g.add("batch.slice", batch);
        g.rounds(20, "web.service", 1000);
        EXPECT_TRUE(g.decisions.empty());
        EXPECT_EQ(g.get("state"), "calm");
        EXPECT_THAT(g.get("note"), HasSubstr("nothing can be taken away: 1 core with"));
    }
    Guarded two({.cores_per_l3 = 2});
    two.add("web.service", latency);
    two.add("batch.slice", batch);
    two.rounds(20, "web.service", 1000);
    EXPECT_EQ(two.cpus("batch.slice"), "0");
}

TEST(APressureGuard, NeedsSomebodyToProtectAndSomebodyToSqueeze) {
    Guarded g(kEightCpus);
    g.rounds(3);
    EXPECT_EQ(g.get("note"), "no member is of class batch: there is nobody to take CPUs from");
    g.add("web.service", latency);
    g.rounds(50, "web.service", 1000);
    EXPECT_EQ(g.get("squeezed"), "0") << "a batch member that comes now is not punished for it";
    g.remove("web.service");
    g.add("batch.slice", batch);
    g.rounds(3);
    EXPECT_TRUE(g.decisions.empty());
    EXPECT_EQ(g.get("note"), "no member of class latency runs: there is nobody to protect");
    EXPECT_EQ(g.get("worst"), "");
}

TEST(APressureGuard, GivesBackWhenTheLastLatencyMemberEnds) {
    Eight g;
    g.press(6, 150);
    ASSERT_EQ(g.pool(), "0-5");
    g.subject("web.service").pids.clear(); // stopped, still a member
    g.rounds(9);
    EXPECT_EQ(g.pool(), "0-5");
    g.rounds(1);
    EXPECT_EQ(g.pool(), "0-6");
    g.remove("web.service");
    g.rounds(10);
    EXPECT_EQ(g.pool(), "");
}

TEST(APressureGuard, TakesTheWorstOfAllLatencyMembers) {
    Eight g;
    g.add("db.service", latency);
    g.gauge().groups["/db.service"] = 300;
    g.gauge().groups["/batch.slice"] = 1000;
    g.gauge().groups["/mail.service"] = 1000;
    g.press(3, 20);
    EXPECT_EQ(g.get("worst"), "unit:db.service 30 %");
    EXPECT_THAT(g.reason("batch.slice"), HasSubstr("unit:db.service waited"));
    g.remove("db.service");
    g.press(1, 20);
    EXPECT_EQ(g.get("worst"), "unit:web.service 2 %") << "its value went with it";
}

TEST(APressureGuard, KeepsTheReasonOfADecisionThatIsUnchanged) {
    Eight g;
    g.press(3, 150);
    const auto reason = g.reason("batch.slice");
    for (const std::int64_t share : {70, 99, 140, 60, 10, 30, 120}) {
        g.press(1, share);
        EXPECT_EQ(g.reason("batch.slice"), reason);
        EXPECT_EQ(g.pool(), "0-6");
    }
}

TEST(APressureGuard, NeverNarrowsOthersUnlessToldTo) {
    Eight g;
    g.press(100, 1000);
    ASSERT_EQ(g.decisions.size(), 1U);
    g.set("keep_apart", "true");
    g.press(1, 1000);
    EXPECT_EQ(g.cpus("web.service"), "1-7");
    EXPECT_THAT(g.reason("web.service"),
                HasSubstr("kept off the batch pool: the batch pool has 1 of 8 CPUs"));
    EXPECT_EQ(g.cpus("mail.service"), "");
}

TEST(KeepingApart, WaitsUntilHalfOfTheCoresAreOutsideThePool) {
    Eight g;
    g.set("keep_apart", "true");
    g.press(9, 150);
    EXPECT_EQ(g.pool(), "0-4");
    EXPECT_EQ(g.cpus("web.service"), "") << "three cores would be worse than eight shared ones";
    g.press(3, 150);
    EXPECT_EQ(g.pool(), "0-3");
    EXPECT_EQ(g.cpus("web.service"), "4-7");
    g.press(10, 0);
    EXPECT_EQ(g.cpus("web.service"), "");
}

TEST(KeepingApart, LeavesAloneWhoMayOnlyUseThePoolsCpus) {
    Eight g;
    g.set("keep_apart", "true");
    g.subject("web.service").current = CpuSet::range(0, 1);
    g.press(12, 150);
    EXPECT_EQ(g.pool(), "0-3");
    EXPECT_EQ(g.cpus("web.service"), "");
}

TEST(ABatchMember, IsNeverGivenCpusThatItDidNotComeWith) {
    Eight g;
    g.add("low.service", batch, "0-3");
    g.add("high.service", batch, "6-7");
    g.press(3, 150);
    EXPECT_EQ(g.cpus("low.service"), "0-3");
    EXPECT_EQ(g.cpus("high.service"), "6");
    EXPECT_THAT(g.reason("high.service"), HasSubstr("in 3 updates; of its own CPUs 6-7"));
    g.press(3, 150);
    EXPECT_EQ(g.pool(), "0-5");
    EXPECT_EQ(g.cpus("high.service"), "6") << "all of its own are taken away, so one core of them stays";
    g.press(9, 150);
    EXPECT_EQ(g.cpus("low.service"), "0-2");
}

TEST(ABatchMember, ThatComesLaterSharesThePool) {
    Eight g;
    g.press(6, 150);
    const auto reason = g.reason("batch.slice");
    g.add("late.service", batch);
    g.decide();
    EXPECT_EQ(g.cpus("late.service"), "0-5");
    EXPECT_EQ(g.reason("late.service"), reason);
    g.subject("late.service").demand.work_class = normal;
    g.decide();
    EXPECT_EQ(g.cpus("late.service"), "");
}

TEST(AMachineThatChanges, KeepsWhatWasTakenAway) {
    Eight g;
    g.press(6, 150);
    ASSERT_EQ(g.pool(), "0-5");
    test::set_online(g.topology, g.whole, CpuSet::parse("0-3,6-7").value());
    g.decide();
    EXPECT_EQ(g.pool(), "0-3");
    EXPECT_EQ(g.reason("batch.slice"),
              "the batch pool has 4 of 6 CPUs: 2 cores stay taken away after CPUs or the floor changed");
    test::set_online(g.topology, g.whole, CpuSet::parse("1-2").value());
    g.decide();
    EXPECT_EQ(g.pool(), "1") << "never empty";
    test::set_online(g.topology, g.whole, CpuSet::of(5));
    g.decide();
    EXPECT_EQ(g.pool(), "");
    test::set_online(g.topology, g.whole, {});
    EXPECT_TRUE(g.decide().empty());
    test::set_online(g.topology, g.whole, g.whole.online);
    g.press(2, 80);
    g.press(3, 150);
    EXPECT_EQ(g.pool(), "0-6");
}

TEST(AMachineThatChanges, DoesNotShrinkThePoolWhenNothingIsTaken) {
    Eight g;
    g.press(3, 0);
    test::set_online(g.topology, g.whole, CpuSet::range(0, 3));
    g.decide();
    EXPECT_TRUE(g.decisions.empty());
    EXPECT_EQ(g.get("pool_cpus"), "0-3");
}

TEST(ARestart, TakesThePoolOverAsItWasLeft) {
    Eight g;
    g.add("other.service", batch);
    for (const char* unit : {"batch.slice", "other.service"}) {
        g.subject(unit).current = CpuSet::range(0, 4);
        g.subject(unit).held = true;
    }
    g.press(1, 80);
    EXPECT_EQ(g.pool(), "0-4");
    EXPECT_EQ(g.reason("other.service"), "the batch pool has 5 of 8 CPUs: it was found like this");
    EXPECT_EQ(g.get("squeezed"), "3");
    g.press(10, 0);
    EXPECT_EQ(g.pool(), "0-5");
}

TEST(ARestart, BeginsWithAllWhenNoPoolCanBeSeen) {
    const std::pair<const char*, const char*> unequal[] = {{"0-4", "0-3"}, {"1-4", "1-4"}, {"0-7", "0-7"}};
    for (const auto& [one, other] : unequal) {
        Eight g;
        g.add("other.service", batch);
        g.subject("batch.slice").current = CpuSet::parse(one).value();
        g.subject("other.service").current = CpuSet::parse(other).value();
        g.subject("batch.slice").held = g.subject("other.service").held = true;
        g.press(1, 80);
        EXPECT_EQ(g.get("squeezed"), "0") << one;
    }
    Eight own; // narrow, but not by our doing
    own.subject("batch.slice").current = CpuSet::range(0, 4);
    own.press(1, 80);
    EXPECT_EQ(own.get("squeezed"), "0");
    Eight small;
    small.set("floor", "4");
    small.subject("batch.slice").current = CpuSet::range(0, 2);
    small.subject("batch.slice").held = true;
    small.press(1, 80);
    EXPECT_EQ(small.get("squeezed"), "0") << "less than the floor was never ours";
}

TEST(APressureGuard, WantsItsTurnAfterItsPeriod) {
    Eight g("group");
    EXPECT_LE(g.policy().next_due(), g.world.clock.now()) << "at once the first time";
    g.set("period", "250");
    g.decide();
    EXPECT_EQ(g.policy().next_due(), g.world.clock.now() + 250ms);
    g.policy().done();
    g.set("bound", "20");
    EXPECT_TRUE(g.policy().due()) << "a new attribute value is acted on";
}

TEST(APressureGuard, DecidesForThousandsOfMembers) {
    Guarded g({.nodes = 2, .l3_per_node = 4, .cores_per_l3 = 8, .threads_per_core = 2});
    for (Pid pid = 1; pid <= 3000; ++pid) g.add_process(pid, pid % 3 == 0 ? latency : batch);
    for (Pid pid = 3; pid <= 3000; pid += 3) g.gauge().waits[pid] = pid == 2997 ? 150 : 10;
    g.rounds(3);
    ASSERT_EQ(g.decisions.size(), 2000U);
    EXPECT_EQ(g.get("worst"), "process:2997 15 %");
    for (const auto& decision : g.decisions) ASSERT_EQ(decision.cpus.text(), "0-115");
}

/// A random life; every promise is checked at every decision. Returns all that was decided.
std::string live(std::uint64_t seed) {
    kit::Rng rng(seed);
    const Shape shape{.nodes = 1 + static_cast<int>(rng.below(2)),
                      .l3_per_node = 1 + static_cast<int>(rng.below(2)),
                      .cores_per_l3 = 1 + static_cast<int>(rng.below(4)),
                      .threads_per_core = 1 + static_cast<int>(rng.below(2))};
    Guarded g(shape);
    for (int i = 0; i < 6; ++i)
        g.add(fmt::format("u{}.service", i), static_cast<WorkClass>(i % 3),
              rng.below(4) == 0 ? CpuSet::of(static_cast<int>(rng.below(2)) % g.whole.online.count()).text()
                                : "");
    const int floor = 1 + static_cast<int>(rng.below(4));
    g.set("floor", std::to_string(floor));
    g.set("patience", "1");
    g.set("calm", "2");
    std::map<Target, CpuSet> homes;
    for (const auto& subject : g.subjects) homes[subject.target] = subject.current;
    std::string told;
    for (int i = 0; i < 300; ++i) {
        for (auto& subject : g.subjects) {
            if (rng.below(10) == 0) g.gauge().groups.erase(subject.group);
            else
                g.gauge().groups[subject.group] =
                    static_cast<std::int64_t>(rng.below(rng.below(2) ? 40 : 400));
        }
        if (rng.below(30) == 0) {
            CpuSet online;
            for (const auto& cpu : g.whole.cpus)
                if (rng.below(4) != 0) online.add(cpu.id);
            if (!online.empty()) test::set_online(g.topology, g.whole, online);
        }
        g.round();
        const CpuSet usable = g.topology.usable();
        const auto pool = CpuSet::parse(g.get("pool_cpus")).value();
        EXPECT_TRUE(pool.subset_of(usable) && !pool.empty()) << "seed " << seed << " round " << i;
        EXPECT_GE(pool.count(), std::min(floor, usable.count())) << "seed " << seed << " round " << i;
        for (const auto& core : g.topology.domains(Level::core))
            EXPECT_TRUE(core.cpus.subset_of(pool) || !core.cpus.intersects(pool)) << "seed " << seed;
        for (const auto& subject : g.subjects) {
            const auto* decision = g.find(subject.target);
            if (!decision) continue;
            EXPECT_EQ(subject.demand.work_class, batch) << "seed " << seed;
            EXPECT_TRUE(decision->cpus.subset_of(usable) && !decision->cpus.empty()) << "seed " << seed;
            const CpuSet& home = homes[subject.target];
            EXPECT_TRUE(decision->cpus.subset_of(home) || !home.intersects(usable)) << "seed " << seed;
            told +=
                fmt::format("{} {} {}\n", decision->target.text(), decision->cpus.text(), decision->reason);
        }
    }
    return told;
}

TEST(APressureGuard, KeepsItsPromisesInRandomLives) {
    std::size_t decided = 0;
    for (std::uint64_t seed = 1; seed <= 60 && !testing::Test::HasFailure(); ++seed)
        decided += live(seed).size();
    EXPECT_GT(decided, 100'000U) << "these lives squeeze";
}

TEST(APressureGuard, DecidesTheSameFromTheSameInput) {
    for (const std::uint64_t seed : {3, 8, 21}) EXPECT_EQ(live(seed), live(seed));
}

} // namespace
} // namespace schedd::policies
