// GroupFarm: control groups with one sleeping process each, in the cpuset and the unified hierarchy alike.
#pragma once

#include <cstddef>
#include <string>

#include "tests/bench/sleepers.h"

namespace schedd::bench {

/// All below one group named after the bench; removed with it, after the processes have ended.
class GroupFarm {
public:
    /// Needs root and cpusets version 1 at /sys/fs/cgroup/cpuset. The unified groups (for pressure) are left
    /// out where there is no such hierarchy.
    static Result<GroupFarm> make(std::size_t count);
    GroupFarm(GroupFarm&& other) noexcept;
    GroupFarm& operator=(GroupFarm&& other) = delete;
    ~GroupFarm();

    /// "/schedd-bench.123/g7", as in proc/PID/cgroup.
    [[nodiscard]] std::string group(std::size_t index) const;
    [[nodiscard]] std::size_t size() const { return sleepers_.pids().size(); }

private:
    explicit GroupFarm(Sleepers sleepers) : sleepers_(std::move(sleepers)) {}
    Status fill(const std::string& mount, bool is_cpuset);
    Sleepers sleepers_;
    std::vector<std::string> roots_; // directories to be removed; emptied by moving away
};

/// Makes one control group; fails if it is there already.
Status make_group(const std::string& directory);
/// A version 1 cpuset is born empty: it takes what its parent has.
Status inherit_cpuset(const std::string& parent, const std::string& directory);

} // namespace schedd::bench
