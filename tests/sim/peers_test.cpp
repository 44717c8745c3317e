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

/// Restarts become another version, this way and back, while all else happens too.
TEST(ACluster, OfTwoMinorVersionsHoldsItsPromises) {
    for (std::uint64_t seed = 1; seed <= 10 && !HasFailure(); ++seed) {
        PeersTrial trial(seed, 20);
        trial.troubles.upgrades = true;
        trial.live();
        EXPECT_EQ(trial.fault(), "") << "seed " << seed << ", " << trial.weather_text();
    }
}

/// Each tells each: of any two one has the other in its configuration, which is what it takes.
TEST(ACluster, WithoutAGroupHoldsItsPromises) {
    constexpr std::size_t kNodes = 20;
    for (std::uint64_t seed = 1; seed <= 10 && !HasFailure(); ++seed) {
        PeersTrial trial(seed, kNodes);
        trial.net.settle = [&](NodeSettings& settings) {
            settings.uses_group = false;
            const auto self = trial.net.of(settings.uid)->index;
            for (std::size_t i = 0; i < self; ++i) settings.peers.push_back(PeersNet::address_of(i));
        };
        trial.most_in_peace = kNodes + 5;
        // nobody has the address of a copy, which therefore never hears of the machine that it is one of
        trial.troubles.clones = false;
        trial.live();
        EXPECT_EQ(trial.fault(), "") << "seed " << seed << ", " << trial.weather_text();
    }
}

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
// three seconds a seed, and many times that beside builds and guests
INSTANTIATE_TEST_SUITE_P(Hundred, Clusters, testing::ValuesIn(blocks(100, 200, 1)));

} // namespace
} // namespace schedd::test
