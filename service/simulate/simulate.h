// Simulate: a topology, a load and a configuration become a scenario, its runs, and their report.
#pragma once

#include <functional>
#include <string>

#include "service/simulate/options.h"
#include "service/simulate/report.h"

namespace schedd::service::simulate {

using namespace schedd::model;

/// What is being run, and how many of its jobs have come.
using Tell = std::function<void(const std::string& run, std::size_t done, std::size_t all)>;

/// What whoever waits should know before it begins, one sentence.
using Warn = std::function<void(const std::string& remark)>;

struct Output {
    std::string text;    // the report, as text or JSON
    std::string picture; // SVG, if one is wanted
};

/// Everything but printing. Reads the files that the options name; the same files and seed give the same
/// output, byte for byte.
Result<Output> simulate(const Options& options, const Tell& tell, const Warn& warn = {});

} // namespace schedd::service::simulate
