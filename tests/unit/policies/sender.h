// Sender: a policy that sends work to other nodes, in a tree with loads, members and nodes that the test
// makes.
#pragma once

#include <stdexcept>

#include "policies/policies.h"
#include "tests/kit/fake_mover.h"
#include "tests/kit/world.h"

namespace schedd::test {

/// Probes that the test sets by hand (test_probe): `probes/NAME` for each name given; what a node tells of
/// one is its source `load`. The policy is at schedulers/S/<its name>.
struct Sender {
    World world;
    FakeMover mover;
    Topology topology;
    std::vector<Subject> subjects;
    std::string home;

    /// `links`: lines "PROBE/SOURCE PORT".
    Sender(const Descriptor& type, const std::vector<std::string>& probes,
           const std::vector<std::string>& links, int cpus = 1)
        : world({&kTestProbe, &type}), home("schedulers/S/" + std::string(type.name)) {
        for (int id = 0; id < cpus; ++id) topology.cpus.push_back({.id = id, .core = id});
        topology.online = topology.allowed = CpuSet::range(0, cpus - 1);
        std::string recipe = fmt::format("create schedulers/S\ncreate {}\n", home);
        for (const auto& probe : probes) recipe += fmt::format("create probes/{} test_probe\n", probe);
        for (const auto& link : links) {
            const auto blank = link.find(' ');
            recipe +=
                fmt::format("link probes/{} {}/{}\n", link.substr(0, blank), home, link.substr(blank + 1));
        }
        const auto made = world.apply(recipe);
        if (!made) throw std::runtime_error(made.error().text());
    }

    Policy& policy() { return world.at<Policy>(home); }
    TestProbe& probe(const std::string& name) { return world.at<TestProbe>("probes/" + name); }
    void write(const std::string& attribute, const std::string& value) {
        const auto done = world.apply(fmt::format("write {}.{} {}", home, attribute, value));
        if (!done) throw std::runtime_error(done.error().text());
    }
    std::string read(const std::string& attribute) const { return world.read(home + "." + attribute); }

    /// A member that wants so much, by `loads`.
    void add(Pid pid, std::int64_t load, const std::string& loads) {
        subjects.push_back({Target::process(pid, 1), "exec:x", 100, {pid}, topology.online});
        want(pid, load, loads);
    }
    void want(Pid pid, std::int64_t load, const std::string& loads) {
        probe(loads).set_process_load(pid, load, world.clock.now());
    }
    void remove(Pid pid) {
        std::erase_if(subjects, [&](const Subject& subject) { return subject.target.pid == pid; });
    }
    void tell(NodeId node, const std::string& name, std::int64_t value) {
        world.cluster.tell(node, "probes/" + name + "/load", value, world.clock.now());
    }
    void set(const std::string& name, std::int64_t value) { probe(name).push(value, world.clock.now()); }
    void pass(Duration time) { world.clock.advance(time); }

    [[nodiscard]] View view() const {
        return {world.clock.now(), topology, subjects, world.cluster.rows, &mover};
    }
    /// What it wants moved, as the engine asks: "11 -> 1".
    std::vector<std::string> moves() {
        policy().done();
        EXPECT_TRUE(policy().decide(view()).empty());
        last_moves = policy().moves(view());
        std::vector<std::string> all;
        for (const auto& move : last_moves) all.push_back(fmt::format("{} -> {}", move.target.pid, move.to));
        return all;
    }
    /// The node for new work; -1: none.
    NodeId place(std::vector<NodeId> refused = {}) {
        NewTask task;
        task.refused = std::move(refused);
        last_place = policy().place_task(view(), task);
        return last_place ? last_place->node : -1;
    }
    std::vector<std::string> considered(Pid pid) {
        const auto at = std::ranges::find(subjects, pid, [](const Subject& s) { return s.target.pid; });
        return policy().considered(view(), *at);
    }
    /// It tells its nodes, as the scheduler would.
    void nodes_changed(const std::vector<NodeRow>& left = {}) {
        policy().nodes_changed(world.cluster.rows, {}, left);
    }

    std::vector<Move> last_moves;
    std::optional<Destination> last_place;
};

} // namespace schedd::test
