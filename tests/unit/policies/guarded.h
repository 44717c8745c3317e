// Guarded: a pressure_guard policy in a tree with a machine, members and pressures that the test makes.
#pragma once

#include <algorithm>
#include <map>
#include <stdexcept>

#include "policies/policies.h"
#include "tests/kit/machine.h"
#include "tests/kit/world.h"

namespace schedd::test {

/// gauge_probe: what the ports of a pressure_guard may be linked to, set by the test.
class GaugeProbe final : public Probe {
public:
    static constexpr AttributeSpec kAttributes[] = {probe_period()};
    static constexpr SourceSpec kSources[] = {
        {.name = "group", .type = types::kPressureByCgroup, .doc = "Pressures of groups."},
        {.name = "wait", .type = types::kWaitByPid, .doc = "Delays of processes."},
        {.name = "node", .type = types::kPressure, .doc = "The machine's."},
        {.name = "load", .type = types::kLoadByPid, .doc = "Loads of processes."},
    };

    GaugeProbe(const Descriptor& type, std::string name, const Environment& env)
        : Probe(type, std::move(name), env) {
        adopt(std::make_unique<LookupSource>(
            kSources[0],
            [this](const Parameter& parameter) {
                const auto* path = std::get_if<std::string_view>(&parameter);
                return path ? find(groups, std::string(*path)) : std::nullopt;
            },
            [](const Output::Visit&) {}));
        adopt(std::make_unique<LookupSource>(
            kSources[1],
            [this](const Parameter& parameter) {
                const auto* pid = std::get_if<std::int64_t>(&parameter);
                return pid ? find(waits, static_cast<Pid>(*pid)) : std::nullopt;
            },
            [](const Output::Visit&) {}));
        adopt(std::make_unique<PlainSource>(kSources[2]));
        adopt(std::make_unique<LookupSource>(
            kSources[3],
            [this](const Parameter& parameter) {
                const auto* pid = std::get_if<std::int64_t>(&parameter);
                return pid ? find(loads, static_cast<Pid>(*pid)) : std::nullopt;
            },
            [](const Output::Visit&) {}));
    }
    void measure(Time now) override {
        now_ = now;
        auto& plain = static_cast<PlainSource&>(*children()[2]);
        if (node) plain.set({.value = *node, .time = now, .fresh_for = fresh_for()});
        else plain.clear();
    }

    // thousandths of the time, as of the last measurement
    std::map<std::string, std::int64_t> groups;
    std::map<Pid, std::int64_t> waits;
    std::map<Pid, std::int64_t> loads; // thousandths of a CPU, waiting included
    std::optional<std::int64_t> node;

private:
    template <class Map> std::optional<Sample> find(const Map& map, const typename Map::key_type& key) const {
        const auto at = map.find(key);
        if (at == map.end() || now_ == Time{}) return std::nullopt;
        return Sample{.value = at->second, .time = now_, .fresh_for = fresh_for()};
    }
    Time now_{};
};
inline const Descriptor kGaugeProbe{.name = "gauge_probe",
                                    .kind = Kind::probe,
                                    .doc = "Set by hand.",
                                    .make = make_part<GaugeProbe>,
                                    .attributes = GaugeProbe::kAttributes,
                                    .sources = GaugeProbe::kSources};

struct Guarded {
    explicit Guarded(const Shape& shape, const std::string& links = "group wait node")
        : whole(machine(shape)), topology(whole) {
        std::string recipe =
            "create probes/gauge_probe\ncreate schedulers/G\ncreate schedulers/G/pressure_guard\n";
        const std::pair<const char*, const char*> ports[] = {{"group", "pressure"},
                                                             {"wait", "wait"},
                                                             {"node", "node_pressure"},
                                                             {"load", "process_load"}};
        for (const auto& [source, port] : ports)
            if (links.find(source) != std::string::npos)
                recipe +=
                    fmt::format("link probes/gauge_probe/{} schedulers/G/pressure_guard/{}\n", source, port);
        const auto made = world.apply(recipe);
        if (!made) throw std::runtime_error(made.error().text());
    }

    /// A unit with one process, which may run anywhere unless said otherwise.
    void add(const std::string& unit, WorkClass work_class, const std::string& cpus = "") {
        const auto mask = cpus.empty() ? whole.online : CpuSet::parse(cpus).value();
        insert({Target::unit(unit),
                "unit:" + unit,
                100,
                {next_pid_++},
                mask,
                {.work_class = work_class},
                "/" + unit});
    }
    void add_process(Pid pid, WorkClass work_class) {
        insert({Target::process(pid, 1), "exec:x", 100, {pid}, whole.online, {.work_class = work_class}});
    }
    void remove(const std::string& unit) {
        std::erase_if(subjects, [&](const Subject& subject) { return subject.target.name == unit; });
    }
    Subject& subject(const std::string& unit) {
        return *std::ranges::find(subjects, unit, [](const Subject& s) { return s.target.name; });
    }
    void set(const std::string& attribute, const std::string& value) {
        const auto done = policy().write_attribute(attribute, value);
        if (!done) throw std::runtime_error(done.error().text());
    }
    [[nodiscard]] std::string get(const std::string& attribute) const {
        return world.read("schedulers/G/pressure_guard." + attribute);
    }
    [[nodiscard]] Policy& policy() const { return world.at<Policy>("schedulers/G/pressure_guard"); }
    [[nodiscard]] GaugeProbe& gauge() const { return world.at<GaugeProbe>("probes/gauge_probe"); }

    /// One second passes, the probe measures, the policy decides, and the machine obeys.
    std::vector<Decision> round() {
        world.clock.advance(std::chrono::seconds(1));
        gauge().measure(world.clock.now());
        return decide();
    }
    void rounds(int count) {
        for (int i = 0; i < count; ++i) round();
    }
    void rounds(int count, const std::string& unit, std::int64_t share) {
        gauge().groups["/" + unit] = share;
        rounds(count);
    }
    std::vector<Decision> decide() {
        decisions = policy().decide({world.clock.now(), topology, subjects});
        for (auto& subject : subjects) {
            const auto* decision = find(subject.target);
            if (decision && !subject.held) came_with_[subject.target] = subject.current;
            if (decision) subject.current = decision->cpus & topology.usable();
            else if (subject.held) subject.current = came_with_[subject.target];
            subject.held = decision != nullptr;
        }
        return decisions;
    }
    /// The CPUs last decided, "" if it is left alone.
    [[nodiscard]] std::string cpus(const std::string& unit) const {
        const auto* decision = find(Target::unit(unit));
        return decision ? decision->cpus.text() : "";
    }
    [[nodiscard]] std::string reason(const std::string& unit) const {
        const auto* decision = find(Target::unit(unit));
        return decision ? decision->reason : "";
    }
    [[nodiscard]] const Decision* find(const Target& target) const {
        const auto at = std::ranges::find(decisions, target, &Decision::target);
        return at == decisions.end() ? nullptr : &*at;
    }

    World world{{&policies::kPressureGuard, &kGaugeProbe}};
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
    Pid next_pid_ = 1000;
};

inline constexpr Shape kEightCpus{.cores_per_l3 = 8};

/// One latency, one normal and one batch member on eight cores.
struct Eight : Guarded {
    explicit Eight(const std::string& links = "group wait node") : Guarded(kEightCpus, links) {
        add("web.service", WorkClass::latency);
        add("mail.service", WorkClass::normal);
        add("batch.slice", WorkClass::batch);
    }
    void press(int updates, std::int64_t share) { rounds(updates, "web.service", share); }
    [[nodiscard]] std::string pool() const { return cpus("batch.slice"); }
};

} // namespace schedd::test
