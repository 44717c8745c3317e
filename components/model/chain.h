// Chain: the pipe notation "cpu/node_load | average(half_life=2000) | threshold(threshold=100)", as verbs.
#pragma once

#include <string>
#include <string_view>

#include "components/model/verb.h"

namespace schedd::model {

/// Reads a chain from the source (left) to the sink (right) and returns the verbs that build it at `sink`:
/// the rightmost filter is created in the sink, the next inside that, the source is linked last. The source
/// is "PROBE/SOURCE", with or without "probes/" before it; with nothing before the first '|' the lower end is
/// left open. A filter is TYPE, or NAME:TYPE under another name. Its attributes stand in parentheses,
/// comma-separated, values bare or in double quotes ('\' before a quote inside). Errors say where in the
/// text.
Result<Recipe> parse_chain(std::string_view text, const Path& sink);

} // namespace schedd::model
