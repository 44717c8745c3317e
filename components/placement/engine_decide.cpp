// The engine's deciding: policies that are due are asked, and what they want otherwise than before is noted.
#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "components/placement/engine.h"

namespace schedd::placement {

namespace {

/// A policy that thinks longer than this is put out of action: the loop is one thread.
constexpr Duration kDecideBudget = std::chrono::seconds(1);

bool is_same(const Decision& a, const Decision& b) {
    return a.cpus == b.cpus && a.reason == b.reason && a.tuning == b.tuning && a.alone == b.alone;
}

/// Empty if it names CPUs that are there.
std::string wrong_cpus(const Decision& decision, const CpuSet& usable) {
    const auto who = [&] { return decision.target == Target() ? "those who share" : decision.target.text(); };
    if (!decision.alone.subset_of(usable))
        return fmt::format("it gave {} CPUs alone that are not all there: {}", who(), decision.alone.text());
    if (!decision.cpus.intersects(usable))
        return fmt::format("it put {} on CPUs '{}', none of which is online and allowed", who(),
                           decision.cpus.text());
    return {};
}

} // namespace

void Engine::run_policies(Time now) {
    take_views();
    for_each_scheduler([&](Scheduler& scheduler) {
        auto* policy = scheduler.policy();
        if (!policy || !scheduler.ejected().empty()) return;
        auto& seat = seats_[scheduler.name()];
        if (seat.here == Here::no) return ask_leavers(scheduler, seat, now);
        if (seat.here != Here::yes) return;
        const bool is_due = policy->due() || policy->next_due() <= now;
        if (!is_due && seat.touched.empty()) return;
        if (is_frozen(scheduler.name(), seat)) return; // it stays due
        policy->done();
        if (run_policy(scheduler, seat, is_due, now)) verdicts_dirty_ = true;
    });
    take_views(); // of what they gave away just now: at the next turn, which is at once
}

void Engine::freeze(bool all, std::set<std::string> schedulers) {
    all_frozen_ = all;
    frozen_ = std::move(schedulers);
    // whoever may speak again gets the time for it
    for (auto& [name, seat] : seats_)
        if (seat.undecided) seat.policy_since = Time{};
    members_dirty_ = true;
    verdicts_dirty_ = true;
}

bool Engine::is_frozen(const std::string& scheduler, const Seat& seat) const {
    if (!all_frozen_ && !frozen_.contains(scheduler)) return false;
    return !seat.undecided || std::ranges::any_of(seat.subjects.all(), [&](const Subject& subject) {
        return outcomes_.contains(subject.target);
    });
}

/// What a policy says: about all, or about these alone.
struct Engine::Answer {
    std::vector<Decision> decisions;
    std::vector<Revision::Shift> shifts;
    std::vector<Move> moves;
    bool is_revision = false;
    std::vector<Target> touched;
};

/// One that is not due is only told who came, left or asks for something else, and may answer for them alone.
Engine::Answer Engine::ask(Policy& policy, Seat& seat, bool is_due, Time now) {
    Answer answer;
    answer.touched = std::exchange(seat.touched, {});
    std::ranges::sort(answer.touched);
    answer.touched.erase(std::ranges::unique(answer.touched).begin(), answer.touched.end());
    const View view{now, view_of(seat), seat.subjects.all(),
                    static_cast<const Scheduler&>(*policy.parent()).nodes(), mover_};
    if (auto revised = is_due ? std::nullopt : policy.revise(view, answer.touched)) {
        answer.decisions = std::move(revised->decisions);
        answer.shifts = std::move(revised->shifts);
        answer.is_revision = true;
        return answer;
    }
    read_current(seat);
    answer.decisions = policy.decide(view);
    answer.moves = ask_moves(policy, view);
    return answer;
}

/// True if all verdicts are void: it has spoken for the first time, or was ejected.
bool Engine::run_policy(Scheduler& scheduler, Seat& seat, bool is_due, Time now) {
    const Clock& clock = tree_.environment().clock;
    const Time started = clock.now();
    Answer answer;
    std::string why;
    try {
        answer = ask(*scheduler.policy(), seat, is_due, now);
        why = nonsense_in(seat, answer.decisions);
        for (const auto& shift : answer.shifts)
            if (why.empty()) why = wrong_cpus(shift.now, topology_.usable());
        if (why.empty()) why = nonsense_in(seat, scheduler.nodes(), answer.moves);
    } catch (const std::exception& thrown) { why = fmt::format("it threw: {}", thrown.what()); }
    if (clock.now() - started > kDecideBudget)
        why = fmt::format("it took {} ms to decide, {} are allowed", milliseconds_of(clock.now() - started),
                          milliseconds_of(kDecideBudget));
    if (!why.empty()) {
        eject(scheduler, seat, why);
        return true;
    }
    const bool is_first = std::exchange(seat.undecided, false);
    auto& decisions = answer.decisions;
    for (const auto& decision : decisions) gives_alone_ = gives_alone_ || !decision.alone.empty();
    for (const auto& shift : answer.shifts) {
        gives_alone_ = gives_alone_ || !shift.now.alone.empty();
        take_over(scheduler.name(), seat, shift, now);
    }
    views_dirty_ = views_dirty_ || gives_alone_;
    const bool in_order = std::ranges::is_sorted(decisions, std::ranges::less_equal{}, &Decision::target);
    if (answer.is_revision) take_over_some(scheduler.name(), seat, std::move(decisions), answer.touched, now);
    else if (in_order) take_over(scheduler.name(), seat, std::move(decisions), now);
    else take_over_unordered(scheduler.name(), seat, std::move(decisions), now);
    carry_out(scheduler.name(), answer.moves);
    return is_first;
}

/// Those of `touched` that are not decided about are let alone; everybody else stays as decided before.
void Engine::take_over_some(const std::string& scheduler, Seat& seat, std::vector<Decision> decisions,
                            const std::vector<Target>& touched, Time now) {
    std::ranges::stable_sort(decisions, {}, &Decision::target);
    for (const auto& target : touched)
        if (!std::ranges::binary_search(decisions, target, {}, &Decision::target) &&
            seat.decisions.erase(target) > 0)
            changed_.push_back(target);
    for (auto& decision : decisions) {
        const Target target = decision.target;
        const auto at = seat.decisions.find(target);
        if (at != seat.decisions.end() && is_same(at->second.decision, decision)) continue;
        if (listener_) listener_->decided(scheduler, target, decision);
        changed_.push_back(target);
        seat.decisions.insert_or_assign(target, Held{std::move(decision), now});
    }
}

/// Whoever was decided so is decided otherwise from now on.
void Engine::take_over(const std::string& scheduler, Seat& seat, const Revision::Shift& shift, Time now) {
    for (auto& [target, held] : seat.decisions) {
        if (!is_same(held.decision, shift.was)) continue;
        held = Held{shift.now, now};
        held.decision.target = target;
        if (listener_) listener_->decided(scheduler, target, held.decision);
        changed_.push_back(target);
    }
}

/// Notes whose decision is another than before. REQUIRES: ordered by target, each once.
void Engine::take_over(const std::string& scheduler, Seat& seat, std::vector<Decision> decisions, Time now) {
    auto at = seat.decisions.begin();
    for (auto& decision : decisions) {
        while (at != seat.decisions.end() && at->first != decision.target && at->first < decision.target) {
            changed_.push_back(at->first);
            at = seat.decisions.erase(at);
        }
        const bool is_known = at != seat.decisions.end() && at->first == decision.target;
        if (!is_known || !is_same(at->second.decision, decision)) {
            if (listener_) listener_->decided(scheduler, decision.target, decision);
            changed_.push_back(decision.target);
            if (!is_known) at = seat.decisions.emplace_hint(at, decision.target, Held{});
            at->second = Held{std::move(decision), now};
        }
        ++at;
    }
    for (; at != seat.decisions.end(); at = seat.decisions.erase(at)) changed_.push_back(at->first);
}

/// Of several decisions about one target the last counts.
void Engine::take_over_unordered(const std::string& scheduler, Seat& seat, std::vector<Decision> decisions,
                                 Time now) {
    std::map<Target, Held> next;
    for (auto& decision : decisions) {
        const auto before = seat.decisions.find(decision.target);
        const bool same = before != seat.decisions.end() && is_same(before->second.decision, decision);
        if (!same && listener_) listener_->decided(scheduler, decision.target, decision);
        if (!same) changed_.push_back(decision.target);
        const Time since = same ? before->second.since : now;
        const Target target = decision.target;
        next.insert_or_assign(target, Held{std::move(decision), since});
    }
    for (const auto& [target, held] : seat.decisions)
        if (!next.contains(target)) changed_.push_back(target);
    seat.decisions = std::move(next);
}

std::string Engine::nonsense_in(const Seat& seat, const std::vector<Decision>& decisions) const {
    const CpuSet usable = topology_.usable();
    const auto subjects = seat.subjects.all();
    auto subject = subjects.begin(); // most policies decide in the order of their subjects
    for (const auto& decision : decisions) {
        if (subject == subjects.end() || subject->target != decision.target)
            subject = std::ranges::lower_bound(subjects, decision.target, {}, &Subject::target);
        const bool is_it = subject != subjects.end() && subject->target == decision.target;
        if (is_it) ++subject;
        if (!is_it)
            return fmt::format("it decided about {}, which is not in its process set",
                               decision.target.text());
        if (auto why = wrong_cpus(decision, usable); !why.empty()) return why;
    }
    return {};
}

void Engine::eject(Scheduler& scheduler, Seat& seat, const std::string& why) {
    scheduler.set_ejected(why);
    seat.decisions.clear();
    seat.undecided = false;
    if (listener_) listener_->ejected(scheduler.name(), why);
    tree_.touched(scheduler, "ejected");
}

} // namespace schedd::placement
