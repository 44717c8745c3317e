// Where the simulated kernel puts threads inside their masks: at wake-up, when a CPU becomes idle, and
// periodically.
#include <algorithm>

#include "components/sim/cpus.h"

namespace schedd::sim {

int SimCpus::least_crowded(const CpuSet& mask) const {
    int best = mask.first();
    for (int id = best; id >= 0; id = mask.next(id))
        if (crowd_[static_cast<std::size_t>(id)] < crowd_[static_cast<std::size_t>(best)]) best = id;
    return best;
}

bool SimCpus::is_idle_core(int id) const { return core_busy_[static_cast<std::size_t>(cpu(id).core)] == 0; }

/// Where it was if that is idle; else an idle CPU below the same L3, a whole idle core first; else where it
/// was. One that is new goes to the least crowded CPU of all, as a fork does.
int SimCpus::place(const SimThread& thread, const CpuSet& mask) const {
    const bool may_stay = mask.contains(thread.cpu);
    if (may_stay && (crowd_[static_cast<std::size_t>(thread.cpu)] == 0 || !kernel_.pulls)) return thread.cpu;
    const int home = thread.cpu >= 0 ? llc_[static_cast<std::size_t>(thread.cpu)] : -1;
    int best = -1;
    int best_score = 0;
    for (int id = mask.first(); id >= 0; id = mask.next(id)) {
        const int crowd = crowd_[static_cast<std::size_t>(id)];
        const bool is_far = home >= 0 && llc_[static_cast<std::size_t>(id)] != home;
        const int score = crowd * 4 + (is_far ? 2 : 0) + (crowd > 0 || is_idle_core(id) ? 0 : 1);
        if (best >= 0 && score >= best_score) continue;
        best = id;
        best_score = score;
    }
    const bool stays = may_stay && (best_score / 4 > 0 || llc_[static_cast<std::size_t>(best)] != home);
    return stays ? thread.cpu : best;
}

/// Who can run now, each on a CPU that it may use.
void SimCpus::gather(Time now) {
    std::ranges::fill(crowd_, 0);
    std::ranges::fill(core_busy_, 0);
    runners_.clear();
    wake_ = kNever;
    std::vector<std::size_t> unplaced;
    for (auto& [pid, task] : tasks_) {
        if (task.is_blocked) continue;
        const auto& mask = mask_of(task);
        for (auto& thread : task.threads) {
            if (thread.wakes_at > now) {
                wake_ = std::min(wake_, thread.wakes_at);
                continue;
            }
            const bool was_running = mask.contains(thread.cpu) && thread.wakes_at != now;
            if (!was_running) unplaced.push_back(runners_.size());
            else if (++crowd_at(thread.cpu) == 1)
                ++core_busy_[static_cast<std::size_t>(cpu(thread.cpu).core)];
            runners_.push_back({&task, &thread, 1, {}});
        }
    }
    for (const auto index : unplaced) {
        auto& runner = runners_[index];
        const int to = place(*runner.thread, mask_of(*runner.task));
        if (++crowd_at(to) == 1) ++core_busy_[static_cast<std::size_t>(cpu(to).core)];
        if (runner.thread->cpu >= 0 && runner.thread->cpu != to) {
            --crowd_at(to); // move() counts on both sides
            ++crowd_at(runner.thread->cpu);
            move(now, runner, to);
        }
        runner.thread->cpu = to;
    }
}

void SimCpus::move(Time now, Runner& runner, int to) {
    auto& thread = *runner.thread;
    const int from = std::exchange(thread.cpu, to);
    --crowd_at(from);
    ++crowd_at(to);
    ++totals_.moves;
    if (watcher_) watcher_->moved(now, *runner.task, from, to);
    if (runner.task->habit.burst == Duration{}) return;
    thread.burst_left += costs_.move;
    if (llc_[static_cast<std::size_t>(from)] != llc_[static_cast<std::size_t>(to)])
        thread.burst_left += costs_.cold_cache;
    if (cpu(from).numa != cpu(to).numa) thread.burst_left += costs_.cold_node;
}

void SimCpus::spread(Time now) {
    if (!kernel_.pulls) return;
    if (kernel_.balance_period == Duration{}) {
        for (auto& runner : runners_) {
            const int better = least_crowded(mask_of(*runner.task));
            if (crowd_at(better) + 1 < crowd_at(runner.thread->cpu)) move(now, runner, better);
        }
        return;
    }
    const bool is_round = now >= next_balance_;
    if (is_round) next_balance_ = now + kernel_.balance_period;
    pull(now, is_round);
}

/// Each CPU takes one thread of the most crowded one that it may take from: idle ones at once, others in the
/// periodic round.
void SimCpus::pull(Time now, bool everywhere) {
    const auto is_crowded = [](int crowd) { return crowd > 1; };
    if (std::ranges::none_of(crowd_, is_crowded)) return;
    for (int id = online_.first(); id >= 0; id = online_.next(id)) {
        if (crowd_at(id) > 0 && !everywhere) continue;
        if (auto* runner = busiest_for(id, everywhere)) move(now, *runner, id);
    }
}

SimCpus::Runner* SimCpus::busiest_for(int id, bool everywhere) {
    Runner* best = nullptr;
    const int here = crowd_at(id);
    int most = here + 1;
    for (auto& runner : runners_) {
        const int from = runner.thread->cpu;
        if (crowd_at(from) <= most) continue;
        const bool is_near = llc_[static_cast<std::size_t>(from)] == llc_[static_cast<std::size_t>(id)];
        if (!is_near && (!everywhere || crowd_at(from) * 100 <= here * (100 + kernel_.imbalance))) continue;
        if (!mask_of(*runner.task).contains(id)) continue;
        best = &runner;
        most = crowd_at(from);
    }
    return best;
}

} // namespace schedd::sim
