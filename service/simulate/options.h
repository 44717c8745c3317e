// The command line of schedd-simulate.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace schedd::service::simulate {

struct Options {
    std::string topology; // as the daemon takes it
    std::string load;
    std::string config;  // a file or directory, "" = baselines alone
    std::string picture; // "" = none
    std::string json = "off";
    std::optional<std::uint64_t> seed;     // instead of the load's
    std::optional<std::uint64_t> duration; // s, likewise
};

/// When the program is to end at once (--help, usage error), `is_done` and its exit code are set and what was
/// to be said has been printed.
struct ParsedOptions {
    Options options;
    bool is_done = false;
    int exit_code = 0;
};
ParsedOptions parse_options(int argc, char** argv);

} // namespace schedd::service::simulate
