// SystemdActuator: whole units, by PID 1 alone; it is the only writer of their control groups.
#pragma once

#include <map>
#include <set>
#include <string>

#include "components/placement/actuator.h"
#include "service/actuators/cpuset_hierarchy.h"
#include "service/actuators/file_watch.h"
#include "service/actuators/memory_moves.h"
#include "service/actuators/unit_manager.h"
#include "service/actuators/unit_settings.h"

namespace schedd::actuators {

using namespace schedd::placement;

class SystemdActuator final : public Actuator {
public:
    /// `hierarchy` is of version 2. `watch`, which may be null, outlives the actuator. `run_directory` is
    /// where systemd keeps what was set at run time; `migrate` moves the memory of a process.
    SystemdActuator(CpusetHierarchy hierarchy, UnitManager& manager, FileWatch* watch = nullptr,
                    std::string run_directory = "/run/systemd",
                    MemoryMoves::Migrate migrate = migrate_pages_of)
        : hierarchy_(std::move(hierarchy)), manager_(manager), watch_(watch),
          drop_ins_(std::move(run_directory)), settings_(hierarchy_, manager, drop_ins_),
          memory_(hierarchy_, std::move(migrate)) {}

    [[nodiscard]] std::string_view name() const override { return "systemd"; }
    [[nodiscard]] bool handles(Target::Sort sort) const override { return sort == Target::Sort::unit; }
    Result<CpuSet> current(const Target& target) override;
    /// "unit:ORIGIN:CPUS", the origin being unset, runtime, persistent or file; then ";TID/START=CPUS" for
    /// each task with an affinity of its own.
    Result<std::string> capture(const Target& target) override;
    Result<std::string> capture_child(const Target& parent, const std::string& parent_original,
                                      const CpuSet& parent_written, const Target& child) override;
    Outcome place(const Target& target, const CpuSet& cpus) override;
    /// PID 1 is asked only if the kernel does not show what was written, or once after forget_answers().
    Outcome check(const Target& target, const CpuSet& written) override;
    /// Adds " CPUWeight=ORIGIN:VALUE>WRITTEN CPUQuota=... AllowedMemoryNodes=..." to it.
    Result<std::string> capture_tuning(const Target& target, const std::string& original,
                                       const Tuning& tuning) override;
    [[nodiscard]] std::string told(const std::string& original) const override;
    [[nodiscard]] Tuning written_tuning(const std::string& original) const override {
        return UnitSettings::written(original);
    }
    Outcome tune(const Target& target, const Tuning& tuning, const std::string& original,
                 Outcome outcome) override;
    Outcome check_tuning(const Target& target, const Tuning& tuning, Outcome outcome) override;
    void forget_answers() override { confirmed_.clear(); }
    Outcome restore(const Target& target, const std::string& original) override;

private:
    Result<UnitState> look(const std::string& unit);
    [[nodiscard]] std::string who_set(const std::string& unit) const;
    [[nodiscard]] bool is_confirmed(const std::string& unit, const CpuSet& written);
    [[nodiscard]] Status fits(const std::string& group, const CpuSet& cpus) const;
    [[nodiscard]] bool is_last_beside(const std::string& group) const;
    Status allow(const std::string& unit, const std::string& group, const std::optional<CpuSet>& cpus);
    [[nodiscard]] Status can_start_on(const std::string& unit, const CpuSet& cpus);
    void remember(const Target& target, const std::string& group);
    [[nodiscard]] Outcome check_running(const std::string& group, const CpuSet& written) const;
    [[nodiscard]] std::optional<Pid> stray_task(const std::string& group, const CpuSet& cpus,
                                                int depth) const;
    Status put_back(const std::string& unit, const UnitState& now, const std::optional<CpuSet>& original);
    [[nodiscard]] Outcome told_of_memory(const std::string& unit, Outcome outcome);

    CpusetHierarchy hierarchy_;
    UnitManager& manager_;
    FileWatch* watch_;
    RuntimeDropIns drop_ins_;
    UnitSettings settings_;
    MemoryMoves memory_;
    std::map<std::string, std::string> groups_; // of placed units, while the kernel shows them there
    std::set<std::string> confirmed_;           // of those, the ones whose property is what was written
    std::map<std::string, UnitState> captured_; // what capture() was told; for the act that follows it
};

} // namespace schedd::actuators
