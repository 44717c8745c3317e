// Whether bytes are UTF-8: what D-Bus, TOML and JSON carry, and nothing else.
#pragma once

#include <string_view>

namespace schedd::kit {

/// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. Empty text is.
bool is_utf8(std::string_view text);

} // namespace schedd::kit
