// Choosing actuators.
#include "service/actuators/router.h"

#include <fmt/format.h>
#include <unistd.h>

#include "service/actuators/affinity.h"
#include "service/actuators/cgroup.h"
#include "service/actuators/cpuset_reader.h"
#include "service/actuators/dry_run.h"
#include "service/actuators/systemd.h"

namespace schedd::actuators {

namespace {

constexpr const char* kKinds = "auto, systemd, affinity, cgroup or dry-run";

Error unhandled(const Target& target, std::string_view by) {
    const char* accepted = "processes and control groups";
    if (target.sort == Target::Sort::cgroup)
        accepted = "processes; control groups need a writable cpuset hierarchy";
    if (target.sort == Target::Sort::unit)
        accepted = "units need systemd on the system bus and cgroup version 2";
    return {Errc::not_supported, fmt::format("the actuator \"{}\" does not place {}", by, target.text()),
            accepted};
}

/// Whether `host` shows the machine that system calls act on. On a recorded tree the pids mean other
/// processes.
bool is_running_machine(Host& host) {
    const auto self = host.link_target("proc/self");
    return self && *self == fmt::format("{}", ::getpid());
}

} // namespace

bool Router::handles(Target::Sort sort) const {
    switch (sort) {
    case Target::Sort::process: return true;
    case Target::Sort::cgroup: return parts_.cgroup != nullptr && groups_too_;
    case Target::Sort::unit: return parts_.systemd != nullptr && groups_too_;
    }
    return false;
}

Actuator* Router::actuator_for(const Target& target) const {
    if (!handles(target.sort)) return nullptr;
    if (target.sort == Target::Sort::unit) return parts_.systemd.get();
    const bool by_group = target.sort == Target::Sort::cgroup || processes_too_;
    return by_group && parts_.cgroup ? parts_.cgroup.get() : parts_.affinity.get();
}

Actuator* Router::actuator_of(const std::string& original) const {
    if (original.starts_with("unit:")) return parts_.systemd.get();
    const bool by_group = original.starts_with("group:") || original.starts_with("cpus:");
    return by_group ? parts_.cgroup.get() : parts_.affinity.get();
}

Result<CpuSet> Router::current(const Target& target) {
    if (auto* actuator = actuator_for(target)) return actuator->current(target);
    return std::unexpected(unhandled(target, name_));
}

Result<std::string> Router::capture(const Target& target) {
    if (auto* actuator = actuator_for(target)) return actuator->capture(target);
    return std::unexpected(unhandled(target, name_));
}

Result<std::string> Router::capture_child(const Target& parent, const std::string& parent_original,
                                          const CpuSet& parent_written, const Target& child) {
    if (auto* actuator = actuator_of(parent_original))
        return actuator->capture_child(parent, parent_original, parent_written, child);
    return std::unexpected(unhandled(child, name_));
}

Outcome Router::place(const Target& target, const CpuSet& cpus) {
    if (auto* actuator = actuator_for(target)) return actuator->place(target, cpus);
    return failed(unhandled(target, name_), cpus);
}

Outcome Router::check(const Target& target, const CpuSet& written) {
    if (auto* actuator = actuator_for(target)) return actuator->check(target, written);
    return failed(unhandled(target, name_), written);
}

std::optional<CpuSet> Router::online() {
    const auto online = online_cpus(host_);
    return online.empty() ? std::nullopt : std::optional(online);
}

void Router::forget_answers() {
    for (auto* actuator : {parts_.affinity.get(), parts_.cgroup.get(), parts_.systemd.get()})
        if (actuator) actuator->forget_answers();
}

Result<std::string> Router::capture_tuning(const Target& target, const std::string& original,
                                           const Tuning& tuning) {
    if (auto* actuator = actuator_for(target)) return actuator->capture_tuning(target, original, tuning);
    return original;
}

std::string Router::told(const std::string& original) const {
    const auto* actuator = actuator_of(original);
    return actuator ? actuator->told(original) : original;
}

Tuning Router::written_tuning(const std::string& original) const {
    const auto* actuator = actuator_of(original);
    return actuator ? actuator->written_tuning(original) : Tuning();
}

Outcome Router::tune(const Target& target, const Tuning& tuning, const std::string& original,
                     Outcome outcome) {
    if (auto* actuator = actuator_for(target))
        return actuator->tune(target, tuning, original, std::move(outcome));
    return outcome;
}

Outcome Router::check_tuning(const Target& target, const Tuning& tuning, Outcome outcome) {
    if (auto* actuator = actuator_for(target))
        return actuator->check_tuning(target, tuning, std::move(outcome));
    return outcome;
}

Outcome Router::put_back(const Target& target, const std::string& original, std::span<const CpuSet> written) {
    if (auto* actuator = actuator_of(original)) return actuator->put_back(target, original, written);
    return restore(target, original);
}

Outcome Router::restore(const Target& target, const std::string& original) {
    if (auto* actuator = actuator_of(original)) return actuator->restore(target, original);
    return failed(unhandled(target, name_));
}

Result<std::unique_ptr<Actuator>> make_actuator(std::string_view kind, Host& host, UnitManager* units,
                                                FileWatch* watch) {
    if (kind == "dry-run") return std::make_unique<DryRun>(host);
    if (kind != "auto" && kind != "systemd" && kind != "affinity" && kind != "cgroup")
        return fail(Errc::invalid_value, fmt::format("\"{}\" is no actuator", kind), kKinds);
    if (!is_running_machine(host))
        return fail(Errc::not_supported, fmt::format("the actuator \"{}\" needs the running machine", kind),
                    "dry-run, because proc is read from another root than /");
    if (kind == "systemd" && !units)
        return fail(Errc::not_supported, "systemd is not there to place units",
                    "auto; systemd has to be PID 1 and on the system bus");
    Router::Parts parts;
    parts.affinity = std::make_unique<AffinityActuator>(host);
    // also for affinity: what an earlier run did to control groups and units has to be put back
    auto hierarchy = CpusetHierarchy::find(host);
    if (!hierarchy && (kind == "cgroup" || kind == "systemd")) return std::unexpected(hierarchy.error());
    const bool places_units = hierarchy && hierarchy->version() == 2 && units;
    if (kind == "systemd" && !places_units)
        return fail(Errc::controller_unavailable, "systemd has no cpuset controller to place units with",
                    "auto; the cpuset controller is in the version 1 hierarchy");
    if (places_units) parts.systemd = std::make_unique<SystemdActuator>(*hierarchy, *units, watch);
    if (hierarchy) parts.cgroup = std::make_unique<CgroupActuator>(std::move(*hierarchy));
    return std::make_unique<Router>(std::string(kind), host, std::move(parts), kind != "affinity",
                                    kind == "cgroup");
}

} // namespace schedd::actuators
