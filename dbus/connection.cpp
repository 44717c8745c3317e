// Connections on sdbus-c++ 1.2.
#include "dbus/connection.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <sdbus-c++/sdbus-c++.h>
#include <systemd/sd-bus.h>

#include "dbus/message.h"

namespace schedd::dbus {

namespace {

/// The bus itself answers at once; who asks it waits no longer than this all the same.
constexpr std::uint64_t kBusPatienceUs = 1'000'000;

/// A method of the bus itself; null when it does not answer. The caller owns the message.
sd_bus_message* ask_bus(sd_bus* bus, const char* method, const char* name) {
    sd_bus_message* call = nullptr;
    sd_bus_message* reply = nullptr;
    int result = sd_bus_message_new_method_call(bus, &call, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                                "org.freedesktop.DBus", method);
    if (result >= 0 && name != nullptr) result = sd_bus_message_append(call, "s", name);
    if (result >= 0) result = sd_bus_call(bus, call, kBusPatienceUs, nullptr, &reply);
    sd_bus_message_unref(call);
    return result >= 0 ? reply : nullptr;
}

/// The library keeps its bus to itself, but every message knows the bus it belongs to.
sd_bus* bus_below(sdbus::IConnection& connection) {
    auto proxy = sdbus::createProxy(connection, "org.freedesktop.DBus", "/org/freedesktop/DBus");
    const auto call = proxy->createMethodCall("org.freedesktop.DBus", "GetId");
    return sd_bus_message_get_bus(raw_of(call));
}

} // namespace

Connection::Connection(std::unique_ptr<sdbus::IConnection> connection)
    : connection_(std::move(connection)), raw_(bus_below(*connection_)) {}

Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(const std::string& bus) {
    if (bus != "system" && bus != "session" && bus.find(':') == std::string::npos)
        return fail(Errc::invalid_value, fmt::format("there is no bus '{}'", bus.substr(0, 80)),
                    "use system, session or an address such as unix:path=/run/x");
    try {
        auto connection = bus == "system"    ? sdbus::createSystemBusConnection()
                          : bus == "session" ? sdbus::createSessionBusConnection()
                                             : sdbus::createSessionBusConnectionWithAddress(bus);
        return std::unique_ptr<Connection>(new Connection(std::move(connection)));
    } catch (const sdbus::Error& e) {
        return fail(Errc::io, fmt::format("cannot connect to the bus '{}'", bus.substr(0, 200)),
                    e.getMessage());
    }
}

Status Connection::request_name(const std::string& name) {
    try {
        connection_->requestName(name);
        return {};
    } catch (const sdbus::Error& e) {
        if (e.getName() == "org.freedesktop.DBus.Error.FileExists" || e.getName() == "System.Error.EALREADY")
            return fail(Errc::held_by_other, fmt::format("another schedd owns the name {} on this bus", name),
                        "end it first, or use another --bus");
        if (e.getName() == "org.freedesktop.DBus.Error.AccessDenied")
            return fail(Errc::denied, fmt::format("the bus does not let uid own {}", name),
                        "run as root, or install the bus policy file");
        return fail(Errc::io, fmt::format("cannot own the name {}", name), e.getMessage());
    }
}

void Connection::add_object_manager(const std::string& path) {
    connection_->addObjectManager(path, sdbus::floating_slot);
}

Connection::Poll Connection::poll() const {
    try {
        const auto data = connection_->getEventLoopPollData();
        return {data.fd, data.events, data.timeout_usec};
    } catch (const sdbus::Error&) { // the bus is gone: process() finds out at once
        return {-1, 0, 0};
    }
}

Connection::Turn Connection::process() {
    try {
        return connection_->processPendingRequest() ? Turn::more : Turn::idle;
    } catch (const sdbus::Error&) { return Turn::lost; }
}

Result<std::uint32_t> Connection::uid_of(const std::string& unique_name) {
    sd_bus_creds* creds = nullptr;
    int result = sd_bus_get_name_creds(raw_, unique_name.c_str(), SD_BUS_CREDS_EUID, &creds);
    uid_t uid = 0;
    if (result >= 0) result = sd_bus_creds_get_euid(creds, &uid);
    sd_bus_creds_unref(creds);
    if (result >= 0) return uid;
    return fail(Errc::denied, "the bus does not know its uid", std::strerror(-result));
}

Result<bool> Connection::offers(const std::string& name) {
    int is_owned = 0;
    auto* owner = ask_bus(raw_, "NameHasOwner", name.c_str());
    int result = owner != nullptr ? sd_bus_message_read(owner, "b", &is_owned) : -EIO;
    sd_bus_message_unref(owner);
    if (result >= 0 && is_owned != 0) return true;
    auto* names = ask_bus(raw_, "ListActivatableNames", nullptr);
    if (names == nullptr) result = -EIO;
    if (result >= 0) result = sd_bus_message_enter_container(names, 'a', "s");
    const char* one = nullptr;
    bool is_found = false;
    while (result >= 0 && (result = sd_bus_message_read(names, "s", &one)) > 0)
        is_found = is_found || name == one;
    sd_bus_message_unref(names);
    if (result >= 0) return is_found;
    return fail(Errc::io, "the bus does not say who is on it", std::strerror(-result));
}

Connection::Watch Connection::watch_owner(const std::string& unique_name, std::function<void()> gone) {
    try {
        auto slot = connection_->addMatch(fmt::format("type='signal',sender='org.freedesktop.DBus',interface="
                                                      "'org.freedesktop.DBus',"
                                                      "member='NameOwnerChanged',arg0='{}',arg2=''",
                                                      unique_name),
                                          [gone = std::move(gone)](sdbus::Message&) { gone(); });
        return Watch(std::move(slot));
    } catch (const sdbus::Error&) {
        return Watch(nullptr, [](void*) {});
    }
}

} // namespace schedd::dbus
