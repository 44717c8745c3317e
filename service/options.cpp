// The daemon's command line, by CLI11.
#include "service/options.h"

#include <cstdlib>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace schedd::service {

ParsedOptions parse_options(int argc, char** argv) {
    ParsedOptions parsed;
    Options& o = parsed.options;
    if (const char* state = std::getenv("STATE_DIRECTORY")) o.state_dir = state;
    CLI::App app{"schedd builds schedulers out of small parts while the system runs."};
    app.set_version_flag("--version", fmt::format("schedd {}", SCHEDD_VERSION));
    app.add_option("--bus", o.bus, "bus to serve: system, session or a D-Bus address")
        ->type_name("BUS")
        ->capture_default_str();
    app.add_option("--state-dir", o.state_dir, "where the ledger is kept")
        ->type_name("DIR")
        ->capture_default_str();
    app.add_option("--config-dir", o.config_dirs,
                   "read the configuration here alone (default: /usr/lib/schedd, /run/schedd, /etc/schedd)")
        ->type_name("DIR")
        ->expected(1)
        ->check(CLI::ExistingDirectory)
        ->default_str("");
    app.add_option("--actuator", o.actuator,
                   "how decisions reach the machine: auto, systemd, cgroup, affinity or dry-run")
        ->type_name("KIND")
        ->check(CLI::IsMember({"auto", "systemd", "cgroup", "affinity", "dry-run"}))
        ->capture_default_str();
    app.add_option("--root", o.root, "where proc and sys are read")
        ->type_name("DIR")
        ->check(CLI::ExistingDirectory)
        ->capture_default_str();
    app.add_option("--topology", o.topology, "auto, xml:FILE or synthetic:DESC (hwloc)")
        ->type_name("SOURCE")
        ->capture_default_str();
    app.add_option("--on-stop", o.on_stop,
                   "what to do with placed work on stop: restore or leave (default: as configured)")
        ->type_name("WHAT")
        ->check(CLI::IsMember({"restore", "leave"}));
    app.add_option("--log-level", o.log_level,
                   "debug, info, notice, warning or error (default: as configured, else info)")
        ->type_name("LEVEL")
        ->check(CLI::IsMember({"debug", "info", "notice", "warning", "error"}));
    app.failure_message([](const CLI::App*, const CLI::Error& error) {
        return fmt::format("schedd: {}\nRun 'schedd --help' for the options.\n", error.what());
    });
    app.footer("See schedd(8), schedd.conf(5), schedd-cli(1).");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        parsed.is_done = true;
        parsed.exit_code = app.exit(error) == 0 ? 0 : 2;
    }
    return parsed;
}

} // namespace schedd::service
