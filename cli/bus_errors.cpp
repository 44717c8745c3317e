// D-Bus errors as exit codes and sentences.
#include "cli/bus_errors.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "cli/text.h"

namespace schedd::cli {

namespace {

constexpr std::string_view kStandard = "org.freedesktop.DBus.Error.";

template <std::size_t N> bool is_one_of(const std::array<std::string_view, N>& words, std::string_view word) {
    return std::ranges::find(words, word) != words.end();
}

bool means_denied(std::string_view name) {
    constexpr std::array<std::string_view, 4>
        kDenied{"org.schedd1.Error.Denied", "org.freedesktop.DBus.Error.AccessDenied",
                "org.freedesktop.DBus.Error.AuthFailed",
                "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"};
    return is_one_of(kDenied, name);
}

bool means_absent(std::string_view name) {
    constexpr std::array<std::string_view, 6> kAbsent{"ServiceUnknown",
                                                      "NameHasNoOwner",
                                                      "NoServer",
                                                      "Disconnected",
                                                      "Spawn.ServiceNotFound",
                                                      "Spawn.Failed"};
    return name.starts_with(kStandard) && is_one_of(kAbsent, name.substr(kStandard.size()));
}

std::string bus_text(const BusPlace& place) {
    if (!place.host.empty()) return "the system bus of " + shown(place.host);
    return place.bus == "system" || place.bus == "session" ? "the " + place.bus + " bus"
                                                           : "the bus " + shown(place.bus);
}

Failure absent(const BusPlace& place) {
    return {Exit::not_running,
            fmt::format("schedd is not running on {}. {}", bus_text(place), how_to_start(place))};
}

} // namespace

std::string how_to_start(const BusPlace& place) {
    if (!place.host.empty())
        return fmt::format("Start it there: ssh {} systemctl start schedd.service", shown(place.host));
    if (place.bus == "system")
        return "Start it: systemctl start schedd.service; another bus is named with --bus=";
    return fmt::format("Start it: schedd --bus={}", shown(place.bus));
}

namespace {

Failure judged(std::string_view name, std::string_view message, const BusPlace& place) {
    auto text = shown(message);
    if (means_absent(name)) return absent(place);
    if (means_denied(name))
        return {Exit::denied, text.empty() ? "permission denied" : "permission denied: " + text};
    if (name == "org.freedesktop.DBus.Error.NoReply") {
        // The bus says so at once when the daemon dies in mid-call; a silent daemon runs into our own
        // timeout.
        if (message.find("disconnected") != std::string_view::npos)
            return {Exit::not_running, "the daemon went away before it answered"};
        return {Exit::error, "the daemon did not answer in time"};
    }
    if (name == "org.freedesktop.DBus.Error.UnknownMethod" ||
        name == "org.freedesktop.DBus.Error.UnknownInterface")
        return {Exit::error, "the daemon does not know this method; it may be of another version: " + text};
    return {Exit::error, text.empty() ? shown(name) : text};
}

} // namespace

Failure failure_of(std::string_view name, std::string_view message, const BusPlace& place) {
    auto failure = judged(name, message, place);
    failure.error = name;
    return failure;
}

Failure turned_away(const BusPlace& place) {
    return {Exit::denied, fmt::format("permission denied: {} does not serve this user", bus_text(place))};
}

Failure failure_of_errno(int code, const BusPlace& place) {
    const int reason = code < 0 ? -code : code;
    switch (reason) {
    case ENOENT:
    case ECONNREFUSED:
    case ENOMEDIUM: // no DBUS_SESSION_BUS_ADDRESS and no runtime directory
    case EHOSTUNREACH:
        return {Exit::not_running, fmt::format("cannot reach {}: {}. {}", bus_text(place),
                                               std::strerror(reason), how_to_start(place))};
    case ECONNRESET:
    case EPIPE:
    case ENOTCONN:
    case ESHUTDOWN:
        if (!place.host.empty())
            return {Exit::not_running, fmt::format("no connection to {}: try ssh {} schedd-cli status",
                                                   bus_text(place), shown(place.host))};
        return {Exit::not_running, fmt::format("{} closed the connection: it ended, does not serve this "
                                               "user, or is no message bus",
                                               bus_text(place))};
    case EACCES:
    case EPERM: return {Exit::denied, fmt::format("permission denied by {}", bus_text(place))};
    case ETIMEDOUT: return {Exit::error, "the daemon did not answer in time"};
    default:
        return {Exit::error, fmt::format("talking to {} failed: {}", bus_text(place), std::strerror(reason))};
    }
}

} // namespace schedd::cli
