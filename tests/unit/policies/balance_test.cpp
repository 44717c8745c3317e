// The arithmetic of balancing: who pushes, who pulls, what is moved, and when nothing is.
#include "policies/balance.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "components/kit/rng.h"

namespace schedd::policies {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Bins of one CPU each on one node, filled with items; each inner list is one bin.
struct Case {
    std::vector<Bin> bins;
    std::vector<Item> items;

    explicit Case(std::vector<std::vector<double>> loads, std::vector<int> cpus = {},
                  std::vector<int> nodes = {}) {
        for (std::size_t b = 0; b < loads.size(); ++b) {
            bins.push_back({0, cpus.empty() ? 1 : cpus[b], nodes.empty() ? 0 : nodes[b]});
            for (const double load : loads[b]) {
                items.push_back({load, b});
                bins[b].load += load;
            }
        }
    }
    std::vector<Transfer> round(Rules rules = {}) {
        auto transfers = balance(bins, items, rules);
        for (const auto& t : transfers) items[t.item].bin = t.to;
        return transfers;
    }
    /// Rounds until one changes nothing; how many changed something.
    int settle(Rules rules = {}) {
        int rounds = 0;
        while (rounds < 1000 && !round(rules).empty()) ++rounds;
        return rounds;
    }
    [[nodiscard]] std::vector<double> loads() const {
        std::vector<double> out;
        for (const auto& bin : bins) out.push_back(bin.load);
        return out;
    }
};

TEST(Gain, IsTwiceTheLoadUpToTheSmallerImbalance) {
    EXPECT_DOUBLE_EQ(gain_of(1, 2, 2), 2);
    EXPECT_DOUBLE_EQ(gain_of(2, 2, 2), 4);
    EXPECT_DOUBLE_EQ(gain_of(3, 2, 2), 2);
    EXPECT_DOUBLE_EQ(gain_of(4, 2, 2), 0);
    EXPECT_DOUBLE_EQ(gain_of(5, 2, 2), -2);
    EXPECT_DOUBLE_EQ(gain_of(2, 1, 3), 2);
}

TEST(ARound, MovesHalfOfTheImbalance) {
    Case c({{1, 1, 1, 1}, {}});
    const auto moved = c.round();
    ASSERT_EQ(moved.size(), 1U);
    EXPECT_EQ(moved[0].item, 0U);
    EXPECT_EQ(moved[0].from, 0U);
    EXPECT_EQ(moved[0].to, 1U);
    EXPECT_FALSE(moved[0].across);
    EXPECT_DOUBLE_EQ(moved[0].average, 2);
    EXPECT_DOUBLE_EQ(moved[0].from_load, 4);
    EXPECT_DOUBLE_EQ(moved[0].to_load, 0);
    EXPECT_THAT(c.loads(), ElementsAre(3, 1));
    EXPECT_EQ(c.round().size(), 1U);
    EXPECT_THAT(c.loads(), ElementsAre(2, 2));
    EXPECT_THAT(c.round(), IsEmpty());
}

TEST(ARound, MovesNothingWhenOneMoreTaskOnlySwapsTheRoles) {
    Case c({{1, 1}, {1}});
    EXPECT_THAT(c.round({.inside = 0, .across = 0, .hysteresis = 0}), IsEmpty());
}

TEST(ARound, MovesNothingFromWithinTheThreshold) {
    // average 10, the first 4 % and 6 % above it
    Case within({{10, 0.2, 0.2}, {9.6}});
    EXPECT_THAT(within.round({.hysteresis = 0}), IsEmpty());
    Case beyond({{10, 0.3, 0.3}, {9.4}});
    EXPECT_EQ(beyond.round({.hysteresis = 0}).size(), 1U);
}

TEST(ARound, MovesToOneFarBelowEvenIfNobodyIsFarAbove) {
    // average 25/13 CPUs; twelve bins are 4 % above, one is half empty
    std::vector<std::vector<double>> loads(12, {1.0, 0.04});
    loads.push_back({0.52});
    Case c(loads);
    EXPECT_FALSE(c.round({.hysteresis = 0}).empty());
}

TEST(ARound, PrefersTheItemNearestToHalfTheImbalance) {
    // imbalance 3 and 3: aims at 1.5; 1.4 gains 2.8, 1.8 gains 3.6
    Case c({{0.3, 1.4, 1.8, 2.5}, {}});
    const auto moved = c.round();
    ASSERT_FALSE(moved.empty());
    EXPECT_EQ(moved[0].item, 2U);
}

TEST(ARound, TakesTheWholeImbalanceWhenHalfOfItGainsTooLittle) {
    // imbalance 0.5: only the 0.5 lowers it by 2 % of the average; dust and the giants do not
    Case c({{0.0001, 0.5, 10}, {9.5}});
    const auto moved = c.round({.inside = 0.02, .across = 0.02, .hysteresis = 0.05});
    ASSERT_EQ(moved.size(), 1U);
    EXPECT_EQ(moved[0].item, 1U);
    EXPECT_THAT(c.loads(), ElementsAre(testing::DoubleNear(10, 1e-3), testing::DoubleNear(10, 1e-3)));
}

TEST(ARound, LeavesWhatGainsLessThanTheHysteresis) {
    const Rules eager{.inside = 0.01, .across = 0.01, .hysteresis = 0.01};
    const Rules lazy{.inside = 0.01, .across = 0.01, .hysteresis = 0.03};
    // moving 0.1 lowers 0.2 + 0.2 by 0.2: that is 2 % of the average 10
    EXPECT_EQ(Case({{10, 0.1, 0.1}, {9.8}}).round(eager).size(), 1U);
    EXPECT_THAT(Case({{10, 0.1, 0.1}, {9.8}}).round(lazy), IsEmpty());
}

TEST(ARound, NeverMovesTheImmovable) {
    Case c({{1, 1, 1, 1}, {}});
    for (auto& item : c.items) item.movable = false;
    EXPECT_THAT(c.round(), IsEmpty());
    c.items[2].movable = true;
    const auto moved = c.round();
    ASSERT_EQ(moved.size(), 1U);
    EXPECT_EQ(moved[0].item, 2U);
}

TEST(ARound, ServesTheMostLoadedAndTheLeastLoadedFirst) {
    Case c({{1, 1, 1}, {1, 1, 1, 1, 1}, {1}, {}});
    const auto moved = c.round();
    ASSERT_FALSE(moved.empty());
    EXPECT_EQ(moved[0].from, 1U);
    EXPECT_EQ(moved[0].to, 3U);
}

TEST(ARound, LooksAtLoadsPerCpuWhenBinsDiffer) {
    // 8 CPUs with 12 tasks are at 1.5, 4 CPUs with 6 too: nothing to do although one holds twice as much
    Case even({std::vector<double>(12, 1.0), std::vector<double>(6, 1.0)}, {8, 4});
    EXPECT_THAT(even.round(), IsEmpty());
    // 2 CPUs with 4 against 6 CPUs with 4: the smaller one is the fuller one
    Case uneven({{1, 1, 1, 1}, {1, 1, 1, 1}}, {2, 6});
    EXPECT_EQ(uneven.settle(), 2);
    EXPECT_THAT(uneven.loads(), ElementsAre(2, 6));
}

TEST(ARound, PassesOverASmallBinThatFitsNothing) {
    // bin 1 is emptier per CPU, but too small for 1.0: 1 CPU, 0.5 below; bin 2 has 8 CPUs and room
    Case c({std::vector<double>(12, 1.0), {0.7}, std::vector<double>(8, 1.0)}, {8, 1, 8});
    const auto moved = c.round({.hysteresis = 0.2});
    ASSERT_FALSE(moved.empty());
    EXPECT_EQ(moved[0].to, 2U);
}

TEST(NodesOfANumaMachine, ExchangeNothingWithinSeventeenPercent) {
    // two nodes of two single-CPU bins, node loads 4.6 and 3.4: 15 % from the average 4
    const std::vector<int> nodes{0, 0, 1, 1};
    Case within({{2.0, 0.3}, {2.0, 0.3}, {1.7}, {1.7}}, {}, nodes);
    EXPECT_THAT(within.round(), IsEmpty());
    // 4.8 and 3.2: 20 %
    Case beyond({{2.0, 0.4}, {2.0, 0.4}, {1.6}, {1.6}}, {}, nodes);
    const auto moved = beyond.round();
    ASSERT_EQ(moved.size(), 1U);
    EXPECT_TRUE(moved[0].across);
    EXPECT_EQ(moved[0].item, 1U);
    EXPECT_EQ(moved[0].to, 2U);
    EXPECT_DOUBLE_EQ(moved[0].from_load, 2.4);
    EXPECT_DOUBLE_EQ(moved[0].to_load, 1.6);
    EXPECT_DOUBLE_EQ(moved[0].average, 2.0);
}

TEST(NodesOfANumaMachine, MoveOneItemForEachPairInARound) {
    Case c({std::vector<double>(8, 1.0), {}}, {4, 4}, {0, 1});
    EXPECT_EQ(c.round().size(), 1U);
    // the same on one node: half of the imbalance of 4 goes at once
    Case one({std::vector<double>(8, 1.0), {}}, {4, 4}, {0, 0});
    EXPECT_EQ(one.round().size(), 2U);
}

TEST(NodesOfANumaMachine, AreBalancedInsideByTheSmallerThreshold) {
    // nodes 2.2 and 1.8 of 2: 10 %, no exchange; inside node 0 1.5 against 0.7
    Case c({{0.75, 0.4, 0.35}, {0.7}, {0.9}, {0.9}}, {}, {0, 0, 1, 1});
    const auto moved = c.round();
    ASSERT_EQ(moved.size(), 1U);
    EXPECT_FALSE(moved[0].across);
    EXPECT_EQ(moved[0].to, 1U);
}

TEST(NodesOfANumaMachine, FillTheLeastLoadedBinOfTheOtherNode) {
    Case c({{1, 1, 1}, {1, 1, 1}, {0.5}, {}}, {}, {0, 0, 1, 1});
    const auto moved = c.round();
    ASSERT_FALSE(moved.empty());
    EXPECT_TRUE(moved[0].across);
    EXPECT_EQ(moved[0].to, 3U);
}

TEST(Balancing, OfNothingMovesNothing) {
    std::vector<Bin> none;
    EXPECT_THAT(balance(none, {}, {}), IsEmpty());
    EXPECT_THAT(Case(std::vector<std::vector<double>>(2)).round(), IsEmpty());
    EXPECT_THAT(Case({{1, 1, 1}}).round(), IsEmpty());
    EXPECT_THAT(Case({{0, 0, 0}, {}}).round(), IsEmpty());
}

/// Any single movable item whose move between an eligible pair of one node would gain enough?
bool some_move_helps(const Case& c, const Rules& rules) {
    double total = 0;
    for (const auto& bin : c.bins) total += bin.load;
    const double average = total / static_cast<double>(c.bins.size());
    for (const auto& item : c.items)
        for (std::size_t to = 0; to < c.bins.size(); ++to) {
            const double push = c.bins[item.bin].load - average;
            const double pull = average - c.bins[to].load;
            if (push <= 1e-6 || pull <= 1e-6 || std::max(push, pull) <= rules.inside * average * (1 + 1e-6))
                continue;
            if (gain_of(item.load, push, pull) > rules.hysteresis * average * (1 + 1e-6)) return true;
        }
    return false;
}

TEST(Balancing, OfAnyLoadsEndsWhereNoSingleMoveHelps) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        kit::Rng rng(seed);
        std::vector<std::vector<double>> loads(2 + rng.below(9));
        for (std::uint64_t n = rng.below(60); n > 0; --n)
            loads[rng.below(loads.size())].push_back(static_cast<double>(1 + rng.below(1500)) / 1000);
        Case c(loads);
        double imbalance = HUGE_VAL;
        for (int rounds = 0;; ++rounds) {
            ASSERT_LT(rounds, 200) << "seed " << seed;
            if (c.round().empty()) break;
            double total = 0;
            double now = 0;
            for (const auto& bin : c.bins) total += bin.load;
            for (const auto& bin : c.bins)
                now += std::abs(bin.load - total / static_cast<double>(c.bins.size()));
            ASSERT_LT(now, imbalance) << "seed " << seed << ": each round must make it better";
            imbalance = now;
        }
        EXPECT_FALSE(some_move_helps(c, {})) << "seed " << seed;
    }
}

TEST(Balancing, KeepsTheSumsOfTheBins) {
    Case c({std::vector<double>(9, 0.7), {0.2}, {1.1, 0.4}, {}}, {2, 1, 4, 1}, {0, 0, 1, 1});
    c.settle();
    std::vector<double> sums(4);
    for (const auto& item : c.items) sums[item.bin] += item.load;
    for (std::size_t b = 0; b < 4; ++b) EXPECT_NEAR(c.bins[b].load, sums[b], 1e-9);
}

TEST(APlacer, FillsTheLeastLoadedLowestFirst) {
    std::vector<Bin> bins{{0.5}, {0}, {0}};
    Placer placer(bins);
    EXPECT_EQ(placer.place(1), 1U);
    EXPECT_EQ(placer.place(1), 2U);
    EXPECT_EQ(placer.place(1), 0U);
    EXPECT_DOUBLE_EQ(bins[0].load, 1.5);
}

TEST(APlacer, CountsTheNewcomerItself) {
    // the small one is empty, but the newcomer would have a whole CPU of the large one nearly alone
    std::vector<Bin> bins{{0, 1}, {0.1, 8}};
    EXPECT_EQ(Placer(bins).place(1), 1U);
}

TEST(APlacer, ChoosesTheNodeBeforeTheBin) {
    std::vector<Bin> bins{{0, 1, 0}, {1, 1, 0}, {0.2, 1, 1}, {0.3, 1, 1}};
    EXPECT_EQ(Placer(bins).place(1), 2U);
    std::vector<Bin> empty{{0, 1, 0}, {0, 1, 0}, {0, 1, 1}, {0, 1, 1}};
    Placer placer(empty);
    EXPECT_EQ(placer.place(1), 0U);
    EXPECT_EQ(placer.place(1), 2U);
    EXPECT_EQ(placer.place(1), 1U);
    EXPECT_EQ(placer.place(1), 3U);
}

} // namespace
} // namespace schedd::policies
