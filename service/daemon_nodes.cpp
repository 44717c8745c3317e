// What the daemon answers about other nodes; the place where membership comes in.
#include "service/daemon.h"

namespace schedd::service {

namespace {

constexpr const char* kOff =
    "there is no key; `schedd-cli nodes keygen` makes one, see [cluster] in schedd.conf(5)";

} // namespace

dbus::NetworkFacts Daemon::network() const {
    dbus::NetworkFacts facts;
    facts.off = kOff;
    return facts;
}

std::vector<dbus::NodeFacts> Daemon::nodes() const { return {}; }

std::optional<dbus::NodeFacts> Daemon::node(membership::NodeUid /*uid*/) const { return std::nullopt; }

Status Daemon::drain(std::string_view node, bool /*is_draining*/, bool /*dry_run*/) {
    const auto known = nodes();
    const auto found = dbus::find_node(known, node, network().off);
    return found ? Status() : std::unexpected(found.error());
}

void Daemon::nodes_changed() { tree_->set_nodes(dbus::states_of(nodes())); }

} // namespace schedd::service
