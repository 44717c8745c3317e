// CpuUsage: how busy each CPU was between two reads of proc/stat.
#pragma once

#include <optional>
#include <vector>

#include "components/kit/clock.h"
#include "components/probes/kept_file.h"

namespace schedd::probes {

/// 100 * used / (used + idle), and time waiting for io counts as used (Kerrighed cpu_probe.c).
class CpuUsage {
public:
    explicit CpuUsage(Host& host) : file_(host, "proc/stat") {}

    /// Fails as Host does, or with io if it is no proc/stat; then no CPU has a value, and the next read is a
    /// first one. Allocates only while it learns how long the file is and how many CPUs there are.
    Status measure(Time now);
    /// Percent, 0 to 100; none for a CPU that is not online, or before its second read.
    [[nodiscard]] std::optional<std::int64_t> percent(std::int64_t cpu) const;
    /// One more than the highest CPU number seen.
    [[nodiscard]] std::int64_t cpus() const { return static_cast<std::int64_t>(cpus_.size()); }
    [[nodiscard]] Time measured_at() const { return time_; }

private:
    struct PerCpu {
        std::uint64_t used = 0;
        std::uint64_t idle = 0;
        std::uint64_t seen = 0; // the pass that saw it last
        std::optional<std::int64_t> percent;
    };
    bool take_lines(std::string_view text);
    void take(PerCpu& cpu, std::uint64_t used, std::uint64_t idle) const;

    KeptFile file_;
    std::vector<char> buffer_ = std::vector<char>(4096);
    std::vector<PerCpu> cpus_;
    std::uint64_t pass_ = 1;
    Time time_{};
};

} // namespace schedd::probes
