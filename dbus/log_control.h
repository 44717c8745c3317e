// LogControl: org.freedesktop.LogControl1, by which `systemctl service-log-level` and service-log-target
// work.
#pragma once

#include "dbus/log_knobs.h"
#include "dbus/object.h"

namespace schedd::dbus {

/// Where the object is.
inline constexpr const char* kLogControlPath = "/org/freedesktop/LogControl1";

/// Written by root alone, as systemd's own are. `knobs` outlives it.
Interface log_control_interface(LogKnobs& knobs);

} // namespace schedd::dbus
