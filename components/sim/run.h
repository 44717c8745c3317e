// Run: the jobs of a load on a machine under something that places them, and what became of that in numbers.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "components/sim/cpus.h"
#include "components/sim/workload.h"

namespace schedd::sim {

/// What places jobs. Told of each as it comes; has its turn whenever it asks for one.
class Director {
public:
    virtual ~Director() = default;
    /// Before the first job. `cpus` outlives the run.
    virtual void begin(SimCpus& cpus) = 0;
    /// The task has just come and runs nowhere yet: its mask and its threads' CPUs may be set.
    virtual void arrived(SimTask& task, const Job& job, Time now) = 0;
    virtual void ended(Pid /*pid*/, Time /*now*/) {}
    [[nodiscard]] virtual Time next_turn() const { return kNever; }
    virtual void turn(Time /*now*/) {}
    /// Decisions that were carried out.
    [[nodiscard]] virtual std::uint64_t decisions() const { return 0; }
};

struct Scenario {
    Topology topology;
    std::vector<JobKind> kinds;
    std::vector<Job> jobs; // in order of arrival
    Costs costs;
    Duration duration{};         // in which jobs come; then what is there has as long again to end
    std::vector<Duration> ideal; // response time of each job under global processor sharing
};

/// Of all jobs, or of those of one kind. A slowdown is response time over the CPU time of a thread; a job
/// that has not ended counts with its age, as 1 at least. Numbers of no jobs are 0.
struct Slowdowns {
    std::size_t jobs = 0;
    std::size_t ended = 0;
    double mean = 0;
    double median = 0;
    double p99 = 0;
    double over_ideal = 0; // mean of response time over that under global processor sharing
    double fairness = 0;   // Jain's index of the slowdowns, 1 = all the same
};

struct RunResult {
    std::string name;
    std::string what; // one sentence
    Slowdowns all;
    std::vector<Slowdowns> by_kind;
    double utilisation = 0; // CPU time used over what there was while jobs came
    double wasted = 0;      // share of CPU time idle while a thread waited elsewhere, while jobs came
    double moves_per_job = 0;
    std::uint64_t decisions = 0;
    std::uint64_t events = 0;
    Duration makespan{}; // from the first arrival to the last end; of all if all have ended
};

/// Told now and then how many of the jobs have come.
using Progress = std::function<void(std::size_t done, std::size_t all)>;

/// One life. The same scenario and director give the same result.
RunResult run(const Scenario& scenario, const KernelModel& kernel, Director& director, CpuWatcher* watcher,
              const Progress& progress);

/// Of response times, one for each job of the scenario.
Slowdowns slowdowns_of(const Scenario& scenario, const std::vector<Duration>& responses);

/// What a run costs, about: at every event each thread that can run and each CPU is looked at. From the times
/// under global processor sharing, so a placement that leaves more waiting costs more.
double steps_of(const Scenario& scenario, const KernelModel& kernel);

/// CPUs of the fastest kind that the machine is worth: slow kinds and siblings count less.
double capacity_of(const Topology& topology, const Costs& costs);
/// Speed of each usable CPU with its siblings busy, the fastest kind alone on its core has 1.
std::vector<double> speeds_of(const Topology& topology, const Costs& costs);

} // namespace schedd::sim
