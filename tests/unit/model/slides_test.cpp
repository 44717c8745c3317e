// The scenarios of the framework's slides, on one node: build, modify, replace, stack, query.
#include <gtest/gtest.h>

#include "components/filters/filters.h"
#include "components/probes/probes.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using std::chrono::seconds;
constexpr std::uint64_t kMs = 1'000'000;

/// The real cpu probe and filters; test_policy has the ports of the slides' load_balancing (and its name as
/// alias). The average filter stands where the slides have the cache of remote values, which one node does
/// not need.
struct Slides : ::testing::Test {
    World world{{&probes::kCpu, &filters::kThreshold, &filters::kAverage, &filters::kFreqLimit, &kTestPolicy,
                 &kOtherPolicy}};
    std::uint64_t apache_ran = 0;

    Slides() {
        world.host.set("proc/stat", "cpu0 0 0 0 0\n");
        world.start({.pid = 100, .comm = "apache2", .session = 100});
        world.start({.pid = 200, .comm = "bash", .session = 200});
        world.start({.pid = 201, .comm = "make", .parent = 200, .session = 200});
    }
    void step(const std::string& line) {
        const auto done = world.apply(line);
        ASSERT_TRUE(done) << line << " - " << done.error().text();
    }
    void build() {
        step("create probes/cpu");
        step("write probes/cpu.probe_period 1000");
        step("create schedulers/CPU_LB");
        step("create schedulers/CPU_LB/load_balancing");
        step("create schedulers/CPU_LB/load_balancing/node_load/average");
        step("write schedulers/CPU_LB/load_balancing/node_load/average.half_life 0");
        step("create schedulers/CPU_LB/load_balancing/node_load/average/threshold");
        step("write schedulers/CPU_LB/load_balancing/node_load/average/threshold.threshold 100");
        step("link probes/cpu/node_load schedulers/CPU_LB/load_balancing/node_load/average/threshold");
        step("link probes/cpu/process_load schedulers/CPU_LB/load_balancing/process_load");
        step("create schedulers/CPU_LB/process_set/process:100");
        step("create schedulers/CPU_LB/process_set/session:200");
        measure(0);
    }
    /// One period in which apache ran so many ms.
    void measure(std::uint64_t apache_ms) {
        world.proc.set_times(100, apache_ran += apache_ms * kMs);
        world.clock.advance(seconds(1));
        world.at<Probe>("probes/cpu").run(world.clock.now());
    }
    TestPolicy& policy(const char* path = "schedulers/CPU_LB/load_balancing") {
        return world.at<TestPolicy>(path);
    }
    std::string members(const char* scheduler) {
        std::string out;
        for (const auto& s : world.at<Scheduler>(scheduler).process_set().subjects({}))
            out += s.target.text() + "(" + s.member + ") ";
        return out;
    }
};

TEST_F(Slides, BuildASchedulerStepByStep) {
    build();
    EXPECT_EQ(world.read("schedulers/CPU_LB/load_balancing/node_load.source"),
              "schedulers/CPU_LB/load_balancing/node_load/average");
    EXPECT_EQ(members("schedulers/CPU_LB"),
              "process:100(process:100) process:200(session:200) process:201(session:200) ");
    const int before = policy().updates();
    measure(50); // below the threshold of 100
    EXPECT_EQ(policy().updates(), before);
    measure(150);
    EXPECT_EQ(policy().updates(), before + 1);
    EXPECT_TRUE(policy().due());
}
TEST_F(Slides, NewProcessesOfTheSessionBelongAndChildrenOfTheSingleProcessDoNot) {
    build();
    world.start({.pid = 202, .parent = 201, .session = 200});
    world.start({.pid = 101, .parent = 100, .session = 101});
    EXPECT_EQ(members("schedulers/CPU_LB"), "process:100(process:100) process:200(session:200) "
                                            "process:201(session:200) process:202(session:200) ");
}
TEST_F(Slides, ModifyByRemovingTheThresholdWhileItRuns) {
    build();
    step("unlink schedulers/CPU_LB/load_balancing/node_load/average/threshold");
    EXPECT_FALSE(policy().port(TestPolicy::kNodeLoad).collected());
    step("remove schedulers/CPU_LB/load_balancing/node_load/average/threshold");
    const int completions = policy().completions();
    step("link probes/cpu/node_load schedulers/CPU_LB/load_balancing/node_load/average");
    EXPECT_EQ(policy().completions(), completions + 1);
    const int before = policy().updates();
    measure(50);
    EXPECT_EQ(policy().updates(), before + 1);
    EXPECT_EQ(members("schedulers/CPU_LB"),
              "process:100(process:100) process:200(session:200) process:201(session:200) ");
}
TEST_F(Slides, ReplaceThePolicyWhileItRuns) {
    build();
    // "delete all links, then rmdir in reverse find order"
    step("unlink schedulers/CPU_LB/load_balancing/node_load/average/threshold\n"
         "unlink schedulers/CPU_LB/load_balancing/process_load\n"
         "remove schedulers/CPU_LB/load_balancing/node_load/average/threshold\n"
         "remove schedulers/CPU_LB/load_balancing/node_load/average\n"
         "remove schedulers/CPU_LB/load_balancing\n"
         "create schedulers/CPU_LB/other_policy\n"
         "link probes/cpu/node_load schedulers/CPU_LB/other_policy/node_load");
    EXPECT_EQ(world.at("schedulers/CPU_LB").child("load_balancing"), nullptr);
    auto& other = policy("schedulers/CPU_LB/other_policy");
    EXPECT_EQ(other.completions(), 1);
    measure(50);
    EXPECT_EQ(other.updates(), 1);
    EXPECT_EQ(members("schedulers/CPU_LB"),
              "process:100(process:100) process:200(session:200) process:201(session:200) ");
}
TEST_F(Slides, RefuseToReplaceThePolicyWhileThingsHangOnIt) {
    build();
    EXPECT_EQ(world.kind("remove schedulers/CPU_LB/load_balancing"), Errc::busy);
    EXPECT_EQ(world.kind("create schedulers/CPU_LB/other_policy"), Errc::busy);
    EXPECT_EQ(world.kind("remove probes/cpu"), Errc::busy);
}
TEST_F(Slides, StackASecondSchedulerOnTheSameProcesses) {
    build();
    step("create schedulers/SWAP");
    step("create schedulers/SWAP/other_policy");
    step("link probes/cpu/node_load schedulers/SWAP/other_policy/node_load");
    step("create schedulers/SWAP/process_set/process:100");
    EXPECT_EQ(members("schedulers/SWAP"), "process:100(process:100) ");
    const auto& apache = *world.table.find(100);
    const auto first = world.at<Scheduler>("schedulers/CPU_LB").process_set().match(apache);
    const auto second = world.at<Scheduler>("schedulers/SWAP").process_set().match(apache);
    ASSERT_TRUE(first && second);
    EXPECT_GT(second->order, first->order); // attached last, it takes precedence
    measure(150);
    EXPECT_EQ(policy("schedulers/SWAP/other_policy").updates(), 1);
    EXPECT_EQ(policy().updates(), 1);
}
TEST_F(Slides, QueryTheValueAtEveryStage) {
    build();
    measure(750);
    EXPECT_EQ(world.read("probes/cpu/node_load.value"), "750");
    EXPECT_EQ(world.read("schedulers/CPU_LB/load_balancing/node_load/average/threshold.value"), "750");
    EXPECT_EQ(world.read("schedulers/CPU_LB/load_balancing/node_load/average.collected_value"), "750");
    EXPECT_EQ(world.read("schedulers/CPU_LB/load_balancing/node_load.collected_value"), "750");
    EXPECT_EQ(world.read("probes/cpu/process_load[100]"), "750");
    EXPECT_EQ(world.read("schedulers/CPU_LB/load_balancing/process_load[100]"), "750");
}
TEST_F(Slides, BuildTheSameInOneTransactionFromAChain) {
    const auto done = world.apply("create probes/cpu\n"
                                  "create schedulers/CPU_LB\n"
                                  "create schedulers/CPU_LB/load_balancing\n"
                                  "link 'cpu/node_load | threshold(threshold=100) | average(half_life=0)' "
                                  "schedulers/CPU_LB/load_balancing/node_load\n"
                                  "link cpu/process_load schedulers/CPU_LB/load_balancing/process_load\n"
                                  "create schedulers/CPU_LB/process_set/process:100\n"
                                  "create schedulers/CPU_LB/process_set/session:200");
    ASSERT_TRUE(done) << done.error().text();
    const auto at_once = world.dump();
    ASSERT_TRUE(world.apply("remove -r schedulers/CPU_LB\nremove probes/cpu"));
    build();
    const auto without_orders = [](std::string dump) {
        for (auto at = dump.find(" order="); at != std::string::npos; at = dump.find(" order="))
            dump.erase(at, dump.find('\n', at) - at);
        return dump;
    };
    EXPECT_EQ(without_orders(world.dump()), without_orders(at_once));
}

} // namespace
} // namespace schedd::test
