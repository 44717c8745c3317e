// Policies of several nodes against those of one: slowdowns of random scenarios, and herds after stale
// values. SCHEDD_SCENARIOS=3000 for the full figures; they are printed.
#include <algorithm>
#include <cstdlib>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/sim/cluster.h"

namespace schedd::test {
namespace {

std::uint64_t setting(const char* variable, std::uint64_t otherwise) {
    const auto* text = std::getenv(variable);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

double between(kit::Rng& rng, double least, double most) {
    return least + (most - least) * static_cast<double>(rng.below(1'000'000)) / 1e6;
}

TEST(AJobOnACluster, RunsAsLongAsItsWorkWhereItIsAlone) {
    SimCluster cluster({1, 0.5}, {}, 1);
    const auto result =
        cluster.run({{.arrives = 0.5, .work = 4, .home = 0}, {.arrives = 1, .work = 3, .home = 1}});
    EXPECT_NEAR(result.response, (4 + 6) / 2.0, 1e-6);
    EXPECT_NEAR(result.slowdown, (1 + 2) / 2.0, 1e-6);
}
TEST(AJobOnACluster, SharesItsNodeAndIsMovedFromIt) {
    const std::vector<ClusterJob> two{{.work = 20, .home = 0}, {.work = 20, .home = 0}};
    SimCluster still({1, 1}, {}, 1);
    EXPECT_NEAR(still.run(two).response, 40, 1e-6);
    SimCluster balanced({1, 1}, {.balances = true}, 1);
    const auto result = balanced.run(two);
    EXPECT_EQ(result.moves, 0.5);
    EXPECT_LT(result.response, 24) << "the third update, at 3 s, moves one";
}
TEST(AJobOnACluster, ComesOutTheSameForTheSameSeed) {
    kit::Rng rng(7);
    const std::vector<double> speeds{1, 0.6, 0.8};
    const auto jobs = jobs_of({.seconds = 120}, speeds, rng);
    const ClusterRules rules{.placing = Placing::clone, .balances = true};
    EXPECT_EQ(SimCluster(speeds, rules, 3).run(jobs).slowdown,
              SimCluster(speeds, rules, 3).run(jobs).slowdown);
}

/// Amir, Awerbuch, Barak, Borgstrom, Keren: An Opportunity Cost Approach for Job Assignment in a Scalable
/// Computing Cluster, IEEE TPDS 11(7), 2000: 3,000 random scenarios of six machines; MOSIX 1.00, static
/// greedy 1.14, round robin 1.68.
TEST(AThousandScenarios, AreServedBestByMovingThenByPlacingWellThenInTurn) {
    const auto scenarios = setting("SCHEDD_SCENARIOS", 12);
    const std::pair<const char*, ClusterRules> all[] = {
        {"greedy and mosix", {.placing = Placing::greedy, .balances = true}},
        {"legacy: round robin and mosix", {.placing = Placing::round_robin, .balances = true}},
        {"remote_clone_LB and mosix", {.placing = Placing::clone, .balances = true}},
        {"the same, choices 0", {.placing = Placing::clone, .balances = true, .choices = 0}},
        {"static greedy", {.placing = Placing::greedy}},
        {"remote_clone_LB alone", {.placing = Placing::clone}},
        {"round robin", {.placing = Placing::round_robin}},
        {"no placing, mosix", {.balances = true}},
        {"nothing", {}},
    };
    std::map<std::string, ClusterResult> sums;
    for (std::uint64_t seed = 1; seed <= scenarios; ++seed) {
        kit::Rng rng(seed);
        std::vector<double> speeds{1};
        for (int i = 1; i < 6; ++i) speeds.push_back(between(rng, 0.3, 1));
        const auto jobs = jobs_of({.wanted = between(rng, 0.7, 1.3)}, speeds, rng);
        for (const auto& [name, rules] : all) {
            const auto result = SimCluster(speeds, rules, seed).run(jobs);
            sums[name].slowdown += result.slowdown / static_cast<double>(scenarios);
            sums[name].moves += result.moves / static_cast<double>(scenarios);
        }
    }
    const double mosix = sums["greedy and mosix"].slowdown;
    for (const auto& [name, rules] : all)
        fmt::print("{:30} slowdown {:6.2f}  ratio {:.2f}  moves for each job {:.2f}\n", name,
                   sums[name].slowdown, sums[name].slowdown / mosix, sums[name].moves);
    EXPECT_LT(mosix, sums["static greedy"].slowdown);
    EXPECT_LT(sums["static greedy"].slowdown, sums["round robin"].slowdown);
    EXPECT_LT(sums["legacy: round robin and mosix"].slowdown, sums["round robin"].slowdown);
    EXPECT_LT(sums["remote_clone_LB and mosix"].slowdown, sums["remote_clone_LB alone"].slowdown);
    EXPECT_LT(sums["no placing, mosix"].slowdown, sums["nothing"].slowdown);
}

/// Mitzenmacher: How Useful Is Old Information?, IEEE TPDS 11(1), 2000: the best of all is worse than chance
/// when values are old, the better of two is not.
TEST(AHerd, OfNewWorkIsNeverWorseThanChanceWhateverTheAgeOfValues) {
    const auto runs = std::max<std::uint64_t>(setting("SCHEDD_SCENARIOS", 12) / 10, 2);
    constexpr double kLength = 10; // of a job, s
    const std::vector<double> speeds(10, 1.0);
    for (const double age : {0.1, 0.5, 1.0, 2.0, 5.0}) {
        std::map<std::string, double> response;
        for (std::uint64_t seed = 1; seed <= runs; ++seed) {
            kit::Rng rng(seed);
            const auto jobs = jobs_of({.wanted = 0.85, .seconds = 2000, .mean = kLength}, speeds, rng);
            const std::pair<const char*, ClusterRules> all[] = {
                {"chance", {.placing = Placing::random}},
                {"two", {.placing = Placing::clone, .tell_period = age * kLength}},
                {"all", {.placing = Placing::clone, .choices = 0, .tell_period = age * kLength}},
            };
            for (const auto& [name, rules] : all)
                response[name] +=
                    SimCluster(speeds, rules, seed).run(jobs).response / kLength / static_cast<double>(runs);
        }
        fmt::
            print("values told every {:3} job lengths: response {:.2f} job lengths by two choices, {:.2f} by "
                  "all, {:.2f} by chance\n",
                  age, response["two"], response["all"], response["chance"]);
        EXPECT_LE(response["two"], response["chance"]) << age;
    }
}

} // namespace
} // namespace schedd::test
