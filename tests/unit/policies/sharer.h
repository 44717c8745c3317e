// Sharer: an exclusive_cores policy in a tree with a machine and subjects that the test makes.
#pragma once

#include <algorithm>
#include <stdexcept>

#include "policies/policies.h"
#include "tests/kit/shapes.h"
#include "tests/kit/world.h"

namespace schedd::test {

inline CpuSet cpus_of(const std::string& list) { return CpuSet::parse(list).value(); }

struct Sharer {
    explicit Sharer(const Topology& machine) : whole(machine), topology(machine) { restart(); }

    /// The policy is made anew, as when the daemon is; what runs where stays.
    void restart() {
        if (world.tree.find(Path::parse("schedulers/X").value())) apply("remove -r schedulers/X");
        apply("create schedulers/X\ncreate schedulers/X/exclusive_cores\n");
    }
    void apply(const std::string& lines) {
        const auto done = world.apply(lines);
        if (!done) throw std::runtime_error(done.error().text());
    }
    /// One service that asks for `cpus` of its own; others with add().
    void unit(const std::string& name, int cpus, WorkClass work_class = WorkClass::normal) {
        add({Target::unit(name), "unit:" + name, 100, {}, {}, {work_class, cpus, true}});
    }
    void plain(Pid pid, int cpus = 0) {
        add({Target::process(pid, 1), "process:" + std::to_string(pid), 100, {pid}, {}, {.cpus = cpus}});
    }
    /// One who was there already is replaced. Without a mask it may run anywhere.
    void add(Subject subject) {
        if (subject.current.empty()) subject.current = topology.usable();
        const auto at = std::ranges::lower_bound(subjects, subject.target, {}, &Subject::target);
        if (at != subjects.end() && at->target == subject.target) *at = std::move(subject);
        else subjects.insert(at, std::move(subject));
    }
    void remove(const Target& target) {
        std::erase_if(subjects, [&](const Subject& subject) { return subject.target == target; });
    }
    Subject& subject(const Target& target) { return *std::ranges::find(subjects, target, &Subject::target); }
    void online(const std::string& list) { set_online(topology, whole, cpus_of(list)); }
    void set(const std::string& attribute, const std::string& value) {
        const auto done = policy().write_attribute(attribute, value);
        if (!done) throw std::runtime_error(done.error().text());
    }
    [[nodiscard]] Policy& policy() const { return world.at<Policy>("schedulers/X/exclusive_cores"); }
    [[nodiscard]] std::string read(const std::string& attribute) const {
        return world.read("schedulers/X/exclusive_cores." + attribute);
    }
    /// The policy decides, and the machine obeys.
    std::vector<Decision> decide() {
        decisions = policy().decide({world.clock.now(), topology, subjects});
        for (auto& who : subjects)
            if (const auto* decision = find(who.target)) who.current = decision->cpus & topology.usable();
        return decisions;
    }
    [[nodiscard]] const Decision* find(const Target& target) const {
        const auto at = std::ranges::find(decisions, target, &Decision::target);
        return at == decisions.end() ? nullptr : &*at;
    }
    [[nodiscard]] std::string cpus(const Target& target) const {
        const auto* decision = find(target);
        return decision ? decision->cpus.text() : "none";
    }
    [[nodiscard]] std::string cpus(const std::string& unit) const { return cpus(Target::unit(unit)); }
    [[nodiscard]] std::string cpus(Pid pid) const { return cpus(Target::process(pid, 1)); }
    [[nodiscard]] std::string reason(const Target& target) const {
        const auto* decision = find(target);
        return decision ? decision->reason : "none";
    }
    [[nodiscard]] std::string reason(const std::string& unit) const { return reason(Target::unit(unit)); }

    World world{{&policies::kExclusiveCores}};
    Topology whole;
    Topology topology;
    std::vector<Subject> subjects;
    std::vector<Decision> decisions;
};

} // namespace schedd::test
