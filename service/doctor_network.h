// The doctor's part about the network that membership uses; the facts are the daemon's own.
#pragma once

#include <span>

#include "service/doctor_checks.h"

namespace schedd::service::doctor {

/// Adds a row for each interface, and one each for keys, strangers, clocks and loss; one alone where
/// membership is off.
void check_network(const dbus::NetworkFacts& network, std::span<const dbus::NodeFacts> nodes, Checks& out);

} // namespace schedd::service::doctor
