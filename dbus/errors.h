// Errors: every kind of failure has one name on the bus, org.schedd1.Error.*.
#pragma once

#include <string>
#include <string_view>

#include "components/kit/result.h"

namespace schedd::dbus {

using namespace schedd::kit;

/// Errc::no_such_object -> "org.schedd1.Error.NoSuchObject".
std::string_view error_name(Errc kind);

/// Error::text() made fit for a D-Bus string.
std::string error_message(const Error& error);

} // namespace schedd::dbus
