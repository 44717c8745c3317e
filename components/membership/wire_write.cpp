// Messages to bodies of datagrams: whatever is drafted, what is written can be read by every peer.
#include "components/membership/bytes.h"
#include "components/membership/limits.h"
#include "components/membership/wire.h"
#include "components/membership/wire_parts.h"

namespace schedd::membership::wire {

namespace {

void write_boot(Pen& pen, const Boot& boot) {
    pen.number(boot.counter);
    pen.number(boot.random);
}

void write_digest(Pen& pen, const Digest& digest) { pen.bytes(std::as_bytes(std::span(digest.bytes))); }

void write_core(Pen& pen, const Core& core) {
    write_boot(pen, core.boot);
    pen.number(core.seq);
    pen.number(core.wall_ms);
    pen.number(core.incarnation);
    pen.number(core.state);
    pen.number(core.period);
    pen.number(core.minor_min);
    pen.number(core.minor_max);
    write_digest(pen, core.digest);
    pen.number(core.latest.bits);
}

/// Writes the head of a part if all of it fits.
bool begin(Pen& pen, Part part, std::size_t length) {
    if (pen.left() < kPartHeader + length) return false;
    pen.number(part);
    pen.number(static_cast<std::uint16_t>(length));
    return true;
}

template <class Number> void write_number(Pen& pen, Part part, Number value) {
    if (begin(pen, part, sizeof(Number))) pen.number(value);
}

/// A text for people: cut to the limit, with a question mark for what may not be in it.
void write_text(Pen& pen, Part part, std::string_view text, std::size_t limit) {
    const bool is_plain = is_plain_text(text);
    if (text.size() > limit) {
        while (is_plain && (static_cast<unsigned char>(text[limit]) & 0xc0U) == 0x80) --limit;
        text = text.substr(0, limit);
    }
    if (text.empty() || !begin(pen, part, text.size())) return;
    for (const char c : text) {
        const bool is_ascii = c >= 0x20 && c < 0x7f;
        pen.number(is_ascii || is_plain ? c : '?');
    }
}

/// As many rows as fit, at most `limit`; how many those were.
template <class T, class Write>
std::size_t write_rows(Pen& pen, Part part, std::span<const T> rows, std::size_t row, std::size_t limit,
                       const Write& write) {
    if (pen.left() < kPartHeader + row) return 0;
    const auto count = std::min({rows.size(), limit, (pen.left() - kPartHeader) / row});
    if (count == 0 || !begin(pen, part, count * row)) return 0;
    for (const auto& one : rows.first(count)) write(one);
    return count;
}

std::size_t write_sources(Pen& pen, std::span<const SourceName> sources) {
    const auto start = pen.used();
    if (sources.empty() || pen.left() < kPartHeader + kSourceRow + sources.front().path.size()) return 0;
    begin(pen, Part::sources, 0);
    std::size_t count = 0;
    for (const auto& source : sources.first(std::min(sources.size(), limits::kSources))) {
        if (pen.left() < kSourceRow + source.path.size()) break;
        ++count;
        if (source.path.empty() || source.path.size() > limits::kSourcePath || !is_plain_text(source.path))
            continue; // nobody could read it, nor the rest of the datagram
        pen.number(source.id);
        pen.number(static_cast<std::uint8_t>(source.path.size()));
        pen.text(source.path);
    }
    pen.patch(start + 2, static_cast<std::uint16_t>(pen.used() - start - kPartHeader));
    return count;
}

/// All but loads, addresses and sources; first what the type of the datagram is about.
void write_small(Pen& pen, const Draft& draft) {
    if (draft.nonce) write_number(pen, Part::nonce, *draft.nonce);
    if (draft.target != kNobody) write_number(pen, Part::target, draft.target);
    if (!draft.delta.empty() && draft.delta.size() <= limits::kDelta &&
        begin(pen, Part::delta, draft.delta.size()))
        pen.bytes(draft.delta);
    write_rows(pen, Part::suspicions, draft.suspicions, kSuspicionRow, limits::kSuspicions,
               [&](const Suspicion& suspicion) {
                   pen.number(suspicion.accused);
                   write_boot(pen, suspicion.boot);
                   pen.number(suspicion.incarnation);
               });
    if (draft.features != 0) write_number(pen, Part::features, draft.features);
    if (draft.ring != 0) write_number(pen, Part::ring, draft.ring);
    if (draft.heard != 0) write_number(pen, Part::heard, draft.heard);
    if (draft.number && *draft.number >= -1 && *draft.number <= kLastNumber)
        write_number(pen, Part::number, *draft.number);
    if (draft.applied && begin(pen, Part::applied, kApplied)) {
        write_digest(pen, draft.applied->digest);
        pen.number(draft.applied->applied);
        pen.number(draft.applied->failed);
        pen.number(draft.applied->unsupported);
    }
    write_text(pen, Part::name, draft.name, limits::kPeerName);
    write_text(pen, Part::trouble, draft.trouble, limits::kTrouble);
}

} // namespace

Written write_body(const Draft& draft, Space out) {
    Pen pen(out);
    write_core(pen, draft.core);
    write_small(pen, draft);
    Written written;
    written.loads =
        write_rows(pen, Part::loads, draft.loads, kLoadRow, limits::kSources, [&](const Load& load) {
            pen.number(load.id);
            pen.number(load.value);
        });
    write_rows(pen, Part::addresses, draft.addresses, kAddressRow, limits::kAddresses,
               [&](const Address& address) { pen.bytes(std::as_bytes(std::span(address.ip))); });
    written.sources = write_sources(pen, draft.sources);
    written.size = pen.used();
    return written;
}

} // namespace schedd::membership::wire
