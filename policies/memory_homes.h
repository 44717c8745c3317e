// MemoryHomes: which NUMA node each control group is held on for the memory it has there, kept from update to
// update.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "components/kit/clock.h"
#include "components/model/topology.h"

namespace schedd::policies {

using namespace schedd::model;

/// No node.
constexpr int kNoNode = -1;

/// What was measured of a group in one update.
struct GroupMemory {
    std::int64_t total_kib = 0;              // on all nodes, also those without CPUs
    std::map<int, std::int64_t> on_node_kib; // on those with CPUs
    Time measured_at{};
};

/// What is remembered of one group.
struct MemoryHome {
    int node = kNoNode;              // held there
    std::string reason;              // why; stays the same as long as it stays there
    std::optional<GroupMemory> seen; // as last measured
    double load = 0;                 // CPUs wanted, as last known; 0 while nothing is
    bool was_held = false;           // at some time: to be held again is a move
    bool is_new = false;             // measured anew in this update
    int candidate = kNoNode;         // another node that would be better ...
    std::uint64_t better_for = 0;    // ... for so many updates in a row
    std::uint64_t weak_for = 0;      // its own node no longer holds enough, for so many updates
    std::string lost;                // the node that went away from under it
    std::vector<Time> moved_at;      // in the last minute
    bool is_bound = false;           // its memory may lie on its node alone
    std::string bound_reason;
};

struct MemoryRules {
    double share = 60;      // percent of a group's memory that makes a node its main one
    double hysteresis = 20; // points
    std::int64_t least_kib = 0;
    std::uint64_t patience = 3; // updates
    std::uint64_t move_budget = 6;
};

/// One MemoryHome per control group. `nodes` are those with usable CPUs, as Topology::domains() gives them.
class MemoryHomes {
public:
    using Homes = std::map<std::string, MemoryHome, std::less<>>;

    /// Forgets all that are not in `groups`, and has an empty home for each that is new.
    void follow(const std::vector<std::string_view>& groups);
    /// Takes a measurement, unless it is the one it has.
    void measured(MemoryHome& home, std::optional<GroupMemory> memory);
    /// Who lives where from now on. Returns how many were moved, first placements not counted.
    std::uint64_t settle(std::span<const Domain> nodes, const MemoryRules& rules, Time now);
    void clear() { homes_.clear(); }

    /// CPUs that the groups held on a node want together.
    [[nodiscard]] double load_on(int node) const;
    [[nodiscard]] Homes& all() { return homes_; }
    [[nodiscard]] const Homes& all() const { return homes_; }

private:
    void lose_nodes(std::span<const Domain> nodes);
    bool find_home(MemoryHome& home, std::span<const Domain> nodes, const MemoryRules& rules, Time now);
    void relieve(std::span<const Domain> nodes, const MemoryRules& rules);

    Homes homes_;
    std::map<int, std::uint64_t> crowded_for_; // updates in a row that a node's groups want more than it has
};

/// Percent of its memory that lies on a node, by the node's number.
double share_on(const GroupMemory& memory, int node);
/// The node of that number, or null.
const Domain* node_of(std::span<const Domain> nodes, int number);
/// The node that holds most; of equals the one with number `present`, else the first. REQUIRES: there are
/// nodes.
const Domain& main_node(const GroupMemory& memory, std::span<const Domain> nodes, int present);

} // namespace schedd::policies
