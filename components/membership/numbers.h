// Numbers: which node number this node takes, and who keeps one that two have.
#pragma once

#include <optional>
#include <unordered_map>

#include "components/membership/peers.h"

namespace schedd::membership::numbers {

struct Claim {
    NodeUid uid{};
    bool is_wanted = false; // by its configuration
};
/// Whether `a` keeps the number that `b` has as well.
bool keeps(const Claim& a, const Claim& b);

/// Who else is there with this number; the one that keeps it against all others.
const Peer* holder(const Peers& peers, NodeId number);
/// The same of every number that somebody has.
std::unordered_map<NodeId, const Peer*> holders(const Peers& peers);
/// Whether anybody has it, also somebody who is gone and may come back for it.
bool is_taken(const Peers& peers, NodeId number);

/// `last` if nobody has it; else the lowest free one. When many look for one at once the one with the
/// smallest uid gets the lowest, and so on, so that they do not all take the same.
NodeId choose(const Peers& peers, NodeUid self, std::optional<NodeId> last);

} // namespace schedd::membership::numbers
