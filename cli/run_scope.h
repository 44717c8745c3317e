// A scope of systemd around this process: how work that stays here gets a unit without losing anything of its
// surroundings.
#pragma once

#include <string>

#include "cli/failure.h"

namespace schedd::cli {

/// Whether systemd runs this machine.
bool has_systemd();

/// Puts this process into a new scope `unit` of the system's manager (root) or of the user's own, and returns
/// when it is in it. Fails, and it is where it was, with what systemd said, or when it did not answer in
/// time.
Answer<void> enter_scope(const std::string& unit, const std::string& description);

} // namespace schedd::cli
