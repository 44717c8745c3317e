// Power replies: what GetAll of the daemons of power answers, read from a message that may hold anything.
#pragma once

#include <functional>
#include <string_view>

#include "components/model/power.h"

struct sd_bus_message;

namespace schedd::desktop {

/// ActiveProfile and PerformanceDegraded. False if there is no ActiveProfile of type s that is not empty;
/// then nothing is changed. Texts are cut at 256 bytes.
bool read_profile(sd_bus_message* reply, model::PowerState& state);
/// OnBattery of UPower. False if there is none of type b.
bool read_on_battery(sd_bus_message* reply, model::PowerState& state);
/// Percentage of UPower's display device, if IsPresent and between 0 and 100; else none.
void read_battery(sd_bus_message* reply, model::PowerState& state);

} // namespace schedd::desktop
