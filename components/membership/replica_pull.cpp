// Whom the replica asks, and when: another digest is noticed, and after a moment one of the two connects.
#include <algorithm>

#include <fmt/format.h>

#include "components/membership/replica_impl.h"

namespace schedd::membership {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSpread = 200'000'000; // ns: all who notice at once do not connect at once
constexpr Duration kTheirTurn = 2s;            // whoever is behind asks; the other only if it does not
constexpr Duration kLately = 3s;               // heard within
constexpr Duration kFirstRetry = 500ms;        // doubled with each failure
constexpr Duration kLastRetry = 30s;           //
constexpr Duration kKeepAgain = 10s;           // what a full disk has refused
constexpr Duration kSyncLost = 60s;            // its end was not told
constexpr Duration kBeforeForgetting = 1h;     // after the start: who is away is not known yet
constexpr double kBurst = 3;                   // connections, then one a second
constexpr std::uint64_t kHourMs = 3'600'000;

std::uint64_t mixed(std::uint64_t z) { return Rng(z).next(); }

} // namespace

void Replica::Impl::become_complete(std::string_view why) {
    if (is_complete) return;
    is_complete = true;
    world.log.write(Severity::info, "nodes",
                    fmt::format("the configuration is complete: {}, {} entries, digest {}", why, store.size(),
                                short_text(store.digest())));
}

// ---- hearing ----------------------------------------------------------------------------------------------

void Replica::Impl::heard(const Message& message, const Address& address, Time now) {
    const auto uid = message.header.sender;
    if (uid == self) return;
    if (!peers.contains(uid) && peers.size() >= limits::kPeers) {
        const auto lost = std::ranges::find_if(peers, [](const auto& p) { return p.second.is_lost; });
        if (lost == peers.end()) return;
        peers.erase(lost);
    }
    if (!first_heard) first_heard = now;
    auto& peer = peers[uid];
    if (peer.is_lost) {
        const auto common = peer.common_wall_ms;
        peer = Peer();
        peer.common_wall_ms = common;
    }
    peer.address = address;
    peer.digest = message.core.digest;
    peer.latest = message.core.latest;
    peer.is_joining = message.core.state == Announced::joining;
    peer.heard = now;
    if (message.core.state == Announced::leaving) {
        peer.due = kNever;
        return;
    }
    if (peer.digest == store.digest()) {
        peer.common_wall_ms = world.clocks.wall_ms();
        peer.due = kNever;
        peer.failures = 0;
        // asked first: this is each heartbeat's way, and the sentence costs more than the rest of it
        if (!is_complete && !peer.is_joining) become_complete("it is that of " + text_of(uid));
        return;
    }
    plan(uid, peer, message, now);
}

void Replica::Impl::plan(NodeUid uid, Peer& peer, const Message& message, Time now) {
    if (peer.settled && *peer.settled == std::pair(peer.digest, store.digest())) {
        // nothing more to be had; if all that differs is kept apart, this node is as complete as can be
        if (!is_complete && !peer.is_joining) become_complete("nothing more is to be had of " + text_of(uid));
        return;
    }
    if (message.header.type == Type::join && is_complete && is_elected_for(uid, now)) peer.due = now;
    // one draw for all peers: with one for each, the smallest of hundreds would be no pause at all
    if (pull_at <= now) pull_at = now + Duration(world.rng.below(kSpread));
    const bool is_behind = peer.latest >= store.latest() || (!is_complete && !peer.is_joining);
    if (peer.due == kNever) peer.due = is_behind ? pull_at : pull_at + kTheirTurn;
    else if (is_behind && peer.failures == 0) peer.due = std::min(peer.due, pull_at);
    wake_at(peer.due);
}

/// Who saves a newcomer without anything the wait: one of those who have something, and all agree on whom.
bool Replica::Impl::is_elected_for(NodeUid joiner, Time now) const {
    if (store.size() == 0) return false;
    const auto rank = [&](NodeUid uid) {
        return mixed(static_cast<std::uint64_t>(uid) ^ mixed(static_cast<std::uint64_t>(joiner)));
    };
    const auto own = rank(self);
    return std::ranges::none_of(peers, [&](const auto& entry) {
        const auto& [uid, peer] = entry;
        const bool is_candidate =
            uid != joiner && !peer.is_joining && !peer.is_lost && now - peer.heard < kLately;
        return is_candidate && rank(uid) > own;
    });
}

// ---- asking -----------------------------------------------------------------------------------------------

void Replica::Impl::connect_due(Time now) {
    if (out && now - out->since > kSyncLost) failed(out->peer, now);
    if (now < next_due) return;
    next_due = kNever;
    tokens = std::min(kBurst, tokens + std::chrono::duration<double>(now - tokens_at).count());
    tokens_at = now;
    std::optional<NodeUid> who;
    for (auto& [uid, peer] : peers) {
        if (peer.due == kNever) continue;
        if (peer.digest == store.digest()) peer.due = kNever;
        else if (peer.due > now) wake_at(peer.due);
        else if (!who || peer.latest > peers[*who].latest) who = uid;
    }
    if (!who) return;
    if (out || tokens < 1) { // one at a time, one a second
        wake_at(now + 100ms);
        return;
    }
    tokens -= 1;
    peers[*who].due = kNever;
    out = {*who, now};
    wake_at(now + 100ms); // others may be due
    world.wires.connect(*who, peers[*who].address);
}

void Replica::Impl::failed(NodeUid uid, Time now) {
    if (out && out->peer == uid) out.reset();
    const auto it = peers.find(uid);
    if (it != peers.end() && !it->second.is_lost) {
        auto& peer = it->second;
        const auto pause = std::min(kLastRetry, kFirstRetry * (1U << std::min(peer.failures, 6U)));
        ++peer.failures;
        peer.due = now + pause + Duration(world.rng.below(kSpread));
        wake_at(peer.due);
    }
    try_another(uid, now);
}

void Replica::Impl::try_another(NodeUid except, Time now) {
    std::vector<Peer*> candidates;
    for (auto& [uid, peer] : peers) {
        const bool is_settled = peer.settled && *peer.settled == std::pair(peer.digest, store.digest());
        if (uid != except && !peer.is_lost && peer.failures == 0 && now - peer.heard < kLately &&
            !(peer.digest == store.digest()) && !is_settled && peer.latest >= store.latest())
            candidates.push_back(&peer);
    }
    if (candidates.empty()) return;
    auto& peer = *candidates[world.rng.below(candidates.size())];
    peer.due = std::min(peer.due, now + Duration(world.rng.below(kSpread)));
    wake_at(peer.due);
}

// ---- from time to time ------------------------------------------------------------------------------------

bool Replica::Impl::are_all_new(Time now) const {
    if (!first_heard || now - *first_heard < kLately) return false;
    return std::ranges::all_of(peers, [&](const auto& entry) {
        const auto& peer = entry.second;
        if (peer.is_lost || now - peer.heard > kLately) return true;
        return peer.is_joining && peer.digest == store.digest();
    });
}

/// Whole hours, so that all nodes forget the same tombstones at the same time.
void Replica::Impl::forget_tombstones(Time now) {
    const auto wall_ms = world.clocks.wall_ms();
    if (hour == wall_ms / kHourMs) return;
    hour = wall_ms / kHourMs;
    const auto week_ms = static_cast<std::uint64_t>(milliseconds_of(limits::kRemembered));
    if (!is_complete || now - *started < kBeforeForgetting || wall_ms < week_ms) return;
    std::erase_if(peers, [&](const auto& entry) {
        return entry.second.is_lost && now - entry.second.heard > limits::kRemembered;
    });
    auto older_than = hour * kHourMs - week_ms;
    for (const auto& [uid, peer] : peers) {
        if (!peer.is_lost && !(peer.digest == store.digest())) return;
        if (peer.is_lost) older_than = std::min(older_than, peer.common_wall_ms);
    }
    const auto count = store.forget_tombstones(older_than);
    if (count == 0) return;
    told_generation = store.generation(); // nothing to carry out
    world.log.write(Severity::info, "nodes",
                    fmt::format("{} removals of more than a week ago are forgotten", count));
    keep_all();
}

void Replica::Impl::keep_house(Time now) {
    if (now < next_house) return;
    if (!started) started = now;
    next_house = now + (!is_complete || !store.quarantined().empty() ? 1s : is_unkept ? kKeepAgain : 60s);
    if (is_unkept && now >= keep_again) {
        keep_again = now + kKeepAgain;
        keep_all();
    }
    if (!store.quarantined().empty()) {
        merged(store.release_quarantined(), "quarantine");
        if (store.quarantined().empty() && !is_unkept) say({}, Severity::info);
    }
    if (!is_complete && are_all_new(now)) become_complete("all others are new as well");
    forget_tombstones(now);
}

// ---- the replica ------------------------------------------------------------------------------------------

Time Replica::tick(Time now) {
    impl_->keep_house(now);
    impl_->tell_changes();
    impl_->connect_due(now);
    return std::min(impl_->next_due, impl_->next_house);
}

void Replica::heard(const Message& message, const Address& address, Time now) {
    impl_->heard(message, address, now);
}

void Replica::sync_ended(std::optional<NodeUid> peer, bool is_complete, Time now) {
    if (!peer) return; // it was asked by the other
    if (!is_complete) {
        impl_->failed(*peer, now);
        return;
    }
    if (impl_->out && impl_->out->peer == *peer) impl_->out.reset();
    if (const auto it = impl_->peers.find(*peer); it != impl_->peers.end()) it->second.failures = 0;
    impl_->wake_at(now);
}

void Replica::alone(Time /*now*/) { impl_->become_complete("nobody else is there"); }

void Replica::lost(NodeUid peer, Time now) {
    const auto it = impl_->peers.find(peer);
    if (it == impl_->peers.end()) return;
    it->second.is_lost = true;
    it->second.due = kNever;
    if (impl_->out && impl_->out->peer == peer) impl_->failed(peer, now);
}

} // namespace schedd::membership
