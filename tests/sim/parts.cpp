// The simulated outside: a probe that measures SimCpus.
#include <algorithm>

#include <fmt/format.h>

#include "tests/sim/world.h"

namespace schedd::sim {

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

/// What was born since the last pass counts over its life, as with the real probe.
void SimProbe::measure(Time now) {
    if (!cpus_) return;
    std::int64_t total = 0;
    std::erase_if(rows_, [&](const auto& row) { return !cpus_->tasks().contains(row.first); });
    for (const auto& [pid, task] : cpus_->tasks()) {
        auto [at, is_new] = rows_.try_emplace(pid);
        auto& row = at->second;
        if (is_new && measured_at_)
            row.time = std::clamp(now - (cpus_->lived() - task.born), *measured_at_,
                                  now - (now - *measured_at_) / 4);
        const Duration wanted = task.run + task.wait;
        if ((!is_new || measured_at_) && now > row.time) {
            const auto load = (wanted - row.wanted) * 1000 / (now - row.time);
            row.sample = {.value = static_cast<std::int64_t>(load), .time = now, .fresh_for = fresh_for()};
            total += load;
        }
        row.wanted = wanted;
        row.time = now;
    }
    measured_at_ = now;
    static_cast<PlainSource&>(*children()[0]).set({.value = total, .time = now, .fresh_for = fresh_for()});
}

std::optional<Sample> SimProbe::look(const Parameter& parameter) const {
    const auto* pid = std::get_if<std::int64_t>(&parameter);
    const auto at = pid ? rows_.find(static_cast<Pid>(*pid)) : rows_.end();
    return at == rows_.end() ? std::nullopt : at->second.sample;
}

} // namespace schedd::sim
