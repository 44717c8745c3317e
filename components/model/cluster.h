// Cluster: the nodes that work together as this one sees them, and what they have measured; the daemon fills
// it from membership, tests by hand.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "components/model/value.h"

namespace schedd::model {

/// Node sets speak of nodes by these numbers.
constexpr NodeId kNodeNumberMax = 65'535;

/// A node that is there. Who is dead, has left or cannot be understood has no row.
struct NodeRow {
    NodeId number = -1; // -1: none yet, or another node has it
    std::string name;   // a label; two may have the same
    /// New work may be sent there: it answers, has joined, is not isolated and does not drain.
    bool takes_work = false;
    bool is_self = false;
    bool is_joining = false;  // has not got the configuration yet, and its number is not sure
    bool is_draining = false; // its members are to leave, by policies that can move them
    bool operator==(const NodeRow&) const = default;
};

/// By number, then by name. Empty: there is no cluster, this node is alone.
using NodesView = std::span<const NodeRow>;

inline const NodeRow* node_of(NodesView nodes, NodeId number) {
    for (const auto& node : nodes)
        if (node.number == number && number >= 0) return &node;
    return nullptr;
}
inline const NodeRow* self_of(NodesView nodes) {
    for (const auto& node : nodes)
        if (node.is_self) return &node;
    return nullptr;
}

/// "2 (gamma)", "gamma" of one without a number.
std::string text_of(const NodeRow& node);

/// What others have published. Neither call blocks or allocates.
class RemoteValues {
public:
    virtual ~RemoteValues() = default;
    /// All that are there, this node among them. Good until the owner changes it and says so
    /// (Engine::nodes_changed).
    [[nodiscard]] virtual NodesView nodes() const = 0;
    /// What `node` told last of a source ("probes/cpu/node_load"): when it was heard, and fresh for three of
    /// the sender's periods. None if it is not there or does not publish that.
    [[nodiscard]] virtual std::optional<Sample> read(NodeId node, std::string_view source_path) const = 0;
};

} // namespace schedd::model
