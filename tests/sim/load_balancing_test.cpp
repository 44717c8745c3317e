// load_balancing as a whole scheduler on simulated CPUs: worked examples, then seeded lives of whole
// machines.
#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

#include "tests/sim/world.h"

namespace schedd::sim {
namespace {

using namespace std::chrono_literals;

std::string lines(const std::vector<std::string>& complaints) {
    std::string text;
    for (const auto& complaint : complaints) text += complaint + "\n";
    return text;
}

Duration total_run(const SimWorld& w) {
    Duration sum{};
    for (const auto& [pid, task] : w.cpus.tasks()) sum += task.run;
    return sum;
}

TEST(AWholeScheduler, DoublesTheThroughputOfSpinnersStuckOnOneCpu) {
    SimWorld w({.cores_per_l3 = 2}, "core");
    for (int i = 0; i < 4; ++i) w.start({}, CpuSet::of(0));
    w.run(10s);
    EXPECT_EQ(total_run(w), 10s) << "nobody is a member yet";
    w.apply("write schedulers/LB/process_set.handle_all true");
    w.run(10s);
    const auto before = total_run(w);
    w.run(10s);
    EXPECT_EQ(total_run(w) - before, 20s);
    EXPECT_EQ(w.world.read("schedulers/LB/load_balancing.moves"), "2");
    const auto steps = w.engine->steps();
    w.run(60s);
    EXPECT_EQ(w.engine->steps(), steps) << "a steady state writes nothing";
    w.apply("remove -r schedulers/LB");
    w.engine->settle(w.world.clock.now());
    w.check_restored();
    EXPECT_EQ(lines(w.watch.complaints()), "");
    for (const auto& [pid, task] : w.cpus.tasks()) EXPECT_EQ(task.mask.text(), "0") << pid;
}

TEST(AWholeScheduler, HoldsBackWhileAThresholdFilterDropsTheUpdates) {
    SimWorld w({.cores_per_l3 = 2}, "core", "cpu/node_load | threshold(threshold=3500)");
    for (int i = 0; i < 3; ++i) w.start({}, CpuSet::of(0));
    w.apply("write schedulers/LB/process_set.handle_all true");
    w.run(20s);
    EXPECT_EQ(w.world.read("schedulers/LB/load_balancing.moves"), "0") << "3000 is below the bound";
    w.start({}, CpuSet::of(0));
    w.run(20s);
    EXPECT_EQ(w.world.read("schedulers/LB/load_balancing.moves"), "2");
    EXPECT_EQ(lines(w.watch.complaints()), "");
}

TEST(AWholeScheduler, MovesAControlGroupAsOne) {
    SimWorld w({.l3_per_node = 2, .cores_per_l3 = 2}, "l3");
    for (int i = 0; i < 2; ++i) w.start({}, {}, "/batch");
    const auto single = w.start({});
    w.apply("create schedulers/LB/process_set/cgroup:%2Fbatch\n"
            "create schedulers/LB/process_set/process:" +
            std::to_string(single));
    w.run(10s);
    EXPECT_EQ(w.cpus.group_mask("/batch").text(), "0-1") << "two tasks are the largest";
    EXPECT_EQ(w.cpus.find(single)->mask.text(), "2-3");
    w.apply("remove schedulers/LB/process_set/cgroup:%2Fbatch");
    w.engine->settle(w.world.clock.now());
    EXPECT_EQ(w.cpus.group_mask("/batch").text(), "0-3");
    EXPECT_EQ(w.cpus.find(single)->mask.text(), "2-3");
    EXPECT_EQ(lines(w.watch.complaints()), "");
}

/// A whole life: a machine and its load are made from the seed; they change for three minutes, then stand
/// still.
class Life {
public:
    explicit Life(std::uint64_t seed, bool has_levels = false) : rng_(seed), has_levels_(has_levels) {}

    std::string run() {
        static constexpr const char* kLevels[] = {"auto", "core", "l3", "numa", "package"};
        static constexpr const char* kLists[] = {"numa,l3", "numa,core", "l3,core", "numa,l3,core",
                                                 "package,core"};
        const test::Shape shape{.nodes = upto(2),
                                .l3_per_node = upto(2),
                                .cores_per_l3 = upto(has_levels_ ? 8 : 4),
                                .threads_per_core = upto(2)};
        const Promises promises{.settle = 500ms * upto(10), .move_budget = rng_.below(9)};
        SimWorld w(shape, (has_levels_ ? kLists : kLevels)[rng_.below(5)],
                   chance(50) ? "cpu/node_load" : "cpu/node_load | threshold(threshold=300)", promises);
        if (has_levels_ && chance(50)) w.apply("write schedulers/LB/load_balancing.by_class true");
        w.start({}, {}, "/batch");
        w.apply(chance(has_levels_ ? 30 : 60) ? "write schedulers/LB/process_set.handle_all true"
                                              : "create schedulers/LB/process_set/cgroup:%2Fbatch\n"
                                                "create schedulers/LB/process_set/exec:%2Fusr%2Fbin%2Fwork");
        if (has_levels_ && w.world.read("schedulers/LB/process_set.handle_all") == "false")
            w.apply(fmt::format("write schedulers/LB/process_set/cgroup:%2Fbatch.class {}\n"
                                "write schedulers/LB/process_set/exec:%2Fusr%2Fbin%2Fwork.class {}",
                                chance(50) ? "batch" : "normal", chance(50) ? "latency" : "batch"));
        for (int i = upto(20); i > 0; --i) arrive(w);
        for (int i = 0; i < 1800; ++i) {
            if (chance(4)) something_happens(w);
            w.run(100ms);
        }
        w.set_online(w.whole.online);
        for (auto& [pid, task] : w.cpus.tasks()) {
            task.is_blocked = chance(20);
            task.habit.burst = {};
            for (auto& thread : task.threads) thread.wakes_at = {};
        }
        w.run(150s); // a budget is whole again after one minute of it
        if (promises.move_budget > 0) w.check_settled();
        const auto moves = w.watch.moves();
        w.run(10s);
        if (w.watch.moves() != moves && promises.move_budget > 0)
            w.watch.broken("moves go on under a constant load");
        w.apply("remove -r schedulers/LB");
        w.engine->settle(w.world.clock.now());
        w.check_restored();
        complaints_ = lines(w.watch.complaints());
        moves_ = w.watch.moves();
        return w.watch.journal();
    }
    [[nodiscard]] const std::string& complaints() const { return complaints_; }
    [[nodiscard]] std::size_t moves() const { return moves_; }

private:
    int upto(std::uint64_t most) { return 1 + static_cast<int>(rng_.below(most)); }
    bool chance(std::uint64_t percent) { return rng_.below(100) < percent; }

    void arrive(SimWorld& w) {
        Habit habit{.threads = chance(15) ? upto(3) : 1};
        if (chance(50)) habit.burst = 10ms * upto(30), habit.pause = 10ms * upto(60);
        CpuSet mask;
        if (chance(40)) {
            const int cpu = static_cast<int>(rng_.below(static_cast<std::uint64_t>(w.cpus.all().count())));
            if (w.cpus.online().contains(cpu)) mask = CpuSet::of(cpu);
        }
        w.start(habit, mask, chance(20) ? "/batch" : "/");
    }
    Pid any(const SimWorld& w) {
        const auto& tasks = w.cpus.tasks();
        return std::next(tasks.begin(), static_cast<std::ptrdiff_t>(rng_.below(tasks.size())))->first;
    }
    void something_happens(SimWorld& w) {
        const auto count = w.cpus.tasks().size();
        switch (rng_.below(8)) {
        case 0:
        case 1:
            if (count < 40) arrive(w);
            return;
        case 2:
            if (count < 40 && count > 0) w.fork(any(w));
            return;
        case 3:
        case 4:
            if (count > 1) w.end(any(w), chance(30));
            return;
        case 5:
            if (count > 0) w.cpus.find(any(w))->is_blocked ^= true;
            return;
        case 6: {
            const auto cpu = static_cast<int>(rng_.below(static_cast<std::uint64_t>(w.cpus.all().count())));
            auto online = w.cpus.online();
            if (online.contains(cpu) && online.count() > 1) online.remove(cpu);
            else online.add(cpu);
            if (online != w.cpus.online()) w.set_online(online);
            return;
        }
        default:
            if (count > 0) {
                auto& habit = w.cpus.find(any(w))->habit;
                habit.burst = chance(50) ? Duration{} : 10ms * upto(30);
                habit.pause = 10ms * upto(60);
            }
        }
    }

    kit::Rng rng_;
    bool has_levels_;
    std::string complaints_;
    std::size_t moves_ = 0;
};

TEST(AnyLife, KeepsAllPromisesForTheFixedSeeds) {
    std::size_t moves = 0;
    for (std::uint64_t seed = 1; seed <= 16; ++seed) {
        Life life(seed);
        const auto journal = life.run();
        moves += life.moves();
        ASSERT_EQ(life.complaints(), "")
            << "repeat with SCHEDD_SEED=" << seed << "; the end of its journal:\n"
            << journal.substr(journal.size() - std::min<std::size_t>(journal.size(), 3000));
    }
    EXPECT_GT(moves, 100U) << "otherwise nothing was tried";
}

TEST(AnyLife, KeepsAllPromisesForAFreshSeed) {
    const char* given = std::getenv("SCHEDD_SEED");
    const std::uint64_t seed = given ? std::strtoull(given, nullptr, 0) : std::random_device{}();
    Life life(seed);
    const auto journal = life.run();
    EXPECT_EQ(life.complaints(), "") << "repeat with SCHEDD_SEED=" << seed << "; its journal:\n" << journal;
}

TEST(ALifeOnSeveralLevels, KeepsAllPromisesForTheFixedSeeds) {
    std::size_t moves = 0;
    std::string all;
    for (std::uint64_t seed = 101; seed <= 124; ++seed) {
        Life life(seed, true);
        const auto journal = life.run();
        moves += life.moves();
        all += journal;
        ASSERT_EQ(life.complaints(), "")
            << "repeat with SCHEDD_SEED=" << seed << "; the end of its journal:\n"
            << journal.substr(journal.size() - std::min<std::size_t>(journal.size(), 3000));
    }
    EXPECT_GT(moves, 100U) << "otherwise nothing was tried";
    for (const char* step : {"widened to ", " has room again ", "placed on all of ",
                             " which batch work fills ", " batch work from ", " without latency work"})
        EXPECT_NE(all.find(step), std::string::npos) << "nothing was '" << step << "'";
}

TEST(ALifeOnSeveralLevels, KeepsAllPromisesForAFreshSeed) {
    const char* given = std::getenv("SCHEDD_SEED");
    const std::uint64_t seed = given ? std::strtoull(given, nullptr, 0) : std::random_device{}();
    Life life(seed, true);
    const auto journal = life.run();
    EXPECT_EQ(life.complaints(), "") << "repeat with SCHEDD_SEED=" << seed << "; its journal:\n" << journal;
}

TEST(AnyLife, IsTheSameForTheSameSeed) {
    for (const std::uint64_t seed : {17U}) {
        EXPECT_EQ(Life(seed).run(), Life(seed).run()) << seed;
        EXPECT_EQ(Life(seed, true).run(), Life(seed, true).run()) << seed;
    }
}

} // namespace
} // namespace schedd::sim
