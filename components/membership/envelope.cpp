// Sealing and opening of datagrams.
#include "components/membership/envelope.h"

namespace schedd::membership {

using wire::Drop;

Envelope::Sealed Envelope::seal(const Draft& draft) {
    Header header = draft.header;
    header.major = wire::kMajor;
    header.key = cipher_.active();
    header.cluster = cluster_;
    header.sender = self_;
    const Space space(draft_);
    const auto room = wire::kDatagram - wire::kHeader - cipher_.overhead();
    const auto written = wire::write_body(draft, space.first(room));
    const auto clear = Space(sealed_).first(wire::kHeader);
    wire::write_header(header, written.size + cipher_.overhead(), clear);
    const auto size =
        cipher_.seal(header.key, clear, space.first(written.size), Space(sealed_).subspan(wire::kHeader));
    return {Bytes(sealed_).first(wire::kHeader + size), written.loads, written.sources};
}

wire::Read<Message> Envelope::read(Bytes datagram) {
    const auto header = wire::read_header(datagram);
    if (!header) return std::unexpected(header.error());
    header_ = *header;
    if (header_.cluster != cluster_) return std::unexpected(Drop::cluster);
    if (!cipher_.knows(header_.key)) return std::unexpected(Drop::key);
    const auto sealed = datagram.subspan(wire::kHeader);
    if (sealed.size() < cipher_.overhead()) return std::unexpected(Drop::truncated);
    // longer than any of ours may be, and than there is room for
    if (datagram.size() > wire::kDatagram) return std::unexpected(Drop::truncated);
    const auto size = cipher_.open(header_.key, datagram.first(wire::kHeader), sealed, opened_);
    if (!size) return std::unexpected(Drop::forged);
    return wire::read_body(header_, Bytes(opened_).first(*size));
}

wire::Read<Message> Envelope::open(Bytes datagram) {
    auto message = read(datagram);
    if (!message) count(message.error());
    return message;
}

} // namespace schedd::membership
