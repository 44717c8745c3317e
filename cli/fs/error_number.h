// What a refusal of the daemon is called in errno; see README.md for the table.
#pragma once

#include "cli/failure.h"

namespace schedd::cli::fs {

/// What was being done: the same refusal has other names for other calls.
enum class Act { read, write, create, attach, link, remove, unlink };

/// Positive. ENOTCONN for a daemon or bus that is not there, ETIMEDOUT for one that does not answer. Whether
/// a part that is busy has something inside (ENOTEMPTY) or is in use (EBUSY) the daemon does not tell: EBUSY.
int error_number(const Failure& failure, Act act);

} // namespace schedd::cli::fs
