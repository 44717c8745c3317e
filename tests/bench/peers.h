// The parts of the benchmark `peers`.
#pragma once

#include "tests/bench/bench.h"
#include "tests/bench/stage.h"

namespace schedd::bench {

/// CPU and memory of a node among so many peers, beside a receiver that does nothing with what it hears.
Status node_among(Run& run, Stage& stage, std::size_t peers);
/// CPU and memory of the whole daemon among a thousand peers.
Status daemon_among_a_thousand(Run& run, Stage& stage);
/// What 100,000 forged datagrams a second cost a node, and whether it keeps its peers meanwhile.
Status forged_flood(Run& run, Stage& stage);
/// So many nodes of schedd, serf and corosync: what they send, and when a silent one is missed.
Status beside_others(Run& run, Stage& stage, std::size_t nodes);

} // namespace schedd::bench
