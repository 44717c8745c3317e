// Baselines: simple ways to place jobs, each a known point to compare a scheduler with.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "components/kit/rng.h"
#include "components/sim/run.h"

namespace schedd::sim {

/// `pull`: what Linux does by itself. `split`: each kind of jobs has CPUs of its own, in proportion to its
/// work, and Linux does the rest. The others choose a CPU for each thread when it comes, for good.
enum class Baseline { pull, split, random, round_robin, power_of_two, least_loaded, least_loaded_stale };

std::vector<Baseline> all_baselines();
std::string_view name_of(Baseline baseline);
/// One sentence.
std::string_view doc_of(Baseline baseline);
/// How the kernel behaves under it.
KernelModel kernel_of(Baseline baseline, const KernelModel& linux);

/// `stale`: age at which the loads that least_loaded_stale sees are measured anew.
std::unique_ptr<Director> make_director(Baseline baseline, const Scenario& scenario, std::uint64_t seed,
                                        Duration stale);

} // namespace schedd::sim
