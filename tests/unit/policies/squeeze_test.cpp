// squeeze: when a step is taken, when it is given back, and that neither goes back and forth.
#include <gtest/gtest.h>

#include <vector>

#include "components/kit/rng.h"
#include "policies/squeeze.h"

namespace schedd::policies {
namespace {

using State = Squeeze::State;
using Step = Squeeze::Step;

constexpr SqueezeRules kRules{.bound = 100, .well = 50, .patience = 3, .calm = 10, .step = 1, .most = 7};

/// What is taken away after each of `updates` updates of one value.
std::vector<int> taken_during(Squeeze& squeeze, int updates, double value,
                              const SqueezeRules& rules = kRules) {
    std::vector<int> taken;
    for (int i = 0; i < updates; ++i) {
        squeeze.update(value, rules);
        taken.push_back(squeeze.taken());
    }
    return taken;
}

TEST(ASqueeze, TakesAStepWheneverItsPatienceHasPassed) {
    Squeeze s;
    EXPECT_EQ(taken_during(s, 9, 150), (std::vector{0, 0, 1, 1, 1, 2, 2, 2, 3}));
    EXPECT_EQ(s.state(), State::squeezing);
}

TEST(ASqueeze, GivesAStepBackWheneverTheCalmHasLasted) {
    Squeeze s;
    s.start(2);
    const auto taken = taken_during(s, 25, 20);
    EXPECT_EQ(taken[8], 2);
    EXPECT_EQ(taken[9], 1);
    EXPECT_EQ(taken[18], 1);
    EXPECT_EQ(taken[19], 0);
    EXPECT_EQ(taken[24], 0);
    EXPECT_EQ(s.state(), State::calm);
}

TEST(ASqueeze, SaysWhatItDoes) {
    Squeeze s;
    EXPECT_EQ(s.state(), State::calm);
    taken_during(s, 2, 150);
    EXPECT_EQ(s.state(), State::calm) << "nothing is taken yet";
    taken_during(s, 1, 150);
    EXPECT_EQ(s.state(), State::squeezing);
    taken_during(s, 1, 75);
    EXPECT_EQ(s.state(), State::holding);
    taken_during(s, 1, 10);
    EXPECT_EQ(s.state(), State::releasing);
    s.lose_sight();
    EXPECT_EQ(s.state(), State::blind);
    EXPECT_EQ(s.taken(), 1);
    taken_during(s, 60, 150);
    EXPECT_EQ(s.taken(), 7);
    EXPECT_EQ(s.state(), State::holding) << "there is no more to take";
}

TEST(ASqueeze, TakesTwoStepsWhenAllOfThePatienceWasBeyondTwiceTheBound) {
    Squeeze s;
    taken_during(s, 3, 201);
    EXPECT_EQ(s.taken(), 2);
    s.update(900, kRules);
    s.update(900, kRules);
    s.update(200, kRules); // twice the bound is not beyond it
    EXPECT_EQ(s.taken(), 3);
}

TEST(ASqueeze, CountsNeitherItsBoundNorTheEdgeOfWell) {
    Squeeze s;
    s.start(3);
    taken_during(s, 100, 100);
    taken_during(s, 100, 50);
    EXPECT_EQ(s.taken(), 3);
    EXPECT_EQ(s.state(), State::holding);
}

TEST(ASqueeze, TakesNothingForWhatDoesNotLast) {
    Squeeze s;
    for (int i = 0; i < 300; ++i) {
        s.update(i % 3 == 2 ? 99 : 1000, kRules);
        ASSERT_EQ(s.taken(), 0) << i;
    }
}

TEST(ASqueeze, NeverTakesMoreThanTheMost) {
    Squeeze s;
    SqueezeRules rules = kRules;
    rules.step = 3;
    EXPECT_EQ(taken_during(s, 12, 150, rules), (std::vector{0, 0, 3, 3, 3, 6, 6, 6, 7, 7, 7, 7}));
    rules.most = 0;
    Squeeze none;
    taken_during(none, 100, 1000, rules);
    EXPECT_EQ(none.taken(), 0);
    EXPECT_EQ(none.state(), State::calm);
}

TEST(ASqueeze, StartsCountingAnewAfterAGap) {
    Squeeze s;
    taken_during(s, 2, 150);
    s.lose_sight();
    taken_during(s, 2, 150);
    EXPECT_EQ(s.taken(), 0);
    taken_during(s, 1, 150);
    EXPECT_EQ(s.taken(), 1);
    taken_during(s, 9, 0);
    s.lose_sight();
    taken_during(s, 9, 0);
    EXPECT_EQ(s.taken(), 1);
    taken_during(s, 1, 0);
    EXPECT_EQ(s.taken(), 0);
}

TEST(ASqueeze, OfAValueThatFluttersAroundTheBoundMovesOnceOnly) {
    kit::Rng rng(5);
    Squeeze s;
    int steps = 0;
    for (int i = 0; i < 10'000; ++i) {
        const double value = 90 + static_cast<double>(rng.below(21));
        const Step step = s.update(value, {.bound = 100, .well = 50, .patience = 3, .calm = 10, .most = 1});
        if (step != Step::none) ++steps;
        ASSERT_NE(step, Step::given) << i;
    }
    EXPECT_EQ(steps, 1);
}

/// A pool that does harm as soon as fewer than two are taken away, and none from then on.
int releases_within(int updates) {
    Squeeze s;
    int releases = 0;
    for (int i = 0; i < updates; ++i)
        if (s.update(s.taken() < 2 ? 150 : 20, kRules) == Step::given) ++releases;
    return releases;
}

TEST(ASqueeze, WaitsLongerAfterEachReleaseThatDidHarm) {
    EXPECT_EQ(releases_within(16), 1) << "3 + 3 updates of harm, then 10 of calm";
    EXPECT_EQ(releases_within(16 + 1 + 20), 2) << "one update of harm is enough then";
    EXPECT_EQ(releases_within(16 + 1 + 20 + 1 + 40), 3);
    EXPECT_EQ(releases_within(16 + 1 + 20 + 1 + 40 + 1 + 80), 4);
    EXPECT_EQ(releases_within(16 + 1 + 20 + 1 + 40 + 1 + 80 + 10 * 81), 14) << "8 times is the longest";
}

TEST(ASqueeze, IsQuickAgainOnceAReleaseHasLasted) {
    Squeeze s;
    s.start(2);
    taken_during(s, 10, 20);
    taken_during(s, 3, 150);
    EXPECT_EQ(s.calm_wanted(kRules), 20U);
    taken_during(s, 20, 20);
    EXPECT_EQ(s.taken(), 1);
    taken_during(s, 10, 20);
    EXPECT_EQ(s.taken(), 0) << "it did no harm for 10 updates";
    EXPECT_EQ(s.calm_wanted(kRules), 10U);
}

TEST(ASqueeze, AfterALongCalmIsNotSlowedByANewCrisis) {
    Squeeze s;
    s.start(1);
    taken_during(s, 30, 0);
    taken_during(s, 3, 150);
    EXPECT_EQ(s.calm_wanted(kRules), 10U);
}

TEST(ASqueeze, TakesAtOnceAndOnceOnlyWhatItGaveBackAndDidHarm) {
    Squeeze s;
    s.start(3);
    taken_during(s, 10, 20);
    EXPECT_EQ(s.patience_wanted(kRules), 1U);
    EXPECT_EQ(taken_during(s, 3, 900), (std::vector{3, 3, 3})) << "then its patience is the usual one again";
    EXPECT_EQ(taken_during(s, 1, 900), (std::vector{5}));
}

TEST(ASqueeze, WaitsTheLongestCalmWhileAsMuchIsWanted) {
    SqueezeRules rules = kRules;
    rules.wish = Wish::same;
    Squeeze s;
    s.start(1);
    EXPECT_EQ(taken_during(s, 79, 0, rules).back(), 1);
    EXPECT_EQ(taken_during(s, 1, 0, rules).back(), 0);
}

TEST(ASqueeze, WaitsThePlainCalmWhileLessIsWanted) {
    SqueezeRules rules = kRules;
    Squeeze s;
    s.start(2);
    taken_during(s, 10, 20);
    taken_during(s, 1, 150); // it did harm: the next calm is twice as long
    rules.wish = Wish::same;
    taken_during(s, 30, 0, rules);
    EXPECT_EQ(s.taken(), 2);
    rules.wish = Wish::less;
    EXPECT_EQ(taken_during(s, 1, 0, rules).back(), 1) << "it has been well for long enough";
    EXPECT_EQ(taken_during(s, 9, 0, rules).back(), 1);
    EXPECT_EQ(taken_during(s, 1, 0, rules).back(), 0);
}

TEST(ALimit, GivesBackWhatIsBeyondIt) {
    Squeeze s;
    s.start(5);
    EXPECT_FALSE(s.limit(5));
    EXPECT_TRUE(s.limit(2));
    EXPECT_EQ(s.taken(), 2);
    EXPECT_TRUE(s.limit(0));
    EXPECT_EQ(s.state(), State::calm);
}

TEST(ASqueeze, StaysWithinItsLimitsWhateverComes) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        kit::Rng rng(seed);
        Squeeze s;
        for (int i = 0; i < 2000; ++i) {
            const SqueezeRules rules{.bound = 100,
                                     .well = static_cast<double>(rng.below(100)),
                                     .patience = 1 + static_cast<unsigned>(rng.below(5)),
                                     .calm = 1 + static_cast<unsigned>(rng.below(5)),
                                     .step = 1 + static_cast<int>(rng.below(4)),
                                     .most = 9};
            const int before = s.taken();
            if (rng.below(20) == 0) s.lose_sight();
            const Step step = s.update(static_cast<double>(rng.below(1001)), rules);
            ASSERT_GE(s.taken(), 0);
            ASSERT_LE(s.taken(), 9);
            ASSERT_LE(std::abs(s.taken() - before), 2 * rules.step);
            ASSERT_EQ(step == Step::taken, s.taken() > before) << "seed " << seed << " update " << i;
            ASSERT_EQ(step == Step::given, s.taken() < before) << "seed " << seed << " update " << i;
        }
    }
}

} // namespace
} // namespace schedd::policies
