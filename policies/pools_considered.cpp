// Sentences about a pool among the others.
#include "policies/pools_considered.h"

#include <algorithm>

#include "policies/considered.h"

namespace schedd::policies {

namespace {

std::string have(int count) { return count == 1 ? "has" : "have"; }

/// When it would grow or shrink.
void consider_load(const PoolStanding& pool, const SizeRules& rules, std::vector<std::string>& lines) {
    if (!pool.load) {
        lines.push_back(fmt::format("process_load has no value for the members of {}: it stays as it is",
                                    pool.spec.name));
        return;
    }
    if (pool.cpus == 0) return;
    lines.push_back(fmt::format("the members of {} want {:.2f} of {}, {:.0f} %", pool.spec.name, *pool.load,
                                counted(pool.cpus, "CPU"), 100 * *pool.load / pool.cpus));
    lines.push_back(fmt::format("it grows when more than {:.2f} CPUs are wanted in {}, {} {} been seen",
                                rules.high * pool.cpus, counted(static_cast<int>(rules.patience), "update"),
                                pool.over, have(static_cast<int>(pool.over))));
    const int least_busy = pool.spec.share == PoolShare::idle ? std::min(1, pool.least) : pool.least;
    if (pool.busy > least_busy)
        lines.push_back(fmt::format("it shrinks when less than {:.2f} CPUs are wanted in {}, {} {} been seen",
                                    rules.low * pool.cpus, counted(static_cast<int>(pool.calm), "update"),
                                    pool.under, have(static_cast<int>(pool.under))));
    else lines.push_back(fmt::format("its least is {}, so it does not shrink", counted(pool.busy, "core")));
}

/// What it could grow into, and who else is there.
void consider_room(std::span<const PoolStanding> pools, const PoolCores& cores, const PoolTerms& terms,
                   std::size_t i, std::vector<std::string>& lines) {
    const PoolStanding& pool = pools[i];
    if (cores.count(i) >= pool.spec.most) {
        lines.push_back(fmt::format("it has {}, all of max={}: a larger max would let it grow",
                                    counted(cores.count(i), "core"), pool.spec.most));
        return;
    }
    const auto where = pool.spec.level == PoolLevel::machine
                           ? std::string("on the machine")
                           : fmt::format("in its {} domain", name_of(pool.spec.level));
    const int near = cores.free_near(i);
    const int can = std::max(0, std::min(near, cores.free_cores() - terms.keep));
    const int wants = std::min(can, pool.spec.most - cores.count(i));
    lines.push_back(fmt::format("of {} without a pool {} it could have {}, as {} kept for the default pool "
                                "and max is {}",
                                counted(near, "core"), where, wants,
                                terms.keep == 1 ? "1 is" : fmt::format("{} are", terms.keep),
                                pool.spec.most));
    const CpuSet domain = cores.domain_of(i);
    std::vector<std::string> others;
    for (std::size_t k = 0; k < pools.size(); ++k) {
        const CpuSet there = cores.cpus(k) & domain;
        if (k == i || there.empty()) continue;
        const int beyond = std::max(0, cores.count(k) - pools[k].least);
        others.push_back(fmt::format("{} has CPUs {}, {} beyond its least", pools[k].spec.name, there.text(),
                                     beyond == 0 ? "no core" : counted(beyond, "core")));
    }
    if (!others.empty()) lines.push_back(fmt::format("{}: {}", where, listed(others)));
    if (wants == 0 && near > 0 && terms.keep > 1 && cores.free_cores() >= terms.keep)
        lines.push_back(fmt::format("default_minimum={} would free a core", terms.keep - 1));
    if (wants == 0 && near == 0 && pool.spec.level != PoolLevel::machine && cores.free_cores() > terms.keep)
        lines.push_back(fmt::format("a wider level would free it {} elsewhere",
                                    counted(cores.free_cores() - terms.keep, "core")));
}

/// Who has what the default pool has not.
void consider_default(std::span<const PoolStanding> pools, const PoolCores& cores, const PoolTerms& terms,
                      std::vector<std::string>& lines) {
    lines.push_back(fmt::format("no pool takes it by match= or class=, and {} of {} without a pool {} never "
                                "given to one",
                                terms.keep, counted(cores.free_cores(), "core"),
                                terms.keep == 1 ? "is" : "are"));
    std::vector<std::string> rows;
    for (std::size_t k = 0; k < pools.size(); ++k) {
        auto row = fmt::format("{} has {}", pools[k].spec.name, counted(cores.count(k), "core"));
        if (pools[k].load) row += fmt::format(", {:.2f} CPUs wanted", *pools[k].load);
        rows.push_back(row + fmt::format(", least {}", pools[k].least));
    }
    lines.push_back(listed(rows));
    std::vector<std::string> idle;
    for (std::size_t k = 0; k < pools.size(); ++k)
        if (pools[k].spec.share == PoolShare::none && pools[k].load == 0.0 && cores.count(k) > 0)
            idle.push_back(fmt::format("share=idle on {} would lend what it does not need of its {}",
                                       pools[k].spec.name, counted(cores.count(k), "core")));
    for (std::size_t k = 0; k < idle.size() && k < 2; ++k) lines.push_back(idle[k]);
}

} // namespace

std::vector<std::string> considered_by(std::span<const PoolStanding> pools, const PoolCores& cores,
                                       const PoolTerms& terms, std::size_t pool) {
    std::vector<std::string> lines;
    if (pool >= pools.size()) {
        consider_default(pools, cores, terms, lines);
        return lines;
    }
    consider_load(pools[pool], terms.sizes, lines);
    consider_room(pools, cores, terms, pool, lines);
    return lines;
}

} // namespace schedd::policies
