// Reading the [cluster] table: scalars by a table of specifications, lists and addresses by hand.
#include "service/config_cluster.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "components/kit/number.h"
#include "components/kit/utf8.h"
#include "components/membership/limits.h"

namespace schedd::service {

namespace {

using membership::Address;
using membership::ClusterSettings;

constexpr std::size_t kPatterns = 64;      // of interfaces
constexpr std::size_t kInterfaceName = 15; // the kernel's IFNAMSIZ less its zero

constexpr AttributeSpec kCluster[] = {
    {.name = "name", .kind = AttributeKind::text, .initial = "schedd"},
    {.name = "node_name", .kind = AttributeKind::text, .initial = ""},
    {.name = "number", .initial = "0", .maximum = 65'535},
    {.name = "port", .initial = "7420", .minimum = 1, .maximum = 65'535},
    {.name = "multicast", .kind = AttributeKind::boolean, .initial = "true"},
    {.name = "period", .unit = "ms", .initial = "1000", .minimum = 100, .maximum = 25'500},
    {.name = "keys", .kind = AttributeKind::text, .initial = ""},
    {.name = "replay", .kind = AttributeKind::choice, .initial = "wall", .choices = "wall monotonic"},
    {.name = "group_ttl", .initial = "1", .minimum = 1, .maximum = 255},
    {.name = "config_quorum", .initial = "1", .minimum = 1, .maximum = membership::limits::kPeers},
    {.name = "local", .kind = AttributeKind::boolean, .initial = "false"},
};

constexpr std::array<std::string_view, 2> kLists{"interfaces", "peers"};

Status refuse(const TomlValue& value, std::string_view key, std::string_view text, std::string accepted) {
    return fail_at(value.where, Errc::invalid_value,
                   fmt::format("{} cannot be '{}'", key, text.substr(0, 64)), std::move(accepted));
}

bool is_printable(std::string_view text) {
    return is_utf8(text) && std::ranges::none_of(text, [](char c) {
               return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
           });
}

/// Names stand in node sets ("0-2,web") and in "NAME:PATH", beside numbers and uids.
bool is_node_name(std::string_view name) {
    const auto one_of = [](std::string_view set) {
        return [set](char c) { return set.find(c) != std::string_view::npos; };
    };
    constexpr std::string_view kHex = "0123456789abcdefABCDEF";
    constexpr std::string_view kLetters = "ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ-_.";
    const bool fits = !name.empty() && name.size() <= membership::limits::kPeerName;
    return fits &&
           std::ranges::all_of(name, [&](char c) { return one_of(kHex)(c) || one_of(kLetters)(c); }) &&
           !std::ranges::all_of(name, one_of("0123456789-_.")) &&
           !(name.size() == 16 && std::ranges::all_of(name, one_of(kHex)));
}

/// A scalar that has passed its specification.
Status take(const TomlValue& at, std::string_view key, const AttributeValue& value, ClusterSettings& out) {
    const auto number = [&] { return std::get<std::uint64_t>(value); };
    const auto text = [&]() -> const std::string& { return std::get<std::string>(value); };
    if (key == "name") {
        if (text().empty() || text().size() > membership::limits::kPeerName || !is_printable(text()))
            return refuse(at, key, text(), "it takes 1 to 64 bytes of printable text");
        out.name = text();
    } else if (key == "node_name") {
        if (!is_node_name(text()))
            return refuse(at, key, text(),
                          "it takes 1 to 64 letters, digits, '-', '_' and '.', a letter among them");
        out.node_name = text();
    } else if (key == "period") {
        if (number() % 100 != 0) return refuse(at, key, text_of(value), "it takes whole hundreds of ms");
        out.period = std::chrono::milliseconds(number());
    } else if (key == "keys") {
        if (!text().starts_with('/') || !is_printable(text()))
            return refuse(at, key, text(), "it takes the absolute path of a file");
        out.keys = text();
    } else if (key == "number") out.number = static_cast<membership::NodeId>(number());
    else if (key == "port") out.port = static_cast<std::uint16_t>(number());
    else if (key == "multicast") out.multicast = std::get<bool>(value);
    else if (key == "replay") out.is_replay_monotonic = text() == "monotonic";
    else if (key == "group_ttl") out.group_ttl = static_cast<std::uint8_t>(number());
    else if (key == "config_quorum") out.config_quorum = static_cast<std::uint16_t>(number());
    else if (key == "local") out.local = std::get<bool>(value);
    return {};
}

Status take_interface(const TomlValue& value, const std::string& text, ClusterSettings& out) {
    const bool is_pattern = !text.empty() && text.size() <= kInterfaceName && is_printable(text) &&
                            text.find_first_of("/ ") == std::string::npos;
    if (!is_pattern)
        return refuse(value, "an interface", text, "it takes a name or pattern such as \"eth0\" or \"en*\"");
    out.interfaces.push_back(text);
    return {};
}

Status take_peer(const TomlValue& value, const std::string& text, ClusterSettings& out) {
    const auto address = parse_peer(text);
    if (!address) return fail_at(value.where, address.error());
    out.peers.push_back(*address);
    return {};
}

Status take_list(const TomlValue::Entry& entry, ClusterSettings& out) {
    const bool is_peers = entry.key == "peers";
    const auto limit = is_peers ? membership::limits::kMesh : kPatterns;
    const auto* list = entry.value.array();
    const auto wanted = is_peers ? "a list of addresses such as [\"10.0.0.2\", \"[fd00::3]:7420\"]"
                                 : "a list of names or patterns such as [\"eth0\", \"en*\"]";
    if (!list) return wrong_sort(entry, wanted);
    if (list->size() > limit)
        return fail_at(entry.value.where, Errc::limit_exceeded, fmt::format("{} {}", list->size(), entry.key),
                       fmt::format("limit {} = {}{}", entry.key, limit,
                                   is_peers ? "; with multicast they need not be named" : ""));
    for (const auto& value : *list) {
        const auto* text = value.text();
        if (!text) return wrong_sort({entry.key, value}, wanted);
        if (auto taken = is_peers ? take_peer(value, *text, out) : take_interface(value, *text, out); !taken)
            return taken;
    }
    return {};
}

/// What can only be seen of the table as a whole.
Status finish(const TomlValue::Entry& entry, ClusterSettings& settings) {
    for (auto& peer : settings.peers)
        if (peer.port == 0) peer.port = settings.port;
    for (auto peer = settings.peers.begin(); peer != settings.peers.end(); ++peer)
        if (std::find(settings.peers.begin(), peer, *peer) != peer)
            return fail_at(entry.value.where, Errc::exists,
                           fmt::format("peer number {} is there twice", peer - settings.peers.begin() + 1),
                           "name each peer once");
    if (!settings.multicast && settings.peers.empty())
        return fail_at(entry.value.where, Errc::conflict,
                       "multicast = false and no peers: nobody would be told",
                       "add peers = [\"10.0.0.2\", ...] or multicast = true");
    return {};
}

} // namespace

Result<Address> parse_peer(std::string_view text) {
    const auto refused = [&](std::string_view accepted) {
        return fail(Errc::invalid_value, fmt::format("a peer cannot be '{}'", text.substr(0, 64)),
                    std::string(accepted));
    };
    constexpr std::string_view kForms = "it takes an address such as 10.0.0.2, 10.0.0.2:7420, fd00::3 or "
                                        "[fd00::3]:7420; names are not looked up";
    auto host = text;
    std::optional<std::string_view> port;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return refused(kForms);
        host = text.substr(1, close - 1);
        if (close + 1 < text.size()) {
            if (text[close + 1] != ':') return refused(kForms);
            port = text.substr(close + 2);
        }
    } else if (std::ranges::count(text, ':') == 1) {
        host = text.substr(0, text.find(':'));
        port = text.substr(text.find(':') + 1);
    }
    Address address;
    if (port) {
        const auto number = parse_unsigned(*port);
        if (!number || *number < 1 || *number > 65'535) return refused("its port is 1 to 65535");
        address.port = static_cast<std::uint16_t>(*number);
    }
    const std::string plain(host);
    if (plain.find('\0') != std::string::npos) return refused(kForms);
    in_addr four{};
    if (inet_pton(AF_INET, plain.c_str(), &four) == 1 && !text.starts_with('[')) {
        address.ip[10] = address.ip[11] = 0xff;
        const auto bits = ntohl(four.s_addr);
        for (std::size_t i = 0; i < 4; ++i)
            address.ip[12 + i] = static_cast<std::uint8_t>(bits >> (24 - 8 * i));
    } else if (inet_pton(AF_INET6, plain.c_str(), address.ip.data()) != 1) {
        return refused(kForms);
    }
    in6_addr bits{};
    std::ranges::copy(address.ip, bits.s6_addr);
    const bool is_v4 = IN6_IS_ADDR_V4MAPPED(&bits);
    const auto first = is_v4 ? address.ip[12] : address.ip[0];
    if (is_v4 ? first == 0 || first >= 224 : first == 0xff || IN6_IS_ADDR_UNSPECIFIED(&bits))
        return refused("it takes the address of one machine");
    if (!is_v4 && IN6_IS_ADDR_LINKLOCAL(&bits))
        return refused("an address of one link says nothing without its interface; use another of that node");
    return address;
}

Result<ClusterSettings> read_cluster(const TomlValue::Entry& entry) {
    const auto* table = entry.value.table();
    if (!table) return wrong_sort(entry, "a table: [cluster]");
    ClusterSettings settings;
    for (const auto& inner : *table) {
        if (std::ranges::find(kLists, inner.key) != kLists.end()) {
            if (auto taken = take_list(inner, settings); !taken) return std::unexpected(taken.error());
            continue;
        }
        const auto* spec = std::ranges::find(kCluster, std::string_view(inner.key), &AttributeSpec::name);
        if (spec == std::end(kCluster)) {
            std::vector<std::string_view> known;
            for (const auto& row : kCluster) known.push_back(row.name);
            known.insert(known.end(), kLists.begin(), kLists.end());
            return unknown_key(inner, "[cluster]", known);
        }
        const auto* written = inner.value.scalar();
        if (!written) return wrong_sort(inner, "a string, a whole number, true or false");
        const auto value = check_attribute(*spec, *written);
        if (!value) return fail_at(inner.value.where, value.error());
        if (auto taken = take(inner.value, inner.key, *value, settings); !taken)
            return std::unexpected(taken.error());
    }
    if (auto checked = finish(entry, settings); !checked) return std::unexpected(checked.error());
    return settings;
}

} // namespace schedd::service
