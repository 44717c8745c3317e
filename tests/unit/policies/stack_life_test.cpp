// Several schedulers over the same machine through long random lives: members come, leave and change what
// they ask for, CPUs go and return, policies are replaced, the stack is ordered anew. The promises that bind
// schedulers to each other are checked after every event.
#include <map>
#include <set>

#include "policies/policies.h"
#include "tests/kit/engine_world.h"
#include "tests/kit/shapes.h"

namespace schedd::policies {
namespace {

using namespace schedd::test;

constexpr std::array kSchedulers{"X", "Y", "L", "P"};
constexpr Pid kFirst = 10;
constexpr Pid kProcesses = 14;

Topology random_machine(Rng& rng) {
    const auto shapes = all_shapes();
    auto topology = rng.below(2) ? shapes[rng.below(shapes.size())].topology
                                 : machine({.nodes = static_cast<int>(1 + rng.below(2)),
                                            .l3_per_node = static_cast<int>(1 + rng.below(2)),
                                            .cores_per_l3 = static_cast<int>(1 + rng.below(4)),
                                            .threads_per_core = static_cast<int>(1 + rng.below(2))});
    return topology;
}

class ALifeOfAStack : public EngineWorld {
public:
    explicit ALifeOfAStack(std::uint64_t seed, Rng rng)
        : EngineWorld({&kExclusiveCores, &kLoadBalancing, &kPools, &kTestProbe}, random_machine(rng)),
          whole_(topology), rng_(seed) {
        apply("create probes/test_probe\n");
        for (const auto* name : kSchedulers) make(name);
    }
    void TestBody() override {}

    void run(int events) {
        for (int i = 0; i < events && !HasFatalFailure(); ++i) {
            SCOPED_TRACE(fmt::format("event {}: {}", i, happen()));
            for (int ticks = 0; ticks < 6; ++ticks) step();
            check();
            ASSERT_TRUE(comes_to_rest()) << "nothing happens, and something is written all the time";
            check();
        }
        engine->release_all();
        for (const Pid pid : running_) EXPECT_EQ(mask(pid), whole_.online.text()) << "put back: " << pid;
    }
    int overlaps_told = 0;
    int kept_apart = 0;

private:
    std::uint64_t below(std::uint64_t bound) { return rng_.below(bound); }
    static std::string member(const std::string& scheduler, Pid pid) {
        return fmt::format("schedulers/{}/process_set/process:{}", scheduler, pid);
    }
    void make(const std::string& name) {
        apply(fmt::format("create schedulers/{}\n", name));
        make_policy(name);
    }
    void make_policy(const std::string& name) {
        if (name == "X" || name == "Y") apply(fmt::format("create schedulers/{}/exclusive_cores\n", name));
        if (name == "L")
            apply("create schedulers/L/load_balancing\n"
                  "link probes/test_probe/load schedulers/L/load_balancing/node_load\n"
                  "link probes/test_probe/process_load schedulers/L/load_balancing/process_load\n");
        if (name == "P")
            apply("create schedulers/P/pools\n"
                  "write schedulers/P/pools.pools \"front: min=1 max=2 class=latency; back: class=batch\"\n"
                  "link probes/test_probe/load schedulers/P/pools/node_load\n"
                  "link probes/test_probe/process_load schedulers/P/pools/process_load\n");
    }
    static std::string policy_of(const std::string& name) {
        return name == "L" ? "load_balancing" : name == "P" ? "pools" : "exclusive_cores";
    }
    void step() {
        for (const Pid pid : running_)
            world.at<TestProbe>("probes/test_probe").set_process_load(pid, loads_[pid], world.clock.now());
        tick();
    }

    /// Policies take their time for some of what they decide.
    bool comes_to_rest() {
        for (int quiet = 0, ticks = 0; ticks < 120; ++ticks) {
            const auto steps = engine->steps();
            step();
            quiet = engine->steps() == steps ? quiet + 1 : 0;
            if (quiet == 8) return true;
        }
        return false;
    }

    std::string happen() {
        const auto pid = static_cast<Pid>(kFirst + static_cast<Pid>(below(kProcesses)));
        const std::string scheduler = kSchedulers.at(below(kSchedulers.size()));
        switch (below(10)) {
        case 0: {
            CpuSet online = whole_.online;
            for (const auto& cpu : whole_.cpus)
                if (online.contains(cpu.id) && online.count() > 1 && below(4) == 0) online.remove(cpu.id);
            if (below(3) == 0) online = whole_.online;
            set_online(topology, whole_, online);
            if (topology.usable().empty()) set_online(topology, whole_, whole_.online);
            engine->topology_changed();
            return "online " + topology.online.text();
        }
        case 1: {
            const auto precedence = static_cast<int>(below(5)) - 2;
            apply(fmt::format("write schedulers/{}.precedence {}\n", scheduler, precedence));
            return fmt::format("precedence of {} {}", scheduler, precedence);
        }
        case 2:
            apply(fmt::format("remove -r schedulers/{}/{}\n", scheduler, policy_of(scheduler)));
            make_policy(scheduler);
            return "a new policy in " + scheduler;
        case 3:
            if (!running_.contains(pid)) return "nothing";
            world.end(pid);
            actuator.gone.insert(process(pid));
            running_.erase(pid);
            return fmt::format("{} ends", pid);
        case 4:
            for (const Pid one : running_) loads_[one] = static_cast<std::int64_t>(below(2000));
            return "other loads";
        default: return attach_or_detach(scheduler, pid);
        }
    }
    std::string attach_or_detach(const std::string& scheduler, Pid pid) {
        if (!running_.contains(pid)) {
            actuator.gone.erase(process(pid));
            actuator.set_mask(process(pid), whole_.online);
            world.start({.pid = pid});
            running_.insert(pid);
        }
        const auto path = member(scheduler, pid);
        if (world.tree.find(Path::parse(path).value())) {
            if (below(2)) {
                apply("remove " + path + "\n");
                return "detach " + path;
            }
        } else {
            apply("create " + path + "\n");
        }
        const std::array classes{"latency", "normal", "batch"};
        apply(fmt::format("write {0}.class {1}\nwrite {0}.cpus {2}\nwrite {0}.exclusive {3}\n", path,
                          classes.at(below(3)), below(4), below(2) == 0 ? "yes" : "no"));
        return "attach " + path;
    }

    /// The CPUs that a process has alone, as the policies of X and Y say and the stack has let it.
    [[nodiscard]] CpuSet alone_of(const Explanation& row) const {
        const auto& opinions = row.verdict.opinions;
        if (opinions.empty() || row.verdict.has_conflict()) return {};
        const auto& first = opinions.front();
        const bool is_owner = (first.scheduler == "X" || first.scheduler == "Y") &&
                              first.result == Opinion::Result::decides && first.reason.starts_with("CPUs ");
        return is_owner ? row.verdict.cpus : CpuSet();
    }

    void check() {
        const auto usable = topology.usable();
        std::map<Pid, Explanation> rows;
        const auto told = engine->explain("");
        ASSERT_TRUE(told);
        for (const auto& row : *told) rows.emplace(row.target.pid, row);
        for (const Pid pid : running_) {
            const auto at = rows.find(pid);
            const bool is_held = ledger.find(process(pid));
            if (!is_held) {
                ASSERT_EQ(mask(pid), whole_.online.text()) << pid << " is nobody's";
                continue;
            }
            ASSERT_NE(at, rows.end()) << pid;
            const auto& cpus = at->second.verdict.cpus;
            SCOPED_TRACE(fmt::format("{} on {}", pid, mask(pid)));
            ASSERT_FALSE(cpus.empty());
            ASSERT_TRUE(cpus.subset_of(usable)) << cpus.text() << " of " << usable.text();
            ASSERT_EQ(mask(pid), cpus.text());
        }
        for (const auto& [owner, row] : rows) {
            const auto own = running_.contains(owner) ? alone_of(row) : CpuSet();
            if (own.empty()) continue;
            for (const auto& [other, beside] : rows) {
                if (other == owner || !running_.contains(other) || !belongs(other)) continue;
                const bool overlaps = actuator.mask(process(other)).intersects(own);
                if (!overlaps) ++kept_apart;
                else if (beside.verdict.has_conflict()) ++overlaps_told;
                else
                    ASSERT_FALSE(overlaps) << other << " is on " << mask(other) << ", " << owner << " has "
                                           << own.text() << " alone: " << row.verdict.opinions.front().reason;
            }
        }
        for (const auto* name : kSchedulers)
            ASSERT_EQ(world.read(fmt::format("schedulers/{}.ejected", name)), "");
    }
    [[nodiscard]] bool belongs(Pid pid) const {
        return std::ranges::any_of(kSchedulers, [&](const auto* name) {
            return world.tree.find(Path::parse(member(name, pid)).value()).has_value();
        });
    }

    Topology whole_;
    Rng rng_;
    std::set<Pid> running_;
    std::map<Pid, std::int64_t> loads_;
};

/// Ten seeds each, so that they run side by side: with the sanitizers each takes a minute.
class ALifeOfSchedulersTogether : public testing::TestWithParam<std::uint64_t> {};

TEST_P(ALifeOfSchedulersTogether, BreaksNoPromise) {
    int kept_apart = 0;
    int overlaps_told = 0;
    for (std::uint64_t seed = GetParam(); seed < GetParam() + 10; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        ALifeOfAStack life(seed, Rng(seed * 77));
        life.run(50);
        kept_apart += life.kept_apart;
        overlaps_told += life.overlaps_told;
        ASSERT_FALSE(HasFatalFailure());
    }
    EXPECT_GT(kept_apart, 250) << "somebody had CPUs alone";
    EXPECT_GT(overlaps_told, 0) << "and sometimes there was no room";
}
INSTANTIATE_TEST_SUITE_P(Seeds, ALifeOfSchedulersTogether, testing::Values(1, 11, 21, 31));

} // namespace
} // namespace schedd::policies
