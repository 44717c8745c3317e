// UnitSettings: what of a unit is set beside its CPUs - weight, quota, memory nodes - and put back as it was.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "components/placement/actuator.h"
#include "service/actuators/cpuset_hierarchy.h"
#include "service/actuators/unit_manager.h"

namespace schedd::actuators {

using namespace schedd::placement;

/// Where a property came from before schedd, which decides what is left in systemd's files afterwards.
enum class Origin { unset, runtime, persistent, file };
std::string_view name_of(Origin origin);
/// Fails with invalid_value.
Result<Origin> parse_origin(std::string_view word);

/// systemd's drop-ins of properties set by bus calls: DIRECTORY/system.control/UNIT.d/50-PROPERTY.conf.
class RuntimeDropIns {
public:
    explicit RuntimeDropIns(std::string directory) : directory_(std::move(directory)) {}
    /// `files` are the unit's drop-ins, `is_set` whether the property has a value at all.
    [[nodiscard]] Origin origin_of(const std::string& unit, std::string_view property, bool is_set,
                                   const std::vector<std::string>& files) const;
    /// Removes those of the property; they count more than any other file and would outlive us.
    Status remove(const std::string& unit, std::string_view property) const;

private:
    [[nodiscard]] std::string path(const std::string& unit, std::string_view property,
                                   std::string_view folder) const;
    std::string directory_;
};

class UnitSettings {
public:
    /// All outlive it.
    UnitSettings(const CpusetHierarchy& hierarchy, UnitManager& manager, const RuntimeDropIns& drop_ins)
        : hierarchy_(hierarchy), manager_(manager), drop_ins_(drop_ins) {}

    /// " CPUWeight=ORIGIN:VALUE CPUQuota=ORIGIN:VALUE AllowedMemoryNodes=ORIGIN:VALUE".
    Result<std::string> capture(const std::string& unit);
    /// Sets what differs from `tuning` and puts back what it says no more. `captured` is a text with what
    /// capture() gave somewhere in it. Fails with what was refused, or not done though systemd said OK.
    Status tune(const std::string& unit, const std::string& group, const Tuning& tuning,
                std::string_view captured);
    /// Fails with not_applied, naming property and file, or held_by_other when somebody else has set it.
    Status check(const std::string& unit, const std::string& group, const Tuning& tuning);
    /// Puts all back. What somebody else has set since tune() is left to them.
    Status restore(const std::string& unit, const std::string& group, std::string_view captured);
    /// The unit is gone: takes away what would be there when it comes back.
    Status forget(const std::string& unit, std::string_view captured);

private:
    struct Original {
        Origin origin = Origin::unset;
        Tuning value;
    };
    static Result<std::map<Setting, Original>> parse(std::string_view captured);
    Status put_back(const std::string& unit, const std::string& group, Setting setting,
                    const Original& original, const Tuning& now);
    Status widen_memory(const std::string& unit, const std::string& group);
    [[nodiscard]] Status check_kernel(const std::string& group, const Tuning& tuning) const;

    const CpusetHierarchy& hierarchy_;
    UnitManager& manager_;
    const RuntimeDropIns& drop_ins_;
    std::map<std::string, Tuning> written_; // by unit, since the start
};

} // namespace schedd::actuators
