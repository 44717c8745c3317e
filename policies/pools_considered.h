// What pools says of the ways not taken: how far a pool is from growing or shrinking, and who has the cores.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "policies/pool_cores.h"
#include "policies/pool_sizes.h"

namespace schedd::policies {

/// A pool as it stands: its least cores, those in use and their CPUs, the CPUs its members want (none if that
/// is not known), and for how many updates that has been too much or too little.
struct PoolStanding {
    const PoolSpec& spec;
    int least = 0;
    int busy = 0;
    int cpus = 0;
    std::optional<double> load = {};
    unsigned over = 0;
    unsigned under = 0;
    unsigned calm = 1;
};

/// When pools change their size, and how many cores are kept for the rest.
struct PoolTerms {
    SizeRules sizes;
    int keep = 1;
};

/// One sentence each for a member of that pool; past the last is the default pool.
std::vector<std::string> considered_by(std::span<const PoolStanding> pools, const PoolCores& cores,
                                       const PoolTerms& terms, std::size_t pool);

} // namespace schedd::policies
