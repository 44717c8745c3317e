// The graph as a graphviz program: one cluster per scheduler, one colour per kind, values in monospace.
#include <array>
#include <set>

#include <fmt/format.h>

#include "cli/graph.h"

namespace schedd::cli {

namespace {

struct Colors {
    std::string_view kind, border, fill;
};

Colors colors_of(std::string_view kind) {
    constexpr std::array<Colors, 5> kColors{{{"source", "#2f855a", "#eefaf3"},
                                             {"filter", "#b7791f", "#fdf7e7"},
                                             {"port", "#0e7490", "#ebf8fb"},
                                             {"policy", "#7c3aed", "#f5f0fe"},
                                             {"process_set", "#1d4ed8", "#eff4ff"}}};
    for (const auto& colors : kColors)
        if (colors.kind == kind) return colors;
    return {kind, "#4b5563", "#f9fafb"};
}

/// Text inside an HTML-like label.
std::string html(std::string_view raw) {
    std::string out;
    for (const char c : shown(raw)) {
        switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        default: out += c;
        }
    }
    return out;
}

/// A string of the dot language.
std::string quoted(std::string_view raw) {
    std::string out = "\"";
    for (const char c : shown(raw)) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

std::string row(std::string_view font, std::string_view text) {
    return fmt::format("<TR><TD ALIGN=\"LEFT\"><FONT {}>{}</FONT></TD></TR>", font, text);
}

std::string node(const Box& box) {
    const auto colors = colors_of(box.kind);
    auto kind = box.kind;
    for (char& c : kind) c = c == '_' ? ' ' : c;
    std::string label = row(fmt::format(R"(POINT-SIZE="9" COLOR="{}")", colors.border), html(kind));
    label += row(R"(POINT-SIZE="13" COLOR="#111827")", "<B>" + html(box.title) + "</B>");
    if (!box.value.empty()) {
        auto value = fmt::format(R"(<FONT FACE="monospace" POINT-SIZE="15" COLOR="{}"><B>{}</B></FONT>)",
                                 colors.border, html(box.value));
        if (!box.unit.empty())
            value += fmt::format(R"(<FONT POINT-SIZE="9" COLOR="#6b7280">  {}</FONT>)", html(box.unit));
        label += "<TR><TD ALIGN=\"LEFT\">" + value + "</TD></TR>";
    } else if (!box.why_none.empty()) {
        label += row(R"(POINT-SIZE="10" COLOR="#b91c1c")", "no value: " + html(box.why_none));
    }
    for (const auto& line : box.lines)
        label += row(R"(FACE="monospace" POINT-SIZE="10" COLOR="#374151")", html(line));
    return fmt::
        format("{} [color={}, fillcolor={}, label=<<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"1\" "
               "CELLPADDING=\"1\">{}</TABLE>>];\n",
               quoted(box.path), quoted(colors.border), quoted(colors.fill), label);
}

std::string edge(std::string_view from, std::string_view to, std::string_view attributes = {}) {
    return fmt::format("  {} -> {}{};\n", quoted(from), quoted(to), attributes);
}

/// Sources stand outside the clusters, since schedulers may share them, and all at the left.
void add_sources(const std::vector<SchedulerGraph>& graphs, std::string& out) {
    std::set<std::string> seen;
    std::string nodes;
    for (const auto& graph : graphs)
        for (const auto& chain : graph.chains)
            for (const auto& box : chain.boxes)
                if (box.kind == "source" && seen.insert(box.path).second) nodes += "    " + node(box);
    if (!nodes.empty()) out += "  {\n    rank=source;\n" + nodes + "  }\n";
}

void add_cluster(const SchedulerGraph& graph, std::size_t number, std::string& out) {
    out += fmt::format("  subgraph cluster_{} {{\n    label={};\n", number, quoted(graph.name));
    std::set<std::string> seen;
    for (const auto& chain : graph.chains)
        for (const auto& box : chain.boxes)
            if (box.kind != "source" && seen.insert(box.path).second) out += "    " + node(box);
    if (!graph.policy.path.empty()) out += "    " + node(graph.policy);
    if (!graph.process_set.path.empty()) out += "    " + node(graph.process_set);
    out += "  }\n";
}

void add_edges(const SchedulerGraph& graph, std::set<std::string>& drawn, std::string& out) {
    const auto add = [&](const std::string& line) {
        if (drawn.insert(line).second) out += line;
    };
    for (const auto& chain : graph.chains) {
        for (std::size_t i = 1; i < chain.boxes.size(); ++i)
            add(edge(chain.boxes[i - 1].path, chain.boxes[i].path));
        const Box& sink = chain.boxes.back();
        if (chain.to_policy) add(edge(sink.path, graph.policy.path));
        else // the port of a filter, which stands one level up
            add(edge(sink.path, sink.path.substr(0, sink.path.rfind('/')), " [style=dashed]"));
    }
    if (!graph.policy.path.empty() && !graph.process_set.path.empty())
        add(edge(graph.policy.path, graph.process_set.path, " [label=\"decides\", penwidth=1.8]"));
}

} // namespace

std::string graph_dot(const std::vector<SchedulerGraph>& graphs) {
    std::string out = R"(digraph schedd {
  rankdir=LR; nodesep=0.25; ranksep=0.5; bgcolor="white"; fontname="Helvetica"; pad=0.2;
  style="rounded"; color="#94a3b8"; fontcolor="#1e3a8a"; fontsize=15; labeljust=l;
  node [shape=box, style="rounded,filled", penwidth=1.3, fontname="Helvetica", margin="0.08,0.04"];
  edge [color="#64748b", arrowsize=0.7, penwidth=1.2, fontname="Helvetica", fontsize=9, fontcolor="#64748b"];
)";
    add_sources(graphs, out);
    std::size_t number = 0;
    std::set<std::string> drawn;
    for (const auto& graph : graphs) add_cluster(graph, number++, out);
    for (const auto& graph : graphs) add_edges(graph, drawn, out);
    return out + "}\n";
}

} // namespace schedd::cli
