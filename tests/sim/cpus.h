// SimCpus: CPUs that share their time among the threads they may run, on virtual time; the machine of the
// simulation.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "components/kit/clock.h"
#include "components/model/topology.h"
#include "components/model/value.h"

namespace schedd::sim {

using namespace schedd::model;

/// What a process does: `burst` of CPU time, then `pause` asleep, over and over. Zero burst: always runnable.
struct Habit {
    Duration burst{};
    Duration pause{};
    int threads = 1;
};

struct SimThread {
    int cpu = -1;
    Duration burst_left{};
    Time wakes_at{};
};

struct SimTask {
    Pid pid = 0;
    CpuSet natural;          // what it would have without schedd
    CpuSet mask;             // its own mask
    CpuSet written = {};     // as schedd last wrote it
    std::string group = "/"; // which may confine it further
    bool is_touched = false; // `mask` is schedd's doing, or inherited from one that was
    bool is_blocked = false; // sleeps for good
    Habit habit;
    std::vector<SimThread> threads = {};
    Duration run{};
    Duration wait{};
};

/// Behaves as Linux does: a task whose CPUs all go offline may run anywhere; a group's mask is stronger than
/// a task's; threads that may run on several CPUs are spread over them. SMT siblings count as whole CPUs.
class SimCpus {
public:
    explicit SimCpus(const CpuSet& all) : all_(all), online_(all) {}

    SimTask& start(Pid pid, const CpuSet& mask, const Habit& habit, const std::string& group = "/");
    /// A child with its parent's mask and habit. If that mask is not what schedd wrote (the kernel has
    /// widened it), the child has it from the kernel. REQUIRES: the parent lives.
    SimTask& fork(Pid parent, Pid child);
    void end(Pid pid) { tasks_.erase(pid); }
    [[nodiscard]] SimTask* find(Pid pid);
    [[nodiscard]] std::map<Pid, SimTask>& tasks() { return tasks_; }
    [[nodiscard]] const std::map<Pid, SimTask>& tasks() const { return tasks_; }

    void set_online(const CpuSet& online);
    [[nodiscard]] const CpuSet& online() const { return online_; }
    [[nodiscard]] const CpuSet& all() const { return all_; }

    /// A group's mask; all CPUs until it is set.
    [[nodiscard]] CpuSet group_mask(const std::string& group) const;
    void set_group_mask(const std::string& group, const CpuSet& mask) { groups_[group] = mask; }
    /// Where the task may run now; never empty while a CPU is online.
    [[nodiscard]] CpuSet effective(const SimTask& task) const;

    /// Time from `now` to `now + step`: each CPU's time is shared equally among its runnable threads.
    void advance(Time now, Duration step);

private:
    CpuSet all_;
    CpuSet online_;
    std::map<Pid, SimTask> tasks_;
    std::map<std::string, CpuSet> groups_;
};

} // namespace schedd::sim
