// The engine's nodes: which schedulers are for this node, and what becomes of what they hold when that
// changes.
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "components/model/node_claims.h"
#include "components/placement/engine.h"

namespace schedd::placement {

void Engine::take_nodes() {
    if (!std::exchange(nodes_dirty_, false) || !tree_.environment().remote) return;
    for (auto& [scheduler, share] : share_nodes(tree_)) {
        auto& seat = seats_[scheduler->name()];
        bool is_news = true;
        try {
            is_news = scheduler->take_share(std::move(share));
        } catch (const std::exception& thrown) { // from its policy, which was told last
            eject(*scheduler, seat, fmt::format("it threw when nodes changed: {}", thrown.what()));
            verdicts_dirty_ = reports_dirty_ = true;
        }
        if (is_news)
            for (const auto* attribute : {"effective_node_set", "note"}) tree_.touched(*scheduler, attribute);
        if (seat.here != scheduler->runs_here()) take_here(*scheduler, seat);
    }
}

/// Of a scheduler that is not for this node any more all is let go, at once; while that is not known what is
/// held stays as under a new policy.
void Engine::take_here(Scheduler& scheduler, Seat& seat) {
    seat.here = scheduler.runs_here();
    views_dirty_ = verdicts_dirty_ = reports_dirty_ = true;
    if (seat.here == Here::no) {
        for (const auto& [target, held] : seat.decisions) changed_.push_back(target);
        seat.decisions.clear();
        seat.touched.clear();
    }
    if (seat.here == Here::yes)
        if (auto* policy = scheduler.policy()) policy->make_due();
}

} // namespace schedd::placement
