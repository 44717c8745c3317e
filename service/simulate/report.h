// Report: the results of all runs as a table for people or as JSON.
#pragma once

#include <string>
#include <vector>

#include "components/sim/bounds.h"
#include "components/sim/run.h"

namespace schedd::service::simulate {

using namespace schedd::model;

/// All that is told at the end. The first of `runs` is the configured schedulers', if there are any.
struct Report {
    std::string topology; // as it was asked for
    std::uint64_t seed = 0;
    double capacity = 0;
    std::size_t skipped = 0; // jobs of logs that never ran
    std::vector<std::string> schedulers;
    std::vector<std::string> notes;
    sim::Slowdowns sharing; // of the jobs under global processor sharing
    sim::Makespan makespan;
    std::vector<sim::RunResult> runs;
};

std::string text_of(const Report& report, const sim::Scenario& scenario);
std::string json_of(const Report& report, const sim::Scenario& scenario, bool is_indented);

} // namespace schedd::service::simulate
