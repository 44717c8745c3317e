// Nested: a nest policy in a tree with a machine, members and loads that the test makes; decides second by
// second.
#pragma once

#include <algorithm>
#include <map>
#include <stdexcept>

#include "policies/policies.h"
#include "tests/kit/machine.h"
#include "tests/kit/world.h"

namespace schedd::test {

/// nest_probe: what the ports of a nest may be linked to, set by the test.
class NestProbe final : public Probe {
public:
    static constexpr AttributeSpec kAttributes[] = {probe_period()};
    static constexpr SourceSpec kSources[] = {
        {.name = "node_load", .type = types::kLoad, .doc = "The machine's."},
        {.name = "process_load", .type = types::kLoadByPid, .doc = "Loads of processes."},
        {.name = "process_wait", .type = types::kWaitByPid, .doc = "What of it is waiting."},
    };

    NestProbe(const Descriptor& type, std::string name, const Environment& env)
        : Probe(type, std::move(name), env) {
        adopt(std::make_unique<PlainSource>(kSources[0]));
        for (const auto& [spec, values] : {std::pair(&kSources[1], &loads), std::pair(&kSources[2], &waits)})
            adopt(std::make_unique<LookupSource>(
                *spec, [this, values](const Parameter& parameter) { return find(*values, parameter); },
                [](const Output::Visit&) {}));
    }
    void measure(Time now) override {
        now_ = now;
        auto& plain = static_cast<PlainSource&>(*children()[0]);
        if (node) plain.set({.value = *node, .time = now, .fresh_for = fresh_for()});
        else plain.clear();
    }

    // thousandths of a task, as of the last measurement
    std::optional<std::int64_t> node = 0;
    std::map<Pid, std::int64_t> loads;
    std::map<Pid, std::int64_t> waits;

private:
    [[nodiscard]] std::optional<Sample> find(const std::map<Pid, std::int64_t>& values,
                                             const Parameter& parameter) const {
        const auto* pid = std::get_if<std::int64_t>(&parameter);
        const auto at = pid ? values.find(static_cast<Pid>(*pid)) : values.end();
        if (at == values.end() || now_ == Time{}) return std::nullopt;
        return Sample{.value = at->second, .time = now_, .fresh_for = fresh_for()};
    }
    Time now_{};
};
inline const Descriptor kNestProbe{.name = "nest_probe",
                                   .kind = Kind::probe,
                                   .doc = "Set by hand.",
                                   .make = make_part<NestProbe>,
                                   .attributes = NestProbe::kAttributes,
                                   .sources = NestProbe::kSources};

struct Nested {
    explicit Nested(Topology machine, const std::string& links = "node_load process_load wait")
        : whole(std::move(machine)), topology(whole) {
        std::string recipe = "create probes/nest_probe\ncreate schedulers/N\ncreate schedulers/N/nest\n";
        const std::pair<const char*, const char*> ports[] = {{"node_load", "node_load"},
                                                             {"process_load", "process_load"},
                                                             {"process_wait", "wait"}};
        for (const auto& [source, port] : ports)
            if (links.find(port) != std::string::npos)
                recipe += fmt::format("link probes/nest_probe/{} schedulers/N/nest/{}\n", source, port);
        const auto made = world.apply(recipe);
        if (!made) throw std::runtime_error(made.error().text());
    }

    /// A process that wants `load` thousandths of a CPU; it may run anywhere unless said otherwise.
    void add(Pid pid, std::int64_t load, WorkClass work_class = WorkClass::normal,
             const std::string& cpus = "") {
        insert({Target::process(pid, 1),
                "exec:x",
                100,
                {pid},
                cpus.empty() ? topology.usable() : CpuSet::parse(cpus).value(),
                {.work_class = work_class}});
        probe().loads[pid] = load;
    }
    void add_unit(const std::string& unit, std::vector<Pid> pids, WorkClass work_class = WorkClass::normal) {
        insert({Target::unit(unit),
                "unit:" + unit,
                100,
                std::move(pids),
                topology.usable(),
                {.work_class = work_class}});
    }
    void remove(Pid pid) {
        std::erase_if(subjects, [&](const Subject& subject) { return subject.target.pid == pid; });
        probe().loads.erase(pid);
        probe().waits.erase(pid);
    }
    Subject& subject(Pid pid) {
        return *std::ranges::find(subjects, pid, [](const Subject& s) { return s.target.pid; });
    }
    void set(const std::string& attribute, const std::string& value) {
        const auto done = policy().write_attribute(attribute, value);
        if (!done) throw std::runtime_error(done.error().text());
    }
    [[nodiscard]] std::string get(const std::string& attribute) const {
        return world.read("schedulers/N/nest." + attribute);
    }
    [[nodiscard]] Policy& policy() const { return world.at<Policy>("schedulers/N/nest"); }
    [[nodiscard]] NestProbe& probe() const { return world.at<NestProbe>("probes/nest_probe"); }
    void load(Pid pid, std::int64_t load) { probe().loads[pid] = load; }

    /// A second passes, the probe measures, the policy decides, and the machine obeys.
    std::vector<Decision> round() {
        world.clock.advance(std::chrono::seconds(1));
        probe().measure(world.clock.now());
        return decide();
    }
    void rounds(int count) {
        for (int i = 0; i < count; ++i) round();
    }
    std::vector<Decision> decide() {
        decisions = policy().decide({world.clock.now(), topology, subjects});
        for (auto& subject : subjects) {
            const auto* decision = find(subject.target);
            if (decision && !subject.held) came_with_[subject.target] = subject.current;
            if (decision) subject.current = decision->cpus;
            else if (subject.held) subject.current = came_with_[subject.target] | topology.usable();
            subject.held = decision != nullptr;
        }
        return decisions;
    }
    /// The CPUs last decided, "" if it is left alone.
    [[nodiscard]] std::string cpus(const Target& target) const {
        const auto* decision = find(target);
        return decision ? decision->cpus.text() : "";
    }
    [[nodiscard]] std::string cpus(Pid pid) const { return cpus(Target::process(pid, 1)); }
    [[nodiscard]] std::string reason(Pid pid) const {
        const auto* decision = find(Target::process(pid, 1));
        return decision ? decision->reason : "";
    }
    [[nodiscard]] const Decision* find(const Target& target) const {
        const auto at = std::ranges::lower_bound(decisions, target, {}, &Decision::target);
        return at == decisions.end() || at->target != target ? nullptr : &*at;
    }

    World world{{&policies::kNest, &kNestProbe}};
    Topology whole;
    Topology topology;
    std::vector<Subject> subjects;
    std::vector<Decision> decisions;

private:
    void insert(Subject subject) {
        const auto at = std::ranges::lower_bound(subjects, subject.target, {}, &Subject::target);
        subjects.insert(at, std::move(subject));
    }
    std::map<Target, CpuSet> came_with_;
};

} // namespace schedd::test
