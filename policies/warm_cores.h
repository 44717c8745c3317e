// WarmCores: how many cores are kept warm - the nest's state machine, which knows numbers and time only.
#pragma once

#include <limits>
#include <optional>
#include <vector>

#include "components/kit/clock.h"

namespace schedd::policies {

using namespace schedd::kit;

/// REQUIRES: 0 <= floor <= most; reserve >= 0.
struct WarmRules {
    Duration decay{};      // unused for so long, a core leaves primary for reserve, and then the reserve
    Duration impatience{}; // how long primary may be too small before it is widened to all that is needed
    int floor = 0;         // cores that always are primary
    int most = 0;          // cores that there are
    int reserve = 0;       // cores in reserve at the most
};

/// The first cores of a row are primary: work belongs there. The next ones are the reserve: warm still, or
/// warmed up, so they become primary at once when they are needed. A core beyond both is cold. It goes into
/// the reserve when it is needed, as far as there is room, and becomes primary when it is needed again at the
/// next value. Whoever is still short after `impatience` gets all that is needed, and twice the cores if
/// work waits though by its load it need not.
///
/// Growth soon after a core has left primary shows that it was missed: the next ones must be unused for twice
/// as long, up to eight times, until one has not been missed for `decay`. (After sched_ext's scx_nest.)
class WarmCores {
public:
    /// How much work waits: `some` means that no core is given up, `much` counts as too small.
    enum class Strain { none, some, much };

    /// Begins with this many primary cores, all just used.
    void start(int primary, Time now);
    /// A new value: so many cores are needed.
    void update(Time now, int needed, Strain strain, const WarmRules& rules);
    /// Time has passed since the last value, which still holds.
    void pass(Time now, const WarmRules& rules);
    /// There are no values: nothing changes, and nothing becomes older, until there is one.
    void lose_sight();
    /// Other cores or another floor: keeps the size as far as it can; one that had all cores has all.
    void limit(Time now, const WarmRules& rules);

    [[nodiscard]] int primary() const { return primary_; }
    [[nodiscard]] int reserve() const { return warm() - primary_; }
    [[nodiscard]] int warm() const { return static_cast<int>(used_.size()); }
    /// When primary became larger last: what was measured before it says nothing of the present size.
    [[nodiscard]] Time grown_at() const { return grown_at_; }
    [[nodiscard]] bool is_short() const { return short_since_.has_value(); }
    /// When it is widened if it stays too small, and when the next core leaves primary if it is not needed;
    /// kNever if neither is to come.
    [[nodiscard]] Time widens_at(const WarmRules& rules) const {
        return short_since_ && !is_blind_ ? *short_since_ + rules.impatience : kNever;
    }
    [[nodiscard]] Time shrinks_at(const WarmRules& rules) const {
        return primary_ > kept(rules) && !is_blind_ ? last_use(primary_ - 1) + patience(rules) : kNever;
    }
    /// When pass() has something to do.
    [[nodiscard]] Time next_due(const WarmRules& rules) const;

private:
    void grow_to(int primary, Time now);
    void warm_up(int cores, Time now);
    void use(Time now);
    void cool(Time now, const WarmRules& rules);
    /// Primary cores that are in use or must be there.
    [[nodiscard]] int kept(const WarmRules& rules) const;
    [[nodiscard]] Duration patience(const WarmRules& rules) const { return rules.decay * decays_; }
    [[nodiscard]] Time& last_use(int core) { return used_[static_cast<std::size_t>(core)]; }
    [[nodiscard]] Time last_use(int core) const { return used_[static_cast<std::size_t>(core)]; }

    int primary_ = 0;
    std::vector<Time> used_; // of each warm core: when it was used last, or entered the reserve
    int needed_ = 0;
    int most_ = std::numeric_limits<int>::max(); // cores that there were
    Strain strain_ = Strain::none;
    std::optional<Time> short_since_;
    std::optional<Time> left_at_; // a core has left primary, and it is not sure yet that it is not missed
    Time grown_at_{};
    int decays_ = 1; // how many times `decay` is waited for
    bool is_blind_ = false;
};

} // namespace schedd::policies
