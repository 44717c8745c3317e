// Silence to verdicts, and the guards.
#include "components/membership/detector.h"

#include <algorithm>

namespace schedd::membership::detector {

Silence judge(const Case& one) {
    if (one.silence < late_after(one.period)) return Silence::none;
    if (one.silence < suspect_after(one.period)) return Silence::late;
    const auto limit = one.is_held ? held_until(one.period) : dead_after(one.period);
    if (std::min(one.silence, one.vouched) < limit) return Silence::suspect;
    // could not be asked, since too many had to be: that is held like all that is doubtful
    if (!one.was_asked && one.silence < held_until(one.period)) return Silence::suspect;
    return Silence::dead;
}

Duration until_next(const Case& one) {
    switch (judge(one)) {
    case Silence::none: return late_after(one.period) - one.silence;
    case Silence::late: return suspect_after(one.period) - one.silence;
    case Silence::suspect: {
        const auto limit = one.is_held ? held_until(one.period) : dead_after(one.period);
        return std::max<Duration>(limit - std::min(one.silence, one.vouched), std::chrono::milliseconds(10));
    }
    case Silence::dead: break;
    }
    return Duration::max();
}

std::uint8_t tenths_of(Duration period) {
    const auto tenth = std::chrono::milliseconds(100);
    const auto tenths = (period + tenth - Duration(1)) / tenth;
    return static_cast<std::uint8_t>(std::clamp<std::int64_t>(tenths, 1, 255));
}

Duration Lag::notice(Time now, Time due, Duration suspended, Duration period) {
    Duration lag{};
    if (due != kit::kNever && now > due + period / 2) lag = now - due;
    // the clock stands still meanwhile, but what others sent is lost all the same
    if (has_suspended_ && suspended > suspended_ + period / 2) lag += suspended - suspended_;
    suspended_ = suspended;
    has_suspended_ = true;
    return lag;
}

Time Deaf::next(Time heard, Duration period) const {
    if (heard >= tried_ || tries_ == 0) return heard + 10 * period;
    return tried_ + 10 * period * (1 << std::min(tries_, 5));
}

bool Deaf::is_due(Time now, Time heard, Duration period) {
    if (now < next(heard, period)) return false;
    tries_ = heard >= tried_ ? 1 : tries_ + 1;
    tried_ = now;
    return true;
}

} // namespace schedd::membership::detector
