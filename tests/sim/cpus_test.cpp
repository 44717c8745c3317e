// The simulated machine itself: a wrong simulator would prove anything.
#include <gtest/gtest.h>

#include "components/sim/cpus.h"

namespace schedd::sim {
namespace {

using namespace std::chrono_literals;

void run(SimCpus& cpus, Duration time) {
    for (Duration now{}; now < time; now += 10ms) cpus.advance(now, 10ms);
}

TEST(SimulatedCpus, ShareTheirTimeAmongWhoMustRunThere) {
    SimCpus cpus(CpuSet::range(0, 1));
    for (Pid pid = 1; pid <= 4; ++pid) cpus.start(pid, CpuSet::of(0), {});
    cpus.start(5, CpuSet::of(1), {});
    run(cpus, 1s);
    EXPECT_EQ(cpus.find(1)->run, 250ms);
    EXPECT_EQ(cpus.find(1)->wait, 750ms);
    EXPECT_EQ(cpus.find(5)->run, 1s);
    EXPECT_EQ(cpus.find(5)->wait, 0ms);
}

TEST(SimulatedCpus, SpreadWhoMayRunAnywhere) {
    SimCpus cpus(CpuSet::range(0, 3));
    for (Pid pid = 1; pid <= 4; ++pid) cpus.start(pid, CpuSet::range(0, 3), {});
    run(cpus, 1s);
    for (Pid pid = 1; pid <= 4; ++pid) EXPECT_EQ(cpus.find(pid)->run, 1s) << pid;
}

TEST(SimulatedCpus, RunTheThreadsOfAProcessAtTheSameTime) {
    SimCpus cpus(CpuSet::range(0, 1));
    cpus.start(1, CpuSet::range(0, 1), {.threads = 2});
    run(cpus, 1s);
    EXPECT_EQ(cpus.find(1)->run, 2s);
}

TEST(SimulatedCpus, LetASleeperWantLessThanACpu) {
    SimCpus cpus(CpuSet::of(0));
    cpus.start(1, CpuSet::of(0), {.burst = 50ms, .pause = 150ms});
    run(cpus, 10s);
    EXPECT_NEAR(static_cast<double>(cpus.find(1)->run.count()) / 1e9, 2.5, 0.1);
    EXPECT_EQ(cpus.find(1)->wait, 0ms);
}

TEST(SimulatedCpus, LetATaskRunAnywhereWhenItsCpusAreGone) {
    SimCpus cpus(CpuSet::range(0, 1));
    cpus.start(1, CpuSet::of(1), {});
    cpus.set_online(CpuSet::of(0));
    EXPECT_EQ(cpus.effective(*cpus.find(1)).text(), "0");
    cpus.set_online(CpuSet::range(0, 1));
    EXPECT_EQ(cpus.find(1)->mask.text(), "0-1") << "the kernel does not narrow it again";
}

TEST(SimulatedCpus, ConfineATaskByItsGroup) {
    SimCpus cpus(CpuSet::range(0, 3));
    cpus.start(1, CpuSet::range(1, 3), {}, "/batch");
    cpus.set_group_mask("/batch", CpuSet::range(0, 1));
    EXPECT_EQ(cpus.effective(*cpus.find(1)).text(), "1");
    cpus.set_group_mask("/batch", CpuSet::of(0));
    EXPECT_EQ(cpus.effective(*cpus.find(1)).text(), "0");
}

TEST(SimulatedCpus, GiveAChildItsParentsMask) {
    SimCpus cpus(CpuSet::range(0, 1));
    auto& parent = cpus.start(1, CpuSet::range(0, 1), {});
    parent.mask = parent.written = CpuSet::of(1);
    parent.is_touched = true;
    const auto& child = cpus.fork(1, 2);
    EXPECT_EQ(child.mask.text(), "1");
    EXPECT_EQ(child.natural.text(), "0-1") << "without schedd it would have been born wide";
    EXPECT_EQ(child.run, 0ms);
}

TEST(SimulatedCpus, CountAMaskThatScheddDidNotWriteAsTheChildsOwn) {
    SimCpus cpus(CpuSet::range(0, 2));
    auto& parent = cpus.start(1, CpuSet::of(2), {});
    parent.mask = parent.written = CpuSet::of(1);
    parent.is_touched = true;
    cpus.set_online(CpuSet::of(0)); // the kernel widens the parent
    const auto& child = cpus.fork(1, 2);
    EXPECT_EQ(child.natural.text(), "0-2");
    EXPECT_FALSE(child.is_touched);
}

} // namespace
} // namespace schedd::sim
