// Text: bytes of any kind made fit for a D-Bus string, which must be UTF-8 without NUL.
#pragma once

#include <string>
#include <string_view>

namespace schedd::dbus {

/// Whether the bytes can be sent as they are: valid UTF-8 (no surrogates, no overlong forms), no NUL.
bool is_fit(std::string_view bytes);

/// The bytes with U+FFFD in place of each one that does not fit.
std::string fit_text(std::string_view bytes);

} // namespace schedd::dbus
