// Schedulers that are held: they keep what they have decided, and speak again when they are let go.
#include "tests/unit/placement/an_engine.h"

namespace schedd::placement {
namespace {

struct AHeldScheduler : AnEngine {
    void restart() {
        engine.emplace(world.tree, topology, actuator, ledger);
        engine->set_listener(&heard);
    }
};

TEST_F(AHeldScheduler, KeepsWhatItHasDecided) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    engine->freeze(false, {"S"});
    decide({{process(10), cpus("3"), "moved"}});
    for (int i = 0; i < 20; ++i) tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("2"));
    EXPECT_EQ(state(10), "applied");
}

TEST_F(AHeldScheduler, SpeaksAtOnceWhenItIsLetGo) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    engine->freeze(false, {"S"});
    decide({{process(10), cpus("3"), "moved"}});
    engine->freeze(false, {});
    EXPECT_LE(engine->next_due(), world.clock.now());
    tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("3"));
}

TEST_F(AHeldScheduler, PlacesNobodyNewAndLetsGoWhoLeaves) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    engine->freeze(true, {});
    attach(11);
    decide({{process(10), cpus("2"), "x"}, {process(11), cpus("1"), "y"}});
    EXPECT_EQ(actuator.mask(process(11)), cpus("0-3"));
    ASSERT_TRUE(world.apply("remove schedulers/S/process_set/process:10"));
    engine->settle(world.clock.now());
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-3"));
}

TEST_F(AHeldScheduler, LeavesTheOthersAlone) {
    second_scheduler();
    attach(10, "S");
    attach(11, "T");
    decide({{process(10), cpus("2"), "x"}}, "S");
    engine->freeze(false, {"S"});
    decide({{process(11), cpus("1"), "y"}}, "T");
    EXPECT_EQ(actuator.mask(process(11)), cpus("1"));
}

TEST_F(AHeldScheduler, KeepsWhatAnEarlierRunHasPlaced) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    restart();
    engine->freeze(false, {"S"});
    decide({{process(10), cpus("3"), "moved"}});
    for (int i = 0; i < 20; ++i) tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("2"));
    engine->freeze(false, {});
    tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("3"));
}

TEST_F(AHeldScheduler, SpeaksOnceWhenNothingHasBeenPlacedYet) {
    attach(10);
    engine->freeze(false, {"S"});
    decide({{process(10), cpus("2"), "x"}});
    EXPECT_EQ(actuator.mask(process(10)), cpus("2"));
    decide({{process(10), cpus("3"), "moved"}});
    EXPECT_EQ(actuator.mask(process(10)), cpus("2"));
}

} // namespace
} // namespace schedd::placement
