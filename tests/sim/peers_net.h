// PeersNet: many nodes of membership over a simulated network and a clock of whole milliseconds; one seed is
// one run.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "components/membership/envelope.h"
#include "components/membership/node.h"
#include "tests/kit/null_cipher.h"

namespace schedd::test {

using namespace std::chrono_literals;
using namespace schedd::membership;

/// What the network does to datagrams.
struct Weather {
    double loss = 0; // of each datagram to each receiver
    double burst_loss =
        0; // share of the time in which nine of ten are lost at a receiver, two seconds a time
    std::uint64_t delay_min_ms = 0;
    std::uint64_t delay_more_ms = 2;
    double duplicated = 0;
    double delayed = 0; // by up to a second: others overtake it
    double replayed = 0;
};

class PeersNet;

/// A machine: what survives the program that runs on it, and the program.
struct Machine {
    // the machine
    std::size_t index = 0;
    NodeUid uid{};
    std::uint32_t boots = 0;
    std::uint32_t life = 0; // boots of the program that runs
    std::vector<Node::Remembered> disk;
    std::optional<NodeId> number;
    std::int64_t wall_ahead_ms = 0;
    double drift = 0; // of the monotonic clock
    Duration asleep{};
    NullCipher cipher;
    int side = 0; // of a partition
    bool is_clone = false;
    bool is_newer = false; // of a later minor version: says what this one does not know
    bool is_incoming_cut = false;
    bool is_outgoing_cut = false;
    bool loses_now = false; // in a burst
    std::uint64_t burst_ends_ms = 0;
    // the program
    struct Program;
    std::unique_ptr<Program> program;
    std::uint64_t paused_until_ms = 0;
    std::vector<std::pair<std::uint32_t, bool>> inbox; // while it is paused: packet, is_group
    bool has_overflowed = false;
    std::map<NodeUid, std::pair<Boot, std::uint64_t>> marks; // what was given to it, when there are replays
    std::uint64_t tick_ms = UINT64_MAX;
    /// When something last happened to it that others or itself may misjudge.
    std::uint64_t disturbed_ms = 0;
    [[nodiscard]] bool is_up() const { return program != nullptr; }
};

/// What a run has to find true; the first that is not is kept.
struct Observer {
    virtual ~Observer() = default;
    virtual void changed(Machine& /*at*/, const PeerFacts& /*peer*/, Standing /*before*/) {}
};

class PeersNet {
public:
    PeersNet(std::uint64_t seed, std::size_t machines);
    ~PeersNet();

    Weather weather;
    Observer* observer = nullptr;
    Duration period = 1s;
    std::function<void(NodeSettings&)> settle; // changes settings of programs that start
    std::size_t published = 2;                 // sources of each node
    /// Of so many the first hear everybody and are heard by everybody; the others do not hear each other, and
    /// answer for nobody but themselves. A thousand nodes that all hear all are 2 s of CPU each second.
    std::size_t observers = SIZE_MAX;

    [[nodiscard]] std::uint64_t now_ms() const { return now_ms_; }
    [[nodiscard]] Rng& rng() { return rng_; }
    [[nodiscard]] std::vector<std::unique_ptr<Machine>>& machines() { return machines_; }
    [[nodiscard]] Machine& at(std::size_t index) { return *machines_[index]; }
    [[nodiscard]] Node& node(std::size_t index);
    [[nodiscard]] Machine* of(NodeUid uid);

    void start(Machine& machine);
    /// The program ends without a word.
    void crash(Machine& machine, bool keeps_disk);
    void pause(Machine& machine, std::uint64_t for_ms);
    /// A second machine with the identity of a first.
    Machine& clone(const Machine& of);
    void run(std::uint64_t for_ms);
    [[nodiscard]] bool can_reach(const Machine& from, const Machine& to) const;
    [[nodiscard]] static Address address_of(std::size_t index);

    /// Why the run is not as it should be; empty if it is.
    std::string fault;
    bool trace = false; // tells everything on the standard output
    void blame(const std::string& what);

    struct Totals {
        std::uint64_t deliveries = 0, lost = 0, replays = 0, deaths = 0;
    } totals;

private:
    friend struct Machine::Program;
    struct Packet {
        std::vector<std::byte> bytes;
        Message message; // refers to `body`
        std::vector<std::byte> body;
        std::size_t sender = 0;
        bool is_replay = false;
        std::uint64_t sent_ms = 0;
    };
    struct Delivery {
        std::uint32_t packet = 0;
        std::uint16_t to = 0;
        bool is_group = false;
    };
    static constexpr std::size_t kSlots = 4096;

    void sent(std::size_t from, std::optional<Address> to, Bytes datagram);
    [[nodiscard]] std::vector<std::byte> as_newer(Bytes datagram);
    std::uint32_t keep(std::size_t from, Bytes datagram, bool is_replay);
    void carry(std::uint32_t packet, std::size_t from, std::size_t to, bool is_group);
    void deliver(Machine& machine, std::uint32_t packet, bool is_group);
    void deliver_now(Machine& machine, const Packet& packet, bool is_group);
    bool is_lost(Machine& to);
    void replay_something();
    void replay_to(Machine& machine, const Packet& packet, const Arrival& arrival);
    void tick(Machine& machine);
    void plan_tick(Machine& machine);
    [[nodiscard]] double chance() { return static_cast<double>(rng_.next() >> 11U) * 0x1.0p-53; }

    Rng rng_;
    std::uint64_t now_ms_ = 3'600'000;
    std::vector<std::unique_ptr<Machine>> machines_;
    std::map<NodeUid, std::size_t> by_uid_;
    std::deque<Packet> packets_;
    std::uint32_t first_packet_ = 0;
    std::vector<std::vector<Delivery>> deliveries_{kSlots};
    std::vector<std::vector<std::uint16_t>> ticks_{kSlots};
    struct Captured {
        std::vector<std::byte> bytes;
        std::size_t sender = 0;
        std::uint64_t sent_ms = 0;
    };
    std::vector<Captured> captured_;
    std::vector<Delivery> slot_; // being worked on
    NullCipher opener_;
};

} // namespace schedd::test
