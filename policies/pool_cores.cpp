// Handing cores to pools and taking them back.
#include "policies/pool_cores.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace schedd::policies {

namespace {

/// Of each core: the index of its domain at a level.
std::vector<int> domains_at(const Topology& topology, Level level, const Cores& table) {
    const auto domains = topology.domains(level);
    std::vector<int> at(static_cast<std::size_t>(table.size()), 0);
    for (int i = 0; i < static_cast<int>(domains.size()); ++i) {
        const CpuSet& cpus = domains[static_cast<std::size_t>(i)].cpus;
        for (int cpu = cpus.first(); cpu >= 0; cpu = cpus.next(cpu))
            if (const int core = table.core_of(cpu); core >= 0) at[static_cast<std::size_t>(core)] = i;
    }
    return at;
}

} // namespace

void PoolCores::follow(const Topology& topology) {
    const Cores before = std::exchange(table_, Cores(topology, {}, Cores::Smt::share));
    auto& cores = domains_[static_cast<std::size_t>(PoolLevel::core)];
    cores.resize(static_cast<std::size_t>(table_.size()));
    for (std::size_t i = 0; i < cores.size(); ++i) cores[i] = static_cast<int>(i);
    domains_[static_cast<std::size_t>(PoolLevel::l3)] = domains_at(topology, Level::l3, table_);
    domains_[static_cast<std::size_t>(PoolLevel::numa)] = domains_at(topology, Level::numa, table_);
    domains_[static_cast<std::size_t>(PoolLevel::machine)].assign(cores.size(), 0);
    for (std::size_t i = 0; i < pools_.size(); ++i) {
        for (const int old : std::exchange(pools_[i].cores, {})) {
            const CpuSet cpus = before.cpus({&old, 1});
            for (int cpu = cpus.first(); cpu >= 0; cpu = cpus.next(cpu))
                if (const int core = table_.core_of(cpu); core >= 0 && table_.is_free(core)) take(i, core);
        }
        confine(i);
    }
}

void PoolCores::arrange(std::span<const Bounds> bounds, std::span<const std::size_t> from) {
    std::vector<Pool> pools;
    pools.reserve(bounds.size());
    for (std::size_t i = 0; i < bounds.size(); ++i)
        pools.push_back({bounds[i], from[i] == kNew ? std::vector<int>() : std::move(pools_[from[i]].cores)});
    for (const Pool& dropped : pools_) table_.give_back(dropped.cores); // what was moved from is empty
    pools_ = std::move(pools);
    for (std::size_t i = 0; i < pools_.size(); ++i) confine(i);
}

void PoolCores::take(std::size_t pool, int core) {
    table_.take({&core, 1});
    pools_[pool].cores.push_back(core);
}

void PoolCores::drop(std::size_t pool, std::size_t at) {
    auto& cores = pools_[pool].cores;
    table_.give_back({&cores[at], 1});
    cores.erase(cores.begin() + static_cast<std::ptrdiff_t>(at));
}

void PoolCores::give_back(std::size_t pool) { drop(pool, pools_[pool].cores.size() - 1); }

CpuSet PoolCores::first(std::size_t pool, int n) const {
    return table_.cpus(std::span(pools_[pool].cores).first(static_cast<std::size_t>(n)));
}

CpuSet PoolCores::domain_of(std::size_t pool) const {
    const int home = home_of(pool);
    CpuSet cpus;
    for (int core = 0; core < table_.size(); ++core)
        if (home == kNone || domain_at(pools_[pool].bounds.level, core) == home)
            cpus |= table_.cpus({&core, 1});
    return cpus;
}

int PoolCores::domain_count(PoolLevel level) const {
    const auto& domains = domains_[static_cast<std::size_t>(level)];
    return domains.empty() ? 0 : *std::ranges::max_element(domains) + 1;
}

int PoolCores::home_of(std::size_t pool) const {
    const Pool& it = pools_[pool];
    return it.cores.empty() ? kNone : domain_at(it.bounds.level, it.cores.front());
}

int PoolCores::free_in(PoolLevel level, int domain) const {
    int count = 0;
    for (int core = 0; core < table_.size(); ++core)
        count += table_.is_free(core) && domain_at(level, core) == domain ? 1 : 0;
    return count;
}

int PoolCores::free_near(std::size_t pool) const {
    const int home = home_of(pool);
    return home == kNone ? free_cores() : free_in(pools_[pool].bounds.level, home);
}

int PoolCores::surplus(std::size_t pool) const {
    return std::max(0, count(pool) - pools_[pool].bounds.least);
}

int PoolCores::Tally::reach(int domain) const {
    const auto at = static_cast<std::size_t>(domain);
    return own[at] + std::max(0, std::min(free[at] + surplus[at], in_all - own[at]));
}

PoolCores::Tally PoolCores::tally_for(std::size_t pool, int keep) const {
    const PoolLevel level = pools_[pool].bounds.level;
    const auto domains = static_cast<std::size_t>(domain_count(level));
    Tally tally{std::vector<int>(domains), std::vector<int>(domains), std::vector<int>(domains), 0};
    const auto domain_of_core = [&](int core) { return static_cast<std::size_t>(domain_at(level, core)); };
    for (int core = 0; core < table_.size(); ++core)
        tally.free[domain_of_core(core)] += table_.is_free(core) ? 1 : 0;
    for (const int core : pools_[pool].cores) ++tally.own[domain_of_core(core)];
    tally.in_all = free_cores() - keep + count(pool);
    for (std::size_t i = 0; i < pools_.size(); ++i) {
        if (i == pool) continue;
        tally.in_all += surplus(i);
        for (const int core : std::span(pools_[i].cores).last(static_cast<std::size_t>(surplus(i))))
            ++tally.surplus[domain_of_core(core)];
    }
    return tally;
}

PoolCores::Room PoolCores::room_left() const {
    Room room{domains_[static_cast<std::size_t>(PoolLevel::l3)],
              domains_[static_cast<std::size_t>(PoolLevel::numa)],
              std::vector<int>(static_cast<std::size_t>(domain_count(PoolLevel::l3))),
              std::vector<int>(static_cast<std::size_t>(domain_count(PoolLevel::numa)))};
    for (int core = 0; core < table_.size(); ++core) {
        if (!table_.is_free(core)) continue;
        ++room.in_cache[room.cache(core)];
        ++room.in_node[room.node(core)];
    }
    return room;
}

/// Where a pool is to have its least: where it is; if that is too small where it need not take from others,
/// its memory is near, and most is free; else where it can have most.
int PoolCores::best_domain(std::size_t pool, const Tally& tally) const {
    const int least = pools_[pool].bounds.least;
    const int home = home_of(pool);
    if (home != kNone && tally.reach(home) >= least) return home;
    const Room room = room_left();
    std::vector<int> core_in(tally.free.size()); // any one, to say where the domain is
    for (int core = 0; core < table_.size(); ++core)
        core_in[static_cast<std::size_t>(domain_at(pools_[pool].bounds.level, core))] = core;
    const std::size_t own_node = home == kNone ? SIZE_MAX : room.node(pools_[pool].cores.front());
    int best = kNone;
    std::tuple<bool, bool, bool, int, int, int> best_rank;
    for (int domain = 0; domain < static_cast<int>(tally.free.size()); ++domain) {
        const int core = core_in[static_cast<std::size_t>(domain)];
        const int reach = tally.reach(domain);
        const bool is_enough = reach >= least;
        const int free = tally.free[static_cast<std::size_t>(domain)];
        const std::tuple rank(is_enough, is_enough && free >= least, room.node(core) == own_node,
                              is_enough ? free : reach, room.in_node[room.node(core)],
                              room.in_cache[room.cache(core)]);
        if (best == kNone || rank > best_rank) best = domain, best_rank = rank;
    }
    return home == kNone || (best != kNone && std::get<0>(best_rank)) ? best : home;
}

/// The free core of a domain that is nearest to a pool's own; kNone if none is free.
int PoolCores::nearest(std::size_t pool, int domain) const {
    const Room room = room_left();
    std::vector<int> own_in_cache(room.in_cache.size());
    std::vector<int> own_in_node(room.in_node.size());
    for (const int core : pools_[pool].cores) {
        ++own_in_cache[room.cache(core)];
        ++own_in_node[room.node(core)];
    }
    int best = kNone;
    std::tuple<int, int, int, int> best_rank;
    for (int core = 0; core < table_.size(); ++core) {
        if (!table_.is_free(core) || domain_at(pools_[pool].bounds.level, core) != domain) continue;
        const auto cache = room.cache(core);
        const auto node = room.node(core);
        const std::tuple rank(own_in_cache[cache], own_in_node[node],
                              own_in_node[node] > 0 ? 0 : room.in_node[node],
                              own_in_cache[cache] > 0 ? 0 : room.in_cache[cache]);
        if (best == kNone || rank > best_rank) best = core, best_rank = rank;
    }
    return best;
}

/// Gives back what is outside of the domain in which a pool has most, and what is beyond its most.
void PoolCores::confine(std::size_t pool) {
    Pool& it = pools_[pool];
    if (it.cores.empty()) return;
    std::vector<int> in_domain(static_cast<std::size_t>(domain_count(it.bounds.level)));
    for (const int core : it.cores) ++in_domain[static_cast<std::size_t>(domain_at(it.bounds.level, core))];
    int home = home_of(pool);
    for (const int core : it.cores) { // of equals the one it took first
        const int domain = domain_at(it.bounds.level, core);
        if (in_domain[static_cast<std::size_t>(domain)] > in_domain[static_cast<std::size_t>(home)])
            home = domain;
    }
    for (std::size_t at = it.cores.size(); at-- > 0;)
        if (domain_at(it.bounds.level, it.cores[at]) != home) drop(pool, at);
    while (count(pool) > it.bounds.most) give_back(pool);
}

void PoolCores::take_found(std::size_t pool, const CpuSet& cpus, int keep) {
    Pool& it = pools_[pool];
    const auto before = it.cores;
    while (!it.cores.empty()) give_back(pool);
    for (int core = 0; core < table_.size(); ++core)
        if (table_.is_free(core) && table_.cpus({&core, 1}).subset_of(cpus)) take(pool, core);
    confine(pool);
    while (!it.cores.empty() && free_cores() < keep) give_back(pool);
    if (!it.cores.empty()) return;
    for (const int core : before) take(pool, core);
}

bool PoolCores::reclaim(std::size_t except, PoolLevel level, int domain) {
    for (std::size_t i = pools_.size(); i-- > 0;) {
        if (i == except) continue;
        const auto& cores = pools_[i].cores;
        const auto least = static_cast<std::size_t>(std::max(0, pools_[i].bounds.least));
        for (std::size_t at = cores.size(); at-- > least;)
            if (domain == kNone || domain_at(level, cores[at]) == domain) {
                drop(i, at);
                return true;
            }
    }
    return false;
}

void PoolCores::free_for_rest(int keep) {
    while (free_cores() < keep) {
        if (reclaim(kNew, PoolLevel::machine, kNone)) continue;
        std::size_t last = pools_.size();
        while (last > 0 && pools_[last - 1].cores.empty()) --last;
        if (last == 0) return;
        give_back(last - 1);
    }
}

/// Brings one pool as near to its least as it can come; true if that gave it something.
bool PoolCores::fill(std::size_t pool, int keep) {
    const auto bounds = pools_[pool].bounds;
    const int had = count(pool);
    if (had >= bounds.least) return false;
    const Tally tally = tally_for(pool, keep);
    const int domain = best_domain(pool, tally);
    if (domain == kNone) return false;
    const int wanted = std::min(bounds.least, tally.reach(domain));
    if (wanted <= had) return false;
    if (domain != home_of(pool))
        while (count(pool) > 0) give_back(pool);
    while (count(pool) < wanted) {
        if (free_in(bounds.level, domain) == 0) reclaim(pool, bounds.level, domain);
        else if (free_cores() <= keep) reclaim(pool, bounds.level, kNone);
        const int core = nearest(pool, domain);
        if (core == kNone) return true;
        take(pool, core);
    }
    return true;
}

void PoolCores::settle(int keep) {
    keep = std::min(keep, cores());
    free_for_rest(keep);
    // a pool that moves leaves cores behind that may be what one before it lacked
    for (bool is_again = true; is_again;) {
        is_again = false;
        for (std::size_t i = 0; i < pools_.size(); ++i) is_again |= fill(i, keep);
    }
}

bool PoolCores::grow(std::size_t pool, int keep) {
    if (count(pool) >= pools_[pool].bounds.most || free_cores() <= keep) return false;
    int domain = home_of(pool);
    if (domain == kNone) domain = best_domain(pool, tally_for(pool, keep));
    const int core = nearest(pool, domain);
    if (core == kNone) return false;
    take(pool, core);
    return true;
}

} // namespace schedd::policies
