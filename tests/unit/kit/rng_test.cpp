// Rng: the published sequence of SplitMix64, and that a seed repeats its run.
#include "components/kit/rng.h"

#include <array>

#include <gtest/gtest.h>

namespace schedd::kit {
namespace {

TEST(AnRng, GivesThePublishedSequence) {
    // first outputs for seed 1234567 of the reference implementation (prng.di.unimi.it/splitmix64.c)
    Rng rng(1234567);
    for (const std::uint64_t expected :
         {6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL, 4593380528125082431ULL,
          16408922859458223821ULL})
        EXPECT_EQ(rng.next(), expected);
}
TEST(AnRng, RepeatsItselfForTheSameSeedOnly) {
    Rng a(42);
    Rng b(42);
    Rng c(43);
    const auto first = a.next();
    EXPECT_EQ(first, b.next());
    EXPECT_NE(first, c.next());
}
TEST(AnRng, StaysBelowItsBoundAndReachesAllOfIt) {
    Rng rng(7);
    std::array<int, 5> seen{};
    for (int i = 0; i < 1000; ++i) ++seen.at(rng.below(5));
    for (const int count : seen) EXPECT_GT(count, 100);
    EXPECT_EQ(rng.below(1), 0U);
}

} // namespace
} // namespace schedd::kit
