// RunQueues: the machine's load from proc/schedstat, where the kernel has it (CONFIG_SCHEDSTATS).
#pragma once

#include <optional>
#include <vector>

#include "components/kit/clock.h"
#include "components/probes/kept_file.h"

namespace schedd::probes {

/// Load = growth of (time tasks ran + time tasks waited) over the time passed, summed over the CPUs
/// (Documentation/scheduler/sched-stats.rst, fields 7 and 8, versions 15 and later).
class RunQueues {
public:
    explicit RunQueues(Host& host) : file_(host, "proc/schedstat") {}

    /// Fails as Host does, with not_supported for an older version, with io for something else altogether;
    /// then there is no load, and the next read is a first one.
    Status measure(Time now);
    /// Thousandths of a task; none before the second read.
    [[nodiscard]] std::optional<std::int64_t> load() const { return load_; }

private:
    struct PerCpu {
        std::uint64_t busy_ns = 0;
        std::uint64_t seen = 0;
    };
    /// The sum of what grew on the CPUs that were there before; none if the text cannot be understood.
    std::optional<std::uint64_t> take_lines(std::string_view text);

    KeptFile file_;
    std::vector<char> buffer_ = std::vector<char>(4096);
    std::vector<PerCpu> cpus_;
    std::uint64_t pass_ = 1;
    Time time_{};
    bool has_previous_ = false;
    std::optional<std::int64_t> load_;
};

} // namespace schedd::probes
