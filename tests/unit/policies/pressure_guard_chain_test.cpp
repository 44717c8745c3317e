// pressure_guard with the real probes and the real engine: PSI and schedstat files on one side, wanted CPUs
// on the other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "components/placement/engine.h"
#include "components/probes/probes.h"
#include "policies/policies.h"
#include "tests/kit/fake_actuator.h"
#include "tests/kit/machine.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

constexpr const char* kWebPressure = "sys/fs/cgroup/system.slice/web.service/cpu.pressure";
constexpr const char* kMembers = "create schedulers/G/process_set/unit:web.service\n"
                                 "write schedulers/G/process_set/unit:web.service.class latency\n"
                                 "create schedulers/G/process_set/unit:batch.slice\n"
                                 "write schedulers/G/process_set/unit:batch.slice.class batch\n";

/// A service that is measured and a slice of batch work, on eight cores.
struct AGuardedHost : testing::Test {
    World world{{&probes::kPressure, &probes::kCpu, &policies::kPressureGuard}};
    Topology topology = machine({.cores_per_l3 = 8});
    FakeActuator actuator{topology.online};
    MemoryStore store;
    std::vector<std::string> complaints;
    std::optional<Ledger> ledger;
    std::optional<Engine> engine;
    std::uint64_t web_us = 0;
    std::uint64_t machine_us = 0;
    std::uint64_t web_wait_ns = 0;

    AGuardedHost() {
        actuator.whole_units = true;
        world.start({.pid = 10, .comm = "web", .cgroup = "/system.slice/web.service"});
        world.start({.pid = 20, .comm = "crunch", .cgroup = "/batch.slice/a.service"});
        write_files();
        for (const auto* resource : {"memory", "io"}) set_total(std::string("proc/pressure/") + resource, 0);
        start();
        EXPECT_TRUE(
            world.apply("create probes/pressure\ncreate schedulers/G\ncreate schedulers/G/pressure_guard\n"));
    }
    void start() {
        engine.reset();
        ledger.emplace(store, "boot", store.text, complaints);
        engine.emplace(world.tree, topology, actuator, *ledger);
    }
    void set_total(const std::string& path, std::uint64_t us) {
        world.host.set(path, fmt::format("some avg10=0.00 avg60=0.00 avg300=0.00 total={}\n", us));
    }
    void write_files() {
        set_total(kWebPressure, web_us);
        set_total("proc/pressure/cpu", machine_us);
        world.proc.set_times(10, web_wait_ns, web_wait_ns);
    }
    /// Seconds pass in each of which the service waits so many milliseconds, in whichever way it is measured.
    void pass(int seconds, std::uint64_t web_ms, std::uint64_t machine_ms = 0) {
        for (int i = 0; i < seconds; ++i) {
            world.clock.advance(std::chrono::seconds(1));
            web_us += web_ms * 1000;
            web_wait_ns += web_ms * 1'000'000;
            machine_us += machine_ms * 1000;
            write_files();
            engine->tick(world.clock.now());
        }
    }
    [[nodiscard]] std::string wanted(const std::string& unit) const {
        return world.read("schedulers/G/process_set/unit:" + unit + ".wanted_cpus");
    }
    [[nodiscard]] std::string get(const std::string& attribute) const {
        return world.read("schedulers/G/pressure_guard." + attribute);
    }
};

TEST_F(AGuardedHost, SqueezesItsBatchSliceWhileItsServiceWaits) {
    ASSERT_TRUE(world.apply(
        std::string("link pressure/cgroup_cpu_some schedulers/G/pressure_guard/pressure\n") + kMembers));
    pass(5, 0);
    EXPECT_EQ(wanted("batch.slice"), "");
    EXPECT_EQ(get("worst"), "unit:web.service 0 %");
    pass(3, 150);
    EXPECT_EQ(wanted("batch.slice"), "0-6");
    EXPECT_EQ(actuator.mask(Target::unit("batch.slice")).text(), "0-6");
    EXPECT_EQ(wanted("web.service"), "");
    pass(3, 150);
    EXPECT_EQ(wanted("batch.slice"), "0-5");
    const auto steps = engine->steps();
    pass(30, 80);
    EXPECT_EQ(engine->steps(), steps) << "nothing is written while it holds";
    pass(20, 0);
    EXPECT_EQ(wanted("batch.slice"), "");
    EXPECT_EQ(actuator.mask(Target::unit("batch.slice")).text(), "0-7") << "as it was found";
    EXPECT_EQ(engine->held(), 0U);
}

TEST_F(AGuardedHost, IsNotForgottenByAProbeWithAShortPeriod) {
    ASSERT_TRUE(
        world.apply(std::string("write probes/pressure.probe_period 10\n"
                                "link pressure/cgroup_cpu_some schedulers/G/pressure_guard/pressure\n") +
                    kMembers));
    pass(5, 150);
    EXPECT_EQ(get("worst"), "unit:web.service 15 %")
        << "the probe does not forget whom it is asked for each second";
    EXPECT_EQ(wanted("batch.slice"), "0-6");
}

TEST_F(AGuardedHost, MayBeMeasuredByTheDelaysOfProcesses) {
    ASSERT_TRUE(world.apply(
        std::string("create probes/cpu\nlink cpu/process_wait schedulers/G/pressure_guard/wait\n") +
        kMembers));
    pass(2, 0);
    pass(3, 150);
    EXPECT_EQ(get("worst"), "unit:web.service 15 %");
    EXPECT_EQ(wanted("batch.slice"), "0-6");
}

TEST_F(AGuardedHost, MayBeMeasuredAsAWhole) {
    ASSERT_TRUE(world.apply(
        std::string("link pressure/cpu_some schedulers/G/pressure_guard/node_pressure\n") + kMembers));
    pass(2, 0);
    pass(3, 0, 250);
    EXPECT_EQ(get("worst"), "the machine 25 %");
    EXPECT_EQ(wanted("batch.slice"), "0-5") << "beyond twice the bound";
}

TEST_F(AGuardedHost, IsLeftAsItIsWhenTheKernelHasNoPressure) {
    ASSERT_TRUE(
        world.apply(std::string("link pressure/cgroup_cpu_some schedulers/G/pressure_guard/pressure\n"
                                "link pressure/cpu_some schedulers/G/pressure_guard/node_pressure\n") +
                    kMembers));
    pass(6, 150);
    ASSERT_EQ(wanted("batch.slice"), "0-6");
    world.host.remove(kWebPressure);
    for (int i = 0; i < 60; ++i) {
        world.clock.advance(std::chrono::seconds(1));
        engine->tick(world.clock.now());
    }
    EXPECT_EQ(get("state"), "blind");
    EXPECT_EQ(wanted("batch.slice"), "0-6");
}

TEST_F(AGuardedHost, GoesOnAfterARestartWithThePoolThatItHad) {
    const auto links =
        std::string("link pressure/cgroup_cpu_some schedulers/G/pressure_guard/pressure\n") + kMembers;
    ASSERT_TRUE(world.apply(links));
    pass(2, 0);
    pass(6, 150);
    ASSERT_EQ(wanted("batch.slice"), "0-5");
    // the daemon is killed: a new tree, the old ledger, and the machine as it was left
    engine.reset();
    ASSERT_TRUE(world.apply("remove -r schedulers/G"));
    start();
    ASSERT_TRUE(world.apply("create schedulers/G\ncreate schedulers/G/pressure_guard\n" + links));
    pass(1, 80);
    EXPECT_EQ(wanted("batch.slice"), "0-5");
    EXPECT_EQ(get("squeezed"), "2");
    pass(22, 0);
    EXPECT_EQ(actuator.mask(Target::unit("batch.slice")).text(), "0-7");
}

} // namespace
} // namespace schedd::test
