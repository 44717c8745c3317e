// The engine when something goes wrong: crashes, refusals, other writers, CPUs that come and go.
#include "tests/unit/placement/an_engine.h"

namespace schedd::placement {
namespace {

TEST_F(AnEngine, RecordsInTheLedgerBeforeItTouches) {
    attach(10);
    store.is_full = true;
    decide({{process(10), cpus("2"), "x"}});
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-3"));
    EXPECT_EQ(state(10), "invalid");
    EXPECT_GE(world.log.count("nothing is placed"), 1U);
}

TEST_F(AnEngine, EjectsAPolicyThatThrowsAndRestoresItsMembers) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    ASSERT_TRUE(world.apply("remove -r schedulers/S/load_balancing\ncreate schedulers/S/throwing\nlink "
                            "cpu/load schedulers/S/throwing/node_load\n"));
    tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-3"));
    EXPECT_EQ(world.read("schedulers/S.ejected"), "it threw: out of ideas");
    EXPECT_EQ(heard.lines.back(), "ejected S: it threw: out of ideas");
}

TEST_F(AnEngine, EjectsAPolicyThatPlansNonsense) {
    attach(10);
    decide({{process(10), cpus("8"), "off the machine"}});
    EXPECT_NE(world.read("schedulers/S.ejected").find("none of which is online"), std::string::npos);
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-3"));
}

TEST_F(AnEngine, EjectsAPolicyThatDecidesAboutStrangersAndTakesANewOne) {
    decide({{process(10), cpus("1"), "not mine"}});
    EXPECT_NE(world.read("schedulers/S.ejected").find("not in its process set"), std::string::npos);
    ASSERT_TRUE(world.apply("remove -r schedulers/S/load_balancing\ncreate schedulers/S/load_balancing\n"));
    EXPECT_EQ(world.read("schedulers/S.ejected"), "");
}

TEST_F(AnEngine, PutsRightWhatACrashLeftBehind) {
    attach(10);
    attach(11);
    decide({{process(10), cpus("2"), "x"}, {process(11), cpus("1"), "y"}});
    engine.reset(); // killed: nothing is restored
    std::vector<std::string> none;
    Ledger again(store, "boot", store.text, none);
    World empty(types());
    for (const Pid pid : {10, 11}) empty.start({.pid = pid});
    Engine next(empty.tree, topology, actuator, again);
    next.tick(empty.clock.now());
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-3"));
    EXPECT_EQ(actuator.mask(process(11)), cpus("0-3"));
    EXPECT_EQ(next.held(), 0U);
    EXPECT_TRUE(Ledger(store, "boot", store.text, none).entries().empty());
}

/// What a run that was killed left: a group's ledger lines and where the group is.
struct AnEngineAfterACrash : AnEngine {
    CpuSet group_after(const std::string& lines, std::string_view now) {
        const auto group = Target::cgroup("/g");
        actuator.says_foreign = true;
        actuator.set_mask(group, cpus(now));
        engine.reset();
        std::vector<std::string> none;
        Ledger left(store, "boot", "schedd-ledger 1 boot\n+\tcgroup\t/g\t0\tfake\t0-3\t0\n" + lines, none);
        World empty(types());
        Engine next(empty.tree, topology, actuator, left);
        next.tick(empty.clock.now());
        EXPECT_EQ(next.held(), 0U);
        EXPECT_TRUE(none.empty());
        return actuator.mask(group);
    }
};

TEST_F(AnEngineAfterACrash, PutsBackWhatWasAboutToBeMoved) {
    EXPECT_EQ(group_after("=\tcgroup\t/g\t0\t1\n", "0"), cpus("0-3")) << "not moved yet";
    EXPECT_EQ(group_after("=\tcgroup\t/g\t0\t1\n", "1"), cpus("0-3")) << "moved";
}

TEST_F(AnEngineAfterACrash, PutsBackWhatWasHalfPutBack) {
    EXPECT_EQ(group_after("=\tcgroup\t/g\t0\t\n", "0-2"), cpus("0-3"));
}

TEST_F(AnEngineAfterACrash, LeavesToOthersWhatTheySetMeanwhile) {
    EXPECT_EQ(group_after("=\tcgroup\t/g\t0\t1\n", "2"), cpus("2"));
}

TEST_F(AnEngine, WritesProcessesAgainThatTheKernelForgotWhenAUnitWasPlaced) {
    actuator.whole_units = true;
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    actuator.undoes = process(10); // with the next unit
    ASSERT_TRUE(world.apply("create schedulers/S/process_set/unit:a.service"));
    decide({{process(10), cpus("2"), "x"}, {Target::unit("a.service"), cpus("1"), "y"}});
    EXPECT_EQ(actuator.mask(process(10)), cpus("2"));
}

TEST_F(AnEngine, PlacesManyUnitsOverSeveralTicksAndTellsThatItGoesOn) {
    actuator.whole_units = true;
    std::vector<Decision> decisions;
    for (int i = 0; i < 80; ++i) {
        const auto name = "u" + std::to_string(i) + ".service";
        ASSERT_TRUE(world.apply("create schedulers/S/process_set/unit:" + name));
        decisions.push_back({Target::unit(name), cpus("1"), "x"});
    }
    heard.progress = 0;
    decide(std::move(decisions));
    EXPECT_EQ(engine->steps(), limits::kUnitStepsPerTick);
    EXPECT_EQ(heard.progress, 32);
    EXPECT_EQ(engine->next_due(), Time{}) << "the rest is due at once";
    for (int i = 0; i < 4; ++i) tick();
    EXPECT_EQ(engine->steps(), 80U);
    heard.progress = 0;
    engine->release_all();
    EXPECT_GE(heard.progress, 80);
}

TEST_F(AnEngine, TakesWhatIsDecidedMeanwhileForWhatATickHasLeftOver) {
    actuator.whole_units = true;
    std::vector<Decision> decisions;
    for (int i = 10; i < 90; ++i) {
        const auto name = "u" + std::to_string(i) + ".service";
        ASSERT_TRUE(world.apply("create schedulers/S/process_set/unit:" + name));
        decisions.push_back({Target::unit(name), cpus("1"), "x"});
    }
    decide(decisions);
    ASSERT_EQ(engine->steps(), limits::kUnitStepsPerTick);
    ASSERT_TRUE(world.apply("remove schedulers/S/process_set/unit:u89.service"));
    decisions.pop_back();
    decisions.back().cpus = cpus("2");
    decide(std::move(decisions));
    for (int i = 0; i < 4; ++i) tick();
    EXPECT_EQ(engine->steps(), 79U) << "each once, and not who has left";
    EXPECT_FALSE(ledger.find(Target::unit("u89.service")));
    EXPECT_EQ(actuator.mask(Target::unit("u88.service")), cpus("2"));
    EXPECT_EQ(actuator.mask(Target::unit("u87.service")), cpus("1"));
    EXPECT_GT(engine->next_due(), world.clock.now()) << "nothing is left";
}

TEST_F(AnEngine, SaysInTheLedgerThatItLetsGoBeforeItDoes) {
    world.host.set("sys/fs/cgroup/cpuset/g/cgroup.procs", "");
    world.start({.pid = 30, .cgroup = "/g"});
    ASSERT_TRUE(world.apply("create schedulers/S/process_set/cgroup:%2Fg"));
    decide({{Target::cgroup("/g"), cpus("2"), "x"}});
    store.text.clear();
    ASSERT_TRUE(world.apply("remove schedulers/S/process_set/cgroup:%2Fg"));
    engine->settle(world.clock.now());
    EXPECT_EQ(store.text, "=\tcgroup\t%2Fg\t0\t\n-\tcgroup\t%2Fg\t0\n");
}

TEST_F(AnEngine, AdoptsAfterACrashWhatStillHasAScheduler) {
    attach(10);
    attach(11);
    decide({{process(10), cpus("2"), "x"}, {process(11), cpus("1"), "y"}});
    engine.reset();
    std::vector<std::string> none;
    Ledger again(store, "boot", store.text, none);
    World next_world(types());
    for (const Pid pid : {10, 11}) next_world.start({.pid = pid});
    Engine next(next_world.tree, topology, actuator, again);
    ASSERT_TRUE(next_world.apply("create schedulers/S\ncreate schedulers/S/load_balancing\ncreate "
                                 "schedulers/S/process_set/process:10"));
    actuator.take_acts();
    next.tick(next_world.clock.now());
    EXPECT_EQ(actuator.take_acts(), std::vector<std::string>{"restore process:11 0-3"});
}

TEST_F(AnEngine, ReportsWhatAnotherWroteAndLeavesItAlone) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    actuator.set_mask(process(10), cpus("0-1"));
    actuator.take_acts();
    for (int i = 0; i < 12; ++i) tick();
    EXPECT_EQ(state(10), "overridden");
    EXPECT_TRUE(actuator.take_acts().empty());
}

TEST_F(AnEngine, SaysOnTheObjectWhatVerifyHasJustFound) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    actuator.set_mask(process(10), cpus("0-1"));
    ASSERT_EQ(state(10), "applied");
    engine->check_all();
    EXPECT_EQ(state(10), "overridden") << "without a tick in between";
}

TEST_F(AnEngine, YieldsToAnotherWriterAsSoonAsItIsTold) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    actuator.foreign.insert(process(10));
    actuator.set_mask(process(10), cpus("0-1"));
    actuator.take_acts();
    engine->disturbed(process(10));
    tick();
    EXPECT_EQ(state(10), "foreign");
    engine->disturbed(process(10));
    decide({{process(10), cpus("3"), "y"}});
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-1"));
    const std::vector<std::string> told{"placed process:10 2 applied", "disturbed process:10 left"};
    EXPECT_EQ(heard.acts, told) << "each once";
    engine->release_all();
    EXPECT_EQ(heard.acts.back(), "released process:10 foreign");
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-1"));
}

TEST_F(AnEngine, ReassertsAFewTimesWhenItIsToldToAndThenYields) {
    engine->set_on_foreign(Engine::OnForeign::reassert);
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    for (std::size_t i = 0; i < limits::kReassertions; ++i) {
        actuator.set_mask(process(10), cpus("0-1"));
        engine->disturbed(process(10));
        EXPECT_EQ(actuator.mask(process(10)), cpus("2")) << i;
    }
    actuator.set_mask(process(10), cpus("0-1"));
    engine->disturbed(process(10));
    tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-1")) << "never a fight";
    EXPECT_EQ(state(10), "overridden");
    EXPECT_EQ(std::ranges::count(heard.acts, "disturbed process:10 taken back"),
              static_cast<std::ptrdiff_t>(limits::kReassertions));
    EXPECT_EQ(heard.acts.back(), "disturbed process:10 left");
}

TEST_F(AnEngine, IsNotDisturbedByItsOwnWritesOrByStrangers) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    actuator.take_acts();
    engine->disturbed(process(10));
    engine->disturbed(process(11));
    tick();
    EXPECT_TRUE(actuator.take_acts().empty());
    EXPECT_EQ(state(10), "applied");
}

TEST_F(AnEngine, TriesAgainWhatWasRefused) {
    attach(10);
    actuator.refuses.insert(process(10));
    decide({{process(10), cpus("2"), "x"}});
    EXPECT_EQ(state(10), "invalid");
    EXPECT_EQ(world.read("schedulers/S/process_set/process:10.detail"), "refused by the test");
    actuator.refuses.clear();
    for (int i = 0; i < 12; ++i) tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("2"));
    EXPECT_EQ(state(10), "applied");
}

TEST_F(AnEngine, ClaimsNothingOfWhatWasRefused) {
    attach(10);
    actuator.refuses.insert(process(10));
    decide({{process(10), cpus("2"), "x"}});
    const std::string member = "schedulers/S/process_set/process:10.";
    EXPECT_EQ(world.read(member + "wanted_cpus"), "2");
    EXPECT_EQ(world.read(member + "written_cpus"), "");
    EXPECT_EQ(world.read(member + "effective_cpus"), "0-3");
    EXPECT_EQ(engine->held(), 0U);
    engine->check_all(); // what verify does
    tick();
    EXPECT_EQ(state(10), "invalid");
    EXPECT_EQ(engine->facts().front().placed, 0U);
    actuator.take_acts();
    ASSERT_TRUE(world.apply("remove schedulers/S/process_set/process:10"));
    engine->settle(world.clock.now());
    EXPECT_TRUE(actuator.take_acts().empty()) << "nothing was done, nothing is undone";
}

TEST_F(AnEngine, SaysWhereTheRefusedRunsAfterCpusChanged) {
    attach(10);
    actuator.refuses.insert(process(10));
    decide({{process(10), cpus("2"), "x"}});
    actuator.set_mask(process(10), cpus("0-1")); // the kernel's doing, as the others went
    topology.generation = 2;
    engine->topology_changed();
    tick();
    EXPECT_EQ(world.read("schedulers/S/process_set/process:10.effective_cpus"), "0-1");
}

TEST_F(AnEngine, KeepsWhatHeldWhenTheNextIsRefused) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    actuator.refuses.insert(process(10));
    decide({{process(10), cpus("3"), "y"}});
    EXPECT_EQ(state(10), "invalid");
    EXPECT_EQ(world.read("schedulers/S/process_set/process:10.written_cpus"), "2");
    EXPECT_EQ(world.read("schedulers/S/process_set/process:10.effective_cpus"), "2");
    actuator.refuses.clear();
    ASSERT_TRUE(world.apply("remove schedulers/S/process_set/process:10"));
    engine->settle(world.clock.now());
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-3"));
}

TEST_F(AnEngine, KeepsAFailedRestoreInTheLedger) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    actuator.refuses.insert(process(10));
    ASSERT_TRUE(world.apply("remove schedulers/S/process_set/process:10"));
    engine->settle(world.clock.now());
    EXPECT_EQ(engine->held(), 1U);
    EXPECT_EQ(heard.acts.back(), "released process:10 invalid");
}

TEST_F(AnEngine, PutsEverythingBackOnStop) {
    attach(10);
    attach(11);
    actuator.set_mask(process(11), cpus("1"));
    decide({{process(10), cpus("2"), "x"}, {process(11), cpus("3"), "y"}});
    engine->release_all();
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-3"));
    EXPECT_EQ(actuator.mask(process(11)), cpus("1"));
    EXPECT_TRUE(ledger.entries().empty());
}

TEST_F(AnEngine, AsksThePoliciesAgainWhenCpusChange) {
    attach(10);
    decide({{process(10), cpus("2-3"), "x"}});
    topology.online.remove(3);
    topology.generation = 2;
    engine->topology_changed();
    tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("2"));
}

TEST_F(AnEngine, PlacesNothingOnAPictureThatIsStaleAndDecidesAnew) {
    attach(10);
    attach(11);
    decide({{process(10), cpus("1"), "x"}, {process(11), cpus("0"), "x"}});
    actuator.take_acts();
    actuator.online_now = cpus("0-2"); // 3 has gone, and nobody has said so yet
    decide({{process(10), cpus("3"), "x"}});
    EXPECT_EQ(heard.stale, 1);
    EXPECT_EQ(actuator.take_acts(), std::vector<std::string>{"restore process:11 0-3"})
        << "letting go needs no picture";
    EXPECT_EQ(world.log.count("decided anew"), 1U);
    topology.online = cpus("0-2");
    engine->topology_changed();
    decide({{process(10), cpus("2"), "x"}});
    EXPECT_EQ(actuator.take_acts(), std::vector<std::string>{"place process:10 2"});
    EXPECT_EQ(heard.stale, 1);
}

TEST_F(AnEngine, IsNotHeldUpWhereThePictureStaysAsItIs) {
    attach(10);
    actuator.online_now = cpus("0-2");
    decide({{process(10), cpus("0"), "x"}});
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-3"));
    tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("0")) << "the picture's owner has been told, and knows better";
    EXPECT_EQ(heard.stale, 1);
}

TEST_F(AnEngine, WritesAgainWhatTheKernelWidenedWhileACpuWasAway) {
    attach(10);
    decide({{process(10), cpus("3"), "x"}});
    actuator.set_mask(process(10), cpus("0-3")); // CPU 3 went and came back between two ticks
    topology.generation = 3;
    engine->topology_changed();
    tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("3"));
    EXPECT_EQ(state(10), "applied");
}

} // namespace
} // namespace schedd::placement
