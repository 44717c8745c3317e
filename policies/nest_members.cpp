// Following and measuring the members of a nest.
#include "policies/nest_members.h"

#include <algorithm>
#include <utility>

#include "policies/tracks.h"

namespace schedd::policies {

namespace {

/// Who wants less than this of a CPU is too small a sample of waiting.
constexpr double kLeastLoad = 0.02;
constexpr std::int64_t kMostLoad = std::int64_t{1000} * limits::kMaxCpus;

std::optional<Sample> value_of(const Port& port, Pid pid) {
    return port.collected(Parameter(static_cast<std::int64_t>(pid)));
}

} // namespace

/// Where a member may run says what it came with only while it is not held.
void NestMembers::follow(const Subjects& subjects, const CpuSet& usable) {
    policies::follow(tracks_, subjects);
    confined_ = 0;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        if (!subjects[i].held) tracks_[i].is_confined = !usable.subset_of(subjects[i].current);
        confined_ += tracks_[i].is_confined ? 1 : 0;
    }
}

bool NestMembers::measure(const Subjects& subjects, const Port& process_load, const Port& wait,
                          Time since) {
    wanted_ = {};
    bool has_processes = false;
    bool has_values = false;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        const Subject& subject = subjects[i];
        Track& track = tracks_[i];
        if (track.is_confined) continue;
        std::int64_t sum = 0;
        bool is_measured = subject.pids.empty(); // a group without processes wants nothing
        has_processes |= !subject.pids.empty();
        for (const Pid pid : subject.pids) {
            const auto sample = value_of(process_load, pid);
            if (!sample) continue;
            is_measured = has_values = true;
            sum += std::clamp<std::int64_t>(number_of(sample->value), 0, kMostLoad);
        }
        if (is_measured) {
            track.load = static_cast<double>(sum) / 1000;
            track.is_known = true;
        }
        count(subject, track);
        if (is_measured && track.load >= kLeastLoad && subject.demand.work_class != WorkClass::batch)
            look_at_waiting(subject, track.load, wait, since);
    }
    return has_values || !has_processes;
}

void NestMembers::count(const Subject& subject, const Track& track) {
    switch (subject.demand.work_class) {
    case WorkClass::latency: wanted_.latency += track.load; return;
    case WorkClass::normal: wanted_.normal += track.load; return;
    case WorkClass::batch: wanted_.batch += track.load; return;
    }
}

/// The share of its load that is waiting.
void NestMembers::look_at_waiting(const Subject& subject, double load, const Port& wait, Time since) {
    double waiting = 0;
    bool is_new = false;
    for (const Pid pid : subject.pids) {
        const auto sample = value_of(wait, pid);
        if (!sample) continue;
        is_new |= sample->time > since;
        waiting +=
            static_cast<double>(std::clamp<std::int64_t>(number_of(sample->value), 0, kMostLoad)) / 1000;
    }
    const double share = std::min(waiting / load, 1.0);
    if (!is_new || (!wanted_.waiting.empty() && share <= wanted_.waiting_share)) return;
    wanted_.waiting = subject.target.text();
    wanted_.waiting_share = share;
}

std::optional<std::size_t> NestMembers::find(const Target& target) const {
    const auto at = std::ranges::lower_bound(tracks_, target, {}, &Track::target);
    if (at == tracks_.end() || at->target != target) return std::nullopt;
    return static_cast<std::size_t>(at - tracks_.begin());
}

} // namespace schedd::policies
