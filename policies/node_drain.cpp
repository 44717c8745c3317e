// node_drain - moves all members away from a node that drains, or that has left the node set, and does
// nothing else.
//   this node drains, members of load 900, 800, 100, nodes 1 and 2 idle -> 900 to 1, 800 to 2, 100 to 2
// One at a time, the largest first, each to where the least load is expected; who cannot be moved stays, and
// `left` says how many that are. Usage: create schedulers/D/node_drain; link mosix_probe/norm_upper_load
// .../node_load; link mosix_probe/process_load .../process_load
#include <fmt/format.h>

#include "policies/common_specs.h"
#include "policies/other_nodes.h"
#include "policies/policies.h"

namespace schedd::policies {

namespace {

enum PortIndex : std::size_t { kNodeLoad, kProcessLoad };
constexpr PortSpec kPorts[] = {
    load_of_others(),
    load_of_members(),
};

enum Attribute : std::size_t { kLeft, kNote };
constexpr AttributeSpec kAttributes[] = {
    {.name = "left",
     .unit = "members",
     .read_only = true,
     .doc = "How many are still here while all have to leave."},
    words("note", "Why all have to leave, and who cannot and why; empty while they may stay."),
};

class NodeDrain final : public Policy {
public:
    using Policy::Policy;

    std::vector<Decision> decide(const View& /*view*/) override {
        next_look_ = kNever;
        return {};
    }
    std::vector<Move> moves(const View& view) override {
        const auto why = leaving_.why(view);
        next_look_ = why.empty() ? kNever : Leaving::next_look(view);
        report(kLeft, std::uint64_t{why.empty() ? 0 : view.subjects.size()});
        report(kNote, why.empty() ? std::string() : why + stuck(view));
        if (why.empty()) return {};
        return leaving_.next(view, why, port(kNodeLoad), port(kProcessLoad));
    }
    [[nodiscard]] Time next_due() const override { return next_look_; }
    void nodes_changed(NodesView nodes, NodesView joined, NodesView left) override {
        Policy::nodes_changed(nodes, joined, left);
        leaving_.nodes_changed(nodes, left);
    }

    [[nodiscard]] std::vector<std::string> considered(const View& view,
                                                      const Subject& subject) const override {
        std::vector<std::string> said;
        if (const auto why = why_not(view, subject); !why.empty())
            said.push_back("it cannot be moved: " + why);
        const auto* to = leaving_.target(view, port(kNodeLoad));
        const auto why = leaving_.why(view);
        if (!to) said.emplace_back("no other node of the node set takes work");
        else
            said.push_back(why.empty()
                               ? fmt::format("it would go to node {} if this node drained", text_of(*to))
                               : fmt::format("{}: the next to go goes to node {}", why, text_of(*to)));
        return said;
    }

private:
    /// The first that cannot be moved, and how many more.
    static std::string stuck(const View& view) {
        std::string first;
        int more = 0;
        for (const Subject& subject : view.subjects) {
            const auto why = why_not(view, subject);
            if (why.empty()) continue;
            if (first.empty()) first = fmt::format("; {} cannot: {}", subject.target.text(), why);
            else ++more;
        }
        return more > 0 ? fmt::format("{}; nor can {} more", first, more) : first;
    }

    Leaving leaving_;
    Time next_look_ = kNever;
};

} // namespace

const Descriptor kNodeDrain{
    .name = "node_drain",
    .kind = Kind::policy,
    .doc = "Moves all members away from a node that drains or has left the node set.",
    .make = make_part<NodeDrain>,
    .attributes = kAttributes,
    .ports = kPorts,
};

} // namespace schedd::policies
