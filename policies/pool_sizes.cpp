// Counting updates on either side of a range.
#include "policies/pool_sizes.h"

#include <algorithm>

namespace schedd::policies {

namespace {

constexpr unsigned kMostCalms = 8;

} // namespace

PoolSize::Step PoolSize::update(double load, int cpus, const SizeRules& rules) {
    if (is_on_trial_ && ++lasted_ > rules.calm) { // what was given back was not missed
        is_on_trial_ = false;
        calms_ = 1;
    }
    if (load > rules.high * cpus) {
        under_ = 0;
        extreme_ = over_ == 0 ? load : std::min(extreme_, load);
        if (++over_ < rules.patience) return Step::none;
        over_ = 0;
        load_ = extreme_;
        if (is_on_trial_) calms_ = std::min(2 * calms_, kMostCalms);
        is_on_trial_ = false;
        return Step::grow;
    }
    over_ = 0;
    if (load >= rules.low * cpus) {
        under_ = 0;
        return Step::none;
    }
    extreme_ = under_ == 0 ? load : std::max(extreme_, load);
    if (++under_ < calm_wanted(rules)) return Step::none;
    under_ = 0;
    load_ = extreme_;
    return Step::shrink;
}

} // namespace schedd::policies
