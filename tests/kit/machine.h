// Machines: topologies made to measure, as the hwloc adapter would describe such a machine.
#pragma once

#include "components/model/topology.h"

namespace schedd::test {

/// How much of everything there is in the next larger thing; one NUMA node per package.
struct Shape {
    int nodes = 1;
    int l3_per_node = 1;
    int cores_per_l3 = 1;
    int threads_per_core = 1;
};

/// All CPUs online and allowed, numbered so that a core's threads are neighbours. Generation 1.
inline model::Topology machine(const Shape& shape) {
    model::Topology topology;
    int id = 0;
    int core = 0;
    int l3 = 0;
    for (int node = 0; node < shape.nodes; ++node)
        for (int c = 0; c < shape.l3_per_node; ++c, ++l3)
            for (int k = 0; k < shape.cores_per_l3; ++k, ++core)
                for (int t = 0; t < shape.threads_per_core; ++t, ++id)
                    topology.cpus.push_back({.id = id,
                                             .core = core,
                                             .l2 = core,
                                             .l3 = l3,
                                             .numa = node,
                                             .package = node,
                                             .kind = 0});
    topology.online = topology.allowed = model::CpuSet::range(0, id - 1);
    topology.generation = 1;
    return topology;
}

/// The machine after a CPU went away or came back (`whole` describes it with all CPUs online).
inline void set_online(model::Topology& topology, const model::Topology& whole, const model::CpuSet& online) {
    topology.cpus.clear();
    for (const auto& cpu : whole.cpus)
        if (online.contains(cpu.id)) topology.cpus.push_back(cpu);
    topology.online = online & whole.online;
    ++topology.generation;
}

} // namespace schedd::test
