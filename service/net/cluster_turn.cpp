// A turn of the cluster: interfaces, datagrams, connections, the replica, the node, files.
#include <algorithm>
#include <array>
#include <cerrno>

#include <fmt/format.h>
#include <sys/epoll.h>

#include "service/net/cluster_impl.h"

namespace schedd::net {

using namespace membership;

namespace {
constexpr Duration kSaveEvery = std::chrono::seconds(60);
constexpr Duration kSaveSoon = std::chrono::seconds(1);
constexpr Duration kRateOver = std::chrono::seconds(1);
} // namespace

Time Cluster::Impl::turn() {
    const auto now = world_.clock.now();
    std::array<epoll_event, 4> ready{};
    const int count = ::epoll_wait(poll_.get(), ready.data(), static_cast<int>(ready.size()), 0);
    const auto is_ready = [&](int fd) {
        return std::any_of(ready.begin(), ready.begin() + std::max(count, 0),
                           [&](const epoll_event& event) { return event.data.fd == fd; });
    };
    if (links_ && is_ready(links_->fd())) take_links(now);
    if (now >= resume_) pause_datagrams(false);
    if (resume_ == kNever) read_datagrams(now);
    auto next = hub_->step(now, is_ready(hub_->fd()));
    next = std::min({next, replica_->tick(now), transport_->tick(now), node_->tick()});
    if (node_->number() != lives_.number && node_->number()) {
        lives_.number = node_->number();
        save_ = now;
    }
    if (now >= save_) save(now);
    if (journal_->is_snapshot_due())
        if (auto replaced = journal_->replace(*store_); !replaced) {
            if (save_error_ != replaced.error())
                world_.log.write(Severity::warning, "cluster", replaced.error().text());
            save_error_ = replaced.error();
        }
    return std::min({next, resume_, save_});
}

void Cluster::Impl::take_links(Time now) {
    const auto changed = links_->take();
    if (!changed) {
        world_.log.write(Severity::warning, "cluster", changed.error().text());
        return;
    }
    if (!*changed) return;
    transport_->use(links_->table().fit(), now);
    node_->network_changed(own_addresses());
}

/// Many datagrams a second are read all at once, 20 times a second: a wake-up for each would cost several
/// times as much. Few are read as they come.
void Cluster::Impl::read_datagrams(Time now) {
    std::size_t count = 0;
    const bool has_lost = transport_->read(
        [&](const Arrival& arrival, Bytes bytes) {
            ++count;
            node_->received(arrival, bytes);
        },
        now);
    if (has_lost) node_->overflowed();
    counted_ += count;
    if (const auto span = now - counted_since_; span >= kRateOver) {
        rate_ = counted_ * 1000 / static_cast<std::size_t>(std::max(milliseconds_of(span), 1LL));
        counted_ = 0;
        counted_since_ = now;
    }
    if (count == 0 || rate_ <= place_.coalesce_above) return;
    pause_datagrams(true);
    resume_ = now + (rate_ > kFlood ? kCoalesceFlood : kCoalesce);
}

void Cluster::Impl::pause_datagrams(bool is_paused) {
    epoll_event event{};
    event.events = is_paused ? 0U : std::uint32_t{EPOLLIN};
    event.data.fd = transport_->fd();
    ::epoll_ctl(poll_.get(), EPOLL_CTL_MOD, transport_->fd(), &event);
    if (!is_paused) resume_ = kNever;
}

/// What others may call: of the used interfaces, those addresses that mean the same on every machine.
std::vector<Address> Cluster::Impl::own_addresses() const {
    std::vector<Address> own;
    if (!links_) return own;
    for (const bool is_v4 : {true, false})
        for (const auto& link : links_->table().fit())
            for (auto address : link.addresses) {
                if (address.is_v4() != is_v4 || is_link_local(address)) continue;
                if (own.size() == limits::kAddresses) return own;
                address.port = place_.settings.port;
                own.push_back(address);
            }
    return own;
}

Status Cluster::Impl::write(std::span<const Write> changes) {
    if (const auto quorum = place_.settings.config_quorum) {
        const auto peers = node_->peers();
        const auto heard =
            static_cast<std::size_t>(std::ranges::count_if(peers,
                                                           [](const PeerFacts& peer) {
                                                               return takes_work(peer.standing) ||
                                                                      peer.standing == Standing::joining ||
                                                                      peer.standing == Standing::draining;
                                                           })) +
            1;
        if (heard < *quorum)
            return fail(Errc::not_applied,
                        fmt::format("{} of the {} nodes that must be heard are", heard, *quorum),
                        "config_quorum in [cluster]; a change for this node alone needs none (--local)");
    }
    return replica_->write(changes, node_->clock_offset_ms());
}

/// Also when nothing is to be kept: the time is then far away.
void Cluster::Impl::save(Time now) {
    save_ = kNever;
    if (place_.state_directory.empty()) return;
    lives_.stamp = store_->latest().bits;
    auto wrote = write_lives(place_.state_directory, lives_);
    if (wrote) wrote = write_peers(place_.state_directory, node_->remember());
    if (wrote) {
        save_error_.reset();
        return;
    }
    save_ = now + kSaveEvery;
    if (save_error_ != wrote.error()) world_.log.write(Severity::warning, "cluster", wrote.error().text());
    save_error_ = wrote.error();
}

void Cluster::Impl::spread(Bytes delta) { node_->spread(delta); }

void Cluster::Impl::connect(NodeUid peer, const Address& address) {
    hub_->call(peer, address, world_.clock.now());
}

void Cluster::Impl::changed() {
    if (world_.changed) world_.changed();
}

void Cluster::Impl::peer_changed(const PeerFacts& peer, Standing before) {
    // the marks against replays are worth keeping as soon as somebody is there, and at once of who is not:
    // what that one said could be sent again to this node's next life
    const bool is_away = peer.standing == Standing::left || peer.standing == Standing::dead;
    save_ = std::min(save_, world_.clock.now() + (is_away ? kSaveSoon : kSaveEvery));
    if (world_.listener) world_.listener->peer_changed(peer, before);
}

void Cluster::Impl::peer_forgotten(NodeUid uid) {
    if (world_.listener) world_.listener->peer_forgotten(uid);
}

void Cluster::Impl::peer_told(NodeUid uid) {
    if (world_.listener) world_.listener->peer_told(uid);
}

void Cluster::Impl::self_changed(Announced now, Announced before) {
    if (now == Announced::alive) troubles_.clear(); // what files lacked has come from the others
    if (world_.listener) world_.listener->self_changed(now, before);
}

void Cluster::Impl::displaced(const Address& by) {
    if (world_.listener) world_.listener->displaced(by);
}

} // namespace schedd::net
