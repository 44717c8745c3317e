// When a pool grows and shrinks: worked examples, and that no steady load makes it do both.
#include <cmath>
#include <gtest/gtest.h>

#include "components/kit/rng.h"
#include "policies/pool_sizes.h"

namespace schedd::policies {
namespace {

using Step = PoolSize::Step;

constexpr SizeRules kRules{.low = 0.4, .high = 0.8, .patience = 3, .calm = 5};

/// Updates until a step, at most `limit`.
int until(PoolSize& size, Step step, double load, int cpus, int limit = 100) {
    for (int i = 1; i <= limit; ++i)
        if (size.update(load, cpus, kRules) == step) return i;
    return 0;
}

TEST(APoolSize, GrowsAfterItsPatienceToWhatTheLeastWanted) {
    PoolSize size;
    EXPECT_EQ(size.update(3.9, 2, kRules), Step::none);
    EXPECT_EQ(size.update(1.7, 2, kRules), Step::none);
    EXPECT_EQ(size.update(9.0, 2, kRules), Step::grow);
    EXPECT_DOUBLE_EQ(size.load(), 1.7);
}

TEST(APoolSize, ShrinksAfterItsCalmToWhatTheLargestWanted) {
    PoolSize size;
    for (const double load : {0.1, 3.1, 0.0, 0.2}) EXPECT_EQ(size.update(load, 8, kRules), Step::none);
    EXPECT_EQ(size.update(0.3, 8, kRules), Step::shrink);
    EXPECT_DOUBLE_EQ(size.load(), 3.1);
}

TEST(APoolSize, StaysAtTheBoundsOfItsRange) {
    PoolSize size;
    EXPECT_EQ(until(size, Step::grow, 1.6, 2), 0);
    EXPECT_EQ(until(size, Step::shrink, 0.8, 2), 0);
}

TEST(APoolSize, IsNotMovedByValuesThatDoNotLast) {
    PoolSize size;
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(size.update(9, 2, kRules), Step::none);
        EXPECT_EQ(size.update(9, 2, kRules), Step::none);
        EXPECT_EQ(size.update(i % 2 ? 1.2 : 0.1, 2, kRules), Step::none);
    }
}

TEST(APoolSize, CountsAnewAfterAStepAndAfterAGap) {
    PoolSize size;
    EXPECT_EQ(until(size, Step::grow, 5, 2), 3);
    EXPECT_EQ(until(size, Step::grow, 5, 2), 3) << "also where nothing could be done";
    EXPECT_EQ(size.update(5, 2, kRules), Step::none);
    size.lose_sight();
    EXPECT_EQ(until(size, Step::grow, 5, 2), 3);
    EXPECT_EQ(size.update(0, 2, kRules), Step::none);
    size.lose_sight();
    EXPECT_EQ(until(size, Step::shrink, 0, 2), 5);
}

TEST(APoolSize, OfAPoolWithoutCpusGrowsForAnyLoadAndIsElseLeftAlone) {
    PoolSize size;
    EXPECT_EQ(until(size, Step::shrink, 0, 0), 0);
    EXPECT_EQ(until(size, Step::grow, 0.01, 0), 3);
}

TEST(APoolSize, WaitsTwiceAsLongAfterAShrinkingThatDidHarmAndForgetsThat) {
    PoolSize size;
    unsigned calm = 5;
    for (int i = 0; i < 6; ++i) {
        EXPECT_EQ(until(size, Step::shrink, 0.1, 4, 1000), static_cast<int>(calm));
        size.shrank();
        EXPECT_EQ(until(size, Step::grow, 4, 2), 3);
        calm = std::min(2 * calm, 40U);
    }
    EXPECT_EQ(size.calm_wanted(kRules), 40U);
    EXPECT_EQ(until(size, Step::shrink, 0.1, 4, 1000), 40);
    size.shrank();
    EXPECT_EQ(until(size, Step::shrink, 0.1, 4, 1000), 6) << "after 5 it is known to have lasted";
    EXPECT_EQ(size.calm_wanted(kRules), 5U);
}

TEST(APoolSize, FollowsRulesThatChangeMeanwhile) {
    PoolSize size;
    EXPECT_EQ(size.update(2, 2, kRules), Step::none);
    EXPECT_EQ(size.update(2, 2, {.low = 0.1, .high = 0.2, .patience = 1, .calm = 1}), Step::grow);
    EXPECT_EQ(size.update(0, 2, {.low = 0, .high = 0.2, .patience = 1, .calm = 1}), Step::none)
        << "0 is never below 0";
}

} // namespace
} // namespace schedd::policies
