// Random histories on a few stores with random deliveries: what must hold of all of them.
#include <algorithm>

#include <gmock/gmock.h>

#include "components/kit/rng.h"
#include "components/membership/journal_text.h"
#include "tests/unit/membership/store_world.h"

namespace schedd::membership {
namespace {

/// Up to five stores that write at random, and transactions on their way to each.
struct History {
    explicit History(std::uint64_t seed) : rng(seed) {
        const auto count = 2 + rng.below(4);
        for (std::uint64_t i = 0; i < count; ++i) sites.push_back(std::make_unique<Site>(i + 1));
        on_the_way.resize(sites.size());
    }

    std::string path() {
        static const std::vector<std::string> kPaths{"a",  "a#x", "a/b", "a/b#x", "a/b/c", "a/b/c#source",
                                                     "ab", "a-b", "a.b", "d",     "d#x"};
        return kPaths[rng.below(kPaths.size())];
    }

    void write(std::size_t who) {
        auto& site = *sites[who];
        site.wall.now += rng.below(3000);
        if (rng.below(20) == 0) site.wall.now -= rng.below(20'000); // a step back
        std::vector<Write> changes;
        for (auto i = 1 + rng.below(3); i > 0; --i) {
            if (rng.below(3) == 0) changes.push_back(gone(path()));
            else changes.push_back(set(path(), std::to_string(rng.below(4))));
        }
        const auto before = site.store.latest();
        const auto written = site.store.write(changes);
        if (!written) return; // its clock is behind
        if (!written->empty()) {
            ASSERT_GT((*written)[0].stamp, before);
            transactions.push_back(*written);
            for (std::size_t i = 0; i < sites.size(); ++i)
                if (i != who && rng.below(4) != 0) on_the_way[i].push_back(transactions.size() - 1);
        }
    }

    void deliver(std::size_t who) {
        auto& queue = on_the_way[who];
        if (queue.empty()) return;
        const auto at = static_cast<std::ptrdiff_t>(rng.below(queue.size()));
        auto entries = transactions[queue[static_cast<std::size_t>(at)]];
        if (rng.below(4) != 0) queue.erase(queue.begin() + at); // else it comes twice
        for (auto i = entries.size(); i > 1; --i) std::swap(entries[i - 1], entries[rng.below(i)]);
        const auto before = sites[who]->store.latest();
        sites[who]->take(entries);
        ASSERT_GE(sites[who]->store.latest(), before);
    }

    void play(int steps) {
        for (int i = 0; i < steps; ++i) {
            const auto who = rng.below(sites.size());
            if (rng.below(2) == 0) write(who);
            else deliver(who);
            if (rng.below(30) == 0) exchange(*sites[who], *sites[rng.below(sites.size())]);
        }
    }

    /// All clocks come together, and everybody gets all that was ever written, in an order of its own.
    void settle() {
        std::uint64_t latest = 0;
        for (const auto& site : sites) latest = std::max(latest, site->wall.now);
        for (const auto& site : sites) {
            site->wall.now = latest + 60'000;
            (void)site->store.release_quarantined();
            std::vector<std::size_t> order;
            for (std::size_t i = 0; i < transactions.size(); ++i) order.push_back(i);
            for (auto i = order.size(); i > 1; --i) std::swap(order[i - 1], order[rng.below(i)]);
            for (const auto i : order) site->take(transactions[i]);
        }
    }

    /// The rules once more, by looking through all entries ever written.
    [[nodiscard]] std::set<std::string> reference() const {
        std::vector<const Entry*> all;
        for (const auto& transaction : transactions)
            for (const auto& entry : transaction) all.push_back(&entry);
        const auto rank = [](const Entry& e) { return std::pair(e.stamp, e.writer); };
        const auto is_at_or_below = [](const std::string& p, const std::string& top) {
            return p == top || p.starts_with(top + "/") || p.starts_with(top + "#");
        };
        const auto is_dead = [&](const Entry& e) {
            return std::ranges::any_of(all, [&](const Entry* t) {
                const bool covers = t->is_tombstone && is_at_or_below(e.path, t->path);
                const bool replaces = t->is_tombstone == e.is_tombstone && t->path == e.path;
                return (covers || replaces) && rank(*t) > rank(e);
            });
        };
        std::set<std::string> out;
        for (const auto* e : all) {
            if (e->is_tombstone || is_dead(*e)) continue;
            const bool is_orphan = std::ranges::any_of(all, [&](const Entry* t) {
                return t->is_tombstone && !is_dead(*t) && t->path != e->path &&
                       is_at_or_below(e->path, t->path) && std::ranges::none_of(all, [&](const Entry* made) {
                           return !made->is_tombstone && made->path == t->path && !is_dead(*made);
                       });
            });
            if (!is_orphan) out.insert(e->path + "=" + e->value);
        }
        return out;
    }

    Rng rng;
    std::vector<std::unique_ptr<Site>> sites;
    std::vector<std::vector<Entry>> transactions;
    std::vector<std::vector<std::size_t>> on_the_way;
};

TEST(AnyHistory, EndsInTheSameStoreEverywhereAndIsWhatTheRulesSay) {
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
        History history(seed);
        history.play(120);
        history.settle();
        const auto expected = history.reference();
        for (const auto& site : history.sites) {
            ASSERT_EQ(site->store.digest(), history.sites[0]->store.digest()) << "seed " << seed;
            ASSERT_EQ(site->effective(), expected) << "seed " << seed;
            ASSERT_FALSE(site->trouble) << "seed " << seed;
        }
    }
}

TEST(AnyHistory, IsTheSameByWholeStoresAsByTransactions) {
    for (std::uint64_t seed = 1; seed <= 80; ++seed) {
        History history(seed);
        history.play(100);
        std::uint64_t latest = 0;
        for (const auto& site : history.sites) latest = std::max(latest, site->wall.now);
        for (const auto& site : history.sites) {
            site->wall.now = latest + 60'000;
            (void)site->store.release_quarantined();
        }
        for (int round = 0; round < 2; ++round)
            for (std::size_t i = 1; i < history.sites.size(); ++i)
                exchange(*history.sites[0], *history.sites[i]);
        for (const auto& site : history.sites) {
            ASSERT_EQ(site->store.digest(), history.sites[0]->store.digest()) << "seed " << seed;
            ASSERT_EQ(site->effective(), history.reference()) << "seed " << seed;
        }
    }
}

TEST(AnyHistory, NeverShowsHalfATransaction) {
    // each transaction writes the same number to three paths, so that they are always equal
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        Rng rng(seed);
        std::vector<std::unique_ptr<Site>> sites;
        for (std::uint64_t i = 0; i < 3; ++i) sites.push_back(std::make_unique<Site>(i + 1));
        std::vector<std::vector<Entry>> sent;
        for (int step = 0; step < 60; ++step) {
            auto& site = *sites[rng.below(3)];
            site.wall.now += rng.below(50);
            const auto number = std::to_string(step);
            if (rng.below(2) == 0)
                sent.push_back(site.write({set("a", number), set("b", number), set("c", number)}));
            else if (!sent.empty()) site.take(sent[rng.below(sent.size())]);
            else exchange(site, *sites[rng.below(3)]);
            for (const auto& one : sites) {
                const auto* a = one->store.find("a");
                if (!a) continue;
                ASSERT_EQ(one->store.find("b")->value, a->value) << seed;
                ASSERT_EQ(one->store.find("c")->value, a->value) << seed;
            }
        }
    }
}

TEST(AnyHistory, ComesBackFromItsFiles) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        History history(seed);
        history.play(60);
        auto& site = *history.sites[0];
        const auto snapshot = journal_text::snapshot(site.store, site.hash);
        Octets log = journal_text::log_header();
        history.settle();
        std::vector<std::shared_ptr<const Entry>> all;
        for (const auto& transaction : history.transactions)
            for (const auto& entry : transaction) all.push_back(std::make_shared<const Entry>(entry));
        const auto record = journal_text::record(all, site.store.marks(), site.wall.now, site.hash);
        log.insert(log.end(), record.begin(), record.end());
        Site after(1);
        const auto loaded = journal_text::load(snapshot, log, after.store, after.hash);
        ASSERT_TRUE(loaded.complaints.empty()) << seed;
        ASSERT_EQ(after.store.digest(), site.store.digest()) << seed;
        ASSERT_EQ(after.store.marks(), site.store.marks()) << seed;
        const auto next = after.write({set("new", "1")});
        ASSERT_GT(next.empty() ? Hlc{~0ULL} : next[0].stamp, site.store.latest()) << seed;
    }
}

TEST(AnyHistory, CountsItsBytesAndDigestsAsIfMadeAnew) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        History history(seed);
        history.play(100);
        for (const auto& site : history.sites) {
            Site copy(9);
            copy.wall.now = site->wall.now + 100'000;
            copy.take(site->all());
            ASSERT_EQ(copy.store.digest(), site->store.digest()) << seed;
            ASSERT_EQ(copy.store.bytes(), site->store.bytes()) << seed;
            ASSERT_EQ(copy.store.size(), site->store.size()) << seed;
        }
    }
}

} // namespace
} // namespace schedd::membership
