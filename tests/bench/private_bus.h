// PrivateBus: a dbus-daemon of our own in a scratch directory, open to its owner for everything.
#pragma once

#include "tests/bench/machine_state.h"
#include "tests/bench/process.h"

namespace schedd::bench {

class PrivateBus {
public:
    static Result<PrivateBus> start();
    [[nodiscard]] const std::string& address() const { return address_; }

    /// The configuration of such a bus, listening at an address such as unix:path=/tmp/bus or systemd:
    /// (handed over).
    static std::string configuration(const std::string& address);

private:
    PrivateBus(ScratchDirectory directory, Process process, std::string address)
        : directory_(std::move(directory)), process_(std::move(process)), address_(std::move(address)) {}
    ScratchDirectory directory_; // outlives the process in it
    Process process_;
    std::string address_;
};

} // namespace schedd::bench
