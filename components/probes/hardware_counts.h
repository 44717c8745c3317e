// HardwareCounts: what the machine has reported of its own troubles, as totals since it was started.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "components/kit/host.h"

namespace schedd::probes {

using namespace schedd::kit;

/// Each none where the machine has no such report.
struct HardwareCounts {
    std::optional<std::int64_t> corrected;      // memory errors that were put right (EDAC)
    std::optional<std::int64_t> uncorrected;    // and those that were not
    std::optional<std::int64_t> machine_checks; // exceptions, on all CPUs
    std::optional<std::int64_t> throttles;      // times that a core was slowed because it was too hot
    std::optional<std::int64_t> disk_warnings;  // that smartd has sent, by its state files
};

/// Reads sys/devices/system/edac/mc/mc*/{ce,ue}_count, the row MCE of proc/interrupts,
/// sys/devices/system/cpu/cpu*/thermal_throttle/core_throttle_count and mail.N.count in
/// var/lib/smartmontools/smartd.*.state. A file that cannot be read or understood is passed over.
class HardwareReader {
public:
    explicit HardwareReader(Host& host) : host_(host) {}
    HardwareCounts read();

private:
    /// The sum over all `directory`/`prefix`N/`file`; none if there is none.
    [[nodiscard]] std::optional<std::int64_t> sum_of(const std::string& directory, std::string_view prefix,
                                                     std::string_view file);
    [[nodiscard]] std::optional<std::int64_t> machine_checks();
    [[nodiscard]] std::optional<std::int64_t> disk_warnings();
    /// The whole of a file, up to a limit.
    [[nodiscard]] std::optional<std::string_view> text_of(const std::string& path);

    Host& host_;
    std::vector<char> buffer_ = std::vector<char>(16384);
};

} // namespace schedd::probes
