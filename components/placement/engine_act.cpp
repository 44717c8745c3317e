// The engine's acting half: verdicts, steps, releases and what forked children inherit.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "components/kit/log.h"
#include "components/placement/engine.h"

namespace schedd::placement {

namespace {

/// How long after a release a fork that happened before it may still become known.
constexpr Duration kForkNotice = std::chrono::seconds(2);

/// How many steps, from the first, are for this tick.
std::size_t steps_of_a_tick(const Plan& plan) {
    std::size_t count = 0;
    std::size_t units = 0;
    for (const auto& step : plan.steps) {
        if (count == limits::kStepsPerTick) break;
        if (step.target.sort == Target::Sort::unit && ++units > limits::kUnitStepsPerTick) break;
        ++count;
    }
    return count;
}

/// What may be there by our doing.
std::vector<CpuSet> written_by(const Ledger::Entry& entry) {
    std::vector<CpuSet> written;
    for (const auto* cpus : {&entry.written, &entry.before})
        if (!cpus->empty()) written.push_back(*cpus);
    return written;
}

} // namespace

void Engine::process_left(Pid pid) {
    const auto at = held_processes_.find(pid);
    if (at == held_processes_.end()) return;
    // a reused pid is another target; this one's line in the ledger is void
    ledger_.forget(at->second);
    came_with_.erase(at->second);
    outcomes_.erase(at->second);
    held_processes_.erase(at);
    reports_dirty_ = true;
}

/// A child is born with its parent's mask, and is taken over as if it had been captured before, so that it is
/// put back too when nobody wants it narrowed.
void Engine::take_newborn(Time now) {
    // by index: a child may itself have children in the list, which are looked at after it
    for (std::size_t i = 0; i < newborn_.size(); ++i) {
        const auto& child = newborn_[i];
        if (held_processes_.contains(child.parent)) take_child(child);
        else if (const auto parent = released_.find(child.parent); parent != released_.end())
            free_child(child, parent->second);
    }
    newborn_.clear();
    std::erase_if(released_, [&](const auto& row) { return now - row.second.at > kForkNotice; });
}

void Engine::take_child(const ProcessInfo& child) {
    const Target& parent = held_processes_.at(child.parent);
    const auto* entry = ledger_.find(parent);
    const auto target = Target::process(child.pid, child.start_time);
    if (!entry || ledger_.find(target)) return;
    auto original = actuator_.capture_child(parent, entry->original, entry->written, target);
    if (!original) return;
    Ledger::Entry inherited{entry->actuator, std::move(*original), entry->written};
    if (!ledger_.record({{target, inherited}})) return;
    if (const auto at = came_with_.find(parent); at != came_with_.end())
        came_with_.insert_or_assign(target, CpuSet(at->second));
    outcomes_[target] = {State::applied, inherited.written, inherited.written, "inherited from its parent"};
    held_processes_.insert_or_assign(child.pid, target);
    verdicts_dirty_ = true;
}

/// Its parent was let go between the fork and the news of it.
void Engine::free_child(const ProcessInfo& child, const Released& parent) {
    const auto target = Target::process(child.pid, child.start_time);
    const auto original =
        actuator_.capture_child(parent.target, parent.entry.original, parent.entry.written, target);
    if (!original) return;
    const auto outcome = actuator_.put_back(target, *original, written_by(parent.entry));
    if (outcome.state == State::invalid)
        tree_.environment().log.write(Severity::error, target.text(),
                                      "could not be restored: " + outcome.detail);
    released_.insert_or_assign(child.pid, Released{target,
                                                   {parent.entry.actuator, *original, parent.entry.written},
                                                   parent.at});
}

void Engine::combine_and_act(Time now) {
    auto changed = std::exchange(changed_, {});
    // a process and the group it is in bind each other: what is decided for one may change the other's
    // verdict; so do CPUs given alone, across schedulers
    const auto concerned =
        std::ranges::count_if(seats_, [](const auto& row) { return row.second.subjects.size() > 0; });
    const bool binds = is_mixed_ || (gives_alone_ && concerned > 1);
    if (verdicts_dirty_ || now >= grace_ends_ || (binds && !changed.empty())) combine_all(now);
    else if (!changed.empty()) combine_some(std::move(changed), now);
    else if (!rest_.empty()) act_on({}, {}, now);
}

void Engine::combine_all(Time now) {
    verdicts_dirty_ = false;
    reports_dirty_ = true;
    grace_ends_ = kNever;
    rest_.clear(); // planned anew
    auto all = wishes();
    gives_alone_ = std::ranges::any_of(all, [](const Wish& wish) { return !wish.decision.alone.empty(); });
    auto verdicts = combine(std::move(all), topology_.usable());
    tell_conflicts(verdicts);
    verdicts_ = std::move(verdicts);
    Holdings held;
    // what was refused is not tried again at each decision, but at the next read-back
    for (const auto& [target, outcome] : outcomes_)
        held.emplace(target, outcome.state == State::invalid ? outcome.refused : outcome.written);
    act_on(verdicts_, held, now);
}

/// Verdicts of targets that do not bind each other are combined one by one.
void Engine::combine_some(std::vector<Target> changed, Time now) {
    std::ranges::sort(changed);
    changed.erase(std::ranges::unique(changed).begin(), changed.end());
    const auto verdicts = combine(wishes_for(changed), topology_.usable());
    tell_conflicts(verdicts);
    std::erase_if(rest_, [&](const Step& step) { return std::ranges::binary_search(changed, step.target); });
    Holdings held;
    for (const auto& target : changed) {
        if (const auto verdict = verdicts.find(target); verdict != verdicts.end())
            verdicts_.insert_or_assign(target, verdict->second);
        else verdicts_.erase(target);
        if (const auto at = outcomes_.find(target); at != outcomes_.end())
            held.emplace(target,
                         at->second.state == State::invalid ? at->second.refused : at->second.written);
    }
    act_on(verdicts, held, now);
    retold_.insert(retold_.end(), std::make_move_iterator(changed.begin()),
                   std::make_move_iterator(changed.end()));
}

/// Of conflicts that were not there before. REQUIRES: verdicts_ is what was before.
void Engine::tell_conflicts(const std::map<Target, Verdict>& verdicts) {
    if (!listener_) return;
    for (const auto& [target, verdict] : verdicts) {
        if (!verdict.has_conflict()) continue;
        const auto before = verdicts_.find(target);
        const auto is_known = [&](const Opinion& now) {
            return before != verdicts_.end() &&
                   std::ranges::any_of(before->second.opinions, [&](const Opinion& then) {
                       return then.scheduler == now.scheduler && then.result == now.result;
                   });
        };
        for (const auto& opinion : verdict.opinions)
            if (opinion.result == Opinion::Result::conflict && !is_known(opinion))
                listener_->conflicted(opinion.scheduler, target,
                                      fmt::format("wants CPUs {}, but {} are decided", opinion.cpus.text(),
                                                  verdict.cpus.text()));
            else if (opinion.result == Opinion::Result::disputes && !is_known(opinion))
                listener_->conflicted(opinion.scheduler, target,
                                      fmt::format("gave CPUs {} to {} alone, and nothing else would be left",
                                                  opinion.cpus.text(), opinion.member));
    }
}

void Engine::act_on(const std::map<Target, Verdict>& verdicts, const Holdings& held, Time now) {
    auto plan = make_plan(verdicts, held, tuned_);
    std::erase_if(plan.releases, [&](const Target& target) {
        const Time until = grace_for(target);
        if (until <= now) return false;
        grace_ends_ = std::min(grace_ends_, until);
        return true;
    });
    // what an earlier turn has left over goes on behind it
    plan.steps.insert(plan.steps.end(), std::make_move_iterator(rest_.begin()),
                      std::make_move_iterator(rest_.end()));
    rest_.clear();
    // yield: what somebody else has written is theirs
    std::erase_if(plan.steps, [&](const Step& step) {
        const auto at = outcomes_.find(step.target);
        return at != outcomes_.end() && at->second.state == State::foreign;
    });
    if (!plan.steps.empty() && is_stale()) {
        plan.steps.clear();
        verdicts_dirty_ = true; // planned anew
    }
    carry_out(std::move(plan), now);
}

/// Whether CPUs came or went between the decision and now, which nobody has been told yet. Costs a read of a
/// small file in ticks that place something.
bool Engine::is_stale() {
    const auto online = actuator_.online();
    if (!online || *online == topology_.online || told_online_ == online) return false;
    told_online_ = online;
    const Error error{Errc::stale_topology, fmt::format("decided for CPUs {}", topology_.online.text()),
                      fmt::format("{} are online now; decided anew", online->text())};
    tree_.environment().log.write(Severity::notice, "topology", error.text());
    if (listener_) listener_->topology_is_stale();
    return true;
}

void Engine::carry_out(Plan plan, Time now) {
    const auto end = plan.steps.begin() + static_cast<std::ptrdiff_t>(steps_of_a_tick(plan));
    rest_.assign(std::make_move_iterator(end), std::make_move_iterator(plan.steps.end()));
    plan.steps.erase(end, plan.steps.end());
    const auto& steps = plan.steps;
    std::vector<std::pair<Target, Ledger::Entry>> added;
    for (const auto& step : steps) {
        if (ledger_.find(step.target)) continue;
        auto original = actuator_.capture(step.target);
        if (!original) {
            refuse(step, original.error());
            continue;
        }
        came_with_.insert_or_assign(step.target, current_of(step.target));
        added.emplace_back(step.target,
                           Ledger::Entry{std::string(actuator_.name()), std::move(*original), step.cpus});
    }
    for (const auto& step : steps) ledger_.note_written(step.target, step.cpus);
    // Nothing is touched that the ledger does not know: on a full disk the machine stays as it is.
    auto recorded = ledger_.record(added);
    if (recorded) recorded = ledger_.flush();
    if (!recorded)
        tree_.environment().log.write(Severity::error, "ledger",
                                      "nothing is placed: " + recorded.error().text());
    for (const auto& step : steps) {
        if (!recorded) refuse(step, recorded.error());
        else if (ledger_.find(step.target)) carry_out(step);
        retold_.push_back(step.target);
        tell_progress();
    }
    release(plan.releases);
    redo_processes_after(plan);
    if (!outcomes_.empty() && next_check_ <= now) next_check_ = now + kCheckPeriod;
}

void Engine::carry_out(const Step& step) {
    const auto& target = step.target;
    const auto before = outcomes_.find(target);
    const bool is_new = before == outcomes_.end() || before->second.written.empty();
    const bool was_elsewhere = current_of(target) != step.cpus;
    auto outcome = place(target, step.cpus, step.tuning);
    ++steps_;
    seen_.erase(target);
    if (outcome.state == State::gone) ledger_.forget(target);
    if (outcome.state == State::gone || outcome.state == State::invalid) {
        refuse(step, std::move(outcome));
        return;
    }
    if (was_elsewhere && !is_new && outcome.state == State::applied)
        ++seats_[verdicts_.at(target).opinions.front().scheduler].moves;
    if (target.sort == Target::Sort::process) held_processes_.insert_or_assign(target.pid, target);
    if (listener_) listener_->placed(target, verdicts_.at(target), outcome);
    outcomes_[target] = std::move(outcome);
}

/// CPUs first, the rest after them. What was there before is recorded before the first touch.
Outcome Engine::place(const Target& target, const CpuSet& cpus, const Tuning& tuning) {
    auto outcome = actuator_.place(target, cpus);
    const bool is_done = outcome.state != State::gone && outcome.state != State::invalid;
    const auto* entry = ledger_.find(target);
    if (!is_done || !entry || (tuning.empty() && !tuned_.contains(target))) return outcome;
    Status recorded;
    auto original = actuator_.capture_tuning(target, entry->original, tuning);
    if (!original) recorded = std::unexpected(original.error());
    else if (*original != entry->original) {
        recorded = ledger_.record({{target, {entry->actuator, *original, entry->written}}});
        if (recorded) recorded = ledger_.flush();
    }
    tuned_[target] = tuning;
    if (recorded) return actuator_.tune(target, tuning, *original, std::move(outcome));
    outcome.state = State::overridden;
    outcome.detail = fmt::format("{} is not set: {}", tuning.text(), recorded.error().text());
    return outcome;
}

Outcome Engine::check(const Target& target, const CpuSet& written) {
    auto outcome = actuator_.check(target, written);
    const auto tuned = tuned_.find(target);
    if (tuned == tuned_.end() || outcome.state == State::gone || outcome.state == State::invalid)
        return outcome;
    return actuator_.check_tuning(target, tuned->second, std::move(outcome));
}

void Engine::refuse(const Step& step, const Error& error) {
    const bool is_gone = error.kind == Errc::no_such_object && step.target.sort == Target::Sort::process;
    refuse(step, Outcome{is_gone ? State::gone : State::invalid, {}, {}, error.text(), {}});
}

/// Nothing was written: what held before still does, and what was never touched is not held.
void Engine::refuse(const Step& step, Outcome outcome) {
    const auto& target = step.target;
    const auto before = outcomes_.find(target);
    outcome.refused = step.cpus;
    outcome.written = before == outcomes_.end() ? CpuSet() : before->second.written;
    if (outcome.written.empty()) {
        ledger_.forget(target);
        came_with_.erase(target);
    } else ledger_.note_written(target, outcome.written);
    if (outcome.state == State::gone) held_processes_.erase(target.pid);
    else outcome.effective = actuator_.current(target).value_or(CpuSet());
    outcomes_[target] = std::move(outcome);
}

/// Lets them go. A group or unit is put back in several acts, the first of which looks like somebody else's
/// to who comes after a crash: so the ledger says beforehand that they are let go.
void Engine::release(const std::vector<Target>& targets) {
    std::vector<std::pair<Target, std::optional<Outcome>>> rows;
    for (const auto& target : targets) {
        auto theirs = found_foreign(target);
        if (!theirs && target.sort != Target::Sort::process) ledger_.note_written(target, {});
        rows.emplace_back(target, std::move(theirs));
        tell_progress();
    }
    if (auto kept = ledger_.flush(); !kept)
        tree_.environment().log.write(Severity::error, "ledger", kept.error().text());
    for (const auto& [target, theirs] : rows) {
        release(target, theirs);
        tell_progress();
    }
}

/// What somebody else has set of the target, if anything. After a crash it may have what was noted but not
/// written yet, or what was written before that.
std::optional<Outcome> Engine::found_foreign(const Target& target) {
    const auto* entry = ledger_.find(target);
    if (!entry || entry->written.empty()) return std::nullopt;
    auto now = actuator_.check(target, entry->written);
    if (now.state != State::foreign || was_half_done(target)) return std::nullopt;
    return now;
}

/// Whether it has what was written before the last note: a crash came between the note and the act.
bool Engine::was_half_done(const Target& target) {
    const auto* entry = ledger_.find(target);
    return entry && !entry->before.empty() && actuator_.check(target, entry->before).state != State::foreign;
}

void Engine::release(const Target& target, const std::optional<Outcome>& theirs) {
    if (const auto* entry = ledger_.find(target)) {
        // the CPUs are somebody else's; what was tuned is not
        if (theirs && tuned_.contains(target)) actuator_.tune(target, {}, entry->original, *theirs);
        const auto outcome =
            theirs ? *theirs : actuator_.put_back(target, entry->original, written_by(*entry));
        ++steps_;
        if (listener_) listener_->released(target, outcome);
        if (outcome.state == State::invalid) {
            outcomes_[target] = outcome;
            return;
        }
        if (target.sort == Target::Sort::process)
            released_.insert_or_assign(target.pid, Released{target, *entry, tree_.environment().clock.now()});
        ledger_.forget(target);
    }
    if (target.sort == Target::Sort::process) held_processes_.erase(target.pid);
    outcomes_.erase(target);
    came_with_.erase(target);
    tuned_.erase(target);
    reassertions_.erase(target);
}

void Engine::release_all() {
    verdicts_.clear();
    rest_.clear();
    std::vector<Target> targets;
    for (const auto& [target, outcome] : outcomes_) targets.push_back(target);
    // inner groups first: a child cannot be wider than its parent, but its parent may be narrower than before
    std::ranges::reverse(targets);
    release(targets);
    if (auto kept = ledger_.flush(); !kept)
        tree_.environment().log.write(Severity::error, "ledger", kept.error().text());
}

/// Linux before 6.2 forgets the affinity of every task near a group whose cpuset controller is switched on or
/// off, as the first and the last placed unit do it.
void Engine::redo_processes_after(const Plan& plan) {
    const auto is_unit = [](const Target& target) { return target.sort == Target::Sort::unit; };
    if (std::ranges::none_of(plan.steps, is_unit, &Step::target) &&
        std::ranges::none_of(plan.releases, is_unit))
        return;
    reports_dirty_ = reports_dirty_ || !held_processes_.empty();
    for (auto& [target, outcome] : outcomes_)
        if (target.sort == Target::Sort::process && outcome.state == State::applied) redo(target, outcome);
}

} // namespace schedd::placement
