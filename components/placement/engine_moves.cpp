// The engine's moves: what policies want on other nodes is handed to the mover, and new work finds its node.
#include <algorithm>
#include <exception>
#include <tuple>

#include <fmt/format.h>

#include "components/kit/log.h"
#include "components/placement/engine.h"

namespace schedd::placement {

namespace {

/// Why it is no place for work from here; "" if it is one.
std::string trouble_with(NodesView nodes, NodeId number) {
    const auto* node = node_of(nodes, number);
    if (!node) return fmt::format("node {}, which is not in its node set", number);
    return node->takes_work || node->is_self ? ""
                                             : fmt::format("node {}, which takes no work", text_of(*node));
}

} // namespace

std::vector<Move> Engine::ask_moves(Policy& policy, const View& view) const {
    return mover_ && !is_rehearsal_ && !view.nodes.empty() ? policy.moves(view) : std::vector<Move>();
}

std::string Engine::nonsense_in(const Seat& seat, NodesView nodes, const std::vector<Move>& moves) {
    for (const auto& move : moves) {
        if (!seat.subjects.all().find(move.target))
            return fmt::format("it wants {} moved, which is not in its process set", move.target.text());
        const auto* node = node_of(nodes, move.to);
        const auto why = node && node->is_self ? "this node" : trouble_with(nodes, move.to);
        if (!why.empty()) return fmt::format("it wants {} moved to {}", move.target.text(), why);
    }
    return {};
}

void Engine::carry_out(const std::string& scheduler, const std::vector<Move>& moves) {
    for (const auto& move : moves) {
        const auto begun = mover_->move(scheduler, move);
        if (!begun) // that another goes first is no news at each turn
            tree_.environment().log.write(begun.error().kind == Errc::busy ? Severity::debug : Severity::info,
                                          move.target.text(),
                                          fmt::format("{} wants it on node {} ({}): {}", scheduler, move.to,
                                                      move.reason, begun.error().text()));
        if (listener_) listener_->moved(scheduler, move, begun);
    }
}

/// Whether a policy whose scheduler is not for this node any more may still have its members moved away.
bool Engine::may_expel(const Scheduler& scheduler, const Seat& seat) const {
    return mover_ && seat.here == Here::no && seat.subjects.size() > 0 && !scheduler.nodes().empty();
}

/// It holds nobody here; all that it is asked is who of its members goes where.
void Engine::ask_leavers(Scheduler& scheduler, Seat& seat, Time now) {
    auto& policy = *scheduler.policy();
    if (!may_expel(scheduler, seat) || (!policy.due() && policy.next_due() > now)) return;
    if (is_frozen(scheduler.name(), seat)) return;
    policy.done();
    std::vector<Move> moves;
    std::string why;
    try {
        moves = ask_moves(policy, {now, view_of(seat), seat.subjects.all(), scheduler.nodes(), mover_});
        why = nonsense_in(seat, scheduler.nodes(), moves);
    } catch (const std::exception& thrown) { why = fmt::format("it threw: {}", thrown.what()); }
    if (!why.empty()) {
        eject(scheduler, seat, why);
        verdicts_dirty_ = true;
        return;
    }
    carry_out(scheduler.name(), moves);
}

/// Whom new work is to ask, in the order of the stack; `caller` counts as what it is a member of.
std::vector<Scheduler*> Engine::stack_for(const NewTask& task) const {
    using Rank = std::tuple<std::int64_t, bool, std::uint64_t>;
    const auto& processes = tree_.environment().processes;
    std::vector<std::pair<Rank, Scheduler*>> all;
    for_each_scheduler([&](Scheduler& scheduler) {
        const auto seat = seats_.find(scheduler.name());
        if (seat == seats_.end() || seat->second.here != Here::yes) return;
        if (!scheduler.policy() || !scheduler.ejected().empty()) return;
        if (is_frozen(scheduler.name(), seat->second)) return;
        if (!task.scheduler.empty()) {
            if (scheduler.name() == task.scheduler) all.emplace_back(Rank{}, &scheduler);
            return;
        }
        const auto& set = scheduler.process_set();
        const auto* caller = processes.find(task.caller);
        const auto match = caller ? set.match(*caller) : std::nullopt;
        if (!match && !set.handle_all()) return;
        all.emplace_back(match ? Rank{scheduler.precedence(), match->member != nullptr, match->order}
                               : Rank{scheduler.precedence(), false, set.handle_all_order()},
                         &scheduler);
    });
    std::ranges::stable_sort(all, std::ranges::greater{}, &std::pair<Rank, Scheduler*>::first);
    std::vector<Scheduler*> stack;
    for (const auto& [rank, scheduler] : all) stack.push_back(scheduler);
    return stack;
}

/// What this scheduler says; a policy that throws or names a wrong node is ejected and has said nothing.
std::optional<Destination> Engine::ask_place(Scheduler& scheduler, const NewTask& task, Time now) {
    auto& seat = seats_[scheduler.name()];
    const View view{now, view_of(seat), seat.subjects.all(), scheduler.nodes(), mover_};
    std::string why;
    try {
        auto found = scheduler.policy()->place_task(view, task);
        if (!found) return std::nullopt;
        why = trouble_with(view.nodes, found->node);
        if (why.empty() && std::ranges::find(task.refused, found->node) != task.refused.end())
            why = fmt::format("node {} again, which has refused", found->node);
        if (why.empty()) return found;
        why = fmt::format("it wants new work on {}", why);
    } catch (const std::exception& thrown) {
        why = fmt::format("it threw when asked about new work: {}", thrown.what());
    }
    eject(scheduler, seat, why);
    verdicts_dirty_ = true;
    return std::nullopt;
}

Result<TaskPlacement> Engine::place_task(const NewTask& task, Time now) {
    settle(now); // who the caller is may have changed since the last tick
    const auto stack = stack_for(task);
    if (!task.scheduler.empty() && stack.empty())
        return std::unexpected(Error{Errc::no_such_object, fmt::format("scheduler '{}'", task.scheduler),
                                     "there is none of that name with a policy that decides here"});
    for (auto* scheduler : stack)
        if (auto found = ask_place(*scheduler, task, now))
            return TaskPlacement{scheduler->name(), std::move(*found)};
    const auto* remote = tree_.environment().remote;
    const auto* self = remote ? self_of(remote->nodes()) : nullptr;
    return TaskPlacement{{},
                         {self ? self->number : -1, stack.empty() ? "no scheduler is asked about it"
                                                                  : "no scheduler has a node for it"}};
}

} // namespace schedd::placement
