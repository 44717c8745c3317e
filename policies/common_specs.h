// Attributes and ports that several policies of work for other nodes have, so that all call and tell them
// alike.
#pragma once

#include <string_view>

#include "components/model/policy.h"

namespace schedd::policies {

using namespace schedd::model;

/// Among how many nodes one is chosen: see draw().
constexpr AttributeSpec choices(std::string_view doc) {
    return {.name = "choices", .unit = "nodes", .initial = "2", .maximum = 1000, .doc = doc};
}

/// For a policy of new work.
constexpr AttributeSpec last_target() {
    return {.name = "last_target",
            .kind = AttributeKind::integer,
            .initial = "-1",
            .minimum = -1,
            .maximum = kNodeNumberMax,
            .read_only = true,
            .doc = "The node that new work was sent to last from here; -1 = none yet."};
}

/// Words that the policy tells, `name` is "state" or "note".
constexpr AttributeSpec words(std::string_view name, std::string_view doc) {
    return {.name = name, .kind = AttributeKind::text, .initial = "", .read_only = true, .doc = doc};
}

/// For one that members leave: where to, and who first.
constexpr PortSpec load_of_others() {
    return {.name = "node_load",
            .type = types::kLoad,
            .doc = "Load of the other nodes; only read, not needed: without it all nodes count the same."};
}
constexpr PortSpec load_of_members() {
    return {.name = "process_load",
            .type = types::kLoadByPid,
            .doc = "Load of each process; only read, not needed: without it all count the same."};
}

} // namespace schedd::policies
