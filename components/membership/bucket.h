// Bucket: so many a second and so many at once, in eight bytes.
#pragma once

#include "components/kit/clock.h"

namespace schedd::membership {

/// A token bucket as the time when it will be full again (the generic cell rate algorithm, ITU-T I.371).
class Bucket {
public:
    /// Whether one more may pass now, at most `burst` at once and one each `each` in the long run.
    bool take(kit::Time now, kit::Duration each, int burst) {
        const auto full = full_ > now ? full_ : now;
        if (full + each > now + burst * each) return false;
        full_ = full + each;
        return true;
    }
    /// Whether nothing is left, without taking.
    [[nodiscard]] bool is_empty(kit::Time now, kit::Duration each, int burst) const {
        return full_ + each > now + burst * each;
    }

private:
    kit::Time full_{};
};

} // namespace schedd::membership
