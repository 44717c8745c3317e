// Node: this node among its peers - heartbeats, joining and leaving, the failure detector and its guards,
// probes, clones, numbers. Pure: datagrams and time come in, datagrams and verdicts go out.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "components/kit/clock.h"
#include "components/kit/log.h"
#include "components/kit/rng.h"
#include "components/membership/cipher.h"
#include "components/membership/clocks.h"
#include "components/membership/complaints.h"
#include "components/membership/configuration.h"
#include "components/membership/peer.h"
#include "components/membership/transport.h"
#include "components/membership/values.h"
#include "components/membership/wire.h"

namespace schedd::membership {

struct NodeSettings {
    std::uint64_t cluster = 0;
    NodeUid uid{};
    Boot boot;
    std::string name;                  // a host name, for people
    std::optional<NodeId> number;      // wanted; else the lowest that is free when it has heard everybody
    std::optional<NodeId> last_number; // had in an earlier life, taken again if it is free
    Duration period = std::chrono::seconds(1);
    std::vector<Address> addresses; // own, told to others
    std::vector<Address> peers;     // `peers = ...`: everybody to everybody, up to limits::kMesh
    bool uses_group = true;
    std::size_t max_peers = limits::kPeers;
    bool is_replay_monotonic = false; // no freshness check by the wall clock, for sites without time service
    bool is_draining = false;         // kept over restarts
    std::uint64_t features = 0;       // bits, of what this build can read of a configuration
};

/// What a node may use of the world; all outlive it.
struct NodeWorld {
    const Clock& clock;
    const MachineClocks& clocks;
    Rng& rng;
    Log& log;
    Transport& transport;
    Cipher& cipher;
    Configuration& configuration;
};

/// A source that is published: its path and how to read it. None = no value now, and nothing is told.
struct Published {
    std::string path;
    std::optional<std::int32_t> value;
};

class Node {
public:
    Node(NodeSettings settings, const NodeWorld& world);
    ~Node();
    void set_listener(NodeListener* listener);

    /// Anything that came from a socket. Never fails: what is not believed is counted (Counts::dropped).
    void received(const Arrival& arrival, Bytes datagram);
    /// One of `size` bytes that has been opened elsewhere already: a simulation of a thousand nodes reads
    /// each datagram once.
    void received(const Arrival& arrival, const Message& message, std::size_t size);
    /// The kernel says that datagrams were lost before they could be read (SO_RXQ_OVFL rose).
    void overflowed();
    /// An interface came, went or changed: tells everybody at once, at most once in 0.2 s.
    void network_changed(std::span<const Address> own_addresses);
    /// Does what is due, also what was held up; returns when it wants to be called next.
    Time tick();
    /// When tick() wants to be called; received() may have brought it forward.
    [[nodiscard]] Time due() const;

    /// Read at each heartbeat; at most limits::kSources, by path.
    void set_published(std::vector<Published> sources);
    void set_name(std::string name);
    /// Taken out for maintenance, or back.
    void drain(bool is_draining);
    /// Says goodbye three times: at once, and in tick() 50 and 200 ms later; is_gone() then.
    void leave();
    [[nodiscard]] bool is_gone() const;
    /// Entries for everybody: sent at once, and again after 50 and 200 ms, unless newer ones have replaced
    /// them.
    void spread(Bytes delta);

    [[nodiscard]] Announced state() const;
    [[nodiscard]] std::optional<NodeId> number() const;
    /// Why it has no number, or not the one it wants; empty if all is well.
    [[nodiscard]] std::string_view number_trouble() const;
    [[nodiscard]] NodeUid uid() const;
    [[nodiscard]] const Values& values() const;
    /// All known peers, by number and then by name and uid; the one of that uid.
    [[nodiscard]] std::vector<PeerFacts> peers() const;
    [[nodiscard]] std::optional<PeerFacts> peer(NodeUid uid) const;
    /// The same for as long as nothing changes of what peers() tells, but for what changes by itself (ages,
    /// losses, clocks). Makes no list: for who looks each second.
    [[nodiscard]] std::uint64_t fingerprint() const;
    /// By number, name, or uid in hexadecimal digits; this node itself is kNobody's opposite: its own uid.
    [[nodiscard]] std::optional<NodeUid> find(std::string_view what) const;
    /// Own clock against the median of the peers' (ours minus theirs); none with fewer than two peers.
    [[nodiscard]] std::optional<std::int64_t> clock_offset_ms() const;

    /// Bits that this node and all who are there announce.
    [[nodiscard]] std::uint64_t common_features() const;

    struct Counts {
        std::uint64_t received = 0, received_bytes = 0, sent = 0, sent_bytes = 0;
        std::array<std::uint64_t, wire::kDrops> dropped{};
        std::uint64_t suspicions = 0, refuted = 0, deaths = 0, rejoins = 0, probes = 0;
        Duration isolated{}, worst_lag{};
    };
    [[nodiscard]] Counts counts() const;
    /// Whose datagrams are not taken, the latest first.
    [[nodiscard]] std::vector<Stranger> strangers() const;

    /// What must survive a restart: marks of the replay window, addresses and numbers of peers.
    struct Remembered {
        NodeUid uid{};
        Boot boot;
        std::uint64_t seq = 0;
        NodeId number = -1;
        std::string name;
        std::vector<Address> addresses;
        std::uint64_t heard_wall_ms = 0;
    };
    [[nodiscard]] std::vector<Remembered> remember() const;
    /// From an earlier life; before the first tick.
    void recall(std::span<const Remembered> peers);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace schedd::membership
