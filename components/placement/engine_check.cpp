// The engine's read-back: in rotation, at once where somebody else was seen writing, and what is tried again.
#include <utility>

#include "components/placement/engine.h"

namespace schedd::placement {

namespace {

constexpr std::size_t kChecksPerTick = 256;
constexpr Duration kReassertionPeriod = std::chrono::minutes(10);

} // namespace

/// Read-back in rotation: what was written must still hold. What somebody else changed is reported and left
/// to them; what could not be written is tried again.
void Engine::check_some(Time now) {
    if (now < next_check_ || outcomes_.empty()) return;
    reports_dirty_ = true;
    auto at = outcomes_.upper_bound(check_cursor_);
    std::size_t done = 0;
    for (; at != outcomes_.end() && done < kChecksPerTick; ++done) {
        const Target target = at->first;
        auto& outcome = at->second;
        ++at;
        check_cursor_ = target;
        if (outcome.state == State::gone && !ledger_.find(target)) {
            outcomes_.erase(target);
            continue;
        }
        if (outcome.state == State::invalid) {
            outcome.refused = {}; // the next plan tries again
            verdicts_dirty_ = true;
        } else if (outcome.state == State::pending) {
            redo(target, outcome);
        } else {
            look_again(target, outcome);
        }
    }
    if (at != outcomes_.end()) return; // the rest at the next tick
    check_cursor_ = {};
    next_check_ = now + kCheckPeriod;
}

/// Reads back; what somebody else has written meanwhile is theirs, or is written again.
void Engine::look_again(const Target& target, Outcome& outcome) {
    found(target, outcome, check(target, outcome.written));
}

void Engine::found(const Target& target, Outcome& outcome, Outcome now) {
    const auto before = outcome.state;
    outcome = std::move(now);
    const bool is_disturbed = outcome.state == State::foreign || outcome.state == State::overridden;
    if (!is_disturbed || before == State::foreign || outcome.state == before) return;
    const auto verdict = verdicts_.find(target);
    const bool takes_back = verdict != verdicts_.end() && ledger_.find(target) && may_reassert(target);
    if (listener_) listener_->disturbed(target, outcome, takes_back);
    if (!takes_back) return;
    outcome = place(target, verdict->second.cpus, verdict->second.tuning);
    ++steps_;
}

bool Engine::may_reassert(const Target& target) {
    if (on_foreign_ == OnForeign::yield) return false;
    const Time now = tree_.environment().clock.now();
    auto& done = reassertions_[target];
    if (now - done.since > kReassertionPeriod) done = {0, now};
    return done.count++ < limits::kReassertions;
}

void Engine::disturbed(const Target& target) {
    const auto at = outcomes_.find(target);
    if (at == outcomes_.end() || at->second.written.empty()) return;
    reports_dirty_ = true;
    look_again(target, at->second);
}

void Engine::redo(const Target& target, Outcome& outcome) {
    const auto verdict = verdicts_.find(target);
    const auto* entry = ledger_.find(target);
    if (!entry || outcome.state == State::foreign) return;
    if (outcome.state == State::invalid) {
        outcome.refused = {};
        verdicts_dirty_ = true;
        return;
    }
    auto now = check(target, outcome.written);
    if (now.state == State::foreign && !was_half_done(target)) {
        found(target, outcome,
              std::move(now)); // theirs, or taken back, by the same rule as at any other time
        return;
    }
    outcome = std::move(now);
    if (outcome.state == State::applied || outcome.state == State::gone || verdict == verdicts_.end()) return;
    outcome = place(target, verdict->second.cpus, verdict->second.tuning);
    ++steps_;
}

void Engine::reconcile() {
    reports_dirty_ = true;
    actuator_.forget_answers();
    for (auto& [target, outcome] : outcomes_) {
        redo(target, outcome);
        tell_progress();
    }
}

void Engine::reconcile(const Target& target) {
    const auto at = outcomes_.find(target);
    if (at == outcomes_.end()) return;
    reports_dirty_ = true;
    redo(target, at->second);
}

void Engine::check_all(bool anew) {
    reports_dirty_ = true;
    if (anew) actuator_.forget_answers();
    for (auto& [target, outcome] : outcomes_) {
        if (outcome.state == State::invalid)
            outcome.effective = actuator_.current(target).value_or(outcome.effective);
        else if (ledger_.find(target)) look_again(target, outcome);
        tell_progress();
    }
    report_members();
}

} // namespace schedd::placement
