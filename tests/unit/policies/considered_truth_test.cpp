// What exclusive_cores says would give more cores is done, on random machines and demands, and must come
// true.
#include <gtest/gtest.h>

#include <map>
#include <regex>

#include "components/kit/rng.h"
#include "tests/unit/policies/sharer.h"

namespace schedd::policies {
namespace {

using namespace schedd::test;

/// One seed: a machine, attributes and members that come, go and ask for more. The same each time.
class Trial {
public:
    explicit Trial(std::uint64_t seed) : rng_(seed), sharer_(shape()) {
        if (below(3) == 0) sharer_.online(fmt::format("0-{}", sharer_.whole.cpus.size() / 2));
        sharer_.set("when_full", below(3) == 0 ? "spill" : "refuse");
        sharer_.set("shared_minimum", std::to_string(below(6)));
        if (below(4) == 0) sharer_.set("reserved", std::to_string(below(4)));
        if (below(4) == 0) sharer_.set("smt", "one_per_core");
        for (int step = 2 + below(5); step > 0; --step) {
            for (int count = 1 + below(3); count > 0; --count)
                sharer_.unit(fmt::format("u{}", below(7)), 1 + below(9), WorkClass(below(3)));
            if (below(4) == 0) sharer_.remove(Target::unit(fmt::format("u{}", below(7))));
            sharer_.decide();
        }
        sharer_.add({Target::unit("plain"), "unit:plain", 100, {}, {}, {}});
        sharer_.decide();
    }

    Sharer& sharer() { return sharer_; }
    [[nodiscard]] std::vector<std::string> said(const Target& target) {
        return sharer_.policy().considered({sharer_.world.clock.now(), sharer_.topology, sharer_.subjects},
                                           sharer_.subject(target));
    }
    void ask(const std::string& unit, int cpus) {
        auto& demand = sharer_.subject(Target::unit(unit)).demand;
        demand.exclusive = cpus > 0;
        demand.cpus = cpus;
    }
    /// Of what it asks for: the CPUs that it has alone, each core counted as the attribute says.
    [[nodiscard]] int own(const Target& target) {
        const auto* decision = sharer_.find(target);
        CpuSet alone = decision->alone;
        if (sharer_.read("smt") == "one_per_core")
            for (const Cpu& cpu : sharer_.topology.cpus)
                for (const Cpu& other : sharer_.topology.cpus)
                    if (alone.contains(cpu.id) && other.core == cpu.core && other.id > cpu.id)
                        alone = alone - CpuSet::of(other.id);
        return std::min(alone.count(), std::max(1, sharer_.subject(target).demand.cpus));
    }

private:
    Topology shape() {
        return machine({.nodes = 1 + below(2),
                        .l3_per_node = 1 + below(2),
                        .cores_per_l3 = 1 + below(5),
                        .threads_per_core = 1 + below(2)});
    }
    int below(int bound) { return static_cast<int>(rng_.below(static_cast<std::uint64_t>(bound))); }

    kit::Rng rng_;
    Sharer sharer_;
};

struct Told {
    std::string kind;
    std::string unit; // who would have to ask for less
    std::vector<std::pair<std::string, std::string>> attributes;
    int cpus = 0; // that one would ask for, or this one itself
    int got = 0;  // so many more of its own; -1: all that it asks for
};

/// What a sentence says would help; its kind is empty if it says nothing of the sort.
Told read(const std::string& line) {
    static const std::regex spill("when_full=spill would give it (\\d+) CPUs?( more)? of its own now");
    static const std::regex minimum(
        "shared_minimum=(\\d+) instead of \\d+( and when_full=spill together)? would "
        "let it have (\\d+) of the \\d+ CPUs? it lacks");
    static const std::regex holder("unit:(\\w+) has .*: it would fit if that one asked for (?:(\\d+) CPUs? "
                                   "instead of \\d+|none of its own)");
    static const std::regex newcomer("of its own it could have (\\d+) CPUs? now");
    std::smatch m;
    if (std::regex_match(line, m, spill)) return {"spill", "", {{"when_full", "spill"}}, 0, std::stoi(m[1])};
    if (std::regex_match(line, m, minimum)) {
        if (!m[2].matched) return {"minimum", "", {{"shared_minimum", m[1]}}, 0, std::stoi(m[3])};
        return {"both", "", {{"shared_minimum", m[1]}, {"when_full", "spill"}}, 0, std::stoi(m[3])};
    }
    if (std::regex_match(line, m, holder))
        return {"holder", m[1], {}, m[2].matched ? std::stoi(m[2]) : 0, -1};
    if (std::regex_match(line, m, newcomer)) return {"newcomer", "", {}, std::stoi(m[1]), -1};
    for (const auto* promise : {"would let it", "would give it", "would fit"})
        EXPECT_EQ(line.find(promise), std::string::npos) << "not read: " << line;
    return {};
}

/// Does what was told, in a world of its own.
void try_out(std::uint64_t seed, const Target& target, const Told& told) {
    Trial trial(seed);
    const int before = trial.own(target);
    for (const auto& [name, value] : told.attributes) trial.sharer().set(name, value);
    if (told.kind == "newcomer") trial.ask(target.name, told.cpus);
    if (!told.unit.empty()) trial.ask(told.unit, told.cpus);
    trial.sharer().decide();
    const int after = trial.own(target);
    if (told.got < 0) EXPECT_EQ(after, trial.sharer().subject(target).demand.cpus);
    else EXPECT_EQ(after - before, told.got);
}

TEST(WhatExclusiveCoresSaysWouldHelp, ComesTrueOnRandomMachinesAndDemands) {
    std::map<std::string, int> tried;
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        Trial trial(seed);
        for (const auto& subject : trial.sharer().subjects) {
            for (const auto& line : trial.said(subject.target)) {
                const auto told = read(line);
                if (told.kind.empty()) continue;
                SCOPED_TRACE(fmt::format("seed {}, {}: {}", seed, subject.target.text(), line));
                try_out(seed, subject.target, told);
                ++tried[told.kind];
            }
        }
        if (testing::Test::HasFailure()) return; // the first says enough
    }
    for (const auto* kind : {"spill", "minimum", "both", "holder", "newcomer"})
        EXPECT_GE(tried[kind], 10) << kind << " was hardly said";
}

/// Under refuse nobody has a part: either some shared_minimum down to the least gives it all, and one is
/// named, or none does and none is.
TEST(WhatExclusiveCoresSaysWouldHelp, NamesASharedMinimumUnderRefuseJustWhereOneGivesAll) {
    int named = 0;
    int vain = 0;
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
        Trial trial(seed);
        if (trial.sharer().read("when_full") == "spill") continue;
        std::vector<Target> waiting;
        for (const auto& subject : trial.sharer().subjects)
            if (subject.demand.exclusive && trial.own(subject.target) < subject.demand.cpus)
                waiting.push_back(subject.target);
        if (waiting.size() != 1) continue; // of several, who is served may change with each value
        const auto lines = trial.said(waiting.front());
        const bool is_named =
            std::ranges::any_of(lines, [](const auto& line) { return read(line).kind == "minimum"; });
        bool is_there = false;
        for (int keep = std::stoi(trial.sharer().read("shared_minimum")); keep-- > 0;) {
            Trial other(seed);
            other.sharer().set("shared_minimum", std::to_string(keep));
            other.sharer().decide();
            is_there =
                is_there || other.own(waiting.front()) == other.sharer().subject(waiting.front()).demand.cpus;
        }
        EXPECT_EQ(is_named, is_there) << "seed " << seed;
        ++(is_named ? named : vain);
    }
    EXPECT_GE(named, 5);
    EXPECT_GE(vain, 5);
}

} // namespace
} // namespace schedd::policies
