// Signals as lines for people and as JSON.
#include "cli/event.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "cli/bus_message.h"

namespace schedd::cli {

namespace {

constexpr std::string_view kProperties = "org.freedesktop.DBus.Properties";
constexpr std::string_view kOwnNames = "org.schedd1.";

struct Names {
    std::string_view member;
    std::array<std::string_view, 4> names;
};

/// The argument names of the contract's signals.
constexpr std::array<Names, 8> kNames{{{"Decided", {"scheduler", "target", "cpus", "reason"}},
                                       {"Conflict", {"scheduler", "target", "detail", ""}},
                                       {"Ejected", {"scheduler", "why", "", ""}},
                                       {"Moved", {"unit", "node", "phase", "detail"}},
                                       {"Sampled", {"value", "age_ms", "", ""}},
                                       {"InterfacesAdded", {"object", "interfaces", "", ""}},
                                       {"InterfacesRemoved", {"object", "interfaces", "", ""}},
                                       {"PropertiesChanged", {"interface", "changed", "invalidated", ""}}}};

std::string argument(const Event& event, std::size_t index, const Look& look) {
    return index < event.arguments.size() ? shown(scalar(event.arguments[index]), look) : std::string();
}

std::string subject(std::string_view path, const Look& look) {
    return paint(look, Hue::strong, path.empty() ? "/" : shown(path, look));
}

std::string changed_line(const Event& event, const Look& look) {
    if (event.arguments.size() < 3) return {};
    std::string out;
    const auto add = [&](std::string_view piece) {
        if (!out.empty()) out += ", ";
        out += piece;
    };
    for (const auto& [name, value] : event.arguments[1].items()) {
        const auto text = shown(scalar(value), look);
        add(fmt::format("{} = {}", shown(name, look), text.empty() ? "\"\"" : text));
    }
    for (const auto& name : event.arguments[2]) add(shown(scalar(name), look) + " changed");
    return out.empty() ? out : subject(event.path, look) + "  " + out;
}

/// Standard interfaces come and go with every object; only the kind is of interest.
std::string object_line(const Event& event, bool added, const Look& look) {
    if (event.arguments.size() < 2) return {};
    const Json& list = event.arguments[1];
    std::string kind;
    for (const auto& [key, value] : list.items()) {
        const auto name = list.is_object() ? key : scalar(value);
        if (!name.starts_with(kOwnNames)) continue;
        kind = name.substr(kOwnNames.size());
    }
    if (kind.empty()) return {};
    const auto path = object_tree_path(event);
    return paint(look, added ? Hue::good : Hue::bad, added ? "+ " : "- ") + subject(path, look) + "  " +
           shown(kind, look) + (added ? " added" : " removed");
}

} // namespace

std::string print_event(const Event& event, const Look& look) {
    if (event.interface == kProperties) return changed_line(event, look);
    if (event.member == "InterfacesAdded" || event.member == "InterfacesRemoved")
        return object_line(event, event.member == "InterfacesAdded", look);
    const auto word = [&](std::size_t index) { return argument(event, index, look); };
    const auto scheduler = [&] { return paint(look, Hue::scheduler, word(0)); };
    if (event.member == "Decided")
        return fmt::format("{}  {} on CPUs {}: {}", scheduler(), word(1), paint(look, Hue::strong, word(2)),
                           word(3));
    if (event.member == "Conflict")
        return fmt::format("{}  {} {}: {}", scheduler(), paint(look, Hue::warn, "conflict for"), word(1),
                           word(2));
    if (event.member == "Ejected")
        return fmt::format("{}  {}: {}", scheduler(), paint(look, Hue::bad, "is out of action"), word(1));
    if (event.member == "Moved")
        return fmt::format("{}  {} ({}){}{}", paint(look, Hue::strong, word(0)), word(2), word(1),
                           word(3).empty() ? "" : ": ", word(3));
    if (event.member == "Sampled")
        return fmt::format("{}  {} ({} ms old)", subject(event.path, look), word(0), word(1));
    return fmt::format("{}  {} {}", subject(event.path, look), shown(event.member, look),
                       shown(event.arguments.dump(-1, ' ', false, Json::error_handler_t::replace), look));
}

std::string object_tree_path(const Event& event) {
    return event.arguments.empty() ? std::string() : tree_path(scalar(event.arguments[0]));
}

Json event_json(const Event& event) {
    Json json{{"path", event.path}, {"interface", event.interface}, {"signal", event.member}};
    const auto known = std::ranges::find(kNames, event.member, &Names::member);
    if (known == kNames.end()) {
        json["arguments"] = event.arguments;
        return json;
    }
    Json named = Json::object();
    for (std::size_t i = 0; i < event.arguments.size() && i < known->names.size(); ++i)
        if (!known->names[i].empty()) named[std::string(known->names[i])] = event.arguments[i];
    json["arguments"] = std::move(named);
    return json;
}

} // namespace schedd::cli
