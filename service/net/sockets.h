// Making the UDP sockets: one for the group on each (interface, family), one for datagrams to this machine.
#pragma once

#include <memory>

#include "service/net/datagram_socket.h"
#include "service/net/link_table.h"

namespace schedd::net {

struct GroupPlace {
    std::uint64_t cluster = 0;
    std::uint16_t port = kPort;
    int ttl = 1; // of IPv4, and of IPv6 beyond the link: then the group is of the site
};

/// The group that a family uses.
Address group_of(const GroupPlace& place, Family family);

/// Joins on that interface alone, and hears nothing else. Fails with io or denied; the message names the
/// group and the interface.
Result<std::unique_ptr<DatagramSocket>> open_group(const GroupPlace& place, const LinkFacts& link,
                                                   Family family);

/// Whether a group datagram can have come from where groups reach: from the same link 255 hops of IPv6 are
/// left (RFC 5082); of IPv4 no more than everybody sends with.
[[nodiscard]] constexpr bool is_near(const GroupPlace& place, Family family, int hops) {
    if (hops < 0) return true;
    if (family == Family::v6 && place.ttl <= 1) return hops == 255;
    return hops <= place.ttl;
}

/// Fails with held_by_other if another program has the port, not_supported if the machine lacks the family.
Result<std::unique_ptr<DatagramSocket>> open_unicast(Family family, std::uint16_t port);

} // namespace schedd::net
