// Other nodes as policies look at them that send work away: who takes some, what they told, what is under way
// to them, and members that all have to leave.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "components/kit/rng.h"
#include "components/model/policy.h"

namespace schedd::policies {

using namespace schedd::model;

/// Between two moves away from a node, as whoever carries them out wants it.
constexpr Duration kMoveInterval = std::chrono::seconds(2);
/// Values beyond it, of whoever told them, are taken for it, so that no sum overflows.
constexpr std::int64_t kMostValue = std::int64_t{1} << 40;
/// What a process wants that always wants a CPU.
constexpr std::int64_t kWhole = 1000;

/// A node that takes work and is not this one; `told`: the newest that a port collected from it.
struct OtherNode {
    const NodeRow* row = nullptr;
    std::optional<Sample> told;

    [[nodiscard]] NodeId number() const { return row->number; }
    [[nodiscard]] std::int64_t value() const { return told ? plain(*told) : 0; }
    /// As a number that can be reasoned with.
    static std::int64_t plain(const Sample& sample);
};

/// In the order of their numbers.
std::vector<OtherNode> other_nodes(const View& view, const Port& port);
/// Leaves `choices` of them, by chance and still in order; 0: all. Who chooses the best of few does not send
/// everybody's work to the same node while what it told is old (Mitzenmacher: How Useful Is Old Information?,
/// IEEE TPDS 11(1), 2000).
void draw(std::vector<OtherNode>& nodes, std::uint64_t choices, Rng& rng);

/// What its processes want together, in thousandths; none if no process has a value.
std::optional<std::int64_t> load_of(const Subject& subject, const Port& process_load);
/// Why what it is cannot be moved away, in words; "" if it may.
std::string why_not(const View& view, const Subject& subject);
/// What of `load`, in CPU time, is had more on a node of load `there` than here, in thousandths: both have as
/// many CPUs as this one, shared evenly. At least 1: that it has to go at all costs is said by 0.
std::int64_t gain_of(const View& view, std::int64_t load, std::int64_t here, std::int64_t there);

/// Work sent to nodes that what they have told cannot contain yet.
class UnderWay {
public:
    /// `arrives`: so long after it was sent, at the latest, it is in what a node tells.
    explicit UnderWay(Duration arrives) : arrives_(arrives) {}
    void sent(NodeId node, std::int64_t load, Time now);
    /// Not contained in what the node told then.
    [[nodiscard]] std::int64_t to(NodeId node, Time told) const;

private:
    struct Sent {
        NodeId node;
        std::int64_t load;
        Time at;
    };
    Duration arrives_;
    std::vector<Sent> sent_;
};

/// Members that all leave this node: one at a time, the largest first, each to where the least load is
/// expected with what was sent there already. Who could not be moved comes again after all others.
class Leaving {
public:
    /// To be told what the policy is told. Of a node set that this node leaves, those leave that are members
    /// then, and are tried kTries times: who comes later has been put here by somebody who knows.
    void nodes_changed(NodesView nodes, NodesView left);
    /// Why all have to leave: this node drains or has left the node set; "" if they may stay.
    [[nodiscard]] std::string why(const View& view) const;
    /// The next to go, or nobody while a move is under way or has just begun. A port without a source: all
    /// nodes count the same.
    [[nodiscard]] std::vector<Move> next(const View& view, const std::string& why, const Port& node_load,
                                         const Port& process_load);
    /// Where it would go now; null if nowhere.
    [[nodiscard]] const NodeRow* target(const View& view, const Port& node_load) const;
    /// When to ask again, while there is a why.
    [[nodiscard]] static Time next_look(const View& view) { return view.now + kMoveInterval / 2; }

    static constexpr int kTries = 3;

private:
    void follow(const Subjects& subjects);
    [[nodiscard]] const Subject* choose(const View& view, const Port& process_load) const;

    UnderWay under_way_{std::chrono::seconds(5)};
    bool has_left_ = false;
    bool is_listed_ = false;
    std::map<Target, int> tried_; // how often; once listed, of those that are to leave and of nobody else
};

} // namespace schedd::policies
