// Balancer: a load_balancing policy in a tree with a machine and subjects that the test makes; decides round
// by round.
#pragma once

#include <algorithm>
#include <map>

#include "policies/policies.h"
#include "tests/kit/machine.h"
#include "tests/kit/world.h"

namespace schedd::test {

struct Balancer {
    explicit Balancer(const Shape& shape, const std::string& level = "core")
        : whole(machine(shape)), topology(whole) {
        const auto made =
            world.apply("create probes/test_probe\n"
                        "create schedulers/LB\n"
                        "create schedulers/LB/load_balancing\n"
                        "link probes/test_probe/load schedulers/LB/load_balancing/node_load\n"
                        "link probes/test_probe/process_load schedulers/LB/load_balancing/process_load\n");
        if (!made) throw std::runtime_error(made.error().text());
        set("level", level);
    }

    /// Adds a process, or a control group with a name, that may run on `mask` and wants `load` thousandths
    /// per pid.
    void add(Pid pid, std::int64_t load, const std::string& mask, std::uint64_t weight = 100) {
        insert({Target::process(pid, 1), "handle_all", weight, {pid}, CpuSet::parse(mask).value()});
        loads[pid] = load;
    }
    void add_group(const std::string& path, std::vector<Pid> pids, const std::string& mask) {
        insert({Target::cgroup(path), "cgroup:" + path, 100, std::move(pids), CpuSet::parse(mask).value()});
    }
    void remove(Pid pid) {
        std::erase_if(subjects, [&](const Subject& s) { return s.target.pid == pid; });
        loads.erase(pid);
    }
    void set(const std::string& attribute, const std::string& value) {
        const auto done = policy().write_attribute(attribute, value);
        if (!done) throw std::runtime_error(done.error().text());
    }
    [[nodiscard]] Policy& policy() const { return world.at<Policy>("schedulers/LB/load_balancing"); }
    [[nodiscard]] TestProbe& probe() const { return world.at<TestProbe>("probes/test_probe"); }
    [[nodiscard]] std::string moves() const { return world.read("schedulers/LB/load_balancing.moves"); }

    /// One second passes, loads are measured, the policy decides, and the machine obeys.
    std::vector<Decision> round(Duration passed = std::chrono::seconds(1)) {
        world.clock.advance(passed);
        for (const auto& [pid, load] : loads) probe().set_process_load(pid, load, world.clock.now());
        if (has_node_load) probe().push(1000, world.clock.now());
        return decide();
    }
    std::vector<Decision> decide() {
        decisions = policy().decide({world.clock.now(), topology, subjects});
        for (auto& subject : subjects) {
            const auto* decision = find(subject.target);
            if (decision && !subject.held) came_with[subject.target] = subject.current;
            if (decision) subject.current = decision->cpus;
            else if (subject.held && came_with.contains(subject.target))
                subject.current = came_with[subject.target];
            subject.held = decision != nullptr;
        }
        return decisions;
    }
    void rounds(int count) {
        for (int i = 0; i < count; ++i) round();
    }
    /// The CPUs last decided for a process, "" if it is left alone.
    [[nodiscard]] std::string cpus(Pid pid) const {
        const auto* decision = find(Target::process(pid, 1));
        return decision ? decision->cpus.text() : "";
    }
    [[nodiscard]] std::string reason(Pid pid) const {
        const auto* decision = find(Target::process(pid, 1));
        return decision ? decision->reason : "";
    }
    [[nodiscard]] const Decision* find(const Target& target) const {
        const auto at = std::ranges::find(decisions, target, &Decision::target);
        return at == decisions.end() ? nullptr : &*at;
    }
    /// How many targets are held on exactly these CPUs.
    [[nodiscard]] std::ptrdiff_t count_on(const std::string& cpus) const {
        return std::ranges::count_if(decisions, [&](const Decision& d) { return d.cpus.text() == cpus; });
    }

    World world{{&policies::kLoadBalancing, &kTestProbe}};
    Topology whole;
    Topology topology;
    std::vector<Subject> subjects;
    std::map<Target, CpuSet> came_with; // of those that are held
    std::map<Pid, std::int64_t> loads;
    bool has_node_load = true;
    std::vector<Decision> decisions;

private:
    void insert(Subject subject) {
        const auto at = std::ranges::lower_bound(subjects, subject.target, {}, &Subject::target);
        subjects.insert(at, std::move(subject));
    }
};

} // namespace schedd::test
