// Peer: what this node has heard about another, and what it makes of it.
#pragma once

#include <string>
#include <vector>

#include "components/membership/message.h"

namespace schedd::membership {

/// This node's own verdict about a peer; never told to others as a fact.
enum class Standing : std::uint8_t {
    joining,      // is heard, and has not got the configuration yet
    alive,        //
    late,         // silent for 2.5 of its periods
    suspect,      // for 3.5: nothing is placed there any more
    dead,         // for 5.5, and answers nobody: its values are gone
    left,         // said so
    isolated,     // says that it hears too few
    draining,     // is being taken out for maintenance
    incompatible, // speaks another major version
    skewed,       // its clock is too far away for its packets to be fresh
    clone,        // a second machine with the identity of another (or of this one)
};
std::string_view name_of(Standing standing);
/// Whether new work may go there.
constexpr bool takes_work(Standing standing) {
    return standing == Standing::alive || standing == Standing::late;
}

/// A copy for people and for `/nodes`. Times are ages at the moment of asking.
struct PeerFacts {
    NodeUid uid{};
    Boot boot;
    NodeId number = -1; // none, or taken by another (then `trouble` says so)
    std::string name;
    Standing standing = Standing::joining;
    std::vector<Address> addresses;
    Duration silence{}; // since it was heard
    Duration period{};  // as it announces it
    Duration since{};   // it has this standing
    std::int64_t clock_offset_ms = 0;
    double loss = 0;         // share of its heartbeats that did not arrive, of the last hundred or so
    bool is_unicast = false; // the group does not reach us from there: it is on lease
    Digest digest;
    std::optional<ApplyStatus> applied;
    std::string trouble; // its own sentence about the configuration, or ours about it
    std::uint64_t ring = 0;
};

/// Told by Node, in the order things happened, from within received() and tick().
class NodeListener {
public:
    virtual ~NodeListener() = default;
    virtual void peer_changed(const PeerFacts& /*peer*/, Standing /*before*/) {}
    /// The peer is forgotten; no more is known of it.
    virtual void peer_forgotten(NodeUid /*uid*/) {}
    /// It has told values; they are in Values.
    virtual void peer_told(NodeUid /*uid*/) {}
    /// This node itself: joining -> alive, isolated and back, draining.
    virtual void self_changed(Announced /*now*/, Announced /*before*/) {}
    /// Another live machine has this node's identity, and this one gives way: it has left and stays away.
    virtual void displaced(const Address& /*by*/) {}
};

} // namespace schedd::membership
