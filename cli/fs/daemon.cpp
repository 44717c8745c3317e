// Connecting, loading, and noticing that the daemon has gone.
#include "cli/fs/daemon.h"

#include <nlohmann/json.hpp>

namespace schedd::cli::fs {

Answer<Json> Daemon::ask(Bus& bus, const char* method, const std::vector<Argument>& arguments) {
    const auto text = bus.call(method, arguments);
    if (!text) return std::unexpected(text.error());
    return parse_json(*text, method);
}

Answer<void> Daemon::connect() {
    auto bus = Bus::open(place_);
    if (!bus) return std::unexpected(bus.error());
    bus->never_start();
    // asked for first: what comes or goes during the load is then told as well
    if (auto subscribed = bus->subscribe_objects(); !subscribed) return subscribed;
    const auto types = ask(*bus, "Types", {});
    if (!types) return std::unexpected(types.error());
    const auto tree = ask(*bus, "Describe", {""});
    if (!tree) return std::unexpected(tree.error());
    types_.load(*types);
    mirror_.load(*tree);
    bus_ = std::move(*bus);
    return {};
}

Answer<void> Daemon::drain() {
    auto taken = bus_->take_events([&](const Event& event) { mirror_.take(event); });
    if (!taken) bus_.reset();
    return taken;
}

Answer<void> Daemon::refresh() {
    // of a daemon that has gone the signals tell; another may be there already
    if (bus_ && drain()) return {};
    if (auto connected = connect(); !connected) return connected;
    return drain();
}

void Daemon::take_events() {
    if (bus_) (void)drain();
}

Answer<std::string> Daemon::call(const char* method, const std::vector<Argument>& arguments, bool is_change) {
    if (!bus_) return give_up(Exit::not_running, "the daemon went away");
    const CallOptions none;
    auto answer = bus_->call(method, arguments, is_change ? &none : nullptr);
    if (!answer && answer.error().exit == Exit::not_running) bus_.reset();
    return answer;
}

} // namespace schedd::cli::fs
