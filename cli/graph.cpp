// From the tree's JSON to chains of boxes.
#include "cli/graph.h"

#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/print.h"

namespace schedd::cli {

namespace {

constexpr std::size_t kLongestChain = 32; // a guard: the daemon refuses cycles and chains half as long
constexpr std::size_t kMembersShown = 6;

using Index = std::map<std::string, const Json*, std::less<>>;

void index_parts(const Json& part, Index& index) {
    index.emplace(text_at(part, "path"), &part);
    for (const auto& child : field(part, "children")) index_parts(child, index);
}

/// A source is called PROBE/SOURCE, everything else by its own name.
std::string title_of(const Json& part) {
    const auto path = text_at(part, "path");
    if (text_at(part, "kind") == "source" && path.starts_with("probes/")) return path.substr(7);
    return text_at(part, "name");
}

std::string several_values(const Json& flow) {
    const auto count = number_at(flow, "count");
    return count == 0 ? std::string() : counted(count, "value");
}

Box box_of(const Json& part) {
    const Json& flow = field(part, "flow");
    Box box{.path = text_at(part, "path"),
            .kind = text_at(part, "kind"),
            .title = title_of(part),
            .value = text_at(flow, "value"),
            .unit = text_at(flow, "unit"),
            .why_none = why_none_of(part),
            .lines = {}};
    if (box.kind == "port") box.value = text_at(flow, "collected_value");
    if (const auto parameter = text_at(flow, "parameter"); !parameter.empty()) {
        if (box.value.empty()) box.value = several_values(flow);
        box.unit += " by " + parameter;
    }
    const auto type = text_at(part, "type");
    if (box.kind != "source" && box.kind != "port" && says_more(type, box.title, box.kind))
        box.lines.push_back(type);
    for (const auto& [name, attribute] : field(part, "attributes").items()) {
        if (flag_at(attribute, "read_only") && text_at(attribute, "value").empty()) continue;
        const auto unit = text_at(attribute, "unit");
        box.lines.push_back(
            fmt::format("{} = {}{}", name, text_at(attribute, "value"), unit.empty() ? "" : " " + unit));
    }
    return box;
}

/// The process set's box lists its members with the CPUs they are on.
Box process_set_box(const Json& set) {
    Box box = box_of(set);
    box.lines.clear();
    const Json& attributes = field(set, "attributes");
    if (flag_at(field(attributes, "handle_all"), "value")) box.lines.push_back("handles all");
    const Json& members = field(set, "children");
    for (const auto& member : members) {
        if (box.lines.size() == kMembersShown) {
            box.lines.push_back(fmt::format("and {} more", members.size() - kMembersShown));
            break;
        }
        const Json& state = field(member, "attributes");
        const auto cpus = text_at(field(state, "effective_cpus"), "value");
        box.lines.push_back(text_at(member, "name") + (cpus.empty() ? "" : " on " + cpus));
    }
    box.value = counted(static_cast<long long>(members.size()), "member");
    return box;
}

Chain chain_to(const Json& sink, const Index& index) {
    Chain chain;
    const Json* part = &sink;
    while (part && chain.boxes.size() < kLongestChain) {
        chain.boxes.insert(chain.boxes.begin(), box_of(*part));
        const auto source = index.find(text_at(field(*part, "flow"), "source"));
        part = text_at(*part, "kind") == "source" || source == index.end() || source->first.empty()
                   ? nullptr
                   : source->second;
    }
    return chain;
}

/// The chain of each port, and after it the chains of the extra ports of its filters.
void add_chains(const Json& part, const Index& index, bool to_policy, std::vector<Chain>& chains) {
    for (const auto& child : field(part, "children")) {
        const auto kind = text_at(child, "kind");
        if (kind == "port") {
            Chain chain = chain_to(child, index);
            chain.to_policy = to_policy;
            if (!to_policy) chain.boxes.back().title = text_at(part, "name") + "." + chain.boxes.back().title;
            chains.push_back(std::move(chain));
        }
        if (kind == "port" || kind == "filter") add_chains(child, index, false, chains);
    }
}

SchedulerGraph graph_of_scheduler(const Json& scheduler, const Index& index) {
    SchedulerGraph graph{.name = text_at(scheduler, "name"), .policy = {}, .process_set = {}, .chains = {}};
    for (const auto& child : field(scheduler, "children")) {
        const auto kind = text_at(child, "kind");
        if (kind == "process_set") graph.process_set = process_set_box(child);
        if (kind != "policy") continue;
        graph.policy = box_of(child);
        add_chains(child, index, true, graph.chains);
    }
    return graph;
}

} // namespace

Answer<std::vector<SchedulerGraph>> graph_of(const Json& tree, std::string_view only) {
    Index index;
    index_parts(tree, index);
    std::vector<SchedulerGraph> graphs;
    std::string names;
    const auto folder = index.find("schedulers");
    if (folder != index.end()) {
        for (const auto& scheduler : field(*folder->second, "children")) {
            const auto name = text_at(scheduler, "name");
            names += (names.empty() ? "" : " ") + shown(name);
            if (only.empty() || only == name) graphs.push_back(graph_of_scheduler(scheduler, index));
        }
    }
    if (graphs.empty() && !only.empty())
        return give_up(Exit::error, fmt::format("no scheduler '{}': {}", shown(only),
                                                names.empty() ? "there is none yet" : "there are: " + names));
    return graphs;
}

} // namespace schedd::cli
