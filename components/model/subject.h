// Subject: what a decision is about - one process, control group or unit - and what a policy may know of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "components/model/cpu_set.h"
#include "components/model/value.h"

namespace schedd::model {

/// What an actuator can act on. A process is named by pid and start time, so that a reused pid is another
/// target.
struct Target {
    enum class Sort { process, cgroup, unit };
    Sort sort = Sort::process;
    Pid pid = 0;                  // process
    std::uint64_t start_time = 0; // process: field 22 of proc/PID/stat
    std::string name;             // cgroup path such as "/batch", or unit name

    static Target process(Pid pid, std::uint64_t start_time) { return {Sort::process, pid, start_time, {}}; }
    static Target cgroup(std::string path) { return {Sort::cgroup, 0, 0, std::move(path)}; }
    static Target unit(std::string unit) { return {Sort::unit, 0, 0, std::move(unit)}; }

    auto operator<=>(const Target&) const = default;
    /// "process:123", "cgroup:/batch", "unit:foo.service".
    [[nodiscard]] std::string text() const;
};

/// What work is sensitive to: latency work wants a CPU at once, batch work wants to get done.
enum class WorkClass { latency, normal, batch };
std::string_view name_of(WorkClass work_class);

/// What a member asks for. Of a unit or control group, for itself; a member that stands for several processes
/// (a session, a rule) asks for all of them together.
struct Demand {
    WorkClass work_class = WorkClass::normal;
    int cpus = 0; // 0 = it does not say
    bool exclusive = false;
    bool operator==(const Demand&) const = default;
};

/// One row of the snapshot a policy decides on.
struct Subject {
    Target target;
    std::string member;         // the member of the process set it came in by, "session:77" or "handle_all"
    std::uint64_t weight = 100; // 1 to 10000
    std::vector<Pid> pids;      // the processes it stands for (one for a process)
    CpuSet current;             // where it may run now, as read from the machine
    Demand demand = {};
    std::string group = {}; // control group of the unit or cgroup member it is or is in; "" if not known
    bool held = false;      // schedd has touched it, so `current` is not what it came with
    bool operator==(const Subject&) const = default;
};

/// How a control group has its CPUs (cgroup version 2): `root`: no other group has them; `isolated`: and they
/// are in no scheduling domain, the kernel balances nothing onto them.
enum class Partition { root, isolated };
std::string_view name_of(Partition partition);

/// What is wanted of a unit or control group beside its CPUs; what is not said stays as it is.
struct Tuning {
    std::optional<std::uint64_t> cpu_weight;   // share beside its siblings, 1 to 10000 (CPUWeight)
    std::optional<std::uint64_t> cpu_quota_us; // CPU time per second, in us (CPUQuota)
    std::optional<CpuSet> memory_nodes;        // NUMA nodes (AllowedMemoryNodes)
    std::optional<Partition> partition = {};   // of control groups alone

    [[nodiscard]] bool empty() const { return !cpu_weight && !cpu_quota_us && !memory_nodes && !partition; }
    /// What only `other` says is taken over.
    void add(const Tuning& other);
    /// "CPUWeight=200 AllowedMemoryNodes=0".
    [[nodiscard]] std::string text() const;
    bool operator==(const Tuning&) const = default;
};

/// What a policy wants held for a subject. Kept until the policy returns another set of decisions.
struct Decision {
    Target target;
    CpuSet cpus;
    std::string reason; // fit for a person: what was seen, what was chosen
    Tuning tuning = {};
    CpuSet alone = {}; // of these CPUs, those that no other scheduler may give to others while it runs
};

} // namespace schedd::model
