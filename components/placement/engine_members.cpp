// The engine's members: what its schedulers are responsible for, and where that may run now.
#include <algorithm>
#include <utility>

#include "components/placement/engine.h"

namespace schedd::placement {

namespace {

constexpr std::size_t kTouched = 8192; // so many are as well looked at with all others

/// What a map has of a target, null if nothing; looked for near `at` first, which goes along: for walks in
/// the order of targets.
template <class Map>
const typename Map::mapped_type* row_of(const Map& rows, typename Map::const_iterator& at,
                                        const Target& target) {
    constexpr int kNear = 4;
    for (int step = 0; at != rows.end(); ++step) {
        if (at->first == target) return &(at++)->second;
        if (target < at->first) return nullptr;
        if (step == kNear) at = rows.lower_bound(target);
        else ++at;
    }
    return nullptr;
}

/// Whether a policy has something else to decide about.
bool asks_otherwise(const Subject& before, const Subject& now) {
    return before.demand != now.demand || before.weight != now.weight || before.member != now.member;
}

} // namespace

CpuSet Engine::current_of(const Target& target) {
    if (const auto at = outcomes_.find(target); at != outcomes_.end() && !at->second.effective.empty())
        return at->second.effective;
    const auto [at, is_new] = seen_.try_emplace(target);
    if (is_new) at->second = actuator_.current(target).value_or(topology_.usable());
    return at->second;
}

void Engine::read_current(Seat& seat) {
    auto outcome = outcomes_.cbegin();
    auto entry = ledger_.entries().begin();
    for (const auto& subject : seat.subjects.rows()) {
        const Target& target = subject->target;
        const auto* seen = row_of(outcomes_, outcome, target);
        subject->current = seen && !seen->effective.empty() ? seen->effective : current_of(target);
        subject->held = row_of(ledger_.entries(), entry, target) != nullptr;
    }
}

void Engine::refresh_members(Time now) {
    take_nodes();
    const auto generation = tree_.environment().processes.generation();
    if (!members_dirty_ && generation == seen_generation_) return;
    // most of what happens to processes is no concern of any member, and members may be many
    const bool are_others = std::exchange(members_dirty_, false);
    reports_dirty_ = reports_dirty_ || are_others;
    seen_generation_ = generation;
    bool any_differs = false;
    for_each_scheduler([&](Scheduler& scheduler) {
        auto& seat = seats_[scheduler.name()];
        if (seat.undecided && seat.policy_since == Time{}) seat.policy_since = now;
        reports_dirty_ = reports_dirty_ || scheduler.process_set().names_processes();
        any_differs = refresh_seat(scheduler, seat) || any_differs;
    });
    if (!any_differs) return;
    std::size_t all = 0;
    std::size_t processes = 0;
    for (const auto& [name, seat] : seats_) {
        all += seat.subjects.size();
        processes += seat.processes;
    }
    const bool was_mixed = std::exchange(is_mixed_, processes > 0 && processes < all);
    views_dirty_ = views_dirty_ || gives_alone_; // it may be given to others than before
    verdicts_dirty_ = verdicts_dirty_ || are_others || was_mixed != is_mixed_;
}

/// Takes over what has changed in its process set; false if nothing has.
bool Engine::refresh_seat(Scheduler& scheduler, Seat& seat) {
    const auto& set = scheduler.process_set();
    const auto subjects =
        set.subjects({actuator_.handles(Target::Sort::cgroup), actuator_.handles(Target::Sort::unit)});
    if (seat.revision == set.revision()) return false;
    const auto changed = set.changed_since(std::exchange(seat.revision, set.revision()));
    if (!changed) {
        refresh_whole_seat(scheduler, seat, subjects);
        return true;
    }
    for (const auto& target : *changed)
        refresh_subject(scheduler.name(), seat, target, subjects.find(target));
    auto* policy = scheduler.policy();
    if (!policy || !scheduler.ejected().empty()) seat.touched.clear(); // nobody will ask for it
    else if (seat.touched.size() > kTouched) {                         // frozen for long
        seat.touched.clear();
        policy->make_due();
    }
    return true;
}

void Engine::refresh_whole_seat(Scheduler& scheduler, Seat& seat, const Subjects& subjects) {
    seat.subjects.assign({subjects.begin(), subjects.end()});
    seat.processes = static_cast<std::size_t>(
        std::ranges::count(subjects, Target::Sort::process, [](const Subject& s) { return s.target.sort; }));
    for (const auto& subject : subjects) look_at_started(subject);
    read_current(seat);
    std::erase_if(seat.decisions, [&](const auto& held) { return !holds(seat, held.first); });
    if (auto* policy = scheduler.policy(); policy && !seat.undecided) policy->make_due();
    reports_dirty_ = true;
    verdicts_dirty_ = true;
    std::erase_if(seen_, [&](const auto& seen) { return !is_anyones(seen.first); });
}

/// `now` is null if it is none any more.
void Engine::refresh_subject(const std::string& scheduler, Seat& seat, const Target& target,
                             const Subject* now) {
    auto* before = seat.subjects.find(target);
    if (!before && !now) return;
    const bool is_process = target.sort == Target::Sort::process;
    const bool is_news = !before || !now || asks_otherwise(*before, *now);
    if (is_news && !seat.undecided && seat.here == Here::yes) seat.touched.push_back(target);
    if (is_process && (!before || !now)) seat.processes += now ? 1U : -1U;
    changed_.push_back(target); // what it stands for binds others
    retold_.push_back(target);
    if (before && (!now || now->member != before->member))
        left_.push_back({scheduler, before->member, target});
    if (!now) {
        seat.subjects.erase(target);
        seat.decisions.erase(target);
        if (!is_anyones(target)) seen_.erase(target);
        return;
    }
    look_at_started(*now);
    auto& subject = seat.subjects.put(*now);
    subject.current = current_of(target);
    subject.held = ledger_.find(target) != nullptr;
}

/// A unit that waited for its start has its first process: whoever waits for it to be placed waits in its
/// start.
void Engine::look_at_started(const Subject& subject) {
    if (subject.target.sort != Target::Sort::unit || subject.pids.empty() || is_rehearsal_) return;
    const auto at = outcomes_.find(subject.target);
    if (at != outcomes_.end() && at->second.state == State::pending) redo(subject.target, at->second);
}

bool Engine::holds(const Seat& seat, const Target& target) {
    return seat.subjects.all().find(target) != nullptr;
}

bool Engine::is_anyones(const Target& target) const {
    return std::ranges::any_of(seats_, [&](const auto& seat) { return holds(seat.second, target); });
}

void Engine::process_arrived(const ProcessInfo& process) {
    if (held_processes_.contains(process.parent) || released_.contains(process.parent))
        newborn_.push_back(process);
}

} // namespace schedd::placement
