// What the daemon does about work that moves to other nodes: opens the mover, answers the bus, tells.
#include <poll.h>

#include <fmt/format.h>

#include "service/daemon.h"

namespace schedd::service {

Status Daemon::open_moves() {
    auto moves =
        Moves::open(clock_, rng_, *host_, log_, migration_settings(settings_.migration, options_.state_dir),
                    {[this] { return nodes(); }, [this](const remote::MoveFacts& move) { tell_move(move); }});
    if (!moves) return std::unexpected(moves.error());
    moves_ = std::move(*moves);
    return {};
}

/// When all else is there: what an earlier run left in the middle is asked for at once.
void Daemon::begin_moves() {
    auto watch = loop_->watch(moves_->fd(), POLLIN, [] {});
    std::string trouble;
    if (!watch) trouble = watch.error().text();
    else if (options_.root != "/") trouble = "another machine's files are read";
    else if (!units_)
        trouble = units_trouble_.empty() ? "systemd is not PID 1, or is not used" : units_trouble_;
    moves_->begin(std::move(trouble));
    engine_->set_mover(&moves_->mover());
}

/// People follow a move in the journal of the unit and in `schedd-cli monitor`.
void Daemon::tell_move(const remote::MoveFacts& move) {
    const bool is_bad = move.phase == "stayed" || move.phase == "failed" || !move.detail.empty();
    const bool is_end = is_bad || move.phase == "moved" || move.phase == "saved" || move.phase == "revived";
    auto text = fmt::format("{} {}: {}", move.phase == "moved" ? "moved to" : "on its way to", move.node,
                            move.reason);
    if (move.phase == "moved") text += fmt::format("; it stood still for {} ms", move.frozen_ms);
    else if (move.phase == "stayed")
        text = fmt::format("goes on here, not on {}: {}", move.node, move.detail);
    else if (move.phase != "link") text = fmt::format("{} {} ({})", move.phase, move.node, move.detail);
    log_.tell(is_end ? message_id::kMoved : std::string_view(),
              is_bad                           ? Severity::warning
              : is_end || move.phase == "link" ? Severity::notice
                                               : Severity::debug,
              "unit:" + move.unit, text, {{"SCHEDD_NODE", move.node}, {"SCHEDD_PHASE", move.phase}});
    if (bus_) bus_->moved(move.unit, move.node, move.phase, move.detail);
}

Result<std::uint64_t> Daemon::migrate(const std::string& member, const std::string& node, bool dry_run) {
    return moves_->mover().ask_for(member, node, "by hand", dry_run);
}

Result<std::uint64_t> Daemon::expel(bool dry_run) { return moves_->mover().expel(dry_run); }

Result<std::uint64_t> Daemon::bring(bool dry_run) { return moves_->mover().bring(dry_run); }

Status Daemon::block_guests(bool is_blocked, bool dry_run) { return moves_->block(is_blocked, dry_run); }

Result<std::uint64_t> Daemon::checkpoint(const std::string& member, const std::string& to, bool dry_run) {
    return moves_->mover().checkpoint(member, to, dry_run);
}

Result<std::uint64_t> Daemon::revive(const std::string& from, bool dry_run) {
    return moves_->mover().revive(from, dry_run);
}

dbus::MigrationFacts Daemon::migration() const { return moves_->facts(); }

} // namespace schedd::service
