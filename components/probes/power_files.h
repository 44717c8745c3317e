// PowerFiles: what the kernel's own files say of power - the firmware's profile, batteries, and energy used.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "components/kit/host.h"

namespace schedd::probes {

using namespace schedd::kit;

/// sys/firmware/acpi/platform_profile, one word such as "low-power". Fails as Host does, and with
/// invalid_value for what is no word.
Result<std::string> read_platform_profile(Host& host);

/// Of sys/class/power_supply. `on_battery`: a battery of the machine itself discharges, or no mains is online
/// where there are some; none where there are neither mains nor batteries. Batteries of devices (a mouse) do
/// not count. `percent` is the mean of the machine's batteries.
struct PowerSupply {
    std::optional<bool> on_battery;
    std::optional<double> percent;
};
PowerSupply read_power_supply(Host& host);

/// Energy that the packages have used since this was made, by RAPL (sys/class/powercap/intel-rapl:N), whose
/// counters wrap.
class EnergyMeter {
public:
    /// In mJ. Fails with no_such_object where there is no RAPL, or as Host does: the files are root's alone.
    Result<std::int64_t> measure(Host& host);

private:
    struct Zone {
        std::uint64_t last_uj = 0;
    };
    std::map<std::string, Zone, std::less<>> zones_;
    std::uint64_t used_uj_ = 0;
};

} // namespace schedd::probes
