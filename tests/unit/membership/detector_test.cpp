// Silence and its verdicts, and the guards, one rule at a time.
#include "components/membership/detector.h"

#include <gtest/gtest.h>

#include "components/membership/bucket.h"

namespace schedd::membership::detector {

using namespace std::chrono_literals;

namespace {

Silence after(Duration silence, bool is_held = false, bool was_asked = true,
              Duration vouched = Duration::max()) {
    return judge(
        {.silence = silence, .vouched = vouched, .period = 1s, .is_held = is_held, .was_asked = was_asked});
}

TEST(Silences, AreJudgedAtTheirThresholdsAndNotBefore) {
    EXPECT_EQ(after(2499ms), Silence::none);
    EXPECT_EQ(after(2500ms), Silence::late);
    EXPECT_EQ(after(3499ms), Silence::late);
    EXPECT_EQ(after(3500ms), Silence::suspect);
    EXPECT_EQ(after(5499ms), Silence::suspect);
    EXPECT_EQ(after(5500ms), Silence::dead);
}

TEST(Silences, AreCountedInTheSendersOwnPeriods) {
    EXPECT_EQ(judge({.silence = 5s, .vouched = 9s, .period = 2s, .was_asked = true}), Silence::late);
    EXPECT_EQ(judge({.silence = 700ms, .vouched = 9s, .period = 200ms, .was_asked = true}), Silence::suspect);
}

TEST(APeer, IsNotDeadWhileTooManyAreLateBeforeThirtySeconds) {
    EXPECT_EQ(after(6s, true), Silence::suspect);
    EXPECT_EQ(after(29999ms, true), Silence::suspect);
    EXPECT_EQ(after(30s, true), Silence::dead);
}

TEST(APeer, IsNotDeadWhileAnotherSaysThatItAnswers) {
    EXPECT_EQ(after(20s, false, true, 5499ms), Silence::suspect);
    EXPECT_EQ(after(20s, false, true, 5500ms), Silence::dead);
}

TEST(APeer, IsNotDeadBeforeItWasAsked) {
    EXPECT_EQ(after(10s, false, false), Silence::suspect);
    EXPECT_EQ(after(30s, false, false), Silence::dead);
}

TEST(TheNextLook, IsWhenTheVerdictMayBeAnother) {
    EXPECT_EQ(until_next({.silence = 1s, .vouched = 1s, .period = 1s}), 1500ms);
    EXPECT_EQ(until_next({.silence = 3s, .vouched = 3s, .period = 1s}), 500ms);
    EXPECT_EQ(until_next({.silence = 4s, .vouched = 4s, .period = 1s}), 1500ms);
    EXPECT_EQ(until_next({.silence = 4s, .vouched = 4s, .period = 1s, .is_held = true}), 26s);
    EXPECT_EQ(until_next({.silence = 9s, .vouched = 9s, .period = 1s, .was_asked = true}), Duration::max());
}

TEST(Isolation, NeedsTwoAndAQuarter) {
    EXPECT_FALSE(is_isolated(1, 2));
    EXPECT_TRUE(is_isolated(2, 2));
    EXPECT_TRUE(is_isolated(2, 8));
    EXPECT_FALSE(is_isolated(2, 9));
    EXPECT_FALSE(is_isolated(249, 999));
    EXPECT_TRUE(is_isolated(250, 999));
}

TEST(Periods, StretchBeyondAThousandNodesAndAreAnnouncedInTenths) {
    EXPECT_EQ(stretched(1s, 1000), 1s);
    EXPECT_EQ(stretched(1s, 1500), 1500ms);
    EXPECT_EQ(stretched(1s, 2048), 2048ms);
    EXPECT_EQ(tenths_of(2048ms), 21);
    EXPECT_EQ(tenths_of(1s), 10);
    EXPECT_EQ(tenths_of(0s), 1);
    EXPECT_EQ(tenths_of(1h), 255);
}

TEST(OwnLag, IsWhatALateTurnOfTheLoopMissed) {
    Lag lag;
    EXPECT_EQ(lag.notice(10s, 10s, 0s, 1s), 0s);
    EXPECT_EQ(lag.notice(11400ms, 11s, 0s, 1s), 0s) << "less than half a period";
    EXPECT_EQ(lag.notice(15s, 12s, 0s, 1s), 3s);
    EXPECT_EQ(lag.notice(99s, kit::kNever, 0s, 1s), 0s) << "nothing was due";
}

TEST(OwnLag, CountsTheTimeThatTheMachineWasSuspended) {
    Lag lag;
    EXPECT_EQ(lag.notice(10s, 10s, 1h, 1s), 0s) << "before this program began";
    EXPECT_EQ(lag.notice(11s, 11s, 1h + 20s, 1s), 20s);
    EXPECT_EQ(lag.notice(12s, 12s, 1h + 20s, 1s), 0s) << "once";
}

TEST(ADeafNode, JoinsItsGroupsAnewAfterTenPeriodsAndThenEverMoreRarely) {
    Deaf deaf;
    EXPECT_FALSE(deaf.is_due(109s, 100s, 1s));
    EXPECT_TRUE(deaf.is_due(110s, 100s, 1s));
    EXPECT_FALSE(deaf.is_due(129s, 100s, 1s));
    EXPECT_TRUE(deaf.is_due(130s, 100s, 1s));
    EXPECT_FALSE(deaf.is_due(169s, 100s, 1s));
    EXPECT_TRUE(deaf.is_due(170s, 100s, 1s));
    EXPECT_FALSE(deaf.is_due(209s, 200s, 1s)) << "it has heard somebody meanwhile";
    EXPECT_TRUE(deaf.is_due(210s, 200s, 1s));
}

TEST(ABucket, LetsSoManyThroughAtOnceAndThenOneEach) {
    Bucket bucket;
    int passed = 0;
    for (int i = 0; i < 20; ++i) passed += bucket.take(100s, 200ms, 5) ? 1 : 0;
    EXPECT_EQ(passed, 5);
    EXPECT_TRUE(bucket.is_empty(100s, 200ms, 5));
    EXPECT_FALSE(bucket.take(100199ms, 200ms, 5));
    EXPECT_TRUE(bucket.take(100200ms, 200ms, 5));
    for (Time at = 200s; at < 210s; at += 10ms) passed += bucket.take(at, 200ms, 5) ? 1 : 0;
    EXPECT_EQ(passed, 5 + 5 + 49);
}

} // namespace
} // namespace schedd::membership::detector
