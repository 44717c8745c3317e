// The stacking rule and the order of steps.
#include "components/placement/planner.h"

#include <gtest/gtest.h>

namespace schedd::placement {
namespace {

CpuSet cpus(std::string_view list) { return CpuSet::parse(list).value(); }
Target process(Pid pid) { return Target::process(pid, 1); }

Wish wish(std::string scheduler, Target target, std::string_view list, std::uint64_t order = 1) {
    Wish w;
    w.scheduler = std::move(scheduler);
    w.order = order;
    w.pids = {target.pid};
    w.decision = {std::move(target), cpus(list), "because"};
    return w;
}

using Result = Opinion::Result;

TEST(Stacking, TheFirstDecidesAndTheNextNarrowsInsideIt) {
    const auto verdicts =
        combine({wish("old", process(7), "2-5", 1), wish("new", process(7), "0-3", 2)}, cpus("0-7"));
    const auto& verdict = verdicts.at(process(7));
    EXPECT_EQ(verdict.cpus, cpus("2-3"));
    ASSERT_EQ(verdict.opinions.size(), 2U);
    EXPECT_EQ(verdict.opinions[0].scheduler, "new"); // the latest attached comes first
    EXPECT_EQ(verdict.opinions[0].result, Result::decides);
    EXPECT_EQ(verdict.opinions[1].result, Result::narrows);
    EXPECT_EQ(verdict.opinions[1].reason, "because");
    EXPECT_EQ(verdict.disagreement(), "");
}

TEST(Stacking, AnEmptyIntersectionIsAConflictAndTheLaterIsIgnored) {
    const auto verdicts =
        combine({wish("a", process(7), "0-1", 2), wish("b", process(7), "2-3", 1)}, cpus("0-7"));
    const auto& verdict = verdicts.at(process(7));
    EXPECT_EQ(verdict.cpus, cpus("0-1"));
    EXPECT_EQ(verdict.opinions[1].result, Result::conflict);
    EXPECT_TRUE(verdict.has_conflict());
    EXPECT_EQ(verdict.disagreement(),
              "b wants CPUs 2-3, none of which is left beside 0-1, decided before it");
}

TEST(Stacking, AThirdMayStillNarrowAfterAConflict) {
    const auto verdicts = combine({wish("a", process(7), "0-1", 3), wish("b", process(7), "2-3", 2),
                                   wish("c", process(7), "1-2", 1)},
                                  cpus("0-7"));
    EXPECT_EQ(verdicts.at(process(7)).cpus, cpus("1"));
}

TEST(Stacking, AConflictNamesWhoIsOverruledAndWhatStoodThen) {
    const auto verdicts = combine({wish("first", process(7), "4-7", 3), wish("second", process(7), "0-3", 2),
                                   wish("third", process(7), "1,5", 1)},
                                  cpus("0-7"));
    EXPECT_EQ(verdicts.at(process(7)).cpus, cpus("5")) << "who narrows afterwards has its way";
    EXPECT_EQ(verdicts.at(process(7)).disagreement(),
              "second wants CPUs 0-3, none of which is left beside 4-7, decided before it");
}

TEST(Stacking, ExplicitMembersComeBeforeHandleAll) {
    auto all = wish("universal", process(7), "0-1", 9);
    all.is_explicit = false;
    const auto verdicts = combine({all, wish("own", process(7), "1-2", 1)}, cpus("0-7"));
    EXPECT_EQ(verdicts.at(process(7)).opinions[0].scheduler, "own");
}

TEST(Stacking, PrecedenceComesBeforeEverythingElse) {
    auto all = wish("universal", process(7), "0-1", 1);
    all.is_explicit = false;
    all.precedence = 1;
    const auto verdicts = combine({wish("own", process(7), "1-2", 9), all}, cpus("0-7"));
    EXPECT_EQ(verdicts.at(process(7)).opinions[0].scheduler, "universal");
}

TEST(Stacking, CpusThatAreNotUsableDoNotCount) {
    const auto verdicts = combine({wish("a", process(7), "2-5")}, cpus("0-3"));
    EXPECT_EQ(verdicts.at(process(7)).cpus, cpus("2-3"));
    const auto none = combine({wish("a", process(7), "6-7")}, cpus("0-3"));
    EXPECT_TRUE(none.at(process(7)).cpus.empty());
    EXPECT_TRUE(none.at(process(7)).has_conflict());
}

TEST(Stacking, AProcessIsBoundByItsGroupsEarlierDecision) {
    auto group = wish("g", Target::cgroup("/batch"), "0-3", 2);
    group.pids = {7, 8};
    const auto verdicts =
        combine({group, wish("p", process(7), "2-5", 1), wish("q", process(8), "4-5", 1)}, cpus("0-7"));
    EXPECT_EQ(verdicts.at(process(7)).cpus, cpus("2-3"));
    EXPECT_TRUE(verdicts.at(process(8)).cpus.empty());
    EXPECT_TRUE(verdicts.at(process(8)).has_conflict());
}

TEST(Stacking, AGroupThatWouldLeaveAnEarlierProcessNothingIsAConflict) {
    auto group = wish("g", Target::cgroup("/batch"), "0-3", 1);
    group.pids = {7};
    const auto verdicts = combine({group, wish("p", process(7), "4-5", 2)}, cpus("0-7"));
    EXPECT_EQ(verdicts.at(process(7)).cpus, cpus("4-5"));
    EXPECT_TRUE(verdicts.at(Target::cgroup("/batch")).has_conflict());
}

TEST(Stacking, SchedulersWithoutOrderAreTakenByName) {
    const auto forward = combine({wish("a", process(7), "0-1"), wish("b", process(7), "1-2")}, cpus("0-7"));
    const auto backward = combine({wish("b", process(7), "1-2"), wish("a", process(7), "0-1")}, cpus("0-7"));
    EXPECT_EQ(forward, backward);
}

Wish alone(std::string scheduler, Target target, std::string_view list, std::uint64_t order = 1) {
    auto w = wish(std::move(scheduler), std::move(target), list, order);
    w.member = "web";
    w.decision.alone = w.decision.cpus;
    return w;
}

TEST(CpusGivenAlone, AreTakenFromWhatOtherSchedulersDecidedWhereverTheyStand) {
    for (const std::uint64_t order : {1U, 9U}) {
        const auto verdicts =
            combine({alone("cores", process(7), "2-3", 5), wish("lb", process(8), "0-3", order)},
                    cpus("0-7"));
        EXPECT_EQ(verdicts.at(process(7)).cpus, cpus("2-3"));
        const auto& other = verdicts.at(process(8));
        EXPECT_EQ(other.cpus, cpus("0-1"));
        ASSERT_EQ(other.opinions.size(), 2U);
        EXPECT_EQ(other.opinions[1].result, Result::excludes);
        EXPECT_EQ(other.opinions[1].scheduler, "cores");
        EXPECT_EQ(other.opinions[1].cpus, cpus("2-3"));
        EXPECT_EQ(other.opinions[1].reason, "web has them alone");
        EXPECT_FALSE(other.has_conflict());
    }
}

TEST(CpusGivenAlone, AreAConflictForWhoWouldBeLeftWithNothing) {
    const auto verdicts =
        combine({alone("cores", process(7), "2-3"), wish("lb", process(8), "3")}, cpus("0-7"));
    EXPECT_EQ(verdicts.at(process(8)).cpus, cpus("3")) << "it must be somewhere";
    EXPECT_TRUE(verdicts.at(process(8)).has_conflict());
    EXPECT_EQ(verdicts.at(process(8)).disagreement(),
              "cores gives CPUs 3 to web alone, and nothing else is left");
    EXPECT_FALSE(verdicts.at(process(7)).has_conflict());
}

TEST(CpusGivenAlone, TwiceBelongToTheFirstInTheStack) {
    const auto verdicts = combine({alone("a", process(7), "2-3", 9), alone("b", process(8), "3-4", 1),
                                   wish("lb", process(9), "0-4", 5)},
                                  cpus("0-7"));
    EXPECT_EQ(verdicts.at(process(7)).cpus, cpus("2-3"));
    EXPECT_EQ(verdicts.at(process(8)).cpus, cpus("4"));
    EXPECT_EQ(verdicts.at(process(9)).cpus, cpus("0-1"));
    EXPECT_EQ(verdicts.at(process(9)).opinions.size(), 3U);
}

TEST(CpusGivenAlone, AreSharedByWhatIsInsideAndWhatTheSameSchedulerPutThere) {
    auto group = alone("cores", Target::cgroup("/web"), "2-3");
    group.pids = {7, 8};
    auto slice = wish("lb", Target::cgroup("/all"), "0-3");
    slice.pids = {6, 7, 8};
    const auto verdicts =
        combine({group, wish("lb", process(7), "2"), slice, wish("cores", process(10), "2-3")}, cpus("0-7"));
    EXPECT_EQ(verdicts.at(process(7)).cpus, cpus("2"));
    EXPECT_EQ(verdicts.at(Target::cgroup("/all")).cpus, cpus("0-3"));
    EXPECT_EQ(verdicts.at(process(10)).cpus, cpus("2-3"));
    for (const auto& [target, verdict] : verdicts) EXPECT_EQ(verdict.opinions.size(), 1U) << target.text();
}

TEST(CpusGivenAlone, DisturbNobodyWhileTheOwnerDoesNotRun) {
    auto stopped = alone("cores", Target::unit("web.service"), "2-3");
    stopped.pids.clear();
    const auto verdicts = combine({stopped, wish("lb", process(8), "0-3")}, cpus("0-7"));
    EXPECT_EQ(verdicts.at(process(8)).cpus, cpus("0-3"));
}

TEST(CpusGivenAlone, HoldTheSiblingsThatStayIdleToo) {
    auto one_per_core = alone("cores", process(7), "2");
    one_per_core.decision.alone = cpus("2-3");
    const auto verdicts = combine({one_per_core, wish("lb", process(8), "0-3")}, cpus("0-7"));
    EXPECT_EQ(verdicts.at(process(7)).cpus, cpus("2"));
    EXPECT_EQ(verdicts.at(process(8)).cpus, cpus("0-1"));
}

std::map<Target, Verdict> wanted(std::vector<std::pair<Target, std::string>> rows) {
    std::map<Target, Verdict> verdicts;
    for (auto& [target, list] : rows) verdicts[target] = {cpus(list), {}};
    return verdicts;
}

TEST(APlan, LeavesOutWhatIsHeldAlready) {
    const auto plan = make_plan(wanted({{process(1), "0"}, {process(2), "1"}}), {{process(1), cpus("0")}});
    ASSERT_EQ(plan.steps.size(), 1U);
    EXPECT_EQ(plan.steps[0].target, process(2));
    EXPECT_TRUE(plan.releases.empty());
}

TEST(APlan, GrowsBeforeItShrinks) {
    const auto plan = make_plan(wanted({{process(1), "0"}, {process(2), "0-3"}}),
                                {{process(1), cpus("0-1")}, {process(2), cpus("2-3")}});
    ASSERT_EQ(plan.steps.size(), 2U);
    EXPECT_EQ(plan.steps[0].target, process(2));
    EXPECT_TRUE(plan.steps[0].grows);
    EXPECT_FALSE(plan.steps[1].grows);
}

TEST(APlan, GrowsOuterGroupsFirstAndShrinksThemLast) {
    const auto outer = Target::cgroup("/a");
    const auto inner = Target::cgroup("/a/b");
    const auto grow =
        make_plan(wanted({{inner, "0-3"}, {outer, "0-7"}}), {{inner, cpus("0")}, {outer, cpus("0-1")}});
    EXPECT_EQ(grow.steps[0].target, outer);
    const auto shrink =
        make_plan(wanted({{outer, "0-1"}, {inner, "0"}}), {{inner, cpus("0-3")}, {outer, cpus("0-7")}});
    EXPECT_EQ(shrink.steps[0].target, inner);
}

TEST(APlan, ReleasesWhatNobodyWants) {
    auto verdicts = wanted({{process(1), "0"}});
    verdicts[process(2)] = {}; // wanted, but nothing usable in it
    const auto plan =
        make_plan(verdicts, {{process(1), cpus("0")}, {process(2), cpus("1")}, {process(3), cpus("1")}});
    EXPECT_TRUE(plan.steps.empty());
    EXPECT_EQ(plan.releases, (std::vector{process(2), process(3)}));
}

} // namespace
} // namespace schedd::placement
