// Scheduling: the configured schedulers over a simulated machine - the daemon's own tree, engine, probes and
// policies, with simulated files, masks and time.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "components/kit/log.h"
#include "components/kit/rng.h"
#include "components/placement/engine.h"
#include "components/sim/actuator.h"
#include "components/sim/host.h"
#include "components/sim/run.h"
#include "service/config.h"

namespace schedd::service::simulate {

using namespace schedd::kit;

class VirtualClock final : public Clock {
public:
    [[nodiscard]] Time now() const override { return now_; }
    void set(Time now) { now_ = now; }

private:
    Time now_{};
};

/// Keeps each warning once, the first few of them.
class Notes final : public Log {
public:
    void write(Severity severity, std::string_view about, std::string_view message) override;
    void add(std::string note);
    [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }

private:
    std::vector<std::string> lines_;
};

class Scheduling final : public sim::Director, private placement::EngineListener {
public:
    /// Fails where the configuration asks for what is not there or not simulated; errors say file and line.
    /// `desired` and `scenario` outlive it.
    static Result<std::unique_ptr<Scheduling>> make(const Desired& desired, const sim::Scenario& scenario,
                                                    std::uint64_t seed);
    ~Scheduling() override;

    void begin(sim::SimCpus& cpus) override;
    void arrived(sim::SimTask& task, const sim::Job& job, Time now) override;
    void ended(Pid pid, Time now) override;
    [[nodiscard]] Time next_turn() const override { return next_turn_; }
    void turn(Time now) override;
    [[nodiscard]] std::uint64_t decisions() const override;
    /// What went wrong and was survived, and which members had nothing to do.
    [[nodiscard]] std::vector<std::string> notes() const;

private:
    struct World;
    Scheduling(const Desired& desired, const sim::Scenario& scenario, std::uint64_t seed);
    Status build(sim::SimCpus& cpus);
    void note_members(const ProcessInfo& process);
    void ejected(const std::string& scheduler, const std::string& why) override;
    void conflicted(const std::string& scheduler, const placement::Target& target,
                    const std::string& detail) override;

    const Desired& desired_;
    const sim::Scenario& scenario_;
    std::uint64_t seed_;
    Duration tick_;
    VirtualClock clock_;
    Notes notes_;
    std::set<std::string> in_conflict_; // schedulers
    std::set<std::string> unseen_;      // "SCHEDULER MEMBER", to which no job has belonged
    std::unique_ptr<World> world_;
    Time next_turn_{};
};

} // namespace schedd::service::simulate
