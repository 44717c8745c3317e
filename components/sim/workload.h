// Workload: kinds of jobs that arrive by chance or from a log, as one list of jobs made from one seed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "components/kit/clock.h"
#include "components/kit/result.h"
#include "components/kit/rng.h"

namespace schedd::sim {

using namespace schedd::kit;

/// How jobs of a kind come: independent of each other, many at once, more by day than by night, or as a log
/// says.
enum class Arrivals { poisson, bursts, diurnal, log };
/// How long they want a CPU: all the same, exponential, or many short and few very long ones.
enum class Sizes { fixed, exponential, pareto };

/// One row of a load. Where `load` is 0, `every` says how often one comes.
struct JobKind {
    std::string name;
    std::string group = "/"; // control group
    std::string unit = {};   // whose group that is; "" for none
    std::string executable = {};
    std::string work_class = "normal"; // latency, normal or batch; for the tables only
    Arrivals arrivals = Arrivals::poisson;
    int load = 0;     // percent of all CPUs that these jobs want in the long run
    Duration every{}; // mean time between two jobs
    int burst = 10;   // bursts: jobs that come at once
    Duration day{};   // diurnal: from one noon to the next
    int swing = 80;   // diurnal: percent by which noon is above, midnight below the mean
    Sizes sizes = Sizes::pareto;
    Duration mean{};  // fixed, exponential: CPU time of each thread
    Duration least{}; // pareto: bounds, and the exponent in percent
    Duration most{};
    int alpha_percent = 150;
    int threads = 1;
    int weight = 100;
    int memory = 0;
    int cache = 0;
};

/// One job: `threads` threads that want `size` of CPU time each.
struct Job {
    Time arrives{};
    Duration size{};
    int threads = 1;
    int kind = 0; // row of the load
};

/// A job of a log, before it is scaled.
struct LoggedJob {
    Duration submitted{};
    Duration run{};
    int processors = 1;
};

/// The mean CPU time of one thread of a job of this kind.
double mean_size_ns(const JobKind& kind);

/// Jobs of one kind that arrive before `duration`, in order of time. `capacity`: CPUs of the fastest kind
/// that the machine is worth. Fails with limit_exceeded beyond kSimJobs.
Result<std::vector<Job>> make_jobs(const JobKind& kind, int row, double capacity, Duration duration,
                                   Rng& rng);
/// The jobs of a log whose times are divided by `speedup`. Those that would start after `duration` are left
/// out; more processors than the machine has are taken for as many as it has.
std::vector<Job> jobs_of_log(const std::vector<LoggedJob>& log, int row, int speedup, int cpus,
                             Duration duration);
/// By time of arrival; of those that come together the row decides.
void sort_jobs(std::vector<Job>& jobs);

} // namespace schedd::sim
