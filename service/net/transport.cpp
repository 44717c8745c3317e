// Sending to all groups, reading from all sockets, and opening what can be opened.
#include "service/net/transport.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <sys/epoll.h>

#include "components/kit/errno_error.h"
#include "components/membership/wire.h"

namespace schedd::net {

namespace {
constexpr std::array kFamilies{Family::v4, Family::v6};
constexpr std::size_t index_of(Family family) { return family == Family::v4 ? 0 : 1; }
constexpr int kReady = 16;                // sockets told of at once
constexpr std::uint32_t kWholeMtu = 1228; // 1200 bytes of ours with the headers of IPv4 and UDP
} // namespace

SocketTransport::SocketTransport(const Settings& settings, Log& log, Descriptor poll)
    : settings_(settings), log_(log), poll_(std::move(poll)), buffer_(std::make_unique<ReadBuffer>()) {}

Result<std::unique_ptr<SocketTransport>> SocketTransport::open(const Settings& settings, Log& log) {
    Descriptor poll(::epoll_create1(EPOLL_CLOEXEC));
    if (!poll) return std::unexpected(errno_error(errno, "watching the cluster's sockets"));
    std::unique_ptr<SocketTransport> made(new SocketTransport(settings, log, std::move(poll)));
    for (const auto family : kFamilies) {
        auto socket = open_unicast(family, settings.place.port);
        if (!socket && socket.error().kind == Errc::not_supported) continue;
        if (!socket) return std::unexpected(socket.error());
        if (auto watched = made->watch((*socket)->fd()); !watched) return std::unexpected(watched.error());
        made->unicast_[index_of(family)] = std::move(*socket);
    }
    if (!made->unicast_[0] && !made->unicast_[1])
        return fail(Errc::not_supported, "this machine has neither IPv4 nor IPv6");
    return made;
}

Status SocketTransport::watch(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return {};
    return std::unexpected(errno_error(errno, "watching a socket of the cluster"));
}

void SocketTransport::open_one(const Key& key, Group& group) {
    // for so long only: else any program could have the port as well
    auto& own = unicast_[index_of(key.second)];
    if (own) (void)own->share_port(true);
    auto socket = open_group(settings_.place, group.link, key.second);
    if (own) (void)own->share_port(false);
    if (socket)
        if (auto watched = watch((*socket)->fd()); !watched) socket = std::unexpected(watched.error());
    if (socket) {
        group.socket = std::move(*socket);
        group.trouble.clear();
        const auto text = text_of(group_of(settings_.place, key.second));
        log_.write(Severity::info, group.link.name, fmt::format("joined {}", text));
        if (key.second == Family::v4 && group.link.mtu < kWholeMtu)
            log_.write(Severity::notice, group.link.name,
                       fmt::
                           format("its MTU of {} is too small for whole datagrams: long ones go in fragments",
                                  group.link.mtu));
        return;
    }
    const auto text = socket.error().text();
    if (group.trouble != text) log_.write(Severity::warning, group.link.name, text);
    group.trouble = text;
}

void SocketTransport::close_one(Group& group) {
    if (!group.socket) return;
    closed_ += group.socket->counts();
    group.socket.reset(); // closing takes it out of the epoll set
}

void SocketTransport::use(const std::vector<Link>& fit, Time now) {
    now_ = now;
    std::map<Key, const Link*> wanted;
    if (settings_.uses_group)
        for (const auto& link : fit)
            for (const auto family : kFamilies)
                if (link.has(family) && unicast_[index_of(family)])
                    wanted.emplace(Key{link.facts.index, family}, &link);
    for (auto at = groups_.begin(); at != groups_.end();) {
        if (wanted.contains(at->first)) {
            ++at;
            continue;
        }
        close_one(at->second);
        log_.write(Severity::info, at->second.link.name,
                   fmt::format("left the cluster's {} group", name_of(at->first.second)));
        at = groups_.erase(at);
    }
    for (const auto& [key, link] : wanted) {
        auto& group = groups_[key];
        if (group.life != link->life) close_one(group); // the kernel forgot the membership with the old one
        group.link = link->facts;
        group.life = link->life;
        if (!group.socket) open_one(key, group);
        if (!group.socket && retry_ == kNever) retry_ = now + kRetryGroup;
    }
}

Time SocketTransport::tick(Time now) {
    now_ = now;
    if (now < retry_) return retry_;
    retry_ = kNever;
    for (auto& [key, group] : groups_) {
        if (!group.socket) open_one(key, group);
        if (!group.socket) retry_ = now + kRetryGroup;
    }
    return retry_;
}

/// Whoever is in the group by IPv4 as well as by IPv6 need not be told twice: the second heartbeat of each
/// node would double the traffic. Those who have IPv6 alone speak by it alone, and are answered so.
void SocketTransport::note_heard(const Key& key, Group& group, Bytes datagram) {
    if (datagram.size() < membership::wire::kHeader) return;
    std::uint64_t sender = 0; // not believed yet: at worst more is sent than needed
    for (const auto byte : datagram.subspan(16, 8))
        sender = (sender << 8U) | std::to_integer<std::uint64_t>(byte);
    const auto heard = sender ^ (std::uint64_t{key.first} << 48U);
    if (key.second == Family::v4) {
        if (by_v4_.size() >= kSenders && !by_v4_.contains(heard)) by_v4_.clear();
        by_v4_[heard] = now_;
        return;
    }
    const auto by_v4 = by_v4_.find(heard);
    if (by_v4 == by_v4_.end() || now_ - by_v4->second > kOnlyV6) group.needed_until = now_ + kTellV6;
}

bool SocketTransport::is_needed(const Key& key, const Group& group) const {
    if (key.second == Family::v4 || now_ < group.needed_until) return true;
    const auto v4 = groups_.find({key.first, Family::v4});
    return v4 == groups_.end() || !v4->second.socket || !v4->second.trouble.empty();
}

/// Only the sockets that have something are asked: there are four and more, and mostly one of them has.
bool SocketTransport::read(const Take& take, Time now) {
    now_ = now;
    std::array<epoll_event, kReady> ready{};
    const auto count = ::epoll_wait(poll_.get(), ready.data(), kReady, 0);
    const auto is_ready = [&](const DatagramSocket& socket) {
        if (count < 0 || count == kReady) return true; // there may be more
        return std::any_of(ready.begin(), ready.begin() + count,
                           [&](const epoll_event& event) { return event.data.fd == socket.fd(); });
    };
    bool has_lost = false;
    is_reading_ = true; // what is taken may ask for anything, also to close the socket that it came by
    for (auto& [key, group] : groups_) {
        if (!group.socket || !is_ready(*group.socket)) continue;
        auto& counts = group.socket->counts();
        has_lost |= group.socket->read(*buffer_, [&](const Datagram& datagram) {
            if (!is_near(settings_.place, key.second, datagram.hops)) {
                ++counts.wrong_hops;
                return;
            }
            note_heard(key, group, datagram.bytes);
            take({datagram.from, true}, datagram.bytes);
        });
    }
    for (const auto& socket : unicast_)
        if (socket && is_ready(*socket))
            has_lost |= socket->read(*buffer_, [&](const Datagram& datagram) {
                take({datagram.from, false}, datagram.bytes);
            });
    is_reading_ = false;
    if (std::exchange(wants_rejoin_, false)) rejoin();
    return has_lost;
}

/// A state that lasts is told once, not with every heartbeat.
void SocketTransport::note_send(Group& group, bool is_sent) {
    if (is_sent) {
        if (!group.trouble.empty()) log_.write(Severity::info, group.link.name, "can be sent by again");
        group.trouble.clear();
        return;
    }
    if (!group.trouble.empty()) return;
    group.trouble = fmt::format("cannot send to the group: {}", std::strerror(group.socket->last_error()));
    log_.write(Severity::warning, group.link.name, group.trouble);
}

void SocketTransport::to_group(Bytes datagram) {
    for (auto& [key, group] : groups_) {
        if (!group.socket || !is_needed(key, group)) continue;
        auto to = group_of(settings_.place, key.second);
        to.interface = group.link.index;
        note_send(group, group.socket->send(to, datagram));
    }
}

void SocketTransport::to(const Address& address, Bytes datagram) {
    const auto& socket = unicast_[index_of(family_of(address.is_v4()))];
    if (socket) socket->send(address, datagram);
}

void SocketTransport::rejoin() {
    if (is_reading_) {
        wants_rejoin_ = true;
        return;
    }
    ++rejoins_;
    for (auto& [key, group] : groups_) {
        close_one(group);
        open_one(key, group);
        if (!group.socket) retry_ = Time{}; // at the next tick
    }
}

std::vector<GroupFacts> SocketTransport::groups() const {
    std::vector<GroupFacts> all;
    for (const auto& [key, group] : groups_)
        all.push_back({group.link, key.second, group_of(settings_.place, key.second), group.trouble,
                       group.socket != nullptr, group.socket ? group.socket->counts() : SocketCounts{}});
    return all;
}

SocketCounts SocketTransport::counts() const {
    auto all = closed_;
    for (const auto& [key, group] : groups_)
        if (group.socket) all += group.socket->counts();
    for (const auto& socket : unicast_)
        if (socket) all += socket->counts();
    return all;
}

} // namespace schedd::net
