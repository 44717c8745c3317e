// Challenges: lives that are not believed before they have answered a nonce - of a lower counter than the one
// that is known, with a clock far off, or under this node's own identity.
#pragma once

#include <chrono>
#include <vector>

#include "components/membership/ids.h"

namespace schedd::membership {

class Challenges {
public:
    static constexpr Duration kPatience = std::chrono::seconds(2);
    static constexpr std::size_t kAtOnce = 256;
    /// Whether to ask now, with `nonce`: not while an answer may still come, nor too many at once.
    bool begin(NodeUid uid, const Boot& boot, std::uint64_t nonce, Time now) {
        std::erase_if(open_, [&](const Open& one) { return one.until <= now; });
        for (const auto& one : open_)
            if (one.uid == uid && one.boot == boot) return false;
        if (open_.size() >= kAtOnce) return false;
        open_.push_back({uid, boot, nonce, now + kPatience});
        return true;
    }
    /// Whether this is the answer; it counts once.
    bool answers(NodeUid uid, const Boot& boot, std::uint64_t nonce, Time now) {
        for (auto at = open_.begin(); at != open_.end(); ++at)
            if (at->uid == uid && at->boot == boot && at->nonce == nonce && at->until > now) {
                open_.erase(at);
                return true;
            }
        return false;
    }

private:
    struct Open {
        NodeUid uid{};
        Boot boot;
        std::uint64_t nonce = 0;
        Time until{};
    };
    std::vector<Open> open_;
};

} // namespace schedd::membership
