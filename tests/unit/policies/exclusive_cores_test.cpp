// exclusive_cores: who gets cores of its own, who shares, what is said, and what stays through hotplug and
// restart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policies/sharer.h"

namespace schedd::policies {
namespace {

using namespace schedd::test;
using testing::HasSubstr;

bool equal(const std::vector<Decision>& a, const std::vector<Decision>& b) {
    return std::ranges::equal(a, b, [](const Decision& x, const Decision& y) {
        return x.target == y.target && x.cpus == y.cpus && x.reason == y.reason && x.tuning == y.tuning;
    });
}

TEST(ExclusiveCores, GivesTheCoresAskedForAndLetsTheOthersShareTheRest) {
    Sharer s(machine({.cores_per_l3 = 4, .threads_per_core = 2}));
    s.unit("db", 3);
    s.plain(10);
    s.decide();
    EXPECT_EQ(s.cpus("db"), "0-3");
    EXPECT_EQ(s.reason("db"),
              "CPUs 0-3: 2 whole cores of its own for the 3 CPUs it asks for, on numa 0, l3 0");
    EXPECT_EQ(s.cpus(10), "4-7");
    EXPECT_EQ(s.reason(Target::process(10, 1)), "shares CPUs 4-7: 4 of 8 CPUs are exclusive, 0 reserved");
    EXPECT_EQ(s.read("shared_cpus"), "4-7");
    EXPECT_EQ(s.read("exclusive_cpus"), "0-3");
    EXPECT_EQ(s.read("refused"), "0");
    EXPECT_EQ(s.read("largest_request"), "2");
}

TEST(ExclusiveCores, LetsAllShareEverythingWhileNobodyAsks) {
    Sharer s(shape_2n16c_smt());
    s.plain(10);
    s.add({Target::cgroup("/batch"), "cgroup:/batch", 100, {11, 12}, {}, {}});
    s.decide();
    EXPECT_EQ(s.cpus(10), "0-31");
    EXPECT_EQ(s.cpus(Target::cgroup("/batch")), "0-31");
    EXPECT_EQ(s.read("exclusive_cpus"), "");
    s.subjects.clear();
    EXPECT_TRUE(s.decide().empty());
}

TEST(ExclusiveCores, GivesOneCoreToWhoDoesNotSayHowMany) {
    Sharer s(shape_1n8c_smt());
    s.unit("a", 0);
    s.unit("b", -7);
    s.unit("c", 1);
    s.decide();
    EXPECT_EQ(s.cpus("a"), "0,8");
    EXPECT_EQ(s.cpus("b"), "1,9");
    EXPECT_EQ(s.cpus("c"), "2,10");
    EXPECT_EQ(s.reason("c"), "CPUs 2,10: 1 whole core of its own for the 1 CPU it asks for, on numa 0, l3 0");
}

TEST(ExclusiveCores, KeepsSiblingsIdleWhenToldOnePerCore) {
    Sharer s(shape_1n8c_smt());
    s.set("smt", "one_per_core");
    s.unit("rt", 3);
    s.plain(10);
    s.decide();
    EXPECT_EQ(s.cpus("rt"), "0-2");
    EXPECT_THAT(s.reason("rt"), HasSubstr("for the 3 CPUs it asks for, siblings kept idle, on numa 0"));
    EXPECT_EQ(s.cpus(10), "3-7,11-15");
    EXPECT_EQ(s.read("exclusive_cpus"), "0-2,8-10");
    s.set("smt", "share");
    s.decide();
    EXPECT_EQ(s.cpus("rt"), "0-1,8-9") << "two of its three are enough now";
}

TEST(ExclusiveCores, GivesTheProcessesOfOneMemberOneSetTogether) {
    Sharer s(shape_8n64c_ccx());
    const Demand two{WorkClass::normal, 2, true};
    for (const Pid pid : {21, 22, 23}) s.add({Target::process(pid, 1), "session:7", 100, {pid}, {}, two});
    s.add({Target::process(24, 1), "process:24", 100, {24}, {}, two});
    s.add({Target::cgroup("/x"), "cgroup:/x", 100, {25}, {}, two});
    s.add({Target::unit("x"), "user:3", 100, {26}, {}, two});
    s.add({Target::unit("y"), "user:3", 100, {27}, {}, two});
    s.decide();
    for (const Pid pid : {21, 22, 23}) EXPECT_EQ(s.cpus(pid), s.cpus(21));
    CpuSet all;
    for (const auto& cpus :
         {s.cpus(21), s.cpus(24), s.cpus(Target::cgroup("/x")), s.cpus("x"), s.cpus("y")}) {
        EXPECT_EQ(cpus_of(cpus).count(), 2);
        EXPECT_FALSE(all.intersects(cpus_of(cpus))) << cpus;
        all |= cpus_of(cpus);
    }
    const auto before = s.cpus(24);
    s.remove(Target::process(21, 1));
    s.decide();
    EXPECT_EQ(s.cpus(22), s.cpus(23)) << "one of them ended, the set stays";
    EXPECT_EQ(s.cpus(24), before);
}

TEST(ExclusiveCores, RefusesWhatDoesNotFitAndSaysWhatWould) {
    Sharer s(machine({.cores_per_l3 = 4, .threads_per_core = 2}));
    s.unit("db", 3);
    s.decide();
    s.unit("more", 4);
    s.decide();
    EXPECT_EQ(s.cpus("more"), "4-7");
    EXPECT_EQ(s.reason("more"), "asks for 4 CPUs of its own, the largest request that would fit now is 2: "
                                "stays in the shared pool, CPUs 4-7");
    EXPECT_EQ(s.read("refused"), "1");
    s.unit("small", 2);
    s.decide();
    EXPECT_EQ(s.cpus("small"), "4-5") << "who waits for more does not hold up who asks for less";
    EXPECT_EQ(s.cpus("more"), "6-7");
    s.remove(Target::unit("db"));
    s.decide();
    EXPECT_EQ(s.cpus("more"), "0-3") << "it waited, and is served when cores are free";
    EXPECT_EQ(s.cpus("small"), "4-5");
    EXPECT_EQ(s.read("refused"), "0");
    s.unit("huge", INT32_MAX);
    s.decide();
    EXPECT_THAT(s.reason("huge"), HasSubstr("asks for 2147483647 CPUs of its own, the largest request that "
                                            "would fit now is 0"));
}

TEST(ExclusiveCores, LetsSpillWhatDoesNotFit) {
    Sharer s(machine({.cores_per_l3 = 4, .threads_per_core = 2}));
    s.set("when_full", "spill");
    s.unit("big", 12);
    s.decide();
    EXPECT_EQ(s.cpus("big"), "0-7");
    EXPECT_EQ(s.reason("big"),
              "asks for 12 CPUs of its own, has 6 on CPUs 0-5: shares CPUs 6-7 for the rest");
    EXPECT_EQ(s.read("exclusive_cpus"), "0-5");
    s.unit("late", 2);
    s.plain(10);
    s.decide();
    EXPECT_EQ(s.cpus("late"), "6-7");
    EXPECT_EQ(s.reason("late"), "asks for 2 CPUs of its own, no core is left: shares CPUs 6-7");
    EXPECT_EQ(s.cpus(10), "6-7");
    EXPECT_EQ(s.read("refused"), "2");
    s.unit("big", 4);
    s.decide();
    EXPECT_EQ(s.cpus("big"), "0-3");
    EXPECT_EQ(s.cpus("late"), "4-5");
}

TEST(ExclusiveCores, KeepsWhatAMemberHasWhenItsLargerRequestIsRefused) {
    Sharer s(shape_1n8c_smt());
    s.unit("a", 4);
    s.unit("b", 4);
    s.decide();
    s.unit("a", 13);
    s.decide();
    EXPECT_EQ(s.cpus("a"), "0-1,8-9");
    EXPECT_EQ(s.reason("a"),
              "asks for 13 CPUs of its own, only 6 more would fit now: keeps CPUs 0-1,8-9 that it has");
    s.unit("a", 10);
    s.decide();
    EXPECT_EQ(s.cpus("a"), "0-1,4-6,8-9,12-14") << "the old ones and three more cores";
    s.unit("a", 2);
    s.decide();
    EXPECT_EQ(s.cpus("a"), "0,8");
    EXPECT_EQ(s.cpus("b"), "2-3,10-11") << "all that was none of its business";
}

TEST(ExclusiveCores, RecordsASharedDemandOnlyIfThePoolIsSmaller) {
    Sharer s(machine({.cores_per_l3 = 4}));
    s.unit("db", 2);
    s.plain(10, 2);
    s.plain(11, 3);
    s.decide();
    EXPECT_EQ(s.reason(Target::process(10, 1)), "shares CPUs 2-3: 2 of 4 CPUs are exclusive, 0 reserved");
    EXPECT_EQ(s.reason(Target::process(11, 1)),
              "asks for 3 CPUs, the shared pool has only 2 (2-3): 2 of 4 CPUs are exclusive, 0 reserved");
}

TEST(ReservedCpus, AreNobodys) {
    Sharer s(machine({.cores_per_l3 = 4, .threads_per_core = 2}));
    s.set("reserved", "0-1,2");
    s.unit("db", 2);
    s.plain(10);
    s.decide();
    EXPECT_EQ(s.cpus("db"), "4-5");
    EXPECT_EQ(s.cpus(10), "3,6-7") << "the sibling of 2 is no whole core, but can be shared";
    EXPECT_EQ(s.read("reserved_ignored"), "");
    s.unit("next", 2);
    s.decide();
    EXPECT_EQ(s.cpus("next"), "3,6-7") << "one core is kept for the pool, even beside a loose CPU";
}

TEST(ReservedCpus, ThatAreNotThereAreTold) {
    Sharer s(machine({.cores_per_l3 = 8}));
    s.set("reserved", "0,7-9,15");
    s.plain(10);
    s.decide();
    EXPECT_EQ(s.cpus(10), "1-6");
    EXPECT_EQ(s.read("reserved_ignored"), "8-9,15: not online and allowed here");
    s.online("1-7");
    s.decide();
    EXPECT_EQ(s.read("reserved_ignored"), "0,8-9,15: not online and allowed here");
    s.set("reserved", "");
    s.decide();
    EXPECT_EQ(s.read("reserved_ignored"), "");
    EXPECT_EQ(s.cpus(10), "1-7");
}

TEST(ReservedCpus, CannotBeAll) {
    Sharer s(shape_1n2c());
    s.set("reserved", "0-1023");
    s.plain(10);
    s.unit("db", 1);
    s.decide();
    EXPECT_EQ(s.cpus(10), "1");
    EXPECT_EQ(s.cpus("db"), "0");
    EXPECT_EQ(s.read("reserved_ignored"), "0-1023: that is all there is, members need at least one CPU");
    s.set("reserved", "0");
    s.decide();
    EXPECT_EQ(s.cpus(10), "1");
    EXPECT_EQ(s.cpus("db"), "1") << "one CPU is left to all";
    s.online("0");
    s.decide();
    EXPECT_EQ(s.cpus("db"), "0") << "better on a reserved CPU than nowhere";
}

TEST(ReservedCpus, AreWrittenAsAList) {
    Sharer s(shape_1n2c());
    for (const char* junk : {"all", "1-0", "0-5:2", "-1", "8192", "0,,1", "1.5"}) {
        const auto done = s.policy().write_attribute("reserved", std::string(junk));
        ASSERT_FALSE(done) << junk;
        EXPECT_EQ(done.error().kind, Errc::invalid_value) << junk;
    }
    EXPECT_EQ(s.read("reserved"), "");
    EXPECT_TRUE(s.policy().write_attribute("reserved", std::string("0,5-7")));
}

TEST(TheSharedPool, KeepsAsManyCoresAsItMust) {
    Sharer s(machine({.cores_per_l3 = 4, .threads_per_core = 2}));
    s.unit("a", 2);
    s.unit("b", 2);
    s.unit("c", 2);
    s.decide();
    EXPECT_EQ(s.read("shared_cpus"), "6-7");
    s.set("shared_minimum", "3");
    s.decide();
    EXPECT_EQ(s.cpus("a"), "0-1") << "who came first keeps what it has";
    EXPECT_EQ(s.read("shared_cpus"), "2-7");
    EXPECT_EQ(s.cpus("c"), "2-7");
    s.set("shared_minimum", "8192");
    s.decide();
    EXPECT_EQ(s.read("shared_cpus"), "0-7");
    EXPECT_THAT(s.reason("a"), HasSubstr("the largest request that would fit now is 0"));
    s.set("shared_minimum", "0");
    s.unit("d", 2);
    s.decide();
    EXPECT_EQ(s.read("shared_cpus").empty(), false) << "a CPU is left even so";
    EXPECT_EQ(s.read("refused"), "1");
    s.set("reserved", "0"); // now 1 is always there for all
    s.remove(Target::unit("d"));
    s.decide();
    EXPECT_EQ(s.read("shared_cpus"), "1");
    EXPECT_EQ(s.read("refused"), "0");
}

TEST(TheSharedPool, GetsCoresBackFromTheLastWhoCameWhenAllItsCpusGo) {
    Sharer s(machine({.cores_per_l3 = 4}));
    s.unit("first", 1);
    s.decide();
    s.unit("second", 2);
    s.plain(10);
    s.decide();
    EXPECT_EQ(s.cpus(10), "3");
    s.online("0-2");
    s.decide();
    EXPECT_EQ(s.cpus("first"), "0");
    EXPECT_EQ(s.cpus("second"), "1") << "it keeps what the pool does not need";
    EXPECT_THAT(s.reason("second"), HasSubstr("asks for 2 CPUs of its own, only 0 more would fit now"));
    EXPECT_EQ(s.cpus(10), "2");
    s.online("0");
    s.decide();
    for (const auto& decision : s.decisions) EXPECT_EQ(decision.cpus.text(), "0");
    s.online("0-3");
    s.decide();
    EXPECT_EQ(s.read("refused"), "0") << "back in the order in which they came";
}

TEST(Hotplug, MovesOnlyWhomItTouches) {
    Sharer s(shape_8n64c_ccx());
    s.unit("a", 3);
    s.unit("b", 4);
    s.unit("c", 2);
    s.decide();
    EXPECT_EQ(s.cpus("b"), "0-3");
    EXPECT_EQ(s.cpus("a"), "4-6");
    EXPECT_EQ(s.cpus("c"), "8-9");
    s.online("0-4,6-63");
    s.decide();
    EXPECT_EQ(s.cpus("a"), "4,6-7") << "one more beside the two that are left";
    EXPECT_EQ(s.cpus("b"), "0-3");
    EXPECT_EQ(s.cpus("c"), "8-9");
    s.online("0-63");
    s.decide();
    EXPECT_EQ(s.cpus("a"), "4,6-7") << "what came back is shared";
    EXPECT_EQ(s.cpus("b"), "0-3");
}

TEST(Hotplug, OfASiblingTakesAnotherCoreAndGivesItBack) {
    Sharer s(machine({.cores_per_l3 = 8, .threads_per_core = 2}));
    s.unit("a", 3);
    s.unit("b", 4);
    s.decide();
    EXPECT_EQ(s.cpus("b"), "0-3");
    EXPECT_EQ(s.cpus("a"), "4-7");
    s.online("0-3,5,7-15");
    s.decide();
    EXPECT_EQ(s.cpus("a"), "5,8-9") << "with both halves it would have one too many";
    EXPECT_EQ(s.cpus("b"), "0-3");
    s.online("0-15");
    s.decide();
    EXPECT_EQ(s.cpus("a"), "4-5,8-9") << "6-7 is shared now";
    s.unit("a", 5);
    s.online("0-3,5,7-15");
    s.decide();
    EXPECT_EQ(s.cpus("a"), "5,8-11");
    EXPECT_EQ(s.cpus("b"), "0-3");
}

TEST(Hotplug, OfEverythingIsSurvived) {
    Sharer s(machine({.cores_per_l3 = 4}));
    s.unit("a", 2);
    s.decide();
    s.online("");
    EXPECT_TRUE(s.decide().empty());
    s.online("0-3");
    s.decide();
    EXPECT_EQ(s.cpus("a"), "0-1");
}

TEST(Hotplug, ThatNumbersCoresAnewMovesNobody) {
    Sharer s(machine({.cores_per_l3 = 8}));
    s.unit("a", 2);
    s.unit("b", 3);
    s.decide();
    const auto a = s.cpus("a");
    const auto b = s.cpus("b");
    for (auto& cpu : s.topology.cpus) {
        cpu.core = 100 - cpu.core;
        cpu.l3 = cpu.numa = 5;
    }
    ++s.topology.generation;
    s.decide();
    EXPECT_EQ(s.cpus("a"), a);
    EXPECT_EQ(s.cpus("b"), b);
    EXPECT_THAT(s.reason("a"), HasSubstr("on numa 5, l3 5"));
}

TEST(ARestart, LeavesEachOnTheCoresItIsFoundOn) {
    Sharer s(shape_2n16c_smt());
    s.unit("gone", 4);
    s.decide();
    s.unit("a", 5);
    s.unit("b", 4);
    s.plain(10);
    s.decide();
    s.remove(Target::unit("gone"));
    s.decide();
    const auto a = s.cpus("a");
    const auto b = s.cpus("b");
    EXPECT_EQ(a, "4-9");
    s.restart();
    s.decide();
    EXPECT_EQ(s.cpus("a"), a) << "0-5 would be chosen without";
    EXPECT_EQ(s.cpus("b"), b);
    EXPECT_EQ(s.reason("a"), "CPUs 4-9: 3 whole cores of its own for the 5 CPUs it asks for, on numa 0, "
                             "l3 0, where it was found");
    const auto again = s.decisions;
    EXPECT_TRUE(equal(s.decide(), again));
}

TEST(ARestart, FindsAlsoWhoHasMoreThanItAsksForBecauseCoresAreWhole) {
    Sharer s(shape_1n8c_smt());
    s.add({Target::unit("one"), "unit:one", 100, {}, cpus_of("3,11"), {WorkClass::normal, 1, true}});
    s.add({Target::unit("three"), "unit:three", 100, {}, cpus_of("5-6,13-14"), {WorkClass::normal, 3, true}});
    s.decide();
    EXPECT_EQ(s.cpus("one"), "3,11");
    EXPECT_EQ(s.cpus("three"), "5-6,13-14");
    for (const char* name : {"one", "three"})
        EXPECT_NE(s.reason(name).find("where it was found"), std::string::npos) << s.reason(name);
}

TEST(ARestart, BelievesNoMaskThatCannotBe) {
    Sharer s(machine({.nodes = 2, .cores_per_l3 = 4, .threads_per_core = 2}));
    const auto found = [&](const std::string& name, const std::string& mask) {
        s.add({Target::unit(name), "unit:" + name, 100, {}, cpus_of(mask), {WorkClass::normal, 2, true}});
    };
    found("half", "3");
    found("large", "4-7");
    found("split", "13-14");
    found("offline", "0,200");
    found("first", "10-11");
    found("twice", "10-11");
    s.decide();
    EXPECT_EQ(s.cpus("first"), "10-11");
    for (const char* name : {"half", "large", "split", "offline", "twice"})
        EXPECT_EQ(s.reason(name).find("found"), std::string::npos) << name << ": " << s.reason(name);
    CpuSet all;
    for (const auto& decision : s.decisions) {
        EXPECT_EQ(decision.cpus.count(), 2);
        EXPECT_FALSE(all.intersects(decision.cpus)) << decision.target.text();
        all |= decision.cpus;
    }
}

TEST(ARestart, FindsOnePerCoreToo) {
    Sharer s(shape_1n8c_smt());
    s.set("smt", "one_per_core");
    s.add({Target::unit("a"), "unit:a", 100, {}, cpus_of("5-6"), {WorkClass::normal, 2, true}});
    s.add({Target::unit("b"), "unit:b", 100, {}, cpus_of("3,11"), {WorkClass::normal, 2, true}});
    s.decide();
    EXPECT_EQ(s.cpus("a"), "5-6");
    EXPECT_EQ(s.cpus("b"), "0-1") << "3 and 11 are one core";
}

TEST(TheClassOfWork, SaysHowCoresArePacked) {
    Sharer s(shape_8n64c_ccx());
    s.unit("batch", 4, WorkClass::batch);
    s.unit("web", 4, WorkClass::latency);
    s.decide();
    EXPECT_EQ(s.cpus("batch"), "0-3");
    EXPECT_EQ(s.cpus("web"), "4-7") << "best fit: what is left of node 0, though it cannot spread there";
    s.unit("api", 2, WorkClass::latency);
    s.decide();
    EXPECT_EQ(s.cpus("api"), "8,12") << "an L3 group for each";
}

TEST(TheKindOfCore, FollowsTheClassOfWorkOrTheAttribute) {
    Sharer s(shape_hybrid_8p_16e());
    s.unit("web", 4, WorkClass::latency);
    s.unit("build", 4, WorkClass::batch);
    s.decide();
    EXPECT_EQ(s.cpus("web"), "0-3");
    EXPECT_EQ(s.cpus("build"), "16-19");
    EXPECT_THAT(s.reason("web"), HasSubstr("core kind 1 (fastest) of 0-1"));
    s.set("prefer", "efficient");
    s.unit("x", 2, WorkClass::latency);
    s.decide();
    EXPECT_EQ(s.cpus("web"), "0-3") << "who is placed stays";
    EXPECT_EQ(s.cpus("x"), "20-21");
}

TEST(TheLargestAsk, IsServedFirstOfThoseThatComeTogether) {
    Sharer s(machine({.cores_per_l3 = 8}));
    for (const char* name : {"a", "b", "c"}) s.unit(name, 1);
    s.unit("z", 5);
    s.decide();
    EXPECT_EQ(s.cpus("z"), "0-4");
    EXPECT_EQ(s.cpus("b"), "6");
    EXPECT_THAT(s.reason("c"), HasSubstr("the largest request that would fit now is 0"));
}

TEST(ANewPolicy, IsDueWithoutBeingTold) {
    const Sharer s(shape_1n2c());
    EXPECT_TRUE(s.policy().due()) << "it has no ports by which to be told";
    s.policy().done();
    s.world.tree.locate("schedulers/X/exclusive_cores.smt").value();
    EXPECT_FALSE(s.policy().due());
    ASSERT_TRUE(s.policy().write_attribute("smt", std::string("one_per_core")));
    EXPECT_TRUE(s.policy().due());
}

TEST(ExclusiveCores, DecidesTheSameAgainOnEveryNamedMachine) {
    for (const auto& [name, topology] : all_shapes()) {
        Sharer s(topology);
        s.unit("a", 2, WorkClass::latency);
        s.unit("b", 1, WorkClass::batch);
        s.unit("c", 4096);
        s.plain(10, 3);
        s.decide();
        const auto first = s.decisions;
        ASSERT_EQ(first.size(), 4U) << name;
        EXPECT_TRUE(equal(s.decide(), first)) << name;
        Sharer other(topology);
        other.subjects = s.subjects;
        for (auto& subject : other.subjects) subject.current = topology.usable();
        EXPECT_TRUE(equal(other.decide(), first)) << name;
        for (const auto& decision : first) EXPECT_TRUE(decision.cpus.intersects(topology.usable())) << name;
    }
}

} // namespace
} // namespace schedd::policies
