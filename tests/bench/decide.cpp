// decide: load_balancing for 10,000 processes on a machine of 64 cores, against hwloc_distrib as the floor.
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

/// Loads by pid in an array, so that what is measured is the policy and not this.
class ArrayProbe final : public Probe {
public:
    static constexpr AttributeSpec kAttributes[] = {probe_period()};
    static constexpr SourceSpec kSources[] = {
        {.name = "load", .type = types::kLoad, .doc = "The sum."},
        {.name = "process_load", .type = types::kLoadByPid, .doc = "Each one's."},
    };
    ArrayProbe(const Descriptor& type, std::string name, const Environment& environment)
        : Probe(type, std::move(name), environment), rng_(7) {
        adopt(std::make_unique<PlainSource>(kSources[0]));
        adopt(std::make_unique<LookupSource>(
            kSources[1], [this](const Parameter& parameter) { return load_of(parameter); },
            [](const Output::Visit&) {}));
    }
    /// New loads: half of the processes idle, the others up to a whole CPU.
    void measure(Time now) override {
        time_ = now;
        std::int64_t sum = 0;
        for (auto& load : loads_) {
            load = rng_.below(2) == 0 ? 0 : static_cast<std::int64_t>(rng_.below(1000));
            sum += load;
        }
        static_cast<PlainSource&>(*children()[0]).set({.value = sum, .time = now});
    }

private:
    [[nodiscard]] std::optional<Sample> load_of(const Parameter& parameter) const {
        const auto* pid = std::get_if<std::int64_t>(&parameter);
        if (!pid || *pid < kFirstPid || *pid >= kFirstPid + static_cast<Pid>(kSubjects)) return std::nullopt;
        return Sample{.value = loads_[static_cast<std::size_t>(*pid - kFirstPid)], .time = time_};
    }
    Rng rng_;
    Time time_{};
    std::vector<std::int64_t> loads_ = std::vector<std::int64_t>(kSubjects);
};

const Descriptor kArrayProbe{.name = "array_probe",
                             .kind = Kind::probe,
                             .doc = "Loads in an array.",
                             .make = make_part<ArrayProbe>,
                             .attributes = ArrayProbe::kAttributes,
                             .sources = ArrayProbe::kSources};

struct Table {
    World world{{&kArrayProbe, &policies::kLoadBalancing}};
    Topology topology = machine({.nodes = 2, .l3_per_node = 4, .cores_per_l3 = 8, .threads_per_core = 1});
    std::vector<Subject> subjects;

    Status build() {
        for (Pid pid = kFirstPid; pid < kFirstPid + static_cast<Pid>(kSubjects); ++pid)
            subjects.push_back({Target::process(pid, 1), "handle_all", 100, {pid}, topology.usable()});
        return world.apply("create probes/array_probe\n"
                           "create schedulers/LB\n"
                           "create schedulers/LB/load_balancing\n"
                           "write schedulers/LB/load_balancing.level core\n"
                           "link probes/array_probe/process_load schedulers/LB/load_balancing/process_load\n"
                           "link probes/array_probe/load schedulers/LB/load_balancing/node_load\n");
    }
    /// A second passes, loads change, the policy decides, the machine obeys. CPU time of the decision in ns.
    double round() {
        world.clock.advance(std::chrono::seconds(1));
        world.at<ArrayProbe>("probes/array_probe").measure(world.clock.now());
        auto& policy = world.at<Policy>("schedulers/LB/load_balancing");
        const auto before = thread_cpu_ns();
        const auto decisions = policy.decide({world.clock.now(), topology, subjects});
        const auto used = thread_cpu_ns() - before;
        decided = decisions.size();
        auto subject = subjects.begin(); // both are ordered by target, or nearly
        for (const auto& decision : decisions) {
            if (subject == subjects.end() || subject->target > decision.target) subject = subjects.begin();
            while (subject != subjects.end() && subject->target != decision.target) ++subject;
            if (subject != subjects.end()) subject->current = decision.cpus;
        }
        return static_cast<double>(used);
    }
    std::size_t decided = 0;
};

Status measure_rounds(Run& run, hwloc_topology_t peer) {
    Pairs placing;
    Pairs steady;
    for (int pair = 0; pair < run.repeats(9, 5); ++pair) {
        if (auto going = not_interrupted(); !going) return going;
        Table table;
        if (auto built = table.build(); !built) return built;
        const double first = table.round();
        const auto floor = distribute(peer, kSubjects);
        if (!floor) return std::unexpected(floor.error());
        placing.add(first / 1e6, *floor / 1e6);
        if (table.decided < kSubjects / 3)
            return fail(Errc::not_applied, fmt::format("only {} decisions", table.decided));
        for (int i = 0; i < 3; ++i) table.round();
        const double later = table.round();
        const auto again = distribute(peer, kSubjects);
        if (!again) return std::unexpected(again.error());
        steady.add(later / 1e6, *again / 1e6);
    }
    const Goal goal{Goal::Sense::at_most, 25};
    run.compared("load_balancing places 10,000 newcomers on 64 cores, against hwloc_distrib", "ms CPU",
                 placing, goal, "hwloc_distrib knows no load, weight or earlier place: a floor");
    run.compared("load_balancing balances 10,000 placed processes again, against hwloc_distrib", "ms CPU",
                 steady, goal);
    return {};
}

} // namespace

Status decide(Run& run) {
    hwloc_topology_t peer = nullptr;
    if (hwloc_topology_init(&peer) != 0) return fail(Errc::io, "no hwloc topology");
    Status done = fail(Errc::io, "hwloc cannot make the synthetic topology");
    if (hwloc_topology_set_synthetic(peer, "numa:2 l3:4 core:8 pu:1") == 0 && hwloc_topology_load(peer) == 0)
        done = measure_rounds(run, peer);
    hwloc_topology_destroy(peer);
    return done;
}

} // namespace schedd::bench
