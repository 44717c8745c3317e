// Bus probe: whether a bus that has closed the connection without a word is there, and turns this user away.
#pragma once

#include <string>

namespace schedd::cli {

/// Connects anew, as far as the authentication: dbus-daemon turns a user away after it, dbus-broker before.
/// False when nobody listens, or somebody who speaks otherwise or for a second not at all. Only for unix
/// sockets.
bool turns_away(const std::string& address);

} // namespace schedd::cli
