// CoreOrder: the whole cores of a machine, in the order in which a pool of any size is made of them.
#pragma once

#include <cstdint>
#include <vector>

#include "components/model/topology.h"

namespace schedd::policies {

using namespace schedd::model;

/// first(n) is packed for every n: the fewest NUMA nodes, in them the fewest L3 domains, then efficient cores
/// before fast ones, low CPU numbers before high ones. A smaller pool is always part of a larger one.
class CoreOrder {
public:
    /// Takes the machine as it is; true if what is usable is not what it was.
    bool follow(const Topology& topology);

    /// Usable CPUs, and cores with any of them. A core is the usable ones of its threads.
    [[nodiscard]] const CpuSet& usable() const { return usable_; }
    [[nodiscard]] int size() const { return static_cast<int>(cores_.size()); }
    /// The CPUs of the first `n` cores; all if there are not so many.
    [[nodiscard]] CpuSet first(int n) const;
    /// How many of the first cores have at least this many CPUs together; size() if all have not.
    [[nodiscard]] int cores_for(int cpus) const;
    /// For which n first(n) is this set; 0 if for none.
    [[nodiscard]] int size_of(const CpuSet& pool) const;
    /// Those CPUs of `wanted` that belong to the first core it has any of; empty if none are usable.
    [[nodiscard]] CpuSet first_core_in(const CpuSet& wanted) const;

private:
    std::vector<CpuSet> cores_;
    CpuSet usable_;
    std::uint64_t generation_ = 0;
};

} // namespace schedd::policies
