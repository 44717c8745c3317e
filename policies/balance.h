// Balance: the arithmetic of spreading loads over bins of CPUs, without any knowledge of processes or time.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace schedd::policies {

/// Loads are in tasks (1.0 = one task that always wants a CPU). A bin is a CPU domain. One without CPUs holds
/// what lies in a group of bins, but in none of them: it can be emptied, never filled.
struct Bin {
    double load = 0;
    int cpus = 1;
    int numa = 0;
    [[nodiscard]] double per_cpu() const { return cpus > 0 ? load / cpus : HUGE_VAL; }
};

constexpr std::size_t kNoGroup = SIZE_MAX;

/// How bins are grouped at one tier of a hierarchy: the number of each bin's group, or kNoGroup for a bin
/// that lies above the tier. Far groups exchange less: `across` is their threshold, and of each pair one
/// item.
struct Tier {
    std::vector<std::size_t> group_of = {};
    bool is_far = false;
};

/// What lies in a bin. One that is not `movable` counts, but stays.
struct Item {
    double load = 0;
    std::size_t bin = 0;
    bool movable = true;
};

/// As fractions: how far from the average a bin, or a NUMA node, may be before load is moved, and by how much
/// of the average load a move must lower the imbalance of the two it concerns. Who has no more load per CPU
/// than `push_from` pushes nothing.
struct Rules {
    double inside = 0.05;
    double across = 0.17;
    double hysteresis = 0.1;
    double push_from = 0;
};

/// One item to be moved. The loads are per CPU before the move: of the two bins or, if `across`, of their
/// groups of several bins.
struct Transfer {
    std::size_t item;
    std::size_t from;
    std::size_t to;
    bool across;
    double average;
    double from_load;
    double to_load;
    std::size_t tier; // at which it was decided, 0 is the coarsest
};

/// One round of balancing: first between NUMA nodes, at most one item for each pair of nodes, then inside
/// each node. The most loaded pushes to the least loaded, aiming at half of the smaller imbalance, until half
/// of its own imbalance is pushed. No item moves twice. `bins` are brought up to date. Same input, same
/// output; ties go to the lowest bin, then the lowest item. O(n log n + b^2) with a small second term.
/// (Restated from sched_ext's scx_rusty.)
std::vector<Transfer> balance(std::vector<Bin>& bins, std::span<const Item> items, const Rules& rules);
/// The same over any tiers, coarse to fine: first between the groups of the first, then, inside each of them,
/// between those of the next.
std::vector<Transfer> balance(std::vector<Bin>& bins, std::span<const Item> items, const Rules& rules,
                              std::span<const Tier> tiers);

/// By how much |push| + |pull| shrinks when `load` moves from a bin `push` above the average to one `pull`
/// below.
double gain_of(double load, double push, double pull);

/// Chooses bins for newcomers: the node, then the bin in it, that is least loaded per CPU with the newcomer
/// in it.
class Placer {
public:
    explicit Placer(std::vector<Bin>& bins);
    /// The lowest index among equals. Adds the load to the bin. REQUIRES: there are bins.
    std::size_t place(double load);

private:
    struct Node {
        Bin sum;
        // By size, ordered by load: the best bin of each size is its first, and there are few sizes.
        std::map<int, std::set<std::pair<double, std::size_t>>> by_cpus;
    };
    std::vector<Bin>& bins_;
    std::vector<Node> nodes_;
};

} // namespace schedd::policies
