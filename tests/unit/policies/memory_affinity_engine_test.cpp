// memory_affinity from numa_stat to the act: a unit found by its processes, placed, tuned and put back.
#include <gtest/gtest.h>

#include "components/placement/engine.h"
#include "components/probes/probes.h"
#include "policies/policies.h"
#include "tests/kit/fake_actuator.h"
#include "tests/kit/machine.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

TEST(AWholeMemoryAffinity, PlacesAUnitByItsControlGroupsMemoryAndPutsItBack) {
    World world({&policies::kMemoryAffinity, &probes::kNumaMemory, &kTestProbe});
    const auto topology = machine({.nodes = 2, .cores_per_l3 = 4});
    FakeActuator actuator(topology.usable());
    actuator.whole_units = true;
    MemoryStore store;
    std::vector<std::string> complaints;
    Ledger ledger(store, "boot", "", complaints);
    Engine engine(world.tree, topology, actuator, ledger);
    const auto ticks = [&](int count) {
        for (int i = 0; i < count; ++i) {
            world.clock.advance(std::chrono::seconds(5));
            engine.tick(world.clock.now());
        }
    };
    const std::string group = "sys/fs/cgroup/system.slice/db.service/";
    world.host.set(group + "memory.numa_stat",
                   "anon N0=94371840 N1=444596224\nfile N0=0 N1=811008\nkernel_stack N0=16384 N1=0\n"
                   "shmem N0=0 N1=0\nfile_mapped N0=0 N1=135168\n");
    world.host.set("sys/devices/system/node/node1/meminfo",
                   "Node 1 MemTotal:       32911928 kB\nNode 1 MemFree:        29283244 kB\n");
    world.start({.pid = 10, .cgroup = "/system.slice/db.service/worker"});
    ASSERT_TRUE(world.apply("create probes/numa_memory\n"
                            "create schedulers/N\n"
                            "create schedulers/N/memory_affinity\n"
                            "link numa_memory/followed_memory schedulers/N/memory_affinity/memory\n"
                            "link numa_memory/cgroup_memory schedulers/N/memory_affinity/cgroup_memory\n"
                            "link numa_memory/node_available schedulers/N/memory_affinity/node_available\n"
                            "create schedulers/N/process_set/unit:db.service\n"));
    const auto unit = Target::unit("db.service");
    ticks(3);
    EXPECT_EQ(actuator.mask(unit).text(), "4-7");
    EXPECT_EQ(engine.explain("unit:db.service").value().at(0).verdict.opinions.at(0).reason,
              "node 1 holds 83 % of its 514 MiB");
    actuator.take_acts();
    ticks(3);
    EXPECT_TRUE(actuator.take_acts().empty()) << "a steady state writes nothing";
    ASSERT_TRUE(world.apply("write schedulers/N/memory_affinity.move_memory true"));
    ticks(3);
    EXPECT_EQ(actuator.take_acts(), (std::vector<std::string>{"place unit:db.service 4-7",
                                                              "tune unit:db.service AllowedMemoryNodes=1"}));
    ASSERT_TRUE(world.apply("write schedulers/N/memory_affinity.move_memory false"));
    ticks(1);
    EXPECT_EQ(actuator.take_acts().back(), "tune unit:db.service ") << "the rest is put back";
    ASSERT_TRUE(world.apply("remove -r schedulers/N"));
    engine.settle(world.clock.now());
    EXPECT_EQ(actuator.mask(unit).text(), "0-7");
}

} // namespace
} // namespace schedd::test
