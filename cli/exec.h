// Becoming another program, and the exit codes that shells have for when that cannot be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace schedd::cli {

/// 128 + the signal that ended a process.
constexpr int kSignalled = 128;

/// Replaces this process by a program that is looked for in PATH. Returns only if that fails, after having
/// said so in the name of `verb`: the exit code, 127 if there is no such program, else 126.
int become(const std::vector<std::string>& words, std::string_view verb);

} // namespace schedd::cli
