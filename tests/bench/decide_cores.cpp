// decide_cores: exclusive_cores for 10,000 members on a machine of 1,024 cores, against hwloc_distrib as the
// floor.
#include <fmt/format.h>
#include <hwloc.h>

#include "policies/policies.h"
#include "tests/bench/bench.h"
#include "tests/bench/distribute.h"
#include "tests/bench/interrupt.h"
#include "tests/kit/machine.h"
#include "tests/kit/world.h"

namespace schedd::bench {

namespace {

using namespace schedd::test;

constexpr unsigned kSubjects = 10000;
constexpr Pid kFirstPid = 1000;
constexpr Pid kOneIn = 10; // asks for a core of its own

struct Table {
    World world{{&policies::kExclusiveCores}};
    Topology topology = machine({.nodes = 8, .l3_per_node = 8, .cores_per_l3 = 16});
    std::vector<Subject> subjects;
    std::size_t exclusive = 0;

    Status build() {
        for (unsigned i = 0; i < kSubjects; ++i) {
            const Pid pid = kFirstPid + static_cast<Pid>(i);
            const Demand demand{.work_class = pid % 20 == 0 ? WorkClass::latency : WorkClass::batch,
                                .cpus = 1,
                                .exclusive = pid % kOneIn == 0};
            subjects.push_back({Target::process(pid, 1),
                                fmt::format("process:{}", pid),
                                100,
                                {pid},
                                topology.usable(),
                                demand});
        }
        return world.apply("create schedulers/X\ncreate schedulers/X/exclusive_cores\n");
    }
    /// The policy decides, the machine obeys. CPU time of the decision in ns.
    double round() {
        auto& policy = world.at<Policy>("schedulers/X/exclusive_cores");
        const auto before = thread_cpu_ns();
        const auto decisions = policy.decide({world.clock.now(), topology, subjects});
        const auto used = thread_cpu_ns() - before;
        exclusive = 0;
        for (std::size_t i = 0; i < decisions.size(); ++i) {
            subjects[i].current = decisions[i].cpus;
            if (decisions[i].cpus.count() == 1) ++exclusive;
        }
        return static_cast<double>(used);
    }
};

Status measure_rounds(Run& run, hwloc_topology_t peer) {
    Pairs placing;
    Pairs changing;
    for (int pair = 0; pair < run.repeats(9, 5); ++pair) {
        if (auto going = not_interrupted(); !going) return going;
        Table table;
        if (auto built = table.build(); !built) return built;
        const double first = table.round();
        const auto floor = distribute(peer, kSubjects);
        if (!floor) return std::unexpected(floor.error());
        placing.add(first / 1e6, *floor / 1e6);
        if (table.exclusive != kSubjects / kOneIn)
            return fail(Errc::not_applied, fmt::format("only {} have a core of their own", table.exclusive));
        table.subjects[1].demand.exclusive = true; // one more
        const double later = table.round();
        const auto again = distribute(peer, kSubjects);
        if (!again) return std::unexpected(again.error());
        changing.add(later / 1e6, *again / 1e6);
    }
    const Goal goal{Goal::Sense::at_most, 25};
    run.compared("exclusive_cores places 10,000 members on 1,024 cores, 1,000 of them alone, against "
                 "hwloc_distrib",
                 "ms CPU", placing, goal, "hwloc_distrib knows no demands: a floor");
    run.compared("exclusive_cores decides anew when one more asks for a core, against hwloc_distrib",
                 "ms CPU", changing, goal);
    return {};
}

} // namespace

Status decide_cores(Run& run) {
    hwloc_topology_t peer = nullptr;
    if (hwloc_topology_init(&peer) != 0) return fail(Errc::io, "no hwloc topology");
    Status done = fail(Errc::io, "hwloc cannot make the synthetic topology");
    if (hwloc_topology_set_synthetic(peer, "numa:8 l3:8 core:16 pu:1") == 0 && hwloc_topology_load(peer) == 0)
        done = measure_rounds(run, peer);
    hwloc_topology_destroy(peer);
    return done;
}

} // namespace schedd::bench
