// Node claims: which nodes each scheduler has when several want the same, and what may not be asked for.
// The rules are the original's (Kerrighed kerrighed/scheduler/scheduler.c), with node_set "all" for max_fit.
//   nodes 0-3; A "0-1" exclusive, B "all" -> A 0-1, B 2-3; node 4 comes -> A 0-1, B 2-4
//   A "0-1" exclusive, then B "1-2" -> busy; A exclusive while B is "1-2" -> busy
// What two nodes have written at the same time is settled by rule instead, the same on every node: an
// exclusive set goes before others, a named one before "all", then the larger precedence, then the name.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "components/model/tree.h"

namespace schedd::model {

/// What each scheduler has, in the order of the tree.
[[nodiscard]] std::vector<std::pair<Scheduler*, NodeShare>> share_nodes(const Tree& tree);

/// What somebody has just asked for.
struct NodeClaim {
    const Scheduler* scheduler;
    bool names_nodes = false; // its node_set was written, and not only whether it is exclusive
};
/// Fails with invalid_value if nodes are named that are not there, and with busy if a set overlaps what
/// another has exclusively, or an exclusive one what another names. Without a cluster all is accepted.
[[nodiscard]] Status check_claims(const Tree& tree, std::span<const NodeClaim> claims);

} // namespace schedd::model
