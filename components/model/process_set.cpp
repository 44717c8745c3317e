// Who belongs to a scheduler. What its subjects are is in process_set_subjects.cpp.
#include "components/model/process_set.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "components/model/descriptor.h"
#include "components/model/pattern.h"
#include "components/model/unit_name.h"

namespace schedd::model {

namespace {

/// "/a" holds "/a" and "/a/b", not "/ab"; "/" holds all.
bool cgroup_holds(std::string_view outer, std::string_view inner) {
    if (outer == "/") return inner.starts_with('/');
    return inner.starts_with(outer) && (inner.size() == outer.size() || inner[outer.size()] == '/');
}

} // namespace

const std::vector<AttributeSpec>& ProcessSet::table() {
    static const std::vector<AttributeSpec> kTable{
        {.name = "handle_all",
         .kind = AttributeKind::boolean,
         .initial = "false",
         .doc = "All processes that may be members are; excludes explicit members."},
    };
    return kTable;
}

ProcessSet::ProcessSet(const Environment& environment)
    : Part(Kind::process_set, "process_set", nullptr, table()), processes_(environment.processes) {
    make_default();
}

Status ProcessSet::accepts(std::size_t index, const AttributeValue& value) const {
    if (index == kHandleAll && std::get<bool>(value) && !children().empty())
        return fail(Errc::conflict, path().text() + " has explicit members",
                    "remove them before setting handle_all");
    return {};
}

Result<std::unique_ptr<Part>> ProcessSet::make_member(const std::string& name) const {
    auto parsed = MemberName::parse(name);
    if (!parsed) return std::unexpected(parsed.error());
    if (handle_all())
        return fail(Errc::conflict, path().text() + " handles all processes",
                    "set handle_all to false first");
    using Sort = MemberName::Sort;
    std::unique_ptr<ProcessHold> hold;
    std::uint64_t start_time = 0;
    if (parsed->sort == Sort::process || parsed->sort == Sort::process_children) {
        auto held = processes_.hold(parsed->id);
        const auto info = processes_.look(parsed->id);
        if (!held || !info)
            return fail(Errc::no_such_object, fmt::format("{}: there is no such process", name),
                        "it may have ended");
        if (auto why = processes_.protection(*info); !why.empty())
            return fail(Errc::not_attachable, name + " cannot be attached", std::move(why));
        hold = std::move(*held);
        start_time = info->start_time;
    } else if (parsed->sort == Sort::group || parsed->sort == Sort::session) {
        bool found = false;
        processes_.refresh_ids();
        processes_.for_each([&](const ProcessInfo& p) {
            found = found || (parsed->sort == Sort::group ? p.group : p.session) == parsed->id;
        });
        if (!found)
            return fail(Errc::no_such_object, fmt::format("{}: no process is in it", name),
                        "a group or session is attached while it lives");
    } else if (parsed->sort == Sort::cgroup) {
        if (auto why = protection_in(*parsed); !why.empty())
            return fail(Errc::not_attachable, name + " cannot be attached", std::move(why));
        if (auto exists = processes_.cgroup_exists(parsed->text); !exists)
            return std::unexpected(exists.error());
    } else if (parsed->sort == Sort::unit) { // one that is not there yet may be attached
        if (auto why = protection_in(*parsed); !why.empty())
            return fail(Errc::not_attachable, name + " cannot be attached", std::move(why));
    }
    return std::make_unique<Member>(name, std::move(*parsed), std::move(hold), start_time);
}

/// Why a control group or unit may not be narrowed as a whole: it holds what is never a member.
std::string ProcessSet::protection_in(const MemberName& name) const {
    const bool is_unit = name.sort == MemberName::Sort::unit;
    if (!is_unit && name.text == "/") return "the root control group holds the whole machine";
    if (is_unit && name.text == "-.slice") return "the root slice holds the whole machine";
    auto why = is_unit ? processes_.opt_out_of(name.text) : processes_.opt_out_in(name.text);
    processes_.for_each([&](const ProcessInfo& process) {
        if (!why.empty() || process.kernel_thread) return; // those are in the root group
        auto protection = processes_.protection(process);
        if (protection.empty()) return;
        const auto group =
            processes_.trait(process.pid, is_unit ? Trait::systemd_group : Trait::cpuset_group);
        // a user's own bus and service manager go with the user
        const bool is_in = is_unit ? !unit_in(group, name.text).empty() && group.find("/user@") == group.npos
                                   : cgroup_holds(name.text, group);
        if (is_in) why = fmt::format("process {} in it: {}", process.pid, protection);
    });
    return why;
}

bool ProcessSet::belongs(const Member& member, const ProcessInfo& process) const {
    const auto& name = member.parsed();
    using Sort = MemberName::Sort;
    switch (name.sort) {
    case Sort::process: return process.pid == name.id && process.start_time == member.start_time();
    case Sort::process_children: return descends(member, process);
    case Sort::group: return process.group == name.id;
    case Sort::session: return process.session == name.id;
    case Sort::user: return processes_.trait(process.pid, Trait::user) == std::to_string(name.id);
    case Sort::cgroup: return cgroup_holds(name.text, processes_.trait(process.pid, Trait::cpuset_group));
    case Sort::unit: return !unit_in(processes_.trait(process.pid, Trait::systemd_group), name.text).empty();
    case Sort::exec:
        return matches(name.text, processes_.trait(process.pid, Trait::executable)) ||
               matches(name.text, processes_.trait(process.pid, Trait::command_line));
    }
    return false;
}

/// Once a descendant, always one: the ancestors between may have ended since.
bool ProcessSet::descends(const Member& member, const ProcessInfo& process) const {
    const auto id = member.parsed().id;
    if (process.pid == id) return process.start_time == member.start_time();
    const auto known = matched_.find(process.pid);
    if (known != matched_.end() && known->second.start_time == process.start_time &&
        known->second.match.order == member.order())
        return true;
    // another process may have the number by now
    if (const auto* now = processes_.find(id); now && now->start_time != member.start_time()) return false;
    std::optional<Pid> ancestor = process.parent;
    for (int depth = 0; ancestor && *ancestor > 1 && depth < 64; ++depth) {
        if (*ancestor == id) return true;
        const auto match = matched_.find(*ancestor);
        if (match != matched_.end() && match->second.match.order == member.order()) return true;
        ancestor = processes_.parent_of(*ancestor);
    }
    return false;
}

/// The latest attached cgroup: member that holds the process: looks its path up, then each path above it.
const Member* ProcessSet::group_member(const ProcessInfo& process) const {
    if (groups_.empty()) return nullptr;
    const Member* best = nullptr;
    std::string_view path = processes_.trait(process.pid, Trait::cpuset_group);
    while (path.starts_with('/')) {
        const auto at = groups_.find(path);
        if (at != groups_.end() && (!best || at->second->order() > best->order())) best = at->second;
        if (path.size() == 1) break;
        path = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
    }
    return best;
}

std::optional<ProcessSet::Match> ProcessSet::evaluate(const ProcessInfo& process) const {
    if (!processes_.protection(process).empty()) return std::nullopt;
    if (handle_all()) return Match{nullptr, handle_all_order_};
    const Member* best = group_member(process);
    for (const Member* member : others_) {
        if (best && member->order() < best->order()) continue;
        if (belongs(*member, process)) best = member;
    }
    if (!best) return std::nullopt;
    return Match{best, best->order()};
}

void ProcessSet::index_members() const {
    groups_.clear();
    others_.clear();
    names_processes_ = false;
    for (const auto& child : children()) {
        const auto& member = static_cast<const Member&>(*child);
        if (member.parsed().sort == MemberName::Sort::cgroup) groups_.emplace(member.parsed().text, &member);
        else others_.push_back(&member);
        names_processes_ = names_processes_ || member.parsed().sort == MemberName::Sort::process ||
                           member.parsed().sort == MemberName::Sort::process_children;
    }
}

/// Evaluates one process anew, or forgets it.
void ProcessSet::take(Pid pid) const {
    const auto* process = processes_.find(pid);
    const auto now = process ? evaluate(*process) : std::nullopt;
    if (!now && matched_.erase(pid) == 0) return;
    if (now) matched_.insert_or_assign(pid, Matched{process->start_time, *now});
    moved_.push_back(pid);
}

void ProcessSet::update() const {
    if (!is_stale_ && evaluated_ == processes_.generation()) return;
    if (is_stale_) index_members();
    const bool is_told = !is_stale_ && processes_.visit_changed(evaluated_, [&](Pid pid) { take(pid); });
    if (!is_told) {
        std::vector<Pid> all;
        for (const auto& [pid, matched] : matched_) all.push_back(pid);
        processes_.for_each([&](const ProcessInfo& process) { all.push_back(process.pid); });
        // parents before children where numbers have not wrapped, so that descent is found at once
        std::ranges::sort(all);
        all.erase(std::ranges::unique(all).begin(), all.end());
        for (const Pid pid : all) take(pid);
        is_built_ = false;
    }
    is_stale_ = false;
    evaluated_ = processes_.generation();
}

std::optional<ProcessSet::Match> ProcessSet::match(const ProcessInfo& process) const {
    update();
    const auto* known = processes_.find(process.pid);
    if (!known || known->start_time != process.start_time) return evaluate(process);
    const auto at = matched_.find(process.pid);
    if (at == matched_.end()) return std::nullopt;
    return at->second.match;
}

bool ProcessSet::empty() const {
    update();
    return matched_.empty();
}

} // namespace schedd::model
