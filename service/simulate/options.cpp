// The options of schedd-simulate, by CLI11; `schedd-cli simulate` hands them on.
#include "service/simulate/options.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "components/sim/limits.h"

namespace schedd::service::simulate {

ParsedOptions parse_options(int argc, char** argv) {
    ParsedOptions parsed;
    Options& o = parsed.options;
    std::string description;
    CLI::App app{"Runs configured schedulers on another machine's topology in virtual time."};
    app.set_version_flag("--version", fmt::format("schedd-simulate {}", SCHEDD_VERSION));
    app.add_option("--topology", o.topology, "xml:FILE, synthetic:DESCRIPTION or auto (this machine)")
        ->type_name("SOURCE")
        ->required();
    app.add_option("FILE", description, "the file or description, after --topology=xml or synthetic");
    app.add_option("--load", o.load, "the jobs, as a TOML file")->type_name("FILE")->required();
    app.add_option("--config", o.config,
                   "a configuration file, or a directory with schedd.conf and schedulers.d; none: baselines "
                   "alone")
        ->type_name("FILE|DIR")
        ->check(CLI::ExistingPath);
    app.add_option("--seed", o.seed, "instead of the load's")
        ->type_name("N")
        ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{INT64_MAX}));
    app.add_option("--duration", o.duration, "time in which jobs come, instead of the load's")
        ->type_name("S")
        ->check(CLI::Range(std::uint64_t{1}, static_cast<std::uint64_t>(sim::kSimSeconds)));
    app.add_option("--picture", o.picture, "write a timeline of all CPUs as SVG")->type_name("FILE");
    app.add_option("--json", o.json, "print JSON, on one line or indented")
        ->type_name("short|pretty|off")
        ->check(CLI::IsMember({"short", "pretty", "off"}));
    app.failure_message([](const CLI::App*, const CLI::Error& error) {
        return fmt::format("simulate: {}\nRun 'schedd-cli simulate --help' for the options.\n", error.what());
    });
    app.footer("See schedd-cli(1).");
    try {
        app.parse(argc, argv);
        const bool is_sort = o.topology == "xml" || o.topology == "synthetic";
        if (is_sort == description.empty())
            throw CLI::ValidationError(
                is_sort ? fmt::format("--topology={} needs a FILE or description after it", o.topology)
                        : fmt::format("'{}' is one word too many", description));
        if (is_sort) o.topology += ":" + description;
    } catch (const CLI::ParseError& error) {
        parsed.is_done = true;
        parsed.exit_code = app.exit(error) == 0 ? 0 : 2;
    }
    return parsed;
}

} // namespace schedd::service::simulate
