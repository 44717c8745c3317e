// Layout of nodes: a table by number, with as many of the published loads as fit.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/print.h"

namespace schedd::cli {

namespace {

constexpr std::size_t kLoads = 8;

using Table = std::vector<std::vector<std::string>>;

Hue hue_of_node(std::string_view state) {
    if (state == "alive") return Hue::good;
    if (state == "dead" || state == "clone" || state == "incompatible" || state == "skewed") return Hue::bad;
    return state == "left" ? Hue::dim : Hue::warn;
}

double real_at(const Json& object, std::string_view key) {
    const Json& value = field(object, key);
    return value.is_number() ? value.get<double>() : 0.0;
}

/// What of its configuration a node has carried out.
std::string applied_cell(const Json& node, const Look& look) {
    if (!field(node, "applied").is_number()) return {};
    std::string out = fmt::to_string(number_at(node, "applied"));
    for (const auto* what : {"failed", "unsupported"})
        if (const auto count = number_at(node, what); count > 0)
            out += ", " + paint(look, Hue::warn, fmt::format("{} {}", count, what));
    return out;
}

/// What a person should know and no other column says.
std::string note_cell(const Json& node, const Look& look) {
    std::string out;
    const auto add = [&](const std::string& text) { out += (out.empty() ? "" : "; ") + text; };
    if (flag_at(node, "self")) add("this node");
    if (const auto trouble = text_at(node, "trouble"); !trouble.empty()) add(shown(trouble, look));
    const auto has = text_at(node, "configuration");
    const auto runs = text_at(node, "applied_configuration");
    if (!runs.empty() && runs != has) add("still runs " + shown(runs, look));
    if (flag_at(node, "unicast")) add("told directly");
    if (const auto loss = real_at(node, "loss"); loss > 0.05)
        add(fmt::format("loses {:.0f} %", std::round(loss * 100)));
    if (const auto offset = number_at(node, "clock_offset_ms"); offset > 1000 || offset < -1000)
        add(fmt::format("clock {} {}", duration_text(offset < 0 ? -offset : offset),
                        offset < 0 ? "ahead" : "behind"));
    return out;
}

/// "node_load" of "probes/cpu/node_load"; what two paths end in is told with what stands before it.
std::map<std::string, std::string> headings(const Json& nodes) {
    std::map<std::string, std::string> by_path;
    std::map<std::string, std::set<std::string>> by_leaf;
    for (const auto& node : nodes)
        for (const auto& [path, value] : field(node, "values").items())
            by_leaf[path.substr(path.rfind('/') + 1)].insert(path);
    for (const auto& [leaf, paths] : by_leaf)
        for (const auto& path : paths)
            by_path[path] = paths.size() == 1 ? leaf : path.starts_with("probes/") ? path.substr(7) : path;
    return by_path;
}

/// The digest that most have, for which nothing is to be said.
std::string usual_digest(const Json& nodes) {
    std::map<std::string, int> count;
    for (const auto& node : nodes) ++count[text_at(node, "configuration")];
    const auto most = std::ranges::max_element(count, {}, [](const auto& entry) { return entry.second; });
    return most == count.end() ? std::string() : most->first;
}

std::vector<std::string> node_row(const Json& node, const std::string& usual, const Look& look) {
    const Json& number = field(node, "number");
    const Json& addresses = field(node, "addresses");
    const auto digest = text_at(node, "configuration");
    const bool is_self = flag_at(node, "self");
    auto name = text_at(node, "name");
    if (name.empty()) name = text_at(node, "uid");
    const auto state = text_at(node, "state");
    return {number.is_number() ? scalar(number) : "-",
            paint(look, Hue::strong, shown(name, look)),
            paint(look, hue_of_node(state), shown(state, look)),
            is_self ? "" : duration_text(number_at(node, "silence_ms")),
            addresses.is_array() && !addresses.empty() ? shown(scalar(addresses.front()), look) : "",
            paint(look, digest == usual ? Hue::plain : Hue::warn, shown(digest, look)),
            applied_cell(node, look)};
}

std::size_t widest_line(std::string_view text) {
    std::size_t widest = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        widest = std::max(widest, columns(text.substr(0, end)));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return widest;
}

std::string laid_out(const Json& nodes, const std::vector<std::pair<std::string, std::string>>& loads,
                     const Look& look) {
    using enum Align;
    std::vector<Align> aligns{right, left, left, right, left, left, left};
    Table rows{{"NODE", "NAME", "STATE", "SILENCE", "ADDRESS", "CONFIG", "APPLIED"}};
    for (const auto& [path, heading] : loads) {
        rows.front().push_back(shown(heading, look));
        aligns.push_back(right);
    }
    rows.front().emplace_back("NOTE");
    aligns.push_back(left);
    const auto usual = usual_digest(nodes);
    for (const auto& node : nodes) {
        auto row = node_row(node, usual, look);
        for (const auto& [path, heading] : loads) {
            const Json& value = field(field(node, "values"), path);
            row.push_back(value.is_object() ? scalar(field(value, "value")) : "");
        }
        row.push_back(note_cell(node, look));
        rows.push_back(std::move(row));
    }
    return table(rows, aligns, look);
}

} // namespace

std::string print_nodes(const Json& listed, const Look& look) {
    if (!flag_at(listed, "on"))
        return fmt::format("membership is off: {}\n", shown(text_at(listed, "off"), look));
    const Json& nodes = field(listed, "nodes");
    if (!nodes.is_array() || nodes.empty()) return "No node has been heard yet.\n";
    const auto ready =
        std::ranges::count_if(nodes, [](const Json& node) { return flag_at(node, "takes_work"); });
    const auto heading = fmt::format("{} {}: {}, {} of them for new work\n", paint(look, Hue::dim, "cluster"),
                                     paint(look, Hue::strong, shown(text_at(listed, "cluster"), look)),
                                     counted(static_cast<long long>(nodes.size()), "node"), ready);
    std::vector<std::pair<std::string, std::string>> loads;
    auto text = laid_out(nodes, loads, look);
    for (const auto& [path, leaf] : headings(nodes)) {
        if (loads.size() == kLoads) break;
        loads.emplace_back(path, leaf);
        auto wider = laid_out(nodes, loads, look);
        if (look.width > 0 && widest_line(wider) > static_cast<std::size_t>(look.width)) {
            loads.pop_back();
            continue;
        }
        text = std::move(wider);
    }
    return heading + text;
}

} // namespace schedd::cli
