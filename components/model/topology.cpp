// Grouping CPUs into domains.
#include "components/model/topology.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

namespace schedd::model {

namespace {

/// The index of `cpu` at a level; an unknown cache falls back to the package, kept apart by its sign.
int index_of(const Cpu& cpu, Level level) {
    switch (level) {
    case Level::core: return cpu.core;
    case Level::l3: return cpu.l3 >= 0 ? cpu.l3 : -1 - cpu.package;
    case Level::numa: return cpu.numa;
    case Level::package:
    case Level::automatic: return cpu.package;
    }
    return 0;
}

} // namespace

std::string_view name_of(Level level) {
    switch (level) {
    case Level::automatic: return "auto";
    case Level::core: return "core";
    case Level::l3: return "l3";
    case Level::numa: return "numa";
    case Level::package: return "package";
    }
    return "auto";
}

std::size_t Topology::width() const {
    int last = online.last();
    for (const Cpu& cpu : cpus) last = std::max(last, cpu.id);
    return static_cast<std::size_t>(last + 1);
}

std::vector<Domain> Topology::domains(Level level) const {
    level = resolve(level);
    const CpuSet may_use = usable();
    std::vector<Domain> found;
    std::unordered_map<int, std::size_t> places; // in `found`, by index
    for (const Cpu& cpu : cpus) {
        if (!may_use.contains(cpu.id)) continue;
        const int index = index_of(cpu, level);
        const auto [at, is_new] = places.try_emplace(index, found.size());
        if (!is_new) {
            found[at->second].cpus.add(cpu.id);
            continue;
        }
        const auto name =
            index >= 0 ? fmt::format("{} {}", name_of(level), index) : fmt::format("package {}", -1 - index);
        found.push_back({name, CpuSet::of(cpu.id), cpu.numa});
    }
    return found;
}

Level Topology::resolve(Level level) const {
    if (level != Level::automatic) return level;
    for (const Level candidate : {Level::numa, Level::package, Level::l3})
        if (domains(candidate).size() > 1) return candidate;
    return Level::core;
}

} // namespace schedd::model
