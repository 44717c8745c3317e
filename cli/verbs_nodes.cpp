// The verb nodes: who is there, once or again and again; taking one out for maintenance; keys.
#include <ctime>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/print.h"
#include "cli/verbs.h"

namespace schedd::cli {

namespace {

/// What a line is printed anew for where there is no screen: all but ages and values.
std::string gist(Json listed) {
    if (!listed.is_object() || !listed.contains("nodes")) return listed.dump();
    for (auto& node : listed["nodes"])
        if (node.is_object())
            for (const auto* key : {"silence_ms", "since_ms", "values", "loss", "clock_offset_ms"})
                node.erase(key);
    return listed.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string laid_out(const Json& listed, const Session& session) {
    return session.options.json == JsonForm::off ? print_nodes(listed, session.look)
                                                 : dump_json(listed, session.options.json);
}

/// On a terminal the table is drawn over itself; elsewhere it is printed when more than ages has changed.
Answer<Exit> watch_nodes(const Session& session, Bus& bus) {
    const bool is_drawn = is_terminal() && session.options.json == JsonForm::off;
    std::string last;
    for (bool is_first = true;; is_first = false) {
        const auto reply = bus.call("ListNodes", {});
        if (!reply) return std::unexpected(reply.error());
        const auto listed = parse_json(*reply, "ListNodes");
        if (!listed) return std::unexpected(listed.error());
        auto now = gist(*listed);
        if (is_drawn || is_first || now != last) {
            last = std::move(now);
            auto text = laid_out(*listed, session);
            // home, each line to its end, and what an earlier, longer table has left below
            if (is_drawn) {
                std::string screen = "\x1b[H";
                for (const char c : text) screen += c == '\n' ? std::string("\x1b[K\n") : std::string(1, c);
                text = (is_first ? "\x1b[2J" : "") + screen + "\x1b[J";
            } else if (session.options.json == JsonForm::off) {
                text = clock_text() + "\n" + text;
            }
            if (const auto written = print(text); !written) return std::unexpected(written.error());
        }
        const auto pause_ms = static_cast<long>(session.options.interval_ms);
        const timespec pause{.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1'000'000};
        ::nanosleep(&pause, nullptr);
    }
}

Answer<Exit> list_nodes(const Session& session) {
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    if (session.options.watch) return watch_nodes(session, *bus);
    return show(session, bus->call("ListNodes", {}), "ListNodes", print_nodes);
}

Answer<Exit> drain_node(const Session& session, const std::string& node, bool is_draining) {
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    const auto options = change_options(session);
    const auto done = bus->call("DrainNode", {node, Argument::flag(is_draining)}, &options);
    if (!done) return std::unexpected(done.error());
    if (session.options.dry_run)
        if (const auto written = print("Possible; nothing was changed.\n"); !written)
            return std::unexpected(written.error());
    return Exit::ok;
}

} // namespace

Answer<Exit> run_nodes(const Session& session) {
    const auto& options = session.options;
    const auto& words = options.words;
    const bool names_key = options.key_added || options.key_activated != 0 || options.key_removed != 0;
    if (!words.empty() && words[0] == "keygen") return run_keygen(session);
    if (names_key)
        return give_up(Exit::usage, "nodes: --add, --activate and --remove go with schedd-cli nodes keygen");
    if (words.empty()) {
        if (!options.dry_run) return list_nodes(session);
        return give_up(Exit::usage, "nodes: --dry-run goes with drain and undrain");
    }
    if (words[0] != "drain" && words[0] != "undrain")
        return give_up(Exit::usage,
                       fmt::format("nodes: '{}' is none of drain, undrain, keygen", shown(words[0])));
    if (words.size() != 2)
        return give_up(Exit::usage,
                       fmt::format("nodes {0}: no node given; use schedd-cli nodes {0} NODE", words[0]));
    if (options.watch || options.json != JsonForm::off)
        return give_up(Exit::usage, fmt::format("nodes {}: --watch and --json go with the list", words[0]));
    return drain_node(session, words[1], words[0] == "drain");
}

} // namespace schedd::cli
