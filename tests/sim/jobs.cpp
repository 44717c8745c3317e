// Playing a stream of jobs on the simulated machine and on an ideal one beside it.
#include "tests/sim/jobs.h"

#include <algorithm>
#include <cmath>

namespace schedd::sim {

using namespace std::chrono_literals;

namespace {

constexpr Duration kTick = 100ms;
double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

struct Job {
    double size = 0;
    double left = 0; // on the ideal machine
    Time arrived{};
    double response = 0;
    double ideal_response = 0;
};

double chance(kit::Rng& rng) { return static_cast<double>(rng.below(1U << 30U)) / (1U << 30U); }

/// CPUs idle while threads wait, the smaller of the two, by where the threads last ran.
int wasted(const SimCpus& cpus) {
    std::vector<int> crowd(static_cast<std::size_t>(limits::kMaxCpus));
    int threads = 0;
    for (const auto& [pid, task] : cpus.tasks())
        for (const auto& thread : task.threads)
            if (thread.cpu >= 0) ++crowd[static_cast<std::size_t>(thread.cpu)], ++threads;
    const auto busy = static_cast<int>(std::ranges::count_if(crowd, [](int on) { return on > 0; }));
    return std::min(cpus.online().count() - busy, threads - busy);
}

} // namespace

double pareto_size(const Stream& s, double u) {
    const double ratio = std::pow(s.smallest_s / s.largest_s, s.shape);
    return s.smallest_s / std::pow(1 - u * (1 - ratio), 1 / s.shape);
}

double found_size(const Stream& s, double u) {
    const double first = std::pow(s.smallest_s, 1 - s.shape);
    return std::pow(first + u * (std::pow(s.largest_s, 1 - s.shape) - first), 1 / (1 - s.shape));
}

double mean_size(const Stream& s) {
    const double low = std::pow(s.smallest_s, s.shape);
    const double ratio = std::pow(s.smallest_s / s.largest_s, s.shape);
    return low / (1 - ratio) * s.shape / (s.shape - 1) *
           (1 / std::pow(s.smallest_s, s.shape - 1) - 1 / std::pow(s.largest_s, s.shape - 1));
}

Quality run_jobs(SimWorld& w, const Stream& stream) {
    w.apply("write schedulers/LB/process_set.handle_all true");
    kit::Rng rng(stream.seed);
    const int cpus = w.cpus.online().count();
    const double gap = mean_size(stream) / (stream.load * cpus);
    std::vector<Job> jobs;
    std::map<Pid, std::size_t> running;
    std::vector<std::size_t> ideal;
    Quality q;
    double next = seconds(w.world.clock.now());
    const auto arrive = [&](double size) {
        running[w.start({})] = jobs.size();
        ideal.push_back(jobs.size());
        jobs.push_back({size, size, w.world.clock.now()});
    };
    for (int found = static_cast<int>(stream.load * cpus); found > 0; --found)
        arrive(found_size(stream, chance(rng)) * (1 - chance(rng)));
    const std::size_t total = jobs.size() + stream.jobs;
    const std::size_t first = jobs.size() + stream.warm_up;
    double wasted_ticks = 0;
    double running_ticks = 0;
    double widened_ticks = 0;
    std::size_t ticks = 0;
    while (jobs.size() < total || !running.empty() || !ideal.empty()) {
        const Time now = w.world.clock.now();
        for (; jobs.size() < total && next <= seconds(now); next -= gap * std::log(1 - chance(rng)))
            arrive(pareto_size(stream, chance(rng)));
        const double share = std::min(1.0, cpus / std::max(1.0, static_cast<double>(ideal.size())));
        w.run(kTick);
        const Time then = w.world.clock.now();
        for (const auto j : ideal) {
            jobs[j].left -= share * seconds(kTick);
            jobs[j].ideal_response = seconds(then - jobs[j].arrived);
        }
        std::erase_if(ideal, [&](std::size_t j) { return jobs[j].left <= 1e-9; });
        if (jobs.size() > first && jobs.size() < total) {
            ++ticks;
            wasted_ticks += wasted(w.cpus);
            running_ticks += static_cast<double>(running.size());
            widened_ticks += std::stod(w.world.read("schedulers/LB/load_balancing.widened"));
        }
        for (auto at = running.begin(); at != running.end();) {
            Job& job = jobs[at->second];
            job.response = seconds(then - job.arrived);
            if (seconds(w.cpus.find(at->first)->run) < job.size - 1e-9) {
                ++at;
                continue;
            }
            w.end(at->first);
            at = running.erase(at);
        }
    }
    for (std::size_t j = first; j < jobs.size(); ++j, ++q.counted) {
        q.slowdown += jobs[j].response / jobs[j].size;
        q.ideal_slowdown += jobs[j].ideal_response / jobs[j].size;
    }
    q.slowdown /= static_cast<double>(q.counted);
    q.ideal_slowdown /= static_cast<double>(q.counted);
    q.moves_per_job =
        std::stod(w.world.read("schedulers/LB/load_balancing.moves")) / static_cast<double>(jobs.size());
    q.idle_share = wasted_ticks / static_cast<double>(ticks) / cpus;
    q.widened_share = widened_ticks / running_ticks;
    return q;
}

} // namespace schedd::sim
