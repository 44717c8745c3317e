// Nodes as the bus knows them: what is asked of who keeps them, which is membership behind the daemon.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "components/kit/result.h"
#include "components/membership/peer.h"
#include "components/model/cluster.h"
#include "components/model/node_part.h"

namespace schedd::dbus {

using namespace schedd::kit;

/// What a node has published, as it was heard last.
struct NodeValue {
    std::string path; // "probes/cpu/node_load"
    std::int32_t value = 0;
    std::uint64_t age_ms = 0;
    bool is_fresh = true; // else it is too old to be a value
    bool operator==(const NodeValue&) const = default;
};

/// A peer, or this node itself, with what it has told.
struct NodeFacts : membership::PeerFacts {
    bool is_self = false;
    std::string state;             // name_of(standing), or what this node announces of itself
    std::vector<NodeValue> values; // by path
};

/// An interface that the group could be sent to.
struct InterfaceFacts {
    std::string name = {};
    std::string why_not = {}; // it is not in use: "it is down", ...; "" = it is in use
    std::vector<std::string> groups = {};
    std::string trouble = {};               // it is in use, and something does not work there
    std::optional<bool> querier_heard = {}; // a multicast querier; none: the kernel does not tell
    std::uint64_t received = 0;             // packets of the group
};

/// Somebody whose packets are not taken: another key, another cluster, a clock too far away.
struct StrangerFacts {
    std::string address = {};
    std::string why = {}; // membership::wire::name_of(Drop)
    std::uint64_t packets = 0;
    std::uint64_t age_ms = 0; // since the last
};

/// What the daemon knows of the network that membership uses.
struct NetworkFacts {
    std::string off; // why membership is off; "" = it is on
    std::string cluster;
    std::uint16_t port = 0;
    bool is_multicast = true;
    std::string trouble;                    // of the sockets or the keys as a whole: "port 7420 is taken"
    std::vector<InterfaceFacts> interfaces; // by name
    std::vector<StrangerFacts> strangers;   // the latest first
    std::optional<std::int64_t> clock_offset_ms; // own clock less the median of the peers'
};

/// New work that looks for a node.
struct TaskQuestion {
    std::string command;                // what is to run, for people
    std::string scheduler;              // this one alone is asked; "": those that the caller is a member of
    std::string node;                   // this node is wanted, nobody is asked; "": any
    std::uint32_t pid = 0;              // of the caller
    std::vector<model::NodeId> refused; // tried before, and did not take it
};

/// Where it goes.
struct TaskPlace {
    model::NodeId number = -1; // none where there is no cluster
    std::string name;
    bool is_here = true;
    std::vector<std::string>
        addresses;         // as ssh takes them, without a port, the latest first; none of this node
    std::string scheduler; // who said so; "" if nobody did
    std::string reason;
};

/// The daemon implements it.
class NodeKeeper {
public:
    virtual ~NodeKeeper() = default;
    [[nodiscard]] virtual NetworkFacts network() const = 0;
    /// Empty while membership is off; else this node is among them. By number, then by name and uid.
    [[nodiscard]] virtual std::vector<NodeFacts> nodes() const = 0;
    [[nodiscard]] virtual std::optional<NodeFacts> node(membership::NodeUid uid) const = 0;
    /// Takes a node out for maintenance, or back. Fails with not_supported (membership is off),
    /// no_such_object, conflict (several of that name), limit_exceeded and not_applied as changes of the
    /// configuration do.
    virtual Status drain(std::string_view node, bool is_draining, bool dry_run) = 0;
    /// Finds a node for new work; this one where there is no other. Starts nothing. Fails with
    /// no_such_object (the scheduler does not decide here; the node), conflict (several of that name) and
    /// not_supported (membership is off, or the node takes no work).
    virtual Result<TaskPlace> place_task(const TaskQuestion& question) = 0;
};

/// In the tree's words; for Tree::set_nodes.
std::vector<model::NodeState> states_of(std::span<const NodeFacts> nodes);

/// The node that `what` says: a number, a name or 16 hexadecimal digits. Fails with no_such_object, naming
/// who is there, conflict where several have that name, not_supported with `off`.
Result<const NodeFacts*> find_node(std::span<const NodeFacts> nodes, std::string_view what,
                                   std::string_view off);

/// The place that this node is: its addresses are needed by others only.
TaskPlace place_at(const NodeFacts& node);

/// "2 3 5", a list of node numbers; commas will do too. Fails with invalid_value.
Result<std::vector<model::NodeId>> node_numbers(std::string_view text);

/// "web2:probes/cpu/node_load" taken apart; none if it is no place at another node. A part's own name may
/// hold
/// ':' (a member), but only after a '/'.
struct RemotePlace {
    std::string_view node;
    std::string_view path;
};
std::optional<RemotePlace> remote_place(std::string_view text);

/// What `node` has published at `path`; "cpu/node_load" is short for "probes/cpu/node_load". Fails with
/// no_such_object, naming what it publishes, or no_value where it is too old.
Result<NodeValue> published_by(const NodeFacts& node, std::string_view path);

} // namespace schedd::dbus
