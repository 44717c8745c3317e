// Datagrams of peers: header, body, each part alone; what is read is in its limits, reads back from what is
// written of it, and opens from what is sealed of it.
#include "components/membership/envelope.h"
#include "components/membership/limits.h"
#include "components/membership/wire_parts.h"
#include "tests/fuzz/fuzz.h"
#include "tests/kit/null_cipher.h"
#include "tests/unit/membership/packets.h"

using namespace schedd;
using namespace schedd::membership;

namespace {

/// Rows kept, so that a draft can refer to them.
struct Copied {
    std::vector<Load> loads;
    std::vector<SourceName> sources;
    std::vector<Address> addresses;
    std::vector<Suspicion> suspicions;
    Draft draft;

    explicit Copied(const Message& message)
        : loads(test::rows_of(message.loads)), sources(test::rows_of(message.sources)),
          addresses(test::rows_of(message.addresses)), suspicions(test::rows_of(message.suspicions)) {
        draft = {message.header, message.core,  message.name,    message.number,
                 loads,          sources,       addresses,       message.features,
                 message.ring,   message.heard, message.applied, message.trouble,
                 suspicions,     message.nonce, message.target,  message.delta};
    }
};

void check_limits(const Message& message) {
    fuzz::require(message.core.seq > 0 && message.core.period > 0, "seq and period are not 0");
    fuzz::require(message.header.sender != kNobody, "the sender is somebody");
    fuzz::require(message.name.size() <= limits::kPeerName && message.trouble.size() <= limits::kTrouble,
                  "texts keep to their limits");
    fuzz::require(wire::is_plain_text(message.name) && wire::is_plain_text(message.trouble),
                  "texts are for people");
    fuzz::require(message.loads.size() <= limits::kSources && message.sources.size() <= limits::kSources &&
                      message.addresses.size() <= limits::kAddresses &&
                      message.suspicions.size() <= limits::kSuspicions,
                  "rows keep to their limits");
    fuzz::require(!message.number || (*message.number >= -1 && *message.number <= wire::kLastNumber),
                  "the number is one");
    message.sources.each([](const SourceName& source) {
        fuzz::require(!source.path.empty() && source.path.size() <= limits::kSourcePath,
                      "a path has a length");
        fuzz::require(wire::is_plain_text(source.path), "a path is for people");
    });
    fuzz::require(message.delta.size() <= limits::kDelta, "a delta keeps to its limit");
}

constexpr std::size_t kLongest = 4096; // of an input; what is read of it is no longer when written
constexpr std::size_t kRoom = 2 * kLongest;

/// With room for all.
void check_round(const Draft& draft) {
    std::vector<std::byte> body(kRoom);
    body.resize(wire::write_body(draft, body).size);
    const auto again = wire::read_body(draft.header, body);
    fuzz::require(again.has_value(), "what is written is read");
    fuzz::require(test::difference(*again, draft).empty(), "it is read as it was",
                  test::difference(*again, draft));
    std::vector<std::byte> twice(kRoom);
    twice.resize(wire::write_body(Copied(*again).draft, twice).size);
    fuzz::require(twice == body, "it is written as it was");
}

/// Through a datagram of 1200 bytes, in which something may have to be left out, and with one byte changed.
void check_envelope(const Draft& draft, std::size_t at) {
    test::NullCipher cipher;
    Envelope envelope(draft.header.cluster, draft.header.sender, cipher);
    const auto sealed = envelope.seal(draft);
    fuzz::require(sealed.datagram.size() <= wire::kDatagram, "a datagram keeps to its limit");
    const auto message = envelope.open(sealed.datagram);
    fuzz::require(message.has_value(), "what is sealed is opened");
    fuzz::require(message->loads.size() == sealed.loads && message->sources.size() == sealed.sources,
                  "what was left out is told");
    std::vector<std::byte> changed(sealed.datagram.begin(), sealed.datagram.end());
    changed[at % changed.size()] ^= std::byte{1};
    fuzz::require(!envelope.open(changed), "what is changed is refused");
}

void check_body(const Header& header, Bytes body, std::size_t chance) {
    const auto message = wire::read_body(header, body);
    if (!message) return;
    check_limits(*message);
    const Copied copied(*message);
    check_round(copied.draft);
    check_envelope(copied.draft, chance);
    // in memory of its own, so that the sanitizer sees what is read beyond
    const std::vector<std::byte> cut(body.begin(),
                                     body.begin() + static_cast<std::ptrdiff_t>(chance % body.size()));
    if (const auto less = wire::read_body(header, cut)) check_limits(*less);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > kLongest) return 0;
    const std::vector<std::byte> bytes(reinterpret_cast<const std::byte*>(data),
                                       reinterpret_cast<const std::byte*>(data) + size);
    test::NullCipher cipher;
    Envelope envelope(0x1122334455667788, NodeUid{1}, cipher);
    (void)envelope.open(bytes);
    std::size_t chance = size;
    for (const auto byte : bytes) chance = chance * 31 + std::to_integer<std::size_t>(byte);

    // as a datagram that is of us and whole
    if (size >= wire::kHeader) {
        auto datagram = bytes;
        const auto length = size - wire::kHeader;
        datagram[0] = std::byte{'S'};
        datagram[1] = std::byte{'C'};
        datagram[6] = static_cast<std::byte>(length >> 8U);
        datagram[7] = static_cast<std::byte>(length);
        const auto header = wire::read_header(datagram);
        fuzz::require(header.has_value(), "a header is read whatever is in it");
        std::array<std::byte, wire::kHeader> again{};
        wire::write_header(*header, length, again);
        fuzz::require(std::ranges::equal(again, Bytes(datagram).first(wire::kHeader)),
                      "and written as it was");
        check_body(*header, Bytes(datagram).subspan(wire::kHeader), chance);
    }
    // as each part by itself
    const auto& leave = test::packet(Type::leave).draft;
    Header header = leave.header;
    header.type = Type::heartbeat;
    const auto core = test::clear_of(leave).body;
    for (std::uint16_t part = 1; part <= wire::kLastPart + 1; ++part)
        check_body(header, test::with_part(core, part, fuzz::text_from(data, size)), chance);
    return 0;
}
