// Nodes as sites, facts as rows, and the file that says that no guests are taken.
#include "service/moves.h"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

#include <fmt/format.h>

#include "components/kit/errno_error.h"
#include "service/host/plain_file.h"

namespace schedd::service {

namespace {

using membership::Standing;

/// "10.0.0.1:7420" without the port, "[fe80::1%3]:7420" without that and the brackets.
std::string address_of(const membership::Address& address) {
    auto text = text_of(address);
    text.resize(std::min(text.rfind(':'), text.size()));
    if (text.starts_with('[')) text = text.substr(1, text.size() - 2);
    return text;
}

/// One that ssh can reach: of version 4 first, and none of one link alone if there is another.
std::string best_address(const std::vector<membership::Address>& addresses) {
    const auto rank = [](const membership::Address& address) {
        return address.is_v4() ? 0 : address.interface == 0 ? 1 : 2;
    };
    const auto best = std::ranges::min_element(addresses, {}, rank);
    return best == addresses.end() ? std::string() : address_of(*best);
}

remote::Site site_of(const dbus::NodeFacts& node) {
    remote::Site site;
    site.number = node.number;
    site.name = node.name;
    site.address = best_address(node.addresses);
    site.is_self = node.is_self;
    site.is_gone = !node.is_self && (node.standing == Standing::dead || node.standing == Standing::left);
    if (node.is_self) return site;
    if (!takes_work(node.standing)) site.trouble = fmt::format("it takes no work: it is {}", node.state);
    else if (site.address.empty()) site.trouble = "its address is not known";
    return site;
}

} // namespace

Moves::Moves(Rng& rng, Hooks hooks, remote::MigrationSettings settings)
    : rng_(rng), hooks_(std::move(hooks)), steps_(SCHEDD_LIBEXEC_DIR "/schedd-migrate", std::move(settings)) {
}

Result<std::unique_ptr<Moves>> Moves::open(const Clock& clock, Rng& rng, Host& host, Log& log,
                                           remote::MigrationSettings settings, Hooks hooks) {
    auto runner = remote::SystemdRunner::open(clock);
    if (!runner) return std::unexpected(runner.error());
    std::unique_ptr<Moves> moves(new Moves(rng, std::move(hooks), std::move(settings)));
    moves->runner_ = std::move(*runner);
    auto* self = moves.get();
    moves->mover_ = std::make_unique<
        remote::RemoteMover>(clock, host, log, *moves->runner_, moves->steps_,
                             remote::RemoteMover::Hooks{[self] { return self->sites(); },
                                                        [self](const remote::MoveFacts& move) {
                                                            self->hooks_.told(move);
                                                        },
                                                        [self] {
                                                            return fmt::format("{:016x}", self->rng_.next());
                                                        }});
    return moves;
}

std::vector<remote::Site> Moves::sites() const {
    std::vector<remote::Site> sites;
    for (const auto& node : hooks_.nodes()) sites.push_back(site_of(node));
    return sites;
}

Time Moves::turn(Time now) {
    const Time next = runner_->turn(now);
    return std::min(next, mover_->turn(now));
}

remote::MigrationSettings migration_settings(const std::optional<remote::MigrationSettings>& configured,
                                             const std::string& state_dir) {
    const remote::MigrationSettings shipped;
    auto settings = configured.value_or(shipped);
    if (settings.directory == shipped.directory) settings.directory = state_dir + "/migrate";
    return settings;
}

Status Moves::block(bool is_blocked, bool dry_run) {
    if (dry_run) return {};
    const auto path = directory() + "/blocked";
    if (is_blocked) return host::write_plain_file(path, "schedd-cli unblock takes guests again\n");
    if (unlink(path.c_str()) != 0 && errno != ENOENT)
        return std::unexpected(errno_error(errno, "removing " + path));
    return {};
}

dbus::MigrationFacts Moves::facts() const {
    dbus::MigrationFacts facts;
    facts.unavailable = mover_->unavailable();
    facts.is_blocked = access((directory() + "/blocked").c_str(), F_OK) == 0;
    for (const auto& [unit, home] : mover_->guests()) facts.guests.push_back({unit, home});
    for (auto& move : mover_->facts())
        facts.moves.push_back({move.id, std::move(move.unit), std::move(move.node), move.number,
                               std::move(move.phase), std::move(move.reason), std::move(move.detail),
                               move.bytes, move.frozen_ms, move.age_ms});
    std::ranges::sort(facts.moves, {}, &dbus::MoveRow::id);
    return facts;
}

} // namespace schedd::service
