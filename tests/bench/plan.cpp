// plan: exclusive_cores for 10,000 units of all classes on 1,024 cores, against hwloc_distrib as the floor,
// and what it takes when one thing changes.
#include <functional>

#include <fmt/format.h>
#include <hwloc.h>

#include "components/placement/planner.h"
#include "policies/policies.h"
#include "tests/bench/bench.h"
#include "tests/bench/distribute.h"
#include "tests/bench/interrupt.h"
#include "tests/kit/machine.h"
#include "tests/kit/world.h"

namespace schedd::bench {

namespace {

using namespace schedd::test;

constexpr unsigned kUnits = 10000;
constexpr unsigned kOneIn = 20; // asks for CPUs of its own: 500 of them, for 875 CPUs together
constexpr const char* kMachine = "numa:8 l3:8 core:16 pu:1";
constexpr double kOneChangeUs = 50;

Demand demand_of(unsigned unit) {
    constexpr std::array kClasses{WorkClass::latency, WorkClass::normal, WorkClass::batch, WorkClass::batch};
    constexpr std::array kOwn{1, 1, 2, 3};
    const bool is_exclusive = unit % kOneIn == 0;
    const int cpus = is_exclusive ? kOwn[unit / kOneIn % 4] : static_cast<int>(unit % 9);
    return {.work_class = kClasses[unit / 3 % 4], .cpus = cpus, .exclusive = is_exclusive};
}

/// The policy with its members and the machine it decides for.
struct Table {
    World world{{&policies::kExclusiveCores}};
    Topology whole = machine({.nodes = 8, .l3_per_node = 8, .cores_per_l3 = 16});
    Topology topology = whole;
    std::vector<Subject> subjects;
    std::vector<Decision> decisions;

    Status build() {
        for (unsigned unit = 0; unit < kUnits; ++unit) {
            const auto name = fmt::format("bench-{:05}.service", unit);
            subjects.push_back({.target = Target::unit(name),
                                .member = "unit:" + name,
                                .pids = {static_cast<Pid>(1000 + unit)},
                                .current = topology.usable(),
                                .demand = demand_of(unit),
                                .group = "/system.slice/" + name});
        }
        return world.apply("create schedulers/X\ncreate schedulers/X/exclusive_cores\n");
    }
    /// The policy decides, the machine obeys. CPU time of the decision in ns.
    double round() {
        auto& policy = world.at<Policy>("schedulers/X/exclusive_cores");
        const auto before = thread_cpu_ns();
        auto all = policy.decide({world.clock.now(), topology, subjects});
        const auto used = thread_cpu_ns() - before;
        decisions = std::move(all);
        for (std::size_t i = 0; i < decisions.size() && i < subjects.size(); ++i)
            subjects[i].current = decisions[i].cpus;
        return static_cast<double>(used);
    }
    /// What came out is what was asked for: whole cores for those who ask, which nobody else may use.
    [[nodiscard]] Status check() const {
        if (decisions.size() != subjects.size())
            return fail(Errc::not_applied,
                        fmt::format("{} decisions for {} units", decisions.size(), subjects.size()));
        CpuSet own;
        CpuSet shared;
        for (std::size_t i = 0; i < subjects.size(); ++i) {
            const auto& cpus = decisions[i].cpus;
            if (!subjects[i].demand.exclusive) {
                shared |= cpus;
                continue;
            }
            if (cpus.count() != subjects[i].demand.cpus || cpus.intersects(own))
                return fail(Errc::not_applied, fmt::format("{} has {}", subjects[i].member, cpus.text()));
            own |= cpus;
        }
        if (!shared.intersects(own)) return {};
        return fail(Errc::not_applied, "a CPU of one's own is shared");
    }
};

/// Decisions through the stack to steps, nothing being held yet. CPU time in ns.
Result<double> make_steps(const Table& table) {
    std::vector<placement::Wish> wishes;
    for (std::size_t i = 0; i < table.decisions.size(); ++i)
        wishes.push_back({.scheduler = "X",
                          .member = table.subjects[i].member,
                          .decision = table.decisions[i],
                          .pids = table.subjects[i].pids});
    const auto before = thread_cpu_ns();
    const auto verdicts = placement::combine(std::move(wishes), table.topology.usable());
    const auto plan = placement::make_plan(verdicts, {});
    const auto used = thread_cpu_ns() - before;
    if (plan.steps.size() != table.subjects.size())
        return fail(Errc::not_applied, fmt::format("{} steps", plan.steps.size()));
    return static_cast<double>(used);
}

/// One thing that changes, and what takes it back.
struct Change {
    std::string_view what;
    std::function<void(Table&)> make;
    std::function<void(Table&)> undo;
};

Subject& one_with_cores(Table& table) { return table.subjects[5000 / kOneIn * kOneIn]; }
Subject& one_that_shares(Table& table) { return table.subjects[5001]; }

std::vector<Change> changes() {
    static Subject kept;
    const auto leave = [](Table& table, Subject& who) {
        kept = who;
        table.subjects.erase(table.subjects.begin() + (&who - table.subjects.data()));
    };
    const auto come = [](Table& table) {
        table.subjects.insert(std::ranges::lower_bound(table.subjects, kept.target, {}, &Subject::target),
                              kept);
    };
    const auto hotplug = [](Table& table, bool online) {
        const CpuSet one = CpuSet::of(1023);
        set_online(table.topology, table.whole, online ? table.whole.online : table.whole.online - one);
    };
    return {
        {"nothing changes", [](Table&) {}, [](Table&) {}},
        {"one that shares leaves / comes", [=](Table& table) { leave(table, one_that_shares(table)); }, come},
        {"one with cores of its own leaves / comes",
         [=](Table& table) { leave(table, one_with_cores(table)); }, come},
        {"one asks for a CPU more / less", [](Table& table) { ++one_with_cores(table).demand.cpus; },
         [](Table& table) { --one_with_cores(table).demand.cpus; }},
        {"a CPU goes / is back", [=](Table& table) { hotplug(table, false); },
         [=](Table& table) { hotplug(table, true); }},
    };
}

Status measure_placing(Run& run, hwloc_topology_t peer) {
    Pairs deciding;
    Pairs stacking;
    for (int pair = 0; pair < run.repeats(9, 5); ++pair) {
        if (auto going = not_interrupted(); !going) return going;
        Table table;
        if (auto built = table.build(); !built) return built;
        const double decided = table.round();
        const auto floor = distribute(peer, kUnits);
        if (!floor) return std::unexpected(floor.error());
        if (auto right = table.check(); !right) return right;
        deciding.add(decided / 1e6, *floor / 1e6);
        const auto stacked = make_steps(table);
        const auto again = distribute(peer, kUnits);
        if (!stacked || !again) return std::unexpected(stacked ? again.error() : stacked.error());
        stacking.add(*stacked / 1e6, *again / 1e6);
    }
    run.compared("exclusive_cores places 10,000 units on 1,024 cores, 500 of them on 875 of their own, "
                 "against "
                 "hwloc_distrib",
                 "ms CPU", deciding, Goal{Goal::Sense::at_most, 25},
                 "hwloc_distrib knows no demands, classes or owners: a floor");
    run.compared("these decisions through the stack to steps, against hwloc_distrib", "ms CPU", stacking,
                 std::nullopt);
    return {};
}

Status measure_changes(Run& run) {
    Table table;
    if (auto built = table.build(); !built) return built;
    table.round();
    for (const auto& change : changes()) {
        std::vector<double> us;
        for (int i = 0; i < run.repeats(25, 9); ++i) {
            if (auto going = not_interrupted(); !going) return going;
            for (const auto& act : {change.make, change.undo}) {
                act(table);
                us.push_back(table.round() / 1e3);
                if (auto right = table.check(); !right) return right;
            }
        }
        run.alone(fmt::format("10,000 placed units, {}: the next decision", change.what), "us CPU",
                  median(us), Goal{Goal::Sense::at_most, kOneChangeUs},
                  "decide() answers for all members each time, with a reason for each");
    }
    return {};
}

} // namespace

Status plan(Run& run) {
    hwloc_topology_t peer = nullptr;
    if (hwloc_topology_init(&peer) != 0) return fail(Errc::io, "no hwloc topology");
    Status done = fail(Errc::io, "hwloc cannot make the synthetic topology");
    if (hwloc_topology_set_synthetic(peer, kMachine) == 0 && hwloc_topology_load(peer) == 0)
        done = measure_placing(run, peer);
    hwloc_topology_destroy(peer);
    if (!done) return done;
    return measure_changes(run);
}

} // namespace schedd::bench
