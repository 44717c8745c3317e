// What the daemon tells of targets, members and units: why they are where they are, and what is not as
// wanted.
#include <utility>

#include <fmt/format.h>

#include "service/daemon.h"

namespace schedd::service {

namespace {

dbus::Explanation translate(const placement::Explanation& row) {
    dbus::Explanation out;
    out.target = row.target.text();
    out.comm = row.comm;
    for (std::size_t i = 0; i < row.members.size(); ++i)
        out.members.push_back({row.members[i].first, row.members[i].second, row.considered[i]});
    for (std::size_t i = 0; i < row.verdict.opinions.size(); ++i) {
        const auto& opinion = row.verdict.opinions[i];
        out.decisions.push_back({opinion.scheduler, opinion.cpus.text(), opinion.reason, std::nullopt,
                                 std::string(name_of(opinion.result))});
        if (const auto& since = row.since[i])
            out.decisions.back().since_ms = static_cast<std::uint64_t>(milliseconds_of(*since));
    }
    // it stands with the decision where there is one
    for (auto& membership : out.members)
        for (auto& decision : out.decisions)
            if (decision.scheduler == membership.scheduler && decision.since_ms)
                decision.considered = std::exchange(membership.considered, {});
    out.wanted = row.verdict.cpus.text();
    out.written = row.outcome.written.text();
    out.effective = row.outcome.effective.text();
    out.state =
        placement::name_of(row.verdict.has_conflict() ? placement::State::conflict : row.outcome.state);
    out.detail = row.outcome.detail;
    if (row.verdict.has_conflict())
        out.detail = row.verdict.disagreement() + (out.detail.empty() ? "" : "; ") + out.detail;
    out.settings = row.verdict.tuning.text();
    out.original = row.original;
    out.before = row.before;
    return out;
}

/// One for each scheduler that cannot have its way, else one for a state that is not as wanted.
void add_findings(const placement::Explanation& row, std::vector<dbus::Finding>& findings) {
    const auto told = translate(row);
    using Result = placement::Opinion::Result;
    for (const auto& opinion : row.verdict.opinions)
        if (opinion.result == Result::conflict || opinion.result == Result::disputes)
            findings.push_back({told.target, opinion.scheduler, told.state, told.wanted, told.effective,
                                row.verdict.disagreement()});
    const auto state = row.outcome.state;
    if (state == placement::State::applied || state == placement::State::free) return;
    if (row.verdict.has_conflict() && state == placement::State::pending) return;
    findings.push_back({told.target, row.members.empty() ? "" : row.members.front().first,
                        std::string(name_of(state)), told.wanted, told.effective, row.outcome.detail,
                        state == placement::State::pending});
}

/// A unit that is no member: why it is not.
dbus::Explanation translate(const systemd::Attachments::Row& row) {
    dbus::Explanation out;
    out.target = "unit:" + row.unit;
    out.state =
        placement::name_of(row.state == "waiting" ? placement::State::pending : placement::State::free);
    if (row.scheduler.empty()) out.detail = fmt::format("it has opted out ({})", row.where);
    else
        out.detail = fmt::format("{} {}: {} ({})",
                                 row.state == "waiting" ? "waits to be attached to" : "is detached from",
                                 row.scheduler, row.detail, row.where);
    return out;
}

/// A member that stands for nothing now.
dbus::Explanation translate(const Scheduler& scheduler, const Member& member) {
    dbus::Explanation out;
    out.target = member.name();
    out.members.push_back({scheduler.name(), member.name()});
    out.state = text_of(member.attribute(Member::kState));
    out.detail = text_of(member.attribute(Member::kDetail));
    return out;
}

template <class Visit> void for_each_member(const Tree& tree, const Visit& visit) {
    const auto* folder = tree.root().child("schedulers");
    for (const auto& part : folder->children()) {
        const auto& scheduler = static_cast<const Scheduler&>(*part);
        for (const auto& child : scheduler.process_set().children())
            visit(scheduler, static_cast<const Member&>(*child));
    }
}

} // namespace

Result<std::vector<dbus::Explanation>> Daemon::explain(std::string_view what) const {
    // on failure the table is as old as it was, and what it has not is not there
    if (!follows_processes_ && !what.empty()) static_cast<void>(processes_->scan(true));
    const auto rows = engine_->explain(what);
    std::vector<dbus::Explanation> out;
    if (rows)
        for (const auto& row : *rows) out.push_back(translate(row));
    if (out.empty() && !what.empty())
        for_each_member(*tree_, [&](const Scheduler& scheduler, const Member& member) {
            if (member.name() == what) out.push_back(translate(scheduler, member));
        });
    if (out.empty() && attachments_)
        for (const auto& row : attachments_->rows())
            if ("unit:" + row.unit == what) out.push_back(translate(row));
    if (out.empty() && !rows) return std::unexpected(rows.error());
    return out;
}

std::vector<dbus::Explanation> Daemon::explain_all() const {
    return explain("").value_or(std::vector<dbus::Explanation>());
}

Result<std::vector<dbus::Finding>> Daemon::verify() {
    const Time before = clock_.now();
    const bool anew = verifying_.may_be_asked(before); // PID 1
    engine_->check_all(anew);
    if (anew) verifying_.was_asked(before, clock_.now());
    std::vector<dbus::Finding> findings;
    for (const auto& row : engine_->explain("").value_or(std::vector<placement::Explanation>()))
        add_findings(row, findings);
    for_each_member(*tree_, [&](const Scheduler& scheduler, const Member& member) {
        if (member.alive() && scheduler.process_set().why_left_out(member).empty()) return;
        findings.push_back({member.name(), scheduler.name(), text_of(member.attribute(Member::kState)), "",
                            "", text_of(member.attribute(Member::kDetail)), true});
    });
    if (attachments_)
        for (const auto& row : attachments_->rows())
            if (row.state == "waiting")
                findings.push_back({"unit:" + row.unit, row.scheduler, "pending", "", "", row.detail, true});
    std::ranges::move(power_.findings(), std::back_inserter(findings));
    std::ranges::move(peers_.conflicts(), std::back_inserter(findings));
    return findings;
}

} // namespace schedd::service
