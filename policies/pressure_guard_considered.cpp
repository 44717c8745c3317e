// Sentences about the next step of a pressure_guard.
#include "policies/pressure_guard_considered.h"

#include <algorithm>

#include "policies/considered.h"

namespace schedd::policies {

namespace {

constexpr std::int64_t kAllTheTime = 1000;

std::string seen(unsigned count, unsigned of) {
    return fmt::format("{} of {}", count, counted(static_cast<int>(of), "update"));
}

/// The next step either way, and what gives CPUs back without one.
void consider_steps(const GuardStanding& guard, std::vector<std::string>& lines) {
    const CoreOrder& cores = guard.cores;
    const Squeeze& squeeze = guard.squeeze;
    const SqueezeRules& by = guard.rules;
    const int taken = squeeze.taken();
    const auto with = [&](int less) { return cores.first(cores.size() - less); };
    if (taken < by.most)
        lines.push_back(fmt::format("{} beyond {:g} % {} been seen: then the pool shrinks to CPUs {}",
                                    seen(squeeze.over(), squeeze.patience_wanted(by)), by.bound / 10,
                                    squeeze.over() == 1 ? "has" : "have",
                                    with(std::min(taken + by.step, by.most)).text()));
    else lines.push_back(fmt::format("no more is taken: the floor is {}", counted(guard.floor, "CPU")));
    if (taken == 0) return;
    const CpuSet larger = with(std::max(0, taken - by.step));
    lines.push_back(fmt::format("{} below {:g} % {} been seen: then the pool grows to CPUs {}",
                                seen(squeeze.well(), squeeze.calm_wanted(by)), by.well / 10,
                                squeeze.well() == 1 ? "has" : "have", larger.text()));
    lines.push_back(fmt::format("floor={} would give it CPUs {} at once", larger.count(), larger.text()));
    if (static_cast<double>(guard.worst_share) > by.bound && guard.worst_share < kAllTheTime)
        lines.push_back(fmt::format("bound={} would take what {} waits for bearable",
                                    (guard.worst_share + 9) / 10, guard.worst));
}

void consider_latency(const GuardStanding& guard, std::vector<std::string>& lines) {
    if (guard.own_share)
        lines.push_back(fmt::format("it waited for a CPU {:.1f} % of the time itself",
                                    static_cast<double>(*guard.own_share) / 10));
    else lines.emplace_back("it has no value of its own: neither pressure nor wait tells of it");
    const int cores = guard.cores.size();
    const int outside = guard.squeeze.taken();
    const auto now = outside == 1 ? std::string("1 is") : fmt::format("{} are", outside);
    if (!guard.is_kept_apart)
        lines.push_back(fmt::format("keep_apart=true would keep it off the pool's CPUs {} once half of the "
                                    "{} cores are outside of it, {} now",
                                    guard.cores.first(cores - outside).text(), cores, now));
    else if (2 * outside < cores)
        lines.push_back(fmt::format("it is kept apart only when half of the {} cores are outside of the "
                                    "pool, {} now",
                                    cores, now));
}

} // namespace

std::vector<std::string> considered_by(const GuardStanding& guard, WorkClass work_class) {
    std::vector<std::string> lines;
    if (work_class == WorkClass::normal) {
        lines.emplace_back("members of class normal are never touched; CPUs are taken from class batch");
        return lines;
    }
    if (!guard.worst.empty())
        lines.push_back(fmt::format("{} waited most, {:.1f} % of the time: beyond {:g} % is too much, below "
                                    "{:g} % is well",
                                    guard.worst, static_cast<double>(guard.worst_share) / 10,
                                    guard.rules.bound / 10, guard.rules.well / 10));
    if (!guard.note.empty()) lines.push_back(guard.note);
    if (work_class == WorkClass::latency) {
        consider_latency(guard, lines);
        return lines;
    }
    consider_steps(guard, lines);
    if (!guard.home.empty())
        lines.push_back(fmt::format("it came with CPUs {} and never gets others", guard.home.text()));
    return lines;
}

} // namespace schedd::policies
