// The rules of time by which peers are judged, and the guards that keep this node from blaming others for
// what is wrong with itself. Nothing here keeps a clock or a table.
#pragma once

#include <cstddef>
#include <cstdint>

#include "components/membership/limits.h"

namespace schedd::membership::detector {

using kit::Duration;
using kit::Time;

/// Silence is counted in the periods that the silent one has announced.
constexpr Duration late_after(Duration period) { return period * 5 / 2; }
constexpr Duration suspect_after(Duration period) { return period * 7 / 2; }
constexpr Duration asks_others_after(Duration period) { return period * 9 / 2; }
constexpr Duration dead_after(Duration period) { return period * 11 / 2; }
/// Of heartbeats alone, while it answers: the group does not reach us from there.
constexpr Duration lease_after(Duration period) { return period * 6; }
/// With so many others late it is rather this node that hears badly.
constexpr Duration held_until(Duration period) {
    const Duration floor = std::chrono::seconds(30);
    return floor > dead_after(period) ? floor : dead_after(period);
}

/// One of the dead is asked so often: it may be back without having heard of us.
constexpr Duration kDeadPingEvery = std::chrono::seconds(10);

enum class Silence : std::uint8_t { none, late, suspect, dead };

struct Case {
    Duration silence{};   // since anything came from it
    Duration vouched{};   // since another said that it answers; as silence if nobody did
    Duration period{};    // its own
    bool is_held = false; // too many are late
    bool was_asked = false;
};
/// What the silence makes of it. Nobody is dead who has not been asked, or for whom another vouches.
Silence judge(const Case& one);
/// How long until judge() may say something else, if nothing is heard.
Duration until_next(const Case& one);

/// Whether so many late ones among so many that are there make the judge suspect.
constexpr bool is_isolated(std::size_t late, std::size_t there) { return late >= 2 && late * 4 >= there; }

/// Above the group's budget everybody slows down alike.
constexpr Duration stretched(Duration period, std::size_t nodes) {
    if (nodes <= limits::kGroupBudget) return period;
    return period * static_cast<Duration::rep>(nodes) / static_cast<Duration::rep>(limits::kGroupBudget);
}
/// As it is announced: tenths of a second, 1 to 255, rounded up.
std::uint8_t tenths_of(Duration period);
constexpr Duration of_tenths(std::uint8_t tenths) { return std::chrono::milliseconds(tenths * 100); }

/// What this node itself slept through: late turns of its loop, and a suspended machine.
class Lag {
public:
    /// At a turn of the loop that was wanted at `due`. How much all silences are too long by; zero mostly.
    Duration notice(Time now, Time due, Duration suspended, Duration period);

private:
    Duration suspended_{};
    bool has_suspended_ = false;
};

/// Nobody at all is heard: groups are joined anew after ten periods, then ever more rarely.
class Deaf {
public:
    /// `heard`: when anybody was heard last, or the start.
    bool is_due(Time now, Time heard, Duration period);
    [[nodiscard]] Time next(Time heard, Duration period) const;

private:
    Time tried_{};
    int tries_ = 0;
};

} // namespace schedd::membership::detector
