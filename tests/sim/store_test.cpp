// Whole lives of clusters of replicas: after a quiet time all have the same; and how fast that is.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <gmock/gmock.h>

#include "components/membership/entries.h"
#include "tests/sim/store_world.h"

namespace schedd::membership::sim {
namespace {

/// Writes, removals, restarts, partitions, steps of clocks, by chance; checks what must hold on the way.
struct Life {
    Life(std::size_t count, std::uint64_t seed, double loss)
        : cluster(count, seed, loss), rng(seed * 77 + 1) {
        cluster.on_changed = [this](Node& node) { check_whole(node); };
        cluster.on_tick = [this](Node& node) {
            auto& before = stamps[node.index];
            if (before.first == node.life && node.store->latest() < before.second) went_back = true;
            before = {node.life, node.store->latest()};
        };
        for (std::size_t i = 0; i < count; ++i)
            if (i == 0 || rng.below(4) != 0) cluster.start(i); // the others come later
    }

    /// Each transaction gives one number to all attributes of its group.
    void check_whole(const Node& node) {
        for (int group = 0; group < 4; ++group) {
            const auto top = "groups/" + std::to_string(group);
            const auto* a = node.store->find(top + "#a");
            const auto* b = node.store->find(top + "#b");
            const auto* c = node.store->find(top + "#c");
            const bool is_whole =
                (!a && !b && !c) || (a && b && c && a->value == b->value && a->value == c->value);
            if (!is_whole) halves.push_back(top);
        }
    }

    void write() {
        const auto who = rng.below(cluster.nodes.size());
        const auto kind = rng.below(10);
        if (kind < 5) {
            const auto top = "groups/" + std::to_string(rng.below(4));
            const auto number = std::to_string(++counter);
            (void)cluster.write(who,
                                {set(top + "#a", number), set(top + "#b", number), set(top + "#c", number)});
        } else if (kind < 8 || made.empty()) {
            const auto name = "objects/" + std::to_string(++counter);
            std::string value(1 + rng.below(rng.below(8) == 0 ? 3000 : 100), 'x');
            if (cluster.write(who, {set(name, "t"), set(name + "#v", std::move(value))}))
                made.push_back(name);
        } else {
            const auto at = rng.below(made.size());
            const auto* here = cluster.is_up(who) ? cluster.nodes[who]->store->find(made[at]) : nullptr;
            if (!here || here->is_tombstone) return; // unknown there: nobody would remove it
            if (!cluster.write(who, {gone(made[at])})) return;
            removed.push_back(made[at]);
            made.erase(made.begin() + static_cast<std::ptrdiff_t>(at));
        }
    }

    void disturb() {
        const auto who = rng.below(cluster.nodes.size());
        auto& node = *cluster.nodes[who];
        const auto kind = rng.below(10);
        if (kind < 4) {
            if (!cluster.is_up(who)) return cluster.start(who);
            const bool is_wiped = rng.below(5) == 0 && others_have_all(who);
            const bool is_torn = !is_wiped && rng.below(8) == 0 && others_have_all(who);
            cluster.stop(who);
            if (is_wiped) node.disk.wipe();
            if (is_torn) node.disk.tear(rng);
        } else if (kind < 6) {
            cluster.split([&](std::size_t) { return static_cast<int>(rng.below(2)); });
        } else if (kind < 8) {
            cluster.heal();
        } else if (kind == 8) {
            node.wall.offset_ms = static_cast<std::int64_t>(rng.below(40'000)) - 20'000;
        } else {
            node.wall.offset_ms = rng.below(2) == 0 ? 0 : 86'400'000; // a day ahead: it may not write
        }
    }

    /// Whether nothing is lost with this node's disk.
    [[nodiscard]] bool others_have_all(std::size_t who) const {
        return std::ranges::any_of(cluster.nodes, [&](const auto& other) {
            return other->index != who && cluster.is_up(other->index) &&
                   other->store->digest() == cluster.nodes[who]->store->digest();
        });
    }

    void play(Duration time) {
        for (Duration passed{}; passed < time; passed += 500ms) {
            if (rng.below(4) == 0) write();
            if (rng.below(16) == 0) disturb();
            cluster.run(500ms);
        }
    }

    void quieten() {
        cluster.heal();
        cluster.loss = 0.01;
        for (const auto& node : cluster.nodes) {
            node->wall.offset_ms = static_cast<std::int64_t>(rng.below(100));
            cluster.start(node->index);
        }
    }

    Cluster cluster;
    Rng rng;
    int counter = 0;
    std::vector<std::string> made;
    std::vector<std::string> removed;
    std::vector<std::string> halves;
    std::map<std::size_t, std::pair<std::uint64_t, Hlc>> stamps;
    bool went_back = false;
};

void live(std::size_t count, std::uint64_t seed, Duration time) {
    SCOPED_TRACE("SCHEDD_SEED=" + std::to_string(seed) + " with " + std::to_string(count) + " nodes");
    Life life(count, seed, static_cast<double>(seed % 3) * 0.05);
    life.play(time);
    life.quieten();
    const auto took = life.cluster.until_equal(60s);
    ASSERT_NE(took, kNever) << "the digests differ";
    life.cluster.run(5s);
    ASSERT_TRUE(life.cluster.are_equal());
    EXPECT_FALSE(life.went_back);
    EXPECT_THAT(life.halves, testing::IsEmpty());
    for (const auto& node : life.cluster.nodes) {
        EXPECT_TRUE(node->replica->is_complete());
        for (const auto& name : life.removed) {
            const auto* entry = node->store->find(name);
            ASSERT_TRUE(!entry || entry->is_tombstone) << name << " has come back on " << node->index;
        }
    }
}

std::uint64_t seeds_or(std::uint64_t count) {
    const char* given = std::getenv("SCHEDD_SEEDS");
    return given ? std::strtoull(given, nullptr, 10) : count;
}

TEST(AClusterOfReplicas, OfThreeEndsEqual) {
    for (std::uint64_t seed = 1; seed <= seeds_or(60); ++seed) live(3, seed, 600s);
}
TEST(AClusterOfReplicas, OfTwentyEndsEqual) {
    for (std::uint64_t seed = 1; seed <= seeds_or(12); ++seed) live(20, seed, 600s);
}
TEST(AClusterOfReplicas, OfAHundredEndsEqual) {
    for (std::uint64_t seed = 1; seed <= seeds_or(2); ++seed) live(100, seed, 300s);
}
TEST(AClusterOfReplicas, WithTheSeedAskedFor) {
    const char* seed = std::getenv("SCHEDD_SEED");
    if (!seed) GTEST_SKIP() << "SCHEDD_SEED is not set";
    for (const std::size_t count : {3U, 20U, 100U}) live(count, std::strtoull(seed, nullptr, 10), 600s);
}

/// Of a sorted list, in milliseconds.
double percentile(std::vector<Duration>& times, double share) {
    std::ranges::sort(times);
    const auto at = static_cast<std::size_t>(share * static_cast<double>(times.size() - 1));
    return static_cast<double>(times[at].count()) / 1e6;
}

/// How long a small change takes to each of the others.
std::pair<double, double> spread_times(std::size_t count, double loss, int changes) {
    Cluster cluster(count, 5, 0);
    for (std::size_t i = 0; i < count; ++i) cluster.start(i);
    cluster.run(6s);
    cluster.loss = loss;
    std::vector<Duration> times;
    Time written{};
    cluster.on_changed = [&](Node&) { times.push_back(cluster.clock.now() - written); };
    for (int i = 0; i < changes; ++i) {
        written = cluster.clock.now();
        EXPECT_TRUE(cluster.write(cluster.rng.below(count), {set("p#x", std::to_string(i))}));
        cluster.run(1300ms);
        const auto took = cluster.until_equal(10s);
        EXPECT_NE(took, kNever);
    }
    EXPECT_EQ(times.size(), (count - 1) * static_cast<std::size_t>(changes)) << "each node was told once";
    return {percentile(times, 0.5), percentile(times, 0.99)};
}

TEST(AChange, IsOnAllNodesInTime) {
    for (const auto& [count, changes] : {std::pair(std::size_t{10}, 100), std::pair(std::size_t{100}, 20)})
        for (const double loss : {0.0, 0.01, 0.1}) {
            const auto [half, most] = spread_times(count, loss, changes);
            std::printf("change on all of %zu, %.0f %% loss: p50 %.1f ms, p99 %.1f ms\n", count, 100 * loss,
                        half, most);
            EXPECT_LE(half, 20);
            EXPECT_LE(most, loss < 0.05 ? 300 : 1500);
        }
}

TEST(AChange, IsOnAThousandNodesInTime) {
    for (const double loss : {0.01, 0.1}) {
        const auto [half, most] = spread_times(1000, loss, 1);
        std::printf("change on all of 1000, %.0f %% loss: p50 %.1f ms, p99 %.1f ms\n", 100 * loss, half,
                    most);
        EXPECT_LE(half, 20);
        EXPECT_LE(most, loss < 0.05 ? 300 : 1500);
    }
}

TEST(ALargeChange, IsFetchedByAHundredInTime) {
    Cluster cluster(100, 6, 0.01);
    for (std::size_t i = 0; i < 100; ++i) cluster.start(i);
    cluster.run(6s);
    std::vector<Duration> times;
    for (int i = 0; i < 5; ++i) {
        cluster.connections = 0;
        EXPECT_TRUE(cluster.write(7, {set("big", std::string(60'000, static_cast<char>('a' + i)))}));
        times.push_back(cluster.until_equal(30s));
        cluster.run(5s);
    }
    std::printf("60 kB on all of 100: p50 %.0f ms, max %.0f ms, %zu connections for the last\n",
                percentile(times, 0.5), percentile(times, 1), cluster.connections);
    EXPECT_LE(times.back(), 3s) << "never more than that when connected";
    EXPECT_LE(cluster.connections, 1000U) << "each asks a few times, not all of them";
}

TEST(ALateJoiner, HasAMebibyteInTimeAmongAThousand) {
    Cluster cluster(4, 3, 0.01);
    for (std::size_t i = 0; i < 3; ++i) cluster.start(i);
    cluster.run(6s);
    std::vector<Write> many;
    for (int i = 0; i < 4000; ++i) many.push_back(set("p/" + std::to_string(i), std::string(240, 'x')));
    ASSERT_TRUE(cluster.write(0, many));
    ASSERT_NE(cluster.until_equal(10s), kNever);
    ASSERT_GT(cluster.nodes[0]->store->bytes(), 1U << 20U);
    cluster.shadows = 996;
    cluster.stop(0);
    cluster.start(0);
    cluster.run(10s);
    std::vector<Duration> times;
    for (int i = 0; i < 10; ++i) {
        const auto start = cluster.clock.now();
        cluster.start(3);
        cluster.run(3s);
        ASSERT_NE(cluster.nodes[3]->complete_at, kNever);
        times.push_back(cluster.nodes[3]->complete_at - start);
        cluster.stop(3);
        cluster.nodes[3]->disk.wipe();
        cluster.run(7s);
    }
    std::printf("join among 1000 with 1 MiB: p50 %.0f ms, max %.0f ms\n", percentile(times, 0.5),
                percentile(times, 1));
    EXPECT_LE(times.back(), 1500ms);
}

TEST(ACluster, ThatStartsAllAtOnceIsCompleteInTime) {
    Cluster cluster(200, 4, 0.01);
    for (std::size_t i = 0; i < 200; ++i) cluster.start(i);
    cluster.run(15s);
    Time last{};
    for (const auto& node : cluster.nodes) {
        ASSERT_TRUE(node->replica->is_complete());
        last = std::max(last, node->complete_at);
    }
    std::printf("200 empty nodes at once: the last complete after %.1f s\n",
                static_cast<double>((last - 1h).count()) / 1e9);
}

TEST(APartition, IsHealedWithinThreeSeconds) {
    for (const std::size_t count : {10U, 100U}) {
        std::vector<Duration> times;
        for (std::uint64_t seed = 1; seed <= 5; ++seed) {
            Cluster cluster(count, seed, 0.01);
            for (std::size_t i = 0; i < count; ++i) cluster.start(i);
            cluster.run(6s);
            cluster.split([](std::size_t i) { return static_cast<int>(i % 2); });
            for (int i = 0; i < 20; ++i) {
                EXPECT_TRUE(cluster.write(0, {set("a" + std::to_string(i), std::string(200, 'x'))}));
                EXPECT_TRUE(cluster.write(1, {set("b" + std::to_string(i), std::string(200, 'y'))}));
                cluster.run(500ms);
            }
            cluster.heal();
            times.push_back(cluster.until_equal(30s));
        }
        std::printf("heal of %zu: p50 %.0f ms, max %.0f ms\n", count, percentile(times, 0.5),
                    percentile(times, 1));
        EXPECT_LE(times.back(), 3s);
    }
}

/// Who has read a newer one's entries hands them on to the last byte, over restarts too.
TEST(AnEntryOfALaterVersion, IsOnAllAsItWasWritten) {
    Cluster cluster(4, 11, 0.01);
    for (std::size_t i = 0; i < 3; ++i) cluster.start(i);
    cluster.run(6s);
    Entry later{.path = "later#x", .value = "v"};
    later.stamp = Hlc::of(cluster.nodes[0]->wall.wall_ms(), 7);
    later.writer = cluster.nodes[0]->uid;
    later.needs = 999;
    later.flags = 0x50;
    later.extension = std::string("only\0known\xff", 11) + "to it";
    auto bytes = std::make_shared<Octets>();
    entries::encode(later, *bytes);
    cluster.tell_delta(0, cluster.nodes[0]->life, bytes);
    ASSERT_NE(cluster.until_equal(10s), kNever) << "the one that had not heard it has asked";
    cluster.start(3);
    cluster.stop(1);
    cluster.start(1);
    cluster.run(8s);
    EXPECT_TRUE(cluster.are_equal());
    for (const auto& node : cluster.nodes) {
        const auto* entry = node->store->find("later#x");
        ASSERT_NE(entry, nullptr);
        EXPECT_EQ(*entry, later);
    }
}

TEST(AStaleRejoiner, TakesTheClustersAndBringsNothingBack) {
    Cluster cluster(4, 9, 0);
    for (std::size_t i = 0; i < 4; ++i) cluster.start(i);
    cluster.run(6s);
    ASSERT_TRUE(cluster.write(0, {set("old", "t"), set("old#x", "1"), set("stays", "t")}));
    ASSERT_NE(cluster.until_equal(5s), kNever);
    cluster.stop(3);
    cluster.run(10s);
    ASSERT_TRUE(cluster.write(1, {gone("old")}));
    ASSERT_TRUE(cluster.write(1, {set("new", "t")}));
    cluster.skip_hours(24 * 9);
    ASSERT_EQ(cluster.nodes[0]->store->find("old"), nullptr) << "the removal is forgotten";
    cluster.start(3);
    ASSERT_NE(cluster.nodes[3]->store->find("old"), nullptr) << "it still has it on its disk";
    cluster.run(8s);
    EXPECT_TRUE(cluster.are_equal());
    for (const auto& node : cluster.nodes) {
        EXPECT_EQ(node->store->find("old"), nullptr);
        EXPECT_NE(node->store->find("stays"), nullptr);
        EXPECT_NE(node->store->find("new"), nullptr);
    }
    EXPECT_EQ(cluster.nodes[3]->disk.aside, 1);
    EXPECT_EQ(cluster.nodes[0]->disk.aside, 0);
}

} // namespace
} // namespace schedd::membership::sim
