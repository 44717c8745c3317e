// The turn of the loop: what the daemon hears, in which order it is dealt with, and what it tells.
#include <algorithm>

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include "components/model/cpu_words.h"
#include "service/daemon.h"

namespace schedd::service {

namespace {

/// How long process events are gathered before they are dealt with: a fork storm then costs ten wake-ups a
/// second.
constexpr std::uint64_t kGatherMs = 100;
/// How long processes are followed after nobody needed them any more: what was let go may have forked just
/// before, and who detaches one member may be about to attach the next.
constexpr Duration kFollowOn = std::chrono::seconds(3);
/// Between two scans where there are no events, and between two looks at who changed group or session.
constexpr std::uint64_t kScanMs = 1000;
/// The rest of a flood of events waits for the next turn, so that the bus is served between.
constexpr int kDrainsPerTurn = 8;
/// How long a written cpuset waits to be looked at: systemd may be about to say that it reads its files anew.
constexpr Duration kFileNotice = std::chrono::milliseconds(500);
/// What `systemctl status` shows is at most this old, when the loop turns at all.
constexpr Duration kStatusPeriod = std::chrono::seconds(5);

} // namespace

/// One turn: the bus first (somebody waits for it), then what the processes did, then the tick if it is due.
Time Daemon::turn() {
    bus_->process();
    hear_units();
    const Time now = clock_.now();
    hear_files(now);
    if (std::exchange(topology_is_stale_, false)) load_topology();
    follow_processes(now);
    if (process_watch_ && follows_processes_ && now >= events_again_) process_watch_->resume();
    find_processes(now);
    const bool is_due = engine_->next_due() <= now || processes_->generation() != seen_generation_;
    if (is_due) {
        take_process_events();
        templates_->look();
        seen_generation_ = processes_->generation();
        engine_->tick(now);
        bus_->sampled(now);
    }
    const Time moves_due = moves_->turn(now);
    const Time power_due = power_.turn(now, holds_->facts(), whole());
    power_.follow(now);
    const Time peers_due = peers_.turn();
    bus_->flush_signals();
    const auto poll = bus_->poll();
    bus_watch_->set_events(poll.events);
    Time next = std::min({engine_->next_due(), next_find_, peers_due, moves_due, power_due});
    if (process_watch_ && follows_processes_ && now < events_again_) next = std::min(next, events_again_);
    next = std::min(next, look_at_files_);
    tell_status(now);
    if (poll.timeout_us != UINT64_MAX)
        next = std::min<Time>(next, std::chrono::microseconds(poll.timeout_us));
    return next;
}

void Daemon::hear_units() {
    if (!units_watch_) return;
    const bool is_there = units_->process();
    for (const auto& unit : std::exchange(units_changed_, {})) {
        attachments_->refresh(unit);
        engine_->reconcile(placement::Target::unit(unit));
    }
    if (std::exchange(is_reloaded_, false)) {
        files_written_.clear(); // by systemd itself
        attachments_->refresh();
        engine_->reconcile();
    }
    if (std::exchange(is_resumed_, false)) { // CPUs may have come back without an event
        load_topology();
        engine_->reconcile();
    }
    attachments_->retry();
    if (is_there) return;
    log_.write(Severity::error, "systemd", "the bus to it is gone: units are not followed any more");
    units_watch_->pause();
    units_watch_ = nullptr;
}

void Daemon::take_file_events() {
    const auto written = files_->drain();
    files_written_.insert(written.names.begin(), written.names.end());
    if (look_at_files_ == kNever) look_at_files_ = clock_.now() + kFileNotice;
    if (written.lost) engine_->check_all();
}

/// Who else has written a cpuset. Our own writes are seen too, and found to hold.
void Daemon::hear_files(Time now) {
    if (now < look_at_files_) return;
    look_at_files_ = kNever;
    const auto written = std::exchange(files_written_, {});
    if (is_reloading_) return; // what is undone is done again afterwards
    for (const auto& unit : written) engine_->disturbed(placement::Target::unit(unit));
}

void Daemon::follow(const placement::Target& target, const std::string& file) {
    if (!files_) return;
    if (auto followed = files_->follow(target.name, file); !followed)
        log_.write(Severity::debug, target.text(), followed.error().text());
}

void Daemon::let_go(const placement::Target& target) {
    if (files_) files_->let_go(target.name);
}

/// What `systemctl status` shows; the watchdog is fed by the loop itself.
void Daemon::tell_status(Time now) {
    if (!has_status_ || now < next_status_) return;
    next_status_ = now + kStatusPeriod;
    auto status = status_line();
    if (status == told_status_) return;
    told_status_ = std::move(status);
    sd_notify(0, ("STATUS=" + told_status_).c_str());
}

/// In the middle of a turn that is long, or of a start or stop: hundreds of units to put back. Each act waits
/// for PID 1 for a bounded time, so one that hangs is still found out.
void Daemon::progressed() {
    const Time now = clock_.now();
    if (!has_status_ || now < next_sign_of_life_) return;
    next_sign_of_life_ = now + std::chrono::seconds(1);
    sd_notify(0, "WATCHDOG=1\nEXTEND_TIMEOUT_USEC=30000000");
}

std::string Daemon::status_line() const {
    std::size_t subjects = 0;
    std::size_t placed = 0;
    std::size_t conflicts = 0;
    std::size_t schedulers = 0;
    for (const auto& row : engine_->facts()) {
        ++schedulers;
        subjects += row.subjects;
        placed += row.placed;
        conflicts += row.conflicts;
    }
    return fmt::format("{} scheduler{}, {} of {} placed on {} CPUs{}", schedulers, schedulers == 1 ? "" : "s",
                       placed, subjects, topology_.usable().count(),
                       conflicts == 0 ? "" : fmt::format(", {} in conflict", conflicts));
}

bool Daemon::wants_processes() const {
    if (engine_->held() > 0 || !templates_->empty()) return true;
    const auto is_any = [](const auto& parts, auto&& holds) { return std::ranges::any_of(parts, holds); };
    return is_any(tree_->schedulers().children(),
                  [](const auto& part) {
                      const auto& set = static_cast<const Scheduler&>(*part).process_set();
                      return set.handle_all() || !set.children().empty();
                  }) ||
           is_any(tree_->probes().children(),
                  [](const auto& part) { return static_cast<const Probe&>(*part).follows_processes(); });
}

/// Each fork and exit of the machine costs the kernel an event and the daemon its part of a wake-up: with
/// nobody attached, for nothing.
void Daemon::follow_processes(Time now) {
    if (wants_processes()) {
        processes_wanted_ = now;
        if (!follows_processes_) begin_to_follow(now);
        return;
    }
    if (!follows_processes_ || now - processes_wanted_ < kFollowOn) return;
    follows_processes_ = false;
    if (!process_events_) return;
    process_watch_->pause();
    process_events_->pause();
}

void Daemon::begin_to_follow(Time now) {
    follows_processes_ = true;
    processes_wanted_ = now;
    if (auto listening = process_events_ ? process_events_->resume() : Status(); !listening) {
        log_.write(Severity::error, "processes", listening.error().text());
        process_events_.reset(); // its watch is paused, and stays so
        process_watch_ = nullptr;
    }
    events_again_ = now;
    if (auto scanned = processes_->scan(true); !scanned)
        log_.write(Severity::error, "processes", scanned.error().text());
}

void Daemon::take_process_events() {
    if (!follows_processes_ && wants_processes()) begin_to_follow(clock_.now());
    if (!process_events_ || !follows_processes_) return;
    bool has_more = true;
    for (int i = 0; has_more && i < kDrainsPerTurn; ++i) {
        const auto drained =
            process_events_->drain([this](const ProcessEvent& event) { processes_->apply(event); });
        has_more = drained && drained->more;
        if (drained && !drained->lost) continue;
        log_.write(Severity::warning, "processes",
                   drained ? "events were lost; scanning" : drained.error().text());
        if (auto scanned = processes_->scan(); !scanned)
            log_.write(Severity::error, "processes", scanned.error().text());
    }
    const auto gather = std::chrono::milliseconds(settings_.tick_period_ms.value_or(kGatherMs));
    events_again_ = has_more ? clock_.now() : clock_.now() + gather;
    process_watch_->pause();
}

void Daemon::catch_up_with_processes() {
    if (!follows_processes_) begin_to_follow(clock_.now());
    if (process_events_) {
        take_process_events();
        return;
    }
    if (auto scanned = processes_->scan(); !scanned)
        log_.write(Severity::error, "processes", scanned.error().text());
}

void Daemon::take_cpu_events() {
    const auto changed = cpu_events_->drain();
    if (changed && !*changed) return;
    load_topology();
}

void Daemon::load_topology() {
    auto topology = topology_reader_->load();
    if (!topology) {
        log_.write(Severity::error, "topology", topology.error().text());
        return;
    }
    if (topology->generation == topology_.generation) return;
    log_.write(Severity::notice, "topology",
               topology->online == topology_.online
                   ? fmt::format("CPUs online: {} as before, but not what they share or may be used for",
                                 topology->online.text())
                   : fmt::format("CPUs online: {} (before: {})", topology->online.text(),
                                 topology_.online.text()));
    if (const auto& left_out = topology_reader_->left_out(); !left_out.empty())
        log_.write(Severity::warning, "topology", left_out);
    topology_ = std::move(*topology);
    topology_.allowed |= engine_->partitioned() & topology_.online;
    allowed_ = topology_.allowed;
    reserve_cpus();
}

bool Daemon::wants_ids() const {
    for (const auto& scheduler : tree_->schedulers().children())
        for (const auto& child : static_cast<const Scheduler&>(*scheduler).process_set().children()) {
            using Sort = MemberName::Sort;
            const auto sort = static_cast<const Member&>(*child).parsed().sort;
            if (sort != Sort::process && sort != Sort::process_children) return true;
        }
    return false;
}

void Daemon::find_processes(Time now) {
    const bool scans = !process_events_ && follows_processes_;
    if (!scans && !wants_ids()) {
        next_find_ = kNever;
        return;
    }
    if (next_find_ == kNever) next_find_ = now;
    if (now < next_find_) return;
    next_find_ = now + std::chrono::milliseconds(settings_.scan_period_ms.value_or(kScanMs));
    if (scans) catch_up_with_processes();
    if (wants_ids()) processes_->refresh_ids();
}

void Daemon::decided(const std::string& scheduler, const placement::Target& target,
                     const placement::Decision& decision) {
    log_.write(Severity::debug, target.text(),
               fmt::format("{} wants it on {}: {}", scheduler, cpu_words(decision.cpus), decision.reason));
    if (bus_) bus_->decided(scheduler, target.text(), decision.cpus.text(), decision.reason);
}

void Daemon::conflicted(const std::string& scheduler, const placement::Target& target,
                        const std::string& detail) {
    log_.tell(message_id::kConflict, Severity::warning, target.text(),
              fmt::format("conflict: {} {}", scheduler, detail), {{"SCHEDD_SCHEDULER", scheduler}});
    if (bus_) bus_->conflict(scheduler, target.text(), detail);
}

void Daemon::ejected(const std::string& scheduler, const std::string& why) {
    log_.tell(message_id::kEjected, Severity::error, scheduler,
              fmt::format("its policy is out of action, its members are restored: {}", why),
              {{"SCHEDD_SCHEDULER", scheduler}});
    if (bus_) bus_->ejected(scheduler, why);
}

/// Units are few and move seldom, and people ask the journal about them; the rest is for debugging.
void Daemon::placed(const placement::Target& target, const placement::Verdict& verdict,
                    const placement::Outcome& outcome) {
    const bool is_unit = target.sort == placement::Target::Sort::unit;
    const auto& first = verdict.opinions.front();
    const auto cpus = verdict.cpus.text();
    const auto state = std::string(placement::name_of(outcome.state));
    log_.tell(message_id::kPlaced, is_unit ? Severity::info : Severity::debug, target.text(),
              fmt::format("placed on {} by {}: {} ({}{}{})", cpu_words(verdict.cpus), first.scheduler,
                          first.reason, state, outcome.detail.empty() ? "" : ", ", outcome.detail),
              {{"SCHEDD_SCHEDULER", first.scheduler}, {"SCHEDD_CPUS", cpus}, {"SCHEDD_STATE", state}});
}

void Daemon::released(const placement::Target& target, const placement::Outcome& outcome) {
    using enum placement::State;
    const bool is_unit = target.sort == placement::Target::Sort::unit;
    if (outcome.state == invalid)
        log_.tell(message_id::kNotRestored, Severity::error, target.text(),
                  "could not be restored: " + outcome.detail);
    else if (outcome.state == foreign)
        log_.tell(message_id::kReleased, Severity::notice, target.text(),
                  "let go and left as it is: " + outcome.detail);
    else
        log_.tell(message_id::kReleased, is_unit ? Severity::info : Severity::debug, target.text(),
                  "let go, as it was before");
}

void Daemon::disturbed(const placement::Target& target, const placement::Outcome& found, bool taken_back) {
    if (taken_back)
        log_.tell(message_id::kTakenBack, Severity::notice, target.text(), "set again: " + found.detail);
    else log_.tell(message_id::kDisturbed, Severity::notice, target.text(), "left as it is: " + found.detail);
}

} // namespace schedd::service
