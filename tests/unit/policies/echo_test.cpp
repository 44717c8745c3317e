// echo_policy: what it logs, what it does not, and that it decides nothing.
#include <gtest/gtest.h>

#include "policies/policies.h"
#include "tests/kit/world.h"

namespace schedd::policies {
namespace {

struct AnEchoPolicy : testing::Test {
    test::World world{{&kEcho, &test::kTestProbe}};
    void SetUp() override {
        const auto made = world.apply("create probes/test_probe\n"
                                      "create schedulers/E\n"
                                      "create schedulers/E/echo_policy echo\n");
        ASSERT_TRUE(made) << made.error().text();
    }
    test::TestProbe& probe() { return world.at<test::TestProbe>("probes/test_probe"); }
    Policy& policy() { return world.at<Policy>("schedulers/E/echo_policy"); }
    void link(const std::string& port) {
        ASSERT_TRUE(world.apply("link probes/test_probe/memory schedulers/E/echo_policy/" + port));
    }
};

TEST_F(AnEchoPolicy, LogsEachUpdateOfTheTotal) {
    link("port_mem_total");
    link("port_mem_free");
    world.log.clear();
    probe().push_memory(2048, world.clock.now());
    probe().push_memory(1024, world.clock.now());
    ASSERT_EQ(world.log.lines().size(), 2U);
    EXPECT_EQ(world.log.lines()[0].message, "port_mem_total: 2048 KiB (port_mem_free: 2048 KiB)");
    EXPECT_EQ(world.log.lines()[1].about, "schedulers/E/echo_policy");
    EXPECT_EQ(world.read("schedulers/E/echo_policy.echo_attr"),
              "port_mem_total: 1024 KiB (port_mem_free: 1024 KiB)");
}

TEST_F(AnEchoPolicy, SaysWhenThereIsNoValue) {
    link("port_mem_total");
    EXPECT_EQ(world.log.count("port_mem_total: no value (port_mem_free: no value)"), 1U);
}

TEST_F(AnEchoPolicy, AsksForNoUpdatesOfTheFreeMemory) {
    link("port_mem_free");
    probe().push_memory(2048, world.clock.now());
    EXPECT_TRUE(world.log.lines().empty());
    EXPECT_EQ(world.read("schedulers/E/echo_policy/port_mem_free.collected_value"), "2048");
}

TEST_F(AnEchoPolicy, IsDueLikeAnyPolicyAndDecidesNothing) {
    link("port_mem_total");
    probe().push_memory(2048, world.clock.now());
    EXPECT_TRUE(policy().due()); // so that what an earlier policy held is let go
    const Topology topology;
    const std::vector<Subject> subjects{{Target::process(7, 1), "process:7", 100, {7}, CpuSet::of(0)}};
    EXPECT_TRUE(policy().decide({world.clock.now(), topology, subjects}).empty());
}

TEST_F(AnEchoPolicy, RefusesToHaveItsTextWritten) {
    EXPECT_EQ(world.kind("write schedulers/E/echo_policy.echo_attr hello"), Errc::not_supported);
}

} // namespace
} // namespace schedd::policies
