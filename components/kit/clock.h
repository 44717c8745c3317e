// Clock: the only source of time below the daemon. Tests drive a ManualClock, the daemon a monotonic one.
#pragma once

#include <chrono>

namespace schedd::kit {

/// Monotonic nanoseconds since an unspecified start; never wall-clock time.
using Duration = std::chrono::nanoseconds;
using Time = std::chrono::nanoseconds;

constexpr Time kNever = Time::max();

class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Time now() const = 0;
};

/// Whole milliseconds of a duration, rounded down; for messages and JSON.
constexpr long long milliseconds_of(Duration d) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

} // namespace schedd::kit
