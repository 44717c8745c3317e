// Reading what tasks have of their own, and giving it back.
#include "service/actuators/own_masks.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "components/kit/limits.h"
#include "components/kit/number.h"
#include "components/model/proc_text.h"
#include "service/actuators/task_affinity.h"

namespace schedd::actuators {

namespace {

constexpr int kDeepest = 8; // groups below the unit's that are looked at

/// When the task was started; 0 if it has ended.
std::uint64_t start_of(Host& host, Pid tid) {
    std::array<char, 1024> buffer;
    const auto text = host.read(fmt::format("proc/{}/stat", tid), buffer);
    const auto stat = text ? parse_proc_stat(*text) : std::nullopt;
    return stat ? stat->start_time : 0;
}

/// Calls `visit(tid, what its group gives)` for every task in the group and below.
template <class Visit>
Status for_each_task(const CpusetHierarchy& hierarchy, const std::string& group, int depth,
                     const Visit& visit) {
    const auto tasks = hierarchy.some_tasks(group);
    if (!tasks.empty()) {
        const auto given = hierarchy.effective(group);
        if (!given) return std::unexpected(given.error());
        for (const Pid tid : tasks)
            if (auto done = visit(tid, *given); !done) return done;
    }
    if (depth == kDeepest) return {};
    for (const auto& child : hierarchy.children(group))
        if (auto done = for_each_task(hierarchy, child, depth + 1, visit); !done) return done;
    return {};
}

/// Adds those in the group and below.
Status collect(const CpusetHierarchy& hierarchy, const std::string& group, std::size_t most,
               std::vector<OwnMask>& masks) {
    return for_each_task(hierarchy, group, 0, [&](Pid tid, const CpuSet& given) -> Status {
        const auto cpus = affinity_of(tid);
        // without a cpuset a task's mask also has the CPUs that are offline
        if (!cpus || given.subset_of(*cpus)) return {};
        const auto start = start_of(hierarchy.host(), tid);
        if (start == 0) return {};
        if (masks.size() == most)
            return fail(Errc::limit_exceeded,
                        fmt::format("more than {} tasks in {} have an affinity of their own", most, group),
                        "it would be lost (limit kOwnMasks)");
        masks.push_back({tid, start, *cpus});
        return {};
    });
}

} // namespace

std::string text_of(const std::vector<OwnMask>& masks) {
    std::string text;
    for (const auto& mask : masks)
        text +=
            fmt::format("{}{}/{}={}", text.empty() ? "" : ";", mask.tid, mask.start_time, mask.cpus.text());
    return text;
}

Result<std::vector<OwnMask>> parse_own_masks(std::string_view text) {
    std::vector<OwnMask> masks;
    while (!text.empty()) {
        const auto entry = text.substr(0, text.find(';'));
        text.remove_prefix(std::min(entry.size() + 1, text.size()));
        const auto slash = entry.find('/');
        const auto equals = entry.find('=');
        const auto junk = fail(Errc::invalid_value, fmt::format("\"{}\" is no task with its CPUs", entry),
                               "TID/START=CPUS, such as 1240/5678=0-4");
        if (slash == std::string_view::npos || equals == std::string_view::npos || equals < slash)
            return junk;
        const auto tid = parse_unsigned(entry.substr(0, slash));
        const auto start = parse_unsigned(entry.substr(slash + 1, equals - slash - 1));
        const auto cpus = CpuSet::parse(entry.substr(equals + 1));
        if (!tid || *tid == 0 || *tid > INT32_MAX || !start || !cpus || cpus->empty()) return junk;
        masks.push_back({static_cast<Pid>(*tid), *start, *cpus});
    }
    return masks;
}

Result<std::vector<OwnMask>> own_masks_in(const CpusetHierarchy& hierarchy, const std::string& group) {
    std::vector<OwnMask> masks;
    if (auto read = collect(hierarchy, group, limits::kOwnMasks, masks); !read)
        return std::unexpected(read.error());
    return masks;
}

std::vector<OwnMask> all_own_masks(const CpusetHierarchy& hierarchy) {
    std::vector<OwnMask> masks;
    for (const auto& group : hierarchy.children("/"))
        if (!collect(hierarchy, group, limits::kAllMasks, masks)) break; // the others are out of luck
    return masks;
}

void restore_forgotten(const CpusetHierarchy& hierarchy, const std::vector<OwnMask>& masks) {
    for (const auto& mask : masks) {
        const auto now = affinity_of(mask.tid);
        const auto group = group_of(hierarchy.host(), std::to_string(mask.tid));
        if (!now || !group || start_of(hierarchy.host(), mask.tid) != mask.start_time) continue;
        const auto given = hierarchy.effective(*group);
        // no CPU of it may be left: then it stays as the kernel has it
        if (given && given->subset_of(*now)) static_cast<void>(set_affinity(mask.tid, {mask.cpus, false}));
    }
}

Status restore_own_masks(const CpusetHierarchy& hierarchy, const std::string& group,
                         const std::vector<OwnMask>& masks, const CpuSet& usual) {
    if (masks.empty() && usual.empty()) return {};
    return for_each_task(hierarchy, group, 0, [&](Pid tid, const CpuSet& given) -> Status {
        const auto own = std::ranges::find(masks, tid, &OwnMask::tid);
        const bool is_known = own != masks.end() && own->start_time == start_of(hierarchy.host(), tid);
        const auto& wanted = is_known ? own->cpus : usual;
        const auto now = affinity_of(tid);
        if (wanted.empty() || !now || *now == wanted || (!is_known && !given.subset_of(*now))) return {};
        auto set = set_affinity(tid, {wanted, false});
        if (!set && set.error().kind == Errc::no_such_object) return {}; // it has ended
        if (!set && set.error().kind == Errc::cpu_offline) return {};    // none of them is there any more
        return set;
    });
}

} // namespace schedd::actuators
