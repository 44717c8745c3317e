// Tasks and their masks, and what the machine is made of; time passes in cpus_time.cpp.
#include "components/sim/cpus.h"

#include <algorithm>

namespace schedd::sim {

namespace {

Topology flat(const CpuSet& all) {
    Topology topology;
    for (int id = all.first(); id >= 0; id = all.next(id))
        topology.cpus.push_back({.id = id, .core = id, .l2 = id});
    topology.online = topology.allowed = all;
    return topology;
}

/// "/a/b" is in "/a/b", "/a" and "/".
bool is_within(std::string_view group, std::string_view outer) {
    if (outer == "/" || group == outer) return true;
    return group.size() > outer.size() && group.starts_with(outer) && group[outer.size()] == '/';
}

} // namespace

SimCpus::SimCpus(const CpuSet& all) : SimCpus(flat(all), {}, {}) {}

SimCpus::SimCpus(const Topology& topology, const KernelModel& kernel, const Costs& costs)
    : all_(topology.online), online_(topology.online), cpus_(topology.width()), llc_(cpus_.size()),
      base_speed_(cpus_.size(), 1), kernel_(kernel), costs_(costs), crowd_(cpus_.size()),
      weights_(cpus_.size()), core_busy_(cpus_.size()), l3_wanted_(cpus_.size()), node_cpus_(1),
      times_(cpus_.size()) {
    int fastest = 0;
    for (const auto& one : topology.cpus) fastest = std::max(fastest, one.kind);
    std::map<std::pair<int, int>, int> caches;
    std::map<int, int> cores; // numbers of a described machine may have gaps; the tables here have none
    for (const auto& one : topology.cpus) {
        if (one.id < 0) continue;
        const auto at = static_cast<std::size_t>(one.id);
        cpus_[at] = one;
        cpus_[at].core = cores.try_emplace(one.core, static_cast<int>(cores.size())).first->second;
        cpus_[at].numa = std::clamp(one.numa, 0, limits::kMaxNodes - 1);
        const auto cache = one.l3 >= 0 ? std::pair(0, one.l3) : std::pair(1, one.package);
        llc_[at] = caches.try_emplace(cache, static_cast<int>(caches.size())).first->second;
        if (fastest > 0)
            base_speed_[at] = (costs.slow_percent + (100.0 - costs.slow_percent) * one.kind / fastest) / 100;
        const auto node = static_cast<std::size_t>(cpus_[at].numa);
        if (node >= node_cpus_.size()) node_cpus_.resize(node + 1);
        ++node_cpus_[node];
    }
    node_wanted_.resize(node_cpus_.size());
}

SimTask& SimCpus::start(Pid pid, const CpuSet& mask, const Habit& habit, const std::string& group) {
    auto& task = tasks_[pid];
    task = {.pid = pid, .habit = habit, .born = lived(), .natural = mask, .mask = mask, .group = group};
    task.threads.assign(static_cast<std::size_t>(habit.threads), SimThread{.burst_left = habit.burst});
    return task;
}

SimTask& SimCpus::fork(Pid parent, Pid child) {
    auto& task = tasks_[child];
    task = tasks_.at(parent);
    task.pid = child;
    task.born = lived();
    task.run = task.wait = {};
    for (auto& thread : task.threads) thread.run = thread.wait = {};
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

const SimTask* SimCpus::find(Pid pid) const {
    const auto at = tasks_.find(pid);
    return at == tasks_.end() ? nullptr : &at->second;
}

void SimCpus::set_online(const CpuSet& online) {
    online_ = online & all_;
    ++masks_version_;
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

void SimCpus::set_group_mask(const std::string& group, const CpuSet& mask) {
    groups_[group] = mask;
    ++masks_version_;
}

CpuSet SimCpus::group_effective(std::string_view group) const {
    auto bound = online_;
    if (groups_.empty()) return bound;
    // from the top down: a group whose mask shares nothing with what is above it has all of that
    for (std::size_t end = 0; end != std::string_view::npos;) {
        end = end + 1 < group.size() ? group.find('/', end + 1) : std::string_view::npos;
        const auto at = groups_.find(group.substr(0, end));
        if (at != groups_.end() && at->second.intersects(bound)) bound &= at->second;
    }
    return bound;
}

CpuSet SimCpus::effective(const SimTask& task) const {
    const auto bound = group_effective(task.group);
    const auto own = task.mask & bound;
    return own.empty() ? bound : own;
}

const CpuSet& SimCpus::mask_of(SimTask& task) {
    if (task.kept_version != masks_version_) {
        task.kept = effective(task);
        task.kept_version = masks_version_;
    }
    return task.kept;
}

const GroupStall& SimCpus::stall_of(std::string_view group) {
    const auto at = std::ranges::find(stalls_, group, &GroupStall::group);
    if (at != stalls_.end()) return *at;
    ++stalls_version_;
    stalls_.push_back({.group = std::string(group), .run_ns = 0});
    return stalls_.back();
}

void SimCpus::follow_stalls(Duration time) {
    if (stalls_.empty()) return;
    struct Seen {
        int queued = 0;
        double run = 0;
    };
    std::vector<std::map<int, Seen>> seen(stalls_.size()); // of each group, by CPU
    for (const auto& runner : runners_) {
        auto& task = *runner.task;
        if (task.stalls_version != stalls_version_) {
            task.stalls.clear();
            for (std::size_t i = 0; i < stalls_.size(); ++i)
                if (is_within(task.group, stalls_[i].group)) task.stalls.push_back(static_cast<int>(i));
            task.stalls_version = stalls_version_;
        }
        for (const int stall : task.stalls) {
            auto& here = seen[static_cast<std::size_t>(stall)][runner.thread->cpu];
            ++here.queued;
            here.run += static_cast<double>(runner.share.count());
            stalls_[static_cast<std::size_t>(stall)].run_ns += static_cast<double>(runner.share.count());
        }
    }
    const auto all = static_cast<double>(time.count());
    for (std::size_t i = 0; i < stalls_.size(); ++i) {
        double some = 0;
        double full = 0;
        for (const auto& [id, here] : seen[i]) {
            if (crowd_at(id) < 2) continue;
            some += here.queued > 1 ? all : all - here.run;
            full += all - here.run;
        }
        if (seen[i].empty()) continue;
        // the kernel weighs each CPU by the time in which the group had work there
        stalls_[i].some_ns += some / static_cast<double>(seen[i].size());
        stalls_[i].full_ns += full / static_cast<double>(seen[i].size());
    }
}

} // namespace schedd::sim
