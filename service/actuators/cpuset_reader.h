// Reading cpusets through the Host: which group a process is in, and where a group's tasks may run.
#pragma once

#include <optional>
#include <string>

#include "components/kit/host.h"
#include "components/model/subject.h"

namespace schedd::actuators {

using namespace schedd::model;

/// A cpuset hierarchy: `mount` relative to the host's root ("sys/fs/cgroup/cpuset"), `version` 1 or 2.
struct CpusetMount {
    std::string mount;
    int version = 1;

    /// The files by their names in this version.
    [[nodiscard]] const char* effective_file() const {
        return version == 1 ? "cpuset.effective_cpus" : "cpuset.cpus.effective";
    }
    /// A small file that every group has; reading lists of tasks is dear, and refused in threaded groups.
    [[nodiscard]] const char* existence_file() const {
        return version == 1 ? "cgroup.clone_children" : "cgroup.controllers";
    }
    /// The path of a group's file; `group` starts with '/'.
    [[nodiscard]] std::string file(const std::string& group, std::string_view name) const;
};

/// "/a/b" -> "/a", "/a" -> "/", "/" -> "".
std::string parent_of(const std::string& group);
/// "/a" below "/" is "/a", "b" below "/a" is "/a/b".
std::string child_of(const std::string& group, std::string_view name);

/// The group of a process or thread in the cpuset hierarchy: that of the cpuset controller (version 1), else
/// the unified one; none when it has ended. `task` is "123" or "123/task/124".
std::optional<std::string> group_of(Host& host, const std::string& task);

/// Where the tasks of a group may run: its own effective set or the nearest ancestor's that has one (version
/// 2 leaves without the controller, version 1 groups without CPUs). Fails with no_such_object when the group
/// is gone.
Result<CpuSet> effective_of(Host& host, const CpusetMount& mount, const std::string& group);

/// Where the cpuset of a process lets it run; every online CPU where there are no cpusets. None when it has
/// ended.
std::optional<CpuSet> cpuset_of(Host& host, Pid pid);

/// The online CPUs; the empty set if the host does not tell.
CpuSet online_cpus(Host& host);

/// Fails with no_such_object unless the process of this pid and start time lives.
Status same_process(Host& host, const Target& target);

} // namespace schedd::actuators
