// CpuEvents: CPUs that go online or offline, as the kernel's uevents tell it.
#pragma once

#include <memory>
#include <string_view>

#include "components/kit/result.h"

struct nl_sock;

namespace schedd::host {

using namespace schedd::kit;

class CpuEvents {
public:
    /// Needs no privilege. Fails with not_supported where the kernel has no uevents to give (network
    /// namespaces).
    static Result<std::unique_ptr<CpuEvents>> open();

    /// Readable when there is something to drain; non-blocking.
    [[nodiscard]] int fd() const;

    /// Reads what waits; true if the CPUs have changed, or may have because events were lost: reload the
    /// topology.
    Result<bool> drain();

private:
    struct Closer {
        void operator()(nl_sock* socket) const;
    };
    explicit CpuEvents(nl_sock* socket) : socket_(socket) {}

    std::unique_ptr<nl_sock, Closer> socket_;
};

/// Whether one uevent ("offline@/devices/...", then KEY=value strings, each ended by a zero byte) says that a
/// CPU came or went.
bool is_cpu_change(std::string_view message);

} // namespace schedd::host
