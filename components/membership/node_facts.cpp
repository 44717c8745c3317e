// What a node tells people and the daemon about peers, and what it keeps over a restart.
#include <algorithm>
#include <functional>
#include <span>

#include <fmt/format.h>

#include "components/kit/number.h"
#include "components/membership/node_impl.h"
#include "components/membership/numbers.h"

namespace schedd::membership {

namespace {

/// Takes in one thing after the other; a step of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) each.
class Fingerprint {
public:
    void take(std::uint64_t word) {
        word = (state_ ^ word) + 0x9e3779b97f4a7c15ULL;
        word = (word ^ (word >> 30U)) * 0xbf58476d1ce4e5b9ULL;
        state_ = word ^ (word >> 27U);
    }
    void take(std::string_view bytes) { take(std::uint64_t{std::hash<std::string_view>{}(bytes)}); }
    void take(std::span<const std::uint8_t> bytes) {
        take(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    }
    void take(const Address& address) {
        take(address.ip);
        take(std::uint64_t{address.interface} << 16U | address.port);
    }
    [[nodiscard]] std::uint64_t value() const { return state_; }

private:
    std::uint64_t state_ = 0;
};

} // namespace

PeerFacts Node::Impl::facts_of(const Peer& peer) const {
    return facts_of(peer, peer.number >= 0 ? numbers::holder(peers_, peer.number) : nullptr);
}

PeerFacts Node::Impl::facts_of(const Peer& peer, const Peer* holder) const {
    const auto at = now();
    PeerFacts facts;
    facts.uid = peer.uid;
    facts.boot = peer.life.boot();
    facts.number = peer.number;
    facts.name = peer.name();
    facts.standing = peer.standing();
    const auto addresses = std::span(peer.addresses).first(peer.address_count);
    facts.addresses.assign(addresses.begin(), addresses.end());
    facts.silence = at - peer.heard;
    facts.period = peer.pace();
    facts.since = at - peer.since;
    facts.clock_offset_ms = peer.offset_ms;
    facts.loss = static_cast<double>(peer.loss);
    facts.is_unicast = peer.is_unicast;
    facts.digest = peer.digest;
    facts.applied = peer.applied;
    if (peer.trouble) facts.trouble = *peer.trouble;
    facts.ring = peer.ring;
    // a number that two have is one's
    const bool is_shared = facts.number >= 0 && is_there(peer.level);
    if (is_shared && number_ == facts.number &&
        numbers::keeps({settings_.uid, settings_.number == number_}, {peer.uid, peer.is_number_wanted})) {
        facts.trouble = fmt::format("number {} is {}'s", facts.number, settings_.name);
        facts.number = -1;
    } else if (is_shared && holder && holder != &peer) {
        facts.trouble =
            fmt::format("number {} is {}'s", facts.number,
                        holder->name().empty() ? text_of(holder->uid) : std::string(holder->name()));
        facts.number = -1;
    }
    return facts;
}

std::vector<PeerFacts> Node::Impl::facts() const {
    std::vector<PeerFacts> all;
    all.reserve(peers_.size() + rivals_.size());
    const auto holders = numbers::holders(peers_);
    for (const auto& peer : peers_)
        all.push_back(facts_of(peer, peer.number >= 0 ? holders.at(peer.number) : nullptr));
    for (const auto& rival : rivals_) {
        if (!rival.is_seen || rival.until <= now()) continue;
        PeerFacts facts;
        facts.uid = rival.uid;
        facts.boot = rival.life.boot();
        facts.standing = Standing::clone;
        facts.addresses = {rival.at};
        facts.trouble = "a second machine with this identity; each needs a machine-id of its own";
        all.push_back(std::move(facts));
    }
    std::ranges::sort(all, [](const PeerFacts& a, const PeerFacts& b) {
        if (a.number != b.number) // those without one come last
            return static_cast<std::uint32_t>(a.number) < static_cast<std::uint32_t>(b.number);
        return a.name != b.name ? a.name < b.name : a.uid < b.uid;
    });
    return all;
}

std::uint64_t Node::Impl::fingerprint() const {
    Fingerprint print;
    print.take(static_cast<std::uint64_t>(number_.value_or(-1))); // others cannot have the same
    print.take(settings_.name);                                   // as the trouble of such a one says
    for (const auto& peer : peers_) {
        print.take(static_cast<std::uint64_t>(peer.uid));
        print.take(std::uint64_t{peer.life.boot().counter} << 32U | peer.life.boot().random);
        print.take(static_cast<std::uint64_t>(peer.number) << 32U |
                   static_cast<std::uint64_t>(peer.standing()) << 16U | std::uint64_t{peer.period} << 2U |
                   (peer.is_unicast ? 2U : 0U) | (peer.is_number_wanted ? 1U : 0U));
        print.take(peer.ring);
        print.take(peer.name());
        for (std::size_t i = 0; i < peer.address_count; ++i) print.take(peer.addresses[i]);
        print.take(peer.digest.bytes);
        print.take(peer.trouble ? std::string_view(*peer.trouble) : std::string_view());
        if (!peer.applied) continue;
        print.take(peer.applied->digest.bytes);
        print.take(std::uint64_t{peer.applied->applied} << 32U | peer.applied->failed);
        print.take(std::uint64_t{peer.applied->unsupported});
    }
    for (const auto& rival : rivals_) {
        if (!rival.is_seen || rival.until <= now()) continue;
        print.take(static_cast<std::uint64_t>(rival.uid));
        print.take(rival.at);
    }
    return print.value();
}

std::optional<NodeUid> Node::Impl::find(std::string_view what) const {
    if (const auto number = parse_integer(what); number && *number >= 0 && *number <= 65'535) {
        const auto* holder = numbers::holder(peers_, static_cast<NodeId>(*number));
        const bool is_wanted = settings_.number == number_;
        if (number_ == *number &&
            (!holder || numbers::keeps({settings_.uid, is_wanted}, {holder->uid, holder->is_number_wanted})))
            return settings_.uid;
        if (holder) return holder->uid;
    }
    if (what == settings_.name || what == text_of(settings_.uid)) return settings_.uid;
    const Peer* best = nullptr; // of that name, or once of that number
    const auto number = parse_integer(what);
    for (const auto& peer : peers_) {
        if (what == text_of(peer.uid)) return peer.uid;
        if (peer.name() != what && !(number && *number >= 0 && peer.number == *number)) continue;
        if (!best || (is_there(peer.level) && !is_there(best->level))) best = &peer;
    }
    return best ? std::optional(best->uid) : std::nullopt;
}

std::optional<std::int64_t> Node::Impl::offset() const {
    std::vector<std::int64_t> offsets;
    for (const auto& peer : peers_)
        if (is_there(peer.level) || peer.level == Level::skewed) offsets.push_back(peer.offset_ms);
    if (offsets.size() < 2) return std::nullopt;
    const auto middle = offsets.begin() + static_cast<std::ptrdiff_t>(offsets.size() / 2);
    std::ranges::nth_element(offsets, middle);
    if (offsets.size() % 2 != 0) return *middle;
    return (*middle + *std::max_element(offsets.begin(), middle)) / 2;
}

std::vector<Node::Remembered> Node::Impl::remember() const {
    std::vector<Remembered> all;
    all.reserve(peers_.size());
    for (const auto& peer : peers_) {
        if (peer.level == Level::incompatible) continue;
        const auto addresses = std::span(peer.addresses).first(peer.address_count);
        all.push_back({.uid = peer.uid,
                       .boot = peer.life.boot(),
                       .seq = peer.life.mark(),
                       .number = peer.number,
                       .name = std::string(peer.name()),
                       .addresses = {addresses.begin(), addresses.end()},
                       .heard_wall_ms = peer.heard_wall_ms});
    }
    return all;
}

void Node::Impl::recall(std::span<const Remembered> peers) {
    const auto wall = world_.clocks.wall_ms();
    const auto horizon = static_cast<std::uint64_t>(milliseconds_of(limits::kRemembered));
    for (const auto& one : peers) {
        if (one.uid == settings_.uid || one.uid == kNobody || peers_.find(one.uid)) continue;
        if (peers_.size() >= settings_.max_peers) break;
        // a clock that went back makes nothing older
        const auto age = wall > one.heard_wall_ms ? wall - one.heard_wall_ms : 0;
        if (age >= horizon) continue;
        std::optional<NodeUid> evicted;
        auto* peer = peers_.add(one.uid, evicted);
        if (!peer) break;
        peer->life = Life(one.boot, one.seq);
        peer->heard = now() - std::chrono::milliseconds(age);
        peer->heard_wall_ms = one.heard_wall_ms;
        peer->since = peer->heard;
        peer->level = Level::dead;
        peer->announced = Announced::alive;
        peer->number = one.number;
        peer->set_name(one.name);
        for (const auto& address : one.addresses)
            if (peer->address_count < peer->addresses.size())
                peer->addresses[peer->address_count++] = address;
        scan_at_ = std::min(scan_at_, peer->heard + limits::kRemembered);
    }
}

std::vector<Stranger> Node::strangers() const { return impl_->complaints_.strangers(impl_->now()); }

} // namespace schedd::membership
