// Topology: the machine's CPUs as plain values - which exist, which are online, what they share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "components/model/cpu_set.h"

namespace schedd::model {

/// One logical CPU. Numbers are logical indexes, equal for CPUs that share the thing; -1 = not known. `id`
/// and `numa` are the kernel's own numbers, which files and settings of the machine speak of. `kind` ranks
/// core kinds by speed: 0 is the most efficient (slowest) kind known.
struct Cpu {
    int id = 0;
    int core = 0;
    int l2 = -1;
    int l3 = -1;
    int numa = 0;
    int package = 0;
    int kind = 0;
    bool operator==(const Cpu&) const = default;
};

/// What CPUs are grouped by. `automatic` is the widest level that has more than one domain.
enum class Level { automatic, core, l3, numa, package };
std::string_view name_of(Level level);

/// A group of CPUs that share something: "core 3", "l3 0", "numa 1". `numa` is the node of its first CPU.
struct Domain {
    std::string name;
    CpuSet cpus;
    int numa = 0;
};

/// An immutable picture of the machine. `allowed` is what this process tree may use at all; a new generation
/// number goes with every change, and decisions carry the one they were made on.
struct Topology {
    std::vector<Cpu> cpus; // ascending by id, online ones only
    CpuSet online;
    CpuSet allowed;
    std::uint64_t generation = 0;

    /// One more than the highest number of a CPU here, described or online: tables by CPU number are this
    /// long.
    [[nodiscard]] std::size_t width() const;
    /// Online and allowed: where anything may be placed.
    [[nodiscard]] CpuSet usable() const { return online & allowed; }
    /// The domains of a level, in order of their lowest CPU, restricted to usable CPUs, none empty. CPUs
    /// whose index is not known (no L3) form the package's domain instead.
    [[nodiscard]] std::vector<Domain> domains(Level level) const;
    /// The level that `automatic` stands for here: numa, package, l3, core - the first with several domains.
    [[nodiscard]] Level resolve(Level level) const;
};

} // namespace schedd::model
