// ManualClock: time that only a test moves.
#pragma once

#include "components/kit/clock.h"

namespace schedd::test {

/// Starts at one hour, so that "an hour ago" exists.
class ManualClock final : public kit::Clock {
public:
    [[nodiscard]] kit::Time now() const override { return now_; }
    void advance(kit::Duration by) { now_ += by; }
    void set(kit::Time now) { now_ = now; }

private:
    kit::Time now_ = std::chrono::hours(1);
};

} // namespace schedd::test
