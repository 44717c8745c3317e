// Clocks of a machine that membership needs beside the monotonic one.
#pragma once

#include <cstdint>

#include "components/kit/clock.h"

namespace schedd::membership {

class MachineClocks {
public:
    virtual ~MachineClocks() = default;
    /// Wall clock, milliseconds since 1970; may step. Never used for a deadline.
    [[nodiscard]] virtual std::uint64_t wall_ms() const = 0;
    /// How long the machine has been suspended since it was booted: BOOTTIME less MONOTONIC.
    [[nodiscard]] virtual kit::Duration suspended() const = 0;
};

} // namespace schedd::membership
