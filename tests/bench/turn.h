// The engine's whole turn when one of 10,000 processes comes or goes.
#pragma once

#include "tests/bench/bench.h"

namespace schedd::bench {

/// From the news of the process to its place: members, decision, verdict, steps, ledger, what is told of it.
/// The actuator is played.
Status measure_turns(Run& run);

} // namespace schedd::bench
