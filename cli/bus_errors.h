// What a failed call means to the caller: exit code and text, from the D-Bus error or errno.
#pragma once

#include <string_view>

#include "cli/bus.h"

namespace schedd::cli {

/// `name` is the D-Bus error's, `message` its text (escaped here).
Failure failure_of(std::string_view name, std::string_view message, const BusPlace& place);
/// `code` is a negative errno from sd-bus.
Failure failure_of_errno(int code, const BusPlace& place);
/// How to start the daemon on this bus, as one sentence.
std::string how_to_start(const BusPlace& place);
/// Of a bus that closes the connection of a user it does not serve.
Failure turned_away(const BusPlace& place);

} // namespace schedd::cli
