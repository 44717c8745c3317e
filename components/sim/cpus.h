// SimCpus: CPUs that share their time among the threads they may run, by discrete events on virtual time; the
// machine of every simulation.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
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
    bool once = false; // each thread ends after one burst, the process with the last of them
    int weight = 100;  // share of a CPU beside others there
    int memory = 0;    // percent of its time that it waits for memory, alone on its node
    int cache = 0;     // percent of an L3 that its working set fills
    int kind = 0;      // which row of a workload it is, for pictures and sums
};

struct SimThread {
    int cpu = -1;
    Duration burst_left{};
    Time wakes_at{};
    Duration run{};
    Duration wait{};
};

/// What each event looks at stands first, together.
struct SimTask {
    Pid pid = 0;
    bool is_touched = false; // `mask` is schedd's doing, or inherited from one that was
    bool is_blocked = false; // sleeps for good
    int home = -1;           // node of its memory: where it first ran
    Habit habit = {};
    std::vector<SimThread> threads = {};
    Duration born{}; // when, since the machine began to live
    Duration run{};
    Duration wait{};
    std::uint64_t kept_version = 0; // `kept` holds while neither its mask nor any group's has changed
    CpuSet kept = {};               // where it may run

    CpuSet natural = {};          // what it would have without schedd
    CpuSet mask = {};             // its own mask; once time has passed it is changed by set_mask() only
    CpuSet written = {};          // as schedd last wrote it
    std::string group = "/";      // which may confine it further, as those above it may
    std::vector<int> stalls = {}; // the groups it is in whose stalls are followed
    std::uint64_t stalls_version = 0;
};

/// What sharing and moving cost. The default costs nothing.
struct Costs {
    Duration move{};         // lost by a thread whenever it goes on elsewhere ...
    Duration cold_cache{};   // ... and also, if that is below another L3 ...
    Duration cold_node{};    // ... or on another node
    int smt_percent = 100;   // speed of each CPU of a core of which two or more are busy
    int slow_percent = 100;  // speed of the slowest kind of core; the fastest has 100, others lie between
    int remote_percent = 0;  // how much longer waiting for memory of another node takes
    int cache_percent = 0;   // how much longer work takes whose working set is in no cache at all
    int streams_percent = 0; // memory feeds threads that only wait for it, per 100 CPUs of a node; 0 = any
};

/// How the kernel spreads threads inside their masks.
struct KernelModel {
    bool pulls = true;         // false: a thread stays where it was put while it may
    Duration balance_period{}; // zero: perfectly, at every event; else idle CPUs pull below their L3 at once,
                               // and across the machine at each period
    int imbalance = 25;        // percent by which the other CPU must be more crowded then
};

/// A part of a CPU's time: what one thread got of the time that has passed.
struct Slice {
    const SimTask* task;
    int cpu;
    Duration run;
};

/// Looks on while time passes.
class CpuWatcher {
public:
    virtual ~CpuWatcher() = default;
    virtual void passed(Time /*from*/, Duration /*time*/, const std::vector<Slice>& /*slices*/) {}
    virtual void moved(Time /*now*/, const SimTask& /*task*/, int /*from*/, int /*to*/) {}
};

/// Sums over the whole life.
struct CpuTotals {
    Duration busy{};   // CPU time used
    Duration wasted{}; // CPU time idle while a thread waited elsewhere
    std::uint64_t moves = 0;
    std::uint64_t events = 0;
};

/// Time in which tasks of a group waited for a CPU, as PSI counts it, and what they used of CPUs.
struct GroupStall {
    std::string group;
    double run_ns = 0;
    double some_ns = 0;
    double full_ns = 0;
};

/// Behaves as Linux does: a task whose CPUs all go offline may run anywhere; a group's mask is stronger than
/// a task's; threads that may run on several CPUs are spread over them.
class SimCpus {
public:
    /// CPUs that share nothing, spread over perfectly.
    explicit SimCpus(const CpuSet& all);
    /// The online CPUs of `topology`.
    SimCpus(const Topology& topology, const KernelModel& kernel, const Costs& costs);

    SimTask& start(Pid pid, const CpuSet& mask, const Habit& habit, const std::string& group = "/");
    /// A child with its parent's mask and habit. If that mask is not what schedd wrote (the kernel has
    /// widened it), the child has it from the kernel. REQUIRES: the parent lives.
    SimTask& fork(Pid parent, Pid child);
    void end(Pid pid) { tasks_.erase(pid); }
    [[nodiscard]] SimTask* find(Pid pid);
    [[nodiscard]] const SimTask* find(Pid pid) const;
    [[nodiscard]] std::map<Pid, SimTask>& tasks() { return tasks_; }
    [[nodiscard]] const std::map<Pid, SimTask>& tasks() const { return tasks_; }
    /// Processes of `once` that have ended since this was last asked, with the time; they are gone.
    std::vector<std::pair<Pid, Time>> take_ended() { return std::exchange(ended_, {}); }

    static void set_mask(SimTask& task, const CpuSet& mask) {
        task.mask = mask;
        task.kept_version = 0;
    }
    void set_online(const CpuSet& online);
    [[nodiscard]] const CpuSet& online() const { return online_; }
    [[nodiscard]] const CpuSet& all() const { return all_; }

    /// A group's own mask; all CPUs until it is set.
    [[nodiscard]] CpuSet group_mask(const std::string& group) const;
    void set_group_mask(const std::string& group, const CpuSet& mask);
    /// Where the task may run now; never empty while a CPU is online.
    [[nodiscard]] CpuSet effective(const SimTask& task) const;
    /// What a group and those above it leave of the online CPUs.
    [[nodiscard]] CpuSet group_effective(std::string_view group) const;

    /// Time from `now` to `now + step`: each CPU's time is shared by weight among its runnable threads.
    void advance(Time now, Duration step);

    /// Runnable threads per CPU number, as of the last event.
    [[nodiscard]] const std::vector<int>& crowd() const { return crowd_; }
    /// Time that a CPU was busy, and that threads waited for it.
    struct CpuTimes {
        Duration run{};
        Duration wait{};
    };
    [[nodiscard]] const std::vector<CpuTimes>& times() const { return times_; }
    [[nodiscard]] const CpuTotals& totals() const { return totals_; }
    /// Time that has passed.
    [[nodiscard]] Duration lived() const { return lived_; }
    /// Followed from the first question on.
    [[nodiscard]] const GroupStall& stall_of(std::string_view group);
    void set_watcher(CpuWatcher* watcher) { watcher_ = watcher; }

private:
    struct Runner {
        SimTask* task;
        SimThread* thread;
        double speed;
        Duration share; // of the time that passes
    };
    [[nodiscard]] const Cpu& cpu(int id) const { return cpus_[static_cast<std::size_t>(id)]; }
    int& crowd_at(int id) { return crowd_[static_cast<std::size_t>(id)]; }
    const CpuSet& mask_of(SimTask& task);
    void gather(Time now);
    [[nodiscard]] bool is_idle_core(int id) const;
    [[nodiscard]] int place(const SimThread& thread, const CpuSet& mask) const;
    [[nodiscard]] int least_crowded(const CpuSet& mask) const;
    void spread(Time now);
    void pull(Time now, bool everywhere);
    Runner* busiest_for(int id, bool everywhere);
    void move(Time now, Runner& runner, int to);
    void weigh();
    void contend();
    [[nodiscard]] Duration until_next(Time now, Time end) const;
    void pass(Time now, Duration time);
    void sum(Duration time);
    void follow_stalls(Duration time);
    void finish(Time now);

    CpuSet all_;
    CpuSet online_;
    std::vector<Cpu> cpus_; // by number
    std::vector<int> llc_;  // domain of the last cache of each, where there is none the package
    std::vector<double> base_speed_;
    KernelModel kernel_;
    Costs costs_;
    std::map<Pid, SimTask> tasks_;
    std::map<std::string, CpuSet, std::less<>> groups_;
    std::uint64_t masks_version_ = 1;
    std::vector<std::pair<Pid, Time>> ended_;
    Time next_balance_{};

    // as of the last event
    std::vector<Runner> runners_;
    std::vector<int> crowd_;
    std::vector<std::int64_t> weights_;
    std::vector<int> core_busy_;
    std::vector<double> l3_wanted_;
    std::vector<double> node_wanted_;
    std::vector<int> node_cpus_;
    Time wake_{};

    std::vector<CpuTimes> times_;
    CpuTotals totals_;
    Duration lived_{};
    std::vector<GroupStall> stalls_;
    std::uint64_t stalls_version_ = 1;
    std::vector<Slice> slices_;
    CpuWatcher* watcher_ = nullptr;
};

} // namespace schedd::sim
