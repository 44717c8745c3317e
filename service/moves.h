// Moves: what carrying work to other nodes means to this daemon - the mover with all that it stands on, in
// the words of the bus.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "components/kit/rng.h"
#include "dbus/moves.h"
#include "dbus/nodes.h"
#include "service/remote/remote_mover.h"
#include "service/remote/systemd_runner.h"

namespace schedd::service {

using namespace schedd::kit;

/// What the files say; without a word about the directory it is below the daemon's own, so that two daemons
/// on one machine do not share one.
remote::MigrationSettings migration_settings(const std::optional<remote::MigrationSettings>& configured,
                                             const std::string& state_dir);

class Moves {
public:
    struct Hooks {
        std::function<std::vector<dbus::NodeFacts>()> nodes;
        std::function<void(const remote::MoveFacts&)> told; // a move has come to another phase
    };
    /// All outlive it. Fails with io when the kernel refuses an epoll descriptor.
    static Result<std::unique_ptr<Moves>> open(const Clock& clock, Rng& rng, Host& host, Log& log,
                                               remote::MigrationSettings settings, Hooks hooks);

    /// `trouble`: why nothing can be moved, whatever CRIU says.
    void begin(std::string trouble) { mover_->begin(std::move(trouble)); }
    /// For what moves from now on; the directory as well.
    void set(remote::MigrationSettings settings) {
        steps_.set(std::move(settings));
        mover_->check_again();
    }
    /// Readable when turn() has something to do.
    [[nodiscard]] int fd() const { return runner_->fd(); }
    Time turn(Time now);

    [[nodiscard]] remote::RemoteMover& mover() { return *mover_; }
    [[nodiscard]] const remote::RemoteMover& mover() const { return *mover_; }
    [[nodiscard]] const std::string& directory() const { return steps_.settings().directory; }
    Status block(bool is_blocked, bool dry_run);
    [[nodiscard]] dbus::MigrationFacts facts() const;

private:
    Moves(Rng& rng, Hooks hooks, remote::MigrationSettings settings);
    [[nodiscard]] std::vector<remote::Site> sites() const;

    Rng& rng_;
    Hooks hooks_;
    remote::Steps steps_;
    std::unique_ptr<remote::SystemdRunner> runner_;
    std::unique_ptr<remote::RemoteMover> mover_;
};

} // namespace schedd::service
