// Message: what one datagram says, read; views refer to the bytes that it was read from.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "components/membership/cipher.h"
#include "components/membership/ids.h"

namespace schedd::membership {

enum class Type : std::uint8_t {
    heartbeat = 1,    // to the group, every period
    join = 2,         // to the group: a heartbeat of somebody who has just come
    leave = 3,        // to the group: goes on purpose
    ping = 4,         // to one: are you there? carries a nonce
    ack = 5,          // to one: I am; the same nonce
    ping_request = 6, // to one: ping `target` for me
    suspect = 7,      // to the accused, by way of the group
    conf_delta = 8,   // to the group: entries of the configuration that have just changed
};

/// What a node says of itself.
enum class Announced : std::uint8_t {
    joining = 1,  // has not got the configuration yet: nothing is placed there
    alive = 2,    //
    isolated = 3, // hears too few of the others: places nothing elsewhere
    draining = 4, // taken out for maintenance
    leaving = 5,
};
std::string_view name_of(Announced state);

/// Bits of Header::flags; unknown ones are ignored.
namespace flags {
constexpr std::uint8_t kLease = 1; // ping: send copies of your heartbeats here, the group's do not come
constexpr std::uint8_t kNumberWanted = 2; // heartbeat: the number was given by the configuration
} // namespace flags

/// In clear, authenticated. 24 bytes on the wire.
struct Header {
    std::uint8_t major = 1;
    Type type = Type::heartbeat;
    std::uint8_t flags = 0;
    std::uint8_t key = 0;
    std::uint64_t cluster = 0; // of the cluster's name
    NodeUid sender{};
};

/// In every body. 56 bytes on the wire.
struct Core {
    Boot boot;
    std::uint64_t seq = 0; // counts this node's datagrams of this life, from 1
    std::uint64_t wall_ms = 0;
    std::uint32_t incarnation = 0; // grows when an accusation is refuted
    Announced state = Announced::joining;
    std::uint8_t period = 10; // in tenths of a second
    std::uint8_t minor_min = 0;
    std::uint8_t minor_max = 0;
    Digest digest;
    Hlc latest;
};

/// A published source's value. `id` is the sender's own number for the source (Message::sources tells them).
struct Load {
    std::uint16_t id = 0;
    std::int32_t value = 0;
    bool operator==(const Load&) const = default;
};

/// Path of a published source, such as "probes/cpu/node_load".
struct SourceName {
    std::uint16_t id = 0;
    std::string_view path;
    bool operator==(const SourceName&) const = default;
};

/// What became of the configuration at the sender: which it has carried out, and how.
struct ApplyStatus {
    Digest digest; // of the configuration that the counts are about
    std::uint32_t applied = 0;
    std::uint32_t failed = 0;
    std::uint32_t unsupported = 0;
    bool operator==(const ApplyStatus&) const = default;
};

struct Suspicion {
    NodeUid accused{};
    Boot boot;
    std::uint32_t incarnation = 0;
    bool operator==(const Suspicion&) const = default;
};

/// Rows of a fixed size inside the datagram, read one by one.
template <class T> class Rows {
public:
    Rows() = default;
    /// `read(bytes)` gives row 0 of what is left and its length; the decoder has checked that all rows fit.
    using Read = T (*)(Bytes bytes, std::size_t& length);
    Rows(Bytes bytes, std::size_t count, Read read) : bytes_(bytes), count_(count), read_(read) {}
    [[nodiscard]] std::size_t size() const { return count_; }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    template <class Visit> void each(const Visit& visit) const {
        Bytes rest = bytes_;
        for (std::size_t i = 0; i < count_; ++i) {
            std::size_t length = 0;
            visit(read_(rest, length));
            rest = rest.subspan(length);
        }
    }

private:
    Bytes bytes_;
    std::size_t count_ = 0;
    Read read_ = nullptr;
};

/// What is absent was not in the datagram. Unknown parts are skipped.
struct Message {
    Header header;
    Core core;
    std::string_view name;              // every tenth beat, and when it has changed
    std::optional<NodeId> number;       // likewise; -1 = has none
    Rows<Load> loads;                   // all that are published now
    Rows<SourceName> sources;           // names of some of them; all are told within ten beats
    Rows<Address> addresses;            // own unicast addresses (port and interface 0), every tenth beat
    std::uint64_t features = 0;         // bits; a kind of entry is written only when all alive can read it
    std::uint64_t ring = 0;             // Cipher::fingerprint
    std::uint16_t heard = 0;            // how many peers were heard within 2.5 periods
    std::optional<ApplyStatus> applied; //
    std::string_view trouble;           // why something of the configuration failed here, at most 128 bytes
    Rows<Suspicion> suspicions;         // at most eight
    std::optional<std::uint64_t> nonce; // ping, ack, ping_request
    NodeUid target{};                   // ping_request; ack: who has answered another's request
    Bytes delta;                        // conf_delta: an encoded list of entries (store.h)
};

/// What a node puts into a datagram; the same words, owned by the sender.
struct Draft {
    Header header;
    Core core;
    std::string_view name;
    std::optional<NodeId> number;
    std::span<const Load> loads;
    std::span<const SourceName> sources;
    std::span<const Address> addresses;
    std::uint64_t features = 0;
    std::uint64_t ring = 0;
    std::uint16_t heard = 0;
    std::optional<ApplyStatus> applied;
    std::string_view trouble;
    std::span<const Suspicion> suspicions;
    std::optional<std::uint64_t> nonce;
    NodeUid target{};
    Bytes delta;
};

} // namespace schedd::membership
