// A scheduler's attributes and what it is born with.
#include "components/model/scheduler.h"

#include <algorithm>

#include <fmt/format.h>

namespace schedd::model {

const std::vector<AttributeSpec>& Scheduler::table() {
    static const std::vector<AttributeSpec> kTable{
        {.name = "precedence",
         .kind = AttributeKind::integer,
         .initial = "0",
         .minimum = -1000,
         .maximum = 1000,
         .doc = "Place in the stack; larger decides first. Equal ones: explicit members before handle_all, "
                "then the "
                "latest attached first."},
        {.name = "ejected",
         .kind = AttributeKind::text,
         .initial = "",
         .read_only = true,
         .doc = "Why the policy was put out of action; empty while it is in it."},
        {.name = "node_set",
         .kind = AttributeKind::text,
         .initial = "all",
         .doc = "The nodes it is for: all, or numbers, ranges and names such as 0-2,5,alpha."},
        {.name = "node_set_exclusive",
         .kind = AttributeKind::boolean,
         .initial = "false",
         .doc = "No other scheduler gets its nodes; those with node_set all make room."},
        {.name = "node_set_max_fit",
         .kind = AttributeKind::boolean,
         .initial = "true",
         .is_alias = true,
         .doc = "All nodes that no other scheduler has exclusively, also those that come: the same as "
                "node_set all; false keeps those of now."},
        {.name = "effective_node_set",
         .kind = AttributeKind::text,
         .initial = "",
         .read_only = true,
         .doc = "The nodes of its set that are there and its own to use; empty without a cluster."},
        {.name = "note",
         .kind = AttributeKind::text,
         .initial = "",
         .read_only = true,
         .doc = "Which nodes of its set are not there, or are another scheduler's alone; empty while it has "
                "all."},
        {.name = "active",
         .kind = AttributeKind::boolean,
         .initial = "true",
         .doc = "Whether it decides; one that does not lets its members go, and keeps what it has learnt."},
        {.name = "hold_profile",
         .kind = AttributeKind::choice,
         .initial = "none",
         .choices = "none performance power-saver",
         .doc = "The desktop's power profile that is held while members of it are busy."},
    };
    return kTable;
}

Scheduler::Scheduler(std::string name, const Environment& environment)
    : Part(Kind::scheduler, std::move(name), nullptr, table()) {
    adopt(std::make_unique<ProcessSet>(environment));
}

Status Scheduler::accepts(std::size_t index, const AttributeValue& value) const {
    if (index == kNodeSet) {
        const auto set = NodeSet::parse(std::get<std::string>(value));
        if (!set)
            return fail(set.error().kind, path().text() + ".node_set: " + set.error().what,
                        set.error().detail);
    }
    // what can be said of it was said as node_set before (Tree::without_aliases)
    if (index == kNodeSetMaxFit && value != attribute(kNodeSetMaxFit))
        return fail(Errc::not_supported, path().text() + " has no nodes that node_set_max_fit could keep",
                    "name them in node_set");
    return {};
}

void Scheduler::changed(std::size_t index) {
    if (index != kNodeSet) return;
    node_set_ = NodeSet::parse(text_at(kNodeSet)).value();
    report(kNodeSetMaxFit, node_set_.is_all());
}

bool Scheduler::take_share(NodeShare share) {
    const auto before = std::exchange(nodes_, std::move(share.nodes));
    const NodesView then = before ? NodesView(*before) : NodesView();
    bool is_new = std::exchange(here_, share.here) != share.here;
    is_new |= report(kEffectiveNodeSet, nodes().empty() ? std::string() : NodeSet::of(nodes()).text());
    is_new |= report(kNote, std::move(share.note));
    if (std::ranges::equal(then, nodes())) return is_new;
    const auto is_same = [](const NodeRow& a, const NodeRow& b) {
        return a.number == b.number && a.name == b.name;
    };
    const auto without = [&](NodesView some, NodesView others) {
        std::vector<NodeRow> rest;
        for (const auto& node : some)
            if (std::ranges::none_of(others, [&](const NodeRow& other) { return is_same(node, other); }))
                rest.push_back(node);
        return rest;
    };
    if (auto* told = policy()) told->nodes_changed(nodes(), without(nodes(), then), without(then, nodes()));
    return is_new;
}

} // namespace schedd::model
