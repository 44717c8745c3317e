// Logs of real machines in the Standard Workload Format (Feitelson, Parallel Workloads Archive, version 2.2).
#pragma once

#include <string_view>
#include <vector>

#include "components/sim/workload.h"

namespace schedd::sim {

struct SwfLog {
    std::vector<LoggedJob> jobs; // in order of submission, the first at 0
    std::size_t skipped = 0;     // lines of jobs that never ran: cancelled before, or without a run time
};

/// Comments begin with ';'. Of the 18 fields of a line the submit time, the run time and the processors count
/// (requested ones where the allocated are not known). `name` is for messages. Fails with invalid_value,
/// naming the line, for what is no such log, and with limit_exceeded beyond kSimJobs.
Result<SwfLog> parse_swf(std::string_view name, std::string_view text);

} // namespace schedd::sim
