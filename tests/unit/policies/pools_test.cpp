// The pools policy: who gets what, how pools follow their load, and what is said about it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policies/pooled.h"

namespace schedd::policies {
namespace {

using namespace schedd::test;
using testing::HasSubstr;

/// 16 cores in 4 L3 groups; a web pool of 2 to 8 cores, batch work by class, a mail service of neither.
struct Sixteen : Pooled {
    explicit Sixteen(const std::string& pools = "web: min=2 max=8 match=unit:web*; batch: class=batch")
        : Pooled(machine({.l3_per_node = 4, .cores_per_l3 = 4}), pools) {
        unit("web.service");
        unit("make.slice", 0, WorkClass::batch);
        unit("mail.service");
        round();
    }
};

TEST(Pools, StartWithTheirLeastAndLeaveTheRestToAllOthers) {
    Sixteen it;
    EXPECT_EQ(it.cpus("web.service"), "0-1");
    EXPECT_EQ(it.cpus("make.slice"), "4");
    EXPECT_EQ(it.cpus("mail.service"), "2-3,5-15");
    EXPECT_EQ(it.get("pool_cpus"), "web 0-1; batch 4; default 2-3,5-15");
    EXPECT_EQ(it.get("note"), "");
    EXPECT_EQ(it.reason("web.service"),
              "pool web has CPUs 0-1, 2 cores on numa 0, l3 0: its least is 2 cores; match=unit:web*");
    EXPECT_EQ(it.reason("mail.service"), "pool default has CPUs 2-3,5-15: what 2 pools leave");
}

TEST(Pools, HoldNobodyWhileNoneAreWritten) {
    Pooled it(machine({.cores_per_l3 = 4}));
    it.unit("web.service", 3);
    EXPECT_TRUE(it.round().empty());
    EXPECT_EQ(it.get("note"), "no pools: write some into `pools`");
    EXPECT_EQ(it.get("pool_cpus"), "");
    it.set("pools", "web: match=unit:web*");
    EXPECT_TRUE(it.policy().due());
    it.round();
    EXPECT_EQ(it.cpus("web.service"), "0");
    it.set("pools", "");
    EXPECT_TRUE(it.round().empty());
}

TEST(Pools, GrowToWhatIsWantedAndShrinkWhenItIsNot) {
    Sixteen it;
    it.want("web.service", 3.7);
    it.rounds(2);
    EXPECT_EQ(it.cpus("web.service"), "0-1");
    it.round();
    EXPECT_EQ(it.cpus("web.service"), "0-3,8") << "3.7 / 5 is 74 %; near first, then the L3 with most free";
    EXPECT_THAT(it.reason("web.service"),
                HasSubstr(": at least 3.70 of 2 CPUs were wanted, beyond 80 %, in 3 updates;"));
    EXPECT_EQ(it.get("utilisation"), "web 74 % of 5 CPUs, batch 0 % of 1 CPU");
    it.want("web.service", 1.5);
    it.rounds(9);
    EXPECT_EQ(it.cpus("web.service"), "0-3,8");
    it.round();
    EXPECT_EQ(it.cpus("web.service"), "0-2") << "1.5 / 3 is in the range again";
    EXPECT_THAT(it.reason("web.service"),
                HasSubstr(": at most 1.50 of 5 CPUs were wanted, below 40 %, in 10 updates;"));
    it.want("web.service", 0);
    it.rounds(100);
    EXPECT_EQ(it.cpus("web.service"), "0-1") << "its least";
    EXPECT_EQ(it.get("resizes"), "3");
}

TEST(Pools, NeverGrowBeyondTheirMostNorTheLastCores) {
    Sixteen it;
    it.want("web.service", 100);
    it.want("make.slice", 100);
    it.rounds(4);
    EXPECT_EQ(it.get("pool_cpus"), "web 0-3,8-11; batch 4-7,12-14; default 15");
    EXPECT_EQ(it.get("note"), "batch wants more than the 7 cores that it can have");
    it.set("default_minimum", "3");
    it.round();
    EXPECT_THAT(it.get("pool_cpus"), HasSubstr("batch 4-7,12; default 13-15"));
    EXPECT_THAT(it.reason("make.slice"), HasSubstr(": it had CPUs 4-7,12-14 before pools, members or the"));
}

TEST(Pools, AreStillWhileNothingChanges) {
    Sixteen it;
    it.want("web.service", 5);
    it.want("make.slice", 0.9);
    it.rounds(30);
    const auto before = it.decisions;
    const auto resizes = it.get("resizes");
    for (int i = 0; i < 100; ++i) {
        it.round();
        ASSERT_EQ(it.decisions.size(), before.size());
        for (std::size_t k = 0; k < before.size(); ++k) {
            ASSERT_EQ(it.decisions[k].cpus, before[k].cpus);
            ASSERT_EQ(it.decisions[k].reason, before[k].reason);
        }
    }
    EXPECT_EQ(it.get("resizes"), resizes);
}

TEST(Pools, CountAnUpdateOnceHoweverOftenTheyAreAsked) {
    Sixteen it;
    it.want("web.service", 3.7);
    it.round();
    for (int i = 0; i < 20; ++i) it.decide();
    EXPECT_EQ(it.cpus("web.service"), "0-1");
    it.rounds(2);
    EXPECT_EQ(it.cpus("web.service"), "0-3,8");
}

TEST(Pools, ThatShareLendWhatTheyDoNotNeedAndTakeItBackFirst) {
    Sixteen it("db: min=6 share=idle match=unit:db*; web: max=4 share=idle match=unit:web*; "
               "rt: min=2 class=latency");
    it.unit("db.service", 1);
    it.unit("rt.service", 0, WorkClass::latency);
    it.rounds(12);
    EXPECT_EQ(it.get("pool_cpus"), "db 0-5; web 8; rt 12-13; default 6-7,9-11,14-15");
    EXPECT_EQ(it.cpus("mail.service"), "2-7,9-11,14-15") << "what is left, and what db lends";
    EXPECT_EQ(it.cpus("web.service"), "2-5,8") << "shares too, so it is lent them as well";
    EXPECT_EQ(it.cpus("rt.service"), "12-13") << "does not share";
    EXPECT_EQ(it.cpus("db.service"), "0-5");
    EXPECT_THAT(it.reason("db.service"),
                HasSubstr("CPUs 0-5, 6 cores on numa 0, l3 0-1, and lends CPUs 2-5"));
    EXPECT_THAT(it.reason("web.service"),
                HasSubstr("has CPUs 8, 1 core on numa 0, l3 2, and is lent CPUs 2-5"));
    EXPECT_THAT(it.reason("mail.service"), HasSubstr(": what 3 pools leave, and CPUs 2-5 that are lent"));
    it.want("db.service", 4);
    it.rounds(3);
    EXPECT_EQ(it.cpus("mail.service"), "5-7,9-11,14-15");
    EXPECT_EQ(it.get("pool_cpus"), "db 0-5; web 8; rt 12-13; default 6-7,9-11,14-15");
}

TEST(Pools, GiveTheirMembersAloneWhatTheyDoNotLend) {
    Sixteen it("db: min=6 share=idle match=unit:db*; web: max=4 match=unit:web*; rt: min=2 class=latency");
    it.unit("db.service", 1);
    it.unit("db-2.service");
    it.rounds(12);
    EXPECT_EQ(it.alone("web.service"), it.cpus("web.service")) << "which shares nothing";
    EXPECT_EQ(it.cpus("db.service"), "0-5");
    EXPECT_EQ(it.alone("db.service"), "0-1") << "and lends the others";
    EXPECT_EQ(it.alone("db-2.service"), "0-1") << "each member of the pool";
    EXPECT_EQ(it.alone("mail.service"), "") << "what is left is for all";
    EXPECT_EQ(it.alone("make.slice"), "");
    it.want("db.service", 4);
    it.rounds(3);
    EXPECT_EQ(it.alone("db.service"), "0-4") << "it takes back what it lent";
    it.want("web.service", 3);
    it.rounds(3);
    EXPECT_EQ(CpuSet::parse(it.alone("web.service")).value().count(), 4) << "it grew";
    EXPECT_EQ(it.alone("web.service"), it.cpus("web.service"));
}

TEST(Pools, WithoutACoreGiveNothingAlone) {
    Pooled it(machine({.cores_per_l3 = 2}), "a: match=unit:a*; b: match=unit:b*");
    it.unit("a.service");
    it.unit("b.service");
    it.round();
    EXPECT_EQ(it.alone("a.service"), "0");
    EXPECT_EQ(it.cpus("b.service"), "1") << "the default pool's";
    EXPECT_EQ(it.alone("b.service"), "");
}

TEST(Pools, AreLentNothingOutsideTheirDomain) {
    Sixteen it("db: min=6 share=idle match=unit:db*; web: level=l3 share=idle match=unit:web*; "
               "near: level=numa share=idle match=unit:mail*");
    it.unit("db.service", 1);
    it.rounds(12);
    EXPECT_EQ(it.get("pool_cpus"), "db 0-5; web 8; near 12; default 6-7,9-11,13-15");
    EXPECT_EQ(it.cpus("make.slice"), "2-7,9-11,13-15");
    EXPECT_EQ(it.cpus("web.service"), "8");
    EXPECT_EQ(it.cpus("mail.service"), "2-5,12");
}

TEST(Pools, OfNoLeastHaveACoreOnlyWhileTheyHaveMembers) {
    Pooled it(machine({.cores_per_l3 = 4}), "a: min=0 match=unit:a*; b: min=2 match=unit:b*");
    it.unit("other.service");
    it.round();
    EXPECT_EQ(it.get("pool_cpus"), "a none; b 0-1; default 2-3");
    EXPECT_EQ(it.get("note"), "");
    it.unit("a.service");
    it.round();
    EXPECT_EQ(it.cpus("a.service"), "2");
    it.remove("a.service");
    it.rounds(10);
    EXPECT_EQ(it.get("pool_cpus"), "a none; b 0-1; default 2-3");
}

TEST(Pools, ThatCannotHaveTheirLeastSaySoAndShare) {
    Pooled it(machine({.cores_per_l3 = 4}), "a: min=3 match=unit:a*; b: min=2 match=unit:b*");
    it.unit("a.service", 9);
    it.unit("b.service", 9);
    it.rounds(5);
    EXPECT_EQ(it.cpus("a.service"), "0-2");
    EXPECT_EQ(it.cpus("b.service"), "3");
    EXPECT_EQ(it.reason("b.service"),
              "pool b has no core, as none of the 2 cores that are its least could be "
              "had: its members share CPUs 3 of the default pool; match=unit:b*");
    EXPECT_EQ(it.get("note"), "a wants more than the 3 cores that it can have; b has 0 of the 2 cores that "
                              "are its least; all together have 5 cores as their "
                              "least, of 4 without 1 for the default pool");
}

TEST(Pools, AreNotAllNamedWhereManyAreShort) {
    std::string text;
    for (int i = 0; i < 20; ++i) text += fmt::format("p{}: match=unit:u{};", i, i);
    Pooled it(machine({.cores_per_l3 = 4}), text);
    it.round();
    EXPECT_THAT(it.get("note"),
                HasSubstr("p10 has 0 of the 1 core that are its least; more pools likewise; "));
    EXPECT_THAT(it.get("note"), testing::Not(HasSubstr("p11")));
}

TEST(Pools, KeepTheirCoresOverHotplug) {
    Sixteen it;
    it.want("web.service", 3);
    it.rounds(5);
    ASSERT_EQ(it.cpus("web.service"), "0-3");
    it.online("0,2-15");
    it.round();
    EXPECT_EQ(it.cpus("web.service"), "0,2-3");
    it.rounds(3);
    EXPECT_EQ(it.cpus("web.service"), "0,2-3,8") << "it wants a fourth";
    it.online("1");
    it.round();
    EXPECT_EQ(it.cpus("web.service"), "1") << "in the default pool, which is never empty";
    it.online("");
    EXPECT_TRUE(it.round().empty());
    it.online("0-15");
    it.rounds(5);
    EXPECT_EQ(it.cpus("web.service"), "0-3");
}

TEST(Pools, AreFoundAgainAfterARestart) {
    Sixteen it("db: min=2 share=idle match=unit:db*; web: min=2 max=8 match=unit:web*; batch: class=batch");
    it.unit("db.service", 0.1);
    it.want("web.service", 4.5);
    it.want("make.slice", 2);
    it.rounds(8);
    const auto cpus = it.get("pool_cpus");
    ASSERT_EQ(cpus, "db 0-1; web 4-7,12-13; batch 8-10; default 2-3,11,14-15");
    it.restart();
    it.decide();
    EXPECT_EQ(it.get("pool_cpus"), cpus);
    EXPECT_THAT(it.reason("web.service"), HasSubstr(": its members were found there"));
    it.rounds(30);
    EXPECT_EQ(it.get("pool_cpus"), cpus);
}

TEST(Pools, AreNotFoundWhereOthersWereOrNobodyWasHeld) {
    Sixteen it;
    for (auto& subject : it.subjects) subject.held = false, subject.current = CpuSet::range(9, 12);
    it.restart();
    it.decide();
    EXPECT_EQ(it.cpus("web.service"), "0-1") << "where members came with their CPUs is their own doing";
    for (auto& subject : it.subjects) subject.held = true, subject.current = CpuSet::range(9, 12);
    it.restart();
    it.decide();
    EXPECT_EQ(it.cpus("web.service"), "0-1") << "all were on the same CPUs";
}

TEST(Pools, KeepTheirCoresWhenTheTextChanges) {
    Sixteen it;
    it.want("web.service", 3);
    it.rounds(5);
    ASSERT_EQ(it.cpus("web.service"), "0-3");
    it.set("pools", "new: min=2 match=unit:mail*; web: min=1 max=6 match=unit:web*; batch: class=batch");
    it.round();
    EXPECT_EQ(it.get("pool_cpus"), "new 8-9; web 0-3; batch 4; default 5-7,10-15");
    it.set("pools", "www: min=1 max=6 match=unit:web*; new: max=1 match=unit:mail*; batch: class=batch");
    it.round();
    EXPECT_EQ(it.get("pool_cpus"), "www 0-3; new 8; batch 4; default 5-7,9-15") << "under another name";
}

TEST(Pools, FollowMembersThatChangeTheirClass) {
    Sixteen it;
    it.subject("mail.service").demand.work_class = WorkClass::batch;
    it.round();
    EXPECT_EQ(it.cpus("mail.service"), "4");
    EXPECT_THAT(it.reason("mail.service"), HasSubstr("; class=batch"));
    it.subject("mail.service").demand.work_class = WorkClass::normal;
    it.round();
    EXPECT_EQ(it.cpus("mail.service"), "2-3,5-15");
}

TEST(Pools, StayAsTheyAreWhereNothingIsMeasured) {
    Sixteen it;
    it.want("web.service", 5);
    it.rounds(3);
    const auto cpus = it.cpus("web.service");
    it.loads.clear();
    it.subject("web.service").pids = {1}; // of this nothing is known
    it.rounds(40);
    EXPECT_EQ(it.cpus("web.service"), cpus);
    EXPECT_EQ(it.get("note"), "web stays as it is: process_load has no value for its members");
    EXPECT_THAT(it.get("utilisation"), HasSubstr("web not known"));
    it.world.at<TestProbe>("probes/test_probe").clear_load();
    it.decide();
    EXPECT_THAT(it.get("note"), HasSubstr("node_load has no value: no pool grows or shrinks"));
}

TEST(Pools, TakeAGapInOneMembersValuesForItsLastValue) {
    Sixteen it;
    it.unit("web2.service", 1);
    it.want("web.service", 5);
    it.rounds(3);
    ASSERT_EQ(it.get("utilisation"), "web 75 % of 8 CPUs, batch 0 % of 1 CPU");
    it.subject("web.service").pids = {1};
    it.rounds(20);
    EXPECT_EQ(it.get("utilisation"), "web 75 % of 8 CPUs, batch 0 % of 1 CPU");
}

/// A machine on which web.service lives of processes that nobody sees, below a slice that is a member, too.
struct OfShortLives : Sixteen {
    OfShortLives() : Sixteen("web: max=8 match=unit:web*; all: min=1 max=8 match=unit:app*") {
        unit("app.slice");
        subject("web.service").group = "/app.slice/web.service";
        subject("app.slice").group = "/app.slice";
        apply("create probes/group_probe\n"
              "link probes/group_probe/cgroup_usage schedulers/P/pools/cgroup_usage");
    }
    void use(const std::string& group, double cpus) {
        world.at<GroupProbe>("probes/group_probe").used[group] = cpus;
    }
};

TEST(Pools, CountWhatTheirGroupsUseBeyondWhatTheirProcessesWant) {
    OfShortLives it;
    it.want("web.service", 0.25);
    it.use("/app.slice/web.service", 1.5);
    it.use("/app.slice", 1.5);
    it.round();
    EXPECT_EQ(it.get("utilisation"), "web 150 % of 1 CPU, all 0 % of 1 CPU") << "and once only";
    it.rounds(2);
    EXPECT_EQ(CpuSet::parse(it.cpus("web.service")).value().count(), 2);
    it.use("/app.slice", 2);
    it.want("web.service", 1.75); // what waits wants, too, and uses nothing
    it.round();
    EXPECT_EQ(it.get("utilisation"), "web 88 % of 2 CPUs, all 25 % of 1 CPU");
}

TEST(Pools, RefuseTextThatContradictsItselfAndKeepWhatTheyHad) {
    Sixteen it;
    const auto refused = it.policy().write_attribute("pools", "web: min=4 max=2 match=unit:web*");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Errc::invalid_value);
    EXPECT_THAT(refused.error().text(), HasSubstr("pool 'web' has min=4 above max=2"));
    it.round();
    EXPECT_EQ(it.cpus("web.service"), "0-1");
}

TEST(Pools, AreAsSmallAsHighAllowsWhereLowIsNotBelowIt) {
    Sixteen it;
    it.want("web.service", 3);
    it.set("low", "100");
    it.rounds(200);
    EXPECT_EQ(it.cpus("web.service"), "0-3");
    EXPECT_EQ(it.get("resizes"), "1");
    EXPECT_EQ(it.get("note"), "low (100 %) is not below high (80 %): pools are as small as high allows");
}

TEST(Pools, CountTheCpusOfCoresOfDifferentSizes) {
    Pooled it(shape_hybrid_8p_16e(), "a: match=unit:a");
    it.unit("a", 3.1);
    it.rounds(4);
    EXPECT_EQ(it.cpus("a"), "0-3") << "two cores of two CPUs each are enough";
}

TEST(Pools, DecideQuicklyForAThousandMembersInManyPoolsOnALargeMachine) {
    std::string text;
    for (int i = 0; i < 100; ++i) text += fmt::format("p{}: min=0 level=core match=unit:u{}.*;", i, i);
    Pooled it(shape_8n1024c_wide(), text);
    for (int i = 0; i < 1000; ++i) it.unit(fmt::format("u{}.{}", i % 150, i), 0.1);
    it.rounds(3);
    EXPECT_EQ(it.decisions.size(), 1000U);
    EXPECT_NE(it.cpus("u7.7"), it.cpus("u8.8"));
    EXPECT_EQ(it.cpus("u140.140"), it.cpus("u149.149"));
    EXPECT_EQ(it.get("note"), "");
}

} // namespace
} // namespace schedd::policies
