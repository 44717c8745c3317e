// Node numbers, by rules that every node applies alike.
#include "components/membership/numbers.h"

#include <vector>

namespace schedd::membership::numbers {

namespace {
constexpr NodeId kLast = 65'535;
} // namespace

bool keeps(const Claim& a, const Claim& b) {
    if (a.is_wanted != b.is_wanted) return a.is_wanted;
    return a.uid < b.uid;
}

namespace {

/// Makes `peer` the one that keeps its number, unless `best` does.
void contest(const Peer*& best, const Peer& peer) {
    if (is_there(peer.level) &&
        (!best || keeps({peer.uid, peer.is_number_wanted}, {best->uid, best->is_number_wanted})))
        best = &peer;
}

} // namespace

const Peer* holder(const Peers& peers, NodeId number) {
    const Peer* best = nullptr;
    for (const auto& peer : peers)
        if (peer.number == number) contest(best, peer);
    return best;
}

std::unordered_map<NodeId, const Peer*> holders(const Peers& peers) {
    std::unordered_map<NodeId, const Peer*> all;
    all.reserve(peers.size());
    for (const auto& peer : peers)
        if (peer.number >= 0) contest(all[peer.number], peer);
    return all;
}

bool is_taken(const Peers& peers, NodeId number) {
    for (const auto& peer : peers)
        if (peer.number == number) return true;
    return false;
}

NodeId choose(const Peers& peers, NodeUid self, std::optional<NodeId> last) {
    if (last && *last >= 0 && *last <= kLast && !is_taken(peers, *last)) return *last;
    std::vector<bool> taken(peers.size() + 1 + peers.size(), false);
    std::size_t before = 0;
    for (const auto& peer : peers) {
        const auto number = static_cast<std::size_t>(peer.number);
        if (peer.number >= 0 && number < taken.size()) taken[number] = true;
        if (peer.number < 0 && is_there(peer.level) && peer.uid < self) ++before;
    }
    // there are more places than peers and those that go first together: one is free
    std::size_t number = 0;
    for (;; ++number)
        if (number >= taken.size() || (!taken[number] && before-- == 0)) break;
    return number <= static_cast<std::size_t>(kLast) ? static_cast<NodeId>(number) : -1;
}

} // namespace schedd::membership::numbers
