// load_balancing - spreads the work of its process set evenly over the CPU domains of a level.
//   4 always-running processes on core 0 of two  -> 3 + 1 after the first update, 2 + 2 after the second
//   3 of them on two cores                       -> 2 + 1, and they stay there
// load = duty, the CPUs a subject wants (sum of its process_load / 1000); when the CPUs are all taken also x
// weight / 100, where no weight counts for more than can be used. With several levels the finer domains are
// balanced inside the coarser ones, and what a finer one has no room for is held on the coarser one. The
// arithmetic is in balance.h, fill.h and infeasible.h. Usage: create schedulers/CPU_LB/load_balancing; link
// probes/cpu/node_load .../node_load and process_load likewise
#include "policies/policies.h"

#include <algorithm>
#include <ranges>

#include <fmt/format.h>

#include "policies/load_balancing.h"

namespace schedd::policies {

namespace {

constexpr PortSpec kPorts[] = {
    {.name = "node_load",
     .type = types::kLoad,
     .wants_updates = true,
     .doc = "Each update makes the policy balance."},
    {.name = "process_load",
     .type = types::kLoadByPid,
     .doc = "What each process wants of a CPU; only read."},
};

constexpr AttributeSpec kAttributes[] = {
    {.name = "level",
     .kind = AttributeKind::choice,
     .initial = "auto",
     .choices = "auto core l3 numa package l3,core numa,core numa,l3 numa,l3,core package,core package,l3 "
                "package,l3,core package,numa package,numa,core package,numa,l3 package,numa,l3,core",
     .doc =
         "What is balanced, several levels from coarse to fine; auto = the widest that has several domains."},
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
    {.name = "push_from",
     .unit = "percent",
     .maximum = 1000,
     .doc =
         "A domain of whose CPUs no more than this is wanted keeps its work while CPUs are free anywhere."},
    {.name = "widen_at",
     .unit = "percent",
     .initial = "100",
     .maximum = 1000,
     .doc = "With several levels: a domain of whose CPUs more is wanted shares the coarser one; 0 = never."},
    {.name = "by_class",
     .kind = AttributeKind::boolean,
     .initial = "false",
     .doc = "Packs members of class batch into few domains and spreads those of class latency over all."},
    {.name = "batch_fill",
     .unit = "percent",
     .initial = "80",
     .minimum = 1,
     .maximum = 100,
     .doc = "With by_class: how much of a domain's CPUs may be wanted before batch work takes another one."},
    {.name = "moves",
     .unit = "moves",
     .read_only = true,
     .doc = "How often something placed got another domain, other than a coarser one around it."},
    {.name = "widened",
     .unit = "members",
     .read_only = true,
     .doc = "How many processes or groups are held on a coarser domain than the finest."},
};

/// From this share of all CPUs wanted on they count as all taken, and weights matter.
constexpr double kSaturated = 0.99999;

} // namespace

std::vector<Decision> LoadBalancing::decide(const View& view) {
    homes_.follow_topology(view.topology, Levels::parse(text_at(kLevel)));
    homes_.follow_subjects(view.subjects);
    if (homes_.domains().empty()) {
        report(kWidened, std::uint64_t{0});
        return {};
    }
    const bool has_load = port(kNodeLoad).collected().has_value();
    if (has_load) measure(view.subjects);
    forget_old_moves(view.now);
    if (has_load) let_go_of_the_large(view);
    weigh(view.subjects, homes_.usable_cpus());
    Standing now = standing(view);
    settle_newcomers(now, has_load);
    if (has_load) {
        judge_classes(now);
        narrow_some(now);
        if (now.is_packing) unpack_overfull(now);
        if (now.is_packing) empty_a_domain(now);
        if (now.is_spreading) part_latency_work(now);
        move_some(now);
        widen_some(now);
    }
    report(kWidened, static_cast<std::uint64_t>(std::ranges::count_if(homes_indexes(), [&](auto i) {
               return homes_[i].domain != kNowhere && !hierarchy().is_leaf(homes_[i].domain);
           })));
    return homes_.decisions();
}

/// Notes what each subject wants. Without any value the last one is kept for the sums, but the subject is not
/// moved.
void LoadBalancing::measure(const Subjects& subjects) {
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

void LoadBalancing::weigh(const Subjects& subjects, int cpus) {
    asks_.clear();
    double wanted = 0;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        asks_.push_back({static_cast<double>(subjects[i].weight), homes_[i].duty});
        wanted += homes_[i].duty;
    }
    is_saturated_ = wanted >= kSaturated * cpus;
    const double lambda = is_saturated_ ? largest_feasible_weight(asks_, cpus) : 0;
    for (std::size_t i = 0; i < subjects.size(); ++i)
        homes_[i].load = homes_[i].duty * (is_saturated_ ? std::min(asks_[i].weight, lambda) / 100 : 1);
}

/// The domains with the load that is known to lie in them, also of what is left alone.
Standing LoadBalancing::standing(const View& view) const {
    const double fill = fraction(kBatchFill);
    double widen_at = fraction(kWidenAt);
    if (widen_at > 0 && flag_at(kByClass)) widen_at = std::max(widen_at, fill);
    Standing now{view, {}, {hierarchy(), {widen_at, fraction(kImbalance), fraction(kHysteresis), fill}}};
    now.bins.reserve(homes_.domains().size());
    for (const NestedDomain& domain : homes_.domains())
        now.bins.push_back({0, domain.children.empty() ? domain.cpus.count() : 0, domain.numa});
    for (const auto i : homes_indexes()) count_in(now, i);
    return now;
}

void LoadBalancing::count_out(Standing& now, std::size_t i) const {
    const auto in = whereabouts(now.view, i);
    if (in == kNowhere) return;
    now.bins[in].load -= homes_[i].load;
    now.fill.remove(in, work_of(now.view, i));
}

void LoadBalancing::count_in(Standing& now, std::size_t i) const {
    const auto in = whereabouts(now.view, i);
    if (in == kNowhere) return;
    now.bins[in].load += homes_[i].load;
    now.fill.add(in, work_of(now.view, i));
}

/// Takes what lies within one of the finest domains to be there, and places the rest, the largest first.
void LoadBalancing::settle_newcomers(Standing& now, bool has_load) {
    std::vector<std::size_t> waiting;
    for (const auto i : homes_indexes()) {
        Home& home = homes_[i];
        // Without fresh loads only those whose domain has gone get a new one: they must be somewhere.
        if (home.domain != kNowhere) continue;
        if (home.duty < least_duty() || !home.is_known || home.is_too_large()) {
            home.lost.clear(); // left alone, so it is put back where it came from
            continue;
        }
        if (!home.is_displaced() && (!has_load || !home.is_measured || hierarchy().leaves < 2)) continue;
        if (home.is_back && !may_come_back(home, now.view.now)) continue;
        const CpuSet& current = now.view.subjects[i].current;
        const auto in = homes_.domain_around(current);
        if (in == kNowhere || !hierarchy().is_leaf(in)) {
            waiting.push_back(i);
            continue;
        }
        count_out(now, i);
        const auto& name = homes_.domains()[in].name;
        const std::string again = home.is_back ? why_again(home) : "";
        if (home.is_back) count_return(home, now.view.now);
        home.stay(in,
                  fmt::format("stays on {}, where it was found on CPUs {}{}", name, current.text(), again));
        count_in(now, i);
    }
    if (waiting.empty()) return;
    std::ranges::stable_sort(waiting, std::ranges::greater{}, [&](std::size_t i) { return homes_[i].load; });
    // Who has a choice of domains comes last: then batch work does not have to fit in between.
    const auto has_choice = [&](std::size_t i) { return class_of(now.view, i) == WorkClass::normal; };
    std::ranges::stable_sort(waiting, {},
                             [&](std::size_t i) { return std::pair(has_choice(i), class_of(now.view, i)); });
    auto bins = now.bins; // the placer's own: its sums must not be rounded in another order
    Placer placer(bins);
    for (const std::size_t i : waiting) place(now, i, placer);
}

void LoadBalancing::place(Standing& now, std::size_t i, Placer& placer) {
    Home& home = homes_[i];
    const Work work{home.duty, home.load, class_of(now.view, i)};
    const auto within = homes_.domain_around(now.view.subjects[i].current);
    const std::string after = home.is_displaced() ? " after " + home.lost + " went away"
                              : home.is_back      ? why_again(home)
                                                  : "";
    if (home.is_displaced()) count_move();
    if (home.is_back) count_return(home, now.view.now);
    count_out(now, i);
    const auto name = [&](std::size_t in) { return homes_.domains()[in].name; };
    const auto cpus = [&](std::size_t in) { return homes_.domains()[in].cpus.count(); };
    const auto allowed = [&](std::size_t in) { return in != kNowhere && hierarchy().is_inside(in, within); };
    std::size_t in = kNowhere;
    if (work.work_class == WorkClass::batch && allowed(in = now.fill.pack(work))) {
        home.put(in, now.view.now,
                 fmt::format("placed on {}, which batch work fills up to {} % ({:.2f} of {} CPUs){}",
                             name(in), unsigned_at(kBatchFill), now.fill.wanted(in), cpus(in), after));
    } else if (work.work_class == WorkClass::latency && allowed(in = now.fill.spread(work))) {
        home.put(in, now.view.now,
                 fmt::format("placed on the least loaded {} without latency work ({:.2f} of {} CPUs){}",
                             name(in), now.fill.load(in), cpus(in), after));
    } else if (hierarchy().tiers == 1 && !flag_at(kByClass)) {
        in = placer.place(home.load);
        home.put(in, now.view.now,
                 fmt::format("placed on the least loaded {} ({:.2f} of {} CPUs){}", name(in),
                             now.bins[in].load, cpus(in), after));
    } else {
        in = now.fill.place(work, within);
        home.put(in, now.view.now,
                 fmt::format("placed on {} {} ({:.2f} of {} CPUs){}",
                             hierarchy().is_leaf(in) ? "the least loaded" : "all of", name(in),
                             now.fill.load(in), cpus(in),
                             hierarchy().is_leaf(in) ? after : ", no part of it has room" + after));
    }
    count_in(now, i);
}

void LoadBalancing::forget_old_moves(Time now) {
    for (const auto i : homes_indexes())
        std::erase_if(homes_[i].moved_at, [&](Time at) { return now - at >= kBudgetPeriod; });
}

bool LoadBalancing::may_move(const Home& home, Time now) const {
    if (home.domain == kNowhere || !home.is_measured || home.duty < least_duty()) return false;
    if (home.put_at && now - *home.put_at < std::chrono::milliseconds(unsigned_at(kSettle))) return false;
    if (!home.moved_at.empty() && home.moved_at.back() == now) return false; // once in a round
    return home.moved_at.size() < unsigned_at(kMoveBudget);
}

void LoadBalancing::move(Standing& now, std::size_t i, std::size_t to, std::string why) {
    count_out(now, i);
    homes_[i].put(to, now.view.now, std::move(why));
    homes_[i].moved_at.push_back(now.view.now);
    count_in(now, i);
    count_move();
}

void LoadBalancing::move_some(Standing& now) {
    std::vector<Item> items;
    items.reserve(homes_.size());
    for (const auto i : homes_indexes()) {
        const Home& home = homes_[i];
        items.push_back({home.load, home.domain == kNowhere ? 0 : home.domain, may_balance(now, i)});
    }
    const Rules rules{fraction(kImbalance), fraction(kNumaImbalance), fraction(kHysteresis),
                      is_saturated_ ? 0 : fraction(kPushFrom)};
    auto bins = now.bins; // move() brings those of `now` up to date
    if (hierarchy().tiers == 1) {
        for (const Transfer& transfer : balance(bins, items, rules)) tell_transfer(now, transfer);
        return;
    }
    std::vector<Tier> tiers(hierarchy().tiers);
    for (std::size_t t = 0; t < tiers.size(); ++t) {
        tiers[t].is_far = hierarchy().is_far[t];
        for (std::size_t d = 0; d < bins.size(); ++d) tiers[t].group_of.push_back(hierarchy().around(d, t));
    }
    for (const Transfer& transfer : balance(bins, items, rules, tiers)) tell_transfer(now, transfer);
}

void LoadBalancing::tell_transfer(Standing& now, const Transfer& transfer) {
    const Domain& from = homes_.domains()[transfer.from];
    const Domain& to = homes_.domains()[transfer.to];
    const double below = 100 * (1 - transfer.to_load / transfer.average);
    const double load = homes_[transfer.item].load;
    std::string why;
    if (!transfer.across) {
        why = fmt::format("{} was {:.0f} % below the average {:.2f} tasks/CPU; took {:.2f} from {} ({:.2f})",
                          to.name, below, transfer.average, load, from.name, transfer.from_load);
    } else {
        std::string taker = fmt::format("node {}", to.numa);
        std::string giver = fmt::format("{} of node {}", from.name, from.numa);
        if (hierarchy().tiers > 1) {
            const auto around = [&](std::size_t domain) { return hierarchy().around(domain, transfer.tier); };
            taker = homes_.domains()[around(transfer.to)].name;
            giver = from.name;
            if (around(transfer.from) != transfer.from)
                giver += " of " + homes_.domains()[around(transfer.from)].name;
        }
        why =
            fmt::format("{} was {:.0f} % below the average {:.2f} tasks/CPU; {} took {:.2f} from {} ({:.2f})",
                        taker, below, transfer.average, to.name, load, giver, transfer.from_load);
    }
    move(now, transfer.item, transfer.to, std::move(why));
}

const Descriptor kLoadBalancing{
    .name = "load_balancing",
    .kind = Kind::policy,
    .doc = "Spreads the work of its process set evenly over CPU domains, moving little.",
    .make = make_part<LoadBalancing>,
    .attributes = kAttributes,
    .ports = kPorts,
};

} // namespace schedd::policies
