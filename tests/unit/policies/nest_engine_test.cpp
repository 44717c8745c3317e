// nest with the real probe and the real engine: schedstat files on one side, wanted CPUs on the other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "components/placement/engine.h"
#include "components/probes/probes.h"
#include "policies/policies.h"
#include "tests/kit/fake_actuator.h"
#include "tests/kit/machine.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using testing::HasSubstr;

constexpr const char* kScheduler = "create schedulers/N\n"
                                   "create schedulers/N/nest\n"
                                   "link probes/cpu/node_load schedulers/N/nest/node_load\n"
                                   "link probes/cpu/process_load schedulers/N/nest/process_load\n"
                                   "link probes/cpu/process_wait schedulers/N/nest/wait\n"
                                   "create schedulers/N/process_set/process:10\n"
                                   "create schedulers/N/process_set/unit:batch.slice\n"
                                   "write schedulers/N/process_set/unit:batch.slice.class batch\n";

/// A process and a slice of batch work, on eight cores.
struct ANestedHost : testing::Test {
    World world{{&probes::kCpu, &policies::kNest}};
    Topology whole = machine({.cores_per_l3 = 8});
    Topology topology = whole;
    FakeActuator actuator{whole.online};
    MemoryStore store;
    std::vector<std::string> complaints;
    std::optional<Ledger> ledger;
    std::optional<Engine> engine;
    struct Times {
        std::uint64_t run_ns = 0;
        std::uint64_t wait_ns = 0;
    };
    std::map<Pid, Times> times{{10, {}}, {20, {}}};

    ANestedHost() {
        actuator.whole_units = true;
        world.start({.pid = 10, .comm = "work"});
        world.start({.pid = 20, .comm = "crunch", .cgroup = "/batch.slice/a.service"});
        for (const auto& [pid, spent] : times) world.proc.set_times(pid, spent.run_ns, spent.wait_ns);
        start();
        EXPECT_TRUE(world.apply("create probes/cpu\n"));
        EXPECT_TRUE(world.apply(kScheduler));
    }
    void start() {
        engine.reset();
        ledger.emplace(store, "boot", store.text, complaints);
        engine.emplace(world.tree, topology, actuator, *ledger);
    }
    /// Seconds pass in each of which the processes run and wait for so many milliseconds.
    void pass(int seconds, std::uint64_t work_ms, std::uint64_t crunch_ms, std::uint64_t work_waits_ms = 0) {
        for (int i = 0; i < seconds; ++i) {
            world.clock.advance(std::chrono::seconds(1));
            times[10].run_ns += work_ms * 1'000'000;
            times[10].wait_ns += work_waits_ms * 1'000'000;
            for (auto& [pid, spent] : times) {
                if (pid >= 20) spent.run_ns += crunch_ms * 1'000'000;
                world.proc.set_times(pid, spent.run_ns, spent.wait_ns);
            }
            engine->tick(world.clock.now());
        }
    }
    [[nodiscard]] std::string get(const std::string& attribute) const {
        return world.read("schedulers/N/nest." + attribute);
    }
    [[nodiscard]] std::string wanted(const std::string& member) const {
        return world.read("schedulers/N/process_set/" + member + ".wanted_cpus");
    }
    [[nodiscard]] std::string mask(Pid pid) const {
        return actuator.mask(Target::process(pid, static_cast<std::uint64_t>(pid) * 10)).text();
    }
    [[nodiscard]] std::string slice() const { return actuator.mask(Target::unit("batch.slice")).text(); }
};

TEST_F(ANestedHost, PacksLetsGrowAndLetsGo) {
    pass(30, 900, 900);
    EXPECT_EQ(wanted("process:10"), "0-2");
    EXPECT_EQ(mask(10), "0-2") << "2.25 of 1.8";
    EXPECT_EQ(slice(), "0") << "what batch work fills";
    EXPECT_EQ(get("state"), "settled");
    const auto told = engine->explain("process:10");
    ASSERT_TRUE(told);
    EXPECT_THAT(told->at(0).verdict.opinions.at(0).reason,
                HasSubstr("the nest has 3 of 8 cores: members want 1.80 CPUs"));
    const auto steps = engine->steps();
    pass(60, 900, 900);
    EXPECT_EQ(engine->steps(), steps) << "nothing is written while nothing changes";
    for (Pid pid = 21; pid < 27; ++pid) {
        world.start({.pid = pid, .comm = "crunch", .cgroup = "/batch.slice/a.service"});
        times[pid] = {};
    }
    pass(4, 900, 900);
    EXPECT_EQ(mask(10), "0-7") << "as it was found";
    EXPECT_EQ(slice(), "0-7");
    EXPECT_EQ(engine->held(), 0U);
}

TEST_F(ANestedHost, GrowsWhenItsProcessWaits) {
    pass(30, 500, 0);
    ASSERT_EQ(mask(10), "0");
    pass(3, 400, 0, 100);
    EXPECT_EQ(mask(10), "0-1") << "20 % of the time that it wants a CPU";
}

TEST_F(ANestedHost, CoolsByItselfBetweenTheUpdatesOfTheProbe) {
    pass(30, 900, 900);
    ASSERT_TRUE(world.apply("write probes/cpu.probe_period 60000\n"));
    pass(1, 100, 100);
    EXPECT_LE(engine->next_due(), world.clock.now() + std::chrono::seconds(60));
    pass(130, 100, 100);
    EXPECT_EQ(mask(10), "0");
}

TEST_F(ANestedHost, FollowsCpusThatGoAndComeBack) {
    pass(30, 900, 900);
    ASSERT_EQ(mask(10), "0-2");
    set_online(topology, whole, CpuSet::parse("2-7").value());
    engine->topology_changed();
    pass(1, 900, 900);
    EXPECT_EQ(mask(10), "2-4");
    EXPECT_EQ(slice(), "2");
    set_online(topology, whole, whole.online);
    engine->topology_changed();
    pass(1, 900, 900);
    EXPECT_EQ(mask(10), "0-2");
    EXPECT_EQ(world.read("schedulers/N.ejected"), "");
}

TEST_F(ANestedHost, GoesOnAfterARestartWithTheNestThatItHad) {
    pass(30, 900, 900);
    ASSERT_EQ(mask(10), "0-2");
    // the daemon is killed: a new tree, the old ledger, and the machine as it was left
    engine.reset();
    ASSERT_TRUE(world.apply("remove -r schedulers/N"));
    start();
    ASSERT_TRUE(world.apply(kScheduler));
    actuator.take_acts();
    pass(3, 900, 900);
    EXPECT_EQ(mask(10), "0-2");
    EXPECT_EQ(slice(), "0");
    for (const auto& act : actuator.take_acts()) EXPECT_THAT(act, testing::Not(HasSubstr("restore")));
}

TEST_F(ANestedHost, IsPutBackWhenTheSchedulerIsRemoved) {
    pass(30, 900, 900);
    ASSERT_EQ(slice(), "0");
    ASSERT_TRUE(world.apply("remove -r schedulers/N"));
    engine->settle(world.clock.now());
    EXPECT_EQ(slice(), "0-7");
    EXPECT_EQ(mask(10), "0-7");
    EXPECT_EQ(engine->held(), 0U);
}

} // namespace
} // namespace schedd::test
