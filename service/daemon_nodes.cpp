// What the daemon answers about other nodes; Peers knows.
#include <fmt/format.h>

#include "service/daemon.h"

namespace schedd::service {

namespace {

/// The node that somebody wants, whatever the schedulers say; it has to take work, unless it is this one.
Result<dbus::TaskPlace> wanted_place(const std::vector<dbus::NodeFacts>& nodes, std::string_view what,
                                     const std::string& off) {
    const auto found = dbus::find_node(nodes, what, off);
    if (!found) return std::unexpected(found.error());
    const auto& node = **found;
    if (!node.is_self && !membership::takes_work(node.standing))
        return fail(Errc::not_supported, fmt::format("node {} takes no work", node.name),
                    fmt::format("it is {}", node.state));
    auto place = dbus::place_at(node);
    place.reason = "it was asked for";
    return place;
}

} // namespace

dbus::NetworkFacts Daemon::network() const { return peers_.network(); }

std::vector<dbus::NodeFacts> Daemon::nodes() const { return peers_.facts(); }

std::optional<dbus::NodeFacts> Daemon::node(membership::NodeUid uid) const { return peers_.facts(uid); }

Status Daemon::drain(std::string_view node, bool is_draining, bool dry_run) {
    return peers_.drain(node, is_draining, dry_run);
}

Result<dbus::TaskPlace> Daemon::place_task(const dbus::TaskQuestion& question) {
    const auto facts = nodes();
    if (!question.node.empty()) return wanted_place(facts, question.node, network().off);
    take_process_events();
    auto caller = static_cast<Pid>(question.pid);
    // without events it may be younger than the last scan; a scan is too dear for this, and its parent is as
    // good
    if (const auto* known = processes_->find(caller); !known)
        if (const auto seen = processes_->look(caller)) caller = seen->parent;
    const auto placed = engine_->place_task({.command = question.command,
                                             .scheduler = question.scheduler,
                                             .caller = caller,
                                             .refused = question.refused},
                                            clock_.now());
    if (!placed) return std::unexpected(placed.error());
    dbus::TaskPlace place;
    for (const auto& node : facts)
        if (node.is_self || (node.number >= 0 && node.number == placed->to.node)) {
            place = dbus::place_at(node);
            if (node.number == placed->to.node) break;
        }
    place.scheduler = placed->scheduler;
    place.reason = facts.empty() ? "there is no cluster: " + network().off : placed->to.reason;
    return place;
}

void Daemon::nodes_changed() { tree_->set_nodes(dbus::states_of(nodes())); }

} // namespace schedd::service
