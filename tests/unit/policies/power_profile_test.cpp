// power_profile with the real probe and engine: what daemons say on one side, CPUs and wanted settings on the
// other.
#include <gmock/gmock.h>

#include "components/probes/probes.h"
#include "policies/policies.h"
#include "tests/kit/engine_world.h"
#include "tests/kit/shapes.h"

namespace schedd::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct APowerStack : EngineWorld {
    APowerStack()
        : EngineWorld({&probes::kPower, &policies::kPowerProfile, &policies::kNest, &policies::kEcho},
                      shape_hybrid_8p_16e()) {
        actuator.whole_units = true;
        for (const Pid pid : {10, 11, 12}) world.start({.pid = pid, .comm = "work"});
        apply("create probes/power\ncreate schedulers/POWER\ncreate schedulers/POWER/power_profile\n"
              "link probes/power/profile schedulers/POWER/power_profile/profile\n"
              "link probes/power/on_battery schedulers/POWER/power_profile/on_battery\n"
              "create schedulers/POWER/process_set/process:10\n"
              "write schedulers/POWER/process_set/process:10.class batch\n"
              "create schedulers/POWER/process_set/process:11\n"
              "write schedulers/POWER/process_set/process:11.class latency\n");
    }
    void table(const std::string& text) {
        const auto done = world.tree.apply(Verb{.what = Verb::Do::write,
                                                .path = Path::parse("schedulers/POWER/power_profile").value(),
                                                .word = "table",
                                                .value = text});
        ASSERT_TRUE(done) << done.error().text();
    }
    std::string refused(const std::string& text) {
        const auto done = world.tree.apply(Verb{.what = Verb::Do::write,
                                                .path = Path::parse("schedulers/POWER/power_profile").value(),
                                                .word = "table",
                                                .value = text});
        return done ? "accepted" : done.error().text();
    }
    void say(const std::string& profile) {
        world.power.profile = profile;
        tick();
        tick();
    }
    [[nodiscard]] const Settings& wanted() const {
        return *world.at<Policy>("schedulers/POWER/power_profile").settings();
    }
    [[nodiscard]] std::string get(const std::string& attribute) const {
        return world.read("schedulers/POWER/power_profile." + attribute);
    }
};

TEST_F(APowerStack, PacksBatchWorkOnSlowCoresAndLeavesLatencyWorkAlone) {
    say("power-saver");
    EXPECT_EQ(mask(10), "16-21") << "a quarter of 24 cores, the slow ones first";
    EXPECT_EQ(mask(11), "0-31");
    EXPECT_EQ(get("packed"), "batch on CPUs 16-21");
    EXPECT_THAT(reason(10), HasSubstr("power-saver: batch work is packed on CPUs 16-21"));
}
TEST_F(APowerStack, ReportsAsPackedOnlyWhatTheMachineHasSo) {
    actuator.set_mask(process(10), CpuSet::range(2, 3)); // by somebody else, before
    say("power-saver");
    for (int i = 0; i < 3; ++i) tick();
    EXPECT_EQ(mask(10), "2-3");
    EXPECT_EQ(get("packed"), "") << "its only batch member was left alone";
}
TEST_F(APowerStack, DoesNotReportAsPackedWhatCouldNotBePlaced) {
    actuator.refuses.insert(process(10));
    say("power-saver");
    for (int i = 0; i < 15; ++i) tick();
    EXPECT_EQ(mask(10), "0-31");
    EXPECT_EQ(get("packed"), "");
    actuator.refuses.clear();
    say("balanced");
    say("power-saver");
    tick();
    EXPECT_EQ(get("packed"), "batch on CPUs 16-21");
}
TEST_F(APowerStack, SaysThatATableAsksForMoreCoresThanThereAre) {
    table("power-saver: batch.cores=40; performance: batch.cores=24; balanced: batch.cores=1");
    say("power-saver");
    EXPECT_EQ(mask(10), "0-31");
    EXPECT_EQ(get("note"), "power-saver asks for 40 cores for batch work, which has all 24");
    say("performance");
    EXPECT_EQ(get("note"), "");
}
TEST_F(APowerStack, UndoesAllThatWhenTheProfileGoesBack) {
    say("power-saver");
    EXPECT_FALSE(wanted().settings.empty());
    say("balanced");
    EXPECT_EQ(mask(10), "0-31");
    EXPECT_EQ(wanted(), (Settings{.reason = "balanced"}));
    EXPECT_EQ(get("packed"), "");
    EXPECT_EQ(get("row"), "balanced");
}
TEST_F(APowerStack, ChangesNothingUnderAProfileWithoutARow) {
    say("power-saver");
    say("unknown");
    EXPECT_EQ(mask(10), "0-31");
    EXPECT_EQ(wanted(), Settings{});
    EXPECT_THAT(get("note"), HasSubstr("the profile 'unknown' has no row"));
    EXPECT_EQ(get("profile"), "unknown");
}
TEST_F(APowerStack, KeepsTheLastProfileForAWhileWhenNobodySaysOneAnyMore) {
    say("power-saver");
    world.power.profile.reset();
    tick();
    tick();
    EXPECT_EQ(mask(10), "16-21") << "its daemon may only be starting anew";
    for (int i = 0; i < 12; ++i) tick();
    EXPECT_EQ(mask(10), "0-31");
    EXPECT_EQ(get("profile"), "");
    EXPECT_THAT(get("note"), HasSubstr("no profile is known"));
    EXPECT_EQ(wanted(), Settings{});
}
TEST_F(APowerStack, GoesByTheBatteryWhereARowSaysSoAndNoProfileIsKnown) {
    table("battery: batch.cores=1; performance: batch.cores=2");
    world.power.on_battery = true;
    tick();
    tick();
    EXPECT_EQ(get("row"), "battery");
    EXPECT_EQ(actuator.mask(process(10)).count(), 2) << "one core of two CPUs";
    say("performance");
    EXPECT_EQ(get("row"), "performance");
    EXPECT_EQ(actuator.mask(process(10)).count(), 4);
}
TEST_F(APowerStack, LeavesWhoCameNarrowWhereItIs) {
    actuator.set_mask(process(12), CpuSet::range(2, 3));
    apply("create schedulers/POWER/process_set/process:12\nwrite "
          "schedulers/POWER/process_set/process:12.class batch");
    say("power-saver");
    EXPECT_EQ(mask(12), "2-3");
    say("balanced");
    say("power-saver");
    EXPECT_EQ(mask(12), "2-3");
    EXPECT_EQ(mask(10), "16-21");
}
TEST_F(APowerStack, FollowsTheMachine) {
    say("power-saver");
    const auto whole = topology;
    set_online(topology, whole, CpuSet::range(0, 15));
    actuator.online_now = topology.online;
    engine->topology_changed();
    tick();
    EXPECT_EQ(mask(10), "0-3") << "a quarter of 8 fast cores: there are no others";
}
TEST_F(APowerStack, WantsTheKindThatItsTableSays) {
    table("a: batch.kind=performance latency.kind=efficient; b: batch.kind=any");
    say("a");
    EXPECT_EQ(mask(10), "0-15");
    EXPECT_EQ(mask(11), "16-31");
    say("b");
    EXPECT_EQ(mask(10), "0-31");
}
TEST_F(APowerStack, WantsSettingsOfOthersWhichItDoesNotMakeItself) {
    apply("create schedulers/DESK\ncreate schedulers/DESK/nest\n");
    table("power-saver: DESK/nest.headroom=0 */nest.prefer=efficient DESK.precedence=7");
    say("power-saver");
    EXPECT_EQ(wanted().settings.size(), 3U);
    EXPECT_EQ(world.read("schedulers/DESK/nest.headroom"), "25");
}
TEST_F(APowerStack, GivesHintsForTheCpusOfAClassAndForTheRest) {
    table("power-saver: batch.kind=efficient batch.epp=power cpus.epp=balance_performance");
    say("power-saver");
    ASSERT_EQ(wanted().hints.size(), 2U);
    EXPECT_EQ(wanted().hints[0].cpus.text(), "16-31");
    EXPECT_EQ(wanted().hints[0].preference, "power");
    EXPECT_EQ(wanted().hints[1].cpus.text(), "0-15");
}
TEST_F(APowerStack, RefusesATableThatNamesWhatIsNotThere) {
    EXPECT_THAT(refused("p: DESK/nest.headroom=0"),
                AllOf(HasSubstr("schedulers/DESK"), HasSubstr("row 'p'"), HasSubstr("holds: POWER")));
    EXPECT_THAT(refused("p: */mest.headroom=0"), HasSubstr("mest"));
    EXPECT_THAT(refused("p: */nest.headrom=0"), AllOf(HasSubstr("no such attribute"), HasSubstr("headroom")));
    EXPECT_THAT(refused("p: */nest.headroom=many"), HasSubstr("0 to 1000"));
    EXPECT_THAT(refused("p: */nest.nest_cpus=1"), HasSubstr("only reported"));
    EXPECT_THAT(refused("p: POWER.active=false"), HasSubstr("set itself"));
    EXPECT_THAT(refused("p: POWER/power_profile.linger=1"), HasSubstr("set itself"));
    EXPECT_THAT(refused("p: NONE/process_set/unit:a.service.weight=5"), HasSubstr("schedulers/NONE"));
    EXPECT_THAT(refused("p: POWER/process_set/unit:a.service.state=free"), HasSubstr("only reported"));
    EXPECT_THAT(get("table"), HasSubstr("power-saver")) << "the old one stays";
    EXPECT_EQ(refused("p: POWER/process_set/unit:a.service.weight=5"), "accepted") << "members come and go";
}
TEST_F(APowerStack, KeepsWhatItsTableNamesFromBeingRemoved) {
    apply("create schedulers/DESK\ncreate schedulers/DESK/nest\n");
    table("p: DESK/nest.headroom=0");
    const auto removed = world.apply("remove -r schedulers/DESK");
    ASSERT_FALSE(removed);
    EXPECT_THAT(removed.error().text(), HasSubstr("schedulers/POWER/power_profile.table"));
    EXPECT_TRUE(world.tree.find(Path::parse("schedulers/DESK/nest").value()));
    table("p: ");
    EXPECT_TRUE(world.apply("remove -r schedulers/DESK"));
}
TEST_F(APowerStack, MayBeMadeInOneTransactionWithWhatItNames) {
    const auto made = world.apply("create schedulers/P2\ncreate schedulers/P2/power_profile\n"
                                  "write schedulers/P2/power_profile.table \"p: Z/nest.floor=2\"\n"
                                  "create schedulers/Z\ncreate schedulers/Z/nest\n");
    EXPECT_TRUE(made) << made.error().text();
}
TEST_F(APowerStack, SaysWhatItWouldDoUnderAnotherProfile) {
    say("balanced");
    const auto& policy = world.at<Policy>("schedulers/POWER/power_profile");
    const Subject subject{process(10), "process:10",    100,
                          {10},        topology.online, {.work_class = WorkClass::batch}};
    const std::vector<Subject> subjects{subject};
    const auto lines = policy.considered({world.clock.now(), topology, subjects}, subject);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0], "under power-saver it would have CPUs 16-21");
}
TEST_F(APowerStack, TakesTheClassFromTheDesktopsSliceWhereAMemberSaysAuto) {
    const std::string user = "/user.slice/user-1000.slice/user@1000.service/";
    const std::vector<std::pair<Pid, std::string>> places{{20, "background.slice/indexer.service"},
                                                          {21, "session.slice/shell.service"},
                                                          {22, "app.slice/editor.scope"},
                                                          {23, "app.slice/background.slice/sync.service"},
                                                          {24, "background.slice-is-not-it/x.scope"}};
    for (const auto& [pid, group] : places) {
        world.start({.pid = pid, .comm = "work", .cgroup = user + group});
        apply(fmt::format("create schedulers/POWER/process_set/process:{0}\n"
                          "write schedulers/POWER/process_set/process:{0}.class auto\n",
                          pid));
    }
    table("power-saver: batch.cores=1 latency.kind=performance normal.kind=efficient");
    say("power-saver");
    EXPECT_EQ(mask(20), mask(10)) << "batch";
    EXPECT_EQ(mask(23), mask(10)) << "the innermost counts";
    EXPECT_EQ(mask(21), "0-15") << "latency";
    EXPECT_EQ(mask(22), "16-31") << "normal";
    EXPECT_EQ(mask(24), "16-31") << "normal";
}
TEST_F(APowerStack, DecidesNothingWhileItsSchedulerIsNotActive) {
    say("power-saver");
    apply("write schedulers/POWER.active false");
    tick();
    EXPECT_EQ(mask(10), "0-31");
    EXPECT_THAT(world.read("schedulers/POWER/process_set/process:10.detail"), HasSubstr("active is false"));
    apply("write schedulers/POWER.active true");
    tick();
    EXPECT_EQ(mask(10), "16-21");
}

} // namespace
} // namespace schedd::test
