// Lives of clusters made from seeds: crashes, pauses, partitions, stepped clocks, clones, keys, loss,
// replays.
#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/sim/peers_trial.h"

namespace schedd::test {
namespace {

void live(std::uint64_t seed, std::size_t nodes) {
    PeersTrial trial(seed, nodes);
    trial.net.trace = std::getenv("SCHEDD_TRACE") != nullptr;
    trial.live();
    EXPECT_EQ(trial.fault(), "") << trial.weather_text() << "\nrepeat it with SCHEDD_SEED=" << seed
                                 << " SCHEDD_NODES=" << nodes
                                 << " build/bin/sim_peers --gtest_filter='ACluster.OfAGivenSeed'";
}

std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
    const auto* text = std::getenv(variable);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(ACluster, OfAGivenSeed) { live(number_in("SCHEDD_SEED", 1), number_in("SCHEDD_NODES", 20)); }

/// Ten minutes each; a block of seeds is a test, so that several run at once.
struct Block {
    std::size_t nodes = 0;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
};
void PrintTo(const Block& block, std::ostream* out) {
    *out << block.nodes << " nodes, seeds from " << block.first;
}
class Clusters : public testing::TestWithParam<Block> {};

TEST_P(Clusters, HoldTheirPromisesForTenMinutes) {
    const auto& block = GetParam();
    for (std::uint64_t seed = block.first; seed < block.first + block.count && !HasFailure(); ++seed)
        live(seed, block.nodes);
}

std::vector<Block> blocks(std::size_t nodes, std::uint64_t count, std::uint64_t each) {
    std::vector<Block> all;
    for (std::uint64_t first = 1; first <= count; first += each) all.push_back({nodes, first, each});
    return all;
}

INSTANTIATE_TEST_SUITE_P(Three, Clusters, testing::ValuesIn(blocks(3, 200, 100)));
INSTANTIATE_TEST_SUITE_P(Twenty, Clusters, testing::ValuesIn(blocks(20, 200, 25)));
// four seconds a seed: SCHEDD_SEEDS=200 plays as many of these as of the others
INSTANTIATE_TEST_SUITE_P(Hundred, Clusters, testing::ValuesIn(blocks(100, number_in("SCHEDD_SEEDS", 60), 5)));

} // namespace
} // namespace schedd::test
