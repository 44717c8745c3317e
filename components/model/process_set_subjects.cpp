// What the subjects of a set are: all of them anew, or those alone that processes came to or left.
#include <algorithm>
#include <map>
#include <string_view>

#include "components/model/process_set.h"
#include "components/model/unit_name.h"

namespace schedd::model {

namespace {

/// Changes that are remembered; whoever has seen none of them looks at everything.
constexpr std::size_t kLogLength = 4096;

/// A group or unit that was attached by its name is a subject also while nobody is in it.
bool stays_when_empty(const Subject& subject) {
    if (subject.target.sort == Target::Sort::process) return false;
    constexpr std::string_view kUnit = "unit:";
    return !subject.member.starts_with(kUnit) ||
           !is_template(std::string_view(subject.member).substr(kUnit.size()));
}

bool is_by_slice(const Member& member) {
    return std::get<std::string>(member.attribute(Member::kClass)) == "auto";
}

/// What a member asks for; `group` is the control group or the unit that it is asked of. Desktops put what
/// draws the screen into session.slice and what may wait into background.slice (systemd's "Desktop
/// Environment Integration"); the innermost of these counts.
Demand demand_of(const Member& member, std::string_view group) {
    auto demand = member.demand();
    if (!is_by_slice(member)) return demand;
    const auto place_of = [&](std::string_view slice) {
        const auto at = group.rfind(slice);
        const bool is_name = at != std::string_view::npos && (at == 0 || group[at - 1] == '/') &&
                             (at + slice.size() == group.size() || group[at + slice.size()] == '/');
        return is_name ? static_cast<std::ptrdiff_t>(at) : -1;
    };
    const auto batch = place_of("background.slice");
    const auto latency = place_of("session.slice");
    const auto normal = place_of("app.slice");
    if (batch > latency && batch > normal) demand.work_class = WorkClass::batch;
    if (latency > batch && latency > normal) demand.work_class = WorkClass::latency;
    return demand;
}

} // namespace

/// What is placed when this process is to be: itself, or the group or unit that it belongs by.
Target ProcessSet::target_of(Pid pid, const Matched& matched, Whole whole) const {
    using Sort = MemberName::Sort;
    if (const auto* member = matched.match.member) {
        const auto& name = member->parsed();
        if (whole.cgroups && name.sort == Sort::cgroup) return Target::cgroup(name.text);
        if (whole.units && name.sort == Sort::unit)
            return Target::unit(std::string(unit_in(processes_.trait(pid, Trait::systemd_group), name.text)));
    }
    return Target::process(pid, matched.start_time);
}

/// The control group that a unit or cgroup: member is, found by one of its processes; "" for the others.
std::string ProcessSet::group_of(Pid pid, const Member& member) const {
    const auto& name = member.parsed();
    if (name.sort == MemberName::Sort::cgroup) return name.text;
    if (name.sort != MemberName::Sort::unit) return {};
    return std::string(group_of_unit(processes_.trait(pid, Trait::systemd_group), name.text));
}

bool ProcessSet::is_whole(const Member& member, Whole whole) const {
    const auto sort = member.parsed().sort;
    return (whole.cgroups && sort == MemberName::Sort::cgroup) ||
           (whole.units && sort == MemberName::Sort::unit && !is_template(member.parsed().text));
}

/// Opt-out always wins: what would narrow a unit that has opted out is not placed whole.
void ProcessSet::find_left_out(Whole whole) const {
    left_out_.clear();
    if (!processes_.has_opt_outs()) return;
    std::vector<const Member*> members;
    for (const auto& child : children()) {
        const auto& member = static_cast<const Member&>(*child);
        if (!is_whole(member, whole)) continue;
        const bool is_unit = member.parsed().sort == MemberName::Sort::unit;
        auto why = is_unit ? processes_.opt_out_of(member.parsed().text)
                           : processes_.opt_out_in(member.parsed().text);
        if (!why.empty()) left_out_.emplace(&member, std::move(why));
        else members.push_back(&member);
    }
    if (members.empty()) return;
    processes_.for_each([&](const ProcessInfo& process) {
        if (process.kernel_thread) return;
        const auto why = processes_.opt_out_in(processes_.trait(process.pid, Trait::systemd_group));
        if (why.empty()) return;
        for (const auto* member : members)
            if (belongs(*member, process)) left_out_.emplace(member, why);
    });
}

std::string ProcessSet::why_left_out(const Member& member) const {
    const auto at = left_out_.find(&member);
    return at == left_out_.end() ? std::string() : at->second;
}

std::vector<Subject> ProcessSet::all_subjects(Whole whole) const {
    std::vector<Subject> all;
    std::map<Target, std::size_t> rows; // of groups and units, by place in `all`
    const auto row = [&](Target target, const Member* member) -> Subject& {
        const auto [at, is_new] = rows.try_emplace(std::move(target), all.size());
        if (is_new) {
            const auto& named = at->first;
            all.push_back({named, member->name(), member->weight(), {}, {}, demand_of(*member, named.name)});
            if (named.sort == Target::Sort::cgroup) all.back().group = named.name;
        }
        return all[at->second];
    };
    // also while nobody is in it: who comes is in the right place at once
    for (const auto& child : children()) {
        const auto& member = static_cast<const Member&>(*child);
        if (!is_whole(member, whole) || left_out_.contains(&member)) continue;
        const auto& name = member.parsed();
        row(name.sort == MemberName::Sort::cgroup ? Target::cgroup(name.text) : Target::unit(name.text),
            &member);
    }
    for (const auto& [pid, matched] : matched_) {
        const auto* member = matched.match.member;
        if (member && left_out_.contains(member)) continue;
        auto target = target_of(pid, matched, whole);
        if (target.sort != Target::Sort::process) {
            auto& whole_one = row(std::move(target), member);
            whole_one.pids.push_back(pid);
            if (whole_one.group.empty()) whole_one.group = group_of(pid, *member);
        } else {
            all.push_back(subject_of(std::move(target), pid, member));
        }
    }
    for (auto& subject : all) std::ranges::sort(subject.pids);
    std::ranges::sort(all, {}, &Subject::target);
    return all;
}

/// Of one process for itself; `member` is null under handle_all.
Subject ProcessSet::subject_of(Target target, Pid pid, const Member* member) const {
    return {std::move(target),
            member ? member->name() : "handle_all",
            member ? member->weight() : 100,
            {pid},
            {},
            member
                ? demand_of(*member, is_by_slice(*member) ? processes_.trait(pid, Trait::systemd_group) : "")
                : Demand(),
            member ? group_of(pid, *member) : std::string()};
}

Subjects ProcessSet::subjects(Whole whole) const {
    update();
    // who is left out may hang on any process
    if (!is_built_ || built_whole_ != whole ||
        (!moved_.empty() && (processes_.has_opt_outs() || !left_out_.empty())))
        build_subjects(whole);
    else if (!moved_.empty()) follow_moved();
    return subjects_.all();
}

std::optional<std::span<const Target>> ProcessSet::changed_since(std::uint64_t revision) const {
    if (revision < log_begin_ || revision > this->revision()) return std::nullopt;
    return std::span(log_).subspan(revision - log_begin_);
}

void ProcessSet::note(const Target& target) const {
    if (log_.size() == kLogLength) {
        log_begin_ += log_.size();
        log_.clear();
    }
    log_.push_back(target);
}

void ProcessSet::build_subjects(Whole whole) const {
    find_left_out(whole);
    auto now = all_subjects(whole);
    const auto before = subjects_.all();
    auto old = before.begin();
    for (const auto& subject : now) {
        for (; old != before.end() && old->target < subject.target; ++old) note(old->target);
        const bool is_known = old != before.end() && old->target == subject.target;
        if (!is_known || *old != subject) note(subject.target);
        if (is_known) ++old;
    }
    for (; old != before.end(); ++old) note(old->target);
    row_of_.clear();
    for (const auto& subject : now)
        for (const Pid pid : subject.pids) row_of_.insert_or_assign(pid, subject.target);
    subjects_.assign(std::move(now));
    moved_.clear();
    is_built_ = true;
    built_whole_ = whole;
}

/// Those alone that processes came to or left. REQUIRES: nobody is left out, members are as they were.
void ProcessSet::follow_moved() const {
    for (const Pid pid : moved_) {
        const auto matched = matched_.find(pid);
        const auto row = row_of_.find(pid);
        const bool was_in = row != row_of_.end();
        if (matched == matched_.end()) {
            if (was_in) leave_row(pid, row->second);
            row_of_.erase(pid);
            continue;
        }
        auto target = target_of(pid, matched->second, built_whole_);
        const bool is_for_itself = target.sort == Target::Sort::process;
        if (was_in && row->second == target && !is_for_itself) continue;
        if (was_in && row->second != target) leave_row(pid, row->second);
        if (is_for_itself) be_row(pid, target, matched->second.match.member);
        else enter_row(pid, target, *matched->second.match.member);
        row_of_.insert_or_assign(pid, std::move(target));
    }
    moved_.clear();
}

void ProcessSet::leave_row(Pid pid, const Target& target) const {
    auto* subject = subjects_.find(target);
    if (!subject) return;
    note(target);
    std::erase(subject->pids, pid);
    if (!subject->pids.empty()) return;
    if (!stays_when_empty(*subject)) subjects_.erase(target);
    else if (target.sort == Target::Sort::unit) subject->group.clear();
}

void ProcessSet::enter_row(Pid pid, const Target& target, const Member& member) const {
    auto* subject = subjects_.find(target);
    if (!subject)
        subject =
            &subjects_.put({target, member.name(), member.weight(), {}, {}, demand_of(member, target.name)});
    subject->pids.insert(std::ranges::lower_bound(subject->pids, pid), pid);
    if (subject->group.empty()) subject->group = group_of(pid, member);
    note(target);
}

void ProcessSet::be_row(Pid pid, const Target& target, const Member* member) const {
    auto subject = subject_of(target, pid, member);
    if (const auto* before = subjects_.find(target); before && *before == subject) return;
    subjects_.put(std::move(subject));
    note(target);
}

} // namespace schedd::model
