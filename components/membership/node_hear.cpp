// What a node hears: from bytes to what is known of a peer.
#include <algorithm>

#include <fmt/format.h>

#include "components/membership/node_impl.h"
#include "components/membership/numbers.h"

namespace schedd::membership {

using wire::Drop;

namespace {
/// Of datagrams that cannot be opened: two a second for each peer that there may be. In nanoseconds before it
/// is divided: whole seconds would make it none.
Duration failure_pace(std::size_t max_peers) {
    return Duration(std::chrono::seconds(1)) / static_cast<Duration::rep>(2 * max_peers);
}
} // namespace

void Node::Impl::received(const Arrival& arrival, Bytes datagram) {
    if (!may_open(arrival, datagram)) return drop(Drop::rate);
    const auto message = envelope_.open(datagram);
    if (!message) return refused(arrival, datagram, message.error());
    accept(arrival, *message, datagram.size());
}

/// When too many could not be opened of late, only what seems to come from a peer is tried.
bool Node::Impl::may_open(const Arrival& arrival, Bytes datagram) {
    const auto each = failure_pace(settings_.max_peers);
    if (!failures_.is_empty(now(), each, static_cast<int>(2 * settings_.max_peers))) return true;
    const auto header = wire::read_header(datagram);
    if (!header) return false;
    const auto* peer = peers_.find(header->sender);
    if (!peer) return false;
    const auto known = std::span(peer->addresses).first(peer->address_count);
    return std::ranges::any_of(known, [&](const Address& one) { return one.ip == arrival.from.ip; });
}

void Node::Impl::refused(const Arrival& arrival, Bytes datagram, Drop reason) {
    const auto at = now();
    const auto each = failure_pace(settings_.max_peers);
    std::string_view why;
    switch (reason) {
    case Drop::major: return hear_incompatible(arrival, envelope_.header());
    case Drop::forged:
        (void)failures_.take(at, each, static_cast<int>(2 * settings_.max_peers));
        why = "are sealed with another key than ours of the same number, or damaged";
        break;
    case Drop::cluster: why = "are of another cluster"; break;
    case Drop::key: why = "are sealed with a key that is not in the ring"; break;
    case Drop::malformed: why = "are of a member and cannot be read"; break;
    default: return; // noise that any port gets
    }
    if (complaints_.may_say(arrival.from, at, reason))
        say(Severity::warning, text_of(arrival.from),
            fmt::format("datagrams of {} bytes and others {}; they are dropped and counted", datagram.size(),
                        why));
}

void Node::Impl::accept(const Arrival& arrival, const Message& message, std::size_t size) {
    if (is_displaced_) return;
    ++counts_.received;
    counts_.received_bytes += size;
    const auto& header = message.header;
    const auto& core = message.core;
    Heard heard{arrival, message, now()};
    if (header.sender == settings_.uid) return hear_self(heard);
    auto* peer = peers_.find(header.sender);
    const bool is_proven = header.type == Type::ack && message.nonce && message.target == kNobody &&
                           challenges_.answers(header.sender, core.boot, *message.nonce, heard.now);
    // Whoever has the key gets an answer: a clock that is far off can only be told by it.
    if (!peer || peer->life.boot() != core.boot || peer->level == Level::incompatible) {
        if (!hear_life(peer, heard, is_proven) && header.type == Type::ping) answer(nullptr, heard);
        return;
    }
    if (peer->life.judge(core.boot, core.seq) != Life::Verdict::fresh) return drop(Drop::replay);
    heard.is_newest = core.seq > peer->life.mark();
    if (!is_proven && !is_fresh(core)) {
        drop(Drop::skew);
        if (header.type == Type::ping) answer(peer, heard);
        return heard.is_newest ? challenge(heard, "carry a clock that is too far off") : void();
    }
    peer->life.take(core.boot, core.seq);
    if (is_fresh(core)) hear(*peer, heard);
    else hear_skewed(*peer, heard);
}

/// It is believed, and new. What was overtaken on the way is no sign of life: it may have been sent again.
void Node::Impl::hear(Peer& peer, const Heard& heard) {
    const auto& message = heard.message;
    const auto type = message.header.type;
    const auto uid = peer.uid;
    heard_any_ = heard.now;
    if (heard.is_newest) take_core(peer, heard);
    if (type == Type::leave) return;
    if (!message.suspicions.empty()) defend(message);
    if (type == Type::ping) answer(&peer, heard);
    else if (type == Type::ack) take_ack(heard);
    else if (type == Type::ping_request) relay(heard);
    else if (type == Type::conf_delta && !message.delta.empty())
        world_.configuration.delta(message, heard.now);
    else if ((type == Type::heartbeat || type == Type::join) && heard.is_newest) {
        if (type == Type::join) welcome(peer, heard);
        world_.configuration.heard(message, heard.arrival.from, heard.now);
        if (listener_ && !message.loads.empty()) listener_->peer_told(uid);
    }
}

/// What it says of itself, and that it is there.
void Node::Impl::take_core(Peer& peer, const Heard& heard) {
    const auto& message = heard.message;
    const auto& core = message.core;
    const auto type = message.header.type;
    const auto before = peer.standing();
    const bool was_suspect = peer.level == Level::suspect;
    const bool is_leaving = type == Type::leave || core.state == Announced::leaving;
    const auto wall = world_.clocks.wall_ms();
    const auto apart = static_cast<std::int64_t>(wall - core.wall_ms);
    peer.offset_ms = static_cast<std::int32_t>(std::clamp<std::int64_t>(apart, INT32_MIN, INT32_MAX));
    peer.heard = heard.now;
    peer.heard_wall_ms = wall;
    peer.heard_at(heard.arrival.from);
    peer.announced = core.state;
    peer.incarnation = core.incarnation;
    peer.digest = core.digest;
    peer.minor_min = core.minor_min;
    peer.minor_max = core.minor_max;
    if (!is_leaving && core.state != Announced::joining) hears_members_ = true;
    if (type == Type::heartbeat || type == Type::join) take_beat(peer, heard);
    if (was_suspect && !is_leaving) ++counts_.refuted;
    peer.asked = 0;
    if (!is_leaving && !is_there(peer.level)) {
        // its silence is watched from now on
        scan_at_ = std::min(scan_at_, heard.now + detector::late_after(peer.pace()));
        hurry(scan_at_);
    }
    if (peer.beat == Time{}) peer.beat = heard.now; // none so far, and not to be missed yet
    set_level(peer, is_leaving ? Level::left : Level::present, before);
}

void Node::Impl::take_beat(Peer& peer, const Heard& heard) {
    const auto& message = heard.message;
    if (peer.period != message.core.period) {
        peer.period = message.core.period;
        scan_at_ = std::min(scan_at_, heard.now + detector::late_after(peer.pace()));
        hurry(scan_at_);
    }
    peer.count_beat(heard.now);
    if (heard.arrival.is_group) peer.is_unicast = false;
    if (!message.name.empty() && message.name != peer.name()) peer.set_name(message.name);
    if (message.features != 0) peer.features = message.features;
    if (message.ring != 0) peer.ring = message.ring;
    peer.told(message.addresses);
    if (message.applied) {
        peer.applied = message.applied;
        peer.set_trouble(message.trouble);
    }
    if (message.number) {
        peer.is_number_wanted = (message.header.flags & flags::kNumberWanted) != 0;
        peer.number = *message.number;
        if (peer.number >= 0 && number_ == peer.number) resolve_number(peer);
    }
    if (message.core.state != Announced::leaving) // who goes has none
        values_.take(peer.uid, message, peer.pace(), heard.now);
}

} // namespace schedd::membership
