// Identities, addresses and digests as people read them.
#include "components/membership/ids.h"

#include <algorithm>

#include <fmt/format.h>

namespace schedd::membership {

namespace {
constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
} // namespace

std::string text_of(NodeUid uid) { return fmt::format("{:016x}", static_cast<std::uint64_t>(uid)); }

bool Address::is_v4() const { return std::equal(kMapped.begin(), kMapped.end(), ip.begin()); }

std::string text_of(const Address& address) {
    const auto& ip = address.ip;
    if (address.is_v4()) return fmt::format("{}.{}.{}.{}:{}", ip[12], ip[13], ip[14], ip[15], address.port);
    // the longest run of zero groups is left out, as RFC 5952 has it
    std::array<unsigned, 8> groups{};
    for (std::size_t i = 0; i < 8; ++i) groups[i] = ip[2 * i] * 256U + ip[2 * i + 1];
    std::size_t best = 8;
    std::size_t length = 1;
    for (std::size_t i = 0; i < 8; ++i) {
        std::size_t end = i;
        while (end < 8 && groups[end] == 0) ++end;
        if (end - i > length) {
            best = i;
            length = end - i;
        }
    }
    std::string text;
    for (std::size_t i = 0; i < 8;) {
        if (i == best) {
            text += "::";
            i += length;
            continue;
        }
        if (!text.empty() && text.back() != ':') text += ':';
        text += fmt::format("{:x}", groups[i++]);
    }
    const auto zone = address.interface == 0 ? std::string() : fmt::format("%{}", address.interface);
    return fmt::format("[{}{}]:{}", text, zone, address.port);
}

std::string short_text(const Digest& digest) {
    return fmt::format("{:02x}{:02x}{:02x}{:02x}", digest.bytes[0], digest.bytes[1], digest.bytes[2],
                       digest.bytes[3]);
}

} // namespace schedd::membership
