// CoreOrder: the whole cores of a machine, in the order in which a pool of any size is made of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "components/model/topology.h"

namespace schedd::policies {

using namespace schedd::model;

/// Which kind of core comes first: the slowest within each L3 domain; all of the slowest or of the fastest,
/// wherever they are; or none, where domains and numbers alone count.
enum class KindOrder : std::uint8_t { slow_in_domain, efficient, performance, any };

/// first(n) is packed for every n: the fewest NUMA nodes, in them the fewest L3 domains, then cores by
/// KindOrder, low CPU numbers before high ones. Where a kind goes before everything else, that is so for its
/// cores, and after them for the next kind's, near those first. A smaller pool is always part of a larger
/// one.
class CoreOrder {
public:
    /// Takes the machine as it is; true if what is usable is not what it was.
    bool follow(const Topology& topology, KindOrder order = KindOrder::slow_in_domain);

    /// Usable CPUs, and cores with any of them. A core is the usable ones of its threads.
    [[nodiscard]] const CpuSet& usable() const { return usable_; }
    [[nodiscard]] int size() const { return static_cast<int>(cores_.size()); }
    /// How many CPUs each core has, in their order.
    [[nodiscard]] std::span<const int> threads() const { return threads_; }
    /// The CPUs of the first `n` cores; all if there are not so many.
    [[nodiscard]] CpuSet first(int n) const;
    /// How many of the first cores have at least this many CPUs together; size() if all have not.
    [[nodiscard]] int cores_for(int cpus) const;
    /// For which n first(n) is this set; 0 if for none.
    [[nodiscard]] int size_of(const CpuSet& pool) const;
    /// Those CPUs of `wanted` that belong to the first core it has any of; empty if none are usable.
    [[nodiscard]] CpuSet first_core_in(const CpuSet& wanted) const;

private:
    void append(const Topology& topology, const CpuSet& part, bool by_kind);

    std::vector<CpuSet> cores_;
    std::vector<int> threads_;
    CpuSet usable_;
    KindOrder order_ = KindOrder::slow_in_domain;
    std::uint64_t generation_ = 0;
};

} // namespace schedd::policies
