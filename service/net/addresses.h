// Addresses of membership as the kernel's sockets have them, as people write them, and the cluster's groups.
#pragma once

#include <cstdint>
#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>

#include "components/kit/result.h"
#include "components/membership/ids.h"

namespace schedd::net {

using namespace schedd::kit;
using membership::Address;

constexpr std::uint16_t kPort = 7420;

enum class Family : std::uint8_t { v4, v6 };
constexpr const char* name_of(Family family) { return family == Family::v4 ? "IPv4" : "IPv6"; }

/// For calls of either family.
struct SocketAddress {
    sockaddr_storage bytes{};
    socklen_t size = 0;
    [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
    [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&bytes); }
};
/// IPv4 addresses as sockaddr_in. The interface is told only for link-local addresses and groups, where the
/// kernel wants it.
SocketAddress to_socket(const Address& address);
/// ::ffff:0:0/96 and sockaddr_in come as IPv4. A family other than these two is the unspecified address.
/// Only a link-local address keeps `interface`, the index of the interface it came in by.
Address from_socket(const sockaddr_storage& from, std::uint32_t interface);

[[nodiscard]] bool is_multicast(const Address& address);
[[nodiscard]] bool is_link_local(const Address& address);
[[nodiscard]] constexpr Family family_of(bool is_v4) { return is_v4 ? Family::v4 : Family::v6; }

/// "10.0.0.2", "10.0.0.2:7420", "fd00::3", "[fd00::3]:7420", "[fe80::1%eth0]:7420"; `port` where none is
/// written. Fails with invalid_value for anything else, also names of hosts, groups, and port 0.
Result<Address> parse_address(std::string_view text, std::uint16_t port);

/// 239.255.X.Y (RFC 2365: kept inside the organisation), X and Y from the cluster; X is never 255, where
/// SSDP is.
Address group_v4(std::uint64_t cluster, std::uint16_t port);
/// ff12::8xxx:xxxx on the link, or ff15:: for a site with routers (RFC 4291, RFC 3307: dynamic identifiers).
Address group_v6(std::uint64_t cluster, std::uint16_t port, bool is_site);

} // namespace schedd::net
