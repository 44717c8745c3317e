// load_balancing - spreads the work of its process set evenly over the CPU domains of a level.
//   4 always-running processes on core 0 of two  -> 3 + 1 after the first update, 2 + 2 after the second
//   3 of them on two cores                       -> 2 + 1, and they stay there
// load = duty, the CPUs a subject wants (sum of its process_load / 1000); when the CPUs are all taken also x
// weight / 100, where no weight counts for more than can be used. The arithmetic is in balance.h and
// infeasible.h. Usage: create schedulers/CPU_LB/load_balancing; link probes/cpu/node_load .../node_load and
// process_load likewise
#include "policies/policies.h"

#include <algorithm>

#include <fmt/format.h>

#include "policies/balance.h"
#include "policies/homes.h"
#include "policies/infeasible.h"

namespace schedd::policies {

namespace {

enum PortIndex : std::size_t { kNodeLoad, kProcessLoad };
constexpr PortSpec kPorts[] = {
    {.name = "node_load",
     .type = types::kLoad,
     .wants_updates = true,
     .doc = "Each update makes the policy balance."},
    {.name = "process_load",
     .type = types::kLoadByPid,
     .doc = "What each process wants of a CPU; only read."},
};

enum Attribute : std::size_t {
    kLevel,
    kImbalance,
    kNumaImbalance,
    kHysteresis,
    kSettle,
    kMoveBudget,
    kMinLoad,
    kMoves
};
constexpr AttributeSpec kAttributes[] = {
    {.name = "level",
     .kind = AttributeKind::choice,
     .initial = "auto",
     .choices = "auto core l3 numa package",
     .doc = "What is balanced; auto = the widest level that has several domains."},
    {.name = "imbalance",
     .unit = "percent",
     .initial = "5",
     .maximum = 1000,
     .doc = "How far from the average a domain may be before work moves inside a NUMA node."},
    {.name = "numa_imbalance",
     .unit = "percent",
     .initial = "17",
     .maximum = 1000,
     .doc = "How far from the average a NUMA node may be before work moves to another node."},
    {.name = "hysteresis",
     .unit = "percent",
     .initial = "10",
     .maximum = 100,
     .doc = "By how much of the average load a move must lower the imbalance of the two domains together."},
    {.name = "settle",
     .unit = "ms",
     .initial = "2000",
     .maximum = 86'400'000,
     .doc = "How long a member that was placed or moved is left where it is."},
    {.name = "move_budget",
     .unit = "moves/min",
     .initial = "6",
     .maximum = 600,
     .doc = "Moves of one process or group in any minute; 0 = it stays where it was first placed."},
    {.name = "min_load",
     .unit = "1/1000 task",
     .initial = "20",
     .maximum = 100'000,
     .doc = "What wants less than this is neither placed nor moved."},
    {.name = "moves",
     .unit = "moves",
     .read_only = true,
     .doc = "How often something placed got another domain."},
};

constexpr Duration kBudgetPeriod = std::chrono::minutes(1);
/// From this share of all CPUs wanted on they count as all taken, and weights matter.
constexpr double kSaturated = 0.99999;

Level level_of(const std::string& text) {
    for (const Level level : {Level::core, Level::l3, Level::numa, Level::package})
        if (text == name_of(level)) return level;
    return Level::automatic;
}

class LoadBalancing final : public Policy {
public:
    using Policy::Policy;

    std::vector<Decision> decide(const View& view) override {
        homes_.follow_topology(view.topology, level_of(text_at(kLevel)));
        homes_.follow_subjects(view.subjects);
        if (homes_.domains().empty()) return {};
        const bool has_load = port(kNodeLoad).collected().has_value();
        if (has_load) measure(view.subjects);
        weigh(view.subjects, homes_.usable_cpus());
        auto bins = filled_bins(view.subjects);
        settle_newcomers(view, bins, has_load);
        if (has_load) move_some(view.now, bins);
        return homes_.decisions();
    }

protected:
    void changed(std::size_t /*index*/) override { make_due(); }

private:
    void measure(std::span<const Subject> subjects);
    void weigh(std::span<const Subject> subjects, int cpus);
    [[nodiscard]] std::vector<Bin> filled_bins(std::span<const Subject> subjects) const;
    void settle_newcomers(const View& view, std::vector<Bin>& bins, bool has_load);
    void move_some(Time now, std::vector<Bin>& bins);
    [[nodiscard]] bool may_move(const Home& home, Time now) const;
    void count_move() { report(kMoves, unsigned_at(kMoves) + 1); }
    [[nodiscard]] double least_duty() const { return static_cast<double>(unsigned_at(kMinLoad)) / 1000; }

    Homes homes_;
    std::vector<Ask> asks_; // reused from call to call
};

/// Notes what each subject wants. Without any value the last one is kept for the sums, but the subject is not
/// moved.
void LoadBalancing::measure(std::span<const Subject> subjects) {
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        Home& home = homes_[i];
        std::int64_t load = 0;
        home.is_measured = subjects[i].pids.empty(); // a group without processes wants nothing
        for (const Pid pid : subjects[i].pids) {
            const auto sample = port(kProcessLoad).collected(Parameter(static_cast<std::int64_t>(pid)));
            if (!sample) continue;
            home.is_measured = true;
            load += std::max<std::int64_t>(number_of(sample->value), 0);
        }
        if (!home.is_measured) continue;
        home.duty = static_cast<double>(load) / 1000;
        home.is_known = true;
    }
}

void LoadBalancing::weigh(std::span<const Subject> subjects, int cpus) {
    asks_.clear();
    double wanted = 0;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        asks_.push_back({static_cast<double>(subjects[i].weight), homes_[i].duty});
        wanted += homes_[i].duty;
    }
    const bool is_saturated = wanted >= kSaturated * cpus;
    const double lambda = is_saturated ? largest_feasible_weight(asks_, cpus) : 0;
    for (std::size_t i = 0; i < subjects.size(); ++i)
        homes_[i].load = homes_[i].duty * (is_saturated ? std::min(asks_[i].weight, lambda) / 100 : 1);
}

/// The domains with the load that is known to lie in them, also of what is left alone.
std::vector<Bin> LoadBalancing::filled_bins(std::span<const Subject> subjects) const {
    std::vector<Bin> bins;
    bins.reserve(homes_.domains().size());
    for (const Domain& domain : homes_.domains()) bins.push_back({0, domain.cpus.count(), domain.numa});
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        const auto in =
            homes_[i].domain != kNowhere ? homes_[i].domain : homes_.domain_around(subjects[i].current);
        if (in != kNowhere) bins[in].load += homes_[i].load;
    }
    return bins;
}

/// Takes what lies within one domain to be there, and places the rest, the largest first.
void LoadBalancing::settle_newcomers(const View& view, std::vector<Bin>& bins, bool has_load) {
    std::vector<std::size_t> waiting;
    for (std::size_t i = 0; i < view.subjects.size(); ++i) {
        Home& home = homes_[i];
        // Without fresh loads only those whose domain has gone get a new one: they must be somewhere.
        if (home.domain != kNowhere) continue;
        if (home.duty < least_duty() || !home.is_known) {
            home.lost.clear(); // left alone, so it is put back where it came from
            continue;
        }
        if (!home.is_displaced() && (!has_load || !home.is_measured || bins.size() < 2)) continue;
        if (const auto in = homes_.domain_around(view.subjects[i].current); in == kNowhere) {
            waiting.push_back(i);
        } else {
            const Domain& domain = homes_.domains()[in];
            home.stay(in, fmt::format("stays on {}, where it was found on CPUs {}", domain.name,
                                      view.subjects[i].current.text()));
        }
    }
    if (waiting.empty()) return;
    std::ranges::stable_sort(waiting, std::ranges::greater{}, [&](std::size_t i) { return homes_[i].load; });
    Placer placer(bins);
    for (const std::size_t i : waiting) {
        const auto in = placer.place(homes_[i].load);
        const Domain& domain = homes_.domains()[in];
        if (homes_[i].is_displaced()) count_move();
        homes_[i].put(in, view.now,
                      fmt::format("placed on the least loaded {} ({:.2f} of {} CPUs){}", domain.name,
                                  bins[in].load - homes_[i].load, domain.cpus.count(),
                                  homes_[i].is_displaced() ? " after " + homes_[i].lost + " went away" : ""));
    }
}

bool LoadBalancing::may_move(const Home& home, Time now) const {
    if (home.domain == kNowhere || !home.is_measured || home.duty < least_duty()) return false;
    if (home.put_at && now - *home.put_at < std::chrono::milliseconds(unsigned_at(kSettle))) return false;
    return home.moved_at.size() < unsigned_at(kMoveBudget);
}

void LoadBalancing::move_some(Time now, std::vector<Bin>& bins) {
    std::vector<Item> items;
    items.reserve(homes_.size());
    for (std::size_t i = 0; i < homes_.size(); ++i) {
        Home& home = homes_[i];
        std::erase_if(home.moved_at, [&](Time at) { return now - at >= kBudgetPeriod; });
        items.push_back({home.load, home.domain == kNowhere ? 0 : home.domain, may_move(home, now)});
    }
    const auto fraction = [&](Attribute percent) { return static_cast<double>(unsigned_at(percent)) / 100; };
    const Rules rules{fraction(kImbalance), fraction(kNumaImbalance), fraction(kHysteresis)};
    for (const Transfer& move : balance(bins, items, rules)) {
        const Domain& from = homes_.domains()[move.from];
        const Domain& to = homes_.domains()[move.to];
        const double below = 100 * (1 - move.to_load / move.average);
        const double load = homes_[move.item].load;
        homes_[move.item].put(move.to, now,
                              move.across ? fmt::format("node {} was {:.0f} % below the average {:.2f} "
                                                        "tasks/CPU; {} took {:.2f} from {} of "
                                                        "node {} ({:.2f})",
                                                        to.numa, below, move.average, to.name, load,
                                                        from.name, from.numa, move.from_load)
                                          : fmt::format("{} was {:.0f} % below the average {:.2f} tasks/CPU; "
                                                        "took {:.2f} from {} ({:.2f})",
                                                        to.name, below, move.average, load, from.name,
                                                        move.from_load));
        homes_[move.item].moved_at.push_back(now);
        count_move();
    }
}

} // namespace

const Descriptor kLoadBalancing{
    .name = "load_balancing",
    .kind = Kind::policy,
    .doc = "Spreads the work of its process set evenly over CPU domains, moving little.",
    .make = make_part<LoadBalancing>,
    .attributes = kAttributes,
    .ports = kPorts,
};

} // namespace schedd::policies
