// Placing processes by affinity.
#include "service/actuators/affinity.h"

#include <vector>

#include <fmt/format.h>

#include "service/actuators/cpuset_reader.h"
#include "service/actuators/task_affinity.h"

namespace schedd::actuators {

namespace {

Status is_process(const Target& target) {
    if (target.sort == Target::Sort::process) return {};
    return fail(Errc::not_supported, fmt::format("{} cannot be placed by affinity", target.text()),
                "processes; control groups need --actuator=auto or cgroup");
}

} // namespace

Outcome failed(const Error& error, const CpuSet& written) {
    return {error.kind == Errc::no_such_object ? State::gone : State::invalid, written, {}, error.text()};
}

Result<CpuSet> AffinityActuator::current(const Target& target) {
    if (auto fits = is_process(target); !fits) return std::unexpected(fits.error());
    auto masks = read_masks(host_, target);
    if (!masks) return std::unexpected(masks.error());
    CpuSet all = masks->main.cpus;
    for (const auto& [tid, mask] : masks->others) all |= mask.cpus;
    return all;
}

Result<std::string> AffinityActuator::capture(const Target& target) {
    if (auto fits = is_process(target); !fits) return std::unexpected(fits.error());
    auto masks = read_masks(host_, target);
    if (!masks) return std::unexpected(masks.error());
    return masks->text();
}

Result<std::string> AffinityActuator::capture_child(const Target& parent, const std::string& parent_original,
                                                    const CpuSet& parent_written, const Target& child) {
    if (parent.sort != Target::Sort::process || child.sort != Target::Sort::process)
        return fail(Errc::no_such_object, fmt::format("{} inherits no affinity", child.text()));
    const auto original = ProcessMasks::parse(parent_original);
    if (!original) return std::unexpected(original.error());
    auto now = read_masks(host_, child);
    if (!now) return std::unexpected(now.error());
    // the kernel keeps of an inherited mask what the cpuset allows
    const auto inherited = parent_written & cpuset_of(host_, child.pid).value_or(parent_written);
    if (now->main.cpus != inherited)
        return fail(Errc::no_such_object, fmt::format("{} has an affinity of its own", child.text()),
                    now->text());
    ProcessMasks masks{original->main, {}};
    for (const auto& [tid, mask] : now->others)
        if (mask.cpus != inherited) masks.others[tid] = mask; // set by the child itself
    return masks.text();
}

Status AffinityActuator::place_threads(const Target& target, const CpuSet& cpus) {
    if (auto same = same_process(host_, target); !same) return same;
    std::vector<std::pair<Pid, CpuSet>> before;
    auto placed = for_each_thread(host_, target.pid, [&](Pid tid) -> Status {
        auto was = affinity_of(tid);
        if (!was) return std::unexpected(was.error());
        auto set = set_affinity(tid, {cpus, false});
        if (set) before.emplace_back(tid, *was);
        return set;
    });
    if (placed) return same_process(host_, target);
    // nothing half done: the threads before the one that refused go back
    const auto cpuset = cpuset_of(host_, target.pid);
    for (const auto& [tid, was] : before)
        static_cast<void>(set_affinity(tid, {was, cpuset && was == *cpuset}));
    return placed;
}

Outcome AffinityActuator::place(const Target& target, const CpuSet& cpus) {
    if (auto fits = is_process(target); !fits) return failed(fits.error(), cpus);
    if (auto placed = place_threads(target, cpus); !placed) return failed(placed.error(), cpus);
    return check(target, cpus);
}

Outcome AffinityActuator::check(const Target& target, const CpuSet& written) {
    if (auto fits = is_process(target); !fits) return failed(fits.error(), written);
    return check_threads(host_, target, written);
}

Outcome check_threads(Host& host, const Target& target, const CpuSet& written) {
    if (auto same = same_process(host, target); !same) return failed(same.error(), written);
    Outcome outcome{State::applied, written, {}, {}};
    const auto cpuset = cpuset_of(host, target.pid);
    bool are_all_theirs = true;
    auto read = for_each_thread(host, target.pid, [&](Pid tid) -> Status {
        const auto cpus = affinity_of(tid);
        if (!cpus) return std::unexpected(cpus.error());
        outcome.effective |= *cpus;
        const bool is_main = tid == target.pid;
        are_all_theirs = are_all_theirs && is_somebody_elses(*cpus, {&written, 1}, cpuset) &&
                         !(is_main && cpus->subset_of(written));
        if (!cpus->subset_of(written) && outcome.state == State::applied) {
            outcome.state = State::overridden;
            outcome.detail = fmt::format("thread {} is on {}, {} was written: something else placed it", tid,
                                         cpus->text(), written.text());
        }
        return {};
    });
    if (!read) return failed(read.error(), written);
    if (outcome.effective.empty())
        return failed({Errc::no_such_object, target.text() + " has ended", {}}, written);
    if (are_all_theirs && outcome.state == State::overridden) {
        outcome.state = State::foreign;
        outcome.detail = fmt::format("its affinity is {}, {} was written: somebody else has set it",
                                     outcome.effective.text(), written.text());
    }
    if (outcome.state == State::applied && outcome.effective != written)
        outcome.detail = fmt::format("its cpuset leaves {} of {}", outcome.effective.text(), written.text());
    return outcome;
}

std::string AffinityActuator::told(const std::string& original) const {
    const auto masks = ProcessMasks::parse(original);
    return masks ? masks->told() : original;
}

Outcome AffinityActuator::restore(const Target& target, const std::string& original) {
    return put_back(target, original, {});
}

Outcome AffinityActuator::put_back(const Target& target, const std::string& original,
                                   std::span<const CpuSet> written) {
    if (auto fits = is_process(target); !fits) return failed(fits.error());
    auto masks = ProcessMasks::parse(original);
    if (!masks) return failed(masks.error());
    const auto kept = written.empty() ? std::string() : keep_what_others_set(host_, target, written, *masks);
    const auto remark = restore_masks(host_, target, *masks, false);
    if (!remark) return failed(remark.error());
    Outcome outcome{State::free, {}, {}, remark->empty() ? kept : *remark};
    if (auto now = current(target)) outcome.effective = *now;
    return outcome;
}

} // namespace schedd::actuators
