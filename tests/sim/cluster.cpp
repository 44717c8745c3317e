// The simulated cluster.
#include "tests/sim/cluster.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "components/probes/smoothed_load.h"

namespace schedd::test {

namespace {

double chance(kit::Rng& rng) { return static_cast<double>(rng.next() >> 11) * 0x1.0p-53; }

/// cluster_probe: what the chains of the legacy scheduler are linked to, measured by the simulation.
class ClusterProbe final : public Probe {
public:
    enum Index : std::size_t { kMean, kUpper, kSingle, kLastMove, kProcess };
    static constexpr AttributeSpec kAttributes[] = {probe_period()};
    static constexpr SourceSpec kSources[] = {
        {.name = "mean", .type = types::kLoad, .doc = "norm_mean_load."},
        {.name = "upper", .type = types::kLoad, .doc = "norm_upper_load."},
        {.name = "single", .type = types::kLoad, .doc = "norm_single_process_load."},
        {.name = "last_move", .type = types::kInstant, .doc = "last_migration."},
        {.name = "process", .type = types::kLoadByPid, .doc = "process_load: each job always wants a CPU."},
    };
    ClusterProbe(const Descriptor& type, std::string name, const Environment& env)
        : Probe(type, std::move(name), env) {
        for (std::size_t i = 0; i < kProcess; ++i) adopt(std::make_unique<PlainSource>(kSources[i]));
        adopt(std::make_unique<LookupSource>(
            kSources[kProcess],
            [this](const Parameter&) {
                return Sample{.value = std::int64_t{1000}, .time = environment().clock.now()};
            },
            [](const Output::Visit&) {}));
    }
    void measure(Time /*now*/) override {}
    void set(Index index, std::int64_t value, Time now) {
        static_cast<PlainSource&>(*children()[index]).set({.value = value, .time = now});
    }
};
const Descriptor kClusterProbe{.name = "cluster_probe",
                               .kind = Kind::probe,
                               .doc = "Simulated.",
                               .make = make_part<ClusterProbe>,
                               .attributes = ClusterProbe::kAttributes,
                               .sources = ClusterProbe::kSources};

constexpr std::string_view kRecipe =
    "create probes/cluster_probe\n"
    "create schedulers/C\n"
    "create schedulers/C/remote_clone_LB\n"
    "write schedulers/C/remote_clone_LB.room 100\n"
    "link probes/cluster_probe/upper schedulers/C/remote_clone_LB/node_load\n"
    "create schedulers/M\n"
    "create schedulers/M/mosix_load_balancer\n"
    "link 'cluster_probe/mean | threshold(threshold=1500) | freq_limit(min_interval=2000000000)' "
    "schedulers/M/mosix_load_balancer/local_load\n"
    "link cluster_probe/last_move schedulers/M/mosix_load_balancer/local_load/freq_limit/last_event\n"
    "link 'cluster_probe/upper | remote_cache' schedulers/M/mosix_load_balancer/remote_load\n"
    "link 'cluster_probe/single | remote_cache' schedulers/M/mosix_load_balancer/single_process_load\n"
    "link cluster_probe/process schedulers/M/mosix_load_balancer/process_load\n";

constexpr Duration kStart = std::chrono::hours(1);
Time time_of(double seconds) {
    return kStart + std::chrono::nanoseconds(static_cast<std::int64_t>(std::llround(seconds * 1e9)));
}

/// Everything may move; what is asked for is carried out by the simulation.
class Movable final : public Movement {
public:
    [[nodiscard]] std::string why_not(const Target& /*target*/) const override { return {}; }
    [[nodiscard]] std::optional<Time> last_start() const override { return last; }
    [[nodiscard]] int on_going() const override { return 0; }
    [[nodiscard]] std::uint64_t generation() const override { return 0; }
    std::optional<Time> last;
};

} // namespace

struct SimCluster::Node {
    Node(int number, double node_speed, std::uint64_t choices)
        : world({&kClusterProbe, &filters::kThreshold, &filters::kFreqLimit, &filters::kRemoteCache,
                 &policies::kMosixLoadBalancer, &policies::kRemoteCloneLb}),
          speed(node_speed), id(number) {
        const auto made = world.apply(kRecipe);
        if (!made) throw std::runtime_error(made.error().text());
        topology.cpus.push_back({});
        topology.online = topology.allowed = CpuSet::of(0);
        clone = &world.at<Policy>("schedulers/C/remote_clone_LB");
        mosix = &world.at<Policy>("schedulers/M/mosix_load_balancer");
        probe = &world.at<ClusterProbe>("probes/cluster_probe");
        for (auto* policy : {clone, mosix}) (void)policy->write_attribute("choices", AttributeValue(choices));
    }
    [[nodiscard]] View view() {
        subjects.clear();
        for (const auto job : running) {
            const auto pid = static_cast<Pid>(job + 1);
            subjects.push_back({Target::process(pid, 1), "handle_all", 100, {pid}, topology.online});
        }
        return {world.clock.now(), topology, subjects, world.cluster.rows, &movable};
    }
    void set_time(double seconds) { world.clock.set(time_of(seconds)); }

    World world;
    double speed;
    int id;
    Topology topology;
    std::vector<Subject> subjects;
    Movable movable;
    Policy* clone = nullptr;
    Policy* mosix = nullptr;
    ClusterProbe* probe = nullptr;
    probes::SmoothedLoad smoothed;
    std::vector<std::size_t> running; // jobs, ascending
    double at = 0;                    // simulated until then
    double runnable = 0;              // jobs x seconds since the last tick
    double last_arrival = -1e9;       // of one that was moved here
};

std::vector<ClusterJob> jobs_of(const ClusterLoad& load, const std::vector<double>& speeds, kit::Rng& rng) {
    double capacity = 0;
    for (const auto speed : speeds) capacity += speed;
    const double tail = load.shortest / load.longest; // of a Pareto that is cut off there
    const double mean = load.mean > 0 ? load.mean : -load.shortest * std::log(tail) / (1 - tail);
    const double rate = load.wanted * capacity / mean;
    std::vector<ClusterJob> jobs;
    for (double at = -std::log(1 - chance(rng)) / rate; at < load.seconds;
         at -= std::log(1 - chance(rng)) / rate) {
        const double part = chance(rng);
        const double work =
            load.mean > 0 ? -load.mean * std::log(1 - part) : load.shortest / (1 - part * (1 - tail));
        jobs.push_back({.arrives = at,
                        .work = std::max(work, 1e-3),
                        .home = static_cast<int>(rng.below(speeds.size()))});
    }
    return jobs;
}

SimCluster::SimCluster(std::vector<double> speeds, const ClusterRules& rules, std::uint64_t seed)
    : speeds_(std::move(speeds)), rules_(rules), rng_(seed) {
    for (std::size_t i = 0; i < speeds_.size(); ++i) {
        auto& node =
            *nodes_.emplace_back(std::make_unique<Node>(static_cast<int>(i), speeds_[i], rules_.choices));
        node.world.rng = kit::Rng(rng_.next());
        node.world.cluster.fill(static_cast<int>(speeds_.size()), static_cast<int>(i));
    }
}
SimCluster::~SimCluster() = default;

/// To `until`, sharing the CPU equally among those that run there.
void SimCluster::advance(Node& node, double until) {
    while (node.at < until) {
        const auto count = static_cast<double>(node.running.size());
        if (count == 0) break;
        const auto next =
            *std::ranges::min_element(node.running, {}, [&](auto job) { return jobs_[job].left; });
        const double rate = node.speed / count;
        const double step = std::min(until - node.at, jobs_[next].left / rate);
        for (const auto job : node.running) jobs_[job].left -= step * rate;
        node.at += step;
        node.runnable += count * step;
        std::erase_if(node.running, [&](auto job) {
            if (jobs_[job].left > 1e-9) return false;
            jobs_[job].ends = node.at;
            return true;
        });
    }
    node.at = until;
}

void SimCluster::advance(double until) {
    land(until);
    for (auto& node : nodes_) advance(*node, until);
    now_ = until;
}

/// Jobs that have arrived where they were moved to go on there.
void SimCluster::land(double until) {
    std::ranges::sort(travels_, {}, &Travel::arrives);
    std::erase_if(travels_, [&](const Travel& travel) {
        if (travel.arrives > until) return false;
        auto& node = *nodes_[static_cast<std::size_t>(travel.to)];
        advance(node, travel.arrives);
        node.running.insert(std::ranges::lower_bound(node.running, travel.job), travel.job);
        return true;
    });
}

ClusterResult SimCluster::run(std::vector<ClusterJob> jobs) {
    jobs_ = std::move(jobs);
    for (auto& job : jobs_) job.left = job.work;
    std::size_t next = 0;
    const auto is_busy = [&] {
        return next < jobs_.size() || !travels_.empty() ||
               std::ranges::any_of(nodes_, [](const auto& node) { return !node->running.empty(); });
    };
    for (double second = 0; is_busy(); second += 1) {
        for (; next < jobs_.size() && jobs_[next].arrives < second; ++next) {
            advance(std::max(jobs_[next].arrives, now_));
            const auto to = static_cast<std::size_t>(place(jobs_[next]));
            nodes_[to]->running.push_back(next); // the newest has the highest number
        }
        advance(second);
        tick();
    }
    ClusterResult result;
    for (const auto& job : jobs_) {
        result.slowdown += (job.ends - job.arrives) / job.work;
        result.response += job.ends - job.arrives;
    }
    const auto count = static_cast<double>(std::max<std::size_t>(jobs_.size(), 1));
    return {result.slowdown / count, result.response / count, static_cast<double>(moves_) / count};
}

int SimCluster::place(const ClusterJob& job) {
    switch (rules_.placing) {
    case Placing::nobody: return job.home;
    case Placing::random: return static_cast<int>(rng_.below(nodes_.size()));
    case Placing::round_robin: return static_cast<int>(turn_++ % nodes_.size());
    case Placing::greedy: return greedy();
    case Placing::clone: return ask_clone(job.home);
    }
    return job.home;
}

/// Where it would run fastest now, as nobody but the simulation can know.
int SimCluster::greedy() const {
    return (*std::ranges::min_element(nodes_, {},
                                      [](const auto& node) {
                                          return static_cast<double>(node->running.size() + 1) / node->speed;
                                      }))
        ->id;
}

int SimCluster::ask_clone(int home) {
    auto& node = *nodes_[static_cast<std::size_t>(home)];
    node.set_time(now_);
    const auto found = node.clone->place_task(node.view(), {});
    return found ? found->node : home;
}

/// A second is over: it is measured, told, and those that are told decide.
void SimCluster::tick() {
    for (auto& node : nodes_) {
        node->set_time(now_);
        const auto load = std::llround(std::exchange(node->runnable, 0) * 1000 / node->speed);
        node->smoothed.take(load);
    }
    if (now_ + 1e-9 >= next_tell_) tell();
    for (auto& node : nodes_) {
        const auto now = time_of(now_);
        const auto last = node->movable.last;
        node->probe->set(ClusterProbe::kUpper, node->smoothed.upper(), now);
        node->probe->set(ClusterProbe::kLastMove, last ? last->count() : 0, now);
        node->probe->set(ClusterProbe::kMean, node->smoothed.mean(), now);
        if (rules_.balances && node->mosix->due()) balance(*node);
    }
}

void SimCluster::tell() {
    next_tell_ = now_ + rules_.tell_period;
    const Duration period(std::llround(rules_.tell_period * 1e9));
    for (const auto& from : nodes_)
        for (auto& to : nodes_) {
            if (from == to) continue;
            auto& heard = to->world.cluster;
            heard.tell(from->id, "probes/cluster_probe/upper", from->smoothed.upper(), time_of(now_), period);
            heard.tell(from->id, "probes/cluster_probe/single", std::llround(1000 / from->speed),
                       time_of(now_), period);
        }
}

/// One outgoing in two seconds by the filter, and one incoming.
void SimCluster::balance(Node& node) {
    node.mosix->done();
    const auto view = node.view();
    (void)node.mosix->decide(view);
    for (const auto& move : node.mosix->moves(view)) {
        auto& to = *nodes_[static_cast<std::size_t>(move.to)];
        if (now_ - to.last_arrival < 2) continue;
        const auto job = static_cast<std::size_t>(move.target.pid - 1);
        std::erase(node.running, job);
        travels_.push_back({job, move.to, now_ + rules_.freeze});
        to.last_arrival = now_;
        node.movable.last = time_of(now_);
        ++moves_;
    }
}

} // namespace schedd::test
