// The simulated outside: a probe that measures SimCpus and an actuator that changes their masks.
#include <algorithm>

#include <fmt/format.h>

#include "tests/sim/world.h"

namespace schedd::sim {

using placement::Outcome;
using placement::State;

namespace {

constexpr AttributeSpec kAttributes[] = {probe_period()};
constexpr SourceSpec kSources[] = {
    {.name = "node_load", .type = types::kLoad, .doc = "Runnable threads of all tasks."},
    {.name = "process_load", .type = types::kLoadByPid, .doc = "Runnable threads of a task."},
};

} // namespace

const Descriptor kSimProbe{.name = "sim_probe",
                           .kind = Kind::probe,
                           .doc = "Measures simulated tasks.",
                           .make = make_part<SimProbe>,
                           .attributes = kAttributes,
                           .sources = kSources,
                           .alias = "cpu"};

SimProbe::SimProbe(const Descriptor& type, std::string name, const Environment& environment)
    : Probe(type, std::move(name), environment) {
    adopt(std::make_unique<PlainSource>(kSources[0]));
    adopt(std::make_unique<LookupSource>(
        kSources[1], [this](const Parameter& parameter) { return look(parameter); },
        [this](const Output::Visit& visit) {
            for (const auto& [pid, row] : rows_)
                if (row.sample) visit(Parameter(static_cast<std::int64_t>(pid)), *row.sample);
        }));
}

void SimProbe::measure(Time now) {
    if (!cpus_) return;
    std::int64_t total = 0;
    std::erase_if(rows_, [&](const auto& row) { return !cpus_->tasks().contains(row.first); });
    for (const auto& [pid, task] : cpus_->tasks()) {
        auto [at, is_new] = rows_.try_emplace(pid);
        auto& row = at->second;
        const Duration wanted = task.run + task.wait;
        if (!is_new && now > row.time) {
            const auto load = (wanted - row.wanted) * 1000 / (now - row.time);
            row.sample = {.value = static_cast<std::int64_t>(load), .time = now, .fresh_for = fresh_for()};
            total += load;
        }
        row.wanted = wanted;
        row.time = now;
    }
    static_cast<PlainSource&>(*children()[0]).set({.value = total, .time = now, .fresh_for = fresh_for()});
}

std::optional<Sample> SimProbe::look(const Parameter& parameter) const {
    const auto* pid = std::get_if<std::int64_t>(&parameter);
    const auto at = pid ? rows_.find(static_cast<Pid>(*pid)) : rows_.end();
    return at == rows_.end() ? std::nullopt : at->second.sample;
}

Result<CpuSet> SimActuator::current(const Target& target) {
    if (target.sort == Target::Sort::cgroup) return cpus_.group_mask(target.name);
    const auto* task = cpus_.find(target.pid);
    if (!task) return fail(Errc::no_such_object, target.text() + " has ended");
    return cpus_.effective(*task);
}

Result<std::string> SimActuator::capture(const Target& target) {
    if (target.sort == Target::Sort::cgroup) return cpus_.group_mask(target.name).text();
    const auto* task = cpus_.find(target.pid);
    if (!task) return fail(Errc::no_such_object, target.text() + " has ended");
    return task->mask.text();
}

Result<std::string> SimActuator::capture_child(const Target& /*parent*/, const std::string& parent_original,
                                               const CpuSet& parent_written, const Target& child) {
    const auto* task = cpus_.find(child.pid);
    if (!task || task->mask != parent_written) return fail(Errc::no_such_object, "nothing inherited");
    return parent_original;
}

Outcome SimActuator::write(const Target& target, const CpuSet& cpus) {
    if (target.sort == Target::Sort::cgroup) {
        cpus_.set_group_mask(target.name, cpus);
        return {State::applied, cpus, cpus & cpus_.online(), {}};
    }
    auto* task = cpus_.find(target.pid);
    if (!task) return {State::gone, cpus, {}, "it has ended"};
    if (!cpus.intersects(cpus_.online()))
        return {State::invalid, cpus, cpus_.effective(*task), "no CPU of it is online"};
    task->mask = cpus;
    return {State::applied, cpus, cpus_.effective(*task), {}};
}

Outcome SimActuator::place(const Target& target, const CpuSet& cpus) {
    if (!cpus.intersects(cpus_.online()))
        nonsense_.push_back(fmt::format("{} was to be placed on '{}' of online CPUs {}", target.text(),
                                        cpus.text(), cpus_.online().text()));
    auto outcome = write(target, cpus);
    if (auto* task = target.sort == Target::Sort::process ? cpus_.find(target.pid) : nullptr) {
        task->is_touched = true;
        task->written = cpus;
    }
    return outcome;
}

Outcome SimActuator::check(const Target& target, const CpuSet& written) {
    const auto effective = current(target);
    if (!effective) return {State::gone, written, {}, "it has ended"};
    return {effective->subset_of(written) ? State::applied : State::overridden, written, *effective, {}};
}

Outcome SimActuator::restore(const Target& target, const std::string& original) {
    auto outcome = write(target, CpuSet::parse(original).value());
    if (outcome.state != State::applied) return outcome;
    if (auto* task = target.sort == Target::Sort::process ? cpus_.find(target.pid) : nullptr)
        task->is_touched = false;
    outcome.state = State::free;
    return outcome;
}

} // namespace schedd::sim
