// Placing whole control groups; the process half is in cgroup_process.cpp.
#include "service/actuators/cgroup.h"

#include <array>

#include <fmt/format.h>
#include <unistd.h>

#include "service/actuators/affinity.h"
#include "service/actuators/task_affinity.h"

namespace schedd::actuators {

namespace {

constexpr std::string_view kGroupMark = "cpus:";
constexpr std::size_t kSampledTasks = 8; // the first may have ended; more than a few tell nothing new

Error no_group(const std::string& group) {
    return {Errc::no_such_object, "there is no control group " + group, {}};
}

Error unit_target(const Target& target) {
    return {Errc::not_supported, fmt::format("{} cannot be placed through control groups", target.text()),
            "process: and cgroup: targets"};
}

/// Units own their groups; what others made below them has no such ending (systemd.unit(5)).
bool named_like_a_unit(const std::string& group) {
    for (const std::string_view ending : {".service", ".scope", ".slice", ".socket", ".mount", ".swap"})
        if (group.ends_with(ending)) return true;
    return group == "/init.scope";
}

} // namespace

Result<CpuSet> CgroupActuator::current(const Target& target) {
    if (target.sort == Target::Sort::unit) return std::unexpected(unit_target(target));
    if (target.sort == Target::Sort::process) return AffinityActuator(hierarchy_.host()).current(target);
    return hierarchy_.effective(target.name);
}

Outcome CgroupActuator::place(const Target& target, const CpuSet& cpus) {
    if (target.sort == Target::Sort::unit) return failed(unit_target(target), cpus);
    return target.sort == Target::Sort::process ? place_process(target, cpus)
                                                : place_group(target.name, cpus);
}

Outcome CgroupActuator::check(const Target& target, const CpuSet& written) {
    if (target.sort == Target::Sort::unit) return failed(unit_target(target), written);
    return target.sort == Target::Sort::process ? check_process(target, written)
                                                : check_group(target.name, written);
}

Outcome CgroupActuator::restore(const Target& target, const std::string& original) {
    if (target.sort == Target::Sort::unit) return failed(unit_target(target));
    return target.sort == Target::Sort::process ? restore_process(target, original)
                                                : restore_group(target.name, original);
}

Status CgroupActuator::may_change(const std::string& group) const {
    if (!hierarchy_.exists(group)) return std::unexpected(no_group(group));
    if (group == "/")
        return fail(Errc::not_attachable, "the root control group has no CPU set", "a group below it");
    if (hierarchy_.version() == 2 && named_like_a_unit(group) && ::access("/run/systemd/system", F_OK) == 0)
        return fail(Errc::held_by_other, fmt::format("the control group {} belongs to systemd", group),
                    "attach it by its name as unit:NAME");
    if (!hierarchy_.has_controller(group))
        return fail(Errc::controller_unavailable, fmt::format("{} has no cpuset controller", group),
                    fmt::format("+cpuset in the cgroup.subtree_control of {}", parent_of(group)));
    return {};
}

/// Asks beforehand what the kernel would refuse, or worse, accept without effect.
Status CgroupActuator::fits(const std::string& group, const CpuSet& cpus) const {
    const auto parent = parent_of(group);
    auto allowed = hierarchy_.effective(parent);
    if (!allowed) return std::unexpected(allowed.error());
    if (is_partition(group))
        *allowed |= hierarchy_.effective(group).value_or(CpuSet()); // taken from its parent
    // version 2 accepts a set that has nothing in common with the parent's and lets the tasks run on the
    // parent's
    const bool possible = hierarchy_.version() == 1 ? cpus.subset_of(*allowed) : cpus.intersects(*allowed);
    if (!possible)
        return fail(Errc::cpu_offline, fmt::format("{} cannot have the CPUs {}", group, cpus.text()),
                    fmt::format("its parent {} has {}", parent, allowed->text()));
    if (hierarchy_.version() == 2) return {};
    for (const auto& child : hierarchy_.children(group)) {
        const auto inner = hierarchy_.cpus(child);
        if (inner && !inner->subset_of(cpus))
            return fail(Errc::busy, fmt::format("{} cannot be confined to {}", group, cpus.text()),
                        fmt::format("its child {} has {}; shrink that first", child, inner->text()));
    }
    return {};
}

Outcome CgroupActuator::place_group(const std::string& group, const CpuSet& cpus) {
    if (auto may = may_change(group); !may) return failed(may.error(), cpus);
    const auto have = hierarchy_.cpus(group);
    if (!have) return failed(have.error(), cpus);
    if (*have != cpus) { // equal sets are not written: each write walks all the tasks
        if (auto possible = fits(group, cpus); !possible) return failed(possible.error(), cpus);
        if (auto wrote = hierarchy_.write(group, "cpuset.cpus", cpus.text()); !wrote) {
            if (!hierarchy_.exists(group)) return failed(no_group(group), cpus);
            return failed(wrote.error(), cpus);
        }
    }
    return check_group(group, cpus);
}

Outcome CgroupActuator::check_group(const std::string& group, const CpuSet& written) {
    if (!hierarchy_.exists(group)) return failed(no_group(group), written);
    const auto configured = hierarchy_.cpus(group);
    if (!configured) return failed({Errc::controller_unavailable, configured.error().text(), {}}, written);
    const auto effective = hierarchy_.effective(group);
    if (!effective) return failed(effective.error(), written);
    Outcome outcome{State::applied, written, *effective, {}};
    if (*configured != written) {
        // version 1 takes CPUs out of the set when they go offline
        outcome.state = configured->subset_of(written) ? State::overridden : State::foreign;
        outcome.detail = fmt::format("cpuset.cpus of {} is \"{}\", {} was written: something else wrote it",
                                     group, configured->text(), written.text());
    } else if (!effective->subset_of(written)) {
        outcome.state = State::overridden;
        outcome.detail = fmt::format("{} runs on {}: none of {} is online or left by its parents", group,
                                     effective->text(), written.text());
    } else if (*effective != written) {
        outcome.detail = fmt::format("its parents leave {} of {}", effective->text(), written.text());
    }
    if (outcome.state != State::applied) return outcome;
    std::size_t sampled = 0;
    for (const Pid tid : hierarchy_.some_tasks(group)) {
        if (++sampled > kSampledTasks) break;
        const auto cpus = affinity_of(tid);
        if (!cpus) continue; // ended meanwhile
        if (cpus->subset_of(written)) break;
        outcome.state = State::overridden;
        outcome.detail = fmt::format("task {} of {} still runs on {}", tid, group, cpus->text());
        break;
    }
    return outcome;
}

std::string CgroupActuator::told(const std::string& original) const {
    if (!original.starts_with(kGroupMark)) return told_process(original);
    const auto words = original.substr(kGroupMark.size());
    const auto cpus = words.substr(0, words.find(' '));
    return "cpuset.cpus " + (cpus.empty() ? "empty" : cpus);
}

/// Version 2 leaves tasks on the narrow set when it is simply unset, so: widen, verify, then unset.
Status CgroupActuator::clear(const std::string& group) {
    const auto wide = hierarchy_.effective(parent_of(group));
    if (!wide) return std::unexpected(wide.error());
    if (auto widened = hierarchy_.write(group, "cpuset.cpus", wide->text()); !widened) return widened;
    const auto now = check_group(group, *wide);
    if (now.state != State::applied || now.effective != *wide)
        return fail(Errc::not_applied,
                    fmt::format("widening {} to {} before unsetting it", group, wide->text()), now.detail);
    auto unset = hierarchy_.write(group, "cpuset.cpus", "");
    // The kernel unsets no set that tasks are in (ENOSPC). The wide one is all that its parent gives.
    if (!unset && unset.error().kind == Errc::busy) return {};
    return unset;
}

Outcome CgroupActuator::restore_group(const std::string& group, const std::string& original) {
    if (!original.starts_with(kGroupMark))
        return failed(
            {Errc::invalid_value, fmt::format("\"{}\" is no recorded control group", original), "cpus:LIST"});
    const auto text = original.substr(kGroupMark.size(), original.find(' ') - kGroupMark.size());
    const auto cpus = CpuSet::parse(text);
    if (!cpus) return failed(cpus.error());
    if (auto may = may_change(group); !may) return failed(may.error());
    if (auto left = leave_partition(group, original); !left) return failed(left.error());
    const auto now = hierarchy_.read(group, "cpuset.cpus");
    if (!now) return failed(now.error());
    Status put_back;
    if (*now == text) put_back = Status();
    else if (hierarchy_.version() == 2 && text.empty()) put_back = clear(group);
    else if (auto possible = text.empty() ? Status() : fits(group, *cpus); !possible) put_back = possible;
    else put_back = hierarchy_.write(group, "cpuset.cpus", text);
    if (!put_back) return failed(put_back.error());
    const auto after = hierarchy_.read(group, "cpuset.cpus");
    if (!after) return failed(after.error());
    const bool is_wide = hierarchy_.version() == 2 && text.empty(); // see clear()
    if (*after != text && !is_wide)
        return failed({Errc::not_applied, fmt::format("cpuset.cpus of {} is \"{}\"", group, *after),
                       fmt::format("\"{}\" was written back", text)});
    Outcome outcome{State::free, {}, {}, {}};
    if (auto effective = hierarchy_.effective(group)) outcome.effective = *effective;
    return outcome;
}

} // namespace schedd::actuators
