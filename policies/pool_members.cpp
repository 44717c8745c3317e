// Trying members on pools and adding up what they want.
#include "policies/pool_members.h"

#include <algorithm>
#include <map>
#include <utility>

#include "policies/tracks.h"

namespace schedd::policies {

namespace {

/// Masks of one pool that are counted: an earlier run left one, the others are somebody else's.
constexpr std::size_t kMostSets = 64;

} // namespace

void PoolMembers::follow(std::vector<PoolSpec> specs) {
    specs_ = std::move(specs);
    for (Track& track : tracks_) track.is_new = true;
}

void PoolMembers::assign(Track& track, const Subject& subject) const {
    track.member = subject.member;
    track.work_class = subject.demand.work_class;
    track.is_new = false;
    track.rule.clear();
    const auto own = subject.target.text();
    for (track.pool = 0; track.pool < specs_.size(); ++track.pool) {
        track.rule = specs_[track.pool].rule_for(track.member, own, track.work_class);
        if (!track.rule.empty()) return;
    }
}

void PoolMembers::follow(const Subjects& subjects) {
    policies::follow(tracks_, subjects);
    sums_.assign(specs_.size() + 1, {});
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        Track& track = tracks_[i];
        if (track.is_new || track.member != subjects[i].member ||
            track.work_class != subjects[i].demand.work_class)
            assign(track, subjects[i]);
        ++sums_[track.pool].members;
    }
}

void PoolMembers::measure(const Subjects& subjects, const Port& process_load) {
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        Track& track = tracks_[i];
        double load = 0;
        bool is_seen = subjects[i].pids.empty(); // where nobody runs nothing is wanted
        for (const Pid pid : subjects[i].pids) {
            const auto sample = process_load.collected(Parameter(static_cast<std::int64_t>(pid)));
            if (!sample) continue;
            is_seen = true;
            load += std::max(static_cast<double>(number_of(sample->value)) / 1000, 0.0);
        }
        if (is_seen) track.load = load;
        Sum& sum = sums_[track.pool];
        sum.load += track.load;
        sum.seen += is_seen ? 1 : 0;
    }
}

void PoolMembers::add_short_lived(const Subjects& subjects, const Port& cgroup_usage) {
    struct Group {
        std::size_t pool = 0;
        double load = 0; // of itself, with what is added
    };
    std::map<std::string_view, Group> groups;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        if (subjects[i].group.empty()) continue;
        const auto at = groups.try_emplace(subjects[i].group, Group{.pool = tracks_[i].pool}).first;
        at->second.load += tracks_[i].load;
    }
    // backwards, what lies inside a group comes before it
    for (auto at = groups.rbegin(); at != groups.rend(); ++at) {
        auto& [path, group] = *at;
        const auto sample = cgroup_usage.collected(Parameter(path));
        if (!sample) continue;
        const auto below = std::string(path) + (path == "/" ? "" : "/");
        double known = group.load;
        for (auto inner = groups.upper_bound(below); inner != groups.end() && inner->first.starts_with(below);
             ++inner)
            known += inner->second.load;
        const double beyond = static_cast<double>(number_of(sample->value)) / 1000 - known;
        if (beyond <= 0) continue;
        group.load += beyond;
        sums_[group.pool].load += beyond;
        sums_[group.pool].seen += 1;
    }
}

std::optional<double> PoolMembers::load(std::size_t pool) const {
    const Sum& sum = sums_[pool];
    if (sum.members > 0 && sum.seen == 0) return std::nullopt;
    return sum.load;
}

std::size_t PoolMembers::first_unseen() const {
    std::size_t pool = 0;
    while (pool < specs_.size() && load(pool)) ++pool;
    return pool;
}

std::vector<CpuSet> PoolMembers::held_on(const Subjects& subjects) const {
    std::vector<std::vector<std::pair<CpuSet, int>>> votes(specs_.size() + 1);
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        if (!subjects[i].held) continue;
        auto& sets = votes[tracks_[i].pool];
        const auto at = std::ranges::find(sets, subjects[i].current, &std::pair<CpuSet, int>::first);
        if (at != sets.end()) ++at->second;
        else if (sets.size() < kMostSets) sets.emplace_back(subjects[i].current, 1);
    }
    std::vector<CpuSet> held(votes.size());
    for (std::size_t pool = 0; pool < votes.size(); ++pool)
        if (const auto most = std::ranges::max_element(votes[pool], {}, &std::pair<CpuSet, int>::second);
            most != votes[pool].end())
            held[pool] = most->first;
    return held;
}

std::optional<std::size_t> PoolMembers::find(const Target& target) const {
    const auto at = std::ranges::lower_bound(tracks_, target, {}, &Track::target);
    if (at == tracks_.end() || at->target != target) return std::nullopt;
    return static_cast<std::size_t>(at - tracks_.begin());
}

} // namespace schedd::policies
