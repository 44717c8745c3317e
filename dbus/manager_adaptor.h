// org.schedd1.Manager: the verbs, and the questions that concern the whole.
#pragma once

#include <string>

#include "dbus/backend.h"
#include "dbus/object.h"

namespace schedd::dbus {

/// The manager's methods, properties and signals; a table, so that a test can hold it against the rules.
Interface manager_interface(Backend& backend);

} // namespace schedd::dbus
