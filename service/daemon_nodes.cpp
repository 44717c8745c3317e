// What the daemon answers about other nodes; Peers knows.
#include "service/daemon.h"

namespace schedd::service {

dbus::NetworkFacts Daemon::network() const { return peers_.network(); }

std::vector<dbus::NodeFacts> Daemon::nodes() const { return peers_.facts(); }

std::optional<dbus::NodeFacts> Daemon::node(membership::NodeUid uid) const { return peers_.facts(uid); }

Status Daemon::drain(std::string_view node, bool is_draining, bool dry_run) {
    return peers_.drain(node, is_draining, dry_run);
}

void Daemon::nodes_changed() { tree_->set_nodes(dbus::states_of(nodes())); }

} // namespace schedd::service
