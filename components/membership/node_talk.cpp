// Talk between two: pings and their answers, requests to ping a third, accusations, newcomers, numbers that
// two have.
#include <algorithm>

#include <fmt/format.h>

#include "components/membership/node_impl.h"
#include "components/membership/numbers.h"

namespace schedd::membership {

namespace {
constexpr Duration kReplyEach = std::chrono::milliseconds(200);
constexpr Duration kStrangerEach = std::chrono::milliseconds(5);
constexpr Duration kRelayEach = std::chrono::milliseconds(50);
constexpr Duration kRelayTerm = std::chrono::seconds(2);
constexpr std::size_t kRelays = 64;

std::uint64_t weight_of(NodeUid node, NodeUid joiner, const Boot& boot) {
    const auto seed = static_cast<std::uint64_t>(node) * 0x9e3779b97f4a7c15ULL ^
                      static_cast<std::uint64_t>(joiner) ^ (std::uint64_t{boot.random} << 32U);
    return Rng(seed).next();
}
} // namespace

void Node::Impl::answer(Peer* peer, const Heard& heard) {
    const auto& message = heard.message;
    const bool may =
        peer ? peer->replies.take(heard.now, kReplyEach, 5) : strangers_.take(heard.now, kStrangerEach, 200);
    if (!may || !message.nonce || is_gone()) return;
    auto reply = draft(Type::ack);
    reply.nonce = message.nonce;
    to(heard.arrival.from, sealed(reply));
    if (peer && (message.header.flags & flags::kLease) != 0)
        (void)leases_.grant(peer->uid, heard.arrival.from, heard.now);
}

void Node::Impl::take_ack(const Heard& heard) {
    const auto& message = heard.message;
    if (message.target != kNobody) {
        auto* accused = peers_.find(message.target);
        if (accused && accused->level == Level::suspect && accused->nonce == message.nonce) {
            accused->vouched = heard.now;
            if (accused->asked < UINT8_MAX) ++accused->asked;
        }
        return;
    }
    auto* peer = peers_.find(message.header.sender);
    if (peer && heard.is_newest && peer->answered <= peer->beat) peer->answered = heard.now;
    if (peer && !peer->is_unicast && peer->is_mute(heard.now)) {
        peer->is_unicast = true;
        peer->probe = heard.now;
        hurry(scan_at_ = std::min(scan_at_, heard.now));
    }
    for (auto at = relays_.begin(); at != relays_.end(); ++at) {
        if (at->nonce != message.nonce || at->target != message.header.sender) continue;
        auto reply = draft(Type::ack);
        reply.nonce = message.nonce;
        reply.target = at->target;
        to(at->requester, sealed(reply));
        relays_.erase(at);
        return;
    }
}

/// Pings a third node for one that does not hear it.
void Node::Impl::relay(const Heard& heard) {
    const auto& message = heard.message;
    if (!message.nonce || message.target == settings_.uid) return;
    const auto* target = peers_.find(message.target);
    if (!target || target->address_count == 0) return;
    std::erase_if(relays_, [&](const Relay& one) { return one.until <= heard.now; });
    if (relays_.size() >= kRelays || !relaying_.take(heard.now, kRelayEach, 20)) return;
    relays_.push_back({*message.nonce, message.target, heard.arrival.from, heard.now + kRelayTerm});
    ping(target->addresses[0], *message.nonce);
}

/// Somebody does not hear this node: it says at once, to all, that it is there.
void Node::Impl::defend(const Message& message) {
    bool is_accused = false;
    message.suspicions.each([&](const Suspicion& one) {
        if (one.accused != settings_.uid || one.boot != boot_ || one.incarnation < incarnation_) return;
        incarnation_ = one.incarnation == UINT32_MAX ? UINT32_MAX : one.incarnation + 1;
        is_accused = true;
    });
    if (is_accused) beat_soon();
}

/// Somebody has come: the next heartbeat tells all; if it has no configuration at all, the one whom all elect
/// alike tells it at once whom to ask for it.
void Node::Impl::welcome(const Peer& peer, const Heard& heard) {
    full_beats_ = std::max(full_beats_, 1);
    if (state_ != Announced::alive || heard.message.core.digest != Digest{}) return;
    const auto& boot = heard.message.core.boot;
    const auto own = weight_of(settings_.uid, peer.uid, boot);
    for (const auto& other : peers_)
        if (other.standing() == Standing::alive && weight_of(other.uid, peer.uid, boot) > own) return;
    beat(Type::heartbeat, &peer.addresses[0]);
}

/// A peer tells the number that this node has.
void Node::Impl::resolve_number(const Peer& peer) {
    const bool is_wanted = settings_.number && number_ == settings_.number;
    if (numbers::keeps({settings_.uid, is_wanted}, {peer.uid, peer.is_number_wanted})) return;
    number_trouble_ = fmt::format("number {} is {}'s", *number_,
                                  peer.name().empty() ? text_of(peer.uid) : std::string(peer.name()));
    say(Severity::warning, settings_.name, number_trouble_ + "; this node gives it up");
    number_.reset();
    number_at_ = heard_any_ + 2 * period();
    hurry(number_at_);
    full_beats_ = std::max(full_beats_, 1);
}

} // namespace schedd::membership
