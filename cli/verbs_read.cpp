// The verbs that read: status, tree, types, explain, verify, graph, version.
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <ranges>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/graph.h"
#include "cli/picture.h"
#include "cli/verbs.h"

namespace schedd::cli {

namespace {

Answer<std::string> ask(const Session& session, const char* method,
                        const std::vector<Argument>& arguments = {}) {
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    return bus->call(method, arguments);
}

Answer<Json> ask_json(const Session& session, const char* method,
                      const std::vector<Argument>& arguments = {}) {
    const auto reply = ask(session, method, arguments);
    if (!reply) return std::unexpected(reply.error());
    return parse_json(*reply, method);
}

Answer<Exit> finish(const Answer<void>& written, Exit exit = Exit::ok) {
    if (!written) return std::unexpected(written.error());
    return exit;
}

/// "/" and a slash at the end are how people write folders.
std::string plain_path(const std::vector<std::string>& words) {
    std::string path = words.empty() ? std::string() : words.front();
    while (path.ends_with('/')) path.pop_back();
    return path;
}

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

Answer<void> write_graph(const std::vector<SchedulerGraph>& graphs, const Session& session, int fd) {
    auto look = session.look;
    if (fd != STDOUT_FILENO)
        look = {.color = session.options.color == ColorMode::always, .utf8 = look.utf8, .width = 0};
    const auto text = session.options.json != JsonForm::off
                          ? dump_json(graph_json(graphs), session.options.json)
                      : session.options.format == "dot" ? graph_dot(graphs)
                                                        : graph_text(graphs, look);
    return write_to(fd, text);
}

} // namespace

Answer<Exit> run_status(const Session& session) {
    return show(session, ask(session, "Status"), "Status", print_status);
}

Answer<Exit> run_tree(const Session& session) {
    const auto reply = ask(session, "Describe", {plain_path(session.options.words)});
    if (session.options.listing == Listing::none) return show(session, reply, "Describe", print_tree);
    if (!reply) return std::unexpected(reply.error());
    const auto part = parse_json(*reply, "Describe");
    if (!part) return std::unexpected(part.error());
    const auto lines = print_listing(*part, session.options.listing);
    if (session.options.json == JsonForm::off) return finish(print(lines));
    Json names = Json::array();
    for (const auto line : std::views::split(lines, '\n'))
        if (!line.empty()) names.push_back(std::string(line.begin(), line.end()));
    return finish(print(dump_json(names, session.options.json)));
}

Answer<Exit> run_types(const Session& session) {
    auto types = ask_json(session, "Types");
    if (!types) return std::unexpected(types.error());
    const std::string name = session.options.words.empty() ? "" : session.options.words.front();
    const auto text = print_types(*types, name, session.look);
    if (text.empty())
        return give_up(Exit::error,
                       fmt::format("no type '{}'; there are: {}", shown(name), type_names(*types)));
    if (session.options.json == JsonForm::off) return finish(print(text));
    if (name.empty()) return finish(print(dump_json(*types, session.options.json)));
    for (const auto& type : *types)
        if (text_at(type, "name") == name || text_at(type, "alias") == name)
            return finish(print(dump_json(type, session.options.json)));
    return Exit::ok;
}

Answer<Exit> run_explain(const Session& session) {
    return show(session, ask(session, "Explain", {session.options.words.front()}), "Explain", print_explain);
}

Answer<Exit> run_verify(const Session& session) {
    const auto verified = ask_json(session, "Verify");
    if (!verified) return std::unexpected(verified.error());
    const bool holds = flag_at(*verified, "ok");
    const auto form = session.options.json;
    const auto text =
        form == JsonForm::off ? print_verify(*verified, session.look) : dump_json(*verified, form);
    return finish(print(text), holds ? Exit::ok : Exit::drift);
}

Answer<Exit> run_graph(const Session& session) {
    const auto tree = ask_json(session, "Describe", {""});
    if (!tree) return std::unexpected(tree.error());
    const auto graphs = graph_of(*tree, plain_path(session.options.words));
    if (!graphs) return std::unexpected(graphs.error());
    Answer<std::string> picture = std::string();
    const bool is_svg = session.options.format == "svg" && session.options.json == JsonForm::off;
    if (is_svg) picture = draw_svg(graph_dot(*graphs)); // before the file is touched
    if (!picture) return std::unexpected(picture.error());
    const auto fd = open_output(session.options.output);
    if (!fd) return std::unexpected(fd.error());
    auto written = is_svg ? write_to(*fd, *picture) : write_graph(*graphs, session, *fd);
    if (*fd != STDOUT_FILENO && ::close(*fd) != 0 && written)
        written = give_up(Exit::error, fmt::format("writing {} failed: {}", shown(session.options.output),
                                                   std::strerror(errno)));
    return finish(written);
}

Answer<Exit> run_version(const Session& session) {
    const auto status = ask_json(session, "Status");
    const std::string daemon = status ? text_at(*status, "version") : std::string();
    if (session.options.json != JsonForm::off)
        return finish(print(
            dump_json({{"schedd-cli", SCHEDD_VERSION}, {"schedd", daemon.empty() ? Json() : Json(daemon)}},
                      session.options.json)));
    return finish(print(fmt::format("schedd-cli {}\nschedd {}\n", SCHEDD_VERSION,
                                    daemon.empty() ? "is not reachable" : shown(daemon))));
}

} // namespace schedd::cli
