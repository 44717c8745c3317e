// What a node tells: heartbeats, news of the configuration, goodbyes; sealed once and sent to all who are to
// have it.
#include <algorithm>

#include <fmt/format.h>

#include "components/membership/node_impl.h"

namespace schedd::membership {

namespace {
constexpr Duration kExtraPause = std::chrono::milliseconds(200);
constexpr int kAllEvery = 10; // heartbeats
} // namespace

/// At once, after 50 ms, and after 200 ms.
void Node::Impl::Repeated::said(Time now) {
    --left;
    next = left == 2   ? now + std::chrono::milliseconds(50)
           : left == 1 ? now + std::chrono::milliseconds(150)
                       : kNever;
}

Draft Node::Impl::draft(Type type) {
    Draft out;
    out.header.type = type;
    auto& core = out.core;
    core.boot = boot_;
    core.seq = ++seq_;
    core.wall_ms = world_.clocks.wall_ms();
    core.incarnation = incarnation_;
    core.state = state_;
    core.period = detector::tenths_of(period());
    core.minor_min = 0;
    core.minor_max = wire::kMinor;
    core.digest = world_.configuration.digest();
    core.latest = world_.configuration.latest();
    return out;
}

Bytes Node::Impl::sealed(const Draft& draft) { return envelope_.seal(draft).datagram; }

void Node::Impl::to(const Address& address, Bytes datagram) {
    ++counts_.sent;
    counts_.sent_bytes += datagram.size();
    world_.transport.to(address, datagram);
}

/// To the group, to everybody else where there is none, and to those whom it does not reach.
void Node::Impl::to_all(Bytes datagram) {
    if (settings_.uses_group) {
        ++counts_.sent;
        counts_.sent_bytes += datagram.size();
        world_.transport.to_group(datagram);
    }
    const auto& mesh = settings_.peers;
    for (const auto& address : mesh) to(address, datagram);
    if (!settings_.uses_group) {
        auto room = limits::kMesh - std::min(limits::kMesh, mesh.size());
        for (const auto& peer : peers_) {
            if (!is_there(peer.level) || peer.address_count == 0) continue;
            const auto& at = peer.addresses[0];
            const bool is_told = std::ranges::any_of(mesh, [&](const Address& one) {
                return one.ip == at.ip && one.port == at.port;
            });
            if (is_told) continue;
            if (room == 0) {
                if (!std::exchange(is_mesh_too_big_told_, true))
                    say(Severity::error, settings_.name,
                        fmt::format("without multicast at most {} nodes can tell each other; the others do "
                                    "not hear this one",
                                    limits::kMesh));
                break;
            }
            --room;
            to(at, datagram);
        }
    }
    leases_.each(now(), [&](NodeUid, const Address& at) { to(at, datagram); });
}

void Node::Impl::ping(const Address& address, std::uint64_t nonce, std::uint8_t flags) {
    auto out = draft(Type::ping);
    out.header.flags = flags;
    out.nonce = nonce;
    ++counts_.probes;
    to(address, sealed(out));
}

/// To all, or to one alone.
void Node::Impl::beat(Type type, const Address* only) {
    auto out = draft(type);
    const bool is_full = only || full_beats_ > 0 || beats_ % kAllEvery == 0;
    if (number_) out.number = *number_;
    else if (is_settled_) out.number = -1;
    if (settings_.number && number_ == settings_.number) out.header.flags = flags::kNumberWanted;
    out.heard = static_cast<std::uint16_t>(there_ - late_);
    if (is_full) draft_all(out);
    else if (const auto applied = world_.configuration.applied();
             applied != told_applied_ || world_.configuration.trouble() != told_trouble_) {
        out.applied = told_applied_ = applied;
        out.trouble = told_trouble_ = world_.configuration.trouble();
    }
    draft_values(out, is_full);
    out.suspicions = accused_;
    const auto sealed = envelope_.seal(out);
    if (!loads_.empty() && !source_names_.empty()) next_name_ += sealed.sources;
    if (only) return to(*only, sealed.datagram);
    to_all(sealed.datagram);
    accused_.clear();
    ++beats_;
    if (full_beats_ > 0) --full_beats_;
}

void Node::Impl::draft_all(Draft& out) {
    out.name = settings_.name;
    out.addresses = settings_.addresses;
    out.features = settings_.features;
    out.ring = world_.cipher.fingerprint();
    out.applied = told_applied_ = world_.configuration.applied();
    out.trouble = told_trouble_ = world_.configuration.trouble();
}

/// Every value there is, and names in turn: all of them within ten heartbeats.
void Node::Impl::draft_values(Draft& out, bool is_full) {
    loads_.clear();
    source_names_.clear();
    const auto count = std::min({published_.size(), named_.size(), limits::kSources});
    for (std::size_t i = 0; i < count; ++i)
        if (published_[i].value) loads_.push_back({named_[i].id, *published_[i].value});
    const auto names = is_full ? count : (count + kAllEvery - 1) / kAllEvery;
    for (std::size_t i = 0; i < names; ++i) {
        const auto& named = named_[(next_name_ + i) % count];
        source_names_.push_back({named.id, named.path});
    }
    out.loads = loads_;
    out.sources = source_names_;
}

void Node::Impl::beat_soon() {
    extra_at_ = std::min(extra_at_, std::max(now(), extra_sent_ + kExtraPause));
    hurry(extra_at_);
}

void Node::Impl::send_spread() {
    auto out = draft(Type::conf_delta);
    out.delta = delta_;
    to_all(sealed(out));
    spread_.said(now());
    hurry(spread_.next);
}

void Node::Impl::say_goodbye() {
    auto out = draft(Type::leave);
    to_all(sealed(out));
    goodbye_.said(now());
    hurry(goodbye_.next);
}

} // namespace schedd::membership
