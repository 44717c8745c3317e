// Peers: the table of all peers that are known, found by uid without allocating, with a bound on its memory.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "components/membership/bucket.h"
#include "components/membership/detector.h"
#include "components/membership/limits.h"
#include "components/membership/peer.h"
#include "components/membership/replay.h"

namespace schedd::membership {

/// How a peer stands by itself; with what it announces it makes a Standing.
enum class Level : std::uint8_t { present, late, suspect, dead, left, skewed, incompatible };
constexpr bool is_there(Level level) { return level <= Level::suspect; }

/// What is kept of one peer; what each heartbeat touches comes first.
struct Peer {
    NodeUid uid{};
    Life life;
    Time heard{};    // anything
    Time beat{};     // a heartbeat
    Time vouched{};  // another said that it answers
    Time answered{}; // its first answer since the last heartbeat
    std::uint8_t period = 10;
    Level level = Level::present;
    Announced announced = Announced::joining;
    bool is_unicast = false;
    bool is_number_wanted = false; // by its configuration
    std::uint8_t asked = 0;        // pings since it was suspected
    std::uint8_t address_count = 0;
    std::uint8_t name_size = 0;
    std::int32_t offset_ms = 0; // our wall clock less its
    float loss = 0;
    NodeId number = -1;
    std::uint32_t incarnation = 0;

    Digest digest;
    Time since{};
    Time probe{};            // the next one
    std::uint64_t nonce = 0; // of the probes
    std::uint64_t heard_wall_ms = 0;
    std::uint64_t ring = 0;
    std::uint64_t features = 0;
    Bucket replies;
    std::array<Address, limits::kAddresses> addresses{}; // the first is where it was heard last
    std::optional<ApplyStatus> applied;
    std::unique_ptr<std::string> trouble;
    std::array<char, limits::kPeerName> name_bytes{};
    std::uint8_t minor_min = 0;
    std::uint8_t minor_max = 0;

    /// It answers, and has for a while, but its heartbeats do not come: the group's do not reach us. Just
    /// after a partition it answers before its next heartbeat can have come.
    [[nodiscard]] bool is_mute(Time now) const {
        return now - beat >= detector::lease_after(pace()) && answered > beat &&
               now - answered >= detector::late_after(pace());
    }
    [[nodiscard]] std::string_view name() const { return {name_bytes.data(), name_size}; }
    void set_name(std::string_view name);
    [[nodiscard]] Standing standing() const;
    [[nodiscard]] Duration pace() const { return std::chrono::milliseconds(period * 100); }
    /// Where it was heard from comes first, then what it tells of itself.
    void heard_at(const Address& from);
    void told(const Rows<Address>& own);
    void set_trouble(std::string_view text);
    /// A heartbeat has come; lost ones are counted by the time between two.
    void count_beat(Time now);
};

class Peers {
public:
    explicit Peers(std::size_t limit) : limit_(limit) {}

    [[nodiscard]] Peer* find(NodeUid uid);
    [[nodiscard]] const Peer* find(NodeUid uid) const;
    /// A new one; if the table is full, one who is gone makes room, the one longest unheard first, and is
    /// told in `evicted`. None if all are there. REQUIRES: find(uid) is none. Pointers to others become
    /// invalid.
    Peer* add(NodeUid uid, std::optional<NodeUid>& evicted);
    void remove(NodeUid uid);

    [[nodiscard]] auto begin() { return peers_.begin(); }
    [[nodiscard]] auto end() { return peers_.end(); }
    [[nodiscard]] auto begin() const { return peers_.begin(); }
    [[nodiscard]] auto end() const { return peers_.end(); }
    [[nodiscard]] std::size_t size() const { return peers_.size(); }
    [[nodiscard]] Peer& operator[](std::size_t index) { return peers_[index]; }
    [[nodiscard]] std::size_t bytes() const;

private:
    static constexpr std::uint16_t kEmpty = UINT16_MAX;
    [[nodiscard]] std::size_t slot_of(NodeUid uid) const;
    void index_all(std::size_t slots);

    std::size_t limit_;
    std::vector<Peer> peers_;
    std::vector<std::uint16_t> slots_; // open addressing; at most half are taken
};

} // namespace schedd::membership
