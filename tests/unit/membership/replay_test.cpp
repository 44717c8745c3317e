// The replay window in order, out of order and at random, and which life of a peer is believed.
#include "components/membership/replay.h"

#include <algorithm>
#include <set>
#include <vector>

#include <gmock/gmock.h>

#include "components/kit/rng.h"

namespace schedd::test {
namespace {

using namespace membership;
using Verdict = Life::Verdict;

TEST(AReplayWindow, TakesEachNumberOnce) {
    ReplayWindow window;
    EXPECT_FALSE(window.is_new(0)) << "numbers begin at 1";
    for (std::uint64_t seq = 1; seq < 500; ++seq) {
        ASSERT_TRUE(window.is_new(seq));
        window.take(seq);
        ASSERT_FALSE(window.is_new(seq));
        ASSERT_EQ(window.mark(), seq);
    }
}

TEST(AReplayWindow, LooksBack63Numbers) {
    ReplayWindow window;
    window.take(100);
    EXPECT_TRUE(window.is_new(37));
    EXPECT_FALSE(window.is_new(36));
    window.take(37);
    EXPECT_FALSE(window.is_new(37));
    EXPECT_TRUE(window.is_new(38));
    EXPECT_EQ(window.mark(), 100U);
}

TEST(AReplayWindow, IsEmptyAfterAJumpAndKeepsToItsEnds) {
    ReplayWindow window;
    window.take(5);
    window.take(5 + 64);
    EXPECT_FALSE(window.is_new(5));
    EXPECT_TRUE(window.is_new(6));
    window.take(~std::uint64_t{0});
    EXPECT_FALSE(window.is_new(~std::uint64_t{0}));
    EXPECT_TRUE(window.is_new(~std::uint64_t{0} - 63));
    EXPECT_FALSE(window.is_new(~std::uint64_t{0} - 64));
    EXPECT_FALSE(window.is_new(1));
}

TEST(AReplayWindow, ShiftedBy63KeepsWhatItHasSeen) {
    ReplayWindow window;
    window.take(1);
    window.take(64);
    EXPECT_FALSE(window.is_new(1));
    EXPECT_TRUE(window.is_new(2));
}

TEST(AReplayWindow, FromMemoryTakesNothingUpToItsMark) {
    const ReplayWindow window(1000);
    for (std::uint64_t seq = 0; seq <= 1000; ++seq) ASSERT_FALSE(window.is_new(seq)) << seq;
    EXPECT_TRUE(window.is_new(1001));
}

TEST(AReplayWindow, InAnyOrderTakesWhatASetOfThemWould) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Rng rng(seed);
        // sent in order, each late by up to some 100 places, each third twice, some lost
        std::vector<std::pair<std::uint64_t, std::uint64_t>> arrivals;
        for (std::uint64_t seq = 1; seq <= 400; ++seq)
            for (std::uint64_t copies = rng.below(3); copies > 0; --copies)
                arrivals.emplace_back(seq + rng.below(100), seq);
        std::ranges::sort(arrivals);
        ReplayWindow window;
        std::set<std::uint64_t> seen;
        std::uint64_t mark = 0;
        for (const auto& [at, seq] : arrivals) {
            const bool expected = !seen.contains(seq) && seq + 64 > mark;
            ASSERT_EQ(window.is_new(seq), expected) << "seed " << seed << ", " << seq << " after " << mark;
            if (!expected) continue;
            window.take(seq);
            seen.insert(seq);
            mark = std::max(mark, seq);
            ASSERT_EQ(window.mark(), mark);
        }
        ASSERT_GT(seen.size(), 100U);
    }
}

TEST(ALife, JudgesByCounterAndRandomBits) {
    const Life life({5, 77}, 10);
    EXPECT_EQ(life.judge({5, 77}, 11), Verdict::fresh);
    EXPECT_EQ(life.judge({5, 77}, 10), Verdict::replayed);
    EXPECT_EQ(life.judge({6, 1}, 1), Verdict::reborn);
    EXPECT_EQ(life.judge({4, 99}, 1000), Verdict::earlier);
    EXPECT_EQ(life.judge({5, 78}, 1000), Verdict::other);
}

TEST(ALife, BeginsAnewWithALaterOne) {
    Life life({5, 77}, 1000);
    life.take({6, 1}, 3);
    EXPECT_EQ(life.boot(), (Boot{6, 1}));
    EXPECT_EQ(life.mark(), 3U);
    EXPECT_EQ(life.judge({6, 1}, 3), Verdict::replayed);
    EXPECT_EQ(life.judge({6, 1}, 2), Verdict::replayed) << "it came before the life was known";
    EXPECT_EQ(life.judge({6, 1}, 4), Verdict::fresh);
    EXPECT_EQ(life.judge({5, 77}, 1001), Verdict::earlier);
}

TEST(ALife, OnceAnsweredMayHaveAnEarlierCounter) {
    Life life({5, 77}, 1000);
    life.take({1, 3}, 1);
    EXPECT_EQ(life.judge({1, 3}, 2), Verdict::fresh);
    EXPECT_EQ(life.judge({5, 77}, 1001), Verdict::reborn) << "for the caller: two that take turns are clones";
}

} // namespace
} // namespace schedd::test
