// exclusive_cores as a whole scheduler: made by recipe lines, driven by the engine, acting on a machine of
// masks.
#include <gmock/gmock.h>

#include "policies/policies.h"
#include "tests/kit/engine_world.h"
#include "tests/kit/shapes.h"

namespace schedd::policies {
namespace {

using namespace schedd::test;
using testing::HasSubstr;
using testing::IsEmpty;

struct AScheduler : EngineWorld {
    Topology whole = topology;

    AScheduler() : EngineWorld({&kExclusiveCores}, shape_2n16c_smt()) {
        for (const Pid pid : {10, 11, 12}) world.start({.pid = pid});
        apply("create schedulers/X\n"
              "create schedulers/X/exclusive_cores\n"
              "create schedulers/X/process_set/process:10\n"
              "create schedulers/X/process_set/process:11\n"
              "write schedulers/X/process_set/process:10.cpus 3\n"
              "write schedulers/X/process_set/process:10.exclusive yes\n");
    }
    std::string read(const std::string& attribute) {
        return world.read("schedulers/X/exclusive_cores." + attribute);
    }
};

TEST_F(AScheduler, PlacesAtTheFirstTickAndWritesNothingAfterIt) {
    tick();
    EXPECT_EQ(mask(10), "0-3");
    EXPECT_EQ(mask(11), "4-31");
    EXPECT_EQ(world.read("schedulers/X/process_set/process:10.state"), "applied");
    EXPECT_EQ(world.read("schedulers/X.ejected"), "");
    const auto steps = engine->steps();
    for (int i = 0; i < 30; ++i) tick();
    EXPECT_EQ(engine->steps(), steps);
}

TEST_F(AScheduler, KeepsWhatAUnitHasWhenItIsNamedAndAsksForTheSame) {
    actuator.whole_units = true;
    apply("remove schedulers/X/process_set/process:10\n"
          "create schedulers/X/process_set/unit:a.service\n"
          "write schedulers/X/process_set/unit:a.service.cpus 3\n"
          "write schedulers/X/process_set/unit:a.service.exclusive yes\n");
    tick();
    const auto unit = Target::unit("a.service");
    ASSERT_EQ(actuator.mask(unit).text(), "0-3");
    for (const char* weight : {"200", "300"}) {
        apply(std::string("write schedulers/X/process_set/unit:a.service.weight ") + weight);
        tick();
        EXPECT_EQ(actuator.mask(unit).text(), "0-3");
        EXPECT_TRUE(ledger.find(unit)) << "it is held";
    }
    apply("remove schedulers/X/process_set/unit:a.service\n"
          "create schedulers/X/process_set/unit:a.service\n"
          "write schedulers/X/process_set/unit:a.service.cpus 3\n"
          "write schedulers/X/process_set/unit:a.service.exclusive yes\n");
    tick();
    EXPECT_EQ(actuator.mask(unit).text(), "0-3");
    EXPECT_TRUE(ledger.find(unit));
}

TEST_F(AScheduler, FollowsWhatItsMembersAskForAsTheyComeAndGo) {
    tick();
    apply("create schedulers/X/process_set/process:12\n"
          "write schedulers/X/process_set/process:12.cpus 20\n"
          "write schedulers/X/process_set/process:12.exclusive yes\n");
    tick();
    EXPECT_EQ(mask(10), "0-3");
    EXPECT_EQ(mask(12), "4-7,16-31");
    EXPECT_EQ(mask(11), "8-15");
    apply("write schedulers/X/process_set/process:12.exclusive no");
    tick();
    EXPECT_EQ(mask(12), "4-31");
    apply("remove schedulers/X/process_set/process:10");
    tick();
    EXPECT_EQ(mask(10), "0-31") << "put back as it was";
    EXPECT_EQ(mask(11), "0-31");
    world.end(12);
    tick();
    EXPECT_EQ(read("refused"), "0");
}

TEST_F(AScheduler, GrowsBeforeItShrinksAndLeavesNobodyOnOfflineCpus) {
    tick();
    actuator.take_acts();
    set_online(topology, whole, whole.online - CpuSet::range(0, 2));
    engine->topology_changed();
    tick();
    EXPECT_EQ(mask(10), "3-5") << "CPU 3 is what is left of its cores";
}

TEST_F(AScheduler, ObeysAnAttributeThatIsWritten) {
    tick();
    apply("write schedulers/X/exclusive_cores.reserved 0,31");
    tick();
    EXPECT_EQ(mask(10), "2-5") << "it keeps the core that is not reserved";
    EXPECT_EQ(mask(11), "1,6-30");
    apply("write schedulers/X/process_set/process:10.cpus 100");
    tick();
    EXPECT_EQ(mask(10), "2-5");
    EXPECT_EQ(read("refused"), "1");
    EXPECT_FALSE(world.apply("write schedulers/X/exclusive_cores.reserved everything"));
    EXPECT_FALSE(world.apply("write schedulers/X/exclusive_cores.shared_minimum 8193"));
    EXPECT_FALSE(world.apply("write schedulers/X/exclusive_cores.refused 7"));
}

TEST_F(AScheduler, FindsItsCoresAgainAfterARestart) {
    apply("create schedulers/X/process_set/process:12\n"
          "write schedulers/X/process_set/process:12.exclusive yes\n");
    tick();
    ASSERT_EQ(mask(12), "4-5");
    apply("remove schedulers/X/process_set/process:10");
    tick();
    engine.reset();
    apply("remove -r schedulers/X/exclusive_cores\ncreate schedulers/X/exclusive_cores\n");
    actuator.take_acts();
    begin();
    tick();
    tick();
    EXPECT_EQ(mask(12), "4-5");
    EXPECT_THAT(reason(12), HasSubstr("where it was found"));
}

TEST_F(AScheduler, SaysWhyEachIsWhereItIs) {
    apply("write schedulers/X/process_set/process:11.exclusive yes\n"
          "write schedulers/X/process_set/process:11.cpus 64\n");
    tick();
    EXPECT_EQ(reason(10), "CPUs 0-3: 2 whole cores of its own for the 3 CPUs it asks for, on numa 0, l3 0");
    EXPECT_EQ(reason(11), "asks for 64 CPUs of its own, the largest request that would fit now is 26: stays "
                          "in the shared pool, CPUs 4-31");
}

} // namespace
} // namespace schedd::policies
