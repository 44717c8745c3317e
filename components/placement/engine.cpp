// The tick: measuring and deciding. Acting is in engine_act.cpp, telling in engine_tell.cpp.
#include "components/placement/engine.h"

#include <algorithm>
#include <exception>

#include <fmt/format.h>

#include "components/kit/log.h"

namespace schedd::placement {

namespace {

/// How long a new policy may take to its first decision while what was held before stays.
constexpr Duration kGrace = std::chrono::seconds(10);
/// A policy that thinks longer than this is put out of action: the loop is one thread.
constexpr Duration kDecideBudget = std::chrono::seconds(1);
constexpr std::uint64_t kDefaultWeight = 100; // systemd's and the kernel's own, too
constexpr std::uint64_t kPercentUs = 10'000;  // of a second, in quotas

/// Whether a member is a process, of whose end its hold may be the only one to tell.
bool names_processes(const ProcessSet& set) {
    return std::ranges::any_of(set.children(), [](const auto& child) {
        const auto sort = static_cast<const Member&>(*child).parsed().sort;
        return sort == MemberName::Sort::process || sort == MemberName::Sort::process_children;
    });
}

bool is_same(const Decision& a, const Decision& b) {
    return a.cpus == b.cpus && a.reason == b.reason && a.tuning == b.tuning && a.alone == b.alone;
}

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

} // namespace

Engine::Engine(Tree& tree, const Topology& topology, Actuator& actuator, Ledger& ledger)
    : tree_(tree), topology_(topology), actuator_(actuator), ledger_(ledger) {
    tree_.add_listener(*this);
    tree_.environment().processes.add_listener(*this);
    // What an earlier run left behind is held from the first moment; settle() keeps what still has a
    // scheduler.
    for (const auto& [target, entry] : ledger_.entries()) {
        outcomes_[target] = {State::pending, entry.written, {}, "left by an earlier run"};
        if (auto tuning = actuator_.written_tuning(entry.original); !tuning.empty())
            tuned_.emplace(target, std::move(tuning));
        if (target.sort == Target::Sort::process) held_processes_.emplace(target.pid, target);
    }
}

Engine::~Engine() {
    tree_.environment().processes.remove_listener(*this);
    tree_.remove_listener(*this);
}

void Engine::tick(Time now) {
    ++ticks_;
    run_probes(now);
    take_newborn(now);
    refresh_members(now);
    run_policies(now);
    combine_and_act(now);
    check_some(now);
    report_members();
    if (auto kept = ledger_.flush(); !kept)
        tree_.environment().log.write(Severity::error, "ledger", kept.error().text());
}

void Engine::settle(Time now) {
    take_newborn(now);
    refresh_members(now);
    combine_and_act(now);
    report_members();
    if (auto kept = ledger_.flush(); !kept)
        tree_.environment().log.write(Severity::error, "ledger", kept.error().text());
}

Time Engine::next_due() const {
    Time due = std::min(grace_ends_, outcomes_.empty() ? kNever : next_check_);
    for (const auto& part : tree_.probes().children())
        due = std::min(due, static_cast<const Probe&>(*part).next_due());
    for_each_scheduler([&](Scheduler& scheduler) {
        const auto* policy = scheduler.policy();
        const auto seat = seats_.find(scheduler.name());
        if (!policy || !scheduler.ejected().empty() || seat == seats_.end()) return;
        if (!is_frozen(scheduler.name(), seat->second)) due = std::min(due, policy->next_due());
    });
    if (verdicts_dirty_ || members_dirty_ || !changed_.empty()) due = Time{};
    return due;
}

void Engine::run_probes(Time now) {
    for (const auto& part : tree_.probes().children()) {
        auto& probe = static_cast<Probe&>(*part);
        if (probe.next_due() <= now) probe.run(now);
    }
}

void Engine::for_each_scheduler(const std::function<void(Scheduler&)>& visit) const {
    for (const auto& part : tree_.schedulers().children()) visit(static_cast<Scheduler&>(*part));
}

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
    for (auto& subject : seat.subjects) {
        const Target& target = subject.target;
        const auto* seen = row_of(outcomes_, outcome, target);
        subject.current = seen && !seen->effective.empty() ? seen->effective : current_of(target);
        subject.held = row_of(ledger_.entries(), entry, target) != nullptr;
    }
}

void Engine::refresh_members(Time now) {
    const auto generation = tree_.environment().processes.generation();
    if (!members_dirty_ && generation == seen_generation_) return;
    // most of what happens to processes is no concern of any member, and members may be many
    reports_dirty_ = reports_dirty_ || members_dirty_;
    members_dirty_ = false;
    seen_generation_ = generation;
    bool any_differs = false;
    for_each_scheduler([&](Scheduler& scheduler) {
        auto& seat = seats_[scheduler.name()];
        if (seat.undecided && seat.policy_since == Time{}) seat.policy_since = now;
        const auto& set = scheduler.process_set();
        reports_dirty_ = reports_dirty_ || names_processes(set);
        const auto& subjects =
            set.subjects({actuator_.handles(Target::Sort::cgroup), actuator_.handles(Target::Sort::unit)});
        if (seat.revision == set.revision()) return;
        seat.revision = set.revision();
        any_differs = true;
        const bool same_targets =
            std::ranges::equal(subjects, seat.subjects, {}, &Subject::target, &Subject::target);
        seat.subjects = subjects;
        for (const auto& subject : seat.subjects) look_at_started(subject);
        read_current(seat);
        if (same_targets) return;
        std::erase_if(seat.decisions, [&](const auto& held) { return !holds(seat, held.first); });
        if (auto* policy = scheduler.policy(); policy && !seat.undecided) policy->make_due();
    });
    if (!any_differs) return;
    bool has_processes = false;
    bool has_groups = false;
    for (const auto& [name, seat] : seats_)
        for (const auto& subject : seat.subjects)
            (subject.target.sort == Target::Sort::process ? has_processes : has_groups) = true;
    is_mixed_ = has_processes && has_groups;
    views_dirty_ = true;
    reports_dirty_ = true;
    verdicts_dirty_ = true; // a group's processes may have changed, and with them what binds whom
    std::erase_if(seen_, [&](const auto& seen) {
        return std::ranges::none_of(seats_, [&](const auto& seat) { return holds(seat.second, seen.first); });
    });
}

/// A unit that waited for its start has its first process: whoever waits for it to be placed waits in its
/// start.
void Engine::look_at_started(const Subject& subject) {
    if (subject.target.sort != Target::Sort::unit || subject.pids.empty() || is_rehearsal_) return;
    const auto at = outcomes_.find(subject.target);
    if (at != outcomes_.end() && at->second.state == State::pending) redo(subject.target, at->second);
}

bool Engine::holds(const Seat& seat, const Target& target) { return subject_of(seat, target) != nullptr; }

const Subject* Engine::subject_of(const Seat& seat, const Target& target) {
    const auto at = std::ranges::lower_bound(seat.subjects, target, {}, &Subject::target);
    return at != seat.subjects.end() && at->target == target ? &*at : nullptr;
}

void Engine::run_policies(Time now) {
    take_views();
    for_each_scheduler([&](Scheduler& scheduler) {
        auto* policy = scheduler.policy();
        if (!policy || !scheduler.ejected().empty()) return;
        if (!policy->due() && policy->next_due() > now) return;
        if (is_frozen(scheduler.name(), seats_[scheduler.name()])) return; // it stays due
        policy->done();
        if (run_policy(scheduler, seats_[scheduler.name()], now)) verdicts_dirty_ = true;
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
    return !seat.undecided || std::ranges::any_of(seat.subjects, [&](const Subject& subject) {
        return outcomes_.contains(subject.target);
    });
}

bool Engine::run_policy(Scheduler& scheduler, Seat& seat, Time now) {
    const Clock& clock = tree_.environment().clock;
    read_current(seat);
    std::vector<Decision> decisions;
    const Time started = clock.now();
    try {
        decisions = scheduler.policy()->decide({now, view_of(seat), seat.subjects});
    } catch (const std::exception& thrown) {
        eject(scheduler, seat, fmt::format("it threw: {}", thrown.what()));
        return true;
    }
    if (clock.now() - started > kDecideBudget) {
        eject(scheduler, seat,
              fmt::format("it took {} ms to decide, {} are allowed", milliseconds_of(clock.now() - started),
                          milliseconds_of(kDecideBudget)));
        return true;
    }
    if (auto why = nonsense_in(seat, decisions); !why.empty()) {
        eject(scheduler, seat, why);
        return true;
    }
    const bool is_first = std::exchange(seat.undecided, false);
    for (const auto& decision : decisions) gives_alone_ = gives_alone_ || !decision.alone.empty();
    views_dirty_ = views_dirty_ || gives_alone_;
    const bool in_order = std::ranges::is_sorted(decisions, std::ranges::less_equal{}, &Decision::target);
    if (in_order) take_over(scheduler.name(), seat, std::move(decisions), now);
    else take_over_unordered(scheduler.name(), seat, std::move(decisions), now);
    return is_first;
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
    auto subject = seat.subjects.begin(); // most policies decide in the order of their subjects
    for (const auto& decision : decisions) {
        if (subject == seat.subjects.end() || subject->target != decision.target)
            subject = std::ranges::lower_bound(seat.subjects, decision.target, {}, &Subject::target);
        const bool is_it = subject != seat.subjects.end() && subject->target == decision.target;
        if (is_it) ++subject;
        if (!is_it)
            return fmt::format("it decided about {}, which is not in its process set",
                               decision.target.text());
        if (!decision.alone.subset_of(usable))
            return fmt::format("it gave {} CPUs alone that are not all there: {}", decision.target.text(),
                               decision.alone.text());
        if (!decision.cpus.intersects(usable))
            return fmt::format("it put {} on CPUs '{}', none of which is online and allowed",
                               decision.target.text(), decision.cpus.text());
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

Time Engine::grace_for(const Target& target) const {
    Time until{};
    for (const auto& [name, seat] : seats_)
        if (seat.undecided && seat.policy_since != Time{} && holds(seat, target))
            until = std::max(until, is_frozen(name, seat) ? kNever : seat.policy_since + kGrace);
    return until;
}

std::vector<Wish> Engine::wishes() const {
    std::vector<Wish> all;
    for_each_scheduler([&](const Scheduler& scheduler) {
        const auto at = seats_.find(scheduler.name());
        if (at == seats_.end()) return;
        // children are found by looking at one after the other, and members may be many
        std::unordered_map<std::string_view, const Member*> members;
        for (const auto& child : scheduler.process_set().children())
            members.emplace(child->name(), static_cast<const Member*>(child.get()));
        const auto member_by = [&](const std::string& name) {
            const auto found = members.find(name);
            return found == members.end() ? nullptr : found->second;
        };
        for (const auto& [target, held] : at->second.decisions)
            if (const auto* subject = subject_of(at->second, target))
                all.push_back(wish_for(scheduler, member_by(subject->member), *subject, held));
    });
    return all;
}

std::vector<Wish> Engine::wishes_for(const std::vector<Target>& targets) const {
    std::vector<Wish> all;
    for_each_scheduler([&](const Scheduler& scheduler) {
        const auto at = seats_.find(scheduler.name());
        if (at == seats_.end()) return;
        const auto& set = scheduler.process_set();
        for (const auto& target : targets) {
            const auto held = at->second.decisions.find(target);
            const auto* subject =
                held == at->second.decisions.end() ? nullptr : subject_of(at->second, target);
            if (!subject) continue;
            const auto* member = static_cast<const Member*>(set.child(subject->member));
            all.push_back(wish_for(scheduler, member, *subject, held->second));
        }
    });
    return all;
}

/// `member` is null under handle_all.
Wish Engine::wish_for(const Scheduler& scheduler, const Member* member, const Subject& subject,
                      const Held& held) const {
    Wish wish{scheduler.name(),
              subject.member,
              scheduler.precedence(),
              member != nullptr,
              member ? member->order() : scheduler.process_set().handle_all_order(),
              held.decision,
              subject.pids};
    if (member && subject.target.sort == Target::Sort::unit)
        wish.decision.tuning.add(tuning_of(*member, held.decision));
    return wish;
}

/// What a unit's member asks for beside CPUs: its weight, its quota, and memory near the CPUs it is given.
Tuning Engine::tuning_of(const Member& member, const Decision& decision) const {
    Tuning tuning;
    if (member.weight() != kDefaultWeight) tuning.cpu_weight = member.weight();
    if (member.quota() != 0) tuning.cpu_quota_us = member.quota() * kPercentUs;
    if (member.wants_local_memory()) {
        CpuSet nodes;
        for (const auto& cpu : topology_.cpus)
            if (decision.cpus.contains(cpu.id)) nodes.add(cpu.numa);
        tuning.memory_nodes = nodes;
    }
    return tuning;
}

void Engine::part_added(Part& part) {
    // a bare scheduler has no members, and what feeds a port changes no membership
    if (part.kind() == Kind::member || part.kind() == Kind::policy) members_dirty_ = true;
    if (part.kind() != Kind::policy) return;
    auto& scheduler = static_cast<Scheduler&>(*part.parent());
    auto& seat = seats_[scheduler.name()];
    seat.decisions.clear();
    seat.undecided = true;
    seat.policy_since = Time{};
    scheduler.set_ejected({});
}

void Engine::part_removed(const Path& path, Part& part) {
    members_dirty_ = true;
    views_dirty_ = true;
    verdicts_dirty_ = true;
    if (part.kind() == Kind::scheduler) seats_.erase(path.leaf());
    if (part.kind() != Kind::policy) return;
    const auto at = seats_.find(path.parent().leaf());
    if (at == seats_.end()) return;
    // replaced in the same transaction: what is held stays until the new policy has spoken
    const auto scheduler = tree_.find(path.parent());
    const bool is_replaced = scheduler && static_cast<Scheduler*>(*scheduler)->policy();
    at->second.decisions.clear();
    at->second.undecided = is_replaced;
    at->second.policy_since = Time{};
}

void Engine::part_changed(Part& part, std::string_view attribute) {
    const auto* spec = part.attribute_spec(attribute);
    if (spec && spec->read_only) return; // a reported state, not a request
    if (part.kind() == Kind::process_set) members_dirty_ = true;
    if (part.kind() == Kind::scheduler) verdicts_dirty_ = views_dirty_ = true; // its place in the stack
    for (Part* above = &part; above; above = above->parent())
        if (above->kind() == Kind::policy || above->kind() == Kind::member) {
            auto* scheduler = above->kind() == Kind::policy ? above->parent() : above->parent()->parent();
            if (above->kind() == Kind::member) members_dirty_ = true;
            if (auto* policy = static_cast<Scheduler&>(*scheduler).policy()) policy->make_due();
            return;
        }
}

void Engine::topology_changed() {
    members_dirty_ = true;
    views_dirty_ = true;
    for (auto& [name, seat] : seats_) seat.taken = {}; // their views are of another machine
    verdicts_dirty_ = true;
    seen_.clear();
    // The kernel widens the mask of a task whose CPUs all went offline, and does not narrow it when they are
    // back: what no longer holds is written again, even if the same CPUs are decided on.
    actuator_.forget_answers();
    for (auto& [target, outcome] : outcomes_) {
        if (outcome.state == State::invalid) // not written; where it runs has changed all the same
            outcome.effective = actuator_.current(target).value_or(outcome.effective);
        if (outcome.state == State::invalid || !ledger_.find(target)) continue;
        auto now = check(target, outcome.written);
        if (now.state == State::foreign)
            continue; // that is not the CPUs' doing: the next read-back deals with it
        outcome = std::move(now);
        if (outcome.state == State::overridden) outcome.written = {};
    }
    for_each_scheduler([](Scheduler& scheduler) {
        if (auto* policy = scheduler.policy()) policy->make_due();
    });
}

} // namespace schedd::placement
