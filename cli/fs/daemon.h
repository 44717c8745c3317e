// Daemon: the connection that the file view answers from, made when it is needed and anew after it broke.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/bus.h"
#include "cli/fs/mirror.h"
#include "cli/fs/types.h"

namespace schedd::cli::fs {

class Daemon {
public:
    explicit Daemon(BusPlace place) : place_(std::move(place)) {}

    /// What is there now: connects and loads if need be, and takes the signals that have arrived. One call
    /// fewer than a file operation could need: none as long as the connection holds. Parts that were handed
    /// out before are no longer valid. Fails with not_running; the daemon is never started for it.
    Answer<void> refresh();
    /// Takes the signals that have arrived; without a connection nothing.
    void take_events();
    /// Calls a method of the manager. What the mirror holds does not change.
    Answer<std::string> call(const char* method, const std::vector<Argument>& arguments,
                             bool is_change = false);

    [[nodiscard]] const Mirror& mirror() const { return mirror_; }
    [[nodiscard]] const Types& types() const { return types_; }
    /// For poll(2); -1 without a connection.
    [[nodiscard]] int descriptor() const { return bus_ ? bus_->descriptor() : -1; }

private:
    Answer<void> connect();
    Answer<void> drain();
    Answer<Json> ask(Bus& bus, const char* method, const std::vector<Argument>& arguments);

    BusPlace place_;
    std::optional<Bus> bus_;
    Mirror mirror_;
    Types types_;
};

} // namespace schedd::cli::fs
