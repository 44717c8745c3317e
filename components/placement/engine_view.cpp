// The engine's view for each policy: the machine without the CPUs that other schedulers have given away
// alone.
#include <algorithm>
#include <utility>

#include "components/placement/engine.h"

namespace schedd::placement {

namespace {

/// Whose gifts are seen first.
struct Earlier {
    bool operator()(const Scheduler* a, const Scheduler* b) const {
        if (a->precedence() != b->precedence()) return a->precedence() > b->precedence();
        return a->name() < b->name();
    }
};

/// Of two that give CPUs away alone one does not see what the other has given, so that they never take turns
/// in giving way to each other: the one of larger precedence, whoever came first; of equal ones, once both
/// have given some, the first by name.
bool sees_past(const Scheduler& a, const Scheduler& b, bool both_have_given) {
    if (!a.policy() || !a.policy()->gives_alone()) return false;
    if (a.precedence() != b.precedence()) return a.precedence() > b.precedence();
    return both_have_given && a.name() < b.name();
}

} // namespace

const Topology& Engine::view_of(const Seat& seat) const { return seat.taken.empty() ? topology_ : seat.view; }

void Engine::take_views() {
    if (!std::exchange(views_dirty_, false)) return;
    const bool is_taken =
        std::ranges::any_of(seats_, [](const auto& row) { return !row.second.taken.empty(); });
    if (tree_.schedulers().children().size() < 2 && !is_taken) return; // there is nobody else
    std::map<const Scheduler*, std::vector<const Decision*>, Earlier> given;
    for_each_scheduler([&](const Scheduler& scheduler) {
        const auto seat = seats_.find(scheduler.name());
        if (seat == seats_.end()) return;
        for (const auto& [target, held] : seat->second.decisions)
            if (!held.decision.alone.empty()) given[&scheduler].push_back(&held.decision);
    });
    for_each_scheduler([&](Scheduler& scheduler) {
        const auto at = seats_.find(scheduler.name());
        if (at == seats_.end() || !scheduler.policy()) return;
        Seat& seat = at->second;
        CpuSet taken;
        for (const auto& [giver, decisions] : given) {
            if (giver == &scheduler || sees_past(scheduler, *giver, given.contains(&scheduler))) continue;
            CpuSet more = taken;
            for (const auto* decision : decisions)
                if (!holds(seat, decision->target)) more |= decision->alone; // else it narrows inside it
            // it must see something, and still not what the earlier ones have given: the planner tells the
            // conflict
            if (!topology_.usable().subset_of(more)) taken = more;
        }
        if (taken == seat.taken) return;
        seat.taken = taken;
        seat.view = topology_;
        seat.view.allowed = topology_.allowed - taken;
        scheduler.policy()->make_due();
    });
}

} // namespace schedd::placement
