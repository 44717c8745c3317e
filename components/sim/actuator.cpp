// Writing simulated masks, and reading them back.
#include "components/sim/actuator.h"

#include <fmt/format.h>

namespace schedd::sim {

using placement::Outcome;
using placement::State;

Result<CpuSet> SimActuator::current(const Target& target) {
    if (target.sort != Target::Sort::process) return cpus_.group_effective(group_of(target));
    const auto* task = cpus_.find(target.pid);
    if (!task) return fail(Errc::no_such_object, target.text() + " has ended");
    return cpus_.effective(*task);
}

Result<std::string> SimActuator::capture(const Target& target) {
    if (target.sort != Target::Sort::process) return cpus_.group_mask(group_of(target)).text();
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

std::string SimActuator::group_of(const Target& target) const {
    const auto at = units_.find(target.name);
    return target.sort == Target::Sort::unit && at != units_.end() ? at->second : target.name;
}

Outcome SimActuator::write(const Target& target, const CpuSet& cpus) {
    if (target.sort != Target::Sort::process) {
        cpus_.set_group_mask(group_of(target), cpus);
        return {State::applied, cpus, cpus & cpus_.online(), {}};
    }
    auto* task = cpus_.find(target.pid);
    if (!task) return {State::gone, cpus, {}, "it has ended"};
    if (!cpus.intersects(cpus_.online()))
        return {State::invalid, cpus, cpus_.effective(*task), "no CPU of it is online"};
    SimCpus::set_mask(*task, cpus);
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
