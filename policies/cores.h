// Cores: the whole cores of a machine, which of them are taken, and which a request gets; knows no members.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "components/model/topology.h"

namespace schedd::policies {

using namespace schedd::model;

/// So many CPUs on whole cores. Packed: in the fewest NUMA nodes, in them the fewest L3 groups, then L2
/// groups; of equals the one with the least left over, then the lowest. Spread: evenly over the L3 groups of
/// as few nodes, so that each of its CPUs finds more cache.
struct CoreRequest {
    /// The kind of core that is used up first; `any` is the one with most left, so that a rare kind stays
    /// free for who asks for it.
    enum class Kinds : std::uint8_t { any, performance, efficient };
    int cpus = 1;
    Kinds kinds = Kinds::any;
    bool spread = false;
    bool operator==(const CoreRequest&) const = default;
};

/// A core is named by its index, 0 to size() - 1, which holds until the Cores are made anew.
class Cores {
public:
    /// `share`: each usable CPU of a core counts. `one_per_core`: a core counts as one CPU, its siblings stay
    /// idle.
    enum class Smt : std::uint8_t { share, one_per_core };

    Cores() : Cores(Topology(), {}, Smt::share) {}
    /// All usable cores, none taken. A core with a reserved CPU is not whole: nobody gets it, and its other
    /// CPUs are always in rest(). CPUs that are online but not allowed are nobody's here, and count for none.
    Cores(const Topology& topology, const CpuSet& reserved, Smt smt);

    [[nodiscard]] int size() const { return static_cast<int>(map_->cores.size()); }
    /// The core a CPU belongs to; -1 if it is not usable, or its core not whole.
    [[nodiscard]] int core_of(int cpu) const;
    [[nodiscard]] bool is_free(int core) const { return is_free_[static_cast<std::size_t>(core)]; }
    [[nodiscard]] int free_cores() const { return free_cores_; }
    /// As how many CPUs the largest core counts, free or not; -1 if there is none.
    [[nodiscard]] int largest_core() const { return static_cast<int>(free_by_capacity_.size()) - 1; }
    /// Usable CPUs that are neither reserved nor of a taken core.
    [[nodiscard]] const CpuSet& rest() const { return rest_; }
    /// Whether rest() has CPUs whose cores can never be taken.
    [[nodiscard]] bool has_loose_cpus() const { return map_->has_loose_cpus; }

    /// How many CPUs these cores count as.
    [[nodiscard]] int capacity(std::span<const int> cores) const;
    /// Whether one of them could go with `cpus` still there.
    [[nodiscard]] bool is_too_much(std::span<const int> cores, int cpus) const;
    /// All CPUs of these cores.
    [[nodiscard]] CpuSet cpus(std::span<const int> cores) const;
    /// Where the owner of these cores may run: all their CPUs, or the first of each.
    [[nodiscard]] CpuSet mask(std::span<const int> cores) const;
    /// "numa 0, l3 1-2", with the kind, and whether that is the fastest or slowest, if the machine has
    /// several.
    [[nodiscard]] std::string place(std::span<const int> cores) const;

    /// One L3 group of a node: "numa 0, l3 1", how many of its cores are free, and how many it has.
    struct Room {
        std::string place;
        int free = 0;
        int all = 0;
    };
    [[nodiscard]] std::vector<Room> rooms() const;
    /// The free cores of the L3 groups that these cores are in.
    [[nodiscard]] std::vector<int> free_beside(std::span<const int> cores) const;

    /// REQUIRES: they are free, or taken, respectively.
    void take(std::span<const int> cores);
    void give_back(std::span<const int> cores);

    /// The largest request that fits while so many cores stay free.
    [[nodiscard]] int largest(int keep_free) const;
    /// Free cores for a request, near those in `near` if it has some already: in their nodes and groups
    /// first. None of them is superfluous. Empty if it does not fit while `keep_free` cores stay free.
    [[nodiscard]] std::vector<int> choose(const CoreRequest& request, int keep_free,
                                          std::span<const int> near = {}) const;
    /// Which of its own cores a request would choose; all of them if they are not enough.
    [[nodiscard]] std::vector<int> choose_among(const CoreRequest& request, std::span<const int> own) const;

private:
    enum Level : std::size_t { kNode, kL3, kL2, kCore, kLevels };
    struct Core {
        CpuSet cpus;
        int capacity = 0;
        int numa = 0;
        int l3 = 0;
        std::size_t kind = 0; // index into Map::kinds
    };
    /// What is below it stands in a row at the next level.
    struct Group {
        std::size_t begin = 0;
        std::size_t end = 0;
        std::size_t parent = 0;
        int package = 0;
    };
    /// What stays as it is, shared by copies: trials are made of them.
    struct Map {
        std::vector<Core> cores; // by node, L3, L2 and number
        std::vector<int> kinds;  // ascending: the slowest first
        std::vector<int> core_of_cpu;
        std::array<std::vector<Group>, kCore> groups;
        std::array<std::vector<std::size_t>, kLevels> parents; // of each core: its group at each level above
        bool has_loose_cpus = false;

        void group_cores(std::span<const Cpu> first_cpus);
    };
    struct Pick;

    [[nodiscard]] const Core& at(int core) const { return map_->cores[static_cast<std::size_t>(core)]; }
    [[nodiscard]] std::size_t size_of(Level level) const {
        return level == kCore ? map_->cores.size() : map_->groups[level].size();
    }
    /// CPUs of free cores of a kind below a group.
    [[nodiscard]] int free_in(Level level, std::size_t group, std::size_t kind) const {
        return free_[level][group * map_->kinds.size() + kind];
    }
    [[nodiscard]] int free_of_kind(std::size_t kind) const;
    [[nodiscard]] std::vector<std::size_t> kinds_for(CoreRequest::Kinds kinds, const Pick& pick) const;
    void count(int core, bool free);
    void pack(Pick& pick, Level level, std::size_t begin, std::size_t end, int need) const;
    void spread(Pick& pick, std::size_t node, int need) const;
    [[nodiscard]] std::size_t best_group(const Pick& pick, Level level, std::size_t begin,
                                         const std::vector<bool>& done, int need) const;
    [[nodiscard]] std::size_t best_core(const Pick& pick, std::size_t l3, int need) const;
    [[nodiscard]] std::vector<int> fewest(int cpus) const;
    void drop_superfluous(std::vector<int>& cores, int cpus) const;

    std::shared_ptr<const Map> map_;
    std::vector<bool> is_free_; // by core
    std::array<std::vector<int>, kLevels> free_;
    std::vector<int> free_by_capacity_; // how many free cores count as so many CPUs
    int free_cores_ = 0;
    CpuSet rest_;
};

} // namespace schedd::policies
