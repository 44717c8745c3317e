// The engine's telling half: member states, explanations and numbers.
#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "components/kit/limits.h"
#include "components/kit/number.h"
#include "components/placement/engine.h"

namespace schedd::placement {

/// What one member's attributes say: the union over its subjects, the worst state.
struct Engine::Summary {
    State state = State::free;
    CpuSet wanted;
    CpuSet written;
    CpuSet effective;
    std::string detail;
    std::size_t subjects = 0;

    void add(const Verdict* verdict, const Outcome* outcome) {
        ++subjects;
        auto next = outcome ? outcome->state : State::free;
        auto text = outcome ? outcome->detail : std::string();
        if (verdict) wanted |= verdict->cpus;
        if (outcome) {
            written |= outcome->written;
            effective |= outcome->effective;
        }
        if (verdict && verdict->has_conflict()) {
            next = std::max(next, State::conflict);
            text = verdict->disagreement();
        }
        if (next < state || next == State::free) return;
        state = next;
        if (!text.empty()) detail = text;
    }
};

namespace {

template <class Map> const typename Map::mapped_type* find_in(const Map& map, const Target& target) {
    const auto at = map.find(target);
    return at == map.end() ? nullptr : &at->second;
}

/// Empty if the scheduler's policy decides on this node.
std::string why_not_here(const Scheduler& scheduler) {
    if (scheduler.runs_here() == Here::yes) return {};
    if (!scheduler.is_active()) return "its scheduler decides nothing: active is false";
    const auto set = scheduler.node_set().text();
    if (scheduler.runs_here() == Here::unknown)
        return fmt::format("this node has just come and does not know yet whether it is in node_set {}", set);
    return fmt::format("its scheduler is not for this node: node_set is {}{}{}", set,
                       scheduler.note().empty() ? "" : "; ", scheduler.note());
}

} // namespace

void Engine::report_members() {
    const auto retold = std::exchange(retold_, {});
    const auto left = std::exchange(left_, {});
    if (std::exchange(reports_dirty_, false)) report_all();
    else if (!retold.empty()) report_some(retold, left);
}

void Engine::report_all() {
    for_each_scheduler([&](Scheduler& scheduler) {
        if (scheduler.process_set().children().empty()) return;
        const auto seat = seats_.find(scheduler.name());
        if (seat == seats_.end()) return;
        std::map<std::string_view, Summary> summaries;
        for (const auto& subject : seat->second.subjects.all())
            summaries[subject.member].add(find_in(verdicts_, subject.target),
                                          find_in(outcomes_, subject.target));
        for (const auto& child : scheduler.process_set().children()) {
            auto& member = static_cast<Member&>(*child);
            report(scheduler, member, summaries[member.name()]);
        }
    });
}

/// Only members that these targets belong to, or did.
void Engine::report_some(const std::vector<Target>& targets, const std::vector<Left>& left) {
    for_each_scheduler([&](Scheduler& scheduler) {
        if (scheduler.process_set().children().empty()) return;
        const auto seat = seats_.find(scheduler.name());
        if (seat == seats_.end()) return;
        const auto subjects = seat->second.subjects.all();
        std::map<std::string_view, std::set<Target>> members;
        bool are_whole = true; // who is named like its member is all that there is of it
        for (const auto& target : targets) {
            const auto* subject = subjects.find(target);
            if (!subject) continue;
            members[subject->member].insert(target);
            are_whole = are_whole && target.text() == subject->member;
        }
        for (const auto& one : left) {
            if (one.scheduler != scheduler.name()) continue;
            members.try_emplace(one.member);
            are_whole = are_whole && one.target.text() == one.member;
        }
        if (!are_whole)
            for (const auto& subject : subjects)
                if (const auto at = members.find(subject.member); at != members.end())
                    at->second.insert(subject.target);
        for (const auto& [name, all] : members) {
            Summary summary;
            for (const auto& target : all)
                summary.add(find_in(verdicts_, target), find_in(outcomes_, target));
            if (auto* member = scheduler.process_set().child(name))
                report(scheduler, static_cast<Member&>(*member), summary);
        }
    });
}

void Engine::report(Scheduler& scheduler, Member& member, const Summary& all) {
    auto summary = all;
    if (!member.alive()) summary = {State::gone, {}, {}, {}, "the process has ended", 0};
    else if (auto why = scheduler.process_set().why_left_out(member); !why.empty())
        summary.detail = "it is let alone: " + why;
    else if (summary.subjects == 0)
        summary.detail = "nothing belongs to it now, or what does is in by a later member";
    else if (summary.state == State::free) summary.detail = why_not_here(scheduler);
    bool changed = member.report_text(Member::kState, std::string(name_of(summary.state)));
    changed |= member.report_text(Member::kWantedCpus, summary.wanted.text());
    changed |= member.report_text(Member::kWrittenCpus, summary.written.text());
    changed |= member.report_text(Member::kEffectiveCpus, summary.effective.text());
    changed |= member.report_text(Member::kDetail, std::move(summary.detail));
    if (changed) tree_.touched(member, "state");
}

Result<std::vector<Explanation>> Engine::explain(std::string_view what) const {
    std::set<Target> targets;
    bool known = what.empty();
    const auto pid = parse_unsigned(what.starts_with("process:") ? what.substr(8) : what);
    for_each_scheduler([&](Scheduler& scheduler) {
        const bool is_it = what.empty() || scheduler.name() == what;
        known = known || scheduler.name() == what || scheduler.process_set().child(what);
        const auto seat = seats_.find(scheduler.name());
        if (seat == seats_.end()) return;
        for (const auto& subject : seat->second.subjects.all()) {
            const bool has_pid =
                pid && std::ranges::find(subject.pids, static_cast<Pid>(*pid)) != subject.pids.end();
            if (is_it || subject.member == what || subject.target.text() == what || has_pid)
                targets.insert(subject.target);
        }
    });
    for (const auto& [target, outcome] : outcomes_)
        if (what.empty() || target.text() == what || (pid && target.pid == static_cast<Pid>(*pid)))
            targets.insert(target);
    if (targets.empty() && !known && pid) {
        const auto& processes = tree_.environment().processes;
        const auto* process = processes.find(static_cast<Pid>(*pid));
        if (!process) return fail(Errc::no_such_object, fmt::format("there is no process {}", *pid), "");
        if (auto why = processes.protection(*process); !why.empty())
            return fail(Errc::no_such_object, fmt::format("process {} belongs to no scheduler", *pid), why);
    }
    if (targets.empty() && !known)
        return fail(Errc::no_such_object, fmt::format("'{}' belongs to no scheduler", what),
                    "name a member (process:12, cgroup:/a), a pid, or a scheduler");
    std::vector<Explanation> all;
    for (const auto& target : targets) {
        Explanation row{target, {}, {}, {}, {}, {}, {}, {}, {}};
        const bool is_told_more = !what.empty() && all.size() < limits::kConsidered;
        if (const auto* process = tree_.environment().processes.find(target.pid)) row.comm = process->comm;
        for (const auto& [name, seat] : seats_) {
            const auto* subject = seat.subjects.all().find(target);
            if (!subject) continue;
            row.members.emplace_back(name, subject->member);
            row.considered.push_back(is_told_more ? considered(name, *subject) : std::vector<std::string>());
        }
        if (const auto* verdict = find_in(verdicts_, target)) row.verdict = *verdict;
        if (const auto* outcome = find_in(outcomes_, target)) row.outcome = *outcome;
        else row.outcome.state = State::free;
        if (const auto* entry = ledger_.find(target)) {
            row.original = entry->original;
            row.before = actuator_.told(entry->original);
        }
        const Time now = tree_.environment().clock.now();
        for (const auto& opinion : row.verdict.opinions) {
            const auto seat = seats_.find(opinion.scheduler);
            const auto* held = seat == seats_.end() ? nullptr : find_in(seat->second.decisions, target);
            row.since.push_back(held ? std::optional(now - held->since) : std::nullopt);
        }
        all.push_back(std::move(row));
    }
    return all;
}

/// What of the machine a scheduler's policy does not see, and who has it.
std::vector<std::string> Engine::taken_from(const std::string& scheduler, const Seat& seat) const {
    std::vector<std::string> lines;
    for (const auto& [name, other] : seats_) {
        if (name == scheduler) continue;
        CpuSet cpus;
        std::size_t count = 0;
        const Target* one = nullptr;
        for (const auto& [target, held] : other.decisions) {
            if (!held.decision.alone.intersects(seat.taken)) continue;
            cpus |= held.decision.alone & seat.taken;
            ++count;
            one = &target;
        }
        if (!one) continue;
        lines.push_back(
            fmt::format("CPUs {} are not there for it: {} gave them to {} alone; they are when {} "
                        "detached, or with a larger precedence than {}'s",
                        cpus.text(), name, count == 1 ? one->text() : fmt::format("{} members", count),
                        count == 1 ? "it is" : "those are", name));
    }
    return lines;
}

/// What a scheduler's policy says of the ways not taken. It is asked between decisions and only told of, so
/// what goes wrong in it harms nobody.
std::vector<std::string> Engine::considered(const std::string& scheduler, const Subject& subject) const {
    const auto* part = tree_.schedulers().child(scheduler);
    const auto* policy = part ? static_cast<const Scheduler*>(part)->policy() : nullptr;
    const auto seat = seats_.find(scheduler);
    if (!policy || seat == seats_.end() || !static_cast<const Scheduler*>(part)->ejected().empty()) return {};
    std::vector<std::string> lines;
    if (auto why = why_not_here(static_cast<const Scheduler&>(*part)); !why.empty()) return {std::move(why)};
    try {
        lines = policy->considered({tree_.environment().clock.now(), view_of(seat->second),
                                    seat->second.subjects.all(), static_cast<const Scheduler*>(part)->nodes(),
                                    mover_},
                                   subject);
    } catch (const std::exception& thrown) {
        return {fmt::format("its policy could not say what else it considered: {}", thrown.what())};
    }
    for (auto& line : taken_from(scheduler, seat->second)) lines.push_back(std::move(line));
    if (lines.size() <= limits::kConsideredLines) return lines;
    const auto more = lines.size() - limits::kConsideredLines + 1;
    lines.resize(limits::kConsideredLines - 1);
    lines.push_back(fmt::format("and {} more", more));
    return lines;
}

CpuSet Engine::partitioned() const {
    CpuSet cpus;
    for (const auto& [target, tuning] : tuned_)
        if (const auto* entry = tuning.partition ? ledger_.find(target) : nullptr) cpus |= entry->written;
    return cpus;
}

std::vector<SchedulerFacts> Engine::facts() const {
    std::vector<SchedulerFacts> rows;
    for_each_scheduler([&](Scheduler& scheduler) {
        SchedulerFacts row;
        row.name = scheduler.name();
        if (const auto* policy = scheduler.policy()) row.policy = policy->name();
        row.members = scheduler.process_set().children().size();
        row.handle_all = scheduler.process_set().handle_all();
        row.ejected = scheduler.ejected();
        if (const auto at = seats_.find(scheduler.name()); at != seats_.end()) {
            row.subjects = at->second.subjects.size();
            row.moves = at->second.moves;
            for (const auto& [target, held] : at->second.decisions) {
                const auto* outcome = find_in(outcomes_, target);
                if (outcome && outcome->state == State::applied) ++row.placed;
                const auto* verdict = find_in(verdicts_, target);
                if (!verdict) continue;
                row.conflicts +=
                    static_cast<std::size_t>(std::ranges::count_if(verdict->opinions, [&](const Opinion& o) {
                        return o.result == Opinion::Result::disputes ||
                               (o.scheduler == row.name && o.result == Opinion::Result::conflict);
                    }));
            }
        }
        rows.push_back(std::move(row));
    });
    return rows;
}

void Engine::tell_progress() {
    if (listener_) listener_->progressed();
}

} // namespace schedd::placement
