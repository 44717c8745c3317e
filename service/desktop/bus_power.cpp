// Who has the names, and what they say. Signals only say that something has changed: what counts is asked
// for.
#include "service/desktop/bus_power.h"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <systemd/sd-bus.h>

#include "components/kit/errno_error.h"
#include "service/desktop/bus_power_calls.h"
#include "service/desktop/power_reply.h"

namespace schedd::desktop {

namespace {

constexpr std::uint64_t kTimeoutUs = 5'000'000;
/// Between two questions to one service, however often it says that it has changed.
constexpr Duration kBetween = std::chrono::milliseconds(250);
/// Until one that answered with an error, or not at all, is asked again.
constexpr Duration kAgain = std::chrono::seconds(10);
/// Until one that says nothing by itself is asked again: it may not say when it changes.
constexpr Duration kQuiet = std::chrono::seconds(30);

struct Address {
    const char* name;
    const char* path;
    const char* interface;
};
constexpr Address kAddresses[] = {
    {"org.freedesktop.UPower.PowerProfiles", "/org/freedesktop/UPower/PowerProfiles",
     "org.freedesktop.UPower.PowerProfiles"},
    {"net.hadess.PowerProfiles", "/net/hadess/PowerProfiles", "net.hadess.PowerProfiles"},
    {"org.freedesktop.UPower", "/org/freedesktop/UPower", "org.freedesktop.UPower"},
    {"org.freedesktop.UPower", "/org/freedesktop/UPower/devices/DisplayDevice",
     "org.freedesktop.UPower.Device"},
};

} // namespace

void BusPower::SlotEnd::operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }

int BusPower::Calls::owner_changed(sd_bus_message* message, void* self, sd_bus_error* /*error*/) {
    const char* name = nullptr;
    const char* owner = nullptr;
    if (sd_bus_message_read(message, "sss", &name, nullptr, &owner) < 0) return 0;
    for (std::size_t what = 0; what < kServices; ++what)
        if (std::string_view(name) == kAddresses[what].name)
            static_cast<BusPower*>(self)->owner_is(static_cast<What>(what), owner);
    return 0;
}

int BusPower::Calls::owner_told(sd_bus_message* message, void* service, sd_bus_error* /*error*/) {
    auto& asked = *static_cast<Service*>(service);
    const char* owner = nullptr;
    const bool is_there = sd_bus_message_is_method_error(message, nullptr) <= 0 &&
                          sd_bus_message_read(message, "s", &owner) >= 0;
    asked.self->owner_is(asked.what, is_there ? owner : "");
    return 0;
}

int BusPower::Calls::properties_changed(sd_bus_message* message, void* self, sd_bus_error* /*error*/) {
    const char* sender = sd_bus_message_get_sender(message);
    if (sender) static_cast<BusPower*>(self)->changed(sender);
    return 0;
}

int BusPower::Calls::answered(sd_bus_message* message, void* service, sd_bus_error* /*error*/) {
    auto& asked = *static_cast<Service*>(service);
    asked.self->answered(asked, message);
    return 0;
}

/// A match that the bus refuses is no reason to end the connection: what it would tell is not told.
int BusPower::Calls::installed(sd_bus_message* /*message*/, void* /*self*/, sd_bus_error* /*error*/) {
    return 0;
}

Result<std::unique_ptr<BusPower>> BusPower::open(const std::string& address, model::PowerState& state) {
    sd_bus* bus = nullptr;
    int r = 0;
    if (address == "system") {
        r = sd_bus_open_system(&bus);
    } else if (address == "session") {
        r = sd_bus_open_user(&bus);
    } else {
        r = sd_bus_new(&bus);
        if (r >= 0) r = sd_bus_set_address(bus, address.c_str());
        if (r >= 0) r = sd_bus_set_bus_client(bus, 1);
        if (r >= 0) r = sd_bus_start(bus);
    }
    if (r < 0) {
        sd_bus_unref(bus);
        return std::unexpected(errno_error(-r, fmt::format("connecting to the bus {}", address)));
    }
    std::unique_ptr<BusPower> power(new BusPower(bus, state));
    if (auto listening = power->listen(); !listening) return std::unexpected(listening.error());
    return power;
}

BusPower::BusPower(sd_bus* bus, model::PowerState& state) : bus_(bus), state_(state) {
    sd_bus_set_method_call_timeout(bus, kTimeoutUs);
    for (std::size_t what = 0; what < kServices; ++what) {
        services_[what].self = this;
        services_[what].what = static_cast<What>(what);
    }
}

BusPower::~BusPower() {
    for (auto& service : services_) service.call.reset();
    holds_.clear();
    leaving_.clear();
    sd_bus_close_unref(bus_);
}

Status BusPower::listen() {
    int r = 0;
    for (const auto what : {kProfiles, kLegacyProfiles, kUpower}) {
        const auto* name = kAddresses[what].name;
        const auto owner =
            fmt::format("type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop."
                        "DBus',member='NameOwnerChanged',arg0='{}'",
                        name);
        const auto changed =
            fmt::format("type='signal',sender='{}',interface='org.freedesktop.DBus.Properties',"
                        "member='PropertiesChanged',path_namespace='{}'",
                        name, kAddresses[what].path);
        const auto released = fmt::format("type='signal',sender='{}',interface='{}',member='ProfileReleased'",
                                          name, kAddresses[what].interface);
        if (r >= 0)
            r = sd_bus_add_match_async(bus_, nullptr, owner.c_str(), &Calls::owner_changed, &Calls::installed,
                                       this);
        if (r >= 0)
            r = sd_bus_add_match_async(bus_, nullptr, changed.c_str(), &Calls::properties_changed,
                                       &Calls::installed, this);
        if (r >= 0 && what != kUpower)
            r = sd_bus_add_match_async(bus_, nullptr, released.c_str(), &Calls::profile_released,
                                       &Calls::installed, this);
    }
    for (auto& service : services_) {
        sd_bus_slot* slot = nullptr;
        if (r >= 0)
            r = sd_bus_call_method_async(bus_, &slot, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                         "org.freedesktop.DBus", "GetNameOwner", &Calls::owner_told, &service,
                                         "s", kAddresses[service.what].name);
        service.call.reset(slot);
    }
    if (r < 0) return std::unexpected(errno_error(-r, "listening to the daemons of power"));
    settle_state();
    return {};
}

int BusPower::fd() const { return sd_bus_get_fd(bus_); }

short BusPower::events() const {
    const int events = sd_bus_get_events(bus_);
    return static_cast<short>(events < 0 ? POLLIN : events);
}

Time BusPower::next_due(Time now) const {
    if (has_more_) return now;
    std::uint64_t timeout_us = 0;
    Time next = kNever;
    if (sd_bus_get_timeout(bus_, &timeout_us) >= 0 && timeout_us != UINT64_MAX)
        next = std::chrono::microseconds(timeout_us);
    for (const auto& service : services_)
        if (!service.owner.empty() && !service.is_asked) next = std::min(next, service.ask_at);
    for (const auto& [cause, hold] : holds_)
        if (hold->state == Hold::State::held && now < hold->held_at + kSettles)
            next = std::min(next, hold->held_at + kSettles);
    return next;
}

bool BusPower::process(Time now) {
    now_ = now;
    int r = 1;
    for (int i = 0; i < kMessagesPerTurn && r > 0; ++i) r = sd_bus_process(bus_, nullptr);
    has_more_ = r > 0;
    if (r < 0) {
        for (auto& service : services_) service.owner.clear();
        for (auto& said : said_) said = {};
        holds_.clear();
        leaving_.clear();
        settle_state();
        state_.profile_trouble = state_.battery_trouble = "the bus is gone";
        return false;
    }
    for (auto& service : services_)
        if (!service.owner.empty() && !service.is_asked && service.ask_at <= now) ask(service, now);
    hold_some();
    return true;
}

/// Questions go to the unique name: who takes the place of another is asked anew, and nobody is started.
void BusPower::owner_is(What what, std::string owner) {
    auto& service = services_[what];
    if (service.owner == owner) return;
    const auto before = std::exchange(service.owner, std::move(owner));
    service.call.reset();
    service.is_asked = service.has_answered = false;
    service.is_stale = true;
    service.ask_at = now_;
    service.trouble.clear();
    said_[what] = {};
    if (!before.empty()) forget_holds_of(before);
    settle_state();
}

void BusPower::changed(std::string_view sender) {
    for (auto& service : services_) {
        if (service.owner != sender || service.is_stale) continue;
        service.is_stale = true;
        service.ask_at = std::min(service.ask_at, now_ + kBetween);
    }
}

void BusPower::ask(Service& service, Time now) {
    const auto& address = kAddresses[service.what];
    sd_bus_message* message = nullptr;
    int r = sd_bus_message_new_method_call(bus_, &message, service.owner.c_str(), address.path,
                                           "org.freedesktop.DBus.Properties", "GetAll");
    if (r >= 0) r = sd_bus_message_set_auto_start(message, 0);
    if (r >= 0) r = sd_bus_message_append(message, "s", address.interface);
    sd_bus_slot* slot = nullptr;
    if (r >= 0) r = sd_bus_call_async(bus_, &slot, message, &Calls::answered, &service, 0);
    sd_bus_message_unref(message);
    service.call.reset(slot);
    service.is_stale = false;
    service.is_asked = r >= 0;
    service.ask_at = now + kAgain;
}

void BusPower::answered(Service& service, sd_bus_message* reply) {
    service.is_asked = false;
    service.has_answered = true;
    service.trouble.clear();
    auto& said = said_[service.what];
    const auto* name = kAddresses[service.what].name;
    bool is_sound = true;
    if (const auto* error = sd_bus_message_get_error(reply)) {
        said = {};
        service.trouble =
            fmt::format("{} says: {}", name,
                        std::string_view(error->message ? error->message : error->name).substr(0, 256));
        is_sound = false;
    } else if (service.what == kUpower) {
        is_sound = read_on_battery(reply, said);
    } else if (service.what == kDisplayDevice) {
        read_battery(reply, said);
    } else {
        is_sound = read_profile(reply, said);
    }
    if (!is_sound) {
        said = {};
        if (service.trouble.empty())
            service.trouble = fmt::format("{} does not say {}", name,
                                          service.what == kUpower ? "OnBattery" : "ActiveProfile");
    }
    // what changed while the answer was on its way is asked for again
    service.ask_at = now_ + (service.is_stale ? kBetween : is_sound ? kQuiet : kAgain);
    settle_state();
}

/// The service that says the profile now: the newer of the names goes first.
const BusPower::Service* BusPower::teller() const {
    for (const auto what : {kProfiles, kLegacyProfiles})
        if (said_[what].profile) return &services_[what];
    return nullptr;
}

void BusPower::settle_state() {
    state_ = {};
    if (const auto* service = teller()) {
        const auto& said = said_[service->what];
        state_.profile = said.profile;
        state_.degraded = said.degraded;
        state_.profile_from = kAddresses[service->what].name;
    }
    const auto trouble_of = [&](const Service& service, const std::string& nobody) {
        if (service.owner.empty()) return nobody;
        return service.trouble.empty() ? fmt::format("{} has not answered yet", kAddresses[service.what].name)
                                       : service.trouble;
    };
    state_.profile_trouble =
        trouble_of(services_[kProfiles],
                   trouble_of(services_[kLegacyProfiles],
                              fmt::format("nobody has the name {} or {}", kAddresses[kProfiles].name,
                                          kAddresses[kLegacyProfiles].name)));
    for (auto& [cause, hold] : holds_)
        if (hold->state == Hold::State::held && state_.profile == hold->wish.profile)
            hold->was_in_force = true;
    state_.on_battery = said_[kUpower].on_battery;
    state_.battery_percent = said_[kDisplayDevice].battery_percent;
    if (state_.on_battery) state_.battery_from = kAddresses[kUpower].name;
    state_.battery_trouble =
        trouble_of(services_[kUpower], fmt::format("nobody has the name {}", kAddresses[kUpower].name));
}

} // namespace schedd::desktop
