// What load_balancing says of the ways not taken: how loaded the other domains are, and why it moves nothing
// there.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "policies/considered.h"
#include "policies/load_balancing.h"

namespace schedd::policies {

namespace {

constexpr double kNothing = 1e-9; // below this a difference is rounding, not load

} // namespace

std::string LoadBalancing::why_unplaced(std::size_t i, Time now) const {
    const Home& home = homes_[i];
    if (!port(kNodeLoad).collected()) return "node_load has no value: nobody is placed";
    if (!home.is_known) return "process_load has no value for it, so it is left alone";
    if (home.duty < least_duty())
        return fmt::format("it wants {:.3f} CPUs, less than the {:.3f} of min_load, so it is left alone",
                           home.duty, least_duty());
    if (home.is_too_large())
        return fmt::
            format("it wants {:.2f} CPUs, more than the {} of the largest domain, so it is left to the "
                   "kernel until it wants {} % less than these",
                   home.duty, home.too_large_for, unsigned_at(kHysteresis));
    if (hierarchy().leaves < 2)
        return fmt::format("there is only {}, so there is nothing to balance", homes_.domains().front().name);
    if (home.is_back)
        if (auto why = why_too_soon(home, now); !why.empty()) return why;
    return "it is placed at the next update";
}

/// What settle and move_budget keep from being moved; "" if they do not.
std::string LoadBalancing::why_too_soon(const Home& home, Time now) const {
    const auto since = home.put_at ? milliseconds_of(now - *home.put_at) : 0;
    const auto settle = static_cast<long long>(unsigned_at(kSettle));
    if (home.put_at && since < settle)
        return fmt::format("it {} {} ms ago, and stays {} ms more (settle)",
                           home.is_back ? "was let go as too large" : "got its domain", since,
                           settle - since);
    const auto moved =
        std::ranges::count_if(home.moved_at, [&](Time at) { return now - at < kBudgetPeriod; });
    if (static_cast<std::uint64_t>(moved) >= unsigned_at(kMoveBudget))
        return fmt::format("it was moved {} in the last minute, which is all of move_budget={}",
                           counted(static_cast<int>(moved), "time"), unsigned_at(kMoveBudget));
    return {};
}

/// "" if nothing keeps it from being moved at the next update.
std::string LoadBalancing::why_not_movable(const Standing& now, std::size_t i) const {
    const Home& home = homes_[i];
    if (!home.is_measured) return "process_load has no value for it now: it counts with its last one";
    if (home.duty < least_duty())
        return fmt::format("it wants {:.3f} CPUs, less than the {:.3f} of min_load, so it is not moved",
                           home.duty, least_duty());
    if (auto why = why_too_soon(home, now.view.now); !why.empty()) return why;
    const auto work_class = class_of(now.view, i);
    if (now.is_packing && work_class == WorkClass::batch)
        return fmt::
            format("batch work is packed, not balanced: it leaves a domain of which more than {} % is "
                   "wanted, or one that can be emptied",
                   unsigned_at(kBatchFill));
    if (now.is_spreading && work_class == WorkClass::latency)
        return "latency work is kept apart, not balanced: it leaves a domain with another latency member";
    return {};
}

/// The finest domains it is balanced against: in the same coarser one, or on the same node.
std::vector<std::size_t> LoadBalancing::rivals_of(std::size_t domain) const {
    const auto& domains = homes_.domains();
    std::vector<std::size_t> rivals;
    for (std::size_t d = 0; d < hierarchy().leaves; ++d)
        if (hierarchy().tiers > 1 ? domains[d].parent == domains[domain].parent
                                  : domains[d].numa == domains[domain].numa)
            rivals.push_back(d);
    if (rivals.size() > 1) return rivals;
    rivals.clear(); // it is all that there is of its coarser one
    for (std::size_t d = 0; d < hierarchy().leaves; ++d) rivals.push_back(d);
    return rivals;
}

/// The coarser groups, if there are several: between them less is moved.
void LoadBalancing::consider_groups(const Standing& now, std::vector<std::string>& lines) const {
    const auto& domains = homes_.domains();
    std::map<std::string, std::pair<double, int>> groups;
    for (std::size_t d = 0; d < domains.size(); ++d) {
        if (domains[d].tier != 0) continue;
        const auto name = hierarchy().tiers > 1 ? domains[d].name : fmt::format("numa {}", domains[d].numa);
        auto& [load, cpus] = groups[name];
        load += now.fill.load(d);
        cpus += domains[d].cpus.count();
    }
    if (groups.size() < 2 || groups.size() >= hierarchy().leaves) return;
    std::vector<std::string> loads;
    for (const auto& [name, sum] : groups)
        loads.push_back(fmt::format("{} {:.2f}", name, sum.first / sum.second));
    lines.push_back(fmt::format("load per CPU of what is balanced first: {}", listed(loads)));
}

/// What the next update would weigh up: its domain against the least loaded one beside it.
void LoadBalancing::consider_rivals(const Standing& now, std::size_t i,
                                    std::vector<std::string>& lines) const {
    const auto& domains = homes_.domains();
    const std::size_t own = homes_[i].domain;
    const auto rivals = rivals_of(own);
    if (rivals.size() < 2) return;
    const bool is_across = domains[rivals.front()].numa != domains[rivals.back()].numa;
    const Attribute threshold = is_across ? kNumaImbalance : kImbalance;
    double total = 0;
    int cpus = 0;
    std::size_t least = own;
    for (const std::size_t d : rivals) {
        total += now.bins[d].load;
        cpus += now.bins[d].cpus;
        if (d != own && (least == own || now.bins[d].per_cpu() < now.bins[least].per_cpu() - kNothing))
            least = d;
    }
    const double average = total / cpus;
    const double push = now.bins[own].load - average * now.bins[own].cpus;
    const double pull = average * now.bins[least].cpus - now.bins[least].load;
    const auto& here = domains[own].name;
    const auto& there = domains[least].name;
    if (push <= kNothing) {
        lines.push_back(fmt::format("{} is not above the average of {:.2f} per CPU, so nothing leaves it",
                                    here, average));
        return;
    }
    if (!is_saturated_ && now.bins[own].per_cpu() <= fraction(kPushFrom) + kNothing) {
        lines.push_back(fmt::format("{} has {:.2f} per CPU, and what has no more than push_from={} % keeps "
                                    "its work while CPUs are free",
                                    here, now.bins[own].per_cpu(), unsigned_at(kPushFrom)));
        return;
    }
    const auto is_near = [&](double difference, int of) {
        return difference <= fraction(threshold) * average * of + kNothing;
    };
    if (is_near(push, now.bins[own].cpus) && is_near(pull, now.bins[least].cpus)) {
        lines.push_back(fmt::format("neither {} nor {} is further than {} % ({}) from the average of "
                                    "{:.2f} per CPU",
                                    here, there, unsigned_at(threshold),
                                    is_across ? "numa_imbalance" : "imbalance", average));
        return;
    }
    const double gain = gain_of(homes_[i].load, push, pull);
    const double share = total / static_cast<double>(rivals.size());
    const double wanted = fraction(kHysteresis) * share;
    if (gain <= kNothing) {
        lines.push_back(
            fmt::format("with its {:.2f} on {} the two would be no nearer to the average of {:.2f} "
                        "per CPU",
                        homes_[i].load, there, average));
    } else if (gain + kNothing < wanted) {
        lines.push_back(fmt::format("on {} it would lower the imbalance of the two by {:.2f}, and {:.2f} are "
                                    "asked for: hysteresis={} would let it move",
                                    there, gain, wanted, static_cast<int>(100 * gain / share)));
    } else {
        lines.push_back(
            fmt::format("on {} it would lower the imbalance of the two by {:.2f}, of {:.2f} asked "
                        "for: it or another member of {} moves when it may",
                        there, gain, wanted, here));
    }
}

std::vector<std::string> LoadBalancing::considered(const View& view, const Subject& subject) const {
    std::vector<std::string> lines;
    if (homes_.domains().empty()) return lines;
    // members may have come or gone since the last decision: what is known then is about others
    if (view.subjects.size() != homes_.size()) return lines;
    for (const auto i : homes_indexes())
        if (homes_[i].target != view.subjects[i].target) return lines;
    const auto at = std::ranges::lower_bound(view.subjects, subject.target, {}, &Subject::target);
    if (at == view.subjects.end() || at->target != subject.target) return lines;
    const auto i = static_cast<std::size_t>(at - view.subjects.begin());

    Standing now = standing(view);
    judge_classes(now);
    std::vector<std::size_t> leaves;
    for (std::size_t d = 0; d < hierarchy().leaves; ++d) leaves.push_back(d);
    std::ranges::stable_sort(leaves, {}, [&](std::size_t d) { return now.bins[d].per_cpu(); });
    std::vector<std::string> loads;
    for (const std::size_t d : leaves)
        loads.push_back(fmt::format("{} {:.2f}", homes_.domains()[d].name, now.bins[d].per_cpu()));
    lines.push_back("load per CPU, least first: " + listed(loads));
    consider_groups(now, lines);
    const Home& home = homes_[i];
    if (home.domain == kNowhere) {
        lines.push_back(why_unplaced(i, view.now));
        return lines;
    }
    if (auto why = why_not_movable(now, i); !why.empty()) lines.push_back(std::move(why));
    if (!hierarchy().is_leaf(home.domain)) {
        const auto& domain = homes_.domains()[home.domain];
        lines.push_back(fmt::format("{} is wanted for {:.2f} of {} CPUs, and it goes back to a finer domain "
                                    "that stays {} % below widen_at={} % with it",
                                    domain.name, now.fill.wanted(home.domain), domain.cpus.count(),
                                    unsigned_at(kHysteresis), unsigned_at(kWidenAt)));
        return lines;
    }
    consider_rivals(now, i, lines);
    return lines;
}

} // namespace schedd::policies
