// Sentences about a pool among the others.
#include "policies/pools_considered.h"

#include <algorithm>

#include "policies/considered.h"

namespace schedd::policies {

namespace {

std::string have(int count) { return count == 1 ? "has" : "have"; }

/// What of its cores its members use now; a pool that shares lends the others.
void consider_use(const PoolStanding& pool, int cores, const CpuSet& lent, std::vector<std::string>& lines) {
    const auto wanted = fmt::format("the members of {} want {:.2f} of {}", pool.spec.name, *pool.load,
                                    counted(pool.cpus, "CPU"));
    const double percent = 100 * *pool.load / pool.cpus;
    if (lent.empty()) {
        lines.push_back(fmt::format("{}, {:.0f} %", wanted, percent));
        return;
    }
    lines.push_back(fmt::format("{} that are in use for them, {:.0f} %: of its {} {} needed now, and CPUs {} "
                                "are lent (share=idle)",
                                wanted, percent, counted(cores, "core"),
                                pool.busy == 1 ? "1 is" : fmt::format("{} are", pool.busy), lent.text()));
}

/// Why it does not become smaller: "least" is always what it has in any case, and what a pool that lends
/// must use is one core.
std::string why_not_smaller(const PoolStanding& pool, int cores) {
    if (pool.spec.share == PoolShare::idle)
        return pool.busy < cores ? "the core that it needs is the last one, so it lends no more"
                                 : "it has one core, which it needs, so it lends none";
    if (cores < pool.least)
        return fmt::format("it has {} of the {} that are its least, so it does not shrink", cores,
                           counted(pool.least, "core"));
    return fmt::format("its least is {}, so it does not shrink", counted(pool.least, "core"));
}

/// When it would grow or shrink.
void consider_load(const PoolStanding& pool, const PoolCores& all, std::size_t i, const SizeRules& rules,
                   std::vector<std::string>& lines) {
    if (!pool.load) {
        lines.push_back(fmt::format("process_load has no value for the members of {}: it stays as it is",
                                    pool.spec.name));
        return;
    }
    if (pool.cpus == 0) return;
    const int cores = all.count(i);
    const bool is_lending = pool.busy < cores;
    consider_use(pool, cores, all.cpus(i) - all.first(i, pool.busy), lines);
    if (pool.busy < pool.spec.most)
        lines.push_back(fmt::format("it {} when more than {:.2f} CPUs are wanted in {}, {} {} been seen",
                                    is_lending ? "takes back what it lends" : "grows", rules.high * pool.cpus,
                                    counted(static_cast<int>(rules.patience), "update"), pool.over,
                                    have(static_cast<int>(pool.over))));
    const bool is_sharing = pool.spec.share == PoolShare::idle;
    if (pool.busy <= (is_sharing ? std::min(1, pool.least) : pool.least))
        lines.push_back(why_not_smaller(pool, cores));
    else if (rules.low <= 0) lines.push_back("low=0: it never shrinks");
    else
        lines.push_back(fmt::format("it {} when less than {:.2f} CPUs are wanted in {}, {} {} been seen",
                                    is_sharing && cores <= pool.least ? "lends" : "shrinks",
                                    rules.low * pool.cpus, counted(static_cast<int>(pool.calm), "update"),
                                    pool.under, have(static_cast<int>(pool.under))));
}

/// What it could grow into, and who else is there.
void consider_room(std::span<const PoolStanding> pools, const PoolCores& cores, const PoolTerms& terms,
                   std::size_t i, std::vector<std::string>& lines) {
    const PoolStanding& pool = pools[i];
    const int near = cores.free_near(i);
    const int can = std::max(0, std::min(near, cores.free_cores() - terms.keep));
    if (cores.count(i) >= pool.spec.most) {
        lines.push_back(fmt::format("it has {}, all of max={}: {}", counted(cores.count(i), "core"),
                                    pool.spec.most,
                                    can > 0 ? "a larger max would let it grow"
                                            : "there is no free core that a larger max would let it have"));
        return;
    }
    const auto where = pool.spec.level == PoolLevel::machine
                           ? std::string("on the machine")
                           : fmt::format("in its {} domain", name_of(pool.spec.level));
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
        lines.push_back(
            fmt::format("level=machine would let it have {} elsewhere",
                        counted(std::min(cores.free_cores() - terms.keep, pool.spec.most - cores.count(i)),
                                "core")));
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
        if (pools[k].spec.share == PoolShare::none && pools[k].load == 0.0 && cores.count(k) > 1 &&
            terms.sizes.low > 0)
            idle.push_back(fmt::format("share=idle on {} would lend all but one of its {}",
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
    consider_load(pools[pool], cores, pool, terms.sizes, lines);
    consider_room(pools, cores, terms, pool, lines);
    return lines;
}

} // namespace schedd::policies
