// plan: exclusive_cores for 10,000 units of all classes on 1,024 cores, against hwloc_distrib as the floor,
// and what it takes when one thing changes: the decision, and the engine's whole turn (turn.cpp).
#include <functional>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <hwloc.h>

#include "components/placement/planner.h"
#include "policies/policies.h"
#include "tests/bench/bench.h"
#include "tests/bench/distribute.h"
#include "tests/bench/interrupt.h"
#include "tests/bench/turn.h"
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
    SubjectTable subjects;
    std::map<Target, Decision> decisions;
    std::size_t told = 0; // decisions that the last round made

    Status build() {
        for (unsigned unit = 0; unit < kUnits; ++unit) {
            const auto name = fmt::format("bench-{:05}.service", unit);
            subjects.put({.target = Target::unit(name),
                          .member = "unit:" + name,
                          .pids = {static_cast<Pid>(1000 + unit)},
                          .current = topology.usable(),
                          .demand = demand_of(unit),
                          .group = "/system.slice/" + name});
        }
        return world.apply("create schedulers/X\ncreate schedulers/X/exclusive_cores\n");
    }
    /// The policy decides about all, or where it can about who came or left alone, as the engine asks it; the
    /// machine obeys. CPU time of the decision in ns.
    double round(std::span<const Target> touched = {}) {
        auto& policy = world.at<Policy>("schedulers/X/exclusive_cores");
        const View view{world.clock.now(), topology, subjects.all()};
        const auto before = thread_cpu_ns();
        auto revised = touched.empty() ? std::nullopt : policy.revise(view, touched);
        const bool is_revision = revised.has_value();
        if (!is_revision) revised = Revision{policy.decide(view)};
        const auto used = thread_cpu_ns() - before;
        told = revised->decisions.size() + revised->shifts.size();
        if (!is_revision) decisions.clear();
        for (const auto& target : touched) decisions.erase(target);
        for (const auto& shift : revised->shifts)
            for (auto& [target, decision] : decisions)
                if (decision.cpus == shift.was.cpus && decision.reason == shift.was.reason) {
                    decision = shift.now;
                    decision.target = target;
                    subjects.find(target)->current = decision.cpus;
                }
        for (auto& decision : revised->decisions) {
            subjects.find(decision.target)->current = decision.cpus;
            decisions.insert_or_assign(decision.target, std::move(decision));
        }
        return static_cast<double>(used);
    }
    /// What came out is what was asked for: whole cores for those who ask, which nobody else may use.
    [[nodiscard]] Status check() const {
        if (decisions.size() != subjects.size())
            return fail(Errc::not_applied,
                        fmt::format("{} decisions for {} units", decisions.size(), subjects.size()));
        CpuSet own;
        CpuSet shared;
        for (const auto& subject : subjects.all()) {
            const auto decision = decisions.find(subject.target);
            if (decision == decisions.end())
                return fail(Errc::not_applied, fmt::format("{} has nothing", subject.member));
            const auto& cpus = decision->second.cpus;
            if (!subject.demand.exclusive) {
                shared |= cpus;
                continue;
            }
            if (cpus.count() != subject.demand.cpus || cpus.intersects(own))
                return fail(Errc::not_applied, fmt::format("{} has {}", subject.member, cpus.text()));
            own |= cpus;
        }
        if (!shared.intersects(own)) return {};
        return fail(Errc::not_applied, "a CPU of one's own is shared");
    }
};

/// Decisions through the stack to steps, nothing being held yet. CPU time in ns.
Result<double> make_steps(const Table& table) {
    std::vector<placement::Wish> wishes;
    for (const auto& subject : table.subjects.all())
        wishes.push_back({.scheduler = "X",
                          .member = subject.member,
                          .decision = table.decisions.at(subject.target),
                          .pids = subject.pids});
    const auto before = thread_cpu_ns();
    const auto verdicts = placement::combine(std::move(wishes), table.topology.usable());
    const auto plan = placement::make_plan(verdicts, {});
    const auto used = thread_cpu_ns() - before;
    if (plan.steps.size() != table.subjects.size())
        return fail(Errc::not_applied, fmt::format("{} steps", plan.steps.size()));
    return static_cast<double>(used);
}

/// One thing that changes, and what takes it back. Both say who came or left; nobody if it is something else.
struct Change {
    using Act = std::function<std::vector<Target>(Table&)>;
    std::string_view what;
    Act make;
    Act undo;
};

Target one_with_cores(const Table& table) { return table.subjects.all()[5000 / kOneIn * kOneIn].target; }
Target one_that_shares(const Table& table) { return table.subjects.all()[5001].target; }

/// One leaves, and comes back.
Change coming(std::string_view what, const Target& who) {
    const auto kept = std::make_shared<Subject>();
    return {what,
            [=](Table& table) {
                *kept = *table.subjects.find(who);
                table.subjects.erase(who);
                return std::vector{who};
            },
            [=](Table& table) {
                table.subjects.put(*kept);
                return std::vector{who};
            }};
}

std::vector<Change> changes(const Table& at_first) {
    const auto none = [](Table&) { return std::vector<Target>(); };
    const auto asker = one_with_cores(at_first);
    const auto ask = [=](Table& table, int more) {
        table.subjects.find(asker)->demand.cpus += more;
        return std::vector{asker};
    };
    const auto hotplug = [](Table& table, bool online) {
        const CpuSet one = CpuSet::of(1023);
        set_online(table.topology, table.whole, online ? table.whole.online : table.whole.online - one);
        return std::vector<Target>();
    };
    return {
        coming("one that shares leaves / comes", one_that_shares(at_first)),
        coming("one with cores of its own leaves / comes", asker),
        {"nothing changes, and all are asked about", none, none},
        {"one asks for a CPU more / less", [=](Table& table) { return ask(table, 1); },
         [=](Table& table) { return ask(table, -1); }},
        {"a CPU goes / is back", [=](Table& table) { return hotplug(table, false); },
         [=](Table& table) { return hotplug(table, true); }},
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
    for (const auto& change : changes(table)) {
        std::vector<double> us;
        std::size_t told = 0;
        for (int i = 0; i < run.repeats(25, 9); ++i) {
            if (auto going = not_interrupted(); !going) return going;
            for (const auto& act : {change.make, change.undo}) {
                us.push_back(table.round(act(table)) / 1e3);
                told = std::max(told, table.told);
                if (auto right = table.check(); !right) return right;
            }
        }
        // what one change does to all costs what all cost
        const auto goal = told < 10 ? std::optional(Goal{Goal::Sense::at_most, kOneChangeUs}) : std::nullopt;
        run.alone(fmt::format("10,000 placed units, {}: the next decision", change.what), "us CPU",
                  median(us), goal, fmt::format("it decides about {} of them, with a reason for each", told));
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
    if (auto changed = measure_changes(run); !changed) return changed;
    return measure_turns(run);
}

} // namespace schedd::bench
