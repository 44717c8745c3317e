// Patterns of exec: rules.
#pragma once

#include <string_view>

namespace schedd::model {

/// Whether a shell-like pattern, with '*' and '?' only, stands for the whole of `text`.
bool matches(std::string_view pattern, std::string_view text);

} // namespace schedd::model
