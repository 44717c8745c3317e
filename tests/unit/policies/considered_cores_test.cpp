// What exclusive_cores and pools say of the ways not taken; where they name what would free more, it is
// tried.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policies/pooled.h"
#include "tests/unit/policies/sharer.h"

namespace schedd::policies {
namespace {

using namespace schedd::test;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

template <class AWorld> std::vector<std::string> said(AWorld& world, const Target& target) {
    const auto at = std::ranges::find(world.subjects, target, &Subject::target);
    return world.policy().considered({world.world.clock.now(), world.topology, world.subjects}, *at);
}
template <class AWorld> std::vector<std::string> said(AWorld& world, const std::string& unit) {
    return said(world, Target::unit(unit));
}

/// Four cores of two CPUs: unit:a has two of them for three CPUs, unit:b asks for four CPUs and waits.
struct Full : Sharer {
    Full() : Sharer(machine({.cores_per_l3 = 4, .threads_per_core = 2})) {
        unit("a", 3);
        decide();
        unit("b", 4);
        decide();
    }
};

TEST(ExclusiveCoresConsidered, NamesWhoWouldHaveToAskForLessAndByHowMuch) {
    Full s;
    EXPECT_EQ(s.cpus("b"), "4-7") << "it shares";
    EXPECT_THAT(said(s, "b"),
                ElementsAre("whole cores that are free: 2 of 4 on numa 0, l3 0",
                            "it lacks 4 CPUs: 2 of 4 whole cores are free, and 1 is kept for the shared pool",
                            "when_full=spill would give it 2 CPUs of its own now",
                            "unit:a has 2 cores (0-3): it would fit if that one asked for 2 CPUs instead of "
                            "3"));
    s.unit("a", 2);
    s.decide();
    EXPECT_THAT(s.reason("b"), HasSubstr("2 whole cores of its own for the 4 CPUs it asks for"));
}

TEST(ExclusiveCoresConsidered, SaysWhatSpillingWouldGiveAndThatIsGiven) {
    Full s;
    s.set("when_full", "spill");
    s.decide();
    EXPECT_THAT(s.reason("b"), HasSubstr("asks for 4 CPUs of its own, has 2 on CPUs"));
    EXPECT_THAT(said(s, "b"), Not(Contains(HasSubstr("when_full"))));
    EXPECT_THAT(said(s, "b"), Contains(HasSubstr("it lacks 2 CPUs: 1 of 4 whole cores is free")));
}

TEST(ExclusiveCoresConsidered, SaysWhichSharedMinimumWouldDo) {
    Sharer s(machine({.cores_per_l3 = 4, .threads_per_core = 2}));
    s.set("shared_minimum", "3");
    s.unit("b", 4);
    s.decide();
    EXPECT_THAT(said(s, "b"),
                Contains("shared_minimum=2 instead of 3 would let it have 4 of the 4 CPUs it lacks"));
    EXPECT_THAT(said(s, "b"), Contains("no other member has cores of its own"));
    s.set("shared_minimum", "2");
    s.decide();
    EXPECT_EQ(s.read("refused"), "0");
}

TEST(ExclusiveCoresConsidered, SaysWhatOnlyTwoAttributesTogetherWouldDo) {
    Sharer s(machine({.cores_per_l3 = 4, .threads_per_core = 2}));
    s.set("shared_minimum", "4");
    s.unit("b", 7);
    s.decide();
    EXPECT_THAT(said(s, "b"),
                Contains("shared_minimum=1 instead of 4 and when_full=spill together would let it "
                         "have 6 of the 7 CPUs it lacks"));
    EXPECT_THAT(said(s, "b"), Not(Contains(HasSubstr("when_full=spill would give"))));
    s.set("shared_minimum", "1");
    s.decide();
    EXPECT_EQ(s.cpus("b"), "0-7") << "refuse is all or nothing: it shares";
    s.set("when_full", "spill");
    s.decide();
    EXPECT_THAT(s.reason("b"), HasSubstr("has 6 on CPUs 0-5"));
}

TEST(ExclusiveCoresConsidered, SaysWhyAFreeCoreCannotBeHad) {
    Sharer s(machine({.cores_per_l3 = 2}));
    s.unit("a", 1);
    s.plain(10);
    s.decide();
    EXPECT_THAT(said(s, Target::process(10, 1)),
                Contains("of its own it could have no CPU now: whole cores that are free: 1 of 2 on numa 0, "
                         "l3 0; 1 is kept for the shared pool (shared_minimum=1)"));
    s.set("shared_minimum", "0");
    s.decide();
    EXPECT_THAT(said(s, Target::process(10, 1)),
                Contains(HasSubstr("1 is kept for the shared pool, as it is never without a CPU")));
}

TEST(ExclusiveCoresConsidered, DoesNotPromiseWhatWhoCameBeforeWouldTake) {
    Sharer s(machine({.cores_per_l3 = 5}));
    s.unit("a", 2);
    s.decide();
    s.unit("e", 4);
    s.decide();
    s.unit("f", 3);
    s.decide();
    EXPECT_THAT(said(s, "e"), Contains("when_full=spill would give it 2 CPUs of its own now"));
    EXPECT_THAT(said(s, "f"), Not(Contains(HasSubstr("when_full")))) << "unit:e would have them";
    EXPECT_THAT(said(s, "f"), Contains("unit:e came before it, lacks 4 CPUs and is served first if it fits"));
}

TEST(ExclusiveCoresConsidered, SaysThatNobodyAloneHasEnough) {
    Sharer s(machine({.cores_per_l3 = 5}));
    for (const auto* name : {"a", "b", "c", "d"}) s.unit(name, 1);
    s.decide();
    s.unit("e", 3);
    s.unit("f", 2);
    s.decide();
    EXPECT_THAT(said(s, "e"),
                Contains("no single member has enough to make room: unit:a has 1 core (0) for 1 "
                         "CPU; unit:b has 1 core (1) for 1 CPU; unit:c has 1 core (2) for 1 CPU; "
                         "unit:d has 1 core (3) for 1 CPU"));
    EXPECT_THAT(said(s, "f"), Contains("unit:e came before it, lacks 3 CPUs and is served first if it fits"));
    EXPECT_THAT(said(s, "e"), Not(Contains(HasSubstr("came before"))));
}

TEST(ExclusiveCoresConsidered, CountsWhatReservedAndIdleSiblingsCost) {
    Sharer s(machine({.cores_per_l3 = 4, .threads_per_core = 2}));
    s.set("reserved", "0");
    s.set("smt", "one_per_core");
    s.unit("b", 4);
    s.decide();
    const auto lines = said(s, "b");
    EXPECT_THAT(lines, Contains("without reserved=0 there would be 1 whole core more"));
    EXPECT_THAT(lines, Contains("smt=share would count the siblings: 6 CPUs instead of 3 on all cores"));
    s.set("smt", "share");
    s.decide();
    EXPECT_EQ(s.read("refused"), "0");
}

TEST(ExclusiveCoresConsidered, TellsTheNextBestGroupAndWhatIfItCameNow) {
    Sharer s(machine({.l3_per_node = 2, .cores_per_l3 = 4}));
    s.unit("x", 3);
    s.decide();
    EXPECT_THAT(said(s, "x"),
                ElementsAre("whole cores that are free: 1 of 4 on numa 0, l3 0; 4 of 4 on numa 0, l3 1",
                            "the next best were CPUs 4-6 on numa 0, l3 1, where 4 cores are free; on numa 0, "
                            "l3 0 there were 4 with its own: the fewest groups count first, then what leaves "
                            "least over"));
    s.unit("y", 3);
    s.decide();
    EXPECT_EQ(s.cpus("y"), "4-6");
    EXPECT_THAT(said(s, "y"), Contains("without numa 0, l3 1 it would not fit: elsewhere 1 core is free"));
    s.remove(Target::unit("x"));
    s.decide();
    EXPECT_THAT(said(s, "y"),
                Contains("if it came now it would get CPUs 0-2 on numa 0, l3 0; it is not moved "
                         "there, as nobody who has cores is"));
}

TEST(ExclusiveCoresConsidered, TellsAMemberThatSharesWhoHasTheRest) {
    Full s;
    s.plain(10);
    s.decide();
    EXPECT_THAT(said(s, Target::process(10, 1)),
                ElementsAre("it asks for no CPUs of its own (exclusive), so it shares what is left",
                            "unit:a has 2 cores (0-3) for 3 CPUs", "of its own it could have 2 CPUs now"));
}

TEST(ExclusiveCoresConsidered, SaysNothingOfWhomItHasNotDecidedAbout) {
    Sharer s(machine({.cores_per_l3 = 4}));
    s.unit("a", 1);
    EXPECT_THAT(said(s, "a"), IsEmpty()) << "no machine has been looked at";
    s.decide();
    s.unit("b", 1);
    EXPECT_THAT(said(s, "b"), IsEmpty());
}

TEST(ExclusiveCoresConsidered, IsBoundedWithHundredsOfHoldersAndChangesNoDecision) {
    Sharer s(shape_1n64c_l3_per_8());
    for (int i = 0; i < 60; ++i) s.unit(fmt::format("u{:03}", i), 1);
    s.decide();
    s.unit("late", 60);
    const auto before = s.decide();
    const auto lines = said(s, "late");
    EXPECT_LE(lines.size(), 12U);
    EXPECT_THAT(lines, Contains(HasSubstr("and 52 more")));
    const auto after = s.decide();
    EXPECT_TRUE(std::ranges::equal(before, after, [](const Decision& a, const Decision& b) {
        return a.target == b.target && a.cpus == b.cpus && a.reason == b.reason;
    }));
}

/// Eight cores; web wants 1.7 CPUs of its two cores, batch half of its one.
struct TwoPools : Pooled {
    TwoPools()
        : Pooled(machine({.cores_per_l3 = 8}), "web: min=2 max=4 match=unit:web*; batch: match=unit:batch") {
        unit("web", 1.7);
        unit("batch", 0.5);
        unit("other", 1);
        round();
    }
};

TEST(PoolsConsidered, TellsHowFarAPoolIsFromGrowingAndWhoHasTheCores) {
    TwoPools p;
    EXPECT_THAT(said(p, "web"),
                ElementsAre("the members of web want 1.70 of 2 CPUs, 85 %",
                            "it grows when more than 1.60 CPUs are wanted in 3 updates, 1 has been seen",
                            "its least is 2 cores, so it does not shrink",
                            "of 5 cores without a pool on the machine it could have 2, as 1 is kept for the "
                            "default pool and max is 4",
                            "on the machine: batch has CPUs 2, no core beyond its least"));
    p.rounds(2);
    EXPECT_EQ(p.cpus("web"), "0-1,3") << "as was said";
    EXPECT_THAT(said(p, "web"),
                Contains("it shrinks when less than 1.20 CPUs are wanted in 10 updates, 0 have "
                         "been seen"));
    p.want("web", 1);
    p.round();
    EXPECT_THAT(said(p, "web"), Contains(HasSubstr("in 10 updates, 1 has been seen")));
}

TEST(PoolsConsidered, TellsWhatKeepsAPoolFromMore) {
    TwoPools p;
    p.want("web", 4);
    p.rounds(6);
    EXPECT_THAT(said(p, "web"), Contains("it has 4 cores, all of max=4: a larger max would let it grow"));
    p.set("default_minimum", "5");
    p.set("pools", "web: min=2 match=unit:web*; batch: match=unit:batch");
    p.decide();
    EXPECT_THAT(said(p, "batch"), Contains("default_minimum=4 would free a core"));
    p.set("default_minimum", "4");
    p.decide();
    EXPECT_THAT(said(p, "batch"), Contains(HasSubstr("it could have 1, as 4 are kept")));
}

TEST(PoolsConsidered, SaysThatItsDomainIsFullThoughOthersAreNot) {
    Pooled p(machine({.l3_per_node = 2, .cores_per_l3 = 2}), "web: min=2 level=l3 match=unit:web");
    p.unit("web", 2);
    p.rounds(4);
    const auto lines = said(p, "web");
    EXPECT_THAT(lines, Contains(HasSubstr("of 0 cores without a pool in its l3 domain it could have 0")));
    EXPECT_THAT(lines, Contains("level=machine would let it have 1 core elsewhere"));
    EXPECT_EQ(p.cpus("web"), "0-1");
    p.set("pools", "web: min=2 level=machine match=unit:web");
    p.rounds(4);
    EXPECT_EQ(p.cpus("web"), "0-2") << "as was said";
}

TEST(PoolsConsidered, NamesNoLargerMaxWhereNoCoreIsFreeForIt) {
    Pooled p(machine({.cores_per_l3 = 4}), "web: max=3 match=unit:web");
    p.unit("web", 4);
    p.rounds(6);
    const auto lines = said(p, "web");
    EXPECT_THAT(lines,
                Contains("it has 3 cores, all of max=3: there is no free core that a larger max would let it "
                         "have"));
    EXPECT_THAT(lines, Not(Contains(HasSubstr("it grows when"))));
}

/// A pool that lends: what it has, what it needs and what it has at least are three things.
TEST(PoolsConsidered, TellWhatAPoolNeedsApartFromWhatItHasAndItsLeast) {
    Pooled p(machine({.cores_per_l3 = 10, .threads_per_core = 2}), "a: min=9 share=idle match=unit:a");
    p.unit("a", 0);
    p.round();
    EXPECT_THAT(p.reason("a"), HasSubstr("its least is 9 cores"));
    const auto lines = said(p, "a");
    EXPECT_THAT(lines,
                Contains("the members of a want 0.00 of 2 CPUs that are in use for them, 0 %: of its 9 "
                         "cores 1 is needed now, and CPUs 2-17 are lent (share=idle)"));
    EXPECT_THAT(lines, Contains("it takes back what it lends when more than 1.60 CPUs are wanted in 3 "
                                "updates, 0 have been seen"));
    EXPECT_THAT(lines, Contains("the core that it needs is the last one, so it lends no more"));
    EXPECT_THAT(lines, Not(Contains(HasSubstr("its least is"))));
    p.want("a", 3.5);
    p.rounds(3);
    EXPECT_THAT(p.reason("a"), HasSubstr("lends CPUs 6-17")) << "it took back, as was said";
    EXPECT_THAT(said(p, "a"), Contains("it lends when less than 2.40 CPUs are wanted in 10 updates, 0 have "
                                       "been seen"));
}

TEST(PoolsConsidered, SaysThatAPoolIsShortOfItsLeast) {
    Pooled p(machine({.cores_per_l3 = 4}), "a: min=6 match=unit:a");
    p.unit("a", 1);
    p.round();
    EXPECT_THAT(said(p, "a"), Contains("it has 3 of the 6 cores that are its least, so it does not shrink"));
}

TEST(PoolsConsidered, SaysThatALowOfNothingNeverShrinks) {
    TwoPools p;
    p.want("web", 4);
    p.rounds(3);
    p.set("low", "0");
    p.round();
    EXPECT_THAT(said(p, "web"), Contains("low=0: it never shrinks"));
}

TEST(PoolsConsidered, TellsAMemberOfNoPoolWhoHasWhat) {
    TwoPools p;
    p.want("web", 0);
    p.want("batch", 0);
    p.round();
    EXPECT_THAT(said(p, "other"),
                ElementsAre("no pool takes it by match= or class=, and 1 of 5 cores without a pool is never "
                            "given to one",
                            "web has 2 cores, 0.00 CPUs wanted, least 2; batch has 1 core, 0.00 CPUs wanted, "
                            "least 1",
                            "share=idle on web would lend all but one of its 2 cores"))
        << "batch has one core, which it keeps";
    p.set("pools", "web: min=2 max=4 share=idle match=unit:web*; batch: match=unit:batch");
    p.rounds(11);
    EXPECT_THAT(p.reason("web"), HasSubstr("lends CPUs 1")) << "as was said";
}

TEST(PoolsConsidered, SaysNothingWithoutPoolsOrOfWhoIsNew) {
    Pooled p(machine({.cores_per_l3 = 4}));
    p.unit("web", 1);
    p.round();
    EXPECT_THAT(said(p, "web"), IsEmpty());
    p.set("pools", "web: match=unit:web");
    p.round();
    p.unit("new", 1);
    EXPECT_THAT(said(p, "new"), IsEmpty());
    EXPECT_THAT(said(p, "web"), Not(IsEmpty()));
}

} // namespace
} // namespace schedd::policies
