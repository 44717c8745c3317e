// A turn of the engine for one process among many.
#include "tests/bench/turn.h"

#include "components/placement/engine.h"
#include "policies/policies.h"
#include "tests/bench/interrupt.h"
#include "tests/kit/fake_actuator.h"
#include "tests/kit/machine.h"
#include "tests/kit/world.h"

namespace schedd::bench {

namespace {

using namespace schedd::test;

constexpr Pid kFirst = 1000;
constexpr Pid kProcesses = 10000;
constexpr double kOneChangeUs = 50;

struct Node {
    World world{{&policies::kExclusiveCores}};
    Topology topology = machine({.nodes = 8, .l3_per_node = 8, .cores_per_l3 = 16});
    FakeActuator actuator{topology.usable()};
    MemoryStore store;
    std::vector<std::string> complaints;
    placement::Ledger ledger{store, "boot", "", complaints};
    placement::Engine engine{world.tree, topology, actuator, ledger};

    Status build() {
        for (Pid pid = kFirst; pid < kFirst + kProcesses; ++pid) world.start({.pid = pid});
        if (auto made = world.apply("create schedulers/X\ncreate schedulers/X/exclusive_cores\n"
                                    "write schedulers/X/process_set.handle_all true\n");
            !made)
            return made;
        for (int turns = 0; turns < 10; ++turns)
            engine.tick(world.clock.now()); // some thousand steps in each
        return all_are_held(kProcesses);
    }
    [[nodiscard]] Status all_are_held(Pid count) const {
        if (engine.held() == static_cast<std::size_t>(count)) return {};
        return fail(Errc::not_applied, fmt::format("{} of {} are held", engine.held(), count));
    }
    /// CPU time in us.
    double turn() {
        const auto before = thread_cpu_ns();
        engine.tick(world.clock.now());
        return static_cast<double>(thread_cpu_ns() - before) / 1e3;
    }
};

} // namespace

Status measure_turns(Run& run) {
    Node node;
    if (auto built = node.build(); !built) return built;
    std::vector<double> coming;
    std::vector<double> going;
    for (int i = 0; i < run.repeats(200, 50); ++i) {
        if (auto still = not_interrupted(); !still) return still;
        const Pid pid = kFirst + kProcesses + i;
        node.world.start({.pid = pid});
        coming.push_back(node.turn());
        if (auto right = node.all_are_held(kProcesses + 1); !right) return right;
        node.world.end(pid);
        node.actuator.gone.insert(Target::process(pid, static_cast<std::uint64_t>(pid) * 10));
        going.push_back(node.turn());
        if (auto right = node.all_are_held(kProcesses); !right) return right;
    }
    const Goal goal{Goal::Sense::at_most, kOneChangeUs};
    run.alone("a process comes to 10,000 placed ones (handle_all): the engine's turn until it is placed",
              "us CPU", median(coming), goal,
              "members, decision, verdict, step, ledger and report; the actuator is played");
    run.alone("a process of 10,000 placed ones ends: the engine's turn", "us CPU", median(going), goal);
    return {};
}

} // namespace schedd::bench
