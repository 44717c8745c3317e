// The table of peers, and what a record of it makes of what was heard.
#include "components/membership/peers.h"

#include <algorithm>
#include <cmath>

namespace schedd::membership {

std::string_view name_of(Standing standing) {
    switch (standing) {
    case Standing::joining: return "joining";
    case Standing::alive: return "alive";
    case Standing::late: return "late";
    case Standing::suspect: return "suspect";
    case Standing::dead: return "dead";
    case Standing::left: return "left";
    case Standing::isolated: return "isolated";
    case Standing::draining: return "draining";
    case Standing::incompatible: return "incompatible";
    case Standing::skewed: return "skewed";
    case Standing::clone: return "clone";
    }
    return "unknown";
}

void Peer::set_name(std::string_view name) {
    name = name.substr(0, name_bytes.size());
    std::ranges::copy(name, name_bytes.begin());
    name_size = static_cast<std::uint8_t>(name.size());
}

Standing Peer::standing() const {
    switch (level) {
    case Level::present: break;
    case Level::late:
        if (announced == Announced::alive) return Standing::late;
        break; // it takes no work, and is not to look as if it did
    case Level::suspect: return Standing::suspect;
    case Level::dead: return Standing::dead;
    case Level::left: return Standing::left;
    case Level::skewed: return Standing::skewed;
    case Level::incompatible: return Standing::incompatible;
    }
    switch (announced) {
    case Announced::joining: return Standing::joining;
    case Announced::alive: return Standing::alive;
    case Announced::isolated: return Standing::isolated;
    case Announced::draining: return Standing::draining;
    case Announced::leaving: break;
    }
    return Standing::left;
}

void Peer::heard_at(const Address& from) {
    if (address_count > 0 && addresses[0] == from) return;
    const auto known = std::span(addresses).first(address_count);
    auto at = std::ranges::find(known, from);
    if (at == known.end()) {
        if (address_count < addresses.size()) ++address_count;
        at = known.begin() + (address_count - 1);
    }
    std::rotate(addresses.begin(), addresses.begin() + (at - known.begin()),
                addresses.begin() + (at - known.begin()) + 1);
    addresses[0] = from;
}

void Peer::told(const Rows<Address>& own) {
    if (own.empty() || address_count == 0) return;
    address_count = 1;
    const auto& from = addresses[0];
    own.each([&](Address one) {
        one.port = from.port;
        const bool is_link_local = one.ip[0] == 0xfe && (one.ip[1] & 0xc0U) == 0x80;
        if (is_link_local) one.interface = from.interface;
        const bool is_same = one.ip == from.ip;
        if (!is_same && address_count < addresses.size()) addresses[address_count++] = one;
    });
}

void Peer::set_trouble(std::string_view text) {
    if (text.empty()) trouble.reset();
    else if (!trouble) trouble = std::make_unique<std::string>(text);
    else if (*trouble != text) *trouble = text;
}

void Peer::count_beat(Time now) {
    constexpr float kWeight = 0.01F; // of one heartbeat: about the last hundred count
    if (beat == Time{}) {
        beat = now;
        return;
    }
    const auto passed = std::chrono::duration<float>(now - beat) / std::chrono::duration<float>(pace());
    const auto missed = std::clamp(std::lround(passed) - 1, 0L, 500L);
    // several at once weigh like one after the other
    const auto kept = std::pow(1 - kWeight, static_cast<float>(missed));
    loss = 1 - kept * (1 - loss);
    loss *= 1 - kWeight;
    beat = now;
}

namespace {
std::size_t mix(NodeUid uid) {
    auto bits = static_cast<std::uint64_t>(uid);
    bits = (bits ^ (bits >> 32U)) * 0x9e3779b97f4a7c15ULL;
    return bits ^ (bits >> 29U);
}
} // namespace

/// Where it is, or the empty slot where it would be. REQUIRES: there are slots.
std::size_t Peers::slot_of(NodeUid uid) const {
    const auto mask = slots_.size() - 1;
    auto slot = mix(uid) & mask;
    while (slots_[slot] != kEmpty && peers_[slots_[slot]].uid != uid) slot = (slot + 1) & mask;
    return slot;
}

const Peer* Peers::find(NodeUid uid) const {
    if (slots_.empty()) return nullptr;
    const auto at = slots_[slot_of(uid)];
    return at == kEmpty ? nullptr : &peers_[at];
}

Peer* Peers::find(NodeUid uid) { return const_cast<Peer*>(std::as_const(*this).find(uid)); }

void Peers::index_all(std::size_t slots) {
    slots_.assign(slots, kEmpty);
    for (std::size_t i = 0; i < peers_.size(); ++i)
        slots_[slot_of(peers_[i].uid)] = static_cast<std::uint16_t>(i);
}

Peer* Peers::add(NodeUid uid, std::optional<NodeUid>& evicted) {
    if (peers_.size() >= std::min<std::size_t>(limit_, kEmpty)) {
        const Peer* oldest = nullptr;
        for (const auto& peer : peers_)
            if (!is_there(peer.level) && peer.level != Level::skewed &&
                (!oldest || peer.heard < oldest->heard))
                oldest = &peer;
        if (!oldest) return nullptr;
        evicted = oldest->uid;
        remove(oldest->uid);
    }
    if (2 * (peers_.size() + 1) > slots_.size()) index_all(std::max<std::size_t>(16, slots_.size() * 2));
    auto& peer = peers_.emplace_back();
    peer.uid = uid;
    // the record is there already, and does not match itself: its slot is still empty
    slots_[slot_of(uid)] = static_cast<std::uint16_t>(peers_.size() - 1);
    return &peer;
}

void Peers::remove(NodeUid uid) {
    const auto* peer = find(uid);
    if (!peer) return;
    const auto index = static_cast<std::size_t>(peer - peers_.data());
    if (index + 1 < peers_.size()) peers_[index] = std::move(peers_.back());
    peers_.pop_back();
    index_all(slots_.size());
}

std::size_t Peers::bytes() const {
    std::size_t sum = peers_.size() * sizeof(Peer) + slots_.size() * sizeof(std::uint16_t);
    for (const auto& peer : peers_)
        if (peer.trouble) sum += sizeof(std::string) + limits::kTrouble;
    return sum;
}

} // namespace schedd::membership
