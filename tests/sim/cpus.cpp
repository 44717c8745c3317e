// Sharing CPU time.
#include "tests/sim/cpus.h"

#include <algorithm>

namespace schedd::sim {

namespace {

int least_crowded(const CpuSet& mask, const std::vector<int>& crowd) {
    int best = mask.first();
    for (int cpu = best; cpu >= 0; cpu = mask.next(cpu))
        if (crowd[static_cast<std::size_t>(cpu)] < crowd[static_cast<std::size_t>(best)]) best = cpu;
    return best;
}

} // namespace

SimTask& SimCpus::start(Pid pid, const CpuSet& mask, const Habit& habit, const std::string& group) {
    auto& task = tasks_[pid];
    task = {.pid = pid, .natural = mask, .mask = mask, .group = group, .habit = habit};
    task.threads.assign(static_cast<std::size_t>(habit.threads), SimThread{-1, habit.burst, {}});
    return task;
}

SimTask& SimCpus::fork(Pid parent, Pid child) {
    auto& task = tasks_[child];
    task = tasks_.at(parent);
    task.pid = child;
    task.run = task.wait = {};
    if (!task.is_touched || task.mask != task.written) {
        task.natural = task.mask;
        task.is_touched = false;
    }
    return task;
}

SimTask* SimCpus::find(Pid pid) {
    const auto at = tasks_.find(pid);
    return at == tasks_.end() ? nullptr : &at->second;
}

void SimCpus::set_online(const CpuSet& online) {
    online_ = online & all_;
    for (auto& [pid, task] : tasks_) {
        if (task.mask.intersects(online_)) continue;
        task.mask = all_;
        if (!task.is_touched) task.natural = all_;
    }
}

CpuSet SimCpus::group_mask(const std::string& group) const {
    const auto at = groups_.find(group);
    return at == groups_.end() ? all_ : at->second;
}

CpuSet SimCpus::effective(const SimTask& task) const {
    auto bound = group_mask(task.group) & online_;
    if (bound.empty()) bound = online_;
    const auto own = task.mask & bound;
    return own.empty() ? bound : own;
}

void SimCpus::advance(Time now, Duration step) {
    std::vector<int> crowd(static_cast<std::size_t>(limits::kMaxCpus));
    struct Runner {
        SimTask* task;
        SimThread* thread;
        CpuSet mask;
    };
    std::vector<Runner> runners;
    for (auto& [pid, task] : tasks_) {
        if (task.is_blocked) continue;
        const auto mask = effective(task);
        for (auto& thread : task.threads)
            if (thread.wakes_at <= now) runners.push_back({&task, &thread, mask});
    }
    for (auto& runner : runners) {
        if (!runner.mask.contains(runner.thread->cpu)) runner.thread->cpu = least_crowded(runner.mask, crowd);
        ++crowd[static_cast<std::size_t>(runner.thread->cpu)];
    }
    for (auto& runner : runners) {
        auto& cpu = runner.thread->cpu;
        const int better = least_crowded(runner.mask, crowd);
        if (crowd[static_cast<std::size_t>(better)] + 1 >= crowd[static_cast<std::size_t>(cpu)]) continue;
        --crowd[static_cast<std::size_t>(cpu)];
        ++crowd[static_cast<std::size_t>(better)];
        cpu = better;
    }
    for (auto& runner : runners) {
        const Duration share = step / crowd[static_cast<std::size_t>(runner.thread->cpu)];
        runner.task->run += share;
        runner.task->wait += step - share;
        if (runner.task->habit.burst == Duration{}) continue;
        runner.thread->burst_left -= share;
        if (runner.thread->burst_left > Duration{}) continue;
        runner.thread->burst_left = runner.task->habit.burst;
        runner.thread->wakes_at = now + step + runner.task->habit.pause;
    }
}

} // namespace schedd::sim
