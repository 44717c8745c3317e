// What of a process's open files and mappings keeps it where it is.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "components/kit/host.h"
#include "components/model/value.h"

namespace schedd::remote {

using namespace schedd::kit;
using namespace schedd::model;

/// In words: a device, a terminal, io_uring, an unlinked file, a socket of the outside, a pipe into it; "" if
/// there is none. `together` are the processes that are moved with it.
std::string trouble_with_files(Host& host, Pid pid, std::span<const Pid> together);

/// In words: memory of a device, of an unlinked file, System V's; "" if there is none.
std::string trouble_with_memory(Host& host, Pid pid);

} // namespace schedd::remote
