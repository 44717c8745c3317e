// OwnGroups: the control groups that schedd makes for single processes, "schedd.0-3" for the CPUs 0-3.
#pragma once

#include "service/actuators/cpuset_hierarchy.h"

namespace schedd::actuators {

class OwnGroups {
public:
    explicit OwnGroups(CpusetHierarchy hierarchy) : hierarchy_(std::move(hierarchy)) {}

    [[nodiscard]] const CpusetHierarchy& hierarchy() const { return hierarchy_; }

    /// "schedd.0-3"; a list too long for a file name is replaced by its hash.
    static std::string name_for(const CpuSet& cpus);
    /// Whether schedd made the group: decided by the last part of its name.
    static bool is_own(const std::string& group);
    /// Where a process of `group` would be without schedd: the group itself, or the parent of an own one.
    static std::string home_of(const std::string& group) { return is_own(group) ? parent_of(group) : group; }

    /// The group that own groups for processes of `home` stand in. Version 1: `home` itself. Version 2: the
    /// group delegated to the daemon, and only for processes that live in it; otherwise not_supported in
    /// words.
    Result<std::string> base_for(const std::string& home);
    /// Makes the group for `cpus` below `base` if it is not there, with CPUs and memory nodes set. On failure
    /// nothing is left behind.
    Result<std::string> ensure(const std::string& base, const CpuSet& cpus);
    /// Removes an own group that nobody is in; other groups, and groups in use, stay.
    void tidy(const std::string& group);

private:
    Status fill(const std::string& base, const std::string& group, const CpuSet& cpus);
    /// Version 2: makes the daemon's own group fit for children with cpusets.
    Result<std::string> prepare_delegated();

    CpusetHierarchy hierarchy_;
    std::string delegated_; // version 2, once prepared
};

} // namespace schedd::actuators
