// Bodies of datagrams to messages: the core, then parts in any order, each at most once.
#include <bitset>

#include "components/membership/bytes.h"
#include "components/membership/limits.h"
#include "components/membership/wire.h"
#include "components/membership/wire_parts.h"

namespace schedd::membership::wire {

namespace {

std::string_view text_from(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Boot read_boot(Reader& reader) {
    Boot boot;
    boot.counter = reader.number<std::uint32_t>();
    boot.random = reader.number<std::uint32_t>();
    return boot;
}

Digest read_digest(Reader& reader) {
    Digest digest;
    const auto bytes = reader.take(digest.bytes.size());
    if (!bytes.empty()) std::memcpy(digest.bytes.data(), bytes.data(), bytes.size());
    return digest;
}

// Rows. What they read has been found to fit.

Load load_row(Bytes bytes, std::size_t& length) {
    length = kLoadRow;
    Reader reader(bytes);
    Load load;
    load.id = reader.number<std::uint16_t>();
    load.value = reader.number<std::int32_t>();
    return load;
}

SourceName source_row(Bytes bytes, std::size_t& length) {
    Reader reader(bytes);
    SourceName source;
    source.id = reader.number<std::uint16_t>();
    source.path = text_from(reader.take(reader.number<std::uint8_t>()));
    length = kSourceRow + source.path.size();
    return source;
}

Address address_row(Bytes bytes, std::size_t& length) {
    length = kAddressRow;
    Address address;
    std::memcpy(address.ip.data(), bytes.data(), address.ip.size());
    return address;
}

Suspicion suspicion_row(Bytes bytes, std::size_t& length) {
    length = kSuspicionRow;
    Reader reader(bytes);
    Suspicion suspicion;
    suspicion.accused = reader.number<NodeUid>();
    suspicion.boot = read_boot(reader);
    suspicion.incarnation = reader.number<std::uint32_t>();
    return suspicion;
}

template <class T>
bool read_rows(Bytes bytes, std::size_t row, std::size_t limit, typename Rows<T>::Read read, Rows<T>& out) {
    if (bytes.size() % row != 0 || bytes.size() / row > limit) return false;
    out = Rows<T>(bytes, bytes.size() / row, read);
    return true;
}

bool read_sources(Bytes bytes, Rows<SourceName>& out) {
    std::size_t count = 0;
    Reader reader(bytes);
    while (reader.left() > 0) {
        (void)reader.number<std::uint16_t>();
        const auto path = text_from(reader.take(reader.number<std::uint8_t>()));
        if (reader.is_short() || path.empty() || path.size() > limits::kSourcePath || !is_plain_text(path) ||
            ++count > limits::kSources)
            return false;
    }
    out = Rows<SourceName>(bytes, count, source_row);
    return true;
}

bool read_text(Bytes bytes, std::size_t limit, std::string_view& out) {
    out = text_from(bytes);
    return !out.empty() && out.size() <= limit && is_plain_text(out);
}

template <class Number, class Out> bool read_number(Bytes bytes, Out& out) {
    if (bytes.size() != sizeof(Number)) return false;
    out = Reader(bytes).number<Number>();
    return true;
}

bool read_applied(Bytes bytes, std::optional<ApplyStatus>& out) {
    if (bytes.size() != kApplied) return false;
    Reader reader(bytes);
    out.emplace();
    out->digest = read_digest(reader);
    out->applied = reader.number<std::uint32_t>();
    out->failed = reader.number<std::uint32_t>();
    out->unsupported = reader.number<std::uint32_t>();
    return true;
}

bool read_part(Part part, Bytes bytes, Message& message) {
    switch (part) {
    case Part::loads: return read_rows(bytes, kLoadRow, limits::kSources, load_row, message.loads);
    case Part::sources: return read_sources(bytes, message.sources);
    case Part::name: return read_text(bytes, limits::kPeerName, message.name);
    case Part::number:
        return read_number<NodeId>(bytes, message.number) && *message.number >= -1 &&
               *message.number <= kLastNumber;
    case Part::addresses:
        return read_rows(bytes, kAddressRow, limits::kAddresses, address_row, message.addresses);
    case Part::features: return read_number<std::uint64_t>(bytes, message.features);
    case Part::ring: return read_number<std::uint64_t>(bytes, message.ring);
    case Part::heard: return read_number<std::uint16_t>(bytes, message.heard);
    case Part::applied: return read_applied(bytes, message.applied);
    case Part::trouble: return read_text(bytes, limits::kTrouble, message.trouble);
    case Part::suspicions:
        return read_rows(bytes, kSuspicionRow, limits::kSuspicions, suspicion_row, message.suspicions);
    case Part::nonce: return read_number<std::uint64_t>(bytes, message.nonce);
    case Part::target: return read_number<NodeUid>(bytes, message.target);
    case Part::delta: message.delta = bytes; return !bytes.empty() && bytes.size() <= limits::kDelta;
    }
    return true; // of a newer minor version
}

/// Fails with truncated if it is too short.
bool read_core(Reader& reader, Core& core) {
    core.boot = read_boot(reader);
    core.seq = reader.number<std::uint64_t>();
    core.wall_ms = reader.number<std::uint64_t>();
    core.incarnation = reader.number<std::uint32_t>();
    core.state = reader.number<Announced>();
    core.period = reader.number<std::uint8_t>();
    core.minor_min = reader.number<std::uint8_t>();
    core.minor_max = reader.number<std::uint8_t>();
    core.digest = read_digest(reader);
    core.latest.bits = reader.number<std::uint64_t>();
    return !reader.is_short();
}

bool is_sound(const Core& core) {
    return core.seq > 0 && core.period > 0 && core.state >= Announced::joining &&
           core.state <= Announced::leaving && core.minor_min <= core.minor_max;
}

/// Whether it has what its type is about; types of newer minor versions are a sign of life and no more.
bool is_whole(const Message& message) {
    switch (message.header.type) {
    case Type::ping:
    case Type::ack: return message.nonce.has_value();
    case Type::ping_request: return message.nonce && message.target != kNobody;
    case Type::suspect: return !message.suspicions.empty();
    case Type::conf_delta: return !message.delta.empty();
    case Type::heartbeat:
    case Type::join:
    case Type::leave: break;
    }
    return true;
}

} // namespace

Read<Message> read_body(const Header& header, Bytes body) {
    if (header.major != kMajor) return std::unexpected(Drop::major);
    Message message;
    message.header = header;
    Reader reader(body);
    if (!read_core(reader, message.core)) return std::unexpected(Drop::truncated);
    if (!is_sound(message.core) || header.sender == kNobody) return std::unexpected(Drop::malformed);
    std::bitset<kLastPart + 1> seen;
    while (reader.left() > 0) {
        const auto part = reader.number<std::uint16_t>();
        const auto bytes = reader.take(reader.number<std::uint16_t>());
        if (reader.is_short()) return std::unexpected(Drop::truncated);
        if (part == 0 || part > kLastPart) continue;
        if (seen.test(part) || !read_part(static_cast<Part>(part), bytes, message))
            return std::unexpected(Drop::malformed);
        seen.set(part);
    }
    if (!is_whole(message)) return std::unexpected(Drop::malformed);
    return message;
}

} // namespace schedd::membership::wire
