// core_demand: loads fill cores in their order, packed ones all threads, the others one.
#include <gtest/gtest.h>

#include <vector>

#include "policies/core_demand.h"

namespace schedd::policies {
namespace {

const std::vector<int> kPairs(8, 2); // eight cores of two threads

TEST(ACoreDemand, PackedFillsEveryThread) {
    EXPECT_EQ(cores_filled_by({.packed = 0.3}, kPairs), 1);
    EXPECT_EQ(cores_filled_by({.packed = 2}, kPairs), 1);
    EXPECT_EQ(cores_filled_by({.packed = 4}, kPairs), 2);
    EXPECT_EQ(cores_filled_by({.packed = 4.5}, kPairs), 3);
}

TEST(ACoreDemand, ApartFillsOneThreadOfEachCore) {
    EXPECT_EQ(cores_filled_by({.apart = 1}, kPairs), 1);
    EXPECT_EQ(cores_filled_by({.apart = 2}, kPairs), 2);
    EXPECT_EQ(cores_filled_by({.apart = 2.5}, kPairs), 3);
}

TEST(ACoreDemand, ApartTakesTheShareThatPackedLeaves) {
    EXPECT_EQ(cores_filled_by({.packed = 1, .apart = 0.4}, kPairs), 1) << "half of the core is left";
    EXPECT_EQ(cores_filled_by({.packed = 1, .apart = 0.6}, kPairs), 2);
    EXPECT_EQ(cores_filled_by({.packed = 2, .apart = 1}, kPairs), 2);
}

TEST(ACoreDemand, OfNothingFillsNothing) {
    EXPECT_EQ(cores_filled_by({}, kPairs), 0);
    EXPECT_EQ(cores_filled_by({.packed = 0.04}, kPairs), 0);
}

TEST(ACoreDemand, IsNotWorthACoreForATwentiethOfACpu) {
    EXPECT_EQ(cores_filled_by({.packed = 4.04}, kPairs), 2);
    EXPECT_EQ(cores_filled_by({.apart = 2.04}, kPairs), 2);
    EXPECT_EQ(cores_filled_by({.packed = 4.06}, kPairs), 3);
}

TEST(ACoreDemand, BeyondTheMachineFillsAllOfIt) {
    EXPECT_EQ(cores_filled_by({.packed = 1e9, .apart = 1e9}, kPairs), 8);
    EXPECT_EQ(cores_filled_by({.packed = 3}, {}), 0);
}

TEST(ACoreDemand, CopesWithCoresOfSeveralSizes) {
    const std::vector<int> mixed = {2, 1, 1, 4};
    EXPECT_EQ(cores_filled_by({.packed = 4}, mixed), 3);
    EXPECT_EQ(cores_filled_by({.packed = 4, .apart = 1}, mixed), 4);
    EXPECT_EQ(cores_filled_by({.apart = 3}, mixed), 3);
}

TEST(ACoreDemand, NeverShrinksWhenALoadGrows) {
    for (int packed = 0; packed <= 80; ++packed)
        for (int apart = 0; apart <= 80; ++apart) {
            const CoreDemand demand{.packed = packed / 5.0, .apart = apart / 5.0};
            const int cores = cores_filled_by(demand, kPairs);
            EXPECT_LE(cores, cores_filled_by({demand.packed + 0.2, demand.apart}, kPairs));
            EXPECT_LE(cores, cores_filled_by({demand.packed, demand.apart + 0.2}, kPairs));
        }
}

} // namespace
} // namespace schedd::policies
