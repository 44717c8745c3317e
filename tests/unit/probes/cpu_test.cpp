// The cpu probe as a part of the tree: its sources, processes that come and go, trouble, the whole update
// path.
#include <gtest/gtest.h>

#include "components/probes/probes.h"
#include "tests/kit/count_new.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using std::chrono::seconds;
constexpr std::uint64_t kMs = 1'000'000;

struct Cpu : ::testing::Test {
    World world{
        {&probes::kCpu, &kTestPolicy, &filters::kThreshold, &filters::kAverage, &filters::kFreqLimit}};
    int ticks = 0;

    Cpu() {
        set_ticks(0, 0);
        world.start({.pid = 10});
        world.start({.pid = 11});
        EXPECT_TRUE(world.apply("create probes/cpu"));
    }
    void set_ticks(int used, int idle) {
        world.host.set("proc/stat",
                       fmt::format("cpu  0 0 0 0\ncpu0 {} 0 0 {} 0 0 0 0 0 0\nintr 0\n", used, idle));
    }
    void measure() {
        world.clock.advance(seconds(1));
        ticks += 50;
        set_ticks(ticks, ticks);
        world.at<Probe>("probes/cpu").run(world.clock.now());
    }
    const std::string& trouble() { return world.at<Probe>("probes/cpu").trouble(); }
};

using ACpuProbe = Cpu;

TEST_F(ACpuProbe, MeasuresNodeProcessAndCpu) {
    measure();
    EXPECT_TRUE(world.read("probes/cpu/node_load").starts_with("error"));
    world.proc.set_times(10, 600 * kMs, 400 * kMs);
    world.proc.set_times(11, 500 * kMs);
    measure();
    EXPECT_EQ(world.read("probes/cpu/node_load"), "1500");
    EXPECT_EQ(world.read("probes/cpu/process_load[10]"), "1000");
    EXPECT_EQ(world.read("probes/cpu/process_load[11]"), "500");
    EXPECT_EQ(world.read("probes/cpu/process_wait[10]"), "400");
    EXPECT_EQ(world.read("probes/cpu/process_wait[11]"), "0");
    EXPECT_EQ(world.read("probes/cpu/cpu_usage[0]"), "50");
    EXPECT_EQ(world.read("probes/cpu/cpu_usage"), "0 50");
    EXPECT_EQ(trouble(), "");
}
TEST_F(ACpuProbe, TellsWhatAControlGroupUsedAlsoByWhatHasEnded) {
    world.host.set("sys/fs/cgroup/web/cpu.stat", "usage_usec 100\n");
    EXPECT_TRUE(world.read("probes/cpu/cgroup_usage[/web]").starts_with("error")) << "followed from now on";
    measure();
    world.host.set("sys/fs/cgroup/web/cpu.stat", "usage_usec 2500100\n"); // and none of its processes lives
    measure();
    EXPECT_EQ(world.read("probes/cpu/cgroup_usage[/web]"), "2500");
    EXPECT_TRUE(world.read("probes/cpu/cgroup_usage[/none]").starts_with("error"));
    EXPECT_TRUE(world.read("probes/cpu/cgroup_usage[7]").starts_with("error"));
}

TEST_F(ACpuProbe, HasNoValueForWhatDoesNotExist) {
    measure();
    measure();
    for (const auto* place : {"process_wait[12345]", "process_wait[x]", "process_load[12345]",
                              "process_load[-1]", "process_load[0]", "process_load[99999999999999]",
                              "process_load[x]", "cpu_usage[7]", "cpu_usage[-1]", "cpu_usage[x]"})
        EXPECT_TRUE(world.read(std::string("probes/cpu/") + place).starts_with("error")) << place;
}
TEST_F(ACpuProbe, FollowsProcessesAsTheyComeAndGo) {
    measure();
    measure();
    world.start({.pid = 12});
    world.proc.set_times(12, 250 * kMs);
    world.end(11);
    measure();
    EXPECT_EQ(world.read("probes/cpu/process_load[12]"), "250");
    EXPECT_TRUE(world.read("probes/cpu/process_load[11]").starts_with("error"));
}
TEST_F(ACpuProbe, ReadsAThreadTheKernelToldOf) {
    measure();
    world.proc.set_times(10, 55, 100 * kMs, 0);
    world.table.apply({.what = ProcessEvent::What::thread, .pid = 10, .tid = 55});
    measure();
    EXPECT_EQ(world.read("probes/cpu/process_load[10]"), "100");
}
TEST_F(ACpuProbe, PrefersTheRunQueuesWhereTheKernelShowsThem) {
    World other({&probes::kCpu});
    other.host.set("proc/stat", "cpu0 0 0 0 0\n");
    other.host.set("proc/schedstat", "version 15\ncpu0 0 0 0 0 0 0 0 0 0\n");
    other.start({.pid = 10});
    ASSERT_TRUE(other.apply("create probes/cpu"));
    other.at<Probe>("probes/cpu").run(other.clock.now());
    other.clock.advance(seconds(1));
    other.host.set("proc/schedstat", "version 15\ncpu0 0 0 0 0 0 0 700000000 100000000 0\n");
    other.at<Probe>("probes/cpu").run(other.clock.now());
    EXPECT_EQ(other.read("probes/cpu/node_load"), "800");
    other.host.remove("proc/schedstat");
    other.clock.advance(seconds(1));
    other.at<Probe>("probes/cpu").run(other.clock.now());
    EXPECT_NE(other.read("probes/cpu/node_load").find("proc/schedstat"), std::string::npos);
}
TEST_F(ACpuProbe, WithoutProcStatHasNoUsageAndNamesTheFile) {
    measure();
    measure();
    world.host.remove("proc/stat");
    world.clock.advance(seconds(1));
    world.at<Probe>("probes/cpu").run(world.clock.now());
    EXPECT_NE(trouble().find("proc/stat"), std::string::npos);
    EXPECT_NE(world.read("probes/cpu/cpu_usage[0]").find("proc/stat"), std::string::npos);
    EXPECT_EQ(world.read("probes/cpu/node_load"), "0");
    EXPECT_EQ(world.log.count("proc/stat"), 1U);
    measure();
    EXPECT_EQ(trouble(), "");
}
TEST_F(ACpuProbe, ForgetsTasksWhileNobodyWantsTheirLoads) {
    for (int i = 0; i < 3; ++i) measure();
    const auto open = world.host.open_now();
    auto& probe = world.at<Probe>("probes/cpu");
    for (int i = 0; i < 12; ++i) {
        world.proc.set_times(10, 1000 * kMs * (i + 1));
        measure();
    }
    EXPECT_LT(world.host.open_now(), open) << "a file each";
    EXPECT_FALSE(probe.follows_processes());
    EXPECT_TRUE(world.read("probes/cpu/process_load[10]").starts_with("error")) << "not what once was";
    EXPECT_TRUE(probe.follows_processes()) << "it was asked for";
    measure();
    EXPECT_TRUE(world.read("probes/cpu/process_load[10]").starts_with("error"));
    world.proc.set_times(10, 12'250 * kMs);
    measure();
    EXPECT_EQ(world.read("probes/cpu/process_load[10]"), "250") << "of the last period alone";
    EXPECT_EQ(world.read("probes/cpu/cpu_usage[0]"), "50");
}
TEST_F(ACpuProbe, FollowsProcessesForTheMachineOnlyWhereItMustSumThemUp) {
    for (const bool has_queues : {true, false}) {
        World other({&probes::kCpu});
        other.host.set("proc/stat", "cpu0 0 0 0 0\n");
        if (has_queues) other.host.set("proc/schedstat", "version 15\ncpu0 0 0 0 0 0 0 0 0 0\n");
        ASSERT_TRUE(other.apply("create probes/cpu"));
        auto& probe = other.at<Probe>("probes/cpu");
        EXPECT_TRUE(probe.follows_processes()) << "not known yet";
        for (int i = 0; i < 5; ++i) {
            probe.run(other.clock.now());
            other.clock.advance(seconds(1));
        }
        EXPECT_FALSE(probe.follows_processes());
        other.read("probes/cpu/node_load");
        EXPECT_EQ(probe.follows_processes(), !has_queues);
    }
}
TEST_F(ACpuProbe, LetsGoOfTheTableWhenItIsRemoved) {
    measure();
    ASSERT_TRUE(world.apply("remove probes/cpu"));
    world.start({.pid = 99});
    world.end(99);
    EXPECT_EQ(world.host.open_now(), 0U);
}
TEST_F(ACpuProbe, MayExistTwiceUnderOtherNamesAndPeriods) {
    ASSERT_TRUE(world.apply("create probes/fast cpu\nwrite probes/fast.probe_period 100"));
    measure();
    world.at<Probe>("probes/fast").run(world.clock.now());
    EXPECT_EQ(world.at<Probe>("probes/fast").next_due(), world.clock.now() + std::chrono::milliseconds(100));
}
TEST_F(ACpuProbe, CarriesAnUpdateToThePolicyWithoutAllocating) {
    ASSERT_TRUE(counting_works());
    ASSERT_TRUE(
        world.apply("create schedulers/S\ncreate schedulers/S/test_policy\n"
                    "create schedulers/S/process_set/process:10\n"
                    "link 'cpu/node_load | average(half_life=500) | threshold(threshold=100) | freq_limit' "
                    "schedulers/S/test_policy/node_load\n"
                    "link cpu/process_load schedulers/S/test_policy/process_load"));
    auto& policy = world.at<TestPolicy>("schedulers/S/test_policy");
    auto& probe = world.at<Probe>("probes/cpu");
    std::uint64_t busy = 0;
    for (int i = 0; i < 4; ++i) {
        world.proc.set_times(10, busy += 900 * kMs);
        measure();
    }
    const int before = policy.updates();
    world.proc.set_times(10, busy += 900 * kMs);
    world.clock.advance(seconds(1));
    const auto allocated = allocations_in([&] {
        probe.run(world.clock.now());
        (void)policy.port(TestPolicy::kNodeLoad).collected();
        (void)policy.port(TestPolicy::kProcessLoad).collected(Parameter(std::int64_t{10}));
    });
    EXPECT_EQ(policy.updates(), before + 1);
    EXPECT_EQ(number_of(policy.port(TestPolicy::kProcessLoad).collected(Parameter(std::int64_t{10}))->value),
              900);
    EXPECT_EQ(allocated, 0U);
}
TEST_F(ACpuProbe, RefusesPeriodsOutOfRange) {
    for (const auto* bad : {"9", "0", "86400001", "-1", "1s", "x"})
        EXPECT_EQ(world.kind(std::string("write probes/cpu.probe_period ") + bad), Errc::invalid_value)
            << bad;
    EXPECT_TRUE(world.apply("write probes/cpu.probe_period 10"));
}

} // namespace
} // namespace schedd::test
