// SimWorld: a real tree, real parts and a real engine on simulated CPUs, with the promises checked at every
// tick.
#pragma once

#include <deque>
#include <memory>

#include "components/placement/engine.h"
#include "components/sim/actuator.h"
#include "policies/policies.h"
#include "tests/kit/machine.h"
#include "tests/kit/world.h"

namespace schedd::sim {

/// Measures the simulated tasks as the cpu probe measures real ones: run + wait time over the period.
class SimProbe final : public Probe {
public:
    SimProbe(const Descriptor& type, std::string name, const Environment& environment);
    void attach(const SimCpus& cpus) { cpus_ = &cpus; }
    void measure(Time now) override;

private:
    [[nodiscard]] std::optional<Sample> look(const Parameter& parameter) const;
    const SimCpus* cpus_ = nullptr;
    struct Row {
        Duration wanted{};
        Time time{};
        std::optional<Sample> sample;
    };
    std::map<Pid, Row> rows_;
    std::optional<Time> measured_at_;
};
extern const Descriptor kSimProbe;

/// Times of a policy's promises, as they are set in the tree.
struct Promises {
    Duration settle = std::chrono::seconds(2);
    std::size_t move_budget = 6;
};

/// Follows the decisions and notes every broken promise.
class Watch final : public placement::EngineListener {
public:
    Watch(const kit::Clock& clock, const Topology& topology, Promises promises)
        : clock_(clock), topology_(topology), promises_(promises) {}
    void decided(const std::string& scheduler, const Target& target, const Decision& decision) override;
    void ejected(const std::string& scheduler, const std::string& why) override;
    void broken(std::string what);

    [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }
    /// Everything decided, one line each: equal journals are equal runs.
    [[nodiscard]] const std::string& journal() const { return journal_; }
    [[nodiscard]] std::size_t moves() const { return moves_; }

private:
    struct Seen {
        CpuSet cpus;
        std::optional<Time> put_at;
        std::uint64_t generation = 0;
        std::deque<Time> moves;
    };
    const kit::Clock& clock_;
    const Topology& topology_;
    Promises promises_;
    std::map<Target, Seen> seen_;
    std::vector<std::string> complaints_;
    std::string journal_;
    std::size_t moves_ = 0;
};

class SimWorld {
public:
    /// `level` of the load_balancing policy, several as "numa,l3". `source` is the chain on its node_load
    /// port.
    SimWorld(const test::Shape& shape, const std::string& level, const std::string& source = "cpu/node_load",
             Promises promises = {});

    /// Starts a process; an empty mask means all CPUs.
    Pid start(const Habit& habit, CpuSet mask = {}, const std::string& group = "/");
    Pid fork(Pid parent);
    /// Ends a process; `late`: schedd is told only after the next tick.
    void end(Pid pid, bool late = false);
    void set_online(const CpuSet& online);
    /// Virtual time passes in ticks of 100 ms; all promises are checked after each.
    void run(Duration time);
    void apply(const std::string& lines);

    /// After the scheduler was removed: complains about every mask that is not what it would be without
    /// schedd.
    void check_restored();
    /// With constant loads and one level: complains if a single move that the policy may make would help.
    void check_settled();

    test::World world;
    Topology whole;
    Topology topology;
    SimCpus cpus;
    SimActuator actuator;
    Watch watch;
    MemoryStore store;
    std::unique_ptr<placement::Ledger> ledger;
    std::unique_ptr<placement::Engine> engine;

private:
    void check_truth();
    [[nodiscard]] double load_of(const Target& target) const;
    [[nodiscard]] std::uint64_t attribute(std::string_view name) const;
    Level level_ = Level::automatic;
    bool has_one_level_ = true;
    Pid next_pid_ = 1000;
    std::vector<Pid> untold_;
    std::size_t nonsense_told_ = 0;
    std::uint64_t steps_seen_ = 0;
};

} // namespace schedd::sim
