// AffinityWorld: a memory_affinity policy over a numa_memory probe that reads the numa_stat texts a test
// sets.
#pragma once

#include <algorithm>
#include <map>

#include "components/probes/probes.h"
#include "policies/policies.h"
#include "tests/kit/machine.h"
#include "tests/kit/world.h"

namespace schedd::test {

struct AffinityWorld {
    explicit AffinityWorld(const Shape& shape = {.nodes = 2, .cores_per_l3 = 4})
        : whole(machine(shape)), topology(whole) {
        const auto made =
            world.apply("create probes/numa_memory\n"
                        "create probes/test_probe\n"
                        "create schedulers/N\n"
                        "create schedulers/N/memory_affinity\n"
                        "link numa_memory/followed_memory schedulers/N/memory_affinity/memory\n"
                        "link numa_memory/cgroup_memory schedulers/N/memory_affinity/cgroup_memory\n"
                        "link numa_memory/node_available schedulers/N/memory_affinity/node_available\n"
                        "link test_probe/process_load schedulers/N/memory_affinity/process_load\n");
        if (!made) throw std::runtime_error(made.error().text());
        available(0, 1'000'000);
        available(1, 1'000'000);
    }

    /// A unit with one process that wants `load` thousandths.
    void add(const std::string& unit, Pid pid, std::int64_t load = 0) {
        Subject subject{Target::unit(unit), "unit:" + unit, 100, {pid}, topology.usable()};
        subject.group = "/" + unit;
        const auto at = std::ranges::lower_bound(subjects, subject.target, {}, &Subject::target);
        subjects.insert(at, std::move(subject));
        loads[pid] = load;
    }
    /// Memory of a group in MiB by node, half of it of files.
    void memory(const std::string& unit, const std::vector<std::int64_t>& mib) {
        std::string anon = "anon";
        std::string file = "file";
        for (std::size_t node = 0; node < mib.size(); ++node) {
            anon += fmt::format(" N{}={}", node, mib[node] << 19);
            file += fmt::format(" N{}={}", node, mib[node] << 19);
        }
        world.host.set("sys/fs/cgroup/" + unit + "/memory.numa_stat",
                       anon + "\n" + file + "\nkernel_stack N0=16384\n");
    }
    void no_memory(const std::string& unit) {
        world.host.remove("sys/fs/cgroup/" + unit + "/memory.numa_stat");
    }
    void available(int node, std::int64_t mib) {
        world.host.set(fmt::format("sys/devices/system/node/node{}/meminfo", node),
                       fmt::format("Node {0} MemTotal: 1 kB\nNode {0} MemFree: {1} kB\n", node, mib * 1024));
    }
    void set(const std::string& attribute, const std::string& value) {
        const auto done = policy().write_attribute(attribute, value);
        if (!done) throw std::runtime_error(done.error().text());
    }
    [[nodiscard]] Policy& policy() const { return world.at<Policy>("schedulers/N/memory_affinity"); }
    [[nodiscard]] std::string told(const std::string& attribute) const {
        return world.read("schedulers/N/memory_affinity." + attribute);
    }

    /// Five seconds pass, the probe measures, the policy decides.
    const std::vector<Decision>& update() {
        world.clock.advance(std::chrono::seconds(5));
        for (const auto& [pid, load] : loads)
            world.at<TestProbe>("probes/test_probe").set_process_load(pid, load, world.clock.now());
        world.at<Probe>("probes/numa_memory").run(world.clock.now());
        return decide();
    }
    const std::vector<Decision>& decide() {
        decisions = policy().decide({world.clock.now(), topology, subjects});
        return decisions;
    }
    void updates(int count) {
        for (int i = 0; i < count; ++i) update();
    }
    [[nodiscard]] const Decision* find(const std::string& unit) const {
        const auto at = std::ranges::find(decisions, Target::unit(unit), &Decision::target);
        return at == decisions.end() ? nullptr : &*at;
    }
    /// The CPUs last decided for a unit; "" if it is left alone.
    [[nodiscard]] std::string cpus(const std::string& unit) const {
        return find(unit) ? find(unit)->cpus.text() : "";
    }
    [[nodiscard]] std::string reason(const std::string& unit) const {
        return find(unit) ? find(unit)->reason : "";
    }
    [[nodiscard]] std::string tuning(const std::string& unit) const {
        return find(unit) ? find(unit)->tuning.text() : "";
    }

    World world{{&policies::kMemoryAffinity, &probes::kNumaMemory, &kTestProbe}};
    Topology whole;
    Topology topology;
    std::vector<Subject> subjects;
    std::map<Pid, std::int64_t> loads;
    std::vector<Decision> decisions;
};

} // namespace schedd::test
