// The verbs that change one part: set, create, remove, link, unlink.
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/print.h"
#include "cli/verbs.h"

namespace schedd::cli {

namespace {

constexpr int kPlanTries = 20;

} // namespace

Answer<Exit> change_once(const Session& session, const char* method, const std::vector<Argument>& arguments,
                         const CallOptions& options, const std::string& recipe) {
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    auto reply = bus->call(method, arguments, &options);
    if (!reply) return std::unexpected(reply.error());
    if (!session.options.dry_run) return Exit::ok;
    CallOptions dry;
    dry.entries = {{"dry_run", true}, {"format", std::string("verbs")}};
    std::string plan;
    for (int i = 0; i < kPlanTries; ++i) { // it is not rehearsed more often than a tenth of the time allows
        if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
        if (i > 0 || std::string_view(method) != "Apply") reply = bus->call("Apply", {recipe}, &dry);
        const auto applied = reply ? parse_json(*reply, "Apply") : std::unexpected(reply.error());
        plan = applied ? print_plan(*applied, session.look) : std::string();
        if (!applied || text_at(*applied, "no_plan").empty()) break;
    }
    if (const auto written = print("Possible; nothing was changed.\n" + plan); !written)
        return std::unexpected(written.error());
    return Exit::ok;
}

Answer<Exit> change_all(const Session& session, const std::string& recipe) {
    auto options = change_options(session);
    options.entries.emplace_back("format", std::string("verbs"));
    return change_once(session, "Apply", {recipe}, options, recipe);
}

std::string quoted(const std::string& word) {
    const char quote = word.find('"') == std::string::npos ? '"' : '\'';
    return quote + word + quote;
}

Answer<Exit> run_set(const Session& session) {
    std::string place = session.options.words.front();
    std::string value;
    if (session.options.words.size() == 2) {
        value = session.options.words[1];
    } else {
        const auto equals = place.find('=');
        if (equals == std::string::npos)
            return give_up(Exit::usage,
                           fmt::format("set: no value given for '{}'; use set PATH.ATTRIBUTE VALUE",
                                       shown(place)));
        value = place.substr(equals + 1);
        place.resize(equals);
    }
    // A member's name may hold dots; an attribute's may not.
    const auto dot = place.find_last_of('.');
    const auto slash = place.find_last_of('/');
    if (dot == std::string::npos || dot + 1 == place.size() || (slash != std::string::npos && dot < slash))
        return give_up(Exit::usage, fmt::format("set: '{}' names no attribute; use PATH.ATTRIBUTE, such as "
                                                "probes/cpu.probe_period",
                                                shown(place)));
    return change_once(session, "Write",
                       {place.substr(0, dot), place.substr(dot + 1), Argument::variant(value)},
                       change_options(session),
                       fmt::format("write {} {}\n", cli::quoted(place), cli::quoted(value)));
}

Answer<Exit> run_create(const Session& session) {
    const auto& words = session.options.words;
    std::string type;
    std::vector<std::pair<std::string, std::string>> attributes;
    for (std::size_t i = 1; i < words.size(); ++i) {
        const auto equals = words[i].find('=');
        if (equals == std::string::npos && i == 1) {
            type = words[i];
            continue;
        }
        if (equals == std::string::npos || equals == 0)
            return give_up(Exit::usage, fmt::format("create: '{}' is not ATTRIBUTE=VALUE", shown(words[i])));
        attributes.emplace_back(words[i].substr(0, equals), words[i].substr(equals + 1));
    }
    const auto written = attributes;
    auto options = change_options(session);
    if (!attributes.empty()) options.entries.emplace_back("attributes", std::move(attributes));
    std::string recipe = fmt::format("create {} {}\n", cli::quoted(words[0]), type);
    for (const auto& [name, value] : written)
        recipe += fmt::format("write {} {}\n", cli::quoted(words[0] + "." + name), cli::quoted(value));
    return change_once(session, "Create", {words[0], type}, options, recipe);
}

Answer<Exit> run_remove(const Session& session) {
    const auto& words = session.options.words;
    if (words.size() > 1) {
        std::string recipe;
        for (const auto& path : words)
            recipe += fmt::format("remove {}{}\n", session.options.recursive ? "-r " : "", cli::quoted(path));
        return change_all(session, recipe);
    }
    auto options = change_options(session);
    if (session.options.recursive) options.entries.emplace_back("recursive", true);
    return change_once(session, "Remove", {words[0]}, options,
                       fmt::format("remove {}{}\n", session.options.recursive ? "-r " : "",
                                   cli::quoted(words[0])));
}

Answer<Exit> run_link(const Session& session) {
    const auto& words = session.options.words;
    return change_once(session, "Link", {words[0], words[1]}, change_options(session),
                       fmt::format("link {} {}\n", cli::quoted(words[0]), cli::quoted(words[1])));
}

Answer<Exit> run_unlink(const Session& session) {
    const auto& sink = session.options.words[0];
    return change_once(session, "Unlink", {sink}, change_options(session),
                       fmt::format("unlink {}\n", cli::quoted(sink)));
}

} // namespace schedd::cli
