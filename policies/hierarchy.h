// Hierarchy: the CPU domains of one level or of several inside each other, as a tree for balancing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "components/model/topology.h"

namespace schedd::policies {

using namespace schedd::model;

constexpr std::size_t kNowhere = SIZE_MAX;

/// What is balanced: one level, or several from coarse to fine.
struct Levels {
    std::vector<Level> coarse_to_fine;

    Levels(Level level) : coarse_to_fine{level} {} // NOLINT(google-explicit-constructor): one is a list too
    /// "numa,l3"; every level of the topology by its name. REQUIRES: one of the attribute's choices.
    static Levels parse(std::string_view text);
    bool operator==(const Levels&) const = default;

private:
    Levels() = default;
};

/// A domain with its place in the tree. `tier` counts from the coarsest, which is 0.
struct NestedDomain : Domain {
    std::size_t parent = kNowhere;
    std::size_t tier = 0;
    std::vector<std::size_t> children = {};
};

/// The finest domains come first, in the order of their parents, then of their lowest CPU; after them the
/// coarser ones, tier by tier. Of one level there are only finest ones.
struct Hierarchy {
    std::vector<NestedDomain> domains;
    std::size_t leaves = 0;        // so many of `domains` are finest ones
    std::size_t tiers = 0;         // of domains inside each other
    std::vector<bool> is_far = {}; // by tier: between its domains lies memory of another NUMA node
    [[nodiscard]] bool is_leaf(std::size_t domain) const { return domain < leaves; }
    /// The domain of a tier around `domain`, or kNowhere if it is coarser itself.
    [[nodiscard]] std::size_t around(std::size_t domain, std::size_t tier) const;
    /// Whether `domain` is `outer` or inside it; kNowhere is around everything.
    [[nodiscard]] bool is_inside(std::size_t domain, std::size_t outer) const;
};

/// A finer domain that reaches beyond its coarser one (a cache over two NUMA nodes) is cut there; a level
/// that divides nothing is left out. No usable CPU: no domain.
Hierarchy hierarchy_of(const Topology& topology, const Levels& levels);

} // namespace schedd::policies
