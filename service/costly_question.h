// CostlyQuestion: how often what anybody may ask, and others must answer meanwhile, is really asked.
#pragma once

#include <algorithm>

#include "components/kit/clock.h"

namespace schedd::service {

/// At most a tenth of the time goes into it, and it is asked at most once a second.
class CostlyQuestion {
public:
    [[nodiscard]] bool may_be_asked(kit::Time now) const { return now >= again_; }
    void was_asked(kit::Time before, kit::Time after) {
        again_ = after + std::max<kit::Duration>(kAtMost, 9 * (after - before));
    }

private:
    static constexpr kit::Duration kAtMost = std::chrono::seconds(1);
    kit::Time again_{};
};

} // namespace schedd::service
