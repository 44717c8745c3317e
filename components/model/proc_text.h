// The text of proc and sysfs files, parsed: bytes in, numbers out; refuses what the kernel would not write.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "components/model/value.h"

namespace schedd::model {

/// proc/PID/stat: the fields used. `comm` points into the text given.
struct ProcStat {
    Pid pid = 0;
    std::string_view comm;
    char state = '?';
    Pid parent = 0;
    Pid group = 0;
    Pid session = 0;
    bool kernel_thread = false; // PF_KTHREAD in field 9
    std::int64_t threads = 0;
    std::uint64_t start_time = 0; // clock ticks since boot
};
/// The name may hold anything, also ") (": it ends at the last ')'.
std::optional<ProcStat> parse_proc_stat(std::string_view text);

/// proc/PID/schedstat: time on a CPU, time waiting for one (ns), number of slices.
struct SchedStat {
    std::uint64_t run_ns = 0;
    std::uint64_t wait_ns = 0;
};
std::optional<SchedStat> parse_schedstat(std::string_view text);

/// proc/uptime: hundredths of a second since boot, the clock ticks of ProcStat::start_time.
std::optional<std::uint64_t> parse_uptime(std::string_view text);

/// A number at the front of `text` after blanks, which is advanced past it; none if there is none or it
/// overflows.
std::optional<std::uint64_t> take_number(std::string_view& text);
/// The next word, which is removed from `text`; empty at the end.
std::string_view take_word(std::string_view& text);
/// The next line without its newline, removed from `text`.
std::string_view take_line(std::string_view& text);

} // namespace schedd::model
