// Carrying homes over to other subjects and another machine.
#include "policies/homes.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "policies/tracks.h"

namespace schedd::policies {

namespace {

/// Where the homes of an old domain go; kNowhere if no new one holds more than half of what is left of it.
std::size_t successor_of(const Domain& old, const std::vector<NestedDomain>& domains, const CpuSet& usable) {
    std::size_t best = kNowhere;
    int most = (old.cpus & usable).count() / 2;
    for (std::size_t d = 0; d < domains.size(); ++d) {
        const int shared = (old.cpus & domains[d].cpus).count();
        if (shared <= most) continue;
        most = shared;
        best = d;
    }
    return best;
}

} // namespace

void Homes::follow_topology(const Topology& topology, const Levels& levels) {
    const CpuSet usable = topology.usable();
    if (!domains().empty() && topology.generation == generation_ && levels == levels_ && usable == usable_)
        return;
    generation_ = topology.generation;
    levels_ = levels;
    usable_ = usable;
    const auto old = std::exchange(hierarchy_, hierarchy_of(topology, levels)).domains;
    domain_of_cpu_.assign(topology.width(), kNowhere);
    for (std::size_t d = 0; d < hierarchy_.leaves; ++d)
        for (int cpu = domains()[d].cpus.first(); cpu >= 0; cpu = domains()[d].cpus.next(cpu))
            domain_of_cpu_[static_cast<std::size_t>(cpu)] = d;

    std::vector<std::size_t> successors;
    successors.reserve(old.size());
    for (const Domain& domain : old) successors.push_back(successor_of(domain, domains(), usable_));
    for (Home& home : homes_) {
        if (home.domain == kNowhere) continue;
        const Domain& before = old[home.domain];
        home.domain = successors[home.domain];
        if (home.domain == kNowhere) {
            home.lost = before.name;
        } else if (const Domain& after = domains()[home.domain];
                   after.cpus != before.cpus || after.name != before.name) {
            home.reason = fmt::format("stays on {}: it holds most of what was {}, now CPUs {}", after.name,
                                      before.name, after.cpus.text());
        }
    }
}

void Homes::follow_subjects(const Subjects& subjects) { follow(homes_, subjects); }

std::size_t Homes::domain_around(const CpuSet& mask) const {
    const CpuSet where = mask & usable_;
    if (where.empty()) return kNowhere;
    std::size_t d = domain_of_cpu_[static_cast<std::size_t>(where.first())];
    while (d != kNowhere && !where.subset_of(domains()[d].cpus)) d = domains()[d].parent;
    return d;
}

std::vector<Decision> Homes::decisions() const {
    std::vector<Decision> held;
    held.reserve(homes_.size());
    for (const Home& home : homes_)
        if (home.domain != kNowhere) held.push_back({home.target, domains()[home.domain].cpus, home.reason});
    return held;
}

} // namespace schedd::policies
