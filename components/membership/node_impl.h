// Node::Impl: the state of a node among its peers; hearing, telling and what is due are in files of their
// own.
#pragma once

#include "components/membership/challenges.h"
#include "components/membership/complaints.h"
#include "components/membership/detector.h"
#include "components/membership/envelope.h"
#include "components/membership/leases.h"
#include "components/membership/node.h"
#include "components/membership/peers.h"

namespace schedd::membership {

class Node::Impl {
public:
    Impl(NodeSettings settings, const NodeWorld& world);

    // node_hear.cpp, node_talk.cpp
    void received(const Arrival& arrival, Bytes datagram);
    void accept(const Arrival& arrival, const Message& message, std::size_t size);

    // node_due.cpp
    Time tick();
    void hurry(Time at) { due_ = std::min(due_, at); }

    // node_tell.cpp
    void beat_soon();
    void send_spread();
    void say_goodbye();

    // node_facts.cpp
    [[nodiscard]] PeerFacts facts_of(const Peer& peer) const;
    /// `holder`: who keeps its number, if it has one.
    [[nodiscard]] PeerFacts facts_of(const Peer& peer, const Peer* holder) const;
    [[nodiscard]] std::vector<PeerFacts> facts() const;
    [[nodiscard]] std::uint64_t fingerprint() const;
    [[nodiscard]] std::optional<NodeUid> find(std::string_view what) const;
    [[nodiscard]] std::optional<std::int64_t> offset() const;
    [[nodiscard]] std::vector<Remembered> remember() const;
    void recall(std::span<const Remembered> peers);

    /// Something said so many times, with pauses.
    struct Repeated {
        int left = 0;
        Time next = kNever;
        void begin(Time at) {
            left = 3;
            next = at;
        }
        void said(Time now);
    };
    /// A second machine with a peer's identity, which has not kept it.
    struct Rival {
        NodeUid uid{};
        Life life;
        Address at;
        Time since{};
        Time until{};
        bool is_seen = false; // after the other one had been
    };
    struct Relay {
        std::uint64_t nonce = 0;
        NodeUid target{};
        Address requester;
        Time until{};
    };
    /// A published source with the number it has in our heartbeats, for as long as this life lasts.
    struct Named {
        std::uint16_t id = 0;
        std::string path;
    };

    NodeSettings settings_;
    NodeWorld world_;
    Envelope envelope_;
    Peers peers_;
    Values values_;
    NodeListener* listener_ = nullptr;
    Counts counts_;

    Boot boot_;
    std::uint64_t seq_ = 0;
    std::uint32_t incarnation_ = 0;
    Announced state_ = Announced::joining;
    std::optional<NodeId> number_;
    std::string number_trouble_;
    bool has_number_conflict_ = false;
    bool is_complete_ = false;
    bool is_displaced_ = false;
    bool has_left_ = false;
    bool is_settled_ = false; // all who are there have been heard
    bool hears_members_ = false;

    // what is due
    Time due_{};
    Time promised_{}; // to the loop, at its last turn; what was hurried since is not late yet
    Time beat_at_ = kNever;
    Time extra_at_ = kNever;
    Time extra_sent_{};
    Time scan_at_ = kNever;
    Time ping_dead_at_ = kNever;
    Time ping_expected_at_ = kNever; // a partition has perhaps healed
    int expected_turns_ = 0;
    std::size_t returned_ = 0; // of the dead, since it was noticed
    Time number_at_ = kNever;
    Time alone_at_ = kNever;
    Repeated join_;
    Repeated goodbye_;
    Repeated spread_;
    std::vector<std::byte> delta_;

    // heartbeats
    unsigned beats_ = 0;
    int full_beats_ = 0; // so many more tell everything
    std::vector<Published> published_;
    std::vector<Named> named_;
    std::vector<Load> loads_;
    std::vector<SourceName> source_names_;
    std::size_t next_name_ = 0;
    std::uint16_t next_id_ = 0;
    std::vector<Suspicion> accused_;
    std::string told_trouble_;
    std::optional<ApplyStatus> told_applied_;

    // guards
    detector::Lag lag_;
    detector::Deaf deaf_;
    Time heard_any_{};
    Time frozen_until_{};
    Time isolated_since_{};
    Time held_until_{};
    bool is_isolated_ = false;
    std::size_t there_ = 0;
    std::size_t late_ = 0;

    Leases leases_;
    Complaints complaints_;
    Challenges challenges_;
    std::vector<Rival> rivals_;
    std::vector<Relay> relays_;
    Bucket probing_;
    Bucket relaying_;
    Bucket asking_;    // challenges
    Bucket strangers_; // answers to those who are not in the table
    Bucket failures_;  // datagrams that could not be opened
    bool is_mesh_too_big_told_ = false;

    [[nodiscard]] Time now() const { return world_.clock.now(); }
    [[nodiscard]] Duration period() const;
    [[nodiscard]] bool is_gone() const { return is_displaced_ || (has_left_ && goodbye_.left == 0); }

    // hearing
    struct Heard {
        const Arrival& arrival;
        const Message& message;
        Time now{};
        bool is_newest = false;
    };
    void refused(const Arrival& arrival, Bytes datagram, wire::Drop reason);
    [[nodiscard]] bool may_open(const Arrival& arrival, Bytes datagram);
    void drop(wire::Drop reason) { envelope_.count(reason); }
    [[nodiscard]] bool is_fresh(const Core& core) const;
    void hear_self(const Heard& heard);
    bool hear_life(Peer* peer, const Heard& heard, bool is_proven);
    bool is_believed(const Peer* peer, const Heard& heard);
    bool hear_rival(const Peer* peer, const Heard& heard, bool is_proven);
    Peer* adopt(Peer* peer, const Heard& heard);
    void hear_skewed(Peer& peer, const Heard& heard);
    void hear_incompatible(const Arrival& arrival, const Header& header);
    void hear(Peer& peer, const Heard& heard);
    void take_core(Peer& peer, const Heard& heard);
    void take_beat(Peer& peer, const Heard& heard);
    void challenge(const Heard& heard, std::string_view why);
    void answer(Peer* peer, const Heard& heard);
    void take_ack(const Heard& heard);
    void relay(const Heard& heard);
    void defend(const Message& message);
    void welcome(const Peer& peer, const Heard& heard);
    void resolve_number(const Peer& peer);

    // telling
    [[nodiscard]] Draft draft(Type type);
    Bytes sealed(const Draft& draft);
    void to_all(Bytes datagram);
    void to(const Address& address, Bytes datagram);
    void beat(Type type, const Address* only = nullptr);
    void draft_all(Draft& draft);
    void draft_values(Draft& draft, bool is_full);
    void ping(const Address& address, std::uint64_t nonce, std::uint8_t flags = 0);

    // what is due
    void join_soon();
    void turn_state(Time now);
    void scan(Time now);
    Time watch(Peer& peer, Time now);
    Time probe(Peer& peer, Time now);
    void ask_others(const Peer& peer);
    void ping_a_dead_one(Time now);
    void expect_the_dead();
    void ping_the_expected(Time now);
    void take_number(Time now);
    void forgive(Duration lag, Time now);
    void plan(Time now);
    void publish(std::vector<Published> sources);
    void set_level(Peer& peer, Level level, Standing before);
    void weigh_isolation(Time now);
    void forget(NodeUid uid);
    [[nodiscard]] Duration probe_pace() const;
    void say(Severity severity, std::string_view about, std::string_view message) {
        world_.log.write(severity, about, message);
    }
};

} // namespace schedd::membership
