// Finding nodes and what they have published, with errors that say what there is.
#include "dbus/nodes.h"

#include <algorithm>

#include <fmt/format.h>

#include "components/kit/number.h"

namespace schedd::dbus {

namespace {

constexpr std::size_t kNamed = 12; // in one error

std::string short_digest(const membership::Digest& digest) {
    return digest == membership::Digest() ? std::string() : membership::short_text(digest);
}

/// "2 (web2)", "web3", or the uid.
std::string called(const NodeFacts& node) {
    if (node.number < 0) return node.name.empty() ? text_of(node.uid) : node.name;
    return node.name.empty() ? fmt::to_string(node.number) : fmt::format("{} ({})", node.number, node.name);
}

template <class Range, class Text> std::string listed(const Range& range, const Text& text) {
    std::string out;
    std::size_t count = 0;
    for (const auto& one : range) {
        if (++count > kNamed) return out + " ...";
        out += (out.empty() ? "" : ", ") + text(one);
    }
    return out;
}

} // namespace

std::vector<model::NodeState> states_of(std::span<const NodeFacts> nodes) {
    std::vector<model::NodeState> states;
    states.reserve(nodes.size());
    for (const auto& node : nodes) {
        model::NodeState state;
        state.uid = text_of(node.uid);
        state.number = node.number;
        state.name = node.name;
        state.state = node.state;
        if (!node.addresses.empty()) state.address = text_of(node.addresses.front());
        state.is_self = node.is_self;
        state.is_unicast = node.is_unicast;
        state.configuration = short_digest(node.digest);
        if (node.applied) {
            state.applied_configuration = short_digest(node.applied->digest);
            state.applied = node.applied->applied;
            state.failed = node.applied->failed;
            state.unsupported = node.applied->unsupported;
        }
        state.trouble = node.trouble;
        states.push_back(std::move(state));
    }
    return states;
}

Result<const NodeFacts*> find_node(std::span<const NodeFacts> nodes, std::string_view what,
                                   std::string_view off) {
    if (!off.empty()) return fail(Errc::not_supported, fmt::format("membership is off: {}", off));
    const auto number = parse_unsigned(what);
    std::vector<const NodeFacts*> found;
    for (const auto& node : nodes) {
        if (text_of(node.uid) == what) return &node;
        const bool is_numbered =
            number && node.number >= 0 && *number == static_cast<std::uint64_t>(node.number);
        if (is_numbered || node.name == what) found.push_back(&node);
    }
    const auto shown = what.substr(0, 64);
    if (found.empty())
        return fail(Errc::no_such_object, fmt::format("there is no node '{}'", shown),
                    nodes.empty() ? std::string("none has been heard yet")
                                  : "there are: " + listed(nodes, called));
    if (found.size() > 1)
        return fail(Errc::conflict, fmt::format("{} nodes are called '{}'", found.size(), shown),
                    "use a uid: " + listed(found, [](const NodeFacts* node) { return text_of(node->uid); }));
    return found.front();
}

TaskPlace place_at(const NodeFacts& node) {
    TaskPlace place{node.number, node.name, node.is_self, {}, {}, {}};
    if (node.is_self) return place;
    for (const auto& address : node.addresses) {
        auto text = text_of(address); // "10.0.0.1:7420", "[fe80::1%3]:7420"
        text.erase(text.rfind(':'));
        place.addresses.push_back(text.starts_with('[') ? text.substr(1, text.size() - 2) : text);
    }
    return place;
}

Result<std::vector<model::NodeId>> node_numbers(std::string_view text) {
    std::vector<model::NodeId> numbers;
    while (true) {
        const auto begin = text.find_first_not_of(" ,");
        if (begin == std::string_view::npos) return numbers;
        text.remove_prefix(begin);
        const auto word = text.substr(0, text.find_first_of(" ,"));
        const auto number = parse_unsigned(word);
        if (!number || *number > static_cast<std::uint64_t>(model::kNodeNumberMax))
            return fail(Errc::invalid_value, fmt::format("'{}' is no node number", word.substr(0, 64)),
                        fmt::format("numbers from 0 to {} are wanted, with blanks between",
                                    model::kNodeNumberMax));
        numbers.push_back(static_cast<model::NodeId>(*number));
        text.remove_prefix(word.size());
    }
}

std::optional<RemotePlace> remote_place(std::string_view text) {
    const auto colon = text.find_first_of(":/");
    if (colon == std::string_view::npos || colon == 0 || text[colon] != ':') return std::nullopt;
    return RemotePlace{text.substr(0, colon), text.substr(colon + 1)};
}

Result<NodeValue> published_by(const NodeFacts& node, std::string_view path) {
    const auto who = called(node);
    auto value = std::ranges::find(node.values, path, &NodeValue::path);
    if (value == node.values.end())
        value = std::ranges::find(node.values, fmt::format("probes/{}", path), &NodeValue::path);
    if (value == node.values.end())
        return fail(Errc::no_such_object,
                    fmt::format("node {}, which is {}, publishes no '{}'", who, node.state,
                                path.substr(0, 128)),
                    node.values.empty() ? std::string("it has told no values")
                                        : "it publishes: " + listed(node.values, [](const NodeValue& one) {
                                              return one.path;
                                          }));
    if (!value->is_fresh)
        return fail(Errc::no_value, fmt::format("{} of node {} has no value", value->path, who),
                    fmt::format("the last was heard {} ms ago, and the node is {}", value->age_ms,
                                node.state));
    return *value;
}

} // namespace schedd::dbus
