// EngineWorld: an engine over a world in memory and a machine of masks, to derive fixtures from.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "components/placement/engine.h"
#include "tests/kit/fake_actuator.h"
#include "tests/kit/world.h"

namespace schedd::test {

/// CPUs 0 to count - 1, a core each.
inline Topology plain_machine(int count) {
    Topology topology;
    for (int id = 0; id < count; ++id) topology.cpus.push_back({.id = id, .core = id});
    topology.online = topology.allowed = CpuSet::range(0, count - 1);
    return topology;
}

struct EngineWorld : testing::Test {
    World world;
    Topology topology;
    FakeActuator actuator{topology.online};
    MemoryStore store;
    std::vector<std::string> complaints;
    Ledger ledger{store, "boot", "", complaints};
    std::optional<Engine> engine;

    EngineWorld(std::vector<const Descriptor*> types, Topology machine)
        : world(std::move(types)), topology(std::move(machine)) {
        begin();
    }
    /// The engine anew, as after a restart: the ledger and what runs where stay.
    void begin() { engine.emplace(world.tree, topology, actuator, ledger); }
    void apply(const std::string& lines) {
        const auto done = world.apply(lines);
        ASSERT_TRUE(done) << done.error().text();
    }
    void tick() {
        world.clock.advance(std::chrono::seconds(1));
        engine->tick(world.clock.now());
    }
    static Target process(Pid pid) { return Target::process(pid, static_cast<std::uint64_t>(pid) * 10); }
    [[nodiscard]] std::string mask(Pid pid) const { return actuator.mask(process(pid)).text(); }
    /// Why a process is where it is, as the first in the stack says.
    [[nodiscard]] std::string reason(Pid pid) const {
        const auto told = engine->explain("process:" + std::to_string(pid));
        return told && !told->empty() && !told->front().verdict.opinions.empty()
                   ? told->front().verdict.opinions.front().reason
                   : "nothing";
    }
};

} // namespace schedd::test
