// Payload: what a unit would bring along if it were moved, read from proc, and why it cannot be moved.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "components/kit/host.h"
#include "components/model/subject.h"

namespace schedd::remote {

using namespace schedd::kit;
using namespace schedd::model;

struct Payload {
    std::string why_not; // in words, "" if nothing speaks against it
    Pid init = 0;        // number 1 of its PID namespace; 0 if it has none
    std::vector<Pid>
        staying; // of the unit, but not of that namespace: who starts it, or passes on what it says
    std::uint64_t bytes = 0; // in memory and swapped out, of all its processes
    std::uint64_t age_s = 0; // since init was started here
};

/// Reads what runs in `unit`, some files for each of at most 64 processes; does not block. What only CRIU can
/// see (who is at the other end of a socket) is not looked for: its dump says it then, and nothing is lost.
Payload look_at(Host& host, const std::string& unit);

/// The unit of systemd that a process is in: "foo.service"; "" if it is in none.
std::string unit_of(Host& host, Pid pid);

} // namespace schedd::remote
