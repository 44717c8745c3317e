// The tick, and what schedulers want of targets. Members are taken in engine_members.cpp, policies run in
// engine_decide.cpp, acting is in engine_act.cpp, telling in engine_tell.cpp.
#include "components/placement/engine.h"

#include <algorithm>

#include <fmt/format.h>

#include "components/kit/log.h"

namespace schedd::placement {

namespace {

/// How long a new policy may take to its first decision while what was held before stays.
constexpr Duration kGrace = std::chrono::seconds(10);
constexpr std::uint64_t kDefaultWeight = 100; // systemd's and the kernel's own, too
constexpr std::uint64_t kPercentUs = 10'000;  // of a second, in quotas

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
        const bool is_asked = seat->second.here == Here::yes || may_expel(scheduler, seat->second);
        if (is_frozen(scheduler.name(), seat->second) || !is_asked) return;
        const bool is_due = policy->due() || !seat->second.touched.empty();
        due = std::min(due, is_due ? Time{} : policy->next_due());
    });
    if (verdicts_dirty_ || members_dirty_ || nodes_dirty_ || !changed_.empty() || !rest_.empty())
        due = Time{};
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

Time Engine::grace_for(const Target& target) const {
    Time until{};
    for (const auto& [name, seat] : seats_)
        if (seat.undecided && seat.policy_since != Time{} && seat.here != Here::no && holds(seat, target))
            until = std::max(until, is_frozen(name, seat) ? kNever : seat.policy_since + kGrace);
    return until;
}

std::vector<Wish> Engine::wishes() {
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
            if (const auto* subject = at->second.subjects.all().find(target))
                all.push_back(wish_for(scheduler, member_by(subject->member), *subject, held));
    });
    add_bystanders(all);
    return all;
}

/// Where a target may run without us. What an earlier run holds is taken to be as wide as all there is.
CpuSet Engine::could_run_on(const Target& target) {
    if (const auto at = came_with_.find(target); at != came_with_.end()) return at->second;
    if (ledger_.find(target)) return topology_.usable();
    return actuator_.current(target).value_or(topology_.usable());
}

/// Members that their policies leave alone are to be kept off what others have alone.
void Engine::add_bystanders(std::vector<Wish>& all) {
    CpuSet alone;
    for (const auto& wish : all) alone |= wish.decision.alone;
    if (alone.empty()) return;
    for (const auto& [name, seat] : seats_)
        for (const auto& subject : seat.subjects.all()) {
            if (seat.here == Here::no) break;
            if (seat.decisions.contains(subject.target)) continue;
            const auto could = could_run_on(subject.target);
            if (!could.intersects(alone)) continue;
            Wish wish;
            wish.scheduler = name;
            wish.member = subject.member;
            wish.decision = {subject.target, could,
                             "its policy leaves it alone, but for CPUs that others have alone"};
            wish.pids = subject.pids;
            wish.is_bystander = true;
            all.push_back(std::move(wish));
        }
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
                held == at->second.decisions.end() ? nullptr : at->second.subjects.all().find(target);
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
    if (part.kind() == Kind::scheduler) nodes_dirty_ = true;
    if (part.kind() != Kind::policy) return;
    auto& scheduler = static_cast<Scheduler&>(*part.parent());
    auto& seat = seats_[scheduler.name()];
    seat.decisions.clear();
    seat.touched.clear(); // it sees all when it speaks for the first time, and is not hurried to it
    seat.undecided = true;
    seat.policy_since = Time{};
    scheduler.set_ejected({});
}

void Engine::part_removed(const Path& path, Part& part) {
    members_dirty_ = true;
    views_dirty_ = true;
    verdicts_dirty_ = true;
    if (part.kind() == Kind::scheduler) {
        seats_.erase(path.leaf());
        nodes_dirty_ = true; // what it had exclusively is there for others
    }
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
    if (part.kind() == Kind::scheduler) { // its place in the stack, its nodes, or whether it decides at all
        verdicts_dirty_ = views_dirty_ = nodes_dirty_ = true;
        auto& scheduler = static_cast<Scheduler&>(part);
        auto& seat = seats_[scheduler.name()];
        if (attribute == "active" && seat.here != scheduler.runs_here()) take_here(scheduler, seat);
    }
    if (part.kind() == Kind::member) { // a policy that has spoken is told whom that concerns
        members_dirty_ = true;
        auto& scheduler = static_cast<Scheduler&>(*part.parent()->parent());
        if (scheduler.policy() && seats_[scheduler.name()].undecided) scheduler.policy()->make_due();
        // what no policy is shown, and no process set tells of
        if (attribute == "quota" || attribute == "memory") verdicts_dirty_ = true;
    }
    for (Part* above = &part; above; above = above->parent())
        if (above->kind() == Kind::policy) return static_cast<Policy&>(*above).make_due();
}

void Engine::topology_changed() {
    members_dirty_ = true;
    views_dirty_ = true;
    told_online_.reset();
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
