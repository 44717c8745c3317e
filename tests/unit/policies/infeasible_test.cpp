// Infeasible weights against the published check values and their defining property.
#include "policies/infeasible.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "components/kit/rng.h"

namespace schedd::policies {
namespace {

std::vector<Ask> light_and_one_heavy(int light, double heavy) {
    std::vector<Ask> asks(static_cast<std::size_t>(light), Ask{1, 1});
    asks.push_back({heavy, 1});
    return asks;
}

double total_at(const std::vector<Ask>& asks, double lambda) {
    return std::accumulate(asks.begin(), asks.end(), 0.0, [&](double sum, const Ask& ask) {
        return sum + std::min(ask.weight, lambda) * ask.duty;
    });
}

TEST(AnInfeasibleWeight, IsCutToTheShareOfOneCpuOnThirtyTwo) {
    const auto asks = light_and_one_heavy(64, 10000);
    const double lambda = largest_feasible_weight(asks, 32);
    EXPECT_DOUBLE_EQ(lambda, 64.0 / 31);
    EXPECT_DOUBLE_EQ(total_at(asks, lambda), 66.06451612903226);
}

TEST(AnInfeasibleWeight, IsCutToTheShareOfOneCpuOnFour) {
    const auto asks = light_and_one_heavy(7, 10000);
    const double lambda = largest_feasible_weight(asks, 4);
    EXPECT_DOUBLE_EQ(lambda, 7.0 / 3);
    // the heavy one gets exactly one CPU
    EXPECT_DOUBLE_EQ(4 * lambda / total_at(asks, lambda), 1.0);
}

TEST(AnInfeasibleWeight, DoesNotDependOnTheOrder) {
    auto asks = light_and_one_heavy(7, 10000);
    std::ranges::rotate(asks, asks.end() - 3);
    EXPECT_DOUBLE_EQ(largest_feasible_weight(asks, 4), 7.0 / 3);
}

TEST(FeasibleWeights, AreNotCut) {
    const std::vector<Ask> asks{{100, 1}, {200, 1}, {100, 1}, {100, 1}};
    EXPECT_GE(largest_feasible_weight(asks, 2), 200);
}

TEST(FeasibleWeights, IncludeThoseOfAGroupThatCanUseManyCpus) {
    // 8 threads at weight 10000 can use nearly all of 4 CPUs: their weight is worth what it says
    const std::vector<Ask> asks{{10000, 8}, {1, 1}, {1, 1}};
    EXPECT_GE(largest_feasible_weight(asks, 4), 10000);
}

TEST(SeveralInfeasibleWeights, AreCutToTheSameOne) {
    // two of them use a CPU each, eight of weight 1 share the other two: 8 / 2
    std::vector<Ask> asks(8, Ask{1, 1});
    asks.push_back({5000, 1});
    asks.push_back({10000, 1});
    EXPECT_DOUBLE_EQ(largest_feasible_weight(asks, 4), 4.0);
}

TEST(Weights, AllCountAsTheSmallestWhenNobodyCompetes) {
    EXPECT_DOUBLE_EQ(largest_feasible_weight(std::vector<Ask>{{300, 0.5}, {100, 0.25}}, 4), 100);
    EXPECT_DOUBLE_EQ(largest_feasible_weight(std::vector<Ask>{{300, 2}, {100, 2}}, 4), 100);
    EXPECT_DOUBLE_EQ(largest_feasible_weight(std::vector<Ask>{{300, 1}}, 4), 300);
}

TEST(Weights, OfWhoWantsNothingDoNotMatter) {
    auto asks = light_and_one_heavy(7, 10000);
    asks.push_back({9999, 0});
    EXPECT_DOUBLE_EQ(largest_feasible_weight(asks, 4), 7.0 / 3);
    EXPECT_EQ(largest_feasible_weight(std::vector<Ask>{{100, 0}}, 4), 0);
    EXPECT_EQ(largest_feasible_weight({}, 4), 0);
}

TEST(TheLargestFeasibleWeight, GivesNobodyMoreThanHeCanUse) {
    kit::Rng rng(7);
    for (int round = 0; round < 500; ++round) {
        const double cpus = 1 + static_cast<double>(rng.below(64));
        std::vector<Ask> asks;
        double wanted = 0;
        while (wanted < cpus + 1) {
            asks.push_back(
                {1 + static_cast<double>(rng.below(10000)), static_cast<double>(1 + rng.below(2000)) / 1000});
            wanted += asks.back().duty;
        }
        const double lambda = largest_feasible_weight(asks, cpus);
        const double total = total_at(asks, lambda);
        ASSERT_GT(lambda, 0) << "round " << round;
        // shares per wanted CPU are at most one, and exactly one for those that were cut
        for (const Ask& ask : asks) {
            const double share = cpus * std::min(ask.weight, lambda) / total;
            ASSERT_LE(share, 1 + 1e-9) << "round " << round;
            if (ask.weight > lambda) { ASSERT_NEAR(share, 1, 1e-9) << "round " << round; }
        }
    }
}

} // namespace
} // namespace schedd::policies
