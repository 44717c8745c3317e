// The engine's rehearsal: what would be placed otherwise if things were as they are in this copy of the
// process.
#include <utility>

#include "components/placement/engine.h"

namespace schedd::placement {

namespace {

constexpr int kRounds = 4; // a policy's decision may make another's due

PlannedChange change_of(const Target& target, const Verdict& before, const Verdict& after) {
    PlannedChange change{target, {}, before.cpus, after.cpus, after.tuning, {}, {}, {}};
    if (auto now = after.disagreement(); now != before.disagreement()) change.conflict = std::move(now);
    for (const auto& opinion : after.opinions) {
        if (opinion.result == Opinion::Result::conflict) continue;
        change.scheduler = opinion.scheduler; // the last that has a say
        change.reason = opinion.reason;
    }
    return change;
}

} // namespace

std::vector<PlannedChange> Engine::rehearse(Time now) {
    is_rehearsal_ = true;
    listener_ = nullptr;
    const auto before = std::exchange(verdicts_, {});
    for (int round = 0; round < kRounds; ++round) {
        refresh_members(now);
        run_policies(now);
    }
    const auto after = combine(wishes(), topology_.usable());
    std::vector<PlannedChange> changes;
    const Verdict none;
    for (const auto& [target, verdict] : after) {
        const auto at = before.find(target);
        const auto& was = at == before.end() ? none : at->second;
        const bool is_disputed = verdict.has_conflict() && verdict.disagreement() != was.disagreement();
        if (was.cpus != verdict.cpus || was.tuning != verdict.tuning || is_disputed)
            changes.push_back(change_of(target, was, verdict));
    }
    // what a new policy has not decided about yet is kept for a while
    for (const auto& [target, verdict] : before)
        if (!after.contains(target) && grace_for(target) <= now)
            changes.push_back(change_of(target, verdict, none));
    for (auto& change : changes)
        if (const auto* process = tree_.environment().processes.find(change.target.pid))
            change.comm = process->comm;
    return changes;
}

} // namespace schedd::placement
