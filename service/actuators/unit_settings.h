// UnitSettings: what of a unit is set beside its CPUs - weight, quota, memory nodes - and put back as it was.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "components/placement/actuator.h"
#include "service/actuators/cpuset_hierarchy.h"
#include "service/actuators/runtime_drop_ins.h"
#include "service/actuators/unit_manager.h"

namespace schedd::actuators {

using namespace schedd::placement;

class UnitSettings {
public:
    /// All outlive it.
    UnitSettings(const CpusetHierarchy& hierarchy, UnitManager& manager, const RuntimeDropIns& drop_ins)
        : hierarchy_(hierarchy), manager_(manager), drop_ins_(drop_ins) {}

    /// " CPUWeight=ORIGIN:VALUE CPUQuota=ORIGIN:VALUE AllowedMemoryNodes=ORIGIN:VALUE".
    Result<std::string> capture(const std::string& unit);
    /// The text with what is about to be written behind each value: "CPUWeight=unset:>200". Values written
    /// before stay in front of it, the oldest of many go: after a crash any of them may be what is there.
    static Result<std::string> noted(std::string captured, const Tuning& tuning);
    /// What was there of what was written, in words: "CPUWeight unset"; "" if nothing was.
    static std::string told(std::string_view captured);
    /// What the text says was written last.
    static Tuning written(std::string_view captured);
    /// Sets what differs from `tuning` and puts back what it says no more. `captured` is a text that noted()
    /// gave for it, with others' words around. Fails with what was refused, or not done though systemd said
    /// OK.
    Status tune(const std::string& unit, const std::string& group, const Tuning& tuning,
                std::string_view captured);
    /// Fails with not_applied, naming property and file, or held_by_other when somebody else has set it.
    Status check(const std::string& unit, const std::string& group, const Tuning& tuning);
    /// Puts back what was written. What was not, or somebody else has set since, is left as it is.
    Status restore(const std::string& unit, const std::string& group, std::string_view captured);
    /// The unit is gone: takes away what would be there when it comes back.
    Status forget(const std::string& unit, std::string_view captured);

private:
    struct Original {
        Origin origin = Origin::unset;
        Tuning value;
        std::vector<Tuning> written = {}; // last written last
        [[nodiscard]] bool is_ours(const Tuning& now) const;
    };
    static Result<std::map<Setting, Original>> parse(std::string_view captured);
    Status put_back(const std::string& unit, const std::string& group, Setting setting,
                    const Original& original, const Tuning& now);
    [[nodiscard]] Result<CpuSet> nodes_above(const std::string& group) const;
    Status widen_memory(const std::string& unit, const std::string& group);
    [[nodiscard]] std::string who_set(const std::string& unit, Setting setting);
    [[nodiscard]] Status check_kernel(const std::string& group, const Tuning& tuning) const;

    const CpusetHierarchy& hierarchy_;
    UnitManager& manager_;
    const RuntimeDropIns& drop_ins_;
};

} // namespace schedd::actuators
