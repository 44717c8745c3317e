// InnerSystemd: a real systemd as PID 1 of namespaces of its own, with a bus that is reachable from outside.
#pragma once

#include <string>

#include <sys/types.h>

#include "tests/bench/machine_state.h"

namespace schedd::bench {

/// It sees an own proc, an empty run, read-only etc and proc/sys, and a control group that is made for it and
/// removed with it. It runs nothing but a dbus-daemon. Ends by SIGKILL, which takes everything in its
/// namespaces along.
class InnerSystemd {
public:
    /// Needs root. Returns when its bus answers and systemd is on it.
    static Result<InnerSystemd> start();
    InnerSystemd(InnerSystemd&& other) noexcept;
    InnerSystemd& operator=(InnerSystemd&& other) = delete;
    ~InnerSystemd();
    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] std::string bus_address() const { return "unix:path=" + directory_.path() + "/bus"; }

private:
    InnerSystemd(ScratchDirectory directory, std::string group)
        : directory_(std::move(directory)), group_(std::move(group)) {}
    Status boot();
    ScratchDirectory directory_;
    std::string group_; // directory of its control group
    pid_t pid_ = -1;
};

/// Where the unified hierarchy is mounted; fails if it is not.
Result<std::string> unified_hierarchy();
/// Removes a control group with all below it; tries for a second, since the dead leave slowly.
void remove_groups(const std::string& directory);

} // namespace schedd::bench
