// How time passes on simulated CPUs: shares, speeds, and the next event.
#include <algorithm>
#include <cmath>

#include "components/sim/cpus.h"

namespace schedd::sim {

namespace {

/// What is left below this is rounding, not work.
constexpr Duration kGrain{16};

} // namespace

void SimCpus::advance(Time now, Duration step) {
    const Time end = now + step;
    while (now < end) {
        gather(now);
        spread(now);
        weigh();
        const Duration time = until_next(now, end);
        pass(now, time);
        now += time;
        finish(now);
        ++totals_.events;
    }
}

/// Weight of all on each CPU, and the speed at which each thread's work gets done.
void SimCpus::weigh() {
    std::ranges::fill(weights_, 0);
    std::ranges::fill(core_busy_, 0);
    for (const auto& runner : runners_) {
        auto& weight = weights_[static_cast<std::size_t>(runner.thread->cpu)];
        if (weight == 0) ++core_busy_[static_cast<std::size_t>(cpu(runner.thread->cpu).core)];
        weight += std::max(1, runner.task->habit.weight);
    }
    bool is_sensitive = false;
    for (auto& runner : runners_) {
        const auto at = static_cast<std::size_t>(runner.thread->cpu);
        is_sensitive = is_sensitive || runner.task->habit.cache > 0 || runner.task->habit.memory > 0;
        runner.speed = base_speed_[at];
        if (runner.task->home < 0) runner.task->home = cpus_[at].numa;
        if (core_busy_[static_cast<std::size_t>(cpus_[at].core)] > 1)
            runner.speed *= costs_.smt_percent / 100.0;
    }
    if (is_sensitive) contend();
}

/// Caches are divided among the working sets that run below them, and memory among those that wait for it.
void SimCpus::contend() {
    std::ranges::fill(l3_wanted_, 0);
    std::ranges::fill(node_wanted_, 0);
    const auto share_of = [&](const Runner& runner) {
        return static_cast<double>(std::max(1, runner.task->habit.weight)) /
               static_cast<double>(weights_[static_cast<std::size_t>(runner.thread->cpu)]);
    };
    const auto memory_node = [&](const Runner& runner) {
        return static_cast<std::size_t>(std::max(0, runner.task->home));
    };
    for (const auto& runner : runners_) {
        const auto at = static_cast<std::size_t>(runner.thread->cpu);
        l3_wanted_[static_cast<std::size_t>(llc_[at])] += share_of(runner) * runner.task->habit.cache;
        node_wanted_[memory_node(runner)] += share_of(runner) * runner.task->habit.memory;
    }
    for (auto& runner : runners_) {
        const auto& habit = runner.task->habit;
        const auto at = static_cast<std::size_t>(runner.thread->cpu);
        double longer = 0;
        const double wanted = l3_wanted_[static_cast<std::size_t>(llc_[at])];
        if (habit.cache > 0 && wanted > 100) longer += costs_.cache_percent / 100.0 * (1 - 100 / wanted);
        if (habit.memory > 0) {
            const auto node = memory_node(runner);
            const double waits = habit.memory / 100.0;
            const double fed = static_cast<double>(costs_.streams_percent) * node_cpus_[node];
            if (fed > 0 && node_wanted_[node] > fed) longer += waits * (node_wanted_[node] / fed - 1);
            if (cpus_[at].numa != runner.task->home) longer += waits * costs_.remote_percent / 100.0;
        }
        runner.speed /= 1 + longer;
    }
}

Duration SimCpus::until_next(Time now, Time end) const {
    Time next = std::min(end, wake_);
    if (kernel_.pulls && kernel_.balance_period != Duration{} && next_balance_ > now)
        next = std::min(next, next_balance_);
    for (const auto& runner : runners_) {
        if (runner.task->habit.burst == Duration{}) continue;
        const auto weight = static_cast<double>(std::max(1, runner.task->habit.weight));
        const auto crowd = static_cast<double>(weights_[static_cast<std::size_t>(runner.thread->cpu)]);
        const auto left = static_cast<double>(runner.thread->burst_left.count());
        const double need = std::ceil(left / runner.speed) * (crowd / weight);
        if (need < static_cast<double>((next - now).count()))
            next = now + Duration(static_cast<std::int64_t>(std::ceil(need)));
    }
    return std::max(next - now, Duration{1});
}

void SimCpus::pass(Time now, Duration time) {
    slices_.clear();
    for (auto& runner : runners_) {
        auto& thread = *runner.thread;
        const auto at = static_cast<std::size_t>(thread.cpu);
        const std::int64_t weight = std::max(1, runner.task->habit.weight);
        // in two parts, for the product of a long time and a weight may not fit
        const auto share = Duration(time.count() / weights_[at] * weight +
                                    time.count() % weights_[at] * weight / weights_[at]);
        runner.share = share;
        thread.run += share;
        thread.wait += time - share;
        runner.task->run += share;
        runner.task->wait += time - share;
        times_[at].wait += time - share;
        if (watcher_) slices_.push_back({runner.task, thread.cpu, share});
        if (runner.task->habit.burst == Duration{}) continue;
        thread.burst_left -= Duration(std::llround(static_cast<double>(share.count()) * runner.speed));
    }
    sum(time);
    follow_stalls(time);
    if (watcher_) watcher_->passed(now, time, slices_);
}

void SimCpus::sum(Duration time) {
    lived_ += time;
    int idle = 0;
    int waiting = 0;
    for (int id = online_.first(); id >= 0; id = online_.next(id)) {
        const int crowd = crowd_at(id);
        if (crowd == 0) {
            ++idle;
            continue;
        }
        waiting += crowd - 1;
        times_[static_cast<std::size_t>(id)].run += time;
        totals_.busy += time;
    }
    totals_.wasted += time * std::min(idle, waiting);
}

/// Bursts that are done: the thread sleeps, or has ended.
void SimCpus::finish(Time now) {
    for (auto& runner : runners_) {
        auto& task = *runner.task;
        auto& thread = *runner.thread;
        if (task.habit.burst == Duration{} || thread.burst_left > kGrain) continue;
        if (!task.habit.once) {
            thread.burst_left = task.habit.burst;
            thread.wakes_at = now + task.habit.pause;
            continue;
        }
        thread.wakes_at = kNever;
        const auto has_ended = [](const SimThread& one) { return one.wakes_at == kNever; };
        if (std::ranges::all_of(task.threads, has_ended)) ended_.emplace_back(task.pid, now);
    }
    for (const auto& [pid, at] : ended_) tasks_.erase(pid);
}

} // namespace schedd::sim
