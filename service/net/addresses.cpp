// Reading and writing addresses.
#include "service/net/addresses.h"

#include <algorithm>
#include <cstring>
#include <string>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>

#include "components/kit/number.h"

namespace schedd::net {

namespace {

Address of_v4(const in_addr& ip, std::uint16_t port) {
    Address address;
    address.ip[10] = address.ip[11] = 0xff;
    std::memcpy(&address.ip[12], &ip, 4);
    address.port = port;
    return address;
}

std::unexpected<Error> unreadable(std::string_view text) {
    return fail(Errc::invalid_value, fmt::format("'{}' is no address of a peer", text),
                "write 10.0.0.2, 10.0.0.2:7420, fd00::3, [fd00::3]:7420 or [fe80::1%eth0]:7420");
}

/// "fe80::1%eth0" without its zone; the zone's index goes to `interface`.
bool take_zone(std::string& host, std::uint32_t& interface) {
    const auto percent = host.find('%');
    if (percent == std::string::npos) return true;
    const auto zone = host.substr(percent + 1);
    host.resize(percent);
    interface = ::if_nametoindex(zone.c_str());
    if (interface == 0)
        if (const auto index = parse_unsigned(zone); index && *index <= UINT32_MAX)
            interface = static_cast<std::uint32_t>(*index);
    return interface != 0;
}

} // namespace

SocketAddress to_socket(const Address& address) {
    SocketAddress made;
    if (address.is_v4()) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(address.port);
        std::memcpy(&to.sin_addr, &address.ip[12], 4);
        std::memcpy(&made.bytes, &to, sizeof to);
        made.size = sizeof to;
        return made;
    }
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(address.port);
    std::memcpy(&to.sin6_addr, address.ip.data(), 16);
    if (is_link_local(address) || is_multicast(address)) to.sin6_scope_id = address.interface;
    std::memcpy(&made.bytes, &to, sizeof to);
    made.size = sizeof to;
    return made;
}

Address from_socket(const sockaddr_storage& from, std::uint32_t interface) {
    if (from.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &from, sizeof v4);
        return of_v4(v4.sin_addr, ntohs(v4.sin_port));
    }
    Address address;
    if (from.ss_family != AF_INET6) return address;
    sockaddr_in6 v6{};
    std::memcpy(&v6, &from, sizeof v6);
    std::memcpy(address.ip.data(), &v6.sin6_addr, 16);
    address.port = ntohs(v6.sin6_port);
    if (is_link_local(address)) address.interface = interface;
    return address;
}

bool is_multicast(const Address& address) {
    return address.is_v4() ? (address.ip[12] & 0xf0U) == 0xe0U : address.ip[0] == 0xffU;
}

bool is_link_local(const Address& address) {
    return !address.is_v4() && address.ip[0] == 0xfeU && (address.ip[1] & 0xc0U) == 0x80U;
}

Result<Address> parse_address(std::string_view text, std::uint16_t port) {
    std::string host(text);
    std::string_view port_text;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return unreadable(text);
        host = text.substr(1, close - 1);
        const auto rest = text.substr(close + 1);
        if (!rest.empty() && (rest.front() != ':' || rest.size() == 1)) return unreadable(text);
        if (!rest.empty()) port_text = rest.substr(1);
    } else if (std::ranges::count(text, ':') == 1) {
        const auto colon = text.find(':');
        host = text.substr(0, colon);
        port_text = text.substr(colon + 1);
        if (port_text.empty()) return unreadable(text);
    }
    if (!port_text.empty()) {
        const auto number = parse_unsigned(port_text);
        if (!number || *number == 0 || *number > UINT16_MAX) return unreadable(text);
        port = static_cast<std::uint16_t>(*number);
    }
    std::uint32_t interface = 0;
    if (host.size() > 64 || host.find('\0') != std::string::npos || !take_zone(host, interface))
        return unreadable(text);
    Address address;
    in_addr v4{};
    if (interface == 0 && !text.starts_with('[') && ::inet_pton(AF_INET, host.c_str(), &v4) == 1) {
        address = of_v4(v4, port);
    } else {
        if (::inet_pton(AF_INET6, host.c_str(), address.ip.data()) != 1) return unreadable(text);
        address.port = port;
        if (is_link_local(address)) address.interface = interface;
        if (is_link_local(address) && interface == 0)
            return fail(Errc::invalid_value, fmt::format("'{}' is on every link", text),
                        "say on which, such as [fe80::1%eth0]:7420");
    }
    if (is_multicast(address))
        return fail(Errc::invalid_value, fmt::format("'{}' is a group, not a peer", text),
                    "an address of one machine; groups follow from the cluster's name");
    return address;
}

Address group_v4(std::uint64_t cluster, std::uint16_t port) {
    const auto x = static_cast<std::uint8_t>((cluster >> 8U) % 255U);
    const std::array<std::uint8_t, 4> bytes{239, 255, x, static_cast<std::uint8_t>(cluster)};
    in_addr ip{};
    std::memcpy(&ip, bytes.data(), 4);
    return of_v4(ip, port);
}

Address group_v6(std::uint64_t cluster, std::uint16_t port, bool is_site) {
    Address address;
    address.ip[0] = 0xff;
    address.ip[1] = is_site ? 0x15 : 0x12;
    for (unsigned i = 0; i < 4; ++i)
        address.ip[12 + i] = static_cast<std::uint8_t>(cluster >> (8U * (3U - i)));
    address.ip[12] |= 0x80U;
    address.port = port;
    return address;
}

} // namespace schedd::net
