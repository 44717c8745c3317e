// The clear header of datagrams, and the words for what is wrong with one.
#include "components/membership/wire.h"

#include <array>

#include "components/kit/utf8.h"
#include "components/membership/bytes.h"
#include "components/membership/wire_parts.h"

namespace schedd::membership {

std::string_view name_of(Announced state) {
    switch (state) {
    case Announced::joining: return "joining";
    case Announced::alive: return "alive";
    case Announced::isolated: return "isolated";
    case Announced::draining: return "draining";
    case Announced::leaving: return "leaving";
    }
    return "unknown";
}

namespace wire {

std::string_view name_of(Drop reason) {
    static constexpr std::array<std::string_view, kDrops> kNames{"magic", "major",  "truncated", "cluster",
                                                                 "key",   "forged", "malformed", "replay",
                                                                 "skew",  "self",   "rate",      "full"};
    const auto index = static_cast<std::size_t>(reason);
    return index < kNames.size() ? kNames[index] : "unknown";
}

Read<Header> read_header(Bytes datagram) {
    Reader reader(datagram);
    if (reader.number<std::uint16_t>() != kMagic) return std::unexpected(Drop::magic);
    Header header;
    header.major = reader.number<std::uint8_t>();
    header.type = reader.number<Type>();
    header.flags = reader.number<std::uint8_t>();
    header.key = reader.number<std::uint8_t>();
    const std::size_t length = reader.number<std::uint16_t>();
    header.cluster = reader.number<std::uint64_t>();
    header.sender = reader.number<NodeUid>();
    if (reader.is_short() || reader.left() != length) return std::unexpected(Drop::truncated);
    return header;
}

void write_header(const Header& header, std::size_t length, Space out) {
    Pen pen(out);
    pen.number(kMagic);
    pen.number(header.major);
    pen.number(header.type);
    pen.number(header.flags);
    pen.number(header.key);
    pen.number(static_cast<std::uint16_t>(length));
    pen.number(header.cluster);
    pen.number(header.sender);
}

bool is_plain_text(std::string_view text) {
    if (!is_utf8(text)) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x20 || c == 0x7f) return false;
        // U+0080 to U+009F, which some terminals obey
        if (c == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) return false;
    }
    return true;
}

} // namespace wire
} // namespace schedd::membership
