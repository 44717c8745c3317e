// Report: the rows as a table for people or as JSON for programs.
#pragma once

#include <span>
#include <string>

#include "tests/bench/bench.h"

namespace schedd::bench {

std::string table_of(std::span<const Row> rows);
/// An array of {id, what, unit, ours, peer, ratio, goal, goal_sense, ok, note}; what is not known is null.
std::string json_of(std::span<const Row> rows);

} // namespace schedd::bench
