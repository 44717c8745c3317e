// Inside the replica: what is known of each peer's configuration, and when whom to ask.
#pragma once

#include <map>

#include "components/membership/replica.h"

namespace schedd::membership {

class Replica::Impl {
public:
    struct Peer {
        Address address;
        Digest digest;
        Hlc latest;
        bool is_joining = true;
        bool is_lost = false;
        Time heard{};
        Time due = kNever; // to be asked
        unsigned failures = 0;
        std::uint64_t common_wall_ms = 0; // last time its digest was ours
        /// Digests, its and ours, between which a synchronisation changed nothing: not to be tried again.
        std::optional<std::pair<Digest, Digest>> settled;
    };
    struct Out {
        NodeUid peer{};
        Time since{};
    };

    Impl(Store& store_in, NodeUid uid, const ReplicaWorld& world_in)
        : store(store_in), self(uid), world(world_in) {}

    // what came
    Status finish(Brought& brought);
    void merged(const Store::Merge& merge, std::string_view from);
    void tell_changes();
    void keep(std::span<const std::shared_ptr<const Entry>> entries);
    void keep_all();
    void has_kept(const Status& outcome);
    void say(std::string text, Severity severity);

    // whom to ask
    void heard(const Message& message, const Address& address, Time now);
    void plan(NodeUid uid, Peer& peer, const Message& message, Time now);
    [[nodiscard]] bool is_elected_for(NodeUid joiner, Time now) const;
    void connect_due(Time now);
    void failed(NodeUid uid, Time now);
    void try_another(NodeUid except, Time now);
    void wake_at(Time when) { next_due = std::min(next_due, when); }

    // from time to time
    void keep_house(Time now);
    void forget_tombstones(Time now);
    void become_complete(std::string_view why);
    /// All who were heard lately are joining as well, and have what this node has.
    [[nodiscard]] bool are_all_new(Time now) const;

    Store& store;
    NodeUid self;
    ReplicaWorld world;
    bool is_complete = false;
    std::optional<ApplyStatus> applied;
    std::string apply_trouble;
    std::string trouble; // of the store's own

    std::map<NodeUid, Peer> peers;
    std::optional<Out> out;
    std::optional<Time> first_heard;
    std::optional<Time> started;
    Time next_due = kNever;
    Time pull_at{}; // when this node asks somebody next
    Time next_house{};
    double tokens = 3; // to connect
    Time tokens_at{};
    std::uint64_t hour = 0;
    std::size_t log_bytes = 0; // since the last snapshot
    bool is_unkept = false;    // something is not on the disk, which is full or fails
    Time keep_again{};
    std::uint64_t told_generation = 0;
};

} // namespace schedd::membership
