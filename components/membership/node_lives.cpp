// Which life of a peer is believed: its first, a later one, one that has answered a nonce; and what to do
// about machines that share an identity.
#include <algorithm>

#include <fmt/format.h>

#include "components/membership/node_impl.h"

namespace schedd::membership {

using wire::Drop;

namespace {
constexpr Duration kRivalTerm = std::chrono::seconds(60);
constexpr std::size_t kRivals = 16;
} // namespace

bool Node::Impl::is_fresh(const Core& core) const {
    if (settings_.is_replay_monotonic) return true;
    const auto wall = world_.clocks.wall_ms();
    const auto apart = wall > core.wall_ms ? wall - core.wall_ms : core.wall_ms - wall;
    return apart <= limits::kFreshnessMs;
}

/// Asks where it came from for an answer that nobody can have recorded.
void Node::Impl::challenge(const Heard& heard, std::string_view why) {
    const auto& header = heard.message.header;
    if (!asking_.take(heard.now, probe_pace(), 64)) return;
    const auto nonce = world_.rng.next();
    if (!challenges_.begin(header.sender, heard.message.core.boot, nonce, heard.now)) return;
    if (complaints_.may_say(heard.arrival.from, heard.now))
        say(Severity::notice, text_of(header.sender),
            fmt::format("datagrams from {} {}; asked for an answer before anything is believed",
                        text_of(heard.arrival.from), why));
    ping(heard.arrival.from, nonce);
}

/// Something of another life than the one that is known, or of somebody unknown. False if it is not believed.
bool Node::Impl::hear_life(Peer* peer, const Heard& heard, bool is_proven) {
    if (hear_rival(peer, heard, is_proven)) return false;
    if (!is_proven && !is_believed(peer, heard)) return false;
    peer = adopt(peer, heard);
    if (!peer) return false;
    if (!is_fresh(heard.message.core)) hear_skewed(*peer, heard);
    else hear(*peer, {heard.arrival, heard.message, heard.now, true});
    return true;
}

/// Whether it is taken as it is; if it may be true all the same, its sender is asked.
bool Node::Impl::is_believed(const Peer* peer, const Heard& heard) {
    const auto& core = heard.message.core;
    if (heard.message.header.type == Type::leave) {
        drop(Drop::replay); // nobody to go
    } else if (!is_fresh(core)) {
        drop(Drop::skew);
        challenge(heard, "carry a clock that is too far off");
    } else if (peer && peer->life.judge(core.boot, core.seq) != Life::Verdict::reborn) {
        drop(Drop::replay);
        challenge(heard, "are of an earlier life of their sender");
    } else if (settings_.is_replay_monotonic) {
        // without a common clock an old life that was never heard here looks like a new one
        challenge(heard, "are of an unknown life");
    } else return true;
    return false;
}

/// True if it was of a machine that shares a peer's identity and has not kept it.
bool Node::Impl::hear_rival(const Peer* peer, const Heard& heard, bool is_proven) {
    const auto& core = heard.message.core;
    const auto uid = heard.message.header.sender;
    std::erase_if(rivals_, [&](const Rival& one) { return one.until <= heard.now; });
    for (auto& rival : rivals_) {
        if (rival.uid != uid || rival.life.boot() != core.boot) continue;
        const bool is_alone = !peer || !is_there(peer->level);
        if (is_proven && is_alone) {
            rival.until = heard.now; // it is the only one left
            return false;
        }
        if (rival.life.judge(core.boot, core.seq) == Life::Verdict::fresh) {
            rival.life.take(core.boot, core.seq);
            rival.until = heard.now + kRivalTerm;
            rival.at = heard.arrival.from;
            if (is_alone) challenge(heard, "are of a second machine with this identity");
            // what was under way when it ended is no second machine yet
            else if (!rival.is_seen && heard.now > rival.since + std::chrono::seconds(1)) {
                rival.is_seen = true;
                say(Severity::warning, text_of(uid),
                    fmt::format("two machines have the identity {}: {} and {}; the second is ignored. Each "
                                "needs a machine-id of its own",
                                text_of(uid), text_of(peer->addresses[0]), text_of(rival.at)));
            }
        }
        drop(Drop::replay);
        return true;
    }
    // If both are alive the lower one keeps the identity.
    const bool is_live = peer && is_there(peer->level) && heard.now - peer->heard < peer->pace() * 3 / 2;
    if (!is_proven || !is_live || core.boot > peer->life.boot()) return false;
    if (rivals_.size() < kRivals)
        rivals_.push_back({uid, peer->life, peer->addresses[0], heard.now, heard.now + kRivalTerm, false});
    return false;
}

/// A record for a life that is believed from now on.
Peer* Node::Impl::adopt(Peer* peer, const Heard& heard) {
    const auto& message = heard.message;
    const auto uid = message.header.sender;
    if (peer) {
        values_.forget(uid);
        leases_.end(uid);
    } else {
        std::optional<NodeUid> evicted;
        peer = peers_.add(uid, evicted);
        if (evicted) forget(*evicted);
        if (!peer) {
            drop(Drop::full);
            if (complaints_.may_say(heard.arrival.from, heard.now))
                say(Severity::warning, text_of(heard.arrival.from),
                    fmt::format("no room for more than {} peers", settings_.max_peers));
            return nullptr;
        }
        peer->level = Level::left; // until what it says has been read
        peer->since = heard.now;
    }
    peer->life.take(message.core.boot, message.core.seq);
    peer->incarnation = message.core.incarnation;
    peer->beat = {};
    peer->answered = {};
    peer->loss = 0;
    peer->is_unicast = false;
    peer->set_trouble({});
    peer->applied.reset();
    return peer;
}

/// Of a life that is believed, with a clock that is too far off: shown, and nothing else is taken from it.
void Node::Impl::hear_skewed(Peer& peer, const Heard& heard) {
    const auto before = peer.standing();
    const auto apart = static_cast<std::int64_t>(world_.clocks.wall_ms() - heard.message.core.wall_ms);
    peer.heard = heard.now;
    peer.offset_ms = static_cast<std::int32_t>(std::clamp<std::int64_t>(apart, INT32_MIN, INT32_MAX));
    peer.heard_at(heard.arrival.from);
    if (!heard.message.name.empty()) peer.set_name(heard.message.name);
    values_.forget(peer.uid);
    set_level(peer, Level::skewed, before);
    scan_at_ = std::min(scan_at_, heard.now + kRivalTerm);
    hurry(scan_at_);
}

/// A member with another major version, whose words cannot be read.
void Node::Impl::hear_incompatible(const Arrival& arrival, const Header& header) {
    const auto at = now();
    auto* peer = peers_.find(header.sender);
    if (peer && is_there(peer->level)) return; // an old datagram can be sent again by anybody
    if (complaints_.may_say(arrival.from, at, wire::Drop::major))
        say(Severity::warning, text_of(arrival.from),
            fmt::format("speaks version {} of the protocol, this node {}", header.major, wire::kMajor));
    if (header.sender == settings_.uid || header.sender == kNobody)
        return; // a copy of this machine is no peer
    if (!peer) {
        if (peers_.size() >= settings_.max_peers) return; // it is counted as of another version
        std::optional<NodeUid> evicted;
        peer = peers_.add(header.sender, evicted);
        if (!peer) return;
        peer->level = Level::left;
        peer->since = at;
    }
    const auto before = peer->standing();
    peer->heard = at;
    peer->heard_at(arrival.from);
    set_level(*peer, Level::incompatible, before);
    scan_at_ = std::min(scan_at_, at + kRivalTerm);
    hurry(scan_at_);
}

/// Under our own identity: an echo, our own earlier life, or a copy of this machine.
void Node::Impl::hear_self(const Heard& heard) {
    const auto& message = heard.message;
    if (message.core.boot == boot_) {
        drop(Drop::self);
        if (message.core.seq <= seq_ || is_displaced_) return;
        // a copy with the same memory: from now on we are different, and then the lower one keeps
        boot_.random = static_cast<std::uint32_t>(world_.rng.next());
        for (const auto byte : heard.arrival.from.ip) boot_.random = boot_.random * 31 + byte;
        say(Severity::warning, settings_.name, "a copy of this machine is running, with the same life");
        return beat_soon();
    }
    if (message.header.type == Type::ping) return answer(nullptr, heard);
    const bool is_answer = message.header.type == Type::ack && message.nonce &&
                           challenges_.answers(settings_.uid, message.core.boot, *message.nonce, heard.now);
    drop(Drop::self);
    if (!is_answer) return challenge(heard, "carry this node's own identity");
    if (message.core.boot < boot_) {
        is_displaced_ = true;
        const auto before = state_;
        state_ = Announced::leaving;
        for (auto& peer : peers_) { // nothing is heard of them from now on
            if (!is_there(peer.level)) continue;
            const auto was = peer.standing();
            values_.forget(peer.uid);
            set_level(peer, Level::left, was);
        }
        say(Severity::error, settings_.name,
            fmt::format("{} has the identity of this node, {}, and keeps it; this node stays away. Each "
                        "machine needs a machine-id of its own",
                        text_of(heard.arrival.from), text_of(settings_.uid)));
        if (listener_) {
            listener_->self_changed(state_, before);
            listener_->displaced(heard.arrival.from);
        }
        return;
    }
    Life life;
    life.take(message.core.boot, message.core.seq);
    for (auto& rival : rivals_)
        if (rival.uid == settings_.uid && rival.life.boot() == message.core.boot) {
            rival.until = heard.now + kRivalTerm;
            return;
        }
    if (rivals_.size() < kRivals)
        rivals_.push_back({settings_.uid, life, heard.arrival.from, heard.now, heard.now + kRivalTerm, true});
    say(Severity::error, settings_.name,
        fmt::format("{} has the identity of this node, {}, and is told to stay away",
                    text_of(heard.arrival.from), text_of(settings_.uid)));
}

} // namespace schedd::membership
