// Service: org.schedd1 on one bus - the connection, its name, all objects - driven by the daemon's loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "components/kit/log.h"
#include "components/kit/result.h"
#include "dbus/backend.h"
#include "dbus/gate.h"

namespace schedd::dbus {

class Service {
public:
    /// `lost` is called once, from process(), when the bus has gone away; the service is then only good for
    /// destruction (not from within the callback).
    struct Options {
        std::string bus = "system"; // "system", "session" or a D-Bus address
        std::function<void()> lost = {};
        Patience patience = {}; // with polkit
    };

    /// Connects, puts up an object for the manager and for every part there is, then takes the name, so that
    /// who sees the name finds everything. Fails with held_by_other when another schedd owns the name,
    /// denied when the bus policy forbids it, io when there is no such bus. `backend` and `log` outlive the
    /// service.
    static Result<std::unique_ptr<Service>> open(Backend& backend, Log& log, Options options);

    ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    /// What to poll for. Refresh it before each poll (an sd_event prepare hook): it changes with every
    /// message. `timeout_us` is absolute, CLOCK_MONOTONIC; UINT64_MAX for none, 0 for at once.
    struct Poll {
        int fd = -1;
        short events = 0;
        std::uint64_t timeout_us = UINT64_MAX;
    };
    [[nodiscard]] Poll poll() const;

    /// Handles what is pending, at most limits::kBusMessagesPerTurn messages and no new one after
    /// limits::kBusTurnMs, and never waits. Poll::timeout_us is 0 while there is more.
    void process();
    /// Sends one PropertiesChanged per object and interface for all that has changed since the last call:
    /// writes, links, and what parts reported. Call once per tick.
    void flush_signals();

    /// Whether somebody owns a name on this bus or would be started for it. Fails with io when the bus does
    /// not say.
    [[nodiscard]] Result<bool> offers(const std::string& name);

    /// The Manager's signals.
    void decided(std::string_view scheduler, std::string_view target, std::string_view cpus,
                 std::string_view reason);
    void conflict(std::string_view scheduler, std::string_view target, std::string_view detail);
    void ejected(std::string_view scheduler, std::string_view why);
    void moved(std::string_view unit, std::string_view node, std::string_view phase, std::string_view detail);
    /// Holds came or went: their objects do too. Call it before the reply to the call that made one.
    void holds_changed();
    /// OnlineCpus and TopologyGeneration have changed.
    void topology_changed();
    /// A sample may have come for watched sources: emits Sampled where due at `now`. Call once per tick.
    void sampled(Time now);

private:
    struct Parts;
    explicit Service(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

} // namespace schedd::dbus
