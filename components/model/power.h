// Power: what the desktop's daemons say about power, as plain state that an adapter keeps and probes read;
// and the types of values about it.
#pragma once

#include <optional>
#include <string>

#include "components/model/value.h"

namespace schedd::model {

/// What was said last; an adapter writes it as things are said, readers look at it when they like, so that of
/// many changes between two looks the last one counts. What nobody says is empty, and `trouble` says why.
struct PowerState {
    std::optional<std::string> profile = {}; // any text: "power-saver", "balanced", "performance", ...
    std::string degraded = {};               // why "performance" is not what it could be; "" = it is
    std::string profile_from = {};           // the bus name that said so, "" = nobody
    std::string profile_trouble = "no daemon of power profiles is followed";
    std::optional<bool> on_battery = {};
    std::optional<double> battery_percent = {};
    std::string battery_from = {};
    std::string battery_trouble = "UPower is not followed";
};

namespace types {
constexpr ValueType kPowerProfile{"power_profile", "text"};
constexpr ValueType kOnBattery{"on_battery", "0 or 1"};
constexpr ValueType kBattery{"battery", "percent"};
constexpr ValueType kDegraded{"degraded", "text"};
constexpr ValueType kEnergy{"energy", "mJ"};
} // namespace types

} // namespace schedd::model
