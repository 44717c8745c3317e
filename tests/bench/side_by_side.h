// SideBySide: control groups in which a latency task and batch work run, and how the two share CPUs 0 and 1.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "components/kit/result.h"

namespace schedd::bench {

using namespace schedd::kit;

/// Who a process is started as; the name of its control group.
enum class Side { latency, batch };

/// Of version 1. In the cpuset hierarchy each side has a group of its own below one named after the bench; in
/// the cpu hierarchy the sides share that group, so that neither autogroups nor weights keep them apart, or
/// have one each while they are weighed.
class SideBySide {
public:
    /// How they share the CPUs. In all but `split` both sides may use both.
    enum class Way { unmanaged, nice, weighed, split };

    /// Needs root and the cpu and cpuset hierarchies of version 1.
    static Result<SideBySide> make();
    SideBySide(SideBySide&& other) noexcept;
    SideBySide& operator=(SideBySide&& other) = delete;
    /// Kills who is still in a group: nobody gets there but what was started here.
    ~SideBySide();

    /// For those that are started from now on.
    Status share(Way way);
    /// For Process::Options::enter.
    [[nodiscard]] std::function<bool()> enter(Side side) const;
    /// As in proc/PID/cgroup.
    [[nodiscard]] std::string group(Side side) const;
    /// The CPUs of its cpuset as they are now.
    [[nodiscard]] std::string cpus(Side side) const;

private:
    SideBySide() = default;
    Status fill();
    [[nodiscard]] std::string cpuset_of(Side side) const;
    [[nodiscard]] std::string cpu_group_of(Side side) const;
    std::vector<std::string> roots_; // directories to be removed; emptied by moving away
    Way way_ = Way::unmanaged;
};

} // namespace schedd::bench
