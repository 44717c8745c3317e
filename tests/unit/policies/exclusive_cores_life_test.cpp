// exclusive_cores through long random lives on random machines, its promises checked after every event.
#include <map>
#include <optional>
#include <set>

#include <gtest/gtest.h>

#include "components/kit/rng.h"
#include "tests/unit/policies/sharer.h"

namespace schedd::policies {
namespace {

using namespace schedd::test;

class Life {
public:
    explicit Life(std::uint64_t seed) : rng_(seed), sharer_(random_machine()), twin_(sharer_.whole) {}

    void run(int events) {
        check("at first");
        for (int i = 0; i < events && !testing::Test::HasFatalFailure(); ++i) check(happen());
    }
    /// All that was decided: equal for equal seeds.
    std::string journal;
    int revisions = 0;
    int shifts = 0; // of them, those that touched all who share

private:
    void set(const std::string& attribute, const std::string& value) {
        sharer_.set(attribute, value);
        twin_.set(attribute, value);
    }
    int below(int bound) { return static_cast<int>(rng_.below(static_cast<std::uint64_t>(bound))); }

    Topology random_machine() {
        const auto shapes = all_shapes();
        if (below(2))
            return shapes[static_cast<std::size_t>(below(static_cast<int>(shapes.size())))].topology;
        auto topology = machine({.nodes = 1 + below(3),
                                 .l3_per_node = 1 + below(3),
                                 .cores_per_l3 = 1 + below(4),
                                 .threads_per_core = 1 + below(3)});
        if (below(3) == 0)
            for (auto& cpu : topology.cpus) cpu.kind = cpu.core % 2;
        if (below(4) == 0)
            for (auto& cpu : topology.cpus) topology.allowed = topology.allowed - random_some(cpu.id, 5);
        if (topology.usable().empty()) topology.allowed = topology.online;
        return topology;
    }
    CpuSet random_some(int cpu, int one_in) { return below(one_in) ? CpuSet() : CpuSet::of(cpu); }

    int random_cpus() {
        const int total = sharer_.whole.online.count();
        if (below(10) == 0) return below(2) ? -below(5) : total * 2;
        return below(1 + total / (1 + below(4)));
    }
    Target arrive() {
        const int id = 1 + below(12);
        Subject subject;
        subject.demand = {static_cast<WorkClass>(below(3)), random_cpus(), below(3) != 0};
        switch (below(3)) {
        case 0:
            subject.target = Target::unit("u" + std::to_string(id));
            subject.member = "unit:" + subject.target.name;
            break;
        case 1:
            subject.target = Target::cgroup("/g" + std::to_string(id));
            subject.member = "cgroup:" + subject.target.name;
            break;
        default: // members 1 to 3 are sessions of several processes
            subject.target = Target::process(id, 1);
            subject.member = "session:" + std::to_string(id % 4);
            for (auto& other : sharer_.subjects)
                if (other.member == subject.member) subject.demand = other.demand;
        }
        const auto target = subject.target;
        // what was there already only changes what it asks for
        for (auto& other : sharer_.subjects)
            if (other.target == target) subject.current = other.current;
        const auto demand = subject.demand;
        const auto member = subject.member;
        const auto count = std::ranges::count(sharer_.subjects, member, &Subject::member);
        const bool is_new = std::ranges::count(sharer_.subjects, target, &Subject::target) == 0;
        sharer_.add(std::move(subject));
        for (auto& other : sharer_.subjects)
            if (other.member == member) other.demand = demand;
        touched_ = key_of(sharer_.subject(target));
        // a change of a session's demand is one of all its processes
        if (is_new || count == 1) touched_alone_ = target;
        return target;
    }
    std::string happen() {
        touched_ = {};
        touched_alone_.reset();
        is_about_one_ = false;
        const int what = below(20);
        if (what < 9) {
            is_about_one_ = true;
            return "arrival or change of " + arrive().text();
        }
        if (what < 14 && !sharer_.subjects.empty()) {
            is_about_one_ = true;
            const auto gone =
                sharer_.subjects[static_cast<std::size_t>(below(static_cast<int>(sharer_.subjects.size())))];
            touched_ = key_of(gone);
            touched_alone_ = gone.target;
            sharer_.remove(gone.target);
            return "departure of " + gone.target.text();
        }
        if (what < 17) {
            CpuSet online = sharer_.whole.online;
            const int one_in = 1 + below(12);
            for (const auto& cpu : sharer_.whole.cpus)
                if (online.contains(cpu.id)) online = online - random_some(cpu.id, one_in + 1);
            if (below(3) == 0) online = sharer_.whole.online;
            sharer_.online(online.text());
            return "hotplug: " + online.text();
        }
        if (what == 17) {
            CpuSet reserved;
            for (int i = below(5); i > 0; --i) reserved.add(below(sharer_.whole.cpus.back().id % 900 + 9));
            set("reserved", reserved.text());
            return "reserved " + reserved.text();
        }
        if (what == 18) {
            const auto least = std::to_string(below(4));
            set("shared_minimum", least);
            return "shared_minimum " + least;
        }
        const char* settings[][2] = {{"when_full", "spill"}, {"when_full", "refuse"}, {"smt", "one_per_core"},
                                     {"smt", "share"},       {"prefer", "any"},       {"prefer", "class"}};
        const auto* setting = settings[below(6)];
        set(setting[0], setting[1]);
        return std::string(setting[0]) + " " + setting[1];
    }

    static std::string key_of(const Subject& subject) {
        return subject.target.sort == Target::Sort::process ? subject.member : subject.target.text();
    }

    /// What is decided when one alone came, left or asks for something else, with what was decided before, is
    /// what the policy decides when it is asked about all.
    void check_revision(const std::vector<Decision>& before, const std::optional<Revision>& revised,
                        const std::vector<Decision>& after) {
        if (!revised) return;
        ++revisions;
        shifts += revised->shifts.empty() ? 0 : 1;
        std::map<Target, Decision> all;
        for (const auto& decision : before) all.insert_or_assign(decision.target, decision);
        all.erase(*touched_alone_);
        for (auto& [target, decision] : all)
            for (const auto& shift : revised->shifts)
                if (decision.reason == shift.was.reason && decision.cpus == shift.was.cpus) {
                    decision = shift.now;
                    decision.target = target;
                    break;
                }
        for (const auto& decision : revised->decisions) all.insert_or_assign(decision.target, decision);
        ASSERT_EQ(all.size(), after.size());
        for (const auto& decision : after) {
            const auto at = all.find(decision.target);
            ASSERT_NE(at, all.end()) << decision.target.text();
            ASSERT_EQ(at->second.cpus, decision.cpus) << decision.target.text();
            ASSERT_EQ(at->second.alone, decision.alone) << decision.target.text();
            ASSERT_EQ(at->second.reason, decision.reason);
        }
    }

    void check(const std::string& event) {
        SCOPED_TRACE(event);
        std::optional<Revision> revised;
        if (touched_alone_)
            revised = sharer_.policy().revise({sharer_.world.clock.now(), sharer_.topology, sharer_.subjects},
                                              {&*touched_alone_, 1});
        const auto before = sharer_.decisions;
        twin_.topology = sharer_.topology;
        twin_.subjects = sharer_.subjects;
        const auto decisions = sharer_.decide();
        const auto by_twin = twin_.decide();
        ASSERT_EQ(decisions.size(), by_twin.size());
        for (std::size_t i = 0; i < decisions.size(); ++i)
            ASSERT_EQ(decisions[i].reason, by_twin[i].reason)
                << "as one decides that is always asked about all";
        check_revision(before, revised, decisions);
        journal += event + "\n";
        for (const auto& d : decisions)
            journal += d.target.text() + " " + d.cpus.text() + " " + d.reason + "\n";
        const CpuSet usable = sharer_.topology.usable();
        if (usable.empty()) {
            ASSERT_TRUE(decisions.empty());
            had_.clear();
            return;
        }
        ASSERT_EQ(decisions.size(), sharer_.subjects.size());
        const CpuSet shared = cpus_of(sharer_.read("shared_cpus"));
        const CpuSet exclusive = cpus_of(sharer_.read("exclusive_cpus"));
        CpuSet reserved = cpus_of(sharer_.read("reserved")) & usable;
        if (reserved == usable) reserved = {};
        ASSERT_FALSE(shared.empty());
        ASSERT_EQ((shared | exclusive | reserved), usable);
        ASSERT_FALSE(shared.intersects(exclusive));
        ASSERT_FALSE(reserved.intersects(shared | exclusive));
        std::map<std::string, CpuSet> own;
        std::set<std::string> waiting;
        for (std::size_t i = 0; i < decisions.size(); ++i) {
            const auto& decision = decisions[i];
            const auto& subject = sharer_.subjects[i];
            SCOPED_TRACE(decision.target.text() + ": " + decision.reason);
            ASSERT_EQ(decision.target, subject.target);
            ASSERT_FALSE(decision.cpus.empty());
            ASSERT_TRUE(decision.cpus.subset_of(shared | exclusive)) << decision.cpus.text();
            ASSERT_GT(decision.reason.size(), 20U);
            const CpuSet mine = decision.cpus - shared;
            if (decision.cpus.intersects(shared)) { ASSERT_TRUE(shared.subset_of(decision.cpus)); }
            if (!subject.demand.exclusive) {
                ASSERT_EQ(decision.cpus, shared);
            } else {
                const auto [at, is_new] = own.try_emplace(key_of(subject), mine);
                if (!decision.reason.starts_with("CPUs ")) waiting.insert(at->first);
                ASSERT_EQ(at->second, mine) << "one member, one set";
            }
        }
        check_sets(own, exclusive);
        check_who_moved(own, usable, reserved);
        had_ = own;
        waited_ = waiting;
        const auto again = sharer_.decide();
        for (std::size_t i = 0; i < again.size(); ++i) {
            ASSERT_EQ(again[i].cpus, decisions[i].cpus) << "the same view again";
            ASSERT_EQ(again[i].reason, decisions[i].reason) << "the same view again";
        }
    }

    /// Disjoint, and of whole cores: no core serves two.
    void check_sets(const std::map<std::string, CpuSet>& own, const CpuSet& exclusive) {
        CpuSet all;
        std::map<int, std::string> owners;
        for (const auto& [key, mine] : own) {
            ASSERT_FALSE(all.intersects(mine)) << key << " on " << mine.text();
            all |= mine;
            for (const auto& cpu : sharer_.topology.cpus)
                if (mine.contains(cpu.id)) {
                    ASSERT_EQ(owners.try_emplace(cpu.core, key).first->second, key) << "core " << cpu.core;
                }
        }
        if (sharer_.read("smt") == "share") { ASSERT_EQ(all, exclusive); }
        for (const auto& cpu : sharer_.topology.cpus) {
            if (!sharer_.topology.usable().contains(cpu.id)) continue;
            ASSERT_EQ(exclusive.contains(cpu.id), owners.contains(cpu.core))
                << "CPU " << cpu.id << " of core " << cpu.core;
        }
    }

    /// The cores of these CPUs, with all their siblings that there are.
    [[nodiscard]] CpuSet cores_around(const CpuSet& cpus) const {
        std::set<int> cores;
        for (const auto& cpu : sharer_.whole.cpus)
            if (cpus.contains(cpu.id)) cores.insert(cpu.core);
        CpuSet all;
        for (const auto& cpu : sharer_.whole.cpus)
            if (cores.contains(cpu.core) && sharer_.whole.online.contains(cpu.id)) all.add(cpu.id);
        return all;
    }
    /// What happened to one moves no other; what happened to the machine moves nobody whose cores are as they
    /// were, though it may cost cores. Only one that waits may trade cores for better ones.
    void check_who_moved(const std::map<std::string, CpuSet>& own, const CpuSet& usable,
                         const CpuSet& reserved) {
        for (const auto& [key, mine] : own) {
            const auto before = had_.find(key);
            if (before == had_.end() || before->second.empty() || key == touched_) continue;
            const CpuSet around = cores_around(before->second);
            const bool is_as_it_was = (around & usable) == (around & was_usable_) &&
                                      (around & reserved) == (around & was_reserved_);
            ASSERT_TRUE(is_as_it_was || !is_about_one_);
            if (!is_as_it_was) continue;
            if (waited_.contains(key) && mine.count() > before->second.count()) continue;
            const CpuSet now_around = cores_around(mine);
            const bool kept_all = around.subset_of(now_around);
            const bool lost_some = !is_about_one_ && now_around.subset_of(around);
            ASSERT_TRUE(kept_all || lost_some)
                << key << " had " << before->second.text() << ", has " << mine.text();
        }
        was_usable_ = usable;
        was_reserved_ = reserved;
    }

    Rng rng_;
    Sharer sharer_;
    std::string touched_;
    Sharer twin_; // never asked to revise
    std::optional<Target> touched_alone_;
    bool is_about_one_ = false;
    std::map<std::string, CpuSet> had_; // own CPUs by member, as last decided
    CpuSet was_usable_;                 // then
    CpuSet was_reserved_;
    std::set<std::string> waited_; // who had fewer than it asks for
};

TEST(ALifeOfExclusiveCores, BreaksNoPromise) {
    int revisions = 0;
    int shifts = 0;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Life life(seed);
        life.run(80);
        ASSERT_FALSE(HasFatalFailure());
        revisions += life.revisions;
        shifts += life.shifts;
    }
    EXPECT_GT(revisions, 100) << "who shares comes and goes alone";
    EXPECT_GT(shifts, 50) << "who has cores of its own comes and goes with one word to all who share";
}

TEST(ALifeOfExclusiveCores, IsTheSameForTheSameSeed) {
    const auto journal_of = [](std::uint64_t seed) {
        Life life(seed);
        life.run(60);
        return life.journal;
    };
    for (std::uint64_t seed = 1; seed <= 5; ++seed) EXPECT_EQ(journal_of(seed), journal_of(seed));
    EXPECT_NE(journal_of(1), journal_of(2));
}

} // namespace
} // namespace schedd::policies
