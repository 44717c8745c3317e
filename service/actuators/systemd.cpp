// Placing units through SetUnitProperties, with the traps of reference: OK that does nothing, clears that do
// not clear, sets that live on in files.
#include "service/actuators/systemd.h"

#include <algorithm>

#include <fmt/format.h>

#include "service/actuators/affinity.h"
#include "service/actuators/own_masks.h"
#include "service/actuators/task_affinity.h"

namespace schedd::actuators {

namespace {

constexpr std::string_view kMark = "unit:";
constexpr std::string_view kProperty = "AllowedCPUs";
constexpr int kDeepestLook = 6;          // groups below a slice in which a task is looked for
constexpr std::size_t kSampledTasks = 8; // per group; the first may have ended

struct Captured {
    Origin origin = Origin::unset;
    std::optional<CpuSet> cpus;
    std::vector<OwnMask> own = {}; // of tasks

    [[nodiscard]] std::string text() const {
        return fmt::format("{}{}:{}{}{}", kMark, name_of(origin), cpus ? cpus->text() : std::string(),
                           own.empty() ? "" : ";", text_of(own));
    }
    static Result<Captured> parse(std::string_view text) {
        const auto junk = fail(Errc::invalid_value, fmt::format("\"{}\" is no recorded unit", text),
                               "unit:ORIGIN:CPUS, such as unit:runtime:0-3");
        if (!text.starts_with(kMark)) return junk;
        text.remove_prefix(kMark.size());
        text = text.substr(0, text.find(' ')); // settings follow
        const auto colon = text.find(':');
        const auto origin = parse_origin(text.substr(0, colon));
        if (colon == std::string_view::npos || !origin) return junk;
        Captured captured{*origin, std::nullopt};
        text.remove_prefix(colon + 1);
        const auto end = text.find(';');
        const auto cpus = CpuSet::parse(text.substr(0, end));
        auto own = parse_own_masks(end == std::string_view::npos ? "" : text.substr(end + 1));
        if (!own) return std::unexpected(own.error());
        captured.own = std::move(*own);
        if (!cpus || cpus->empty() != (captured.origin == Origin::unset)) return junk;
        if (!cpus->empty()) captured.cpus = *cpus;
        return captured;
    }
};

Error not_a_unit(const Target& target) {
    return {Errc::not_supported, target.text() + " is no unit", "unit: targets"};
}

/// The CPUs may hold and something else may not: then not all that was written holds.
Outcome worse(Outcome outcome, const Status& settings) {
    if (settings) return outcome;
    outcome.state = std::max(outcome.state, State::overridden);
    outcome.detail += (outcome.detail.empty() ? "" : "; ") + settings.error().text();
    return outcome;
}

} // namespace

/// What capture() was told a moment ago, or what PID 1 says.
Result<UnitState> SystemdActuator::look(const std::string& unit) {
    if (const auto told = captured_.find(unit); told != captured_.end()) return told->second;
    return manager_.look(unit);
}

Result<CpuSet> SystemdActuator::current(const Target& target) {
    if (target.sort != Target::Sort::unit) return std::unexpected(not_a_unit(target));
    if (const auto known = groups_.find(target.name); known != groups_.end())
        if (auto effective = hierarchy_.effective(known->second)) return effective;
    const auto unit = look(target.name);
    if (!unit) return std::unexpected(unit.error());
    if (unit->control_group.empty())
        return fail(Errc::no_such_object, target.name + " does not run", "start it");
    return hierarchy_.effective(unit->control_group);
}

Result<std::string> SystemdActuator::capture(const Target& target) {
    if (target.sort != Target::Sort::unit) return std::unexpected(not_a_unit(target));
    const auto unit = manager_.look(target.name);
    if (!unit) return std::unexpected(unit.error());
    Captured captured{Origin::unset, unit->allowed};
    if (!unit->control_group.empty()) {
        auto own = own_masks_in(hierarchy_, unit->control_group);
        if (!own) return std::unexpected(own.error());
        captured.own = std::move(*own);
    }
    if (captured.cpus) {
        const auto files = manager_.drop_ins(target.name);
        if (!files) return std::unexpected(files.error());
        captured.origin = drop_ins_.origin_of(target.name, kProperty, true, *files);
    }
    captured_.insert_or_assign(target.name, *unit);
    return captured.text();
}

Result<std::string> SystemdActuator::capture_tuning(const Target& target, const std::string& original,
                                                    const Tuning& tuning) {
    if (target.sort != Target::Sort::unit) return original;
    if (original.find(' ') != std::string::npos) return UnitSettings::noted(original, tuning);
    const auto settings = settings_.capture(target.name);
    if (!settings) return std::unexpected(settings.error());
    return UnitSettings::noted(original + *settings, tuning);
}

Outcome SystemdActuator::tune(const Target& target, const Tuning& tuning, const std::string& original,
                              Outcome outcome) {
    const auto unit = manager_.look(target.name);
    if (!unit) return failed(unit.error(), outcome.written);
    const auto tuned = settings_.tune(target.name, unit->control_group, tuning, original);
    if (!tuning.memory_nodes) memory_.forget(target.name);
    else if (tuned && !unit->control_group.empty())
        memory_.want(target.name, unit->control_group, *tuning.memory_nodes);
    return told_of_memory(target.name, worse(std::move(outcome), tuned));
}

/// Pages that stay elsewhere are told of; they break no rule, since nothing new goes there.
Outcome SystemdActuator::told_of_memory(const std::string& unit, Outcome outcome) {
    if (const auto told = memory_.look(unit); !told.empty())
        outcome.detail += (outcome.detail.empty() ? "" : "; ") + told;
    return outcome;
}

Outcome SystemdActuator::check_tuning(const Target& target, const Tuning& tuning, Outcome outcome) {
    const auto unit = manager_.look(target.name);
    if (!unit) return failed(unit.error(), outcome.written);
    return told_of_memory(target.name, worse(std::move(outcome),
                                             settings_.check(target.name, unit->control_group, tuning)));
}

Result<std::string> SystemdActuator::capture_child(const Target&, const std::string&, const CpuSet&,
                                                   const Target& child) {
    return fail(Errc::no_such_object, child.text() + " inherits nothing");
}

/// Asks beforehand what PID 1 would answer OK to without doing it.
Status SystemdActuator::fits(const std::string& group, const CpuSet& cpus) const {
    const auto online = online_cpus(hierarchy_.host());
    if (!online.empty() && !cpus.intersects(online))
        return fail(Errc::cpu_offline, fmt::format("none of the CPUs {} is online", cpus.text()),
                    "online are " + online.text());
    if (group.empty()) return {};
    const auto parent = parent_of(group);
    const auto allowed = hierarchy_.effective(parent.empty() ? "/" : parent);
    if (allowed && !cpus.intersects(*allowed))
        return fail(Errc::cpu_offline, fmt::format("none of the CPUs {} is left by {}", cpus.text(), parent),
                    "it has " + allowed->text());
    return {};
}

/// Whether no other group beside it is confined: then its parent may lose the controller along with it. One
/// that was confined before keeps a wide set in its file, because the kernel does not let it be emptied.
bool SystemdActuator::is_last_beside(const std::string& group) const {
    const auto parent = parent_of(group);
    const auto all = hierarchy_.effective(parent.empty() ? "/" : parent).value_or(CpuSet());
    const auto is_beside = [&](const std::string& other) {
        return other != group && parent_of(other) == parent;
    };
    for (const auto& [unit, placed] : groups_)
        if (is_beside(placed)) return false;
    for (const auto& other : hierarchy_.children(parent.empty() ? "/" : parent)) {
        const auto set = hierarchy_.cpus(other).value_or(CpuSet());
        if (other != group && !set.empty() && !all.subset_of(set)) return false;
    }
    return true;
}

/// Linux before 6.2 forgets the affinity of every task near a group whose cpuset controller is switched on or
/// off, as systemd does it for the first unit that needs it and after the last.
Status SystemdActuator::allow(const std::string& unit, const std::string& group,
                              const std::optional<CpuSet>& cpus) {
    if (group.empty()) return manager_.allow_cpus(unit, cpus);
    const bool was_on = hierarchy_.has_controller(group);
    const bool may_go_off = was_on && !cpus && is_last_beside(group);
    std::vector<OwnMask> own;
    if (!was_on || may_go_off) own = all_own_masks(hierarchy_);
    if (auto set = manager_.allow_cpus(unit, cpus); !set) return set;
    // PID 1 answers first and then switches it off above the unit; it has done so when it answers again
    if (may_go_off) static_cast<void>(manager_.allowed(unit));
    if (hierarchy_.has_controller(group) != was_on) restore_forgotten(hierarchy_, own);
    return {};
}

/// A service whose CPUAffinity= has nothing in common with its AllowedCPUs= does not start (215/CPUAFFINITY).
Status SystemdActuator::can_start_on(const std::string& unit, const CpuSet& cpus) {
    const auto own = manager_.affinity(unit);
    if (!own) return std::unexpected(own.error());
    if (own->empty() || own->intersects(cpus)) return {};
    return fail(Errc::conflict, fmt::format("{} could not start again on the CPUs {}", unit, cpus.text()),
                "its CPUAffinity= is " + own->text());
}

Outcome SystemdActuator::place(const Target& target, const CpuSet& cpus) {
    if (target.sort != Target::Sort::unit) return failed(not_a_unit(target), cpus);
    const auto unit = look(target.name);
    captured_.erase(target.name);
    if (!unit) return {State::invalid, cpus, {}, unit.error().text()};
    if (auto possible = fits(unit->control_group, cpus); !possible) return failed(possible.error(), cpus);
    const bool is_held =
        unit->allowed == cpus &&
        (unit->control_group.empty() || hierarchy_.cpus(unit->control_group).value_or(CpuSet()) == cpus);
    if (!is_held)
        if (auto startable = can_start_on(target.name, cpus); !startable)
            return failed(startable.error(), cpus);
    if (!is_held) // equal sets are not sent: each call rewrites a file and walks all the tasks
        if (auto set = allow(target.name, unit->control_group, cpus); !set) return failed(set.error(), cpus);
    if (!unit->control_group.empty()) remember(target, unit->control_group);
    return check(target, cpus);
}

/// Its group, so that PID 1 need not be asked again, and the file that shows who else writes it.
void SystemdActuator::remember(const Target& target, const std::string& group) {
    groups_[target.name] = group;
    confirmed_.insert(target.name);
    if (watch_) watch_->follow(target, hierarchy_.absolute(group, "cpuset.cpus"));
}

/// Whether PID 1 has said, now or since it was last read anew, that the unit's property is what was written.
bool SystemdActuator::is_confirmed(const std::string& unit, const CpuSet& written) {
    if (confirmed_.contains(unit)) return true;
    const auto allowed = manager_.allowed(unit);
    if (!allowed || *allowed != written) return false;
    confirmed_.insert(unit);
    return true;
}

std::string SystemdActuator::who_set(const std::string& unit) const {
    return RuntimeDropIns::who_set(kProperty, manager_.drop_ins(unit).value_or(std::vector<std::string>()));
}

std::string SystemdActuator::told(const std::string& original) const {
    const auto captured = Captured::parse(original);
    if (!captured) return original;
    auto words = captured->cpus ? fmt::format("AllowedCPUs {}{}", captured->cpus->text(),
                                              actuators::told(captured->origin))
                                : std::string("AllowedCPUs unset");
    if (const auto own = captured->own.size(); own > 0)
        words += fmt::format(" ({} of its tasks had an affinity of their own)", own);
    const auto settings = UnitSettings::told(original);
    return settings.empty() ? words : words + ", " + settings;
}

Outcome SystemdActuator::check(const Target& target, const CpuSet& written) {
    if (target.sort != Target::Sort::unit) return failed(not_a_unit(target), written);
    if (const auto group = groups_.find(target.name); group != groups_.end()) {
        auto outcome = check_running(group->second, written);
        if (outcome.state == State::applied && is_confirmed(target.name, written)) return outcome;
        groups_.erase(group);
        confirmed_.erase(target.name);
    }
    const auto unit = manager_.look(target.name);
    if (!unit) return {State::invalid, written, {}, unit.error().text()};
    if (!unit->allowed) // by systemctl revert, or a file that was removed
        return {State::overridden,
                written,
                {},
                fmt::format("AllowedCPUs of {} is unset, {} was written: it was not done, or taken back",
                            target.name, written.text())};
    if (unit->allowed != written)
        return {State::foreign,
                written,
                {},
                fmt::format("AllowedCPUs of {} is {}, {} was written: {} set it", target.name,
                            unit->allowed->text(), written.text(), who_set(target.name))};
    if (unit->control_group.empty())
        return {State::pending, written, {}, target.name + " does not run; it will start on these CPUs"};
    remember(target, unit->control_group);
    return check_running(unit->control_group, written);
}

Outcome SystemdActuator::check_running(const std::string& group, const CpuSet& written) const {
    const auto effective = hierarchy_.effective(group);
    if (!effective) return failed(effective.error(), written);
    Outcome outcome{State::applied, written, *effective, {}};
    const auto configured = hierarchy_.cpus(group);
    if (!configured) {
        outcome.state = State::invalid;
        outcome.detail = fmt::format("systemd did not switch the cpuset controller on for {}", group);
    } else if (*configured != written) {
        outcome.state = State::overridden;
        outcome.detail = fmt::format("systemd says {}, cpuset.cpus of {} says \"{}\"", written.text(), group,
                                     configured->text());
    } else if (!effective->subset_of(written)) {
        outcome.state = State::overridden;
        outcome.detail = fmt::format("{} runs on {}: none of {} is online or left by its slices", group,
                                     effective->text(), written.text());
    } else if (const auto task = stray_task(group, written, 0)) {
        outcome.state = State::overridden;
        outcome.detail = fmt::format("task {} of {} may still run elsewhere", *task, group);
    } else if (*effective != written) {
        outcome.detail =
            fmt::format("{} of {} is left by its slices and online", effective->text(), written.text());
    }
    return outcome;
}

/// A task in the group or below it that may run outside of `cpus`; the first living one of each group tells.
std::optional<Pid> SystemdActuator::stray_task(const std::string& group, const CpuSet& cpus,
                                               int depth) const {
    std::size_t sampled = 0;
    for (const Pid tid : hierarchy_.some_tasks(group)) {
        if (++sampled > kSampledTasks) break;
        const auto mask = affinity_of(tid);
        if (!mask) continue;
        if (!mask->subset_of(cpus)) return tid;
        return std::nullopt;
    }
    if (depth == kDeepestLook) return std::nullopt;
    for (const auto& child : hierarchy_.children(group))
        if (const auto task = stray_task(child, cpus, depth + 1)) return task;
    return std::nullopt;
}

/// Version 2 leaves tasks on the narrow set when it is simply unset, so: widen, verify, then unset.
Status SystemdActuator::put_back(const std::string& unit, const UnitState& now,
                                 const std::optional<CpuSet>& original) {
    const auto& group = now.control_group;
    if (group.empty() || original) {
        if (now.allowed != original)
            if (auto set = allow(unit, group, original); !set) return set;
        if (group.empty()) return {};
        const auto after = check_running(group, *original);
        if (after.state == State::applied) return {};
        return fail(Errc::not_applied, fmt::format("putting {} back to {}", unit, original->text()),
                    after.detail);
    }
    const auto parent = parent_of(group);
    const auto wide = hierarchy_.effective(parent.empty() ? "/" : parent);
    if (!wide) return std::unexpected(wide.error());
    if (auto set = allow(unit, group, *wide); !set) return set;
    const auto after = check_running(group, *wide);
    if (after.state != State::applied || after.effective != *wide)
        return fail(Errc::not_applied,
                    fmt::format("widening {} to {} before unsetting it", unit, wide->text()), after.detail);
    return allow(unit, group, std::nullopt);
}

Outcome SystemdActuator::restore(const Target& target, const std::string& original) {
    if (target.sort != Target::Sort::unit) return failed(not_a_unit(target));
    const auto captured = Captured::parse(original);
    if (!captured) return failed(captured.error());
    if (watch_) watch_->let_go(target);
    memory_.forget(target.name);
    groups_.erase(target.name);
    confirmed_.erase(target.name);
    captured_.erase(target.name);
    const auto unit = manager_.look(target.name);
    const bool is_gone = !unit && unit.error().kind == Errc::no_such_object;
    if (!unit && !is_gone) return failed(unit.error());
    if (unit) {
        if (auto back = settings_.restore(target.name, unit->control_group, original); !back)
            return failed(back.error());
        if (auto back = put_back(target.name, *unit, captured->cpus); !back) return failed(back.error());
    } else if (auto forgotten = settings_.forget(target.name, original); !forgotten) {
        return failed(forgotten.error());
    }
    if (captured->origin != Origin::runtime)
        if (auto removed = drop_ins_.remove(target.name, kProperty); !removed) return failed(removed.error());
    if (is_gone) return {State::gone, {}, {}, unit.error().text()};
    if (!unit->control_group.empty()) {
        const auto usual = manager_.affinity(target.name).value_or(CpuSet());
        if (auto back = restore_own_masks(hierarchy_, unit->control_group, captured->own, usual); !back)
            return failed(back.error());
    }
    Outcome outcome{State::free, {}, {}, {}};
    if (!unit->control_group.empty())
        if (const auto effective = hierarchy_.effective(unit->control_group)) outcome.effective = *effective;
    return outcome;
}

} // namespace schedd::actuators
