// Affinity that tasks of a unit had themselves: Linux before 6.2 forgets it when their group is confined.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/actuators/cpuset_hierarchy.h"

namespace schedd::actuators {

/// A task that was on other CPUs than its control group gives.
struct OwnMask {
    Pid tid = 0;
    std::uint64_t start_time = 0;
    CpuSet cpus;
    bool operator==(const OwnMask&) const = default;
};

/// As text "1240/5678=0-4;1241/5690=2", "" if there is none.
std::string text_of(const std::vector<OwnMask>& masks);
Result<std::vector<OwnMask>> parse_own_masks(std::string_view text);

/// Those in the group and below it. Fails with limit_exceeded beyond limits::kOwnMasks.
Result<std::vector<OwnMask>> own_masks_in(const CpusetHierarchy& hierarchy, const std::string& group);
/// Those in all groups but the root, at most limits::kAllMasks.
std::vector<OwnMask> all_own_masks(const CpusetHierarchy& hierarchy);
/// Gives them back to those that are on all that their group gives: the kernel forgot. Others have set a new
/// one.
void restore_forgotten(const CpusetHierarchy& hierarchy, const std::vector<OwnMask>& masks);

/// Gives them back to the tasks of the group that still live. Others that are on all that their group gives
/// get `usual`, unless it is empty: they were born while the group was confined.
Status restore_own_masks(const CpusetHierarchy& hierarchy, const std::string& group,
                         const std::vector<OwnMask>& masks, const CpuSet& usual);

} // namespace schedd::actuators
