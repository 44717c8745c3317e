// Pooled: a pools policy in a tree with a machine, members and loads that the test makes; decides round by
// round.
#pragma once

#include <algorithm>
#include <map>
#include <stdexcept>

#include "components/model/group_usage.h"
#include "policies/policies.h"
#include "tests/kit/shapes.h"
#include "tests/kit/world.h"

namespace schedd::test {

/// What control groups use, in CPUs, set by hand.
class GroupProbe final : public Probe {
public:
    static constexpr AttributeSpec kAttributes[] = {probe_period()};
    static constexpr SourceSpec kSources[] = {
        {.name = "cgroup_usage", .type = types::kUsageByCgroup, .doc = "Set by hand."}};

    GroupProbe(const Descriptor& type, std::string name, const Environment& env)
        : Probe(type, std::move(name), env) {
        adopt(std::make_unique<LookupSource>(
            kSources[0],
            [this](const Parameter& parameter) -> std::optional<Sample> {
                const auto* group = std::get_if<std::string_view>(&parameter);
                const auto at = group ? used.find(std::string(*group)) : used.end();
                if (at == used.end()) return std::nullopt;
                return Sample{.value = static_cast<std::int64_t>(1000 * at->second),
                              .time = environment().clock.now(),
                              .fresh_for = fresh_for()};
            },
            [](const Output::Visit&) {}));
    }
    void measure(Time /*now*/) override {}

    std::map<std::string, double> used;
};
inline const Descriptor kGroupProbe{.name = "group_probe",
                                    .kind = Kind::probe,
                                    .doc = "Set by hand.",
                                    .make = make_part<GroupProbe>,
                                    .attributes = GroupProbe::kAttributes,
                                    .sources = GroupProbe::kSources};

struct Pooled {
    explicit Pooled(const Topology& machine, const std::string& pools = "")
        : whole(machine), topology(machine) {
        apply("create probes/test_probe");
        restart();
        set("pools", pools);
    }

    /// The policy is made anew, as when the daemon is; what runs where, and what is written, stays.
    void restart() {
        std::string written;
        if (world.tree.find(Path::parse("schedulers/P").value())) {
            written = get("pools");
            apply("remove -r schedulers/P");
        }
        apply("create schedulers/P\ncreate schedulers/P/pools\n"
              "link probes/test_probe/load schedulers/P/pools/node_load\n"
              "link probes/test_probe/process_load schedulers/P/pools/process_load\n");
        set("pools", written);
    }
    void apply(const std::string& lines) {
        const auto done = world.apply(lines);
        if (!done) throw std::runtime_error(done.error().text());
    }
    /// A unit with one process that wants `load` CPUs and may run anywhere. One of that name is replaced.
    void unit(const std::string& name, double load = 0, WorkClass work_class = WorkClass::normal) {
        remove(name);
        const Pid pid = next_pid_++;
        loads[pid] = load;
        const auto target = Target::unit(name);
        subjects.insert(std::ranges::lower_bound(subjects, target, {}, &Subject::target),
                        {target, "unit:" + name, 100, {pid}, topology.usable(), {.work_class = work_class}});
    }
    void remove(const std::string& name) {
        std::erase_if(subjects, [&](const Subject& subject) { return subject.target.name == name; });
    }
    Subject& subject(const std::string& name) {
        return *std::ranges::find(subjects, Target::unit(name), &Subject::target);
    }
    void want(const std::string& name, double load) { loads[subject(name).pids.front()] = load; }
    void online(const std::string& list) {
        set_online(topology, whole, CpuSet::parse(list).value());
        for (auto& who : subjects)
            if (!who.current.intersects(topology.usable())) who.current = topology.usable();
    }
    [[nodiscard]] Policy& policy() const { return world.at<Policy>("schedulers/P/pools"); }
    void set(const std::string& attribute, const std::string& value) {
        const auto done = policy().write_attribute(attribute, value);
        if (!done) throw std::runtime_error(done.error().text());
    }
    [[nodiscard]] std::string get(const std::string& attribute) const {
        return world.read("schedulers/P/pools." + attribute);
    }

    /// One second passes, loads are measured, the policy decides, and the machine obeys.
    std::vector<Decision> round() {
        world.clock.advance(std::chrono::seconds(1));
        auto& probe = world.at<TestProbe>("probes/test_probe");
        for (const auto& [pid, load] : loads)
            probe.set_process_load(pid, static_cast<std::int64_t>(1000 * load), world.clock.now());
        probe.push(1000, world.clock.now());
        return decide();
    }
    void rounds(int count) {
        for (int i = 0; i < count; ++i) round();
    }
    std::vector<Decision> decide() {
        decisions = policy().decide({world.clock.now(), topology, subjects});
        for (auto& who : subjects) {
            const auto* decision = find(who.target);
            who.held = decision != nullptr;
            if (decision) who.current = decision->cpus & topology.usable();
        }
        return decisions;
    }
    [[nodiscard]] const Decision* find(const Target& target) const {
        const auto at = std::ranges::find(decisions, target, &Decision::target);
        return at == decisions.end() ? nullptr : &*at;
    }
    /// The CPUs last decided, "none" if it is left alone.
    [[nodiscard]] std::string cpus(const std::string& unit) const {
        const auto* decision = find(Target::unit(unit));
        return decision ? decision->cpus.text() : "none";
    }
    /// Of these, what no other scheduler may give to others.
    [[nodiscard]] std::string alone(const std::string& unit) const {
        const auto* decision = find(Target::unit(unit));
        return decision ? decision->alone.text() : "none";
    }
    [[nodiscard]] std::string reason(const std::string& unit) const {
        const auto* decision = find(Target::unit(unit));
        return decision ? decision->reason : "none";
    }

    World world{{&policies::kPools, &kTestProbe, &kGroupProbe}};
    Topology whole;
    Topology topology;
    std::vector<Subject> subjects;
    std::map<Pid, double> loads; // CPUs wanted
    std::vector<Decision> decisions;

private:
    Pid next_pid_ = 1000;
};

} // namespace schedd::test
