// Complaints: one line per source address and ten minutes, whatever comes from there, and who is not taken.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include "components/membership/ids.h"
#include "components/membership/wire.h"

namespace schedd::membership {

/// Somebody whose datagrams are not taken.
struct Stranger {
    Address from;
    wire::Drop why{};
    std::uint64_t datagrams = 0;
    Time last{};
};

class Complaints {
public:
    static constexpr Duration kPause = std::chrono::minutes(10);
    static constexpr std::size_t kSources = 256; // addresses are easily made up: beyond, nothing is said
    /// Whether to say something about what came from there; the port does not matter. With the reason it is
    /// also one of the strangers, until nothing has come for ten minutes.
    bool may_say(const Address& from, Time now, std::optional<wire::Drop> why = {}) {
        std::erase_if(told_, [&](const Told& one) { return one.who.last + kPause <= now; });
        const auto at =
            std::ranges::find_if(told_, [&](const Told& one) { return one.who.from.ip == from.ip; });
        if (at == told_.end()) {
            if (told_.size() >= kSources) return false;
            told_.push_back({{from, why.value_or(wire::Drop{}), 1, now}, now + kPause, why.has_value()});
            return true;
        }
        if (why) {
            at->who.why = *why;
            at->is_stranger = true;
        }
        ++at->who.datagrams;
        at->who.last = now;
        if (now < at->silent_until) return false;
        at->silent_until = now + kPause;
        return true;
    }
    /// The latest first.
    [[nodiscard]] std::vector<Stranger> strangers(Time now) const {
        std::vector<Stranger> all;
        for (const auto& one : told_)
            if (one.is_stranger && now < one.who.last + kPause) all.push_back(one.who);
        std::ranges::sort(all, std::ranges::greater{}, &Stranger::last);
        return all;
    }

private:
    struct Told {
        Stranger who;
        Time silent_until{};
        bool is_stranger = false;
    };
    std::vector<Told> told_;
};

} // namespace schedd::membership
