// pools as a whole scheduler: made by recipe lines, driven by the engine, acting on a machine of masks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "components/placement/engine.h"
#include "policies/policies.h"
#include "tests/kit/fake_actuator.h"
#include "tests/kit/shapes.h"
#include "tests/kit/world.h"

namespace schedd::policies {
namespace {

using namespace schedd::test;
using testing::HasSubstr;

struct AMachineOfPools : testing::Test {
    World world{{&kPools, &kExclusiveCores, &kTestProbe}};
    Topology whole = shape_2n16c_smt();
    Topology topology = whole;
    FakeActuator actuator{whole.online};
    MemoryStore store;
    std::vector<std::string> complaints;
    Ledger ledger{store, "boot", "", complaints};
    std::optional<placement::Engine> engine;
    std::map<Pid, std::int64_t> loads;

    AMachineOfPools() {
        for (const Pid pid : {10, 11, 12}) world.start({.pid = pid});
        begin();
        apply("create probes/test_probe\n"
              "create schedulers/P\n");
        make_policy();
        apply("create schedulers/P/process_set/process:10\n"
              "create schedulers/P/process_set/process:11\n"
              "create schedulers/P/process_set/process:12\n"
              "write schedulers/P/process_set/process:11.class batch\n");
    }
    void make_policy() {
        apply("create schedulers/P/pools\n"
              "write schedulers/P/pools.pools "
              "\"front: min=1 max=4 match=process:10; batch: share=idle min=2 class=batch\"\n"
              "link probes/test_probe/load schedulers/P/pools/node_load\n"
              "link probes/test_probe/process_load schedulers/P/pools/process_load\n");
    }
    void begin() {
        engine.emplace(world.tree, topology, actuator, ledger);
        tick();
    }
    void apply(const std::string& lines) {
        const auto done = world.apply(lines);
        ASSERT_TRUE(done) << done.error().text();
    }
    void tick() {
        world.clock.advance(std::chrono::seconds(1));
        if (world.tree.find(Path::parse("probes/test_probe").value()))
            for (const auto& [pid, load] : loads)
                world.at<TestProbe>("probes/test_probe").set_process_load(pid, load, world.clock.now());
        engine->tick(world.clock.now()); // measures node_load, too
    }
    void ticks(int count) {
        for (int i = 0; i < count; ++i) tick();
    }
    std::string mask(Pid pid) {
        return actuator.mask(Target::process(pid, static_cast<std::uint64_t>(pid) * 10)).text();
    }
    std::string explain(Pid pid) {
        const auto told = engine->explain("process:" + std::to_string(pid));
        return told && !told->empty() && !told->front().verdict.opinions.empty()
                   ? told->front().verdict.opinions.front().reason
                   : "nothing";
    }
};

TEST_F(AMachineOfPools, PlacesAtTheFirstTickAndWritesNothingInASteadyState) {
    loads = {{10, 500}, {11, 100}, {12, 3000}};
    ticks(15);
    EXPECT_EQ(mask(10), "0-1");
    EXPECT_EQ(mask(11), "16-19");
    EXPECT_EQ(mask(12), "2-15,18-31") << "with the core that batch does not need";
    const auto steps = engine->steps();
    ticks(60);
    EXPECT_EQ(engine->steps(), steps);
    EXPECT_EQ(world.read("schedulers/P.ejected"), "");
}

TEST_F(AMachineOfPools, FollowsTheLoad) {
    loads = {{10, 5000}, {11, 0}, {12, 0}};
    ticks(5);
    EXPECT_EQ(mask(10), "0-7");
    EXPECT_THAT(explain(10), HasSubstr("at least 5.00 of 2 CPUs were wanted, beyond 80 %, in 3 updates"));
    loads[10] = 100;
    ticks(12);
    EXPECT_EQ(mask(10), "0-1");
    EXPECT_EQ(world.read("schedulers/P/pools.resizes"), "2");
}

TEST_F(AMachineOfPools, WidensSomeBeforeItNarrowsOthersAndLeavesNobodyOffline) {
    loads = {{10, 100}, {11, 0}, {12, 0}};
    ticks(2);
    set_online(topology, whole, whole.online - CpuSet::range(0, 1));
    engine->topology_changed();
    tick();
    EXPECT_EQ(mask(10), "2-3") << "7 cores are free there, 6 in the other node";
    set_online(topology, whole, CpuSet::range(6, 7));
    engine->topology_changed();
    tick();
    for (const Pid pid : {10, 11, 12}) EXPECT_EQ(mask(pid), "6-7");
    EXPECT_EQ(world.read("schedulers/P.ejected"), "");
    EXPECT_THAT(world.read("schedulers/P/pools.note"), HasSubstr("front has 0 of the 1 core"));
}

TEST_F(AMachineOfPools, IsFoundAgainByTheNextRun) {
    loads = {{10, 5000}, {11, 100}, {12, 0}};
    ticks(15);
    ASSERT_EQ(mask(10), "0-7");
    const auto of_batch = mask(11);
    engine.reset();
    apply("remove -r schedulers/P/pools");
    make_policy();
    actuator.take_acts();
    begin();
    ticks(5);
    EXPECT_EQ(mask(10), "0-7");
    EXPECT_EQ(mask(11), of_batch);
    EXPECT_THAT(explain(10), HasSubstr("its members were found there"));
    for (const auto& act : actuator.take_acts())
        EXPECT_EQ(act.find("process:10 "), std::string::npos) << act << ": nothing to do for it";
}

TEST_F(AMachineOfPools, ObeysTextThatIsWrittenAndLetsGoOfAllAtTheEnd) {
    ticks(2);
    apply("write schedulers/P/pools.pools \"all: min=3 max=3 match=process:*\"");
    tick();
    EXPECT_EQ(mask(10), mask(12));
    EXPECT_EQ(CpuSet::parse(mask(12)).value().count(), 6);
    EXPECT_FALSE(world.apply("write schedulers/P/pools.pools \"all: min=3 max=2 match=process:*\""));
    EXPECT_FALSE(world.apply("write schedulers/P/pools.high 0"));
    apply("write schedulers/P/pools.pools \"\"");
    tick();
    for (const Pid pid : {10, 11, 12}) EXPECT_EQ(mask(pid), "0-31");
}

/// Beside it a scheduler Q whose only member shares all CPUs that it can see.
struct BesideAnotherScheduler : AMachineOfPools {
    BesideAnotherScheduler() {
        world.start({.pid = 13});
        apply("create schedulers/Q\n"
              "create schedulers/Q/exclusive_cores\n"
              "create schedulers/Q/process_set/process:13\n");
    }
    std::string verdict_of(Pid pid) {
        const auto told = engine->explain("process:" + std::to_string(pid));
        std::string text;
        for (const auto& opinion : told->front().verdict.opinions)
            text +=
                fmt::format("{} {} {}; ", opinion.scheduler, name_of(opinion.result), opinion.cpus.text());
        return text;
    }
};

TEST_F(BesideAnotherScheduler, TheirCpusAreNotThereForItsPolicy) {
    loads = {{10, 500}, {11, 100}, {12, 3000}, {13, 4000}};
    ticks(15);
    EXPECT_EQ(mask(10), "0-1");
    EXPECT_EQ(mask(11), "16-19") << "of which 18-19 are lent";
    EXPECT_EQ(mask(13), "2-15,18-31");
    EXPECT_EQ(verdict_of(13), "Q decides 2-15,18-31; ") << "its policy saw no others";
    loads[10] = 5000;
    ticks(5);
    EXPECT_EQ(mask(10), "0-7");
    EXPECT_EQ(mask(13), "8-15,18-31");
    EXPECT_FALSE(engine->explain("process:13")->front().verdict.has_conflict());
    const auto steps = engine->steps();
    ticks(20);
    EXPECT_EQ(engine->steps(), steps) << "and they come to rest";
    apply("remove -r schedulers/P");
    ticks(2);
    EXPECT_EQ(mask(13), "0-31") << "it gets them back";
}

TEST_F(BesideAnotherScheduler, WhatItDecidedBeforeIsTakenFromItAndTold) {
    loads = {{10, 500}, {11, 100}, {12, 3000}, {13, 4000}};
    ticks(15);
    engine->freeze(false, {"Q"});
    loads[10] = 5000;
    ticks(5);
    EXPECT_EQ(mask(10), "0-7");
    EXPECT_EQ(mask(13), "8-15,18-31") << "frozen it says 2-15 still";
    EXPECT_EQ(verdict_of(13), "Q decides 2-15,18-31; P excludes 2-7; ");
}

} // namespace
} // namespace schedd::policies
