// topology: reading a machine into plain values, against the hwloc_topology_load that is in it.
#include <memory>

#include <fmt/format.h>
#include <hwloc.h>

#include "service/host/hwloc_topology.h"
#include "tests/bench/bench.h"
#include "tests/bench/interrupt.h"
#include "tests/bench/machine_state.h"

namespace schedd::bench {

namespace {

using host::TopologySource;

constexpr const char* kMachine = "numa:8 l3:8 core:16 pu:1";

struct Destroyer {
    void operator()(hwloc_topology* topology) const { hwloc_topology_destroy(topology); }
};
using Handle = std::unique_ptr<hwloc_topology, Destroyer>;

/// The same source with the same settings as ours, so that the difference is what we add.
Result<Handle> load(const TopologySource& source) {
    hwloc_topology_t raw = nullptr;
    if (hwloc_topology_init(&raw) != 0) return fail(Errc::io, "no hwloc topology");
    Handle topology(raw);
    using Kind = TopologySource::Kind;
    if (source.kind == Kind::xml) hwloc_topology_set_xml(raw, source.text.c_str());
    if (source.kind == Kind::synthetic) hwloc_topology_set_synthetic(raw, source.text.c_str());
    hwloc_topology_set_components(raw, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
    hwloc_topology_set_flags(raw, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
    hwloc_topology_set_all_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_STRUCTURE);
    hwloc_topology_set_cache_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_ALL);
    hwloc_topology_set_type_filter(raw, HWLOC_OBJ_CORE, HWLOC_TYPE_FILTER_KEEP_ALL);
    hwloc_topology_set_type_filter(raw, HWLOC_OBJ_PACKAGE, HWLOC_TYPE_FILTER_KEEP_ALL);
    hwloc_topology_set_io_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_NONE);
    if (hwloc_topology_load(raw) != 0) return fail(Errc::io, "hwloc cannot load " + source.text);
    return topology;
}

Status compare(Run& run, std::string_view what, const TopologySource& source) {
    Pairs pairs;
    for (int pair = 0; pair < run.repeats(25, 9); ++pair) {
        if (auto going = not_interrupted(); !going) return going;
        host::TopologyReader reader(source);
        auto before = thread_cpu_ns();
        const auto ours = reader.load();
        const auto used = thread_cpu_ns() - before;
        if (!ours) return std::unexpected(ours.error());
        before = thread_cpu_ns();
        auto theirs = load(source);
        if (!theirs) return std::unexpected(theirs.error());
        const int pus = hwloc_get_nbobjs_by_type(theirs->get(), HWLOC_OBJ_PU);
        theirs->reset(); // ours is freed in its time, too
        pairs.add(static_cast<double>(used) / 1e6, static_cast<double>(thread_cpu_ns() - before) / 1e6);
        if (static_cast<int>(ours->cpus.size()) != pus)
            return fail(Errc::not_applied, fmt::format("{} CPUs, hwloc has {}", ours->cpus.size(), pus));
    }
    run.compared(fmt::format("topology of {} read into values, against hwloc_topology_load alone", what),
                 "ms CPU", pairs, Goal{Goal::Sense::at_most, 1.5}, "with the same settings");
    return {};
}

} // namespace

Status topology(Run& run) {
    const TopologySource synthetic{TopologySource::Kind::synthetic, kMachine};
    if (auto done = compare(run, "1,024 synthetic cores", synthetic); !done) return done;
    auto directory = ScratchDirectory::make("/tmp");
    if (!directory) return std::unexpected(directory.error());
    const auto file = directory->path() + "/machine.xml";
    {
        const auto whole = load(synthetic);
        if (!whole) return std::unexpected(whole.error());
        if (hwloc_topology_export_xml(whole->get(), file.c_str(), 0) != 0)
            return fail(Errc::io, "hwloc cannot write " + file);
    }
    if (auto done = compare(run, "these 1,024 cores from XML", {TopologySource::Kind::xml, file}); !done)
        return done;
    return compare(run, "this machine", {});
}

} // namespace schedd::bench
