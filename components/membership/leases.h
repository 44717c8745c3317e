// Leases: peers whom the group does not reach, and who get copies of the heartbeats to themselves for a
// while.
#pragma once

#include <chrono>
#include <vector>

#include "components/membership/ids.h"
#include "components/membership/limits.h"

namespace schedd::membership {

class Leases {
public:
    static constexpr Duration kTerm = std::chrono::seconds(60);
    /// Longer by a term from now on. False if there are too many already.
    bool grant(NodeUid to, const Address& at, Time now) {
        drop_old(now);
        for (auto& lease : leases_)
            if (lease.to == to) {
                lease.until = now + kTerm;
                lease.at = at;
                return true;
            }
        if (leases_.size() >= limits::kLeases) return false;
        leases_.push_back({to, at, now + kTerm});
        return true;
    }
    template <class Visit> void each(Time now, const Visit& visit) {
        drop_old(now);
        for (const auto& lease : leases_) visit(lease.to, lease.at);
    }
    void end(NodeUid to) {
        std::erase_if(leases_, [&](const Lease& lease) { return lease.to == to; });
    }
    [[nodiscard]] std::size_t size() const { return leases_.size(); }

private:
    struct Lease {
        NodeUid to{};
        Address at;
        Time until{};
    };
    void drop_old(Time now) {
        std::erase_if(leases_, [&](const Lease& lease) { return lease.until <= now; });
    }
    std::vector<Lease> leases_;
};

} // namespace schedd::membership
