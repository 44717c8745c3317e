// The tick as a whole: who is placed, kept, moved, restored, ejected, and what is said about it.
#include "tests/kit/count_new.h"
#include "tests/unit/placement/an_engine.h"

namespace schedd::placement {
namespace {

TEST_F(AnEngine, PlacesWhatThePolicyDecidesAndReadsItBack) {
    attach(10);
    decide({{process(10), cpus("2"), "two is free"}});
    EXPECT_EQ(actuator.mask(process(10)), cpus("2"));
    EXPECT_EQ(state(10), "applied");
    EXPECT_EQ(world.read("schedulers/S/process_set/process:10.wanted_cpus"), "2");
    EXPECT_EQ(world.read("schedulers/S/process_set/process:10.effective_cpus"), "2");
    EXPECT_EQ(heard.lines.back(), "S process:10 2");
}

TEST_F(AnEngine, DoesNothingInASteadyState) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    const auto steps = engine->steps();
    const auto written = store.appends;
    actuator.take_acts();
    for (int i = 0; i < 30; ++i) decide({{process(10), cpus("2"), "x"}});
    EXPECT_EQ(engine->steps(), steps);
    EXPECT_TRUE(actuator.take_acts().empty());
    EXPECT_EQ(store.appends, written);
}

TEST_F(AnEngine, RestoresAMemberThatIsRemoved) {
    attach(10);
    actuator.set_mask(process(10), cpus("0"));
    decide({{process(10), cpus("2"), "x"}});
    ASSERT_TRUE(world.apply("remove schedulers/S/process_set/process:10"));
    engine->settle(world.clock.now());
    EXPECT_EQ(actuator.mask(process(10)), cpus("0"));
    EXPECT_EQ(engine->held(), 0U);
}

TEST_F(AnEngine, RestoresAllWhenThePolicyIsRemoved) {
    attach(10);
    attach(11);
    decide({{process(10), cpus("2"), "x"}, {process(11), cpus("1"), "y"}});
    ASSERT_TRUE(world.apply("remove -r schedulers/S/load_balancing"));
    engine->settle(world.clock.now());
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-3"));
    EXPECT_EQ(actuator.mask(process(11)), cpus("0-3"));
    EXPECT_EQ(state(10), "free");
}

TEST_F(AnEngine, KeepsWhatIsHeldWhileAPolicyIsReplacedInOneTransaction) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    actuator.take_acts();
    ASSERT_TRUE(
        world.apply("remove -r schedulers/S/load_balancing\ncreate schedulers/S/load_balancing other_policy\n"
                    "link cpu/load schedulers/S/load_balancing/node_load\n"));
    engine->settle(world.clock.now());
    EXPECT_TRUE(actuator.take_acts().empty());
    decide({{process(10), cpus("3"), "moved by the new one"}});
    EXPECT_EQ(actuator.take_acts(), std::vector<std::string>{"place process:10 3"});
}

TEST_F(AnEngine, LetsGoWhenANewPolicyStaysSilent) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    ASSERT_TRUE(world.apply(
        "remove -r schedulers/S/load_balancing\ncreate schedulers/S/load_balancing other_policy\n"));
    for (int i = 0; i < 12; ++i) tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-3"));
}

TEST_F(AnEngine, StacksTwoSchedulersAndSaysWhoConflicts) {
    second_scheduler();
    attach(10, "S");
    attach(10, "T");
    decide({{process(10), cpus("0-1"), "S says"}}, "S");
    decide({{process(10), cpus("1-2"), "T says"}}, "T");
    EXPECT_EQ(actuator.mask(process(10)), cpus("1")); // T was attached last and decides, S narrows
    decide({{process(10), cpus("3"), "S insists"}}, "S");
    EXPECT_EQ(actuator.mask(process(10)), cpus("1-2"));
    EXPECT_EQ(state(10), "conflict");
    EXPECT_NE(std::ranges::find(heard.lines, "conflict S process:10"), heard.lines.end());
    const auto rows = engine->explain("process:10").value();
    ASSERT_EQ(rows.size(), 1U);
    ASSERT_EQ(rows[0].verdict.opinions.size(), 2U);
    EXPECT_EQ(rows[0].verdict.opinions[0].scheduler, "T");
    EXPECT_EQ(rows[0].verdict.opinions[1].result, Opinion::Result::conflict);
    EXPECT_EQ(rows[0].original, "0-3");
    EXPECT_EQ(engine->facts()[0].conflicts, 1U);
}

TEST_F(AnEngine, TellsOfASecondConflictOverTheSameTarget) {
    second_scheduler();
    ASSERT_TRUE(world.apply("create schedulers/U\ncreate schedulers/U/load_balancing\nlink cpu/load "
                            "schedulers/U/load_balancing/node_load\n"));
    for (const auto* scheduler : {"S", "T", "U"}) attach(10, scheduler);
    decide({{process(10), cpus("0-1"), "T says"}}, "T");
    decide({{process(10), cpus("3"), "S says"}}, "S");
    heard.lines.clear();
    decide({{process(10), cpus("2"), "U says"}}, "U");
    EXPECT_EQ(std::ranges::count(heard.lines, "conflict T process:10"), 1);
    EXPECT_EQ(std::ranges::count(heard.lines, "conflict S process:10"), 0) << "that was told before";
}

TEST_F(AnEngine, StacksAnewWhenAPrecedenceIsWritten) {
    second_scheduler();
    attach(10, "S");
    attach(10, "T");
    decide({{process(10), cpus("0"), "S says"}}, "S");
    decide({{process(10), cpus("3"), "T says"}}, "T");
    EXPECT_EQ(actuator.mask(process(10)), cpus("3"));
    ASSERT_TRUE(world.apply("write schedulers/S.precedence 10"));
    engine->settle(world.clock.now());
    EXPECT_EQ(actuator.mask(process(10)), cpus("0"));
}

TEST_F(AnEngine, FreesAProcessOfOneSchedulerOnlyWhenTheLastLetsGo) {
    second_scheduler();
    attach(10, "S");
    attach(10, "T");
    decide({{process(10), cpus("0-1"), "x"}}, "S");
    decide({{process(10), cpus("1-2"), "y"}}, "T");
    ASSERT_TRUE(world.apply("remove -r schedulers/T"));
    engine->settle(world.clock.now());
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-1"));
    ASSERT_TRUE(world.apply("remove -r schedulers/S"));
    engine->settle(world.clock.now());
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-3"));
}

TEST_F(AnEngine, ForgetsAProcessThatEnds) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    world.end(10);
    actuator.gone.insert(process(10));
    tick();
    EXPECT_EQ(engine->held(), 0U);
    EXPECT_EQ(state(10), "gone");
}

TEST_F(AnEngine, TellsTheEndOfAProcessThatWasNeverPlaced) {
    attach(10);
    tick();
    EXPECT_EQ(state(10), "free");
    world.end(10);
    tick();
    EXPECT_EQ(state(10), "gone");
}

TEST_F(AnEngine, LooksOnlyAtTheMemberThatIsConcerned) {
    ASSERT_TRUE(counting_works());
    constexpr std::size_t kUnits = 200;
    actuator.whole_units = true;
    for (std::size_t i = 0; i < kUnits; ++i)
        ASSERT_TRUE(world.apply(fmt::format("create schedulers/S/process_set/unit:u{}.service", i)));
    decide({{Target::unit("u7.service"), cpus("1"), "x"}});
    EXPECT_EQ(world.read("schedulers/S/process_set/unit:u7.service.state"), "applied");
    const auto settling_after = [&](const FakeProcess& born) {
        world.start(born);
        return allocations_in([&] { engine->settle(world.clock.now()); });
    };
    EXPECT_LT(settling_after({.pid = 50, .cgroup = "/system.slice/elsewhere.service"}), kUnits / 4);
    EXPECT_LT(settling_after({.pid = 51, .cgroup = "/system.slice/u7.service"}), kUnits / 2);
    EXPECT_EQ(engine->explain("51")->at(0).target, Target::unit("u7.service"));
}

TEST_F(AnEngine, RestoresAForkedChildThatIsNoMember) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    actuator.set_mask(process(20), cpus("2")); // born with its parent's mask
    world.start({.pid = 20, .parent = 10});
    tick();
    EXPECT_EQ(actuator.mask(process(20)), cpus("0-3"));
    EXPECT_EQ(engine->held(), 1U);
}

TEST_F(AnEngine, RestoresAChildMemberToWhatItsParentHadBefore) {
    ASSERT_TRUE(world.apply("create schedulers/S/process_set/process+children:10"));
    actuator.set_mask(process(10), cpus("0"));
    decide({{process(10), cpus("2"), "x"}});
    actuator.set_mask(process(20), cpus("2"));
    world.start({.pid = 20, .parent = 10});
    decide({{process(10), cpus("2"), "x"}, {process(20), cpus("3"), "y"}});
    EXPECT_EQ(actuator.mask(process(20)), cpus("3"));
    ASSERT_TRUE(world.apply("remove -r schedulers/S"));
    engine->settle(world.clock.now());
    EXPECT_EQ(actuator.mask(process(20)), cpus("0"));
    EXPECT_EQ(actuator.mask(process(10)), cpus("0"));
}

TEST_F(AnEngine, RestoresAChildWhoseParentWasLetGoBeforeTheForkWasKnown) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    actuator.set_mask(process(20), cpus("2")); // forked, but the news is still on its way
    ASSERT_TRUE(world.apply("remove schedulers/S/process_set/process:10"));
    engine->settle(world.clock.now());
    world.start({.pid = 20, .parent = 10});
    engine->settle(world.clock.now());
    EXPECT_EQ(actuator.mask(process(20)), cpus("0-3"));
    EXPECT_EQ(engine->held(), 0U);
}

TEST_F(AnEngine, LeavesAChildAloneThatIsForkedLongAfterItsParentWasLetGo) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    ASSERT_TRUE(world.apply("remove schedulers/S/process_set/process:10"));
    engine->settle(world.clock.now());
    for (int i = 0; i < 4; ++i) tick();
    actuator.take_acts();
    actuator.set_mask(process(20), cpus("2")); // its own choice
    world.start({.pid = 20, .parent = 10});
    tick();
    EXPECT_EQ(actuator.mask(process(20)), cpus("2"));
}

TEST_F(AnEngine, GivesAPolicyTheCurrentMaskOfANewSubject) {
    actuator.set_mask(process(10), cpus("0"));
    attach(10);
    decide({});
    ASSERT_EQ(policy().seen().size(), 1U);
    EXPECT_EQ(policy().seen()[0].current, cpus("0"));
    EXPECT_EQ(policy().seen()[0].member, "process:10");
}

TEST_F(AnEngine, RunsProbesWhenTheyAreDueAndPoliciesWhenTold) {
    attach(10);
    const auto before = policy().decided();
    tick();
    tick();
    EXPECT_EQ(policy().decided(), before + 2);
    EXPECT_GT(engine->next_due(), world.clock.now());
}

TEST_F(AnEngine, CountsMovesOfTheSchedulerThatDecided) {
    attach(10);
    decide({{process(10), cpus("2"), "x"}});
    EXPECT_EQ(engine->facts()[0].moves, 0U) << "a first placement is no move";
    decide({{process(10), cpus("3"), "x"}});
    EXPECT_EQ(engine->facts()[0].moves, 1U);
    EXPECT_EQ(engine->facts()[0].placed, 1U);
}

TEST_F(AnEngine, ExplainsByPidMemberAndSchedulerAndRefusesStrangers) {
    attach(10);
    decide({{process(10), cpus("2"), "two is free"}});
    world.clock.advance(std::chrono::seconds(5));
    for (const auto* what : {"10", "process:10", "S", ""}) {
        const auto rows = engine->explain(what);
        ASSERT_TRUE(rows) << what;
        ASSERT_EQ(rows->size(), 1U) << what;
        EXPECT_EQ((*rows)[0].verdict.opinions[0].reason, "two is free");
        EXPECT_EQ((*rows)[0].since[0], std::chrono::seconds(5));
        EXPECT_EQ((*rows)[0].comm, "work");
    }
    EXPECT_EQ(engine->explain("4711").error().kind, Errc::no_such_object);
}

TEST_F(AnEngine, NamesTheSchedulersOfWhatNobodyHasDecidedAboutYet) {
    second_scheduler();
    attach(10, "S");
    attach(10, "T");
    tick();
    const auto rows = engine->explain("process:10").value();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_TRUE(rows[0].verdict.opinions.empty());
    ASSERT_EQ(rows[0].members.size(), 2U);
    EXPECT_EQ(rows[0].members[0], (std::pair<std::string, std::string>("S", "process:10")));
}

TEST_F(AnEngine, PlacesAControlGroupWhole) {
    world.host.set("sys/fs/cgroup/cpuset/batch/cgroup.procs", "");
    world.start({.pid = 30, .cgroup = "/batch"});
    ASSERT_TRUE(world.apply("create schedulers/S/process_set/cgroup:%2Fbatch"));
    decide({{Target::cgroup("/batch"), cpus("1-2"), "x"}});
    EXPECT_EQ(actuator.mask(Target::cgroup("/batch")), cpus("1-2"));
    ASSERT_EQ(policy().seen().size(), 1U);
    EXPECT_EQ(policy().seen()[0].pids, std::vector<Pid>{30});
}

TEST_F(AnEngine, PlacesTheProcessesOfAGroupWhereGroupsCannotBePlaced) {
    actuator.whole_cgroups = false;
    world.host.set("sys/fs/cgroup/cpuset/batch/cgroup.procs", "");
    world.start({.pid = 30, .cgroup = "/batch"});
    ASSERT_TRUE(world.apply("create schedulers/S/process_set/cgroup:%2Fbatch"));
    decide({{process(30), cpus("1"), "x"}});
    EXPECT_EQ(actuator.mask(process(30)), cpus("1"));
}

TEST_F(AnEngine, TunesAUnitAsItsMemberAsks) {
    actuator.whole_units = true;
    topology.cpus[3].numa = 1;
    ASSERT_TRUE(world.apply("create schedulers/S/process_set/unit:foo.service\n"));
    const auto unit = Target::unit("foo.service");
    decide({{unit, cpus("3"), "x"}});
    EXPECT_EQ(actuator.take_acts(),
              (std::vector<std::string>{"capture unit:foo.service", "place unit:foo.service 3"}))
        << "who asks for nothing is not tuned";
    ASSERT_TRUE(world.apply("write schedulers/S/process_set/unit:foo.service.weight 200\n"
                            "write schedulers/S/process_set/unit:foo.service.memory local\n"));
    decide({{unit, cpus("3"), "x"}});
    EXPECT_EQ(actuator.take_acts(),
              (std::vector<std::string>{"place unit:foo.service 3",
                                        "tune unit:foo.service CPUWeight=200 AllowedMemoryNodes=1"}));
    tick();
    EXPECT_TRUE(actuator.take_acts().empty()) << "a steady state adds nothing";
    ASSERT_TRUE(world.apply("write schedulers/S/process_set/unit:foo.service.weight 100\n"
                            "write schedulers/S/process_set/unit:foo.service.memory any\n"));
    decide({{unit, cpus("3"), "x"}});
    EXPECT_EQ(actuator.take_acts(),
              (std::vector<std::string>{"place unit:foo.service 3", "tune unit:foo.service "}));
}

TEST_F(AnEngine, TunesWhatAPolicyDecides) {
    attach(10);
    Decision decision{process(10), cpus("1"), "x", {}};
    decision.tuning.cpu_quota_us = 250'000;
    decide({decision});
    EXPECT_EQ(actuator.acts.back(), "tune process:10 CPUQuota=25%");
}

TEST_F(AnEngine, TunesAnewWhenNothingButTheTuningIsDecidedOtherwise) {
    attach(10);
    Decision decision{process(10), cpus("1"), "x", {}};
    decision.tuning.cpu_quota_us = 250'000;
    decide({decision});
    decision.tuning.cpu_quota_us = 500'000;
    decide({decision});
    EXPECT_EQ(actuator.acts.back(), "tune process:10 CPUQuota=50%");
    EXPECT_EQ(std::ranges::count(heard.lines, "S process:10 1"), 2);
    decide({{process(10), cpus("1"), "x"}});
    EXPECT_EQ(actuator.acts.back(), "tune process:10 ") << "what is not said any more is put back";
    actuator.take_acts();
    decide({{process(10), cpus("1"), "x"}});
    EXPECT_TRUE(actuator.take_acts().empty());
}

} // namespace
} // namespace schedd::placement
