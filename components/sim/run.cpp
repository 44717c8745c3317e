// The life of a load: arrivals, turns and ends in the order of time.
#include "components/sim/run.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace schedd::sim {

namespace {

constexpr Pid kFirstPid = 1000;
constexpr std::size_t kProgressEvery = 256; // arrivals

double seconds(Duration time) { return static_cast<double>(time.count()) / 1e9; }

Habit habit_of(const JobKind& kind, const Job& job) {
    return {.burst = job.size,
            .threads = job.threads,
            .once = true,
            .weight = kind.weight,
            .memory = kind.memory,
            .cache = kind.cache,
            .kind = job.kind};
}

Slowdowns sum_up(const Scenario& scenario, const std::vector<Time>& ends, Time last, int kind) {
    Slowdowns sums;
    std::vector<double> slow;
    double squares = 0;
    for (std::size_t i = 0; i < ends.size(); ++i) {
        const auto& job = scenario.jobs[i];
        if (kind >= 0 && job.kind != kind) continue;
        sums.ended += ends[i] != kNever ? 1U : 0U;
        const Duration lived = std::min(ends[i], last) - job.arrives;
        const auto took = static_cast<double>(lived.count());
        // one that has not ended may be younger than its work is long: no less than what is certain
        slow.push_back(std::max(took / static_cast<double>(job.size.count()), ends[i] == kNever ? 1.0 : 0.0));
        sums.mean += slow.back();
        squares += slow.back() * slow.back();
        if (i >= scenario.ideal.size()) continue;
        const auto ideal = ends[i] == kNever ? std::min(scenario.ideal[i], lived) : scenario.ideal[i];
        sums.over_ideal += ideal > Duration{} ? took / static_cast<double>(ideal.count()) : 1;
    }
    sums.jobs = slow.size();
    if (slow.empty()) return sums;
    const auto count = static_cast<double>(slow.size());
    sums.fairness = squares > 0 ? sums.mean * sums.mean / (count * squares) : 1;
    sums.mean /= count;
    sums.over_ideal /= count;
    std::ranges::sort(slow);
    const auto at = [&](double share) {
        return slow[std::min(slow.size() - 1, static_cast<std::size_t>(std::ceil(share * count)) - 1)];
    };
    sums.median = at(0.5);
    sums.p99 = at(0.99);
    return sums;
}

/// One run in progress.
class Life {
public:
    Life(const Scenario& scenario, const KernelModel& kernel, Director& director, CpuWatcher* watcher)
        : scenario_(scenario), director_(director), cpus_(scenario.topology, kernel, scenario.costs),
          ends_(scenario.jobs.size(), kNever), index_() {
        cpus_.set_watcher(watcher);
    }

    RunResult go(const Progress& progress) {
        director_.begin(cpus_);
        bool is_counted = false;
        const Time last = 2 * scenario_.duration;
        while (now_ < last) {
            take_arrivals(progress);
            if (now_ >= director_.next_turn()) director_.turn(now_);
            if (next_ == scenario_.jobs.size() && cpus_.tasks().empty()) break;
            Time until = std::min(last, std::max(director_.next_turn(), now_ + Duration(1)));
            if (next_ < scenario_.jobs.size()) until = std::min(until, scenario_.jobs[next_].arrives);
            if (!is_counted) until = std::min(until, std::max(scenario_.duration, now_ + Duration(1)));
            cpus_.advance(now_, until - now_);
            now_ = until;
            take_ends();
            if (!is_counted && now_ >= scenario_.duration) {
                during_ = cpus_.totals();
                is_counted = true;
            }
        }
        if (!is_counted) during_ = cpus_.totals();
        return result();
    }

private:
    void take_arrivals(const Progress& progress) {
        for (; next_ < scenario_.jobs.size() && scenario_.jobs[next_].arrives <= now_; ++next_) {
            const auto& job = scenario_.jobs[next_];
            const auto& kind = scenario_.kinds[static_cast<std::size_t>(job.kind)];
            auto& task = cpus_.start(next_pid_, cpus_.online(), habit_of(kind, job), kind.group);
            index_[next_pid_] = next_;
            next_pid_ += job.threads;
            director_.arrived(task, job, now_);
            if (progress && next_ % kProgressEvery == 0) progress(next_, scenario_.jobs.size());
        }
    }
    void take_ends() {
        for (const auto& [pid, at] : cpus_.take_ended()) {
            const auto job = index_.find(pid);
            ends_[job->second] = at;
            last_end_ = std::max(last_end_, at);
            index_.erase(job);
            director_.ended(pid, now_);
        }
    }
    RunResult result() const {
        RunResult result;
        result.all = sum_up(scenario_, ends_, now_, -1);
        for (std::size_t kind = 0; kind < scenario_.kinds.size(); ++kind)
            result.by_kind.push_back(sum_up(scenario_, ends_, now_, static_cast<int>(kind)));
        const double there = seconds(scenario_.duration) * scenario_.topology.online.count();
        if (there > 0) {
            result.utilisation = seconds(during_.busy) / there;
            result.wasted = seconds(during_.wasted) / there;
        }
        if (result.all.jobs > 0)
            result.moves_per_job =
                static_cast<double>(cpus_.totals().moves) / static_cast<double>(result.all.jobs);
        result.decisions = director_.decisions();
        result.events = cpus_.totals().events;
        const Time first = scenario_.jobs.empty() ? Time{} : scenario_.jobs.front().arrives;
        result.makespan = (index_.empty() ? last_end_ : now_) - first;
        return result;
    }

    const Scenario& scenario_;
    Director& director_;
    SimCpus cpus_;
    std::vector<Time> ends_;
    std::map<Pid, std::size_t> index_; // of the job of each process that runs
    std::size_t next_ = 0;
    Pid next_pid_ = kFirstPid;
    Time now_{};
    Time last_end_{};
    CpuTotals during_;
};

} // namespace

RunResult run(const Scenario& scenario, const KernelModel& kernel, Director& director, CpuWatcher* watcher,
              const Progress& progress) {
    return Life(scenario, kernel, director, watcher).go(progress);
}

Slowdowns slowdowns_of(const Scenario& scenario, const std::vector<Duration>& responses) {
    std::vector<Time> ends;
    for (std::size_t i = 0; i < responses.size(); ++i)
        ends.push_back(scenario.jobs[i].arrives + responses[i]);
    return sum_up(scenario, ends, kNever, -1);
}

double steps_of(const Scenario& scenario, const KernelModel& kernel) {
    const Time last = 2 * scenario.duration;
    const auto cpus = static_cast<double>(scenario.topology.cpus.size());
    std::vector<std::pair<Time, int>> changes; // of the number of threads
    for (std::size_t i = 0; i < scenario.ideal.size(); ++i) {
        const auto& job = scenario.jobs[i];
        changes.emplace_back(job.arrives, job.threads);
        if (const auto end = job.arrives + scenario.ideal[i]; end < last)
            changes.emplace_back(end, -job.threads);
    }
    std::ranges::sort(changes);
    double steps = 0;
    double threads = 0;
    Time now{};
    const auto wait = [&](Time until) {
        if (kernel.balance_period > Duration{})
            steps += seconds(until - now) / seconds(kernel.balance_period) * (threads + cpus);
        now = until;
    };
    for (const auto& [at, change] : changes) {
        wait(at);
        // threads come together and end one by one
        steps += (threads + cpus) * std::max(1, -change);
        threads += change;
    }
    if (threads > 0) wait(last);
    return steps;
}

std::vector<double> speeds_of(const Topology& topology, const Costs& costs) {
    int fastest = 0;
    std::map<int, int> siblings;
    for (const auto& cpu : topology.cpus) {
        fastest = std::max(fastest, cpu.kind);
        ++siblings[cpu.core];
    }
    std::vector<double> speeds;
    for (const auto& cpu : topology.cpus) {
        double speed = siblings[cpu.core] > 1 ? costs.smt_percent / 100.0 : 1;
        if (fastest > 0)
            speed *= (costs.slow_percent + (100.0 - costs.slow_percent) * cpu.kind / fastest) / 100;
        speeds.push_back(speed);
    }
    return speeds;
}

double capacity_of(const Topology& topology, const Costs& costs) {
    double capacity = 0;
    for (const double speed : speeds_of(topology, costs)) capacity += speed;
    return capacity;
}

} // namespace schedd::sim
