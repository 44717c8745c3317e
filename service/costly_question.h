// CostlyQuestion: how often what anybody may ask, and others must answer meanwhile, is really asked.
#pragma once

#include <algorithm>

#include "components/kit/clock.h"

namespace schedd::service {

/// At most a tenth of the time goes into it, and it is asked at most once in `least`.
class CostlyQuestion {
public:
    explicit CostlyQuestion(kit::Duration least = std::chrono::seconds(1)) : least_(least) {}
    [[nodiscard]] bool may_be_asked(kit::Time now) const { return now >= again_; }
    void was_asked(kit::Time before, kit::Time after) {
        again_ = after + std::max<kit::Duration>(least_, 9 * (after - before));
    }

private:
    kit::Duration least_;
    kit::Time again_{};
};

} // namespace schedd::service
