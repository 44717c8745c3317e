// Doctor: what the machine lacks of what schedd can use, what follows from it, and what to do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "components/kit/host.h"
#include "components/model/topology.h"
#include "dbus/backend.h"

namespace schedd::service {

/// What no file tells, but the daemon knows. A missing answer is one that was not given; `..._trouble` says
/// why.
struct Surroundings {
    model::Topology topology;
    bool is_described = false; // the topology is an XML file or synthetic, not that of the files
    std::string actuator;
    std::optional<std::string> systemd_version; // none: PID 1 is not spoken to
    std::string systemd_trouble;
    std::optional<bool> has_polkit;
    std::optional<bool> has_logind;
    bool has_process_events = false;
    bool has_cpu_events = false;
};

/// All checks, always the same in the same order. Reads some dozens of small files.
std::vector<dbus::Check> examine(kit::Host& host, const Surroundings& around);

/// A CPU list below sys/devices/system/cpu: "present", "isolated"; "" when the kernel does not tell.
std::string cpu_list(kit::Host& host, const std::string& name);

} // namespace schedd::service
