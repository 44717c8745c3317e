// Console: the terminal of one invocation - where output goes and how it may look.
#pragma once

#include <string_view>

#include "cli/options.h"

namespace schedd::cli {

/// Colour, UTF-8 and width from the terminal, the environment and --color.
Look look_of_terminal(ColorMode mode);

/// Whether the standard output is a terminal.
bool is_terminal();
/// Whether somebody sits at it: the standard input is a terminal.
bool is_interactive();

/// Writes to the standard output at once; fails with Exit::error when that is full or closed.
Answer<void> print(std::string_view text);
/// "schedd-cli: TEXT" on the standard error.
void complain(std::string_view text);

/// "14:03:07.120", local time.
std::string clock_text();

} // namespace schedd::cli
