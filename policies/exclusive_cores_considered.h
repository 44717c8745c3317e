// What exclusive_cores says of the ways not taken: where else there was room, who has the cores, and what
// would free some.
#pragma once

#include <string>
#include <vector>

#include "policies/claims.h"

namespace schedd::policies {

/// The attributes that make a difference to somebody who waits.
struct CoreTerms {
    std::string when_full;
    int shared_minimum = 1;
    CpuSet reserved;
    bool is_one_per_core = false;
};

/// One sentence each. Nothing is said of a subject that nothing has been decided about yet.
std::vector<std::string> considered_by(const Claims& claims, const Subject& subject, const CoreTerms& terms,
                                       const Topology& topology);

} // namespace schedd::policies
