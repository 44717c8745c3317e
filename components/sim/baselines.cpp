// Choosing CPUs without schedd.
#include "components/sim/baselines.h"

#include <algorithm>
#include <numeric>

namespace schedd::sim {

namespace {

/// Lets the kernel do all.
class Nothing final : public Director {
public:
    void begin(SimCpus& /*cpus*/) override {}
    void arrived(SimTask& /*task*/, const Job& /*job*/, Time /*now*/) override {}
};

/// CPUs in the order of the machine, cut into parts as large as the work of each kind; none is empty while
/// there are enough, kinds beyond that share the last.
class Split final : public Director {
public:
    explicit Split(const Scenario& scenario) : parts_(scenario.kinds.size()) {
        std::vector<double> work(parts_.size());
        for (const auto& job : scenario.jobs)
            work[static_cast<std::size_t>(job.kind)] += static_cast<double>(job.size.count()) * job.threads;
        const double all = std::accumulate(work.begin(), work.end(), 0.0);
        const auto cpus = scenario.topology.online;
        const int count = cpus.count();
        int given = 0;
        int cpu = cpus.first();
        double before = 0;
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            before += work[i];
            const int others = static_cast<int>(parts_.size() - i) - 1;
            const double share = all > 0 ? before / all : 1;
            int end = std::max(given + 1, static_cast<int>(share * count + 0.5));
            end = std::max(given + 1, std::min(end, count - others));
            for (; given < end && cpu >= 0; ++given, cpu = cpus.next(cpu)) parts_[i].add(cpu);
            if (parts_[i].empty()) parts_[i] = i > 0 ? parts_[i - 1] : cpus;
        }
    }
    void begin(SimCpus& /*cpus*/) override {}
    void arrived(SimTask& task, const Job& job, Time /*now*/) override {
        task.mask = task.natural = parts_[static_cast<std::size_t>(job.kind)];
        ++decisions_;
    }
    [[nodiscard]] std::uint64_t decisions() const override { return decisions_; }

private:
    std::vector<CpuSet> parts_;
    std::uint64_t decisions_ = 0;
};

/// Chooses a CPU for each thread. Its own choices since the loads were measured are counted, as far as it may
/// know loads at all.
class Dispatcher final : public Director {
public:
    Dispatcher(Baseline how, const CpuSet& online, std::uint64_t seed, Duration stale)
        : how_(how), rng_(seed), stale_(stale) {
        for (int cpu = online.first(); cpu >= 0; cpu = online.next(cpu)) cpus_.push_back(cpu);
    }
    void begin(SimCpus& /*cpus*/) override {
        queued_.assign(cpus_.empty() ? 0 : static_cast<std::size_t>(cpus_.back()) + 1, 0); // ascending
        seen_ = queued_;
    }
    void arrived(SimTask& task, const Job& /*job*/, Time /*now*/) override {
        for (auto& thread : task.threads) {
            thread.cpu = choose();
            ++queued_[static_cast<std::size_t>(thread.cpu)];
            where_[task.pid].push_back(thread.cpu);
        }
        ++decisions_;
    }
    void ended(Pid pid, Time /*now*/) override {
        for (const int cpu : where_[pid]) --queued_[static_cast<std::size_t>(cpu)];
        where_.erase(pid);
    }
    [[nodiscard]] Time next_turn() const override {
        return how_ == Baseline::least_loaded_stale ? next_look_ : kNever;
    }
    void turn(Time now) override {
        seen_ = queued_;
        next_look_ = now + stale_;
    }
    [[nodiscard]] std::uint64_t decisions() const override { return decisions_; }

private:
    int any() { return cpus_[rng_.below(cpus_.size())]; }
    int choose() {
        switch (how_) {
        case Baseline::round_robin: return cpus_[turn_++ % cpus_.size()];
        case Baseline::power_of_two: {
            const int first = any();
            const int second = any();
            const auto load = [&](int cpu) { return queued_[static_cast<std::size_t>(cpu)]; };
            return load(second) < load(first) ? second : first;
        }
        case Baseline::least_loaded: return least(queued_);
        case Baseline::least_loaded_stale: return least(seen_);
        default: return any();
        }
    }
    /// Of equals one by chance: the first would get all.
    int least(const std::vector<int>& loads) {
        int best = -1;
        std::uint64_t equals = 0;
        for (const int cpu : cpus_) {
            const int load = loads[static_cast<std::size_t>(cpu)];
            const int lowest = best < 0 ? load : loads[static_cast<std::size_t>(best)];
            if (best >= 0 && load > lowest) continue;
            equals = best < 0 || load < lowest ? 1 : equals + 1;
            if (equals == 1 || rng_.below(equals) == 0) best = cpu;
        }
        return best;
    }

    Baseline how_;
    Rng rng_;
    Duration stale_;
    std::vector<int> cpus_;
    std::vector<int> queued_; // threads by CPU number
    std::vector<int> seen_;   // the same at the last look
    std::map<Pid, std::vector<int>> where_;
    std::size_t turn_ = 0;
    Time next_look_{};
    std::uint64_t decisions_ = 0;
};

} // namespace

std::vector<Baseline> all_baselines() {
    return {Baseline::pull,
            Baseline::split,
            Baseline::random,
            Baseline::round_robin,
            Baseline::power_of_two,
            Baseline::least_loaded,
            Baseline::least_loaded_stale};
}

std::string_view name_of(Baseline baseline) {
    switch (baseline) {
    case Baseline::pull: return "linux_pull";
    case Baseline::split: return "static_split";
    case Baseline::random: return "random";
    case Baseline::round_robin: return "round_robin";
    case Baseline::power_of_two: return "power_of_two";
    case Baseline::least_loaded: return "least_loaded";
    case Baseline::least_loaded_stale: return "least_loaded_stale";
    }
    return "";
}

std::string_view doc_of(Baseline baseline) {
    switch (baseline) {
    case Baseline::pull: return "Idle CPUs pull below their L3, and across the machine periodically.";
    case Baseline::split: return "Each kind of jobs has CPUs of its own, in proportion to its work.";
    case Baseline::random: return "Each thread gets a CPU by chance and stays there.";
    case Baseline::round_robin: return "Each thread gets the next CPU and stays there.";
    case Baseline::power_of_two: return "Each thread gets the less loaded of two CPUs by chance.";
    case Baseline::least_loaded: return "Each thread gets the least loaded CPU; loads are known at once.";
    case Baseline::least_loaded_stale: return "The same with loads that are measured now and then.";
    }
    return "";
}

KernelModel kernel_of(Baseline baseline, const KernelModel& linux) {
    KernelModel kernel = linux;
    kernel.pulls = baseline == Baseline::pull || baseline == Baseline::split;
    return kernel;
}

std::unique_ptr<Director> make_director(Baseline baseline, const Scenario& scenario, std::uint64_t seed,
                                        Duration stale) {
    switch (baseline) {
    case Baseline::pull: return std::make_unique<Nothing>();
    case Baseline::split: return std::make_unique<Split>(scenario);
    default: return std::make_unique<Dispatcher>(baseline, scenario.topology.online, seed, stale);
    }
}

} // namespace schedd::sim
