// Running the simulation and checking what was promised.
#include "tests/sim/world.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

namespace schedd::sim {

using namespace std::chrono_literals;

namespace {

constexpr Duration kTick = 100ms;
constexpr Duration kStep = 20ms;

} // namespace

void Watch::broken(std::string what) {
    const auto at = fmt::format("at {} ms: {}", milliseconds_of(clock_.now()), what);
    if (complaints_.size() < 20) complaints_.push_back(at);
    journal_ += at + "\n";
}

void Watch::ejected(const std::string& scheduler, const std::string& why) {
    broken(scheduler + " was ejected: " + why);
}

void Watch::decided(const std::string& /*scheduler*/, const Target& target, const Decision& decision) {
    const Time now = clock_.now();
    journal_ += fmt::format("{} {} {} {}\n", milliseconds_of(now), target.text(), decision.cpus.text(),
                            decision.reason);
    if (decision.reason.empty()) broken(target.text() + " was given no reason");
    if (!decision.cpus.intersects(topology_.usable()))
        broken(target.text() + " was decided onto no usable CPU");
    auto& seen = seen_[target];
    const bool is_first = seen.cpus.empty();
    const bool is_placement = decision.reason.starts_with("placed");
    const bool same_machine = seen.generation == topology_.generation;
    if (!is_first && decision.cpus != seen.cpus) {
        ++moves_;
        const bool is_back = decision.reason.find(", again, as it ") != std::string::npos;
        const bool is_chosen = is_back || decision.reason.find(" took ") != std::string::npos;
        const bool is_widened = decision.reason.find("widened to ") != std::string::npos;
        if (is_widened && !is_chosen && same_machine && !seen.cpus.subset_of(decision.cpus))
            broken(target.text() + " was driven off a CPU by being widened: " + decision.reason);
        if (!is_chosen && !is_widened && same_machine)
            broken(target.text() + " changed CPUs without need: " + decision.reason);
        if (is_chosen && seen.put_at && now - *seen.put_at < promises_.settle)
            broken(fmt::format("{} was moved {} ms after it was last", target.text(),
                               milliseconds_of(now - *seen.put_at)));
        if (is_chosen) {
            while (!seen.moves.empty() && now - seen.moves.front() >= 60s) seen.moves.pop_front();
            seen.moves.push_back(now);
            if (seen.moves.size() > promises_.move_budget)
                broken(fmt::format("{} was moved {} times in a minute", target.text(), seen.moves.size()));
        }
        if (is_chosen || is_widened || is_placement) seen.put_at = now;
    }
    if (is_first && (is_placement || decision.reason.find(" took ") != std::string::npos)) seen.put_at = now;
    seen.cpus = decision.cpus;
    seen.generation = topology_.generation;
}

SimWorld::SimWorld(const test::Shape& shape, const std::string& level, const std::string& source,
                   Promises promises)
    : world({&kSimProbe, &policies::kLoadBalancing, &filters::kThreshold}), whole(test::machine(shape)),
      topology(whole), cpus(whole.online), actuator(cpus), watch(world.clock, topology, promises) {
    std::vector<std::string> complaints;
    ledger = std::make_unique<placement::Ledger>(store, "boot", "", complaints);
    engine = std::make_unique<placement::Engine>(world.tree, topology, actuator, *ledger);
    engine->set_listener(&watch);
    for (const Level known : {Level::core, Level::l3, Level::numa, Level::package})
        if (level == name_of(known)) level_ = known;
    has_one_level_ = level.find(',') == std::string::npos;
    apply("create probes/cpu\ncreate schedulers/LB\ncreate schedulers/LB/load_balancing\n"
          "link '" +
          source +
          "' schedulers/LB/load_balancing/node_load\n"
          "link probes/cpu/process_load schedulers/LB/load_balancing/process_load\n"
          "write schedulers/LB/load_balancing.level " +
          level + "\n" +
          fmt::format("write schedulers/LB/load_balancing.settle {}\n"
                      "write schedulers/LB/load_balancing.move_budget {}\n",
                      milliseconds_of(promises.settle), promises.move_budget));
    world.at<SimProbe>("probes/cpu").attach(cpus);
}

void SimWorld::apply(const std::string& lines) {
    const auto done = world.apply(lines);
    if (!done) throw std::runtime_error(done.error().text());
}

Pid SimWorld::start(const Habit& habit, CpuSet mask, const std::string& group) {
    const Pid pid = next_pid_++;
    cpus.start(pid, mask.empty() ? cpus.all() : mask, habit, group);
    world.host.set("sys/fs/cgroup/cpuset" + group + "/cgroup.procs", "");
    world.start({.pid = pid, .threads = habit.threads, .cgroup = group});
    return pid;
}

Pid SimWorld::fork(Pid parent) {
    const Pid pid = next_pid_++;
    const auto& task = cpus.fork(parent, pid);
    world.start({.pid = pid, .parent = parent, .threads = task.habit.threads, .cgroup = task.group});
    return pid;
}

void SimWorld::end(Pid pid, bool late) {
    cpus.end(pid);
    if (!late) return world.end(pid);
    world.proc.remove(pid);
    untold_.push_back(pid);
}

void SimWorld::set_online(const CpuSet& online) {
    test::set_online(topology, whole, online);
    cpus.set_online(topology.online);
    engine->topology_changed();
    engine->tick(world.clock.now());
    check_truth();
}

void SimWorld::run(Duration time) {
    for (Duration passed{}; passed < time; passed += kTick) {
        for (Duration step{}; step < kTick; step += kStep) {
            cpus.advance(world.clock.now(), kStep);
            world.clock.advance(kStep);
        }
        engine->tick(world.clock.now());
        check_truth();
        for (const Pid pid : std::exchange(untold_, {})) world.end(pid);
    }
}

/// What schedd says holds does hold, and nothing is without a CPU.
void SimWorld::check_truth() {
    for (; nonsense_told_ < actuator.nonsense().size(); ++nonsense_told_)
        watch.broken(actuator.nonsense()[nonsense_told_]);
    for (const auto& [pid, task] : cpus.tasks())
        if (!cpus.effective(task).intersects(cpus.online()))
            watch.broken(fmt::format("process:{} has no online CPU", pid));
    // what schedd says changes with its steps; in between it is compared once a second
    if (engine->steps() == steps_seen_ && engine->ticks() % 10 != 0) return;
    steps_seen_ = engine->steps();
    const auto all = engine->explain("");
    if (!all) return watch.broken("explain failed: " + all.error().text());
    for (const auto& one : *all) {
        if (one.outcome.state != placement::State::applied) continue;
        const auto now = actuator.current(one.target);
        if (!now) continue; // ended since
        if (!now->subset_of(one.outcome.written))
            watch.broken(fmt::format("{} is said to be on {}, but may run on {}", one.target.text(),
                                     one.outcome.written.text(), now->text()));
        if (!now->intersects(cpus.online())) watch.broken(one.target.text() + " is held on offline CPUs");
    }
}

void SimWorld::check_restored() {
    if (engine->held() != 0) watch.broken(fmt::format("{} targets are still held", engine->held()));
    for (const auto& [pid, task] : cpus.tasks()) {
        if (task.mask != task.natural)
            watch.broken(fmt::format("process:{} was left on {}, it had {}", pid, task.mask.text(),
                                     task.natural.text()));
        if (cpus.group_mask(task.group) != cpus.all())
            watch.broken("group " + task.group + " was left narrow");
    }
}

double SimWorld::load_of(const Target& target) const {
    int threads = 0;
    for (const auto& [pid, task] : cpus.tasks())
        if (!task.is_blocked &&
            (target.sort == Target::Sort::cgroup ? task.group == target.name : pid == target.pid))
            threads += task.habit.threads;
    return threads;
}

std::uint64_t SimWorld::attribute(std::string_view name) const {
    return std::get<std::uint64_t>(world.at("schedulers/LB/load_balancing").read_attribute(name).value());
}

/// Tries all moves between all groups of domains; the same rules as the policy's, by exhaustion instead of by
/// search.
void SimWorld::check_settled() {
    if (!has_one_level_) return; // what is widened is in no single domain; that moves end is checked anyway
    const auto domains = topology.domains(level_);
    struct Placed {
        Target target;
        double load;
        std::size_t domain;
    };
    std::vector<Placed> placed;
    const auto all = engine->explain("");
    for (const auto& one : all.value())
        for (std::size_t d = 0; d < domains.size(); ++d)
            if (one.verdict.cpus == domains[d].cpus) placed.push_back({one.target, load_of(one.target), d});

    // groups[g] = domains in it: first the nodes against each other, then the domains of each node
    const auto try_all = [&](const std::vector<std::vector<std::size_t>>& groups, double threshold,
                             std::string_view what) {
        std::vector<double> load(groups.size());
        std::vector<int> size(groups.size());
        std::vector<std::size_t> group_of(domains.size(), SIZE_MAX);
        double total = 0;
        int count = 0;
        for (std::size_t g = 0; g < groups.size(); ++g)
            for (const auto d : groups[g]) {
                group_of[d] = g;
                size[g] += domains[d].cpus.count();
                count += domains[d].cpus.count();
                for (const auto& p : placed)
                    if (p.domain == d) load[g] += p.load, total += p.load;
            }
        const double least_gain =
            static_cast<double>(attribute("hysteresis")) / 100 * total / static_cast<double>(groups.size());
        for (const auto& p : placed)
            for (std::size_t to = 0; to < groups.size(); ++to) {
                const auto from = group_of[p.domain];
                if (from == SIZE_MAX || from == to ||
                    p.load * 1000 < static_cast<double>(attribute("min_load")))
                    continue;
                const double from_share = total / count * size[from];
                const double to_share = total / count * size[to];
                const double push = load[from] - from_share;
                const double pull = to_share - load[to];
                if (push < 1e-6 || pull < 1e-6 ||
                    (push < threshold * from_share + 1e-6 && pull < threshold * to_share + 1e-6))
                    continue;
                const double gain = push + pull - std::abs(push - p.load) - std::abs(pull - p.load);
                if (gain > least_gain + 1e-6 && gain > 1e-6)
                    return watch.broken(
                        fmt::format("{} ({:.2f}) should have gone from {} {} ({:+.2f}) to {} ({:+.2f})",
                                    p.target.text(), p.load, what, from, push, to, -pull));
            }
    };
    std::map<int, std::vector<std::size_t>> nodes;
    for (std::size_t d = 0; d < domains.size(); ++d) nodes[domains[d].numa].push_back(d);
    std::vector<std::vector<std::size_t>> groups;
    for (const auto& [numa, inside] : nodes) groups.push_back(inside);
    if (groups.size() > 1) try_all(groups, static_cast<double>(attribute("numa_imbalance")) / 100, "node");
    for (const auto& inside : groups) {
        std::vector<std::vector<std::size_t>> singles;
        for (const auto d : inside) singles.push_back({d});
        try_all(singles, static_cast<double>(attribute("imbalance")) / 100, "domain");
    }
}

} // namespace schedd::sim
