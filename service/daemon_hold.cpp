// What the daemon does about holds, and about its log being turned up or down over the bus.
#include <algorithm>

#include <fmt/format.h>

#include "service/daemon.h"

namespace schedd::service {

ProcessSet::Whole Daemon::whole() const {
    return {actuator_->handles(placement::Target::Sort::cgroup),
            actuator_->handles(placement::Target::Sort::unit)};
}

Status Daemon::open_holds() {
    auto holds = Holds::open(options_.state_dir, log_);
    if (!holds) return std::unexpected(holds.error());
    holds_ = std::move(*holds);
    const auto held = holds_->schedulers();
    engine_->freeze(held.all, held.names);
    return {};
}

void Daemon::hear_holds() {
    if (!holds_->collect()) return;
    const auto held = holds_->schedulers();
    engine_->freeze(held.all, held.names);
    bus_->holds_changed();
}

/// A hold on nothing would keep nothing. What cannot be held at all is told by Holds.
Status Daemon::is_there(const std::string& held) const {
    if (held.starts_with("profile:") && power_.holder().empty() && check_held_thing(held))
        return fail(Errc::not_supported, fmt::format("{} cannot be held", held),
                    power_.said().profile_trouble);
    constexpr std::string_view kMark = "scheduler:";
    const auto name = held.starts_with(kMark) ? held.substr(kMark.size()) : "*";
    if (name == "*" || !check_held_thing(held)) return {};
    const auto found = tree_->find(Path({"schedulers", name}));
    return found ? Status() : std::unexpected(found.error());
}

std::vector<dbus::HoldFacts> Daemon::holds() const {
    auto holds = holds_->facts();
    power_.tell(holds);
    return holds;
}

Result<dbus::HoldTicket> Daemon::hold(const dbus::HoldRequest& request, bool dry_run) {
    if (auto there = is_there(request.what); !there) return std::unexpected(there.error());
    auto ticket = holds_->take(request, dry_run);
    if (!ticket || dry_run) return ticket;
    const auto held = holds_->schedulers();
    engine_->freeze(held.all, held.names);
    bus_->holds_changed();
    return ticket;
}

Status Daemon::check_holds(const Recipe& recipe) const {
    for (const auto& verb : recipe) {
        // a scheduler, or its policy, without which nothing would keep what is placed
        const auto& names = verb.path.names();
        const bool removes = verb.what == Verb::Do::remove && names.size() >= 2 && names.size() <= 3 &&
                             names[0] == "schedulers";
        const auto* hold = removes ? holds_->on_scheduler(names[1]) : nullptr;
        if (!hold || !tree_->find(verb.path)) continue;
        const auto& by = hold->request;
        return fail(Errc::busy, fmt::format("{} is held by {}", verb.path.text(), by.who),
                    fmt::format("hold {} of uid {}, pid {}{}{}", hold->id, by.uid, by.pid,
                                by.why.empty() ? "" : ": ", by.why));
    }
    return {};
}

/// Until the next start, whatever the configuration says.
Status Daemon::set_log_level(std::string_view level) {
    auto set = log_.set_syslog_level(level);
    if (set) options_.log_level = log_.level();
    return set;
}

} // namespace schedd::service
