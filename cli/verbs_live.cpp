// The verb monitor: signals as they come, until interrupted or the daemon leaves.
#include <nlohmann/json.hpp>

#include "cli/event.h"
#include "cli/verbs.h"

namespace schedd::cli {

namespace {

/// Whether the event is about `path` or something below it. Decisions come from the root and name a
/// scheduler.
bool concerns(const Event& event, const std::string& path) {
    const auto within = [&](const std::string& candidate) {
        return candidate == path || candidate.starts_with(path + "/");
    };
    if (path.empty() || within(event.path)) return true;
    if (event.arguments.empty()) return false;
    const auto first = scalar(event.arguments[0]);
    const bool names_object = event.member == "InterfacesAdded" || event.member == "InterfacesRemoved";
    return names_object ? within(object_tree_path(event))
                        : event.path.empty() && within("schedulers/" + first);
}

} // namespace

Answer<Exit> run_monitor(const Session& session) {
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    if (const auto subscribed = bus->subscribe(); !subscribed) return std::unexpected(subscribed.error());
    // Says at once, with the right exit code, when there is nobody to listen to or no such part.
    std::string path = session.options.words.empty() ? std::string() : session.options.words.front();
    while (path.ends_with('/')) path.pop_back();
    if (const auto known = bus->call("Describe", {path}); !known) return std::unexpected(known.error());
    Answer<void> written;
    const auto form = session.options.json;
    const auto handle = [&](const Event& event) {
        if (!written || !concerns(event, path)) return;
        if (form != JsonForm::off) {
            Json json{{"time", clock_text()}};
            json.update(event_json(event));
            written = print(dump_json(json, form));
        } else if (const auto line = print_event(event, session.look); !line.empty()) {
            written = print(clock_text() + "  " + line + "\n");
        }
    };
    while (written)
        if (const auto event = bus->next_event(-1, handle); !event) return std::unexpected(event.error());
    return std::unexpected(written.error());
}

} // namespace schedd::cli
