// nest as a whole scheduler on simulated CPUs: few cores under a small load without much waiting, all of them
// under a large one without loss, and seeded lives in which it is never in the way.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "tests/sim/world.h"

namespace schedd::sim {
namespace {

using namespace std::chrono_literals;

constexpr AttributeSpec kProbeAttributes[] = {probe_period()};
constexpr SourceSpec kProbeSources[] = {
    {.name = "node_load", .type = types::kLoad, .doc = "Runnable threads of all tasks."},
    {.name = "process_load", .type = types::kLoadByPid, .doc = "Runnable threads of a task."},
    {.name = "process_wait", .type = types::kWaitByPid, .doc = "What of it waits for a CPU."},
};

/// Measures run and wait times of the simulated tasks over its period.
class TimesProbe final : public Probe {
public:
    TimesProbe(const Descriptor& type, std::string name, const Environment& environment)
        : Probe(type, std::move(name), environment) {
        adopt(std::make_unique<PlainSource>(kProbeSources[0]));
        adopt(by_pid(kProbeSources[1], &Row::load));
        adopt(by_pid(kProbeSources[2], &Row::waiting));
    }
    void attach(const SimCpus& cpus) { cpus_ = &cpus; }
    void measure(Time now) override {
        if (!cpus_) return;
        std::int64_t total = 0;
        std::erase_if(rows_, [&](const auto& row) { return !cpus_->tasks().contains(row.first); });
        for (const auto& [pid, task] : cpus_->tasks()) {
            const auto [at, is_new] = rows_.try_emplace(pid);
            Row& row = at->second;
            if (!is_new && now > measured_at_) {
                const Duration passed = now - measured_at_;
                row.load = (task.run + task.wait - row.run - row.wait) * 1000 / passed;
                row.waiting = (task.wait - row.wait) * 1000 / passed;
                total += *row.load;
            }
            row.run = task.run;
            row.wait = task.wait;
        }
        measured_at_ = now;
        auto& node_load = static_cast<PlainSource&>(*children()[0]);
        node_load.set({.value = total, .time = now, .fresh_for = fresh_for()});
    }

private:
    struct Row {
        Duration run{};
        Duration wait{};
        std::optional<std::int64_t> load;
        std::optional<std::int64_t> waiting;
    };
    std::unique_ptr<LookupSource> by_pid(const SourceSpec& spec, std::optional<std::int64_t> Row::* field) {
        return std::make_unique<LookupSource>(
            spec,
            [this, field](const Parameter& parameter) -> std::optional<Sample> {
                const auto* pid = std::get_if<std::int64_t>(&parameter);
                const auto at = pid ? rows_.find(static_cast<Pid>(*pid)) : rows_.end();
                if (at == rows_.end() || !(at->second.*field)) return std::nullopt;
                return Sample{.value = *(at->second.*field), .time = measured_at_, .fresh_for = fresh_for()};
            },
            [](const Output::Visit&) {});
    }
    const SimCpus* cpus_ = nullptr;
    std::map<Pid, Row> rows_;
    Time measured_at_{};
};

const Descriptor kTimesProbe{.name = "times_probe",
                             .kind = Kind::probe,
                             .doc = "Measures simulated tasks.",
                             .make = make_part<TimesProbe>,
                             .attributes = kProbeAttributes,
                             .sources = kProbeSources};

constexpr const char* kNest = "create schedulers/N\n"
                              "create schedulers/N/nest\n"
                              "link probes/times_probe/node_load schedulers/N/nest/node_load\n"
                              "link probes/times_probe/process_load schedulers/N/nest/process_load\n"
                              "link probes/times_probe/process_wait schedulers/N/nest/wait\n"
                              "write schedulers/N/process_set.handle_all true\n";

/// What a task has run and waited for.
struct Times {
    Duration run{};
    Duration wait{};
};

/// Simulated CPUs with a nest for all tasks, or, to compare with, without.
class NestWorld {
public:
    explicit NestWorld(const test::Shape& shape, bool has_nest = true)
        : world({&kTimesProbe, &policies::kNest}), whole(test::machine(shape)), topology(whole),
          cpus(whole.online), actuator(cpus) {
        std::vector<std::string> complaints;
        ledger = std::make_unique<placement::Ledger>(store, "boot", "", complaints);
        engine = std::make_unique<placement::Engine>(world.tree, topology, actuator, *ledger);
        apply("create probes/times_probe\n");
        world.at<TimesProbe>("probes/times_probe").attach(cpus);
        if (has_nest) apply(kNest);
    }
    void apply(const std::string& lines) {
        const auto done = world.apply(lines);
        if (!done) throw std::runtime_error(done.error().text());
    }
    Pid start(const Habit& habit) {
        const Pid pid = next_pid_++;
        cpus.start(pid, cpus.all(), habit);
        world.start({.pid = pid, .threads = habit.threads});
        return pid;
    }
    void end(Pid pid) {
        cpus.end(pid);
        world.end(pid);
    }
    void set_online(const CpuSet& online) {
        test::set_online(topology, whole, online);
        cpus.set_online(topology.online);
        engine->topology_changed();
        engine->tick(world.clock.now());
    }
    /// Time passes in ticks of 100 ms; what runs must have a CPU, and what it is said to be on is true.
    void run(Duration time) {
        for (Duration passed{}; passed < time; passed += 100ms) {
            for (int i = 0; i < 5; ++i) {
                cpus.advance(world.clock.now(), 20ms);
                world.clock.advance(20ms);
                for (const auto& [pid, task] : cpus.tasks())
                    for (const auto& thread : task.threads) used.insert(thread.cpu);
            }
            engine->tick(world.clock.now());
            for (const auto& [pid, task] : cpus.tasks())
                EXPECT_TRUE(cpus.effective(task).intersects(cpus.online())) << pid;
            EXPECT_TRUE(actuator.nonsense().empty()) << actuator.nonsense().front();
            EXPECT_EQ(get("schedulers/N.ejected").starts_with("error") ? "" : get("schedulers/N.ejected"),
                      "");
        }
    }
    /// What each task runs and waits in this time.
    std::map<Pid, Times> spent_in(Duration time) {
        std::map<Pid, Times> before;
        for (const auto& [pid, task] : cpus.tasks()) before[pid] = {task.run, task.wait};
        used.clear();
        run(time);
        std::map<Pid, Times> spent;
        for (const auto& [pid, task] : cpus.tasks())
            spent[pid] = {task.run - before[pid].run, task.wait - before[pid].wait};
        return spent;
    }
    [[nodiscard]] std::string get(const std::string& place) const { return world.read(place); }
    [[nodiscard]] Duration total_run() const {
        Duration sum{};
        for (const auto& [pid, task] : cpus.tasks()) sum += task.run;
        return sum;
    }

    test::World world;
    Topology whole;
    Topology topology;
    SimCpus cpus;
    SimActuator actuator;
    MemoryStore store;
    std::unique_ptr<placement::Ledger> ledger;
    std::unique_ptr<placement::Engine> engine;
    std::set<int> used; // CPUs that threads were put on

private:
    Pid next_pid_ = 1000;
};

Duration sum_of(const std::map<Pid, Times>& spent) {
    Duration sum{};
    for (const auto& [pid, times] : spent) sum += times.run;
    return sum;
}

constexpr test::Shape kSixteen{.l3_per_node = 2, .cores_per_l3 = 8};

/// Eight tasks that want little, but often at once.
void fill_a_little(NestWorld& w) {
    for (int i = 0; i < 8; ++i) w.start({.burst = 40ms, .pause = 560ms + i * 20ms});
}

/// The largest share of the time that it wanted a CPU for which a task waited, in percent.
std::int64_t worst_wait(const std::map<Pid, Times>& spent) {
    std::int64_t worst = 0;
    for (const auto& [pid, times] : spent)
        worst = std::max(worst, times.wait * 100 / std::max(times.run + times.wait, Duration{1}));
    return worst;
}

TEST(ASmallLoad, IsPackedOnFewCoresAndNobodyWaitsBeyondTheBound) {
    NestWorld packed(kSixteen);
    fill_a_little(packed);
    packed.run(300s);
    const auto steps = packed.engine->steps();
    const auto spent = packed.spent_in(60s);
    EXPECT_LE(packed.used.size(), 4U) << "of sixteen";
    EXPECT_LE(worst_wait(spent), 10);
    EXPECT_LE(packed.engine->steps() - steps, 8U * 2U) << "two changes of size in a minute at the most";
    NestWorld spread(kSixteen, false);
    fill_a_little(spread);
    spread.run(300s);
    EXPECT_GE(sum_of(spent), sum_of(spread.spent_in(60s)) * 95 / 100);
    EXPECT_GT(spread.used.size(), 4U);
}

TEST(ASmallLoad, WouldWaitBeyondTheBoundOnFewerCores) {
    NestWorld w(kSixteen, false);
    fill_a_little(w);
    for (auto& [pid, task] : w.cpus.tasks()) task.mask = CpuSet::of(0);
    w.run(300s);
    EXPECT_GT(worst_wait(w.spent_in(60s)), 10) << "else the test above shows nothing";
}

TEST(ALargeLoad, IsSpreadAndLosesNoThroughput) {
    NestWorld w(kSixteen);
    w.start({.burst = 20ms, .pause = 180ms});
    w.run(60s);
    ASSERT_EQ(w.get("schedulers/N/nest.nest_cpus"), "0");
    for (int i = 0; i < 24; ++i) w.start({});
    const auto before = w.total_run();
    w.run(4s);
    EXPECT_GE(w.total_run() - before, 16 * 4s * 90 / 100) << "newcomers are not pressed into the small nest";
    EXPECT_EQ(w.get("schedulers/N/nest.state"), "spread");
    EXPECT_EQ(w.engine->held(), 0U);
    EXPECT_EQ(sum_of(w.spent_in(30s)), 16 * 30s) << "as without: every CPU, all the time";
    const auto steps = w.engine->steps();
    w.run(60s);
    EXPECT_EQ(w.engine->steps(), steps);
}

TEST(AMiddlingLoad, OfSpinnersLosesNothingInANestOfItsSize) {
    NestWorld w(kSixteen);
    for (int i = 0; i < 5; ++i) w.start({});
    w.run(40s);
    EXPECT_EQ(w.get("schedulers/N/nest.nest_cpus"), "0-6") << "6.25 of 5";
    EXPECT_EQ(sum_of(w.spent_in(30s)), 5 * 30s);
    EXPECT_LE(w.used.size(), 7U);
}

TEST(ALoadThatGrowsAndFalls, IsFollowed) {
    NestWorld w(kSixteen);
    std::vector<Pid> spinners;
    for (int i = 0; i < 2; ++i) spinners.push_back(w.start({}));
    w.run(40s);
    ASSERT_EQ(w.get("schedulers/N/nest.nest_cpus"), "0-2");
    for (int i = 0; i < 6; ++i) spinners.push_back(w.start({}));
    w.run(4s);
    EXPECT_EQ(w.get("schedulers/N/nest.nest_cpus"), "0-9");
    EXPECT_EQ(sum_of(w.spent_in(10s)), 8 * 10s);
    for (int i = 0; i < 7; ++i) w.end(spinners[static_cast<std::size_t>(i)]);
    w.run(60s);
    EXPECT_EQ(w.get("schedulers/N/nest.nest_cpus"), "0-1");
    w.set_online(CpuSet::range(8, 15));
    w.run(2s);
    EXPECT_EQ(w.get("schedulers/N/nest.nest_cpus"), "8-9");
    w.apply("remove -r schedulers/N");
    w.engine->settle(w.world.clock.now());
    EXPECT_EQ(w.engine->held(), 0U);
    for (const auto& [pid, task] : w.cpus.tasks()) EXPECT_EQ(task.mask, w.cpus.all()) << pid;
}

/// Tasks come and go and CPUs too; at any time most of what could be run is run. Returns all the sizes.
std::string live(std::uint64_t seed) {
    kit::Rng rng(seed);
    const auto upto = [&](std::uint64_t most) { return 1 + static_cast<int>(rng.below(most)); };
    NestWorld w({.nodes = upto(2), .l3_per_node = upto(2), .cores_per_l3 = upto(4)});
    std::string sizes;
    for (int i = 0; i < 40; ++i) {
        const bool is_spinner = rng.below(3) == 0;
        if (w.cpus.tasks().size() < 12 && rng.below(2) == 0)
            w.start(is_spinner ? Habit{.threads = upto(3)}
                               : Habit{.burst = 20ms * upto(5), .pause = 20ms * upto(30)});
        if (!w.cpus.tasks().empty() && rng.below(3) == 0) {
            const auto at = std::next(w.cpus.tasks().begin(),
                                      static_cast<std::ptrdiff_t>(rng.below(w.cpus.tasks().size())));
            w.end(at->first);
        }
        if (rng.below(8) == 0) {
            CpuSet online;
            for (int cpu = 0; cpu < w.whole.online.count(); ++cpu)
                if (rng.below(3) != 0) online.add(cpu);
            w.set_online(online.empty() ? w.whole.online : online);
        }
        w.run(5s); // impatience, a period of the probe, and what it takes to act
        std::int64_t runnable = 0;
        for (const auto& [pid, task] : w.cpus.tasks())
            if (task.habit.burst == Duration{}) runnable += task.habit.threads;
        const auto spinning = std::min<std::int64_t>(runnable, w.cpus.online().count());
        EXPECT_GE(sum_of(w.spent_in(5s)), spinning * 5s * 90 / 100) << "seed " << seed << " step " << i;
        sizes += w.get("schedulers/N/nest.nest_cpus") + "\n";
    }
    w.apply("remove -r schedulers/N");
    w.engine->settle(w.world.clock.now());
    EXPECT_EQ(w.engine->held(), 0U);
    for (const auto& [pid, task] : w.cpus.tasks()) EXPECT_EQ(task.mask, task.natural) << "seed " << seed;
    return sizes;
}

TEST(ANestedLife, NeverKeepsSpinnersFromIdleCpus) {
    std::set<std::string> lives;
    for (std::uint64_t seed = 1; seed <= 12 && !testing::Test::HasFailure(); ++seed) lives.insert(live(seed));
    EXPECT_EQ(lives.size(), 12U);
}

TEST(ANestedLife, IsTheSameForTheSameSeed) { EXPECT_EQ(live(5), live(5)); }

} // namespace
} // namespace schedd::sim
