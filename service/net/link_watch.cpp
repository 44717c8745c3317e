// rtnetlink (man 7 rtnetlink) by libnl-route.
#include "service/net/link_watch.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/object.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/rtnl.h>
#include <netlink/socket.h>
#include <poll.h>
#include <unistd.h>

#include "components/kit/errno_error.h"

namespace schedd::net {

namespace {

constexpr int kReceiveBytes = 1 << 20;   // a host that starts some hundred containers at once
constexpr std::size_t kTakenAtOnce = 64; // reads before the rest of the loop has its turn
constexpr int kDumpMs = 2000;            // the kernel answers at once; a stuck one must not hold us up

struct Taking {
    LinkTable* table;
    bool is_gone;
    bool has_changed;
};

Address address_of(nl_addr* local, std::uint32_t index) {
    sockaddr_storage socket_address{};
    socklen_t size = sizeof socket_address;
    if (nl_addr_fill_sockaddr(local, reinterpret_cast<sockaddr*>(&socket_address), &size) < 0) return {};
    auto address = from_socket(socket_address, index);
    address.port = 0;
    return address;
}

void take_link(rtnl_link* link, Taking& taking) {
    // a bridge tells of its ports in messages of its own, also when one leaves it: the interface stays
    if (rtnl_link_get_family(link) != AF_UNSPEC) return;
    const int index = rtnl_link_get_ifindex(link);
    if (index <= 0) return;
    const auto number = static_cast<std::uint32_t>(index);
    if (taking.is_gone) {
        taking.has_changed |= taking.table->link_is_gone(number);
        return;
    }
    const char* name = rtnl_link_get_name(link);
    taking.has_changed |=
        taking.table->link_is({.index = number,
                               .name = name ? name : "",
                               .flags = rtnl_link_get_flags(link),
                               .mtu = rtnl_link_get_mtu(link),
                               .master = static_cast<std::uint32_t>(rtnl_link_get_master(link))});
}

void take_address(rtnl_addr* told, Taking& taking) {
    const int index = rtnl_addr_get_ifindex(told);
    nl_addr* local = rtnl_addr_get_local(told);
    if (index <= 0 || local == nullptr) return;
    const int family = nl_addr_get_family(local);
    const auto length = nl_addr_get_len(local);
    if (!(family == AF_INET && length == 4) && !(family == AF_INET6 && length == 16)) return;
    const auto number = static_cast<std::uint32_t>(index);
    const auto address = address_of(local, number);
    // an address that is still being checked for duplicates cannot be sent from
    const bool is_usable = (rtnl_addr_get_flags(told) & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) == 0;
    if (taking.is_gone || !is_usable) taking.has_changed |= taking.table->address_is_gone(number, address);
    else taking.has_changed |= taking.table->address_is(number, address);
}

void take_object(nl_object* object, void* data) {
    auto& taking = *static_cast<Taking*>(data);
    const std::string_view type = nl_object_get_type(object);
    if (type == "route/link") take_link(reinterpret_cast<rtnl_link*>(object), taking);
    if (type == "route/addr") take_address(reinterpret_cast<rtnl_addr*>(object), taking);
}

bool take_one(LinkTable& table, nlmsghdr* header) {
    const auto type = header->nlmsg_type;
    const bool is_link = type == RTM_NEWLINK || type == RTM_DELLINK;
    const bool is_address = type == RTM_NEWADDR || type == RTM_DELADDR;
    const std::size_t least = is_link ? sizeof(ifinfomsg) : sizeof(ifaddrmsg);
    if ((!is_link && !is_address) || header->nlmsg_len < NLMSG_HDRLEN + least) return false;
    const std::unique_ptr<nl_msg, void (*)(nl_msg*)> message(nlmsg_convert(header), nlmsg_free);
    if (!message) return false;
    nlmsg_set_proto(message.get(), NETLINK_ROUTE);
    Taking taking{&table, type == RTM_DELLINK || type == RTM_DELADDR, false};
    nl_msg_parse(message.get(), take_object, &taking); // what cannot be parsed changes nothing
    return taking.has_changed;
}

Error unavailable(int error) {
    return {Errc::not_supported, "the kernel does not tell about network interfaces", nl_geterror(error)};
}

} // namespace

bool take_netlink(LinkTable& table, std::span<const std::byte> bytes) {
    // libnl wants aligned headers, and bytes that it may change
    std::vector<std::uint32_t> aligned((bytes.size() + 3) / 4);
    if (!bytes.empty()) std::memcpy(aligned.data(), bytes.data(), bytes.size());
    auto* header = reinterpret_cast<nlmsghdr*>(aligned.data());
    auto left = static_cast<int>(bytes.size());
    bool has_changed = false;
    while (nlmsg_ok(header, left) != 0) {
        has_changed |= take_one(table, header);
        header = nlmsg_next(header, &left);
    }
    return has_changed;
}

bool is_wireless(const std::string& sys, const std::string& name) {
    if (name.empty() || name.find('/') != std::string::npos || name.front() == '.') return false;
    const auto about = sys + "/class/net/" + name;
    return ::access((about + "/phy80211").c_str(), F_OK) == 0 ||
           ::access((about + "/wireless").c_str(), F_OK) == 0;
}

void LinkWatch::Closer::operator()(nl_sock* socket) const { nl_socket_free(socket); }

int LinkWatch::fd() const { return nl_socket_get_fd(socket_.get()); }

Result<std::unique_ptr<LinkWatch>> LinkWatch::open(std::vector<std::string> patterns,
                                                   const std::string& sys) {
    nl_sock* socket = nl_socket_alloc();
    if (socket == nullptr) return std::unexpected(unavailable(-NLE_NOMEM));
    LinkTable table(std::move(patterns), [sys](const std::string& name) { return is_wireless(sys, name); });
    std::unique_ptr<LinkWatch> watch(new LinkWatch(socket, std::move(table)));
    nl_socket_disable_auto_ack(socket);
    nl_socket_disable_seq_check(socket);
    if (const int error = nl_connect(socket, NETLINK_ROUTE); error < 0)
        return std::unexpected(unavailable(error));
    if (const int error =
            nl_socket_add_memberships(socket, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, 0);
        error < 0)
        return std::unexpected(unavailable(error));
    if (::setsockopt(watch->fd(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBytes, sizeof kReceiveBytes) != 0)
        nl_socket_set_buffer_size(socket, kReceiveBytes, 0);
    if (const int error = nl_socket_set_nonblocking(socket); error < 0)
        return std::unexpected(unavailable(error));
    if (auto read = watch->read_all(); !read) return std::unexpected(read.error());
    return watch;
}

Status LinkWatch::read_all() {
    table_.clear();
    if (auto links = dump(RTM_GETLINK); !links) return links;
    return dump(RTM_GETADDR);
}

Status LinkWatch::dump(int type) {
    if (const int error = nl_rtgen_request(socket_.get(), type, AF_UNSPEC, NLM_F_DUMP); error < 0)
        return std::unexpected(unavailable(error));
    // events that come meanwhile are taken in their order; the answer ends with NLMSG_DONE
    for (;;) {
        pollfd waiting{fd(), POLLIN, 0};
        const int ready = ::poll(&waiting, 1, kDumpMs);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return fail(Errc::io, "listing network interfaces", "the kernel does not answer");
        sockaddr_nl sender{};
        unsigned char* bytes = nullptr;
        const int size = nl_recv(socket_.get(), &sender, &bytes, nullptr);
        const std::unique_ptr<unsigned char, void (*)(void*)> owner(bytes, std::free);
        if (size == -NLE_AGAIN || size == -NLE_INTR || size == -NLE_NOMEM || size == 0) continue;
        if (size < 0) return fail(Errc::io, "listing network interfaces", nl_geterror(size));
        if (sender.nl_pid != 0) {
            ++forged_;
            continue;
        }
        take_netlink(table_, std::as_bytes(std::span(bytes, static_cast<std::size_t>(size))));
        auto* header = reinterpret_cast<nlmsghdr*>(bytes);
        for (int left = size; nlmsg_ok(header, left) != 0; header = nlmsg_next(header, &left)) {
            if (header->nlmsg_type == NLMSG_DONE) return {};
            if (header->nlmsg_type != NLMSG_ERROR) continue;
            const auto* refused = static_cast<const nlmsgerr*>(nlmsg_data(header));
            if (nlmsg_datalen(header) >= static_cast<int>(sizeof(nlmsgerr)) && refused->error != 0)
                return std::unexpected(errno_error(-refused->error, "listing network interfaces"));
        }
    }
}

Result<bool> LinkWatch::take() {
    bool has_changed = false;
    for (std::size_t i = 0; i < kTakenAtOnce; ++i) {
        sockaddr_nl sender{};
        unsigned char* bytes = nullptr;
        const int size = nl_recv(socket_.get(), &sender, &bytes, nullptr);
        const std::unique_ptr<unsigned char, void (*)(void*)> owner(bytes, std::free);
        if (size == -NLE_AGAIN || size == 0) return has_changed;
        if (size == -NLE_INTR) continue;
        if (size == -NLE_NOMEM) { // ENOBUFS: something was lost
            if (auto read = read_all(); !read) return std::unexpected(read.error());
            has_changed = true;
            continue;
        }
        if (size < 0) return fail(Errc::io, "reading about network interfaces", nl_geterror(size));
        if (sender.nl_pid != 0) {
            ++forged_;
            continue;
        }
        has_changed |= take_netlink(table_, std::as_bytes(std::span(bytes, static_cast<std::size_t>(size))));
    }
    return has_changed;
}

} // namespace schedd::net
