// round_robin_balancer - new work goes to the nodes of the node set in turn, this one included
// (Kerrighed round_robin_balancer.c).
//   nodes 0, 2, 3, 5, asked on node 0 -> 2, 3, 5, 0, 2, ...
// Each node has its own turn: who asks on node 3 first is sent to 5. Usage:
// create schedulers/rr/round_robin_balancer; write schedulers/rr/process_set.handle_all true
#include <algorithm>

#include <fmt/format.h>

#include "policies/common_specs.h"
#include "policies/policies.h"

namespace schedd::policies {

namespace {

enum Attribute : std::size_t { kLastTarget };
constexpr AttributeSpec kAttributes[] = {
    last_target(),
};

class RoundRobinBalancer final : public Policy {
public:
    using Policy::Policy;

    std::vector<Decision> decide(const View& /*view*/) override { return {}; }

    std::optional<Destination> place_task(const View& view, const NewTask& task) override {
        const auto* node = next(view.nodes, task.refused);
        if (!node) return std::nullopt;
        const auto last = integer_at(kLastTarget);
        report(kLastTarget, static_cast<std::int64_t>(node->number));
        return Destination{node->number,
                           last < 0 ? fmt::format("node {} is the first", text_of(*node))
                                    : fmt::format("node {} is the next after {}", text_of(*node), last)};
    }

    [[nodiscard]] std::vector<std::string> considered(const View& view,
                                                      const Subject& /*subject*/) const override {
        const auto* node = next(view.nodes, {});
        return {"it stays where it is: only new work finds its node here",
                node ? fmt::format("the next new work goes to node {}", text_of(*node))
                     : "no node takes new work"};
    }

private:
    /// None yet: it begins after this node.
    [[nodiscard]] const NodeRow* next(NodesView nodes, const std::vector<NodeId>& refused) const {
        const auto* self = self_of(nodes);
        const auto after =
            integer_at(kLastTarget) >= 0 || !self ? integer_at(kLastTarget) : std::int64_t{self->number};
        const NodeRow* first = nullptr; // of all
        for (const auto& node : nodes) {
            if (!node.takes_work || node.number < 0 ||
                std::ranges::find(refused, node.number) != refused.end())
                continue;
            if (node.number > after) return &node;
            if (!first) first = &node;
        }
        return first;
    }
};

} // namespace

const Descriptor kRoundRobinBalancer{
    .name = "round_robin_balancer",
    .kind = Kind::policy,
    .doc = "Sends new work to the nodes of the node set in turn.",
    .make = make_part<RoundRobinBalancer>,
    .attributes = kAttributes,
    .alias = "round_robin",
};

} // namespace schedd::policies
