// Which domain has room: placing, widening, narrowing, packing and keeping apart, without any policy.
#include "policies/fill.h"

#include <gtest/gtest.h>

#include "tests/kit/machine.h"

namespace schedd::policies {
namespace {

Work work(double duty, WorkClass work_class = WorkClass::normal) { return {duty, duty, work_class}; }
Work batch(double duty) { return work(duty, WorkClass::batch); }
Work latency(double duty) { return work(duty, WorkClass::latency); }

/// Two nodes of two caches of four CPUs: domains 0 to 3 are the caches, 4 and 5 the nodes.
struct TwoNodes {
    Hierarchy hierarchy = hierarchy_of(test::machine({.nodes = 2, .l3_per_node = 2, .cores_per_l3 = 4}),
                                       Levels::parse("numa,l3"));
    Fill fill{hierarchy, {}};
};

TEST(AFill, CountsWhatLiesInADomainForAllAroundIt) {
    TwoNodes t;
    t.fill.add(1, batch(1.5));
    t.fill.add(4, latency(0.5));
    EXPECT_DOUBLE_EQ(t.fill.wanted(1), 1.5);
    EXPECT_DOUBLE_EQ(t.fill.wanted(4), 2);
    EXPECT_DOUBLE_EQ(t.fill.batch(4), 1.5);
    EXPECT_EQ(t.fill.latency_members(4), 1);
    EXPECT_EQ(t.fill.latency_members(1), 0);
    t.fill.remove(1, batch(1.5));
    EXPECT_DOUBLE_EQ(t.fill.wanted(4), 0.5);
    EXPECT_DOUBLE_EQ(t.fill.batch(4), 0);
}

TEST(AFill, PlacesInTheLeastLoadedNodeThenCache) {
    TwoNodes t;
    t.fill.add(0, work(1));
    t.fill.add(2, work(0.4));
    EXPECT_EQ(t.fill.place(work(1)), 3U);
    EXPECT_EQ(t.fill.place(work(1), 4), 1U) << "inside node 0";
}

TEST(AFill, PlacesOnTheNodeWhatNoCacheHasRoomFor) {
    TwoNodes t;
    EXPECT_EQ(t.fill.place(work(6)), 4U);
    EXPECT_EQ(t.fill.place(work(4)), 0U) << "it just fits";
    for (const std::size_t cache : {0U, 1U}) t.fill.add(cache, work(3.5));
    EXPECT_EQ(t.fill.place(work(0.9), 4), 4U) << "0.5 left in each cache, 1 in the node";
}

TEST(AFill, KeepsToTheFinestWhereEverythingIsEquallyFull) {
    TwoNodes t;
    for (const std::size_t cache : {0U, 1U, 2U, 3U}) t.fill.add(cache, work(40));
    EXPECT_EQ(t.fill.place(work(1)), 0U) << "the node is as full: nothing is won by its width";
    EXPECT_FALSE(t.fill.is_strained(0));
}

TEST(AFill, IsStrainedWhereMoreIsWantedThanThereIs) {
    TwoNodes t;
    t.fill.add(0, work(4));
    EXPECT_FALSE(t.fill.is_strained(0)) << "exactly full";
    t.fill.add(0, work(0.5));
    EXPECT_TRUE(t.fill.is_strained(0));
    EXPECT_DOUBLE_EQ(t.fill.excess(0), 0.5);
    EXPECT_FALSE(t.fill.is_strained(4)) << "there is nothing around a node";
    Fill never{t.hierarchy, {.widen_at = 0}};
    never.add(0, work(9));
    EXPECT_FALSE(never.is_strained(0));
    EXPECT_EQ(never.place(work(9)), 2U);
}

TEST(AFill, HasRoomOnlyBelowTheHysteresis) {
    TwoNodes t;
    t.fill.add(0, work(3));
    t.fill.add(1, work(2.7));
    EXPECT_EQ(t.fill.roomy(work(1), 4), kNowhere) << "3.7 of 4 is within 10 %";
    EXPECT_EQ(t.fill.roomy(work(0.9), 4), 1U);
    EXPECT_EQ(t.fill.roomy(work(0.5), 0), kNowhere) << "a cache is the finest";
}

TEST(Packing, FillsOneDomainUpToTheBound) {
    TwoNodes t; // 80 % of 4 CPUs is 3.2
    std::vector<std::size_t> where;
    for (int i = 0; i < 8; ++i) {
        where.push_back(t.fill.pack(batch(1)));
        t.fill.add(where.back(), batch(1));
    }
    EXPECT_EQ(where, (std::vector<std::size_t>{0, 0, 0, 1, 1, 1, 2, 2}))
        << "the second node only when the first is full";
}

TEST(Packing, KeepsAwayFromLatencyWorkAndTellsWhenNothingFits) {
    TwoNodes t;
    t.fill.add(0, latency(0.1));
    EXPECT_EQ(t.fill.pack(batch(1)), 1U);
    EXPECT_EQ(t.fill.pack(batch(3.3)), kNowhere);
    EXPECT_TRUE(t.fill.fits_packed(batch(3.1), 0));
    EXPECT_FALSE(t.fill.fits_packed(batch(3.1), 0, 0.1));
}

TEST(Packing, CountsWhatIsHeldOnTheNodeAsAWhole) {
    TwoNodes t;
    t.fill.add(4, work(6)); // of 8 CPUs; 80 % is 6.4
    EXPECT_EQ(t.fill.pack(batch(1)), 2U);
}

TEST(Spreading, GivesEachDomainOneWhileItCan) {
    TwoNodes t;
    std::vector<std::size_t> where;
    for (int i = 0; i < 4; ++i) {
        where.push_back(t.fill.spread(latency(0.5)));
        t.fill.add(where.back(), latency(0.5));
    }
    EXPECT_EQ(where, (std::vector<std::size_t>{0, 2, 1, 3})) << "nodes in turn";
    EXPECT_EQ(t.fill.spread(latency(0.5)), kNowhere);
}

TEST(Spreading, TakesTheLeastLoadedThatHasRoom) {
    TwoNodes t;
    t.fill.add(0, work(4));
    t.fill.add(1, work(3.8));
    t.fill.add(2, work(3));
    t.fill.add(3, work(2));
    EXPECT_EQ(t.fill.spread(latency(0.5)), 3U);
    EXPECT_EQ(t.fill.spread(latency(2.1)), kNowhere);
}

TEST(OfASingleLevel, TheNodesAreTakenFirst) {
    const auto flat =
        hierarchy_of(test::machine({.nodes = 2, .l3_per_node = 2, .cores_per_l3 = 4}), Level::l3);
    Fill fill(flat, {});
    EXPECT_EQ(fill.spread(latency(1)), 0U);
    fill.add(0, latency(1));
    EXPECT_EQ(fill.spread(latency(1)), 2U);
    EXPECT_EQ(fill.place(work(1)), 2U);
    fill.add(3, batch(1));
    EXPECT_EQ(fill.pack(batch(1)), 3U);
    EXPECT_EQ(fill.place(work(9)), 1U) << "no coarser domain is there to be held on";
}

TEST(WhoLeaves, IsTheSmallestThatIsEnoughOrTheLargest) {
    const std::vector<double> duties{0.2, 1, 0.5, 0.5, 3};
    EXPECT_EQ(choose_to_leave(duties, 0.4), 2U);
    EXPECT_EQ(choose_to_leave(duties, 2), 4U);
    EXPECT_EQ(choose_to_leave(duties, 7), 4U);
    EXPECT_EQ(choose_to_leave(duties, 0), 0U);
}

} // namespace
} // namespace schedd::policies
