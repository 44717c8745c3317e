// Reading a{sv}, property by property.
#include "service/desktop/power_reply.h"

#include <cmath>
#include <string>

#include <systemd/sd-bus.h>

namespace schedd::desktop {

namespace {

constexpr std::size_t kLongestText = 256;

/// Calls `visit(name, type)` with the message inside each variant that holds one basic value; `visit` reads
/// it and says whether it did, otherwise it is skipped. False if the message cannot be read to its end.
bool for_each_property(sd_bus_message* reply, const std::function<bool(std::string_view, char)>& visit) {
    int r = sd_bus_message_enter_container(reply, 'a', "{sv}");
    while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
        const char* name = nullptr;
        const char* contents = nullptr;
        char type = 0;
        r = sd_bus_message_read(reply, "s", &name);
        if (r >= 0) r = sd_bus_message_peek_type(reply, &type, &contents);
        if (r < 0) break;
        const std::string_view inside = contents ? contents : "";
        if (inside == "s" || inside == "b" || inside == "d") {
            r = sd_bus_message_enter_container(reply, 'v', contents);
            if (r >= 0 && !visit(name, inside[0])) r = sd_bus_message_skip(reply, inside.data());
            if (r >= 0) r = sd_bus_message_exit_container(reply);
        } else {
            r = sd_bus_message_skip(reply, "v");
        }
        if (r >= 0) r = sd_bus_message_exit_container(reply);
    }
    return r >= 0;
}

std::string read_text(sd_bus_message* reply) {
    const char* text = nullptr;
    if (sd_bus_message_read(reply, "s", &text) < 0) return {};
    return std::string(std::string_view(text).substr(0, kLongestText));
}

bool read_flag(sd_bus_message* reply) {
    int flag = 0;
    return sd_bus_message_read(reply, "b", &flag) >= 0 && flag != 0;
}

} // namespace

bool read_profile(sd_bus_message* reply, model::PowerState& state) {
    std::string profile;
    std::string degraded;
    const bool is_whole = for_each_property(reply, [&](std::string_view name, char type) {
        if (type != 's' || (name != "ActiveProfile" && name != "PerformanceDegraded")) return false;
        (name == "ActiveProfile" ? profile : degraded) = read_text(reply);
        return true;
    });
    if (!is_whole || profile.empty()) return false;
    state.profile = std::move(profile);
    state.degraded = std::move(degraded);
    return true;
}

bool read_on_battery(sd_bus_message* reply, model::PowerState& state) {
    std::optional<bool> on_battery;
    const bool is_whole = for_each_property(reply, [&](std::string_view name, char type) {
        if (type != 'b' || name != "OnBattery") return false;
        on_battery = read_flag(reply);
        return true;
    });
    if (is_whole && on_battery) state.on_battery = on_battery;
    return is_whole && on_battery.has_value();
}

void read_battery(sd_bus_message* reply, model::PowerState& state) {
    bool is_present = false;
    double percent = -1;
    const bool is_whole = for_each_property(reply, [&](std::string_view name, char type) {
        if (type == 'b' && name == "IsPresent") is_present = read_flag(reply);
        else if (type == 'd' && name == "Percentage") sd_bus_message_read(reply, "d", &percent);
        else return false;
        return true;
    });
    const bool is_sound = is_whole && is_present && std::isfinite(percent) && percent >= 0 && percent <= 100;
    state.battery_percent = is_sound ? std::optional(percent) : std::nullopt;
}

} // namespace schedd::desktop
