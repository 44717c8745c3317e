// units: what 500 attached systemd units take of the daemon, in CPU time and in calls to PID 1, where systemd
// and the control groups are played and everything else is real.
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/daemon_under_test.h"
#include "tests/bench/interrupt.h"
#include "tests/bench/played_manager.h"
#include "tests/bench/sleepers.h"
#include "tests/bench/unit_tree.h"

namespace schedd::bench {

namespace {

constexpr std::size_t kUnits = 500;
constexpr std::int64_t kWindowMs = 10'000; // at least as long as a round of the read-back
constexpr std::int64_t kFirstReadBackMs = 12'000;
constexpr std::int64_t kPatienceMs = 60'000;

/// Two memory nodes with four CPUs each, more than this machine may have.
constexpr const char* kTopology = "--topology=synthetic:numa:2 core:4 pu:1";
constexpr const char* kCpus = "0-7";
constexpr const char* kBalancer =
    "create probes/cpu\n"
    "create schedulers/CPU_LB\n"
    "create schedulers/CPU_LB/load_balancing\n"
    "write schedulers/CPU_LB/load_balancing.level numa\n"
    "write schedulers/CPU_LB/load_balancing.min_load 0\n"
    "link probes/cpu/node_load schedulers/CPU_LB/load_balancing/node_load\n"
    "link probes/cpu/process_load schedulers/CPU_LB/load_balancing/process_load\n";
/// Narrows one of the units from its node to a core.
constexpr const char* kNarrower =
    "create schedulers/NARROW\n"
    "create schedulers/NARROW/load_balancing\n"
    "write schedulers/NARROW/load_balancing.level core\n"
    "write schedulers/NARROW/load_balancing.min_load 0\n"
    "link probes/cpu/node_load schedulers/NARROW/load_balancing/node_load\n"
    "link probes/cpu/process_load schedulers/NARROW/load_balancing/process_load\n"
    "create 'schedulers/NARROW/process_set/unit:test-many@250.service'\n";

/// CPU time and calls between two looks.
struct Cost {
    double ms = 0; // of CPU time
    double wall_ms = 0;
    int sets = 0;   // calls of SetUnitProperties
    int others = 0; // other calls to PID 1

    [[nodiscard]] double percent() const { return 100 * ms / wall_ms; }
    [[nodiscard]] std::string calls() const {
        return fmt::format("{} calls of SetUnitProperties, {} others", sets, others);
    }
};

class Stage {
public:
    Stage(DaemonUnderTest& daemon, PlayedManager& manager) : daemon_(daemon), manager_(manager) {}

    [[nodiscard]] DaemonUnderTest& daemon() const { return daemon_; }
    [[nodiscard]] PlayedManager& manager() const { return manager_; }

    /// From here on.
    Status begin() {
        const auto ns = process_cpu_ns(daemon_.process().pid());
        if (!ns) return std::unexpected(ns.error());
        cpu_ns_ = *ns;
        wall_ns_ = monotonic_ns();
        std::tie(sets_, others_) = counted();
        return {};
    }
    /// To here.
    [[nodiscard]] Result<Cost> taken() const {
        const auto ns = process_cpu_ns(daemon_.process().pid());
        if (!ns) return std::unexpected(ns.error());
        const auto [sets, others] = counted();
        return Cost{static_cast<double>(*ns - cpu_ns_) / 1e6,
                    static_cast<double>(monotonic_ns() - wall_ns_) / 1e6, sets - sets_, others - others_};
    }
    /// While nothing is asked for but by the daemon itself.
    Result<Cost> over(std::int64_t ms) {
        if (auto begun = begin(); !begun) return std::unexpected(begun.error());
        if (auto rested = pause_for_ms(ms); !rested) return std::unexpected(rested.error());
        return taken();
    }
    /// Waits until so many units have CPUs of their own, without asking the daemon.
    [[nodiscard]] Status await_confined(std::size_t count) const {
        const auto give_up = monotonic_ns() + kPatienceMs * 1'000'000;
        while (manager_.confined() != count) {
            if (monotonic_ns() > give_up)
                return fail(Errc::io,
                            fmt::format("{} units have CPUs of their own after {} s", manager_.confined(),
                                        kPatienceMs / 1000),
                            fmt::format("{} should", count));
            if (auto rested = pause_for_ms(20); !rested) return rested;
        }
        return {};
    }
    /// Waits until PID 1 has not been called for half a second: what was begun is done.
    [[nodiscard]] Status await_quiet() const {
        for (auto before = counted();;) {
            if (auto rested = pause_for_ms(500); !rested) return rested;
            const auto now = counted();
            if (now == before) return {};
            before = now;
        }
    }

private:
    [[nodiscard]] std::pair<int, int> counted() const {
        int sets = 0;
        int others = 0;
        for (const auto& [call, count] : manager_.calls())
            (call == "SetUnitProperties" ? sets : others) += count;
        return {sets, others};
    }
    DaemonUnderTest& daemon_;
    PlayedManager& manager_;
    std::int64_t cpu_ns_ = 0;
    std::int64_t wall_ns_ = 0;
    int sets_ = 0;
    int others_ = 0;
};

Goal at_most(double bound) { return {Goal::Sense::at_most, bound}; }

double per_unit(int calls) { return static_cast<double>(calls) / static_cast<double>(kUnits); }

std::string for_each_unit(const UnitTree& tree, std::string_view verb) {
    std::string recipe;
    for (const auto& unit : tree.units())
        recipe += fmt::format("{} 'schedulers/CPU_LB/process_set/unit:{}'\n", verb, unit.name);
    return recipe;
}

/// What is asked is answered and everything that follows is done.
Result<Cost> cost_of(Stage& stage, const std::string& recipe, std::size_t confined_after) {
    if (auto begun = stage.begin(); !begun) return std::unexpected(begun.error());
    if (auto done = stage.daemon().apply(recipe); !done) return std::unexpected(done.error());
    if (auto there = stage.await_confined(confined_after); !there) return std::unexpected(there.error());
    if (auto quiet = stage.await_quiet(); !quiet) return std::unexpected(quiet.error());
    return stage.taken();
}

Status attach_all(Run& run, Stage& stage, const UnitTree& tree) {
    run.progress(fmt::format("attaching {} units", kUnits));
    const auto cost = cost_of(stage, for_each_unit(tree, "create"), kUnits);
    if (!cost) return std::unexpected(cost.error());
    run.alone("500 units attached at once: CPU", "ms", cost->ms, std::nullopt, cost->calls());
    run.alone("500 units attached at once: calls of SetUnitProperties per unit", "calls",
              per_unit(cost->sets), at_most(1));
    run.alone("500 units attached at once: other calls to PID 1 per unit", "calls", per_unit(cost->others),
              std::nullopt);
    return {};
}

/// Without units and with them, in windows of equal length.
Result<Cost> steady(Run& run, Stage& stage, int windows, std::string_view of) {
    Cost all;
    for (int window = 0; window < windows; ++window) {
        run.progress(fmt::format("{}, window {} of {}", of, window + 1, windows));
        const auto cost = stage.over(kWindowMs);
        if (!cost) return cost;
        all = {all.ms + cost->ms, all.wall_ms + cost->wall_ms, all.sets + cost->sets,
               all.others + cost->others};
    }
    return all;
}

Status rest(Run& run, Stage& stage, const Cost& empty) {
    if (auto rested = pause_for_ms(kFirstReadBackMs); !rested) return rested;
    const int windows = run.repeats(5, 2);
    const auto cost = steady(run, stage, windows, "steady state");
    if (!cost) return std::unexpected(cost.error());
    run.alone("500 units, steady state: CPU", "% of a core", cost->percent(), at_most(1),
              fmt::format("the mean of {} windows of {} s, read-back included; {:.2f} % without units",
                          windows, kWindowMs / 1000, empty.percent()));
    run.alone("500 units, steady state: calls of SetUnitProperties", "calls", cost->sets, at_most(0));
    run.alone("500 units, steady state: other calls to PID 1", "calls", cost->others, at_most(0));
    return {};
}

Status change_one(Run& run, Stage& stage) {
    run.progress("one unit changes");
    if (auto begun = stage.begin(); !begun) return begun;
    if (auto done = stage.daemon().apply(kNarrower); !done) return done;
    if (auto rested = pause_for_ms(3000); !rested) return rested;
    const auto cost = stage.taken();
    if (!cost) return std::unexpected(cost.error());
    if (cost->sets == 0) return fail(Errc::no_value, "a second scheduler changed nothing");
    run.alone("500 units, one of them changed: calls of SetUnitProperties", "calls", cost->sets, at_most(1),
              "by a second scheduler, which narrows it to a core");
    run.alone("500 units, one of them changed: other calls to PID 1", "calls", cost->others, std::nullopt);
    return {};
}

Status reload(Run& run, Stage& stage, const std::string& of) {
    std::vector<double> ms;
    std::vector<double> others;
    int sets = 0;
    for (int round = 0; round < run.repeats(5, 3); ++round) {
        run.progress(fmt::format("daemon-reload {}", round + 1));
        if (auto begun = stage.begin(); !begun) return begun;
        stage.manager().reload();
        if (auto rested = pause_for_ms(1000); !rested) return rested; // it has begun
        if (auto quiet = stage.await_quiet(); !quiet) return quiet;
        const auto cost = stage.taken();
        if (!cost) return std::unexpected(cost.error());
        ms.push_back(cost->ms);
        others.push_back(cost->others);
        sets += cost->sets;
    }
    run.alone(of + ", daemon-reload: CPU", "ms", median(ms), at_most(1000),
              "with the steady state of the seconds it takes");
    run.alone(of + ", daemon-reload: calls of SetUnitProperties", "calls", sets, at_most(0));
    run.alone(of + ", daemon-reload: other calls to PID 1 per unit", "calls",
              per_unit(static_cast<int>(median(others))), std::nullopt);
    return {};
}

Status verify(Run& run, Stage& stage) {
    run.progress("verify");
    if (auto begun = stage.begin(); !begun) return begun;
    const auto found = stage.daemon().client().verify();
    if (!found) return std::unexpected(found.error());
    const auto cost = stage.taken();
    if (!cost) return std::unexpected(cost.error());
    if (!found->contains("\"ok\":true")) return fail(Errc::not_applied, "verify finds differences", *found);
    run.alone("500 units, verify: CPU", "ms", cost->ms, std::nullopt, cost->calls());
    return {};
}

Status let_all_go(Run& run, Stage& stage, const UnitTree& tree) {
    run.progress(fmt::format("letting {} units go", kUnits));
    if (auto done = stage.daemon().apply("remove -r schedulers/NARROW\n"); !done) return done;
    if (auto quiet = stage.await_quiet(); !quiet) return quiet;
    const auto cost = cost_of(stage, for_each_unit(tree, "remove"), 0);
    if (!cost) return std::unexpected(cost.error());
    for (const auto& unit : tree.units())
        if (access(unit.drop_in.c_str(), F_OK) == 0)
            return fail(Errc::not_applied, "it is left behind: " + unit.drop_in);
    run.alone("500 units let go: CPU", "ms", cost->ms, std::nullopt, cost->calls());
    run.alone("500 units let go: calls to PID 1 per unit", "calls", per_unit(cost->sets + cost->others),
              std::nullopt);
    return {};
}

/// All of them by one drop-in of their template, and let go by taking it away.
Status attached_by_files(Run& run, Stage& stage, const UnitTree& tree) {
    run.progress(fmt::format("attaching {} units by a drop-in", kUnits));
    const auto reloaded = [&](const std::string& drop_in, std::size_t confined_after) -> Result<Cost> {
        if (auto written = tree.write_drop_in(drop_in); !written) return std::unexpected(written.error());
        if (auto begun = stage.begin(); !begun) return std::unexpected(begun.error());
        stage.manager().reload();
        if (auto there = stage.await_confined(confined_after); !there) return std::unexpected(there.error());
        if (auto quiet = stage.await_quiet(); !quiet) return std::unexpected(quiet.error());
        return stage.taken();
    };
    const auto attached = reloaded("[X-Schedd]\nScheduler=CPU_LB\n", kUnits);
    if (!attached) return std::unexpected(attached.error());
    run.alone("500 units attached by a drop-in: CPU", "ms", attached->ms, std::nullopt, attached->calls());
    run.alone("500 units attached by a drop-in: calls of SetUnitProperties per unit", "calls",
              per_unit(attached->sets), at_most(1));
    if (auto done = reload(run, stage, "500 units by drop-ins"); !done) return done;
    const auto gone = reloaded("", 0);
    if (!gone) return std::unexpected(gone.error());
    run.alone("500 units let go by taking their drop-in away: CPU", "ms", gone->ms, std::nullopt,
              gone->calls());
    return {};
}

} // namespace

Status units(Run& run) {
    if (geteuid() != 0) return fail(Errc::denied, "a mount namespace needs root");
    auto sleepers = Sleepers::start(kUnits);
    if (!sleepers) return std::unexpected(sleepers.error());
    auto tree = UnitTree::make(sleepers->pids(), kCpus);
    if (!tree) return std::unexpected(tree.error());
    auto bus = PrivateBus::start();
    if (!bus) return std::unexpected(bus.error());
    auto manager = PlayedManager::start(bus->address(), *tree);
    if (!manager) return std::unexpected(manager.error());
    auto daemon = DaemonUnderTest::start(run, {"--actuator=systemd", kTopology},
                                         {.address = bus->address(),
                                          .environment = {"DBUS_SYSTEM_BUS_ADDRESS=" + bus->address()},
                                          .enter = [&tree] { return tree->enter(); }});
    if (!daemon) return std::unexpected(daemon.error());
    Stage stage(**daemon, **manager);
    if (auto built = (*daemon)->apply(kBalancer); !built) return built;
    if (auto rested = pause_for_ms(3000); !rested) return rested;
    const auto empty = steady(run, stage, 1, "without units");
    if (!empty) return std::unexpected(empty.error());
    if (auto done = attach_all(run, stage, *tree); !done) return done;
    if (auto done = rest(run, stage, *empty); !done) return done;
    if (auto done = change_one(run, stage); !done) return done;
    if (auto done = reload(run, stage, "500 units"); !done) return done;
    if (auto done = verify(run, stage); !done) return done;
    if (auto done = let_all_go(run, stage, *tree); !done) return done;
    return attached_by_files(run, stage, *tree);
}

} // namespace schedd::bench
