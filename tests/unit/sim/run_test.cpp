// Whole runs: costs of moving and sharing, baselines against each other and against the bounds.
#include "components/sim/run.h"

#include <gtest/gtest.h>

#include "components/sim/baselines.h"
#include "components/sim/bounds.h"
#include "tests/kit/machine.h"

namespace schedd::sim {
namespace {

using namespace std::chrono_literals;

/// Time that one thread of 1 s takes on `cpu` while another of habit `other` runs on CPU 0 for good.
Duration takes(const Topology& topology, const Costs& costs, const Habit& other, int cpu, Habit habit = {}) {
    SimCpus cpus(topology, {.pulls = false}, costs);
    cpus.start(1, CpuSet::of(0), other);
    habit.burst = 1s;
    habit.once = true;
    cpus.start(2, CpuSet::of(cpu), habit);
    for (Time now{}; now < 20s; now += 1s) {
        cpus.advance(now, 1s);
        if (const auto ended = cpus.take_ended(); !ended.empty()) return ended.front().second;
    }
    return {};
}

TEST(CostsOfSharing, SlowASiblingAndNobodyElse) {
    const auto topology = test::machine({.cores_per_l3 = 2, .threads_per_core = 2});
    const Costs costs{.smt_percent = 50};
    EXPECT_EQ(takes(topology, costs, {}, 1), 2s) << "CPU 1 is of the same core as CPU 0";
    EXPECT_EQ(takes(topology, costs, {}, 2), 1s);
}

TEST(CostsOfSharing, DivideACpuByWeight) {
    const auto topology = test::machine({});
    EXPECT_EQ(takes(topology, {}, {}, 0), 2s);
    EXPECT_EQ(takes(topology, {}, {.weight = 300}, 0), 4s);
}

TEST(CostsOfSharing, SlowWorkWhoseCachesDoNotFit) {
    const auto topology = test::machine({.l3_per_node = 2, .cores_per_l3 = 2});
    const Costs costs{.cache_percent = 100};
    // 200 percent of one L3 are wanted: half is missed
    EXPECT_EQ(takes(topology, costs, {.cache = 100}, 1, {.cache = 100}), 1500ms);
    EXPECT_EQ(takes(topology, costs, {.cache = 100}, 2, {.cache = 100}), 1s) << "another L3";
    EXPECT_EQ(takes(topology, costs, {.cache = 100}, 1), 1s) << "its own set is nothing";
}

TEST(CostsOfSharing, SlowWorkThatWaitsForMemoryTogether) {
    const auto topology = test::machine({.nodes = 2, .cores_per_l3 = 2});
    const Costs costs{.streams_percent = 50}; // one thread of the two CPUs of a node
    EXPECT_EQ(takes(topology, costs, {.memory = 100}, 1, {.memory = 100}), 2s);
    EXPECT_EQ(takes(topology, costs, {.memory = 100}, 2, {.memory = 100}), 1s);
}

TEST(CostsOfSharing, MakeASlowKindOfCoreSlow) {
    auto topology = test::machine({.cores_per_l3 = 2});
    topology.cpus[0].kind = 1;
    EXPECT_EQ(takes(topology, {.slow_percent = 50}, {}, 1), 2s);
    EXPECT_DOUBLE_EQ(capacity_of(topology, {.slow_percent = 50}), 1.5);
}

TEST(AMove, CostsMoreTheFartherItGoes) {
    const auto topology = test::machine({.nodes = 2, .l3_per_node = 2, .cores_per_l3 = 2});
    const Costs costs{.move = 1ms, .cold_cache = 10ms, .cold_node = 100ms, .remote_percent = 100};
    const auto moved_to = [&](int cpu, int memory) {
        SimCpus cpus(topology, {.pulls = false}, costs);
        cpus.start(1, CpuSet::of(0), {.burst = 1s, .once = true, .memory = memory});
        cpus.advance(0s, 500ms);
        SimCpus::set_mask(*cpus.find(1), CpuSet::of(cpu));
        cpus.advance(500ms, 5s);
        EXPECT_EQ(cpus.totals().moves, 1U);
        return cpus.take_ended().at(0).second;
    };
    EXPECT_EQ(moved_to(1, 0), 1001ms);
    EXPECT_EQ(moved_to(2, 0), 1011ms);
    EXPECT_EQ(moved_to(4, 0), 1111ms);
    EXPECT_EQ(moved_to(4, 100), 500ms + 2 * 611ms) << "its memory stays where it first ran";
}

Scenario scenario_on(const test::Shape& shape, Duration duration) {
    Scenario scenario;
    scenario.topology = test::machine(shape);
    scenario.duration = duration;
    return scenario;
}

/// One kind of jobs that arrive by chance.
Scenario busy(const test::Shape& shape, int load, Duration duration = 500s) {
    auto scenario = scenario_on(shape, duration);
    scenario.kinds.push_back({.name = "a", .load = load, .least = 100ms, .most = 100s});
    Rng rng(11);
    const double capacity = capacity_of(scenario.topology, {});
    scenario.jobs = make_jobs(scenario.kinds[0], 0, capacity, scenario.duration, rng).value();
    scenario.ideal = processor_sharing(scenario.jobs, capacity);
    return scenario;
}

RunResult result_of(const Scenario& scenario, Baseline baseline, Duration stale = 1s) {
    const KernelModel linux{.balance_period = 100ms};
    const auto director = make_director(baseline, scenario, 3, stale);
    return run(scenario, kernel_of(baseline, linux), *director, nullptr, {});
}

TEST(Baselines, StandInTheirKnownOrder) {
    const auto scenario = busy({.cores_per_l3 = 16}, 90);
    const auto slowdown = [&](Baseline baseline) { return result_of(scenario, baseline).all.over_ideal; };
    const double random = slowdown(Baseline::random);
    const double two = slowdown(Baseline::power_of_two);
    const double least = slowdown(Baseline::least_loaded);
    const double pull = slowdown(Baseline::pull);
    EXPECT_LT(slowdown(Baseline::round_robin), random);
    EXPECT_LT(two, 0.7 * random) << "the power of two choices";
    EXPECT_LT(least, two);
    EXPECT_LT(pull, least) << "who may move later needs no luck";
    EXPECT_GE(pull, 0.999) << "nothing beats the ideal";
}

TEST(Baselines, HerdWhenTheirLoadsAreStale) {
    const auto scenario = busy({.cores_per_l3 = 16}, 80);
    const double fresh = result_of(scenario, Baseline::least_loaded).all.mean;
    const double stale = result_of(scenario, Baseline::least_loaded_stale, 10s).all.mean;
    EXPECT_GT(stale, 2 * fresh);
}

TEST(Baselines, WasteWhatTheyMayNotPull) {
    const auto scenario = busy({.cores_per_l3 = 8}, 70);
    EXPECT_EQ(result_of(scenario, Baseline::pull).wasted, 0) << "below one L3 an idle CPU pulls at once";
    EXPECT_GT(result_of(scenario, Baseline::random).wasted, 0.05);
    EXPECT_EQ(result_of(scenario, Baseline::random).moves_per_job, 0);
}

TEST(Baselines, SplitTheMachineByTheWorkOfEachKind) {
    auto scenario = scenario_on({.cores_per_l3 = 4}, 100s);
    scenario.kinds = {{.name = "a"}, {.name = "b"}};
    scenario.jobs = {{0s, 3s, 3, 0}, {0s, 3s, 1, 1}, {0s, 3s, 1, 1}};
    scenario.ideal = processor_sharing(scenario.jobs, 4);
    const auto result = result_of(scenario, Baseline::split);
    EXPECT_DOUBLE_EQ(result.by_kind[0].mean, 1.5) << "two CPUs for three threads";
    EXPECT_DOUBLE_EQ(result.by_kind[1].mean, 1);
    EXPECT_EQ(result.all.ended, 3U);
}

TEST(ARun, IsTheSameForTheSameScenario) {
    const auto scenario =
        busy({.nodes = 2, .l3_per_node = 2, .cores_per_l3 = 4, .threads_per_core = 2}, 80, 60s);
    for (const auto baseline : all_baselines()) {
        const auto one = result_of(scenario, baseline);
        const auto same = result_of(scenario, baseline);
        EXPECT_EQ(one.all.mean, same.all.mean) << name_of(baseline);
        EXPECT_EQ(one.events, same.events) << name_of(baseline);
        EXPECT_EQ(one.makespan, same.makespan) << name_of(baseline);
    }
}

TEST(ARun, CostsAsManyStepsAsThreadsAreLookedAt) {
    auto scenario = scenario_on({}, 10s);
    scenario.kinds = {{.name = "a"}};
    scenario.jobs = {{0s, 1s, 2, 0}};
    scenario.ideal = {2s};
    // one CPU: alone at the beginning, two threads end beside it
    EXPECT_DOUBLE_EQ(steps_of(scenario, {}), 1 + 2 * 3);
    EXPECT_DOUBLE_EQ(steps_of(scenario, {.balance_period = 100ms}), 1 + 2 * 3 + 20 * 3) << "and each round";
    scenario.ideal = {3600s};
    EXPECT_DOUBLE_EQ(steps_of(scenario, {.balance_period = 1s}), 1 + 20 * 3) << "a run ends some time";
    const auto few = busy({.cores_per_l3 = 8}, 80, 60s);
    auto many = few;
    many.jobs = busy({.cores_per_l3 = 8}, 300, 60s).jobs;
    many.ideal = processor_sharing(many.jobs, 8);
    EXPECT_GT(steps_of(many, {}), 10 * steps_of(few, {})) << "who waits is looked at too";
}

TEST(ARun, CountsJobsThatDoNotEndWithTheirAge) {
    auto scenario = scenario_on({}, 10s);
    scenario.kinds = {{.name = "a"}};
    scenario.jobs = {{0s, 100s, 1, 0}, {0s, 6s, 4, 0}};
    scenario.ideal = {124s, 30s};
    const auto result = result_of(scenario, Baseline::pull);
    EXPECT_EQ(result.all.ended, 0U);
    EXPECT_DOUBLE_EQ(result.all.mean, (1 + 20.0 / 6) / 2)
        << "20 s old, of 6 s of work; of 100 s of work nothing is known but that it takes them";
    EXPECT_DOUBLE_EQ(result.all.over_ideal, 1) << "nor would they have ended then";
    EXPECT_DOUBLE_EQ(result.utilisation, 1);
}

} // namespace
} // namespace schedd::sim
