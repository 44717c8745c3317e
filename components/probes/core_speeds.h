// CoreSpeeds: what each core of the machine can do at most, from sysfs and proc/cpuinfo.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "components/model/cpu_set.h"
#include "components/probes/kept_file.h"

namespace schedd::probes {

using namespace schedd::model;

/// A core's speed is its highest frequency (cpufreq, else "cpu MHz"). Where the kernel ranks cores by what
/// they get done (cpu_capacity, else the firmware's highest_perf), it is that of the best one times its own
/// rank / the best one's: an efficient core at 4 GHz does less than a fast one at 4 GHz.
class CoreSpeeds {
public:
    explicit CoreSpeeds(Host& host) : host_(host), online_file_(host, "sys/devices/system/cpu/online") {}

    /// Reads which CPUs are online, and all the rest only if these are others than before. Fails as Host
    /// does, or with io if it is no list of CPUs; then nothing is known.
    Status look();
    [[nodiscard]] const CpuSet& online() const { return online_; }
    /// In kHz; none for a CPU that is not online, or where nothing tells.
    [[nodiscard]] std::optional<std::int64_t> of(std::int64_t cpu) const;
    /// Of all cores together, and of the best; none unless all are known.
    [[nodiscard]] std::optional<std::int64_t> mean() const { return mean_; }
    [[nodiscard]] std::optional<std::int64_t> fastest() const { return fastest_; }

private:
    void read_speeds();
    void read_frequencies();
    void read_cpuinfo();
    [[nodiscard]] std::vector<std::int64_t> read_ranks(std::string_view file);
    [[nodiscard]] std::int64_t read_number(int cpu, std::string_view file);

    Host& host_;
    KeptFile online_file_;
    std::string seen_; // the text of the file
    CpuSet online_;
    std::vector<std::int64_t> speeds_; // by CPU; 0: not known
    std::optional<std::int64_t> mean_;
    std::optional<std::int64_t> fastest_;
};

} // namespace schedd::probes
