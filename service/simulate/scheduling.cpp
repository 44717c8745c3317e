// The daemon's wiring once more, over a simulated machine.
#include "service/simulate/scheduling.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "components/kit/number.h"
#include "service/builtin.h"
#include "service/config_toml.h"
#include "service/simulate/load_file.h"

namespace schedd::service::simulate {

namespace {

constexpr std::uint64_t kTickMs = 100; // as the daemon's, unless the configuration has another
constexpr std::size_t kNotes = 16;
constexpr Pid kOwnPid = 2;

/// What the simulated machine has files for.
constexpr std::array<std::string_view, 2> kSimulated{"cpu", "pressure"};

Status check_probes(const Desired& desired, const Registry& registry) {
    for (const auto& probe : desired.probes) {
        const auto type = registry.find(Kind::probe, probe.type.empty() ? probe.name : probe.type);
        if (!type) continue; // the configuration's own check says so, with the place
        if (std::ranges::find(kSimulated, (*type)->name) == kSimulated.end())
            return fail_at(probe.where, Errc::not_supported,
                           fmt::format("probe {} measures what is not simulated", probe.name),
                           "simulated are cpu and pressure");
    }
    if (!desired.templates.empty())
        return fail_at(desired.templates.front().scheduler.where, Errc::not_supported,
                       fmt::format("template {}: templates are not simulated",
                                   desired.templates.front().scheduler.name),
                       "a [scheduler.NAME] with an exec: member");
    return {};
}

} // namespace

void Notes::write(Severity severity, std::string_view about, std::string_view message) {
    if (severity >= Severity::warning) add(fmt::format("{}: {}", about, message));
}

void Notes::add(std::string note) {
    if (lines_.size() < kNotes && std::ranges::find(lines_, note) == lines_.end())
        lines_.push_back(std::move(note));
}

/// Everything that lives as long as one run, in the order in which it is needed.
struct Scheduling::World {
    World(sim::SimCpus& cpus, const sim::Scenario& scenario, std::uint64_t seed, const Clock& clock, Log& log)
        : rng(seed), topology(scenario.topology), host(cpus), processes(host, nullptr, kOwnPid),
          registry(builtin_types()), tree(Environment{clock, rng, host, log, processes}, registry),
          actuator(cpus, units_of(scenario.kinds)), ledger(store, "simulated", "", complaints),
          engine(tree, topology, actuator, ledger) {
        for (const auto& kind : scenario.kinds) host.add_group(kind.group);
    }

    Rng rng;
    Topology topology;
    sim::SimHost host;
    ProcessTable processes;
    Registry registry;
    Tree tree;
    sim::SimActuator actuator;
    sim::MemoryStore store;
    std::vector<std::string> complaints;
    placement::Ledger ledger;
    placement::Engine engine;
};

Scheduling::Scheduling(const Desired& desired, const sim::Scenario& scenario, std::uint64_t seed)
    : desired_(desired), scenario_(scenario), seed_(seed),
      tick_(std::chrono::milliseconds(desired.daemon.tick_period_ms.value_or(kTickMs))) {}

Scheduling::~Scheduling() = default;

Result<std::unique_ptr<Scheduling>> Scheduling::make(const Desired& desired, const sim::Scenario& scenario,
                                                     std::uint64_t seed) {
    std::unique_ptr<Scheduling> made(new Scheduling(desired, scenario, seed));
    // a machine on which nothing runs is enough to find what is wrong
    sim::SimCpus empty(scenario.topology, {}, scenario.costs);
    if (auto built = made->build(empty); !built) return std::unexpected(built.error());
    made->world_.reset();
    return made;
}

Status Scheduling::build(sim::SimCpus& cpus) {
    clock_.set({});
    next_turn_ = {};
    world_.reset();
    world_ = std::make_unique<World>(cpus, scenario_, seed_, clock_, notes_);
    world_->engine.set_listener(this);
    if (auto checked = check_probes(desired_, world_->registry); !checked) return checked;
    const auto recipe = recipe_to(desired_, world_->tree, false);
    if (!recipe) return std::unexpected(recipe.error());
    return world_->tree.apply(*recipe);
}

void Scheduling::begin(sim::SimCpus& cpus) {
    if (auto built = build(cpus); !built) notes_.add(built.error().text()); // make() has tried it
    unseen_.clear();
    for (const auto& part : world_->tree.schedulers().children())
        for (const auto& member : static_cast<const Scheduler&>(*part).process_set().children())
            unseen_.insert(fmt::format("{} {}", part->name(), member->name()));
}

void Scheduling::note_members(const ProcessInfo& process) {
    for (const auto& part : world_->tree.schedulers().children())
        if (const auto match = static_cast<const Scheduler&>(*part).process_set().match(process);
            match && match->member)
            unseen_.erase(fmt::format("{} {}", part->name(), match->member->name()));
}

void Scheduling::arrived(sim::SimTask& task, const sim::Job& job, Time now) {
    const auto& kind = scenario_.kinds[static_cast<std::size_t>(job.kind)];
    clock_.set(now);
    world_->host.add(task.pid, {kind.executable, kind.group});
    world_->processes.apply({.what = ProcessEvent::What::fork, .pid = task.pid, .parent = 1});
    if (const auto* process = unseen_.empty() ? nullptr : world_->processes.find(task.pid))
        note_members(*process);
    next_turn_ = std::min(next_turn_, (now / tick_ + 1) * tick_);
}

void Scheduling::ended(Pid pid, Time now) {
    clock_.set(now);
    world_->host.remove(pid);
    world_->processes.apply({.what = ProcessEvent::What::exit, .pid = pid});
    next_turn_ = std::min(next_turn_, (now / tick_ + 1) * tick_);
}

/// Events are gathered for a tick, as the daemon does; the engine says when it wants more.
void Scheduling::turn(Time now) {
    clock_.set(now);
    world_->engine.tick(now);
    next_turn_ = std::max(world_->engine.next_due(), now + Duration(1));
}

std::uint64_t Scheduling::decisions() const { return world_ ? world_->engine.steps() : 0; }

void Scheduling::ejected(const std::string& scheduler, const std::string& why) {
    notes_.add(fmt::format("scheduler {} was put out of action: {}", scheduler, why));
}

/// The first of each scheduler stands for all, of which there may be thousands.
void Scheduling::conflicted(const std::string& scheduler, const placement::Target& target,
                            const std::string& detail) {
    if (!in_conflict_.insert(scheduler).second) return;
    notes_.add(fmt::format("conflict: scheduler {} for {}, {} ms after the start and perhaps later: {}",
                           scheduler, target.text(), milliseconds_of(clock_.now()), detail));
}

std::vector<std::string> Scheduling::notes() const {
    auto all = notes_.lines();
    for (const auto& member : unseen_)
        all.push_back(fmt::format("no job of the load ever belonged to {}", member));
    return all;
}

} // namespace schedd::service::simulate
