// The types of what machines have and count; between the probes that measure it and policies that ask.
#pragma once

#include "components/model/value.h"

namespace schedd::model::types {

/// What a core can do at most, in its frequency; slower kinds of core count with less than theirs.
constexpr ValueType kSpeed{"speed", "kHz"};
constexpr ValueType kSpeedByCpu{"speed", "kHz", "cpu"};
constexpr ValueType kCpus{"count", "CPUs"};
constexpr ValueType kTasks{"count", "tasks"};
/// Clock ticks of the kernel's own files (USER_HZ), as long as the original's jiffies.
constexpr ValueType kTicksByPid{"time", "1/100 s", "pid"};
constexpr ValueType kPagesByPid{"size", "pages", "pid"};
constexpr ValueType kMemoryByPid{"memory", "KiB", "pid"};
/// Room in a file system.
constexpr ValueType kSpace{"space", "KiB"};

/// Of a filter's further port: what it takes is what the filter takes (components/model/sink_type.h).
constexpr ValueType kAsFilter{"same", "as filter"};

} // namespace schedd::model::types
