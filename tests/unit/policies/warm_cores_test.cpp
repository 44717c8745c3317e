// warm_cores: promotion, decay, reserve and impatience, each by worked numbers, then random ones.
#include <gtest/gtest.h>

#include <algorithm>

#include "components/kit/rng.h"
#include "policies/warm_cores.h"

namespace schedd::policies {
namespace {

using namespace std::chrono_literals;
using Strain = WarmCores::Strain;

constexpr WarmRules kRules{.decay = 10s, .impatience = 1s, .floor = 1, .most = 16, .reserve = 3};

/// A nest of so many cores, updated once a second.
struct WarmCoresOfANest : testing::Test {
    WarmRules rules = kRules;
    WarmCores cores;
    Time now = 100s;

    void begin(int primary) { cores.start(primary, now); }
    void value(int needed, Strain strain = Strain::none) {
        now += 1s;
        cores.update(now, needed, strain, rules);
    }
    void values(int count, int needed, Strain strain = Strain::none) {
        for (int i = 0; i < count; ++i) value(needed, strain);
    }
    /// Only time passes.
    void wait(Duration time) {
        now += time;
        cores.pass(now, rules);
    }
    [[nodiscard]] std::pair<int, int> size() const { return {cores.primary(), cores.reserve()}; }
};
using Size = std::pair<int, int>; // primary, reserve

TEST_F(WarmCoresOfANest, KeepsACoreUntilItHasNotBeenNeededForDecay) {
    begin(4);
    values(9, 2);
    EXPECT_EQ(size(), Size(4, 0));
    EXPECT_EQ(cores.next_due(rules), 110s) << "counted from the start, when all were in use";
    value(4);
    values(9, 2);
    EXPECT_EQ(size(), Size(4, 0)) << "they were used meanwhile";
    value(2);
    EXPECT_EQ(size(), Size(2, 2));
}

TEST_F(WarmCoresOfANest, LetsACoreOfTheReserveGoAfterAnotherDecay) {
    begin(4);
    values(10, 2);
    value(2);
    ASSERT_EQ(size(), Size(2, 2));
    wait(8s);
    EXPECT_EQ(size(), Size(2, 2));
    wait(2s);
    EXPECT_EQ(size(), Size(2, 0));
    EXPECT_EQ(cores.next_due(rules), kNever);
}

TEST_F(WarmCoresOfANest, CoolsWithoutNewValuesWhatTheLastOneDidNotNeed) {
    begin(4);
    value(3);
    wait(1h);
    EXPECT_EQ(size(), Size(3, 1)) << "what it needed counts as in use";
    wait(1h);
    EXPECT_EQ(size(), Size(3, 0));
}

TEST_F(WarmCoresOfANest, TakesNoMoreIntoTheReserveThanThereIsRoom) {
    begin(12);
    values(11, 2);
    EXPECT_EQ(size(), Size(2, 3));
}

TEST_F(WarmCoresOfANest, PromotesTheReserveAtOnce) {
    begin(4);
    values(11, 2);
    ASSERT_EQ(size(), Size(2, 2));
    value(3);
    EXPECT_EQ(size(), Size(3, 1));
    value(4);
    EXPECT_EQ(size(), Size(4, 0));
    EXPECT_FALSE(cores.is_short());
}

TEST_F(WarmCoresOfANest, WarmsColdCoresUpInTheReserveFirst) {
    rules.impatience = 60s;
    begin(2);
    value(4);
    EXPECT_EQ(size(), Size(2, 2));
    EXPECT_TRUE(cores.is_short());
    value(4);
    EXPECT_EQ(size(), Size(4, 0)) << "needed again";
    EXPECT_FALSE(cores.is_short());
    value(16);
    EXPECT_EQ(size(), Size(4, 3)) << "no more at a time than the reserve has room for";
    value(16);
    EXPECT_EQ(size(), Size(7, 3));
}

TEST_F(WarmCoresOfANest, ForgetsAColdCoreThatWasNeededOnce) {
    rules.impatience = 60s;
    begin(2);
    value(3);
    ASSERT_EQ(size(), Size(2, 1));
    values(9, 2);
    EXPECT_EQ(size(), Size(2, 1));
    value(2);
    EXPECT_EQ(size(), Size(2, 0)) << "it never was primary";
}

TEST_F(WarmCoresOfANest, WidensToAllThatIsNeededWhenItHasBeenShortForImpatience) {
    begin(2);
    value(16);
    EXPECT_EQ(size(), Size(2, 3));
    EXPECT_EQ(cores.next_due(rules), now + 1s);
    wait(1s);
    EXPECT_EQ(size(), Size(16, 0));
    EXPECT_EQ(cores.grown_at(), now);
}

TEST_F(WarmCoresOfANest, WidensAtOnceWithoutImpatience) {
    rules.impatience = {};
    begin(2);
    value(9);
    EXPECT_EQ(size(), Size(9, 0));
}

TEST_F(WarmCoresOfANest, StartsImpatienceAnewWhenItWasNotShortInBetween) {
    rules.impatience = 3s;
    rules.reserve = 0;
    begin(2);
    values(3, 5);
    value(2);
    values(3, 5);
    EXPECT_EQ(size(), Size(2, 0));
    value(5);
    EXPECT_EQ(size(), Size(5, 0));
}

TEST_F(WarmCoresOfANest, DoublesWhenWorkWaitsThoughByItsLoadItNeedNot) {
    begin(3);
    value(2, Strain::much);
    EXPECT_EQ(size(), Size(3, 0));
    value(2, Strain::much);
    EXPECT_EQ(size(), Size(6, 0));
    value(2, Strain::none);
    value(2, Strain::much);
    EXPECT_EQ(size(), Size(6, 0));
    value(2, Strain::much);
    EXPECT_EQ(size(), Size(12, 0));
    values(2, 2, Strain::much);
    EXPECT_EQ(size(), Size(16, 0));
    values(5, 2, Strain::much);
    EXPECT_FALSE(cores.is_short()) << "there is nothing left to widen to";
    EXPECT_EQ(cores.next_due(rules), kNever);
}

TEST_F(WarmCoresOfANest, GivesNothingUpWhileWorkWaitsSome) {
    begin(5);
    values(100, 1, Strain::some);
    EXPECT_EQ(size(), Size(5, 0));
    values(9, 1);
    EXPECT_EQ(size(), Size(5, 0));
    value(1);
    EXPECT_EQ(size(), Size(1, 3));
}

TEST_F(WarmCoresOfANest, WaitsLongerForTheNextCoreWhenOneWasMissed) {
    begin(4);
    for (int times = 1; times <= 8; times *= 2) {
        int seconds = 1;
        for (value(3); cores.primary() == 4 && seconds < 1000; ++seconds) value(3);
        EXPECT_EQ(seconds, times == 1 ? 10 : 10 * times) << times;
        value(4);
        ASSERT_EQ(size(), Size(4, 0)) << "missed at once";
    }
    values(79, 3);
    EXPECT_EQ(size(), Size(4, 0)) << "no more than eight times";
    value(3);
    ASSERT_EQ(size(), Size(3, 1));
    values(11, 3);
    EXPECT_EQ(size(), Size(3, 0)) << "not missed";
    values(2, 4);
    ASSERT_EQ(size(), Size(4, 0));
    values(10, 3);
    EXPECT_EQ(size(), Size(3, 1)) << "as at the beginning";
}

TEST_F(WarmCoresOfANest, DoesNotAgeWithoutSight) {
    begin(4);
    values(9, 2);
    cores.lose_sight();
    wait(1h);
    EXPECT_EQ(size(), Size(4, 0));
    EXPECT_EQ(cores.next_due(rules), kNever);
    value(2);
    EXPECT_EQ(size(), Size(4, 0)) << "nobody knows what was used meanwhile";
    values(10, 2);
    EXPECT_EQ(size(), Size(2, 2));
}

TEST_F(WarmCoresOfANest, IsNotImpatientWithoutSight) {
    begin(2);
    value(9);
    cores.lose_sight();
    wait(1h);
    EXPECT_EQ(cores.primary(), 2);
}

TEST_F(WarmCoresOfANest, NeverFallsBelowItsFloor) {
    rules.floor = 3;
    begin(5);
    values(30, 0);
    EXPECT_EQ(size(), Size(3, 0));
    rules.floor = 6;
    wait(1s);
    EXPECT_EQ(size(), Size(6, 0));
}

TEST_F(WarmCoresOfANest, KeepsItsSizeAsFarAsThereAreCores) {
    begin(8);
    rules.most = 12;
    wait(0s);
    EXPECT_EQ(size(), Size(8, 0));
    rules.most = 16;
    wait(0s);
    EXPECT_EQ(size(), Size(8, 0)) << "cores that come are cold";
    rules.most = 5;
    wait(0s);
    EXPECT_EQ(size(), Size(5, 0));
    rules.most = rules.floor = 0;
    value(7);
    EXPECT_EQ(size(), Size(0, 0)) << "no core at all";
}

TEST_F(WarmCoresOfANest, HasAllCoresThatComeIfItHadAllBefore) {
    begin(16);
    rules.most = 5;
    value(5);
    EXPECT_EQ(size(), Size(5, 0));
    rules.most = 16;
    wait(0s);
    EXPECT_EQ(size(), Size(16, 0)) << "who was held back by nothing still is not";
    values(10, 5);
    EXPECT_EQ(size(), Size(5, 3));
}

TEST_F(WarmCoresOfANest, GivesUpAReserveForWhichThereIsNoRoomAnyMore) {
    begin(8);
    values(11, 2);
    ASSERT_EQ(size(), Size(2, 3));
    rules.reserve = 1;
    wait(0s);
    EXPECT_EQ(size(), Size(2, 1));
}

TEST_F(WarmCoresOfANest, WithoutDecayHasWhatIsNeededNow) {
    rules.decay = rules.impatience = {};
    begin(16);
    for (const int needed : {3, 9, 1, 16, 5}) {
        value(needed);
        EXPECT_EQ(size(), Size(needed, 0));
        EXPECT_EQ(cores.next_due(rules), kNever);
    }
}

TEST_F(WarmCoresOfANest, KeepsItsPromisesForAnyValues) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        kit::Rng rng(seed);
        const auto upto = [&](std::uint64_t most) { return static_cast<int>(rng.below(most + 1)); };
        rules = {.decay = 1s * upto(10),
                 .impatience = 1s * upto(4),
                 .floor = upto(3),
                 .most = 3 + upto(20),
                 .reserve = upto(6)};
        begin(upto(static_cast<std::uint64_t>(rules.most)));
        int needed = 0;
        int short_seconds = 0;
        for (int i = 0; i < 200; ++i) {
            if (rng.below(4) == 0) needed = upto(30);
            if (rng.below(40) == 0) rules.most = 3 + upto(20);
            value(needed, static_cast<Strain>(rng.below(8) == 0 ? rng.below(3) : 0));
            ASSERT_GE(cores.primary(), rules.floor) << "seed " << seed;
            ASSERT_LE(cores.warm(), rules.most) << "seed " << seed;
            ASSERT_LE(cores.reserve(), rules.reserve) << "seed " << seed;
            ASSERT_GT(cores.next_due(rules), now) << "seed " << seed << ": it would be asked for ever";
            short_seconds = cores.primary() < std::min(needed, rules.most) ? short_seconds + 1 : 0;
            ASSERT_LE(1s * short_seconds, rules.impatience + 1s) << "seed " << seed;
            auto same = cores;
            same.pass(now, rules);
            ASSERT_EQ(same.primary(), cores.primary()) << "seed " << seed << ": nothing has happened since";
            ASSERT_EQ(same.warm(), cores.warm()) << "seed " << seed;
        }
        needed = upto(static_cast<std::uint64_t>(rules.most));
        values(200, needed);
        EXPECT_EQ(size(), Size(std::max(needed, rules.floor), 0)) << "seed " << seed << ": a steady load";
    }
}

} // namespace
} // namespace schedd::policies
