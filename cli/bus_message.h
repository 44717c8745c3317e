// Bus messages as JSON, and object paths as tree paths.
#pragma once

#include <string>
#include <string_view>

#include "cli/json.h"

struct sd_bus_message;

namespace schedd::cli {

/// All arguments of a message as an array; dictionaries become objects, variants their value.
Json arguments_of(sd_bus_message* message);

/// "/org/schedd1/probes/mem_5fprobe" -> "probes/mem_probe"; the root is "". Other paths stay as they are.
std::string tree_path(std::string_view object_path);

} // namespace schedd::cli
