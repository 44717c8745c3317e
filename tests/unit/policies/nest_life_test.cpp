// nest in random lives on machines of every shape: members come and go, loads and CPUs change, values are
// missing; what it promises is checked at every decision.
#include <gtest/gtest.h>

#include <algorithm>

#include "components/kit/rng.h"
#include "tests/kit/shapes.h"
#include "tests/unit/policies/nested.h"

namespace schedd::policies {
namespace {

using test::Nested;

/// One life; `told` is all that was decided in it.
class Life {
public:
    Life(const test::NamedShape& shape, std::uint64_t seed)
        : rng_(seed), n_(shape.topology), name_(fmt::format("{} seed {}", shape.name, seed)) {
        static constexpr const char* kPrefer[] = {"any", "performance", "efficient"};
        static constexpr const char* kSiblings[] = {"none", "batch", "all"};
        prefer_ = kPrefer[rng_.below(3)];
        n_.set("prefer", prefer_);
        n_.set("siblings", kSiblings[rng_.below(3)]);
        n_.set("reserve", std::to_string(rng_.below(8)));
        n_.set("decay", std::to_string(1000 * rng_.below(6)));
        n_.set("impatience", std::to_string(1000 * impatience_));
        n_.set("floor", std::to_string(floor_));
    }

    void run(int rounds) {
        for (int i = 0; i < rounds && !testing::Test::HasFailure(); ++i) {
            if (rng_.below(3) == 0) something_happens();
            const bool is_told = n_.probe().node.has_value();
            n_.round();
            check();
            check_growth(is_told);
            check_again();
        }
    }
    /// All is measured and nothing changes any more: the decisions come to rest, and nobody has too much.
    void come_to_rest() {
        n_.probe().node = 0;
        n_.probe().waits.clear();
        for (const auto& subject : n_.subjects) n_.load(subject.target.pid, 50);
        n_.rounds(200);
        check();
        const auto last = n_.decisions;
        n_.rounds(50);
        EXPECT_TRUE(std::ranges::equal(last, n_.decisions, is_same)) << name_;
        EXPECT_EQ(n_.get("reserve_cpus"), "") << name_;
        const auto least = CpuSet::parse(n_.get("nest_cpus")).value().count();
        const double load = std::stod(n_.get("wanted")) / 1000;
        const int threads = largest_core();
        EXPECT_LE(least, std::max(threads * (static_cast<int>(1.25 * load) + 1), floor_ + threads - 1))
            << name_;
    }
    [[nodiscard]] const std::string& told() const { return told_; }

private:
    static bool is_same(const Decision& one, const Decision& other) {
        return one.target == other.target && one.cpus == other.cpus && one.reason == other.reason;
    }
    [[nodiscard]] int largest_core() const {
        int most = 0;
        for (const auto& core : n_.topology.domains(Level::core)) most = std::max(most, core.cpus.count());
        return most;
    }

    void arrive() {
        const auto usable = n_.topology.usable();
        const bool is_confined = rng_.below(8) == 0;
        n_.add(next_pid_, static_cast<std::int64_t>(rng_.below(2000)), static_cast<WorkClass>(rng_.below(3)),
               is_confined ? CpuSet::of(usable.first()).text() : "");
        if (is_confined && usable.count() > 1) confined_.push_back(next_pid_);
        ++next_pid_;
    }
    [[nodiscard]] Pid any() { return n_.subjects[rng_.below(n_.subjects.size())].target.pid; }

    void change_cpus() {
        CpuSet online;
        for (const auto& cpu : n_.whole.cpus)
            if (rng_.below(4) != 0) online.add(cpu.id);
        if (!online.intersects(n_.whole.allowed)) online = n_.whole.online;
        test::set_online(n_.topology, n_.whole, rng_.below(2) ? online : n_.whole.online);
        for (auto& subject : n_.subjects) // where it may run is read anew
            if (!subject.held && !std::ranges::count(confined_, subject.target.pid))
                subject.current = n_.topology.usable();
    }

    void something_happens() {
        if (n_.subjects.empty()) return arrive();
        switch (rng_.below(9)) {
        case 0:
        case 1: return arrive();
        case 2: return n_.remove(any());
        case 3: return n_.load(any(), static_cast<std::int64_t>(rng_.below(3000)));
        case 4: n_.probe().waits[any()] = static_cast<std::int64_t>(rng_.below(300)); return;
        case 5: n_.probe().waits.clear(); return;
        case 6: n_.probe().loads.erase(any()); return;
        case 7: return change_cpus();
        default: n_.probe().node = std::nullopt;
        }
        if (rng_.below(3) != 0) n_.probe().node = 100;
    }

    void check() {
        const auto usable = n_.topology.usable();
        const auto nest = CpuSet::parse(n_.get("nest_cpus")).value();
        const auto reserve = CpuSet::parse(n_.get("reserve_cpus")).value();
        EXPECT_TRUE(nest.subset_of(usable) && !nest.empty()) << name_;
        EXPECT_TRUE(reserve.subset_of(usable) && !reserve.intersects(nest)) << name_;
        EXPECT_GE(nest.count(), std::min(floor_, usable.count())) << name_;
        for (const auto& core : n_.topology.domains(Level::core))
            for (const auto& part : {nest, reserve})
                EXPECT_TRUE(core.cpus.subset_of(part) || !core.cpus.intersects(part)) << name_;
        check_packing(nest);
        for (const auto& decision : n_.decisions) {
            const auto& subject = n_.subject(decision.target.pid);
            const bool is_latency = subject.demand.work_class == WorkClass::latency;
            const bool is_batch = subject.demand.work_class == WorkClass::batch;
            const CpuSet most = is_latency ? nest | reserve : nest;
            EXPECT_FALSE(decision.cpus.empty()) << name_;
            EXPECT_TRUE(decision.cpus.subset_of(most)) << name_;
            EXPECT_TRUE(is_batch || decision.cpus == most) << name_;
            EXPECT_NE(decision.cpus, usable) << name_ << ": nobody is held on all CPUs";
            EXPECT_EQ(std::ranges::count(confined_, decision.target.pid), 0) << name_;
            EXPECT_FALSE(decision.reason.empty()) << name_;
            told_ += fmt::format("{} {} {}\n", decision.target.text(), decision.cpus.text(), decision.reason);
        }
    }

    /// No fewer nodes could hold as many CPUs.
    void check_packing(const CpuSet& nest) const {
        if (prefer_ != std::string("any")) return;
        std::vector<int> sizes;
        int touched = 0;
        for (const auto& node : n_.topology.domains(Level::numa)) {
            sizes.push_back(node.cpus.count());
            touched += node.cpus.intersects(nest) ? 1 : 0;
        }
        std::ranges::sort(sizes, std::ranges::greater{});
        int fewest = 0;
        for (int have = 0; have < nest.count(); ++fewest) have += sizes[static_cast<std::size_t>(fewest)];
        EXPECT_EQ(touched, fewest) << name_;
    }

    /// Nobody who is held lacks CPUs for longer than impatience.
    void check_growth(bool is_told) {
        const auto load = std::stod(n_.get("wanted")) / 1000;
        const auto nest = CpuSet::parse(n_.get("nest_cpus")).value().count();
        const bool is_short = nest + 0.06 < std::min<double>(load, n_.topology.usable().count());
        const bool is_blind = !is_told || n_.get("state") == "blind";
        short_seconds_ = is_short && !is_blind ? short_seconds_ + 1 : 0;
        EXPECT_LE(short_seconds_, impatience_ + 1) << name_;
    }

    /// Asked once more, it decides the same; and it does not ask for its turn at once.
    void check_again() {
        const auto before = n_.decisions;
        EXPECT_GT(n_.policy().next_due(), n_.world.clock.now()) << name_;
        n_.decide();
        EXPECT_TRUE(std::ranges::equal(before, n_.decisions, is_same)) << name_;
    }

    kit::Rng rng_;
    Nested n_;
    std::string name_;
    std::string prefer_;
    int impatience_ = static_cast<int>(rng_.below(4));
    int floor_ = 1 + static_cast<int>(rng_.below(4));
    int short_seconds_ = 0;
    std::vector<Pid> confined_;
    Pid next_pid_ = 1;
    std::string told_;
};

TEST(ANest, KeepsItsPromisesInRandomLivesOnEveryShape) {
    std::size_t told = 0;
    for (const auto& shape : test::all_shapes())
        for (std::uint64_t seed = 1; seed <= 4 && !testing::Test::HasFailure(); ++seed) {
            Life life(shape, seed);
            life.run(200);
            if (!testing::Test::HasFailure()) life.come_to_rest();
            told += life.told().size();
        }
    EXPECT_GT(told, 300'000U) << "in these lives somebody is held";
}

TEST(ANest, DecidesTheSameFromTheSameInput) {
    for (const std::uint64_t seed : {3, 8}) {
        Life one(test::all_shapes()[2], seed);
        Life other(test::all_shapes()[2], seed);
        one.run(200);
        other.run(200);
        EXPECT_EQ(one.told(), other.told());
        EXPECT_FALSE(one.told().empty());
    }
}

} // namespace
} // namespace schedd::policies
