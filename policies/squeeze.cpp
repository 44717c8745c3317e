// Counting updates until a step is due.
#include "policies/squeeze.h"

#include <algorithm>

namespace schedd::policies {

namespace {

constexpr unsigned kMostCalms = 8;

} // namespace

std::string_view name_of(Squeeze::State state) {
    switch (state) {
    case Squeeze::State::calm: return "calm";
    case Squeeze::State::squeezing: return "squeezing";
    case Squeeze::State::holding: return "holding";
    case Squeeze::State::releasing: return "releasing";
    case Squeeze::State::blind: return "blind";
    }
    return "";
}

unsigned Squeeze::calm_wanted(const SqueezeRules& rules) const {
    switch (rules.wish) {
    case Wish::same: return rules.calm * kMostCalms;
    case Wish::less: return rules.calm;
    case Wish::unknown: break;
    }
    return rules.calm * calms_;
}

Squeeze::Step Squeeze::update(double value, const SqueezeRules& rules) {
    Step step = Step::none;
    if (value > rules.bound) {
        well_ = 0;
        lowest_ = over_ == 0 ? value : std::min(lowest_, value);
        over_ = std::min(over_ + 1, rules.patience);
        // what was given back just now is the cause: that it lasts need not be proved
        if (over_ >= patience_wanted(rules) && taken_ < rules.most) step = take(rules);
        state_ = taken_ < rules.most ? State::squeezing : State::holding;
    } else if (value < rules.well) {
        over_ = 0;
        well_ = std::min(well_ + 1, calm_wanted(rules));
        if (is_on_trial_ && well_ >= rules.calm) { // what was given back did no harm
            is_on_trial_ = false;
            calms_ = 1;
        }
        if (well_ >= calm_wanted(rules) && taken_ > 0) step = give(rules);
        state_ = State::releasing;
    } else {
        over_ = well_ = 0;
        state_ = State::holding;
    }
    if (taken_ == 0) state_ = State::calm;
    return step;
}

Squeeze::Step Squeeze::take(const SqueezeRules& rules) {
    const int steps = lowest_ > 2 * rules.bound && !is_on_trial_ ? 2 : 1;
    taken_ = std::min(taken_ + steps * rules.step, rules.most);
    over_ = 0;
    if (is_on_trial_) calms_ = std::min(2 * calms_, kMostCalms);
    is_on_trial_ = false;
    return Step::taken;
}

Squeeze::Step Squeeze::give(const SqueezeRules& rules) {
    taken_ = std::max(taken_ - rules.step, 0);
    well_ = 0;
    is_on_trial_ = true;
    return Step::given;
}

void Squeeze::lose_sight() {
    over_ = well_ = 0;
    state_ = State::blind;
}

void Squeeze::start(int taken) {
    *this = {};
    taken_ = taken;
    if (taken > 0) state_ = State::holding;
}

bool Squeeze::limit(int most) {
    if (taken_ <= most) return false;
    taken_ = most;
    if (taken_ == 0) state_ = State::calm;
    return true;
}

} // namespace schedd::policies
