// SimActuator: writes masks of simulated tasks and groups, as the daemon's actuators write real ones.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "components/placement/actuator.h"
#include "components/placement/ledger.h"
#include "components/sim/cpus.h"

namespace schedd::sim {

/// Refuses what Linux refuses.
class SimActuator final : public placement::Actuator {
public:
    /// `units`: the control group of each unit that can be placed; with none, units are placed by process.
    explicit SimActuator(SimCpus& cpus, std::map<std::string, std::string> units = {})
        : cpus_(cpus), units_(std::move(units)) {}
    [[nodiscard]] std::string_view name() const override { return "sim"; }
    [[nodiscard]] bool handles(Target::Sort sort) const override {
        return sort != Target::Sort::unit || !units_.empty();
    }
    Result<CpuSet> current(const Target& target) override;
    Result<std::string> capture(const Target& target) override;
    Result<std::string> capture_child(const Target& parent, const std::string& parent_original,
                                      const CpuSet& parent_written, const Target& child) override;
    placement::Outcome place(const Target& target, const CpuSet& cpus) override;
    placement::Outcome check(const Target& target, const CpuSet& written) override;
    placement::Outcome restore(const Target& target, const std::string& original) override;

    /// What was asked for that must never be: an empty set, or one without an online CPU.
    [[nodiscard]] const std::vector<std::string>& nonsense() const { return nonsense_; }

private:
    placement::Outcome write(const Target& target, const CpuSet& cpus);
    /// The control group that is meant; "" for a process.
    [[nodiscard]] std::string group_of(const Target& target) const;
    SimCpus& cpus_;
    std::map<std::string, std::string> units_;
    std::vector<std::string> nonsense_;
};

/// A ledger's lines, kept in memory: nothing survives a simulation.
class MemoryStore final : public placement::LedgerStore {
public:
    Status append(std::string_view lines) override {
        text += lines;
        return {};
    }
    Status replace(std::string_view all) override {
        text = all;
        return {};
    }
    std::string text;
};

} // namespace schedd::sim
