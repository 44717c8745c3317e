// pools through long random lives on random machines, its promises checked after every event.
#include <set>

#include <gtest/gtest.h>

#include "components/kit/rng.h"
#include "policies/pool_spec.h"
#include "tests/unit/policies/pooled.h"

namespace schedd::policies {
namespace {

using namespace schedd::test;

class Life {
public:
    explicit Life(std::uint64_t seed) : rng_(seed), it_(random_machine()) {}

    void run(int events) {
        for (int i = 0; i < events && !testing::Test::HasFatalFailure(); ++i) check(happen());
    }
    /// All that was decided: equal for equal seeds.
    std::string journal;

private:
    int below(int bound) { return static_cast<int>(rng_.below(static_cast<std::uint64_t>(bound))); }

    Topology random_machine() {
        const auto shapes = all_shapes();
        if (below(2))
            return shapes[static_cast<std::size_t>(below(static_cast<int>(shapes.size()) - 1))].topology;
        auto topology = machine({.nodes = 1 + below(3),
                                 .l3_per_node = 1 + below(3),
                                 .cores_per_l3 = 1 + below(4),
                                 .threads_per_core = 1 + below(3)});
        for (auto& cpu : topology.cpus)
            if (below(12) == 0) topology.allowed.remove(cpu.id);
        if (topology.usable().empty()) topology.allowed = topology.online;
        return topology;
    }
    /// Pools a to d in any order, each for the units of its letter; what is left of them may be by class.
    std::string random_text() {
        const char* levels[] = {"core", "l3", "numa", "machine"};
        std::string letters = "abcd";
        std::string text;
        while (!letters.empty() && below(6) > 0) {
            const auto at = static_cast<std::size_t>(below(static_cast<int>(letters.size())));
            const auto* level = levels[below(4)];
            const int least = below(level == levels[0] ? 2 : 5);
            text += fmt::format("{}: min={} level={} share={} match=unit:{}* ", letters[at], least, level,
                                below(2) ? "idle" : "none", letters[at]);
            if (level != levels[0] && below(2)) text += fmt::format("max={} ", std::max(1, least) + below(6));
            if (below(4) == 0) text += "class=batch,normal ";
            text += ';';
            letters.erase(at, 1);
        }
        if (below(3) == 0) text += "rest: min=0 class=batch";
        return text;
    }
    std::string happen() {
        const auto name = fmt::format("{}{}", "abcde"[below(5)], below(4));
        const bool is_there =
            std::ranges::find(it_.subjects, Target::unit(name), &Subject::target) != it_.subjects.end();
        const double load = below(40) * (below(5) ? 0.1 : 1);
        const int what = below(24);
        if (what < 5) {
            it_.unit(name, load, static_cast<WorkClass>(below(3)));
            return "arrival of " + name;
        }
        if (what < 7) {
            it_.remove(name);
            return "departure of " + name;
        }
        if (what < 18) {
            if (is_there) it_.want(name, load);
            for (int i = below(15); i > 0; --i) it_.round();
            return "load of " + name;
        }
        if (what < 20) {
            CpuSet online;
            const int one_in = 1 + below(8);
            for (const auto& cpu : it_.whole.cpus)
                if (below(one_in + 1) > 0 || below(3) == 0) online.add(cpu.id);
            if (below(2)) online = it_.whole.online;
            it_.online(online.text());
            return "hotplug: " + online.text();
        }
        if (what == 20) {
            text_ = random_text();
            it_.set("pools", text_);
            return "pools " + text_;
        }
        if (what == 21) {
            it_.restart();
            return "restart";
        }
        const std::pair<const char*, int> settings[] = {{"default_minimum", 1 + below(4)},
                                                        {"low", below(60)},
                                                        {"high", 50 + below(100)},
                                                        {"patience", 1 + below(4)},
                                                        {"calm", 1 + below(8)}};
        const auto& [attribute, value] = settings[below(5)];
        it_.set(attribute, std::to_string(value));
        return fmt::format("{} {}", attribute, value);
    }

    struct Seen {
        PoolSpec spec;
        CpuSet cpus = {};  // its own, as reported
        CpuSet masks = {}; // of its members
        int cores = 0;     // that it has
        bool has_members = false;
        [[nodiscard]] int least() const { return std::max(spec.least, has_members ? 1 : 0); }
    };

    /// Cores with a usable CPU, by number; a core is told apart in all of `topology`.
    [[nodiscard]] std::set<int> cores_in(const CpuSet& cpus) const {
        std::set<int> cores;
        for (const auto& cpu : it_.topology.cpus)
            if (cpus.contains(cpu.id)) cores.insert(cpu.core);
        return cores;
    }
    [[nodiscard]] std::vector<CpuSet> domains(PoolLevel level) const {
        if (level == PoolLevel::machine) return {it_.topology.usable()};
        std::vector<CpuSet> found;
        for (const auto& domain : it_.topology.domains(level == PoolLevel::core ? Level::core
                                                       : level == PoolLevel::l3 ? Level::l3
                                                                                : Level::numa))
            found.push_back(domain.cpus);
        return found;
    }

    void check(const std::string& event) {
        SCOPED_TRACE(event + " with pools " + text_);
        const auto decisions = it_.decide();
        journal += event + "\n";
        for (const auto& d : decisions)
            journal += d.target.text() + " " + d.cpus.text() + " " + d.reason + "\n";
        const CpuSet usable = it_.topology.usable();
        const auto specs = parse_pools(text_).value();
        if (usable.empty() || specs.empty()) {
            ASSERT_TRUE(decisions.empty());
            return;
        }
        ASSERT_EQ(decisions.size(), it_.subjects.size());
        std::vector<Seen> pools;
        for (const auto& spec : specs) pools.push_back({.spec = spec, .cpus = cpus_of(spec.name)});
        const CpuSet rest = cpus_of("default");
        CpuSet of_default;
        for (std::size_t i = 0; i < decisions.size(); ++i) {
            ASSERT_EQ(decisions[i].target, it_.subjects[i].target);
            ASSERT_FALSE(decisions[i].cpus.empty());
            ASSERT_TRUE(decisions[i].cpus.subset_of(usable));
            ASSERT_GT(decisions[i].reason.size(), 20U);
            const auto pool = std::ranges::find_if(pools, [&](const Seen& seen) {
                return !seen.spec.rule_for(it_.subjects[i].member, "", it_.subjects[i].demand.work_class)
                            .empty();
            });
            CpuSet& masks = pool == pools.end() ? of_default : pool->masks;
            ASSERT_TRUE(masks.empty() || masks == decisions[i].cpus) << "one pool, one set";
            masks = decisions[i].cpus;
            if (pool != pools.end()) pool->has_members = true;
        }
        check_sets(pools, rest, of_default);
        check_sizes(pools, rest);
        const auto again = it_.decide();
        for (std::size_t i = 0; i < again.size(); ++i) {
            ASSERT_EQ(again[i].cpus, decisions[i].cpus) << "the same view again";
            ASSERT_EQ(again[i].reason, decisions[i].reason) << "the same view again";
        }
    }
    [[nodiscard]] CpuSet cpus_of(const std::string& pool) const {
        const auto text = "; " + it_.get("pool_cpus");
        const auto from = text.find("; " + pool + " ") + pool.size() + 3;
        const auto list = text.substr(from, text.find(';', from) - from);
        return list == "none" ? CpuSet() : CpuSet::parse(list).value();
    }

    /// Whole cores, no core two pools', all in use; who does not share is alone.
    void check_sets(std::vector<Seen>& pools, const CpuSet& rest, const CpuSet& of_default) {
        CpuSet all = rest;
        std::size_t cores = cores_in(rest).size();
        ASSERT_FALSE(rest.empty());
        for (Seen& pool : pools) {
            ASSERT_FALSE(all.intersects(pool.cpus)) << pool.spec.name;
            all |= pool.cpus;
            pool.cores = static_cast<int>(cores_in(pool.cpus).size());
            cores += cores_in(pool.cpus).size();
            if (!pool.has_members || pool.cpus.empty()) continue;
            ASSERT_TRUE(pool.cpus.subset_of(pool.masks));
            if (pool.spec.share == PoolShare::none) { ASSERT_EQ(pool.masks, pool.cpus) << pool.spec.name; }
        }
        ASSERT_EQ(all, it_.topology.usable());
        ASSERT_EQ(cores, cores_in(all).size()) << "no core serves two";
        if (!of_default.empty()) { ASSERT_TRUE(rest.subset_of(of_default)); }
        for (const Seen& pool : pools) {
            if (pool.spec.share == PoolShare::idle) continue;
            ASSERT_FALSE(of_default.intersects(pool.cpus)) << pool.spec.name;
            for (const Seen& other : pools)
                if (&other != &pool) { ASSERT_FALSE(other.masks.intersects(pool.cpus)) << other.spec.name; }
        }
    }
    /// Within their bounds and domains; who is short of its least could have it nowhere.
    void check_sizes(const std::vector<Seen>& pools, const CpuSet& rest) {
        const int all = static_cast<int>(cores_in(it_.topology.usable()).size());
        const int free = static_cast<int>(cores_in(rest).size());
        const int keep = std::min(all, std::stoi(it_.get("default_minimum")));
        ASSERT_GE(free, keep);
        for (const Seen& pool : pools) {
            ASSERT_LE(pool.cores, pool.spec.most) << pool.spec.name;
            bool is_in_one = pool.cpus.empty();
            int surplus = 0;
            for (const Seen& other : pools)
                if (&other != &pool) surplus += std::max(0, other.cores - other.least());
            for (const CpuSet& domain : domains(pool.spec.level)) {
                is_in_one = is_in_one || (pool.cpus | pool.masks).subset_of(domain);
                const int own = static_cast<int>(cores_in(pool.cpus & domain).size());
                const int reach = std::min(static_cast<int>(cores_in(rest & domain).size()) + own,
                                           free - keep + surplus + pool.cores);
                if (pool.cores < pool.least()) {
                    ASSERT_LT(reach, pool.least()) << pool.spec.name << " could be on " << domain.text();
                }
            }
            ASSERT_TRUE(is_in_one) << pool.spec.name << " on " << pool.cpus.text();
            if (pool.cores < pool.least()) {
                ASSERT_NE(it_.get("note").find(pool.spec.name + " has "), std::string::npos);
                if (pool.spec.level == PoolLevel::machine) {
                    ASSERT_EQ(free - keep + surplus, 0) << pool.spec.name;
                }
            }
        }
    }

    Rng rng_;
    Pooled it_;
    std::string text_;
};

TEST(ALifeOfPools, BreaksNoPromise) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Life life(seed);
        life.run(80);
        ASSERT_FALSE(HasFatalFailure());
    }
}

TEST(ALifeOfPools, IsTheSameForTheSameSeed) {
    const auto journal_of = [](std::uint64_t seed) {
        Life life(seed);
        life.run(60);
        return life.journal;
    };
    for (std::uint64_t seed = 1; seed <= 5; ++seed) EXPECT_EQ(journal_of(seed), journal_of(seed));
    EXPECT_NE(journal_of(1), journal_of(2));
}

/// Loads that are noisy, but about the same, settle: no pool goes on growing and shrinking.
TEST(ALifeOfPools, SettlesWhereLoadsDo) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        kit::Rng rng(seed);
        const auto percent = [&](int bound) {
            return static_cast<int>(rng.below(static_cast<std::uint64_t>(bound)));
        };
        Pooled it(shape_1n64c_l3_per_8(), "a: max=30 match=unit:a; b: max=30 share=idle match=unit:b");
        it.unit("a");
        it.unit("b");
        const double a = percent(3000) / 100.0;
        const double b = percent(3000) / 100.0;
        const auto play = [&](int rounds) {
            for (int i = 0; i < rounds; ++i) {
                it.want("a", a * (95 + percent(11)) / 100);
                it.want("b", b * (95 + percent(11)) / 100);
                it.round();
            }
        };
        play(200);
        const auto resizes = std::stoi(it.get("resizes"));
        play(1000);
        EXPECT_LE(std::stoi(it.get("resizes")) - resizes, 2) << "seed " << seed << ": " << a << ", " << b;
    }
}

} // namespace
} // namespace schedd::policies
