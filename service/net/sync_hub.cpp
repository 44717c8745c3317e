// Listening, calling, and the life of connections.
#include "service/net/sync_hub.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#include "components/kit/errno_error.h"

namespace schedd::net {

namespace {
constexpr int kBacklog = 16;
constexpr int kAcceptsPerStep = 32;

template <class T> bool set_option(int fd, int level, int name, const T& value) {
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}
} // namespace

bool Throttle::may(const std::string& about, Time now) {
    std::erase_if(told_, [&](const auto& entry) { return now - entry.second >= kComplaintEvery; });
    if (told_.size() >= kComplaints) return false;
    return told_.emplace(about, now).second;
}

SyncHub::SyncHub(const Settings& settings, const KeySource& keys, Log& log, Descriptor poll)
    : settings_(settings), keys_(keys), log_(log), poll_(std::move(poll)) {}

Result<std::unique_ptr<SyncHub>> SyncHub::open(const Settings& settings, const KeySource& keys, Log& log) {
    Descriptor poll(::epoll_create1(EPOLL_CLOEXEC));
    if (!poll) return std::unexpected(errno_error(errno, "watching the cluster's connections"));
    std::unique_ptr<SyncHub> hub(new SyncHub(settings, keys, log, std::move(poll)));
    for (const auto family : {Family::v4, Family::v6}) {
        auto listening = hub->listen(family);
        if (!listening && listening.error().kind != Errc::not_supported)
            return std::unexpected(listening.error());
    }
    if (!hub->listeners_[0] && !hub->listeners_[1])
        return fail(Errc::not_supported, "this machine has neither IPv4 nor IPv6");
    return hub;
}

Status SyncHub::listen(Family family) {
    const auto where = fmt::format("TCP port {} ({})", settings_.port, name_of(family));
    const int domain = family == Family::v4 ? AF_INET : AF_INET6;
    Descriptor fd(::socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd && errno == EAFNOSUPPORT)
        return fail(Errc::not_supported, where, "this machine has no such addresses");
    if (!fd) return std::unexpected(errno_error(errno, where));
    // connections of an earlier life may linger; a listener of another program is refused all the same
    set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (family == Family::v6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
    Address any;
    if (family == Family::v4) any.ip[10] = any.ip[11] = 0xff;
    any.port = settings_.port;
    const auto name = to_socket(any);
    if (::bind(fd.get(), name.get(), name.size) != 0 || ::listen(fd.get(), kBacklog) != 0) {
        if (errno == EADDRINUSE)
            return fail(Errc::held_by_other, where + " is taken by another program",
                        "end it, or set another port = in [cluster] on every node");
        if (errno == EADDRNOTAVAIL)
            return fail(Errc::not_supported, where, "this machine has no such addresses");
        return std::unexpected(errno_error(errno, where));
    }
    if (auto watched = watch(fd.get(), EPOLLIN); !watched) return watched;
    listeners_[family == Family::v4 ? 0 : 1] = std::move(fd);
    return {};
}

Status SyncHub::watch(int fd, std::uint32_t events) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return {};
    return std::unexpected(errno_error(errno, "watching a connection of the cluster"));
}

std::size_t SyncHub::incoming() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(items_, [](const Item& item) { return !item.peer; }));
}

/// Those who have not proved anything make room, the oldest first; members are served to the end.
bool SyncHub::make_room() {
    if (incoming() < membership::limits::kSyncsIn) return true;
    const auto oldest = std::ranges::find_if(items_, [](const Item& item) {
        return !item.peer && !item.connection->is_member();
    });
    ++counts_.refused;
    if (oldest == items_.end()) return false;
    items_.erase(oldest);
    return true;
}

void SyncHub::add(Item item) {
    item.events = item.connection->events();
    if (auto watched = watch(item.connection->fd(), item.events); !watched) {
        log_.write(Severity::warning, "cluster", watched.error().text());
        if (item.peer) refused_.push_back(*item.peer);
        return;
    }
    items_.push_back(std::move(item));
}

void SyncHub::accept(int listener, Time now) {
    for (int i = 0; i < kAcceptsPerStep; ++i) {
        SocketAddress from;
        from.size = sizeof from.bytes;
        Descriptor fd(::accept4(listener, from.get(), &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!fd && (errno == EINTR || errno == ECONNABORTED)) continue;
        if (!fd) {
            if (errno != EAGAIN && errno != EWOULDBLOCK && throttle_.may("accept", now))
                log_.write(Severity::warning, "cluster",
                           errno_error(errno, "accepting a synchronisation").text());
            return;
        }
        ++counts_.called;
        if (!make_room()) continue;
        set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
        SyncConnection::Settings settings{SecretStream::End::called, settings_.cluster, settings_.self,
                                          from_socket(from.bytes, 0), [this] { return hooks_.sync({}); }};
        add({{}, std::make_unique<SyncConnection>(std::move(fd), std::move(settings), keys_, now), 0});
    }
}

void SyncHub::call(NodeUid peer, const Address& address, Time now) {
    ++counts_.calls;
    const bool is_going = std::ranges::any_of(items_, [&](const Item& item) { return item.peer == peer; });
    if (is_going || items_.size() - incoming() >= kSyncsOut) {
        ++counts_.refused;
        refused_.push_back(peer);
        return;
    }
    Descriptor fd(
        ::socket(address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const auto name = to_socket(address);
    if (fd) set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    if (!fd || (::connect(fd.get(), name.get(), name.size) != 0 && errno != EINPROGRESS)) {
        if (throttle_.may(text_of(address), now))
            log_.write(Severity::notice, "cluster", errno_error(errno, "calling " + text_of(address)).text());
        ++counts_.failed;
        refused_.push_back(peer);
        return;
    }
    SyncConnection::Settings settings{SecretStream::End::caller, settings_.cluster, settings_.self, address,
                                      [this, peer] { return hooks_.sync(peer); }};
    add({peer, std::make_unique<SyncConnection>(std::move(fd), std::move(settings), keys_, now), 0});
}

void SyncHub::end(Item& item, Time now) {
    const auto& connection = *item.connection;
    const bool is_complete = connection.state() == SyncConnection::State::complete;
    counts_.bytes += connection.bytes();
    ++(is_complete ? counts_.complete : counts_.failed);
    const auto address = text_of(connection.address());
    // strangers' ports change with every connection: one line for the machine
    const auto who = item.peer ? address : address.substr(0, address.rfind(':'));
    if (!is_complete && throttle_.may(who, now))
        log_.write(Severity::notice, "cluster",
                   fmt::format("synchronisation {} {} has failed: {}", item.peer ? "with" : "called by",
                               address, connection.error().text()));
    if (connection.is_member() || item.peer) hooks_.ended(item.peer, is_complete, now);
}

Time SyncHub::step(Time now, bool may_be_called) {
    for (const auto& listener : listeners_)
        if (listener && may_be_called) accept(listener.get(), now);
    for (const auto peer : std::exchange(refused_, {})) hooks_.ended(peer, false, now);
    std::vector<Item> over;
    Time next = refused_.empty() ? kNever : now;
    for (auto& item : items_) {
        item.connection->step(now);
        if (item.connection->state() != SyncConnection::State::going) {
            over.push_back(std::move(item));
            continue;
        }
        next = std::min(next, item.connection->deadline());
        const auto events = item.connection->events();
        if (events == std::exchange(item.events, events)) continue;
        epoll_event event{};
        event.events = events;
        event.data.fd = item.connection->fd();
        ::epoll_ctl(poll_.get(), EPOLL_CTL_MOD, item.connection->fd(), &event);
    }
    std::erase_if(items_, [](const Item& item) { return item.connection == nullptr; });
    for (auto& item : over) end(item, now); // they may call again
    return over.empty() ? next : now;
}

} // namespace schedd::net
