// PoolCores: which whole cores each of several pools has; knows neither loads nor members.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "policies/cores.h"
#include "policies/pool_spec.h"

namespace schedd::policies {

/// Pools are named by their place, 0 to size() - 1. What no pool has is the rest, which is never empty and
/// keeps `keep` cores where there are so many. Cores beyond a pool's least are its surplus.
class PoolCores {
public:
    struct Bounds {
        int least = 0;
        int most = 0;
        PoolLevel level = PoolLevel::machine;
    };

    /// Takes the machine as it is; each pool keeps those of its cores of which a CPU is left.
    void follow(const Topology& topology);
    /// Other pools: the i-th has the cores of the old pool `from[i]`, none if that is kNew. Those beyond its
    /// most or outside of one domain of its level are given back.
    static constexpr std::size_t kNew = SIZE_MAX;
    void arrange(std::span<const Bounds> bounds, std::span<const std::size_t> from);
    void set_least(std::size_t pool, int least) { pools_[pool].bounds.least = least; }
    /// Gives a pool whole cores out of `cpus` instead of those it has, as far as they are free and allowed.
    void take_found(std::size_t pool, const CpuSet& cpus, int keep);
    /// Brings each pool to its least: out of free cores, then out of the surplus of others, the last pool's
    /// first; the pools that come first are served first. Whoever has no more than its least keeps it, unless
    /// fewer than `keep` cores are left for the rest. A pool leaves its domain only for one in which it gets
    /// its least. After it, a pool short of its least could get it in no domain.
    void settle(int keep);
    /// One core more, near those it has: in their L3 groups, then in their nodes; a first one where most is
    /// free. False if its most is reached or none is free in its domain.
    bool grow(std::size_t pool, int keep);
    /// Gives back the core it took last. REQUIRES: it has one.
    void give_back(std::size_t pool);

    [[nodiscard]] std::size_t size() const { return pools_.size(); }
    /// Cores of the machine, and those no pool has.
    [[nodiscard]] int cores() const { return table_.size(); }
    [[nodiscard]] int free_cores() const { return table_.free_cores(); }
    [[nodiscard]] int count(std::size_t pool) const { return static_cast<int>(pools_[pool].cores.size()); }
    /// The CPUs of the `n` cores that it took first.
    [[nodiscard]] CpuSet first(std::size_t pool, int n) const;
    [[nodiscard]] CpuSet cpus(std::size_t pool) const { return first(pool, count(pool)); }
    /// Cores that no pool has in its domain; on the machine while it has no core.
    [[nodiscard]] int free_near(std::size_t pool) const;
    /// All CPUs of its domain; of the machine while it has no core.
    [[nodiscard]] CpuSet domain_of(std::size_t pool) const;
    /// "numa 0, l3 1". REQUIRES: it has a core.
    [[nodiscard]] std::string place(std::size_t pool) const { return table_.place(pools_[pool].cores); }
    /// The CPUs that no pool has.
    [[nodiscard]] const CpuSet& rest() const { return table_.rest(); }

private:
    struct Pool {
        Bounds bounds;
        std::vector<int> cores = {}; // in the order in which they were taken
    };
    static constexpr int kNone = -1;
    /// Cores by domain as one pool sees them: those that are free, others' surplus, and its own.
    struct Tally {
        std::vector<int> free;
        std::vector<int> surplus;
        std::vector<int> own;
        int in_all = 0; // beyond those that are kept for the rest, its own included

        /// How many the pool could have in a domain.
        [[nodiscard]] int reach(int domain) const;
    };
    /// Free cores by L3 group and by node.
    struct Room {
        const std::vector<int>& caches; // of each core
        const std::vector<int>& nodes;
        std::vector<int> in_cache;
        std::vector<int> in_node;

        [[nodiscard]] std::size_t cache(int core) const { return at(caches, core); }
        [[nodiscard]] std::size_t node(int core) const { return at(nodes, core); }
        static std::size_t at(const std::vector<int>& list, int core) {
            return static_cast<std::size_t>(list[static_cast<std::size_t>(core)]);
        }
    };

    [[nodiscard]] Room room_left() const;
    [[nodiscard]] int domain_at(PoolLevel level, int core) const {
        return domains_[static_cast<std::size_t>(level)][static_cast<std::size_t>(core)];
    }
    [[nodiscard]] int domain_count(PoolLevel level) const;
    [[nodiscard]] int home_of(std::size_t pool) const;
    [[nodiscard]] int free_in(PoolLevel level, int domain) const;
    [[nodiscard]] int surplus(std::size_t pool) const;
    [[nodiscard]] Tally tally_for(std::size_t pool, int keep) const;
    [[nodiscard]] int best_domain(std::size_t pool, const Tally& tally) const;
    [[nodiscard]] int nearest(std::size_t pool, int domain) const;
    void confine(std::size_t pool);
    void free_for_rest(int keep);
    bool fill(std::size_t pool, int keep);
    bool reclaim(std::size_t except, PoolLevel level, int domain);
    void take(std::size_t pool, int core);
    void drop(std::size_t pool, std::size_t at);

    Cores table_;
    std::array<std::vector<int>, 4> domains_; // at each PoolLevel: the domain of each core
    std::vector<Pool> pools_;
};

} // namespace schedd::policies
