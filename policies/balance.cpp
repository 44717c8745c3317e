// Push and pull between bins, and choosing bins for newcomers.
#include "policies/balance.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace schedd::policies {

namespace {

constexpr double kNothing = 1e-9; // below this a difference is rounding, not load

/// Movable items of one bin, by load and then by index.
using Candidates = std::set<std::pair<double, std::size_t>>;

/// What is balanced against each other: single bins, or the bins of a node taken together.
struct Group {
    std::vector<std::size_t> bins;
    double load = 0;
    int cpus = 0;
    [[nodiscard]] double per_cpu() const { return load / cpus; }
};

/// The candidate of load nearest to `wanted`, from below or above, that gains more; the lightest, lowest on
/// ties.
std::optional<Candidates::value_type> nearest(const Candidates& from, double wanted, double push,
                                              double pull) {
    const auto above = from.lower_bound({wanted, 0});
    std::optional<Candidates::value_type> best;
    if (above != from.begin()) best = *from.lower_bound({std::prev(above)->first, 0});
    if (above != from.end() &&
        (!best || gain_of(above->first, push, pull) > gain_of(best->first, push, pull) + kNothing))
        best = *above;
    return best;
}

/// Half the imbalance is aimed at, which damps; where that gains too little the whole imbalance is, so that a
/// pair is given up only if no single move helps it.
std::optional<Candidates::value_type> choose(const Candidates& from, double push, double pull,
                                             double least_gain) {
    const double smaller = std::min(push, pull);
    for (const double wanted : {smaller / 2, smaller}) {
        const auto found = nearest(from, wanted, push, pull);
        const double gain = found ? gain_of(found->first, push, pull) : 0;
        if (gain > kNothing && gain + kNothing >= least_gain) return found;
    }
    return std::nullopt;
}

/// One balancing round over all levels.
class Round {
public:
    Round(std::vector<Bin>& bins, std::span<const Item> items, const Rules& rules)
        : bins_(bins), rules_(rules), candidates_(bins.size()) {
        for (std::size_t i = 0; i < items.size(); ++i)
            if (items[i].movable) candidates_[items[i].bin].emplace(items[i].load, i);
    }

    std::vector<Transfer> run(std::span<const Tier> tiers) {
        std::vector<std::vector<std::size_t>> parents(1);
        for (std::size_t b = 0; b < bins_.size(); ++b) parents.front().push_back(b);
        for (tier_ = 0; tier_ < tiers.size(); ++tier_) {
            const Tier& tier = tiers[tier_];
            std::vector<std::vector<std::size_t>> inner;
            for (const auto& parent : parents) {
                std::map<std::size_t, std::vector<std::size_t>> by_group;
                for (const std::size_t b : parent)
                    if (tier.group_of[b] != kNoGroup) by_group[tier.group_of[b]].push_back(b);
                std::vector<Group> groups;
                for (auto& [number, bins] : by_group) {
                    groups.push_back(group_of(bins));
                    inner.push_back(std::move(bins));
                }
                level(std::move(groups), tier.is_far ? rules_.across : rules_.inside, tier.is_far);
            }
            parents = std::move(inner);
        }
        return std::move(transfers_);
    }

private:
    Group group_of(std::vector<std::size_t> bins) const {
        Group group{std::move(bins)};
        for (const std::size_t b : group.bins) {
            group.load += bins_[b].load;
            group.cpus += bins_[b].cpus;
        }
        return group;
    }

    /// Groups ordered by load per CPU, so that the least loaded is found again after each transfer.
    struct Level {
        std::vector<Group> groups;
        std::set<std::pair<double, std::size_t>> order;
        double average = 0; // per CPU
        double threshold = 0;
        double least_gain = 0;
        bool across = false;

        [[nodiscard]] double excess(std::size_t g) const { return groups[g].load - average * groups[g].cpus; }
        [[nodiscard]] bool beyond(std::size_t g) const {
            return std::abs(excess(g)) > threshold * average * groups[g].cpus + kNothing;
        }
        void change(std::size_t g, double by) {
            order.erase({groups[g].per_cpu(), g});
            groups[g].load += by;
            order.emplace(groups[g].per_cpu(), g);
        }
    };

    void level(std::vector<Group> groups, double threshold, bool across) {
        double total = 0;
        int cpus = 0;
        for (const Group& group : groups) {
            total += group.load;
            cpus += group.cpus;
        }
        if (groups.size() < 2 || total <= kNothing) return;
        Level now{std::move(groups), {}, total / cpus, threshold, 0, across};
        now.least_gain = rules_.hysteresis * total / static_cast<double>(now.groups.size());
        std::vector<std::size_t> pushers;
        for (std::size_t g = 0; g < now.groups.size(); ++g) {
            now.order.emplace(now.groups[g].per_cpu(), g);
            if (now.excess(g) > kNothing && now.groups[g].per_cpu() > rules_.push_from + kNothing)
                pushers.push_back(g);
        }
        std::ranges::stable_sort(pushers, std::ranges::greater{},
                                 [&](std::size_t g) { return now.groups[g].per_cpu(); });
        for (const std::size_t pusher : pushers) push_from(now, pusher);
    }

    void push_from(Level& now, std::size_t pusher) {
        const double quota = now.excess(pusher) / 2;
        double pushed = 0;
        double hopeless = 0; // a deficit nothing fits into: with the same candidates no smaller one is better
        std::vector<bool> done(now.across ? now.groups.size() : 0);
        for (auto at = now.order.begin(); at != now.order.end() && pushed + kNothing < quota;) {
            const std::size_t puller = at->second;
            const double push = now.excess(pusher);
            const double pull = -now.excess(puller);
            // They come least loaded first: when this one is no partner, none behind it is.
            if (push <= kNothing || pull <= kNothing || !(now.beyond(pusher) || now.beyond(puller))) return;
            if (pull <= hopeless || (now.across && done[puller])) {
                ++at;
                continue;
            }
            const double moved = transfer(now, pusher, puller, push, pull);
            if (moved > 0) {
                pushed += moved;
                if (now.across) done[puller] = true;
                at = now.order.begin();
            } else {
                hopeless = pull;
                ++at;
            }
        }
    }

    /// Moves one item from the most loaded bin that has a fitting one to the least loaded bin; returns its
    /// load.
    double transfer(Level& now, std::size_t pusher, std::size_t puller, double push, double pull) {
        const auto per_cpu = [&](std::size_t b) { return bins_[b].per_cpu(); };
        auto sources = now.groups[pusher].bins;
        std::ranges::stable_sort(sources, std::ranges::greater{}, per_cpu);
        const std::size_t to = *std::ranges::min_element(now.groups[puller].bins, {}, per_cpu);
        for (const std::size_t from : sources) {
            const auto found = choose(candidates_[from], push, pull, now.least_gain);
            if (!found) continue;
            const auto [load, item] = *found;
            const bool several = now.groups[pusher].bins.size() + now.groups[puller].bins.size() > 2;
            transfers_.push_back({item, from, to, several, now.average, now.groups[pusher].per_cpu(),
                                  now.groups[puller].per_cpu(), tier_});
            candidates_[from].erase(*found);
            bins_[from].load -= load;
            bins_[to].load += load;
            now.change(pusher, -load);
            now.change(puller, load);
            return load;
        }
        return 0;
    }

    std::vector<Bin>& bins_;
    const Rules& rules_;
    std::vector<Candidates> candidates_;
    std::vector<Transfer> transfers_;
    std::size_t tier_ = 0;
};

} // namespace

double gain_of(double load, double push, double pull) {
    return std::abs(push) + std::abs(pull) - std::abs(push - load) - std::abs(pull - load);
}

std::vector<Transfer> balance(std::vector<Bin>& bins, std::span<const Item> items, const Rules& rules) {
    Tier nodes{.is_far = true};
    Tier singles;
    for (std::size_t b = 0; b < bins.size(); ++b) {
        nodes.group_of.push_back(static_cast<std::size_t>(bins[b].numa));
        singles.group_of.push_back(b);
    }
    return balance(bins, items, rules, std::vector{std::move(nodes), std::move(singles)});
}

std::vector<Transfer> balance(std::vector<Bin>& bins, std::span<const Item> items, const Rules& rules,
                              std::span<const Tier> tiers) {
    return Round(bins, items, rules).run(tiers);
}

Placer::Placer(std::vector<Bin>& bins) : bins_(bins) {
    std::map<int, Node> nodes;
    for (std::size_t b = 0; b < bins.size(); ++b) {
        Node& node = nodes[bins[b].numa];
        if (node.by_cpus.empty()) node.sum = {0, 0, bins[b].numa};
        node.sum.load += bins[b].load;
        node.sum.cpus += bins[b].cpus;
        node.by_cpus[bins[b].cpus].emplace(bins[b].load, b);
    }
    for (auto& [numa, node] : nodes) nodes_.push_back(std::move(node));
}

std::size_t Placer::place(double load) {
    const auto with = [load](double held, int cpus) { return (held + load) / cpus; };
    Node& node =
        *std::ranges::min_element(nodes_, {}, [&](const Node& n) { return with(n.sum.load, n.sum.cpus); });
    std::pair<double, std::size_t> best{HUGE_VAL, 0};
    for (const auto& [cpus, bins] : node.by_cpus)
        best = std::min(best, {with(bins.begin()->first, cpus), bins.begin()->second});
    const std::size_t chosen = best.second;
    auto& same_size = node.by_cpus[bins_[chosen].cpus];
    same_size.erase({bins_[chosen].load, chosen});
    bins_[chosen].load += load;
    same_size.emplace(bins_[chosen].load, chosen);
    node.sum.load += load;
    return chosen;
}

} // namespace schedd::policies
