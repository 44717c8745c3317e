// power_profile on a simulated hybrid machine: how long cores are awake under power-saver, and what that
// costs work that is sensitive to latency.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>
#include <stdexcept>

#include "components/placement/engine.h"
#include "components/probes/probes.h"
#include "components/sim/actuator.h"
#include "policies/policies.h"
#include "tests/kit/shapes.h"
#include "tests/kit/world.h"

namespace schedd::sim {
namespace {

using namespace std::chrono_literals;

/// A core that runs anything within this time counts as awake for all of it: about what a deep idle state
/// needs to pay.
constexpr Duration kWindow = 10ms;

constexpr const char* kStack = "create probes/power\n"
                               "create schedulers/POWER\n"
                               "create schedulers/POWER/power_profile\n"
                               "link probes/power/profile schedulers/POWER/power_profile/profile\n";

struct Outcome {
    double awake_s = 0; // core-seconds awake
    double used_s = 0;  // CPU-seconds used, slow cores for longer
    double work = 0;    // bursts of batch work done
    double p99_ms = 0;  // response time of bursts of latency work
    double rho = 0;     // of the machine's capacity
    std::set<int> batch_on;
};

/// 8 fast cores of two threads and 16 slow ones at 60 % of their speed; a fifth of that is wanted: batch work
/// in bursts of some milliseconds, and work that wants a CPU at once for one.
class HybridMachine {
public:
    explicit HybridMachine(const std::string& profile)
        : world({&probes::kPower, &policies::kPowerProfile}), topology(test::shape_hybrid_8p_16e()),
          cpus(topology, KernelModel{.balance_period = 4ms}, Costs{.smt_percent = 65, .slow_percent = 60}),
          actuator(cpus) {
        std::vector<std::string> complaints;
        ledger = std::make_unique<placement::Ledger>(store, "boot", "", complaints);
        engine = std::make_unique<placement::Engine>(world.tree, topology, actuator, *ledger);
        apply(kStack);
        world.power.profile = profile;
        kit::Rng rng{7};
        for (int i = 0; i < 56; ++i)
            start({.burst = 2ms + i % 5 * 500us, .pause = 37ms + static_cast<int>(rng.below(9)) * 1ms},
                  "batch");
        for (int i = 0; i < 10; ++i)
            start({.burst = 1ms, .pause = 47ms + static_cast<int>(rng.below(7)) * 1ms}, "latency");
    }
    Outcome live(Duration time) {
        run(5s, nullptr);
        Outcome outcome;
        run(time, &outcome);
        std::ranges::sort(responses);
        if (!responses.empty())
            outcome.p99_ms = static_cast<double>(responses[responses.size() * 99 / 100].count()) / 1e6;
        outcome.rho = demand_ / (8 * 2 * 0.65 + 16 * 0.6);
        return outcome;
    }

private:
    void apply(const std::string& lines) {
        const auto done = world.apply(lines);
        if (!done) throw std::runtime_error(done.error().text());
    }
    void start(const Habit& habit, const std::string& work_class) {
        const Pid pid = next_pid_++;
        cpus.start(pid, cpus.all(), habit);
        world.start({.pid = pid});
        apply(fmt::format("create schedulers/POWER/process_set/process:{0}\n"
                          "write schedulers/POWER/process_set/process:{0}.class {1}\n",
                          pid, work_class));
        (work_class == "batch" ? batch : latency).push_back(pid);
        demand_ += static_cast<double>(habit.burst.count()) /
                   static_cast<double>((habit.burst + habit.pause).count());
    }
    void run(Duration time, Outcome* outcome) {
        const auto wall = [&](Pid pid) { return cpus.find(pid)->run + cpus.find(pid)->wait; };
        std::map<Pid, std::pair<Duration, Duration>> pending; // when the burst began, by what had passed then
        for (Duration passed{}; passed < time; passed += kWindow) {
            const auto before = cpus.times();
            std::map<Pid, Duration> spent;
            for (const Pid pid : latency) spent[pid] = wall(pid);
            cpus.advance(world.clock.now(), kWindow);
            world.clock.advance(kWindow);
            if (outcome) measure(before, *outcome);
            if (outcome)
                for (const Pid pid : latency) {
                    // a burst ends when nothing was added in a window
                    auto& begun = bursts_[pid];
                    const auto added = wall(pid) - spent[pid];
                    begun += added;
                    if (added > 0ns) continue;
                    if (begun > 0ns) responses.push_back(begun);
                    begun = {};
                }
            if (passed % 100ms == 0ns) engine->tick(world.clock.now());
        }
    }
    void measure(const std::vector<SimCpus::CpuTimes>& before, Outcome& outcome) {
        std::set<int> awake;
        for (const auto& cpu : topology.cpus) {
            const auto id = static_cast<std::size_t>(cpu.id);
            const auto ran = cpus.times()[id].run - before[id].run;
            outcome.used_s += static_cast<double>(ran.count()) / 1e9;
            if (ran > 0ns) awake.insert(cpu.core);
        }
        outcome.awake_s += static_cast<double>(awake.size()) * static_cast<double>(kWindow.count()) / 1e9;
        for (const Pid pid : batch)
            for (const auto& thread : cpus.find(pid)->threads) outcome.batch_on.insert(thread.cpu);
    }

public:
    test::World world;
    Topology topology;
    SimCpus cpus;
    SimActuator actuator;
    MemoryStore store;
    std::unique_ptr<placement::Ledger> ledger;
    std::unique_ptr<placement::Engine> engine;
    std::vector<Pid> batch;
    std::vector<Pid> latency;
    std::vector<Duration> responses;

private:
    std::map<Pid, Duration> bursts_;
    double demand_ = 0;
    Pid next_pid_ = 1000;
};

TEST(PowerSaver, LetsCoresSleepAndLatencyWorkIsAsFastAsBefore) {
    HybridMachine balanced("balanced");
    const auto spread = balanced.live(60s);
    HybridMachine saver("power-saver");
    const auto packed = saver.live(60s);
    std::cout << fmt::format("rho {:.3f}: core-seconds awake {:.1f} -> {:.1f}, p99 {:.3f} -> {:.3f} ms\n",
                             spread.rho, spread.awake_s, packed.awake_s, spread.p99_ms, packed.p99_ms);
    RecordProperty("rho", fmt::format("{:.3f}", spread.rho));
    RecordProperty("awake_balanced_core_s", fmt::format("{:.1f}", spread.awake_s));
    RecordProperty("awake_power_saver_core_s", fmt::format("{:.1f}", packed.awake_s));
    RecordProperty("p99_balanced_ms", fmt::format("{:.3f}", spread.p99_ms));
    RecordProperty("p99_power_saver_ms", fmt::format("{:.3f}", packed.p99_ms));
    EXPECT_NEAR(spread.rho, 0.2, 0.02);
    EXPECT_LE(packed.awake_s, 0.7 * spread.awake_s) << spread.awake_s << " -> " << packed.awake_s;
    EXPECT_LE(packed.p99_ms, 1.2 * spread.p99_ms) << spread.p99_ms << " -> " << packed.p99_ms;
    EXPECT_LE(packed.batch_on.size(), 6U);
    for (const int cpu : packed.batch_on) EXPECT_GE(cpu, 16) << "a slow one";
}

TEST(PowerSaver, DoesTheSameWork) {
    HybridMachine saver("power-saver");
    const auto before = saver.live(10s);
    EXPECT_GT(before.used_s, 0);
    std::map<Pid, Duration> waited;
    for (const auto& [pid, task] : saver.cpus.tasks()) waited[pid] = task.wait;
    saver.live(20s);
    for (const Pid pid : saver.batch) EXPECT_LT(saver.cpus.find(pid)->wait - waited[pid], 15s) << pid;
    EXPECT_TRUE(saver.actuator.nonsense().empty());
}

TEST(PerformanceAfterPowerSaver, SpreadsAgain) {
    HybridMachine machine("power-saver");
    machine.live(5s);
    EXPECT_EQ(machine.cpus.find(machine.batch.front())->mask.text(), "16-21");
    machine.world.power.profile = "performance";
    machine.live(5s);
    EXPECT_EQ(machine.cpus.find(machine.batch.front())->mask, machine.cpus.all());
}

} // namespace
} // namespace schedd::sim
