// What pressure_guard says of the ways not taken: how far it is from the next step, and what gives CPUs back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "components/model/subject.h"
#include "policies/core_order.h"
#include "policies/squeeze.h"

namespace schedd::policies {

/// The guard as it stands. Shares are thousandths of the time, as the bounds in `rules`.
struct GuardStanding {
    const CoreOrder& cores;
    const Squeeze& squeeze;
    SqueezeRules rules;
    int floor = 1; // CPUs
    bool is_kept_apart = false;
    std::string worst = {}; // who waited most, "" if nothing is known
    std::int64_t worst_share = 0;
    std::string note = {};
    CpuSet home = {};                           // the CPUs that the subject came with; empty = all
    std::optional<std::int64_t> own_share = {}; // of the subject
};

/// One sentence each for a subject of that class.
std::vector<std::string> considered_by(const GuardStanding& guard, WorkClass work_class);

} // namespace schedd::policies
