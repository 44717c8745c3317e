// CgroupActuator: confines control groups by their cpuset, and processes by moving them to own child groups.
#pragma once

#include "components/placement/actuator.h"
#include "service/actuators/own_groups.h"

namespace schedd::actuators {

using namespace schedd::placement;

class CgroupActuator final : public Actuator {
public:
    explicit CgroupActuator(CpusetHierarchy hierarchy) : hierarchy_(hierarchy), own_(std::move(hierarchy)) {}

    [[nodiscard]] std::string_view name() const override { return "cgroup"; }
    [[nodiscard]] bool handles(Target::Sort sort) const override { return sort != Target::Sort::unit; }
    Result<CpuSet> current(const Target& target) override;
    /// A group: "cpus:" and the text of cpuset.cpus, which may be empty. A process: "group:" and the group of
    /// the main thread, ";TID:GROUP" for threads elsewhere, '|', and its affinity (which kernels before 6.2
    /// forget).
    Result<std::string> capture(const Target& target) override;
    Result<std::string> capture_child(const Target& parent, const std::string& parent_original,
                                      const CpuSet& parent_written, const Target& child) override;
    Outcome place(const Target& target, const CpuSet& cpus) override;
    Outcome check(const Target& target, const CpuSet& written) override;
    /// Of groups the partition alone: adds " partition=WAS>WRITTEN" to it.
    Result<std::string> capture_tuning(const Target& target, const std::string& original,
                                       const Tuning& tuning) override;
    [[nodiscard]] Tuning written_tuning(const std::string& original) const override;
    /// A partition that the kernel does not find valid is `overridden`, with its reason; the CPUs hold.
    Outcome tune(const Target& target, const Tuning& tuning, const std::string& original,
                 Outcome outcome) override;
    Outcome check_tuning(const Target& target, const Tuning& tuning, Outcome outcome) override;
    [[nodiscard]] std::string told(const std::string& original) const override;
    Outcome restore(const Target& target, const std::string& original) override;

private:
    Status may_change(const std::string& group) const;
    Status fits(const std::string& group, const CpuSet& cpus) const;
    Outcome place_group(const std::string& group, const CpuSet& cpus);
    Outcome check_group(const std::string& group, const CpuSet& written);
    Outcome restore_group(const std::string& group, const std::string& original);
    Status clear(const std::string& group);
    [[nodiscard]] bool is_partition(const std::string& group) const;
    Status leave_partition(const std::string& group, const std::string& original);

    Outcome place_process(const Target& target, const CpuSet& cpus);
    Outcome check_process(const Target& target, const CpuSet& written);
    Outcome restore_process(const Target& target, const std::string& original);
    [[nodiscard]] static std::string told_process(const std::string& original);
    [[nodiscard]] std::string nearest_existing(std::string group) const;

    CpusetHierarchy hierarchy_;
    OwnGroups own_;
};

} // namespace schedd::actuators
