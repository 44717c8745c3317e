// The daemon's command line.
#pragma once

#include <string>
#include <vector>

#include "components/kit/log.h"
#include "components/kit/result.h"

namespace schedd::service {

using namespace schedd::kit;

struct Options {
    std::string bus = "system";
    std::string state_dir = "/var/lib/schedd";
    std::vector<std::string> config_dirs = {"/usr/lib/schedd", "/run/schedd", "/etc/schedd"};
    std::string actuator = "auto";
    std::string root = "/";
    std::string topology = "auto";
    std::string on_stop;   // "" = as configured, else "restore" or "leave"
    std::string log_level; // "" = as configured
};

/// Reads the command line. When the program is to end at once (--help, --version, usage error), `done` holds
/// its exit code (0 or 2) and what was to be said has been printed.
struct ParsedOptions {
    Options options;
    bool is_done = false;
    int exit_code = 0;
};
ParsedOptions parse_options(int argc, char** argv);

} // namespace schedd::service
