// The verb graph: chains by graph_text and graphviz, the machine by machine_text and machine_svg.
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/graph.h"
#include "cli/machine.h"
#include "cli/picture.h"
#include "cli/verbs.h"

namespace schedd::cli {

namespace {

Json box_json(const Box& box) {
    return {{"path", box.path},
            {"kind", box.kind},
            {"value", box.value},
            {"unit", box.unit},
            {"why_none", box.why_none}};
}

Json graph_json(const std::vector<SchedulerGraph>& graphs) {
    Json all = Json::array();
    for (const auto& graph : graphs) {
        Json chains = Json::array();
        for (const auto& chain : graph.chains) {
            Json boxes = Json::array();
            for (const auto& box : chain.boxes) boxes.push_back(box_json(box));
            chains.push_back({{"to_policy", chain.to_policy}, {"boxes", std::move(boxes)}});
        }
        all.push_back({{"scheduler", graph.name},
                       {"policy", graph.policy.path},
                       {"process_set", graph.process_set.path},
                       {"chains", std::move(chains)}});
    }
    return all;
}

/// The standard output, or the file of -o. Owned by the caller if it is a file.
Answer<int> open_output(const std::string& name) {
    if (name.empty() || name == "-") return STDOUT_FILENO;
    const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd >= 0) return fd;
    return give_up(Exit::error, fmt::format("cannot write {}: {}", shown(name), std::strerror(errno)));
}

/// How text may look where it goes: in a file there is no terminal to fit into.
Look look_for(const Session& session) {
    if (session.options.output.empty() || session.options.output == "-") return session.look;
    return {.color = session.options.color == ColorMode::always, .utf8 = session.look.utf8, .width = 0};
}

Answer<std::string> draw_chains(const Session& session) {
    const auto& options = session.options;
    const auto tree = ask_json(session, "Describe", {""});
    if (!tree) return std::unexpected(tree.error());
    const auto graphs = graph_of(*tree, plain_path(options.words));
    if (!graphs) return std::unexpected(graphs.error());
    if (options.json != JsonForm::off) return dump_json(graph_json(*graphs), options.json);
    if (options.format == "svg") return draw_svg(graph_dot(*graphs));
    return options.format == "dot" ? graph_dot(*graphs) : graph_text(*graphs, look_for(session));
}

Answer<std::string> draw_machine(const Session& session) {
    const auto& options = session.options;
    if (options.format == "dot" && options.json == JsonForm::off)
        return give_up(Exit::usage, "graph: --topology is drawn as text or svg, not as dot");
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    const auto topology_text = bus->call("Topology", {});
    if (!topology_text) return std::unexpected(topology_text.error());
    const auto dump_text = bus->read_stream("Dump");
    if (!dump_text) return std::unexpected(dump_text.error());
    const auto topology = parse_json(*topology_text, "Topology");
    if (!topology) return std::unexpected(topology.error());
    const auto dump = parse_json(*dump_text, "Dump");
    if (!dump) return std::unexpected(dump.error());
    const auto machine = machine_of(*topology, *dump, plain_path(options.words));
    if (!machine) return std::unexpected(machine.error());
    if (options.json != JsonForm::off) return dump_json(machine_json(*machine, *topology), options.json);
    return options.format == "svg" ? machine_svg(*machine) : machine_text(*machine, look_for(session));
}

} // namespace

Answer<Exit> run_graph(const Session& session) {
    const auto& name = session.options.output;
    const auto text = session.options.machine ? draw_machine(session) : draw_chains(session);
    if (!text) return std::unexpected(text.error()); // before the file is touched
    const auto fd = open_output(name);
    if (!fd) return std::unexpected(fd.error());
    auto written = write_to(*fd, *text);
    if (*fd != STDOUT_FILENO && ::close(*fd) != 0 && written)
        written =
            give_up(Exit::error, fmt::format("writing {} failed: {}", shown(name), std::strerror(errno)));
    if (!written) return std::unexpected(written.error());
    return Exit::ok;
}

} // namespace schedd::cli
