// Calls: the callbacks of BusPower, which name types of sd-bus; for its own files.
#pragma once

#include <systemd/sd-bus.h>

#include "service/desktop/bus_power.h"

namespace schedd::desktop {

struct BusPower::Calls {
    static int owner_changed(sd_bus_message* message, void* self, sd_bus_error* error);
    static int owner_told(sd_bus_message* message, void* service, sd_bus_error* error);
    static int properties_changed(sd_bus_message* message, void* self, sd_bus_error* error);
    static int answered(sd_bus_message* message, void* service, sd_bus_error* error);
    static int installed(sd_bus_message* message, void* self, sd_bus_error* error);
    static int profile_released(sd_bus_message* message, void* self, sd_bus_error* error);
    static int hold_answered(sd_bus_message* message, void* hold, sd_bus_error* error);
};

} // namespace schedd::desktop
