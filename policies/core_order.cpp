// Ranking nodes, caches and cores: taking the largest domains first covers any number of cores with the
// fewest.
#include "policies/core_order.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace schedd::policies {

namespace {

/// A number for each CPU of the machine, by CPU number.
using ByCpu = std::vector<int>;

int least_in(const CpuSet& cpus, const ByCpu& of_cpu) {
    int least = of_cpu[static_cast<std::size_t>(cpus.first())];
    for (int cpu = cpus.first(); cpu >= 0; cpu = cpus.next(cpu))
        least = std::min(least, of_cpu[static_cast<std::size_t>(cpu)]);
    return least;
}

ByCpu kinds_of(const Topology& topology) {
    ByCpu kinds(topology.width());
    for (const Cpu& cpu : topology.cpus) kinds[static_cast<std::size_t>(cpu.id)] = cpu.kind;
    return kinds;
}

/// The rank of each CPU's domain at this level, of which only the CPUs in `part` count: those with a core
/// taken already first, then the largest, of equals the one with the slowest cores, then the one with the
/// lowest CPU.
ByCpu ranks(const std::vector<Domain>& all, const CpuSet& part, const CpuSet& taken, const ByCpu& kinds) {
    struct Ranked {
        CpuSet cpus;
        bool is_new;
    };
    std::vector<Ranked> domains;
    for (const Domain& domain : all)
        if (domain.cpus.intersects(part))
            domains.push_back({domain.cpus & part, !domain.cpus.intersects(taken)});
    std::ranges::stable_sort(domains, {}, [&](const Ranked& domain) {
        return std::tuple(domain.is_new, -domain.cpus.count(), least_in(domain.cpus, kinds),
                          domain.cpus.first());
    });
    ByCpu rank(kinds.size());
    int next = 0;
    for (const Ranked& domain : domains) {
        for (int cpu = domain.cpus.first(); cpu >= 0; cpu = domain.cpus.next(cpu))
            rank[static_cast<std::size_t>(cpu)] = next;
        ++next;
    }
    return rank;
}

/// The cores of each kind taken together, the slowest first. A core is of the kind of its first CPU.
std::vector<CpuSet> parts_by_kind(const Topology& topology) {
    const ByCpu kinds = kinds_of(topology);
    std::map<int, CpuSet> parts;
    for (const Domain& core : topology.domains(Level::core))
        parts[kinds[static_cast<std::size_t>(core.cpus.first())]] |= core.cpus;
    std::vector<CpuSet> in_order;
    for (const auto& [kind, part] : parts) in_order.push_back(part);
    return in_order;
}

} // namespace

bool CoreOrder::follow(const Topology& topology, KindOrder order) {
    const CpuSet usable = topology.usable();
    if (topology.generation == generation_ && usable == usable_ && order == order_) return false;
    generation_ = topology.generation;
    usable_ = usable;
    order_ = order;
    const auto before = std::exchange(cores_, {});
    if (order == KindOrder::slow_in_domain || order == KindOrder::any) {
        append(topology, usable, order != KindOrder::any);
    } else {
        auto parts = parts_by_kind(topology);
        if (order == KindOrder::performance) std::ranges::reverse(parts);
        for (const CpuSet& part : parts) append(topology, part, true);
    }
    threads_.clear();
    for (const CpuSet& core : cores_) threads_.push_back(core.count());
    return cores_ != before;
}

/// Adds the cores in `part`, in their order.
void CoreOrder::append(const Topology& topology, const CpuSet& part, bool by_kind) {
    const ByCpu kinds = by_kind ? kinds_of(topology) : ByCpu(topology.width());
    const CpuSet taken = first(size());
    const ByCpu node = ranks(topology.domains(Level::numa), part, taken, kinds);
    const ByCpu cache = ranks(topology.domains(Level::l3), part, taken, kinds);
    std::vector<CpuSet> cores;
    for (const Domain& core : topology.domains(Level::core))
        if (core.cpus.intersects(part)) cores.push_back(core.cpus);
    std::ranges::sort(cores, {}, [&](const CpuSet& core) {
        const auto cpu = static_cast<std::size_t>(core.first());
        return std::tuple(node[cpu], cache[cpu], kinds[cpu], core.first());
    });
    cores_.insert(cores_.end(), cores.begin(), cores.end());
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
