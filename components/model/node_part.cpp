// Nodes in the tree: what they report, and how the folder follows those who come and go.
#include "components/model/node_part.h"

#include <array>
#include <map>
#include <utility>

#include "components/model/tree.h"

namespace schedd::model {

namespace {

constexpr AttributeSpec text(std::string_view name, std::string_view doc) {
    return {.name = name, .kind = AttributeKind::text, .initial = "", .read_only = true, .doc = doc};
}
constexpr AttributeSpec count(std::string_view name, std::string_view doc) {
    return {.name = name, .read_only = true, .doc = doc};
}
constexpr AttributeSpec flag(std::string_view name, std::string_view doc) {
    return {.name = name, .kind = AttributeKind::boolean, .initial = "false", .read_only = true, .doc = doc};
}

// in the order of NodePart::Attribute
constexpr std::array kAttributes{
    text("uid", "Who it is, for ever: 16 hexadecimal digits of its machine id."),
    text("name", "What people call it."),
    AttributeSpec{.name = "number",
                  .kind = AttributeKind::integer,
                  .initial = "-1",
                  .minimum = -1,
                  .maximum = 65'535,
                  .read_only = true,
                  .doc = "What node sets call it; -1 while it has none."},
    text("state",
         "What this node makes of it: joining, alive, late, suspect, dead, left, isolated, draining, "
         "incompatible, skewed or clone."),
    text("address", "Where it was heard from."),
    flag("self", "It is this node."),
    flag("unicast", "The group does not reach us from there, so it tells us directly."),
    text("configuration", "Digest of the configuration that it has."),
    text("applied_configuration", "Digest of the configuration that it has carried out."),
    count("applied", "Entries of that configuration that hold there."),
    count("failed", "Entries that could not be carried out there."),
    count("unsupported", "Entries that its version does not know."),
    text("trouble", "Why something of the configuration is not so there, or why it has no number."),
};

} // namespace

AttributeTable NodePart::table() { return kAttributes; }

NodePart::NodePart(std::string name) : Part(Kind::node, std::move(name), nullptr, kAttributes) {}

std::vector<std::string_view> NodePart::take(const NodeState& state) {
    std::vector<std::string_view> changed;
    const auto take_one = [&](Attribute attribute, AttributeValue value) {
        if (report(attribute, std::move(value))) changed.push_back(kAttributes[attribute].name);
    };
    take_one(kUid, state.uid);
    take_one(kName, state.name);
    take_one(kNumber, state.number);
    take_one(kState, state.state);
    take_one(kAddress, state.address);
    take_one(kSelf, state.is_self);
    take_one(kUnicast, state.is_unicast);
    take_one(kConfiguration, state.configuration);
    take_one(kAppliedConfiguration, state.applied_configuration);
    take_one(kApplied, state.applied);
    take_one(kFailed, state.failed);
    take_one(kUnsupported, state.unsupported);
    take_one(kTrouble, state.trouble);
    return changed;
}

void Tree::set_nodes(std::span<const NodeState> states) {
    Part& folder = nodes();
    std::map<std::string, const NodeState*> wanted;
    std::vector<std::string> order;
    for (const auto& state : states) {
        auto name = state.number < 0 ? state.uid : std::to_string(state.number);
        if (wanted.contains(name)) name = state.uid;
        if (wanted.emplace(name, &state).second) order.push_back(std::move(name));
    }
    std::map<std::string_view, NodePart*> there;
    std::vector<const Part*> going;
    for (const auto& child : folder.children()) {
        auto& node = static_cast<NodePart&>(*child);
        const auto at = wanted.find(node.name());
        if (at == wanted.end() || at->second->uid != node.uid()) going.push_back(&node);
        else there.emplace(node.name(), &node);
    }
    for (const Part* node : going) {
        const auto path = node->path();
        const auto [part, place] = folder.release(*node);
        --size_;
        for (auto* listener : listeners_) listener->part_removed(path, *part);
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
        const NodeState& state = *wanted.at(order[i]);
        if (const auto at = there.find(order[i]); at != there.end()) {
            for (const auto attribute : at->second->take(state)) touched(*at->second, attribute);
            continue;
        }
        auto made = std::make_unique<NodePart>(order[i]);
        made->take(state);
        (void)made->take_reported();
        Part& node = folder.adopt(std::move(made), i);
        ++size_;
        for (auto* listener : listeners_) listener->part_added(node);
    }
}

} // namespace schedd::model
