// Ranking nodes, caches and cores: taking the largest domains first covers any number of cores with the
// fewest.
#include "policies/core_order.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace schedd::policies {

namespace {

/// A number for each CPU, by CPU number.
using ByCpu = std::array<int, limits::kMaxCpus>;

int least_in(const CpuSet& cpus, const ByCpu& of_cpu) {
    int least = of_cpu[static_cast<std::size_t>(cpus.first())];
    for (int cpu = cpus.first(); cpu >= 0; cpu = cpus.next(cpu))
        least = std::min(least, of_cpu[static_cast<std::size_t>(cpu)]);
    return least;
}

/// The rank of each CPU's domain at this level: the largest first, of equals the one with the slowest cores,
/// then the one with the lowest CPU.
ByCpu ranks(const Topology& topology, Level level, const ByCpu& kinds) {
    auto domains = topology.domains(level);
    std::ranges::stable_sort(domains, {}, [&](const Domain& domain) {
        return std::tuple(-domain.cpus.count(), least_in(domain.cpus, kinds), domain.cpus.first());
    });
    ByCpu rank{};
    int next = 0;
    for (const Domain& domain : domains) {
        for (int cpu = domain.cpus.first(); cpu >= 0; cpu = domain.cpus.next(cpu))
            rank[static_cast<std::size_t>(cpu)] = next;
        ++next;
    }
    return rank;
}

} // namespace

bool CoreOrder::follow(const Topology& topology) {
    const CpuSet usable = topology.usable();
    if (topology.generation == generation_ && usable == usable_) return false;
    generation_ = topology.generation;
    usable_ = usable;
    ByCpu kinds{};
    for (const Cpu& cpu : topology.cpus) kinds[static_cast<std::size_t>(cpu.id)] = cpu.kind;
    const ByCpu node = ranks(topology, Level::numa, kinds);
    const ByCpu cache = ranks(topology, Level::l3, kinds);
    const auto before = std::move(cores_);
    cores_.clear();
    for (const Domain& core : topology.domains(Level::core)) cores_.push_back(core.cpus);
    std::ranges::sort(cores_, {}, [&](const CpuSet& core) {
        const auto cpu = static_cast<std::size_t>(core.first());
        return std::tuple(node[cpu], cache[cpu], kinds[cpu], core.first());
    });
    return cores_ != before;
}

CpuSet CoreOrder::first(int n) const {
    CpuSet cpus;
    for (int i = 0; i < std::min(n, size()); ++i) cpus |= cores_[static_cast<std::size_t>(i)];
    return cpus;
}

int CoreOrder::cores_for(int cpus) const {
    int cores = 0;
    for (int have = 0; cores < size() && have < cpus; ++cores)
        have += cores_[static_cast<std::size_t>(cores)].count();
    return cores;
}

int CoreOrder::size_of(const CpuSet& pool) const {
    CpuSet cpus;
    for (int n = 1; n <= size(); ++n)
        if ((cpus |= cores_[static_cast<std::size_t>(n - 1)]) == pool) return n;
    return 0;
}

CpuSet CoreOrder::first_core_in(const CpuSet& wanted) const {
    const auto at = std::ranges::find_if(cores_, [&](const CpuSet& core) { return core.intersects(wanted); });
    return at == cores_.end() ? CpuSet() : *at & wanted;
}

} // namespace schedd::policies
