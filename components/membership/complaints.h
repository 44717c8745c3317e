// Complaints: one line per source address and ten minutes, whatever comes from there.
#pragma once

#include <chrono>
#include <vector>

#include "components/membership/ids.h"

namespace schedd::membership {

class Complaints {
public:
    static constexpr Duration kPause = std::chrono::minutes(10);
    static constexpr std::size_t kSources = 256; // addresses are easily made up: beyond, nothing is said
    /// Whether to say something about what came from there; the port does not matter.
    bool may_say(const Address& from, Time now) {
        std::erase_if(told_, [&](const Told& one) { return one.until <= now; });
        for (const auto& one : told_)
            if (one.ip == from.ip) return false;
        if (told_.size() >= kSources) return false;
        told_.push_back({from.ip, now + kPause});
        return true;
    }

private:
    struct Told {
        std::array<std::uint8_t, 16> ip{};
        Time until{};
    };
    std::vector<Told> told_;
};

} // namespace schedd::membership
