// UnitManager: what the systemd actuator asks of PID 1. The bus client implements it, tests fake it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "components/model/subject.h"

namespace schedd::actuators {

using namespace schedd::model;

/// What PID 1 says of a unit.
struct UnitState {
    std::string control_group;     // "/system.slice/foo.service", "" while it does not run
    std::optional<CpuSet> allowed; // AllowedCPUs, none if unset
};

/// What can be tuned of a unit.
enum class Setting { cpu_weight, cpu_quota, memory_nodes };

/// Calls block until PID 1 answers, at most for some seconds; after one that was not answered in time, calls
/// fail at once for a while, so that a hung PID 1 does not hold up the loop.
class UnitManager {
public:
    virtual ~UnitManager() = default;

    /// Fails with no_such_object (there is no such unit), io (no answer), denied.
    virtual Result<UnitState> look(const std::string& unit) = 0;
    /// Its AllowedCPUs alone, none if unset: one question, where look() is several. Fails as look() does, but
    /// a unit that is not there has none.
    virtual Result<std::optional<CpuSet>> allowed(const std::string& unit) = 0;
    /// The unit's drop-in files, in the order in which they count. Fails as look() does.
    virtual Result<std::vector<std::string>> drop_ins(const std::string& unit) = 0;
    /// CPUAffinity=, which the unit's processes are started with; empty without one, and for units of a type
    /// that has none. Fails as look() does.
    virtual Result<CpuSet> affinity(const std::string& /*unit*/) { return CpuSet(); }
    /// Sets AllowedCPUs at run time, none unsets it. PID 1 answers OK to much that it does not do: read back.
    /// Fails as look() does and with invalid_value.
    virtual Status allow_cpus(const std::string& unit, const std::optional<CpuSet>& cpus) = 0;
    /// Its CPUWeight, CPUQuotaPerSecUSec and AllowedMemoryNodes, none where unset. Fails as look() does.
    virtual Result<Tuning> tuning(const std::string& unit) = 0;
    /// Sets one of them at run time to what `values` says, or unsets it. Fails as allow_cpus() does.
    virtual Status set(const std::string& unit, Setting setting, const Tuning& values) = 0;
};

} // namespace schedd::actuators
