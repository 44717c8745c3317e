// Demand: who wants the values of a source, so that probes need not measure what nobody takes.
#pragma once

#include "components/model/flow.h"

namespace schedd::model {

/// Whether a chain leads from here to a policy whose scheduler has members, or handles all: only then can
/// what it says come to anything. Costs a walk up the chains.
[[nodiscard]] bool feeds_members(const Output& output);

/// Somebody outside of the chains (a person, another node) reads this source, filter or port: the source at
/// the lower end of its chain is told (Source::ask). Anything else is passed over.
void ask_source_of(const Part& part);

} // namespace schedd::model
