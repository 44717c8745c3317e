// The verbs that change one part: set, create, remove, link, unlink.
#include <fmt/format.h>

#include "cli/verbs.h"

namespace schedd::cli {

Answer<Exit> change_once(const Session& session, const char* method, const std::vector<Argument>& arguments,
                         const CallOptions& options) {
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    if (const auto reply = bus->call(method, arguments, &options); !reply)
        return std::unexpected(reply.error());
    if (!session.options.dry_run) return Exit::ok;
    if (const auto written = print("Possible; nothing was changed.\n"); !written)
        return std::unexpected(written.error());
    return Exit::ok;
}

Answer<Exit> change_all(const Session& session, const std::string& recipe) {
    auto options = change_options(session);
    options.entries.emplace_back("format", std::string("verbs"));
    return change_once(session, "Apply", {recipe}, options);
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
                       change_options(session));
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
    auto options = change_options(session);
    if (!attributes.empty()) options.entries.emplace_back("attributes", std::move(attributes));
    return change_once(session, "Create", {words[0], type}, options);
}

Answer<Exit> run_remove(const Session& session) {
    const auto& words = session.options.words;
    if (words.size() > 1) {
        std::string recipe;
        for (const auto& path : words)
            recipe += fmt::format("remove {}{}\n", session.options.recursive ? "-r " : "", quoted(path));
        return change_all(session, recipe);
    }
    auto options = change_options(session);
    if (session.options.recursive) options.entries.emplace_back("recursive", true);
    return change_once(session, "Remove", {words[0]}, options);
}

Answer<Exit> run_link(const Session& session) {
    const auto& words = session.options.words;
    return change_once(session, "Link", {words[0], words[1]}, change_options(session));
}

Answer<Exit> run_unlink(const Session& session) {
    return change_once(session, "Unlink", {session.options.words[0]}, change_options(session));
}

} // namespace schedd::cli
