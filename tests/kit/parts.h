// Parts whose behaviour the test decides: a probe with sources set by hand, a policy that only counts.
#pragma once

#include <map>
#include <utility>

#include "components/model/node_set.h"
#include "components/model/policy.h"
#include "components/model/probe.h"

namespace schedd::test {

using namespace schedd::model;

/// test_probe: sources `load` (plain), `process_load` (by pid) and `memory` (plain), set by the test.
class TestProbe final : public Probe {
public:
    enum SourceIndex : std::size_t { kLoad, kProcessLoad, kMemory };
    static constexpr AttributeSpec kAttributes[] = {
        probe_period(),
        {.name = "gain",
         .unit = "x",
         .initial = "1",
         .minimum = 1,
         .maximum = 10,
         .doc = "Factor on what is set."},
        {.name = "mood",
         .kind = AttributeKind::text,
         .initial = "calm",
         .read_only = true,
         .doc = "A reported state."},
        publish("load"),
    };
    static constexpr SourceSpec kSources[] = {
        {.name = "load", .type = types::kLoad, .doc = "A load set by hand."},
        {.name = "process_load", .type = types::kLoadByPid, .doc = "Loads by pid, set by hand."},
        {.name = "memory", .type = types::kMemory, .doc = "A size set by hand."},
    };

    TestProbe(const Descriptor& type, std::string name, const Environment& env)
        : Probe(type, std::move(name), env) {
        adopt(std::make_unique<PlainSource>(kSources[kLoad]));
        adopt(std::make_unique<LookupSource>(
            kSources[kProcessLoad], [this](const Parameter& parameter) { return look(parameter); },
            [this](const Output::Visit& visit) {
                for (const auto& [pid, sample] : loads_)
                    visit(Parameter(static_cast<std::int64_t>(pid)), sample);
            }));
        adopt(std::make_unique<PlainSource>(kSources[kMemory]));
    }

    void measure(Time now) override {
        ++measured_;
        push(value_ * static_cast<std::int64_t>(unsigned_at(1)), now);
    }
    /// What measure() publishes.
    void set_value(std::int64_t value) { value_ = value; }
    void push(std::int64_t load, Time now) {
        plain(kLoad).set({.value = load, .time = now, .fresh_for = fresh_for()});
    }
    void push_memory(std::int64_t kib, Time now) {
        plain(kMemory).set({.value = kib, .time = now, .fresh_for = fresh_for()});
    }
    void clear_load() { plain(kLoad).clear(); }
    void set_process_load(Pid pid, std::int64_t load, Time now) {
        loads_[pid] = {.value = load, .time = now, .fresh_for = fresh_for()};
    }
    void set_trouble(std::string text) { note_trouble(std::move(text)); }
    [[nodiscard]] int measured() const { return measured_; }

private:
    [[nodiscard]] PlainSource& plain(std::size_t index) const {
        return static_cast<PlainSource&>(*children()[index]);
    }
    [[nodiscard]] std::optional<Sample> look(const Parameter& parameter) const {
        const auto* pid = std::get_if<std::int64_t>(&parameter);
        const auto at = pid ? loads_.find(static_cast<Pid>(*pid)) : loads_.end();
        if (at == loads_.end()) return std::nullopt;
        return at->second;
    }

    std::int64_t value_ = 0;
    std::map<Pid, Sample> loads_;
    int measured_ = 0;
};

inline const Descriptor kTestProbe{.name = "test_probe",
                                   .kind = Kind::probe,
                                   .doc = "Set by hand.",
                                   .make = make_part<TestProbe>,
                                   .attributes = TestProbe::kAttributes,
                                   .sources = TestProbe::kSources,
                                   .alias = "cpu"};

/// test_policy: the ports of the slides' load_balancing; counts what it is told and returns what the test
/// set.
class TestPolicy final : public Policy {
public:
    enum PortIndex : std::size_t { kNodeLoad, kProcessLoad };
    static constexpr AttributeSpec kAttributes[] = {
        {.name = "level",
         .kind = AttributeKind::choice,
         .initial = "auto",
         .choices = "auto core l3",
         .doc = "A choice."},
        {.name = "factor",
         .kind = AttributeKind::integer,
         .unit = "percent",
         .initial = "-5",
         .minimum = -100,
         .maximum = 100,
         .doc = "A signed number."},
        {.name = "quiet", .kind = AttributeKind::boolean, .initial = "false", .doc = "A flag."},
    };
    static constexpr PortSpec kPorts[] = {
        {.name = "node_load", .type = types::kLoad, .wants_updates = true, .doc = "Makes the policy due."},
        {.name = "process_load", .type = types::kLoadByPid, .doc = "Read only."},
    };
    using Policy::Policy;

    std::vector<Decision> decide(const View& view) override {
        ++decided_;
        seen_.assign(view.subjects.begin(), view.subjects.end());
        nodes_.assign(view.nodes.begin(), view.nodes.end());
        return decisions_;
    }
    std::vector<Move> moves(const View& view) override {
        has_movement_ = view.movement != nullptr;
        return moves_;
    }
    std::optional<Destination> place_task(const View& /*view*/, const NewTask& task) override {
        tasks_.push_back(task);
        return destination_;
    }
    [[nodiscard]] std::vector<std::string> considered(const View& view,
                                                      const Subject& subject) const override {
        if (!view.movement) return {};
        return {"it may move: " + view.movement->why_not(subject.target)};
    }
    void set_moves(std::vector<Move> moves) { moves_ = std::move(moves); }
    void set_destination(std::optional<Destination> destination) { destination_ = std::move(destination); }
    /// What it was asked about.
    [[nodiscard]] const std::vector<NewTask>& tasks() const { return tasks_; }
    [[nodiscard]] bool has_movement() const { return has_movement_; }
    void nodes_changed(NodesView nodes, NodesView joined, NodesView left) override {
        Policy::nodes_changed(nodes, joined, left);
        heard_ += NodeSet::of(nodes).text();
        for (const auto& node : joined) heard_ += " +" + text_of(node);
        for (const auto& node : left) heard_ += " -" + text_of(node);
        heard_ += '\n';
    }
    /// A line for each nodes_changed() since this was last asked: "0-2 +2 (gamma)".
    [[nodiscard]] std::string take_heard() { return std::exchange(heard_, {}); }
    [[nodiscard]] const std::vector<NodeRow>& nodes() const { return nodes_; }
    void told(const Port& port, const Sample* sample) override {
        Policy::told(port, sample);
        if (sample) ++updates_;
        else ++completions_;
    }
    void set_decisions(std::vector<Decision> decisions) { decisions_ = std::move(decisions); }
    [[nodiscard]] const std::vector<Subject>& seen() const { return seen_; }
    [[nodiscard]] int decided() const { return decided_; }
    [[nodiscard]] int updates() const { return updates_; }
    [[nodiscard]] int completions() const { return completions_; }
    using Policy::port;

private:
    std::vector<Move> moves_;
    std::optional<Destination> destination_;
    std::vector<NewTask> tasks_;
    bool has_movement_ = false;
    std::vector<Decision> decisions_;
    std::vector<Subject> seen_;
    std::vector<NodeRow> nodes_;
    std::string heard_;
    int decided_ = 0;
    int updates_ = 0;
    int completions_ = 0;
};

inline const Descriptor kTestPolicy{.name = "test_policy",
                                    .kind = Kind::policy,
                                    .doc = "Counts and obeys.",
                                    .make = make_part<TestPolicy>,
                                    .attributes = TestPolicy::kAttributes,
                                    .ports = TestPolicy::kPorts,
                                    .alias = "load_balancing"};

inline const Descriptor kOtherPolicy{.name = "other_policy",
                                     .kind = Kind::policy,
                                     .doc = "A second one to replace the first by.",
                                     .make = make_part<TestPolicy>,
                                     .attributes = TestPolicy::kAttributes,
                                     .ports = TestPolicy::kPorts};

/// pass_filter: passes everything, as the base class does.
inline constexpr AttributeSpec kPassAttributes[] = {
    {.name = "note", .unit = "x", .maximum = 1000, .doc = "Any number."}};
inline const Descriptor kPassFilter{.name = "pass_filter",
                                    .kind = Kind::filter,
                                    .doc = "Passes everything.",
                                    .make = make_part<Filter>,
                                    .attributes = kPassAttributes,
                                    .alias = "pass"};

} // namespace schedd::test
