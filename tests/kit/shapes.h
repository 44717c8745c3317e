// Named machines: the shapes on which placing cores goes wrong in practice, each with what is special about
// it.
#pragma once

#include <string>
#include <vector>

#include "tests/kit/machine.h"

namespace schedd::test {

struct NamedShape {
    std::string name;
    model::Topology topology;
};

/// One node, two cores without siblings, one L3: a small virtual machine.
inline model::Topology shape_1n2c() { return machine({.cores_per_l3 = 2}); }

/// One node, 8 cores of two threads under one L3; siblings are n and n+8, as x86 numbers them.
inline model::Topology shape_1n8c_smt() {
    auto topology = machine({.cores_per_l3 = 16});
    for (auto& cpu : topology.cpus) cpu.core = cpu.l2 = cpu.id % 8;
    return topology;
}

/// Two nodes (packages) of 8 cores with two neighbouring threads each, an L3 per node: 0-15 and 16-31.
inline model::Topology shape_2n16c_smt() {
    return machine({.nodes = 2, .cores_per_l3 = 8, .threads_per_core = 2});
}

/// 8 nodes of 8 cores, each node split into two L3 groups of 4 (core complexes), no siblings.
inline model::Topology shape_8n64c_ccx() {
    return machine({.nodes = 8, .l3_per_node = 2, .cores_per_l3 = 4});
}

/// One node of 64 cores, an L3 for each 8 of them: choosing a node says nothing about caches.
inline model::Topology shape_1n64c_l3_per_8() { return machine({.l3_per_node = 8, .cores_per_l3 = 8}); }

/// A desktop hybrid: 8 fast cores of two threads (0-15), 16 slow ones (16-31) in L2 clusters of four, one L3.
inline model::Topology shape_hybrid_8p_16e() {
    auto topology = machine({.cores_per_l3 = 32});
    for (auto& cpu : topology.cpus) {
        cpu.core = cpu.id < 16 ? cpu.id / 2 : cpu.id - 8;
        cpu.l2 = cpu.id < 16 ? cpu.id / 2 : 8 + (cpu.id - 16) / 4;
        cpu.kind = cpu.id < 16 ? 1 : 0;
    }
    return topology;
}

/// Two nodes of 4 cores, of which CPU 3 is offline: numbers have a hole, and the nodes differ in size.
inline model::Topology shape_2n8c_cpu3_offline() {
    const auto whole = machine({.nodes = 2, .cores_per_l3 = 4});
    auto topology = whole;
    set_online(topology, whole, whole.online - model::CpuSet::of(3));
    return topology;
}

/// Nodes 0 and 8 (as on POWER), packages 0 and 1, caches 3 and 7: no index starts where the last one ended.
inline model::Topology shape_discontiguous_nodes() {
    auto topology = machine({.nodes = 2, .cores_per_l3 = 4});
    for (auto& cpu : topology.cpus) {
        cpu.l3 = cpu.numa == 0 ? 3 : 7;
        cpu.numa *= 8;
    }
    return topology;
}

/// A container that may use 4 of 64 online CPUs, without their siblings (n and n+32).
inline model::Topology shape_container_4_of_64() {
    auto topology = machine({.nodes = 2, .cores_per_l3 = 32});
    for (auto& cpu : topology.cpus) {
        cpu.core = cpu.l2 = cpu.id % 32;
        cpu.l3 = cpu.numa = cpu.package = cpu.id % 32 / 16;
    }
    topology.allowed = model::CpuSet::range(8, 11);
    return topology;
}

/// No caches are described, as in many virtual machines: l2 and l3 are not known.
inline model::Topology shape_no_caches() {
    auto topology = machine({.nodes = 2, .cores_per_l3 = 4});
    for (auto& cpu : topology.cpus) cpu.l2 = cpu.l3 = -1;
    return topology;
}

/// 8 nodes of 128 cores with two neighbouring threads each, an L3 per 16 CPUs: half of the 2,048 CPUs lie
/// where a CpuSet keeps them on the heap: nodes 4 to 7.
inline model::Topology shape_8n1024c_wide() {
    model::Topology topology;
    for (int id = 0; id < 2048; ++id)
        topology.cpus.push_back({.id = id,
                                 .core = id / 2,
                                 .l2 = id / 2,
                                 .l3 = id / 16,
                                 .numa = id / 256,
                                 .package = id / 256,
                                 .kind = 0});
    topology.online = topology.allowed = model::CpuSet::range(0, 2047);
    topology.generation = 1;
    return topology;
}

inline std::vector<NamedShape> all_shapes() {
    return {{"1n2c", shape_1n2c()},
            {"1n8c-smt", shape_1n8c_smt()},
            {"2n16c-smt", shape_2n16c_smt()},
            {"8n64c-ccx", shape_8n64c_ccx()},
            {"1n64c-l3-per-8", shape_1n64c_l3_per_8()},
            {"hybrid-8p-16e", shape_hybrid_8p_16e()},
            {"2n8c-cpu3-offline", shape_2n8c_cpu3_offline()},
            {"discontiguous-nodes", shape_discontiguous_nodes()},
            {"container-4-of-64", shape_container_4_of_64()},
            {"no-caches", shape_no_caches()},
            {"8n1024c-wide", shape_8n1024c_wide()}};
}

} // namespace schedd::test
