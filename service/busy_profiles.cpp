// CPU time of members, between two looks.
#include "service/busy_profiles.h"

#include <algorithm>
#include <utility>

namespace schedd::service {

namespace {
/// Whether it decides or not: what a held profile stands for may put out of action the very scheduler that
/// holds it, which would then let the profile go, be active again, and so on without end.
bool is_for_here(const Scheduler& scheduler) {
    if (scheduler.is_active()) return scheduler.runs_here() != Here::no;
    return !scheduler.has_share() || self_of(scheduler.nodes()) != nullptr;
}
} // namespace

bool BusyProfiles::look(Time now, ProcessSet::Whole whole) {
    const bool any = std::ranges::any_of(tree_.schedulers().children(), [](const auto& part) {
        return static_cast<const Scheduler&>(*part).hold_profile() != "none";
    });
    if (any && next_ == kNever) next_ = now;
    if (now < next_) return false;
    std::map<std::string, std::string> wanted;
    std::map<std::string, Seen> seen;
    for (const auto& part : tree_.schedulers().children()) {
        const auto& scheduler = static_cast<const Scheduler&>(*part);
        if (scheduler.hold_profile() == "none" || !is_for_here(scheduler)) continue;
        auto& of_this = seen[scheduler.name()] = std::move(seen_[scheduler.name()]);
        if (is_busy(scheduler, of_this, now, whole)) wanted[scheduler.name()] = scheduler.hold_profile();
    }
    seen_ = std::move(seen);
    next_ = seen_.empty() ? kNever : now + kLook;
    const bool is_other = wanted != wanted_;
    wanted_ = std::move(wanted);
    return is_other;
}

/// What a process used before it was first seen says nothing of now.
bool BusyProfiles::is_busy(const Scheduler& scheduler, Seen& seen, Time now, ProcessSet::Whole whole) {
    std::unordered_map<Pid, std::uint64_t> used_ns;
    std::uint64_t grown_ns = 0;
    for (const auto& subject : scheduler.process_set().subjects(whole))
        for (const Pid pid : subject.pids) {
            const auto used = host_.cpu_time_of(pid);
            if (!used || !used_ns.emplace(pid, *used).second) continue;
            const auto before = seen.used_ns.find(pid);
            if (before != seen.used_ns.end() && *used > before->second) grown_ns += *used - before->second;
        }
    const auto passed_ns = static_cast<std::uint64_t>((now - seen.at).count());
    if (seen.at != Time{} && grown_ns * 1000 >= kBusy * passed_ns) seen.busy_until = now + kStays;
    seen.at = now;
    seen.used_ns = std::move(used_ns);
    if (seen.used_ns.empty()) seen.busy_until = Time{}; // all have ended
    return now < seen.busy_until;
}

} // namespace schedd::service
