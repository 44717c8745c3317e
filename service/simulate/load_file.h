// LoadFile: a load and the machine's habits as a TOML file says them (schedd-cli(1), FILES).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "components/sim/run.h"
#include "service/config_toml.h"

namespace schedd::service::simulate {

using namespace schedd::kit;

/// A kind of jobs as written. `log` is the workload log of its arrivals, "" for none.
struct LoadRow {
    sim::JobKind kind;
    std::string log;
    int speedup = 1;
    Where where;
};

struct LoadFile {
    std::uint64_t seed = 1;
    Duration duration = std::chrono::seconds(600);
    sim::KernelModel kernel;
    sim::Costs costs;
    Duration stale = std::chrono::seconds(1);
    std::vector<LoadRow> rows;
};

/// What a file that says nothing means: a machine on which moving costs microseconds.
LoadFile default_load();

/// Errors say file, line, column, and what would be accepted.
Result<LoadFile> parse_load(std::string_view name, std::string_view text);

/// Every control group that a load's jobs are in by the unit that has it, slices too.
std::map<std::string, std::string> units_of(const std::vector<sim::JobKind>& kinds);

} // namespace schedd::service::simulate
