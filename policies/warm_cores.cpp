// Promotion, decay and impatience.
#include "policies/warm_cores.h"

#include <algorithm>

namespace schedd::policies {

namespace {

constexpr int kMostDecays = 8;

} // namespace

void WarmCores::start(int primary, Time now) {
    *this = {};
    primary_ = needed_ = primary;
    warm_up(primary, now);
}

void WarmCores::update(Time now, int needed, Strain strain, const WarmRules& rules) {
    limit(now, rules);
    if (is_blind_) std::ranges::fill(used_, now);
    is_blind_ = false;
    needed_ = std::clamp(needed, rules.floor, rules.most);
    strain_ = strain;
    const int warm_before = warm();
    if (needed_ > primary_) {
        grow_to(std::min(needed_, warm_before), now);
        warm_up(std::min(needed_, primary_ + rules.reserve), now);
    }
    const bool is_short = needed_ > primary_ || (strain_ == Strain::much && primary_ < rules.most);
    if (!is_short) short_since_.reset();
    else if (!short_since_) short_since_ = now;
    pass(now, rules);
}

void WarmCores::pass(Time now, const WarmRules& rules) {
    if (is_blind_) return;
    limit(now, rules);
    if (short_since_ && now - *short_since_ >= rules.impatience) {
        short_since_.reset();
        const int wanted = strain_ == Strain::much ? std::max({needed_, 2 * primary_, 1}) : needed_;
        grow_to(std::min(wanted, rules.most), now);
    }
    use(now);
    cool(now, rules);
}

void WarmCores::lose_sight() {
    is_blind_ = true;
    short_since_.reset();
}

void WarmCores::limit(Time now, const WarmRules& rules) {
    if (primary_ >= most_ && rules.most > most_) { // it had all there were, and is not to be narrowed by more
        warm_up(rules.most, now);
        primary_ = rules.most;
    }
    most_ = rules.most;
    if (warm() > rules.most) used_.resize(static_cast<std::size_t>(rules.most));
    primary_ = std::min(primary_, rules.most);
    needed_ = std::min(needed_, rules.most);
    if (primary_ == rules.most) short_since_.reset();
    if (primary_ >= rules.floor) return;
    primary_ = rules.floor;
    warm_up(rules.floor, now);
}

void WarmCores::grow_to(int primary, Time now) {
    if (primary <= primary_) return;
    if (left_at_) decays_ = std::min(2 * decays_, kMostDecays);
    left_at_.reset();
    warm_up(primary, now);
    std::fill(used_.begin() + primary_, used_.begin() + primary, now);
    primary_ = primary;
    grown_at_ = now;
}

void WarmCores::warm_up(int cores, Time now) {
    if (cores > warm()) used_.resize(static_cast<std::size_t>(cores), now);
}

int WarmCores::kept(const WarmRules& rules) const {
    if (strain_ != Strain::none) return primary_;
    return std::min(std::max(needed_, rules.floor), primary_);
}

void WarmCores::use(Time now) {
    const int cores = std::min(strain_ == Strain::none ? needed_ : std::max(needed_, primary_), warm());
    std::fill(used_.begin(), used_.begin() + cores, now);
}

/// The last cores have been unused the longest: whoever is needed less is further back.
void WarmCores::cool(Time now, const WarmRules& rules) {
    if (left_at_ && now - *left_at_ >= rules.decay) { // nobody missed it
        left_at_.reset();
        decays_ = 1;
    }
    for (const int least = kept(rules); primary_ > least; --primary_) {
        if (now - last_use(primary_ - 1) < patience(rules)) break;
        last_use(primary_ - 1) = now;
        left_at_ = now;
    }
    while (reserve() > rules.reserve) used_.pop_back();
    while (reserve() > 0 && now - last_use(warm() - 1) >= rules.decay) {
        if (warm() <= needed_) break;
        used_.pop_back();
    }
}

Time WarmCores::next_due(const WarmRules& rules) const {
    if (is_blind_) return kNever;
    Time due = kNever;
    if (short_since_) due = *short_since_ + rules.impatience;
    if (primary_ > kept(rules)) due = std::min(due, last_use(primary_ - 1) + patience(rules));
    if (reserve() > 0 && warm() > needed_) due = std::min(due, last_use(warm() - 1) + rules.decay);
    return due;
}

} // namespace schedd::policies
