// Pictures: a graphviz program drawn by the graphviz tool, as a child process.
#pragma once

#include <string>
#include <string_view>

#include "cli/failure.h"

namespace schedd::cli {

/// What `dot -Tsvg` makes of it. Fails with Exit::error, saying what to install, when there is none.
Answer<std::string> draw_svg(std::string_view dot);

/// All of `text` to `fd`.
Answer<void> write_to(int fd, std::string_view text);

} // namespace schedd::cli
