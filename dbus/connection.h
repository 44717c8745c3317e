// Connection: a connection to one bus that somebody else's loop drives.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "components/kit/result.h"

namespace sdbus {
class IConnection;
} // namespace sdbus
struct sd_bus;

namespace schedd::dbus {

using namespace schedd::kit;

class Connection {
public:
    /// "system", "session" or an address. Fails with io (no such bus) or invalid_value (no such word).
    static Result<std::unique_ptr<Connection>> open(const std::string& bus);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Fails with held_by_other when it is owned, denied when the bus policy forbids it.
    Status request_name(const std::string& name);
    /// Puts org.freedesktop.DBus.ObjectManager at `path` for all objects below it.
    void add_object_manager(const std::string& path);

    /// As Service::Poll.
    struct Poll {
        int fd = -1;
        short events = 0;
        std::uint64_t timeout_us = UINT64_MAX;
    };
    [[nodiscard]] Poll poll() const;

    /// Handles one message or sends what is waiting. `lost`: the bus is gone for good.
    enum class Turn { idle, more, lost };
    Turn process();

    /// Calls `gone` (from process()) when the owner of a unique name leaves the bus, until the handle is
    /// dropped; it must not be dropped within the call. Null when the bus refuses.
    using Watch = std::unique_ptr<void, std::function<void(void*)>>;
    Watch watch_owner(const std::string& unique_name, std::function<void()> gone);

    /// The uid behind a unique name as the bus knows it now; fails with denied when its owner has left.
    Result<std::uint32_t> uid_of(const std::string& unique_name);

    /// Whether somebody owns this name or would be started for it. Fails with io when the bus does not say.
    Result<bool> offers(const std::string& name);

    /// For object.cpp only.
    [[nodiscard]] sdbus::IConnection& library() { return *connection_; }
    /// The same below the library, for what it does not offer: filters, calls with a flag.
    [[nodiscard]] sd_bus* raw() { return raw_; }

private:
    explicit Connection(std::unique_ptr<sdbus::IConnection> connection);
    std::unique_ptr<sdbus::IConnection> connection_;
    sd_bus* raw_; // the library's own
};

} // namespace schedd::dbus
