// Finding the node of each group, and leaving it there.
#include "policies/memory_homes.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace schedd::policies {

namespace {

constexpr Duration kBudgetPeriod = std::chrono::minutes(1);
/// Loads that differ by less are the same: they are sums of thousandths.
constexpr double kNothing = 1e-6;

std::int64_t size_on(const GroupMemory& memory, int node) {
    const auto at = memory.on_node_kib.find(node);
    return at == memory.on_node_kib.end() ? 0 : at->second;
}

/// Counts for how many updates in a row another node is better, or the own one no longer good enough.
void judge(MemoryHome& home, std::span<const Domain> nodes, const MemoryRules& rules) {
    const auto& memory = *home.seen;
    const int best = main_node(memory, nodes, home.node).numa;
    const double here = share_on(memory, home.node);
    const double there = share_on(memory, best);
    const bool is_better = best != home.node && there >= rules.share && there - here >= rules.hysteresis;
    if (!is_better) home.better_for = 0;
    else home.better_for = home.candidate == best ? home.better_for + 1 : 1;
    home.candidate = is_better ? best : kNoNode;
    const bool is_weak = here < rules.share - rules.hysteresis || memory.total_kib < rules.least_kib / 2;
    home.weak_for = is_weak ? home.weak_for + 1 : 0;
}

} // namespace

double share_on(const GroupMemory& memory, int node) {
    if (memory.total_kib <= 0) return 0;
    return 100 * static_cast<double>(size_on(memory, node)) / static_cast<double>(memory.total_kib);
}

const Domain* node_of(std::span<const Domain> nodes, int number) {
    const auto at = std::ranges::find(nodes, number, &Domain::numa);
    return at == nodes.end() ? nullptr : &*at;
}

const Domain& main_node(const GroupMemory& memory, std::span<const Domain> nodes, int present) {
    const Domain* best = node_of(nodes, present);
    if (!best) best = &nodes.front();
    for (const Domain& node : nodes)
        if (size_on(memory, node.numa) > size_on(memory, best->numa)) best = &node;
    return *best;
}

void MemoryHomes::follow(const std::vector<std::string_view>& groups) {
    Homes next;
    for (const auto group : groups) {
        const auto known = homes_.find(group);
        if (known != homes_.end()) next.insert(homes_.extract(known));
        else next.try_emplace(std::string(group));
    }
    homes_ = std::move(next);
}

void MemoryHomes::measured(MemoryHome& home, std::optional<GroupMemory> memory) {
    home.is_new = memory && (!home.seen || home.seen->measured_at != memory->measured_at);
    if (memory) home.seen = std::move(memory); // a gap in the measurements changes nothing
}

/// Who has lost its node must have another, whatever the budget.
void MemoryHomes::lose_nodes(std::span<const Domain> nodes) {
    for (auto& [group, home] : homes_) {
        if (home.node == kNoNode || node_of(nodes, home.node)) continue;
        home.lost = fmt::format("node {}", home.node);
        home.node = kNoNode;
    }
}

double MemoryHomes::load_on(int node) const {
    double sum = 0;
    for (const auto& [group, home] : homes_)
        if (home.node == node) sum += home.load;
    return sum;
}

/// A node whose groups have wanted more CPUs than it has for some updates loses the one that has least of its
/// memory there, the last by name of equals.
void MemoryHomes::relieve(std::span<const Domain> nodes, const MemoryRules& rules) {
    for (const Domain& node : nodes) {
        auto& updates = crowded_for_[node.numa];
        updates = load_on(node.numa) > node.cpus.count() + kNothing ? updates + 1 : 0;
        if (updates < rules.patience) continue;
        updates = 0;
        MemoryHome* least = nullptr;
        for (auto& [group, home] : homes_)
            if (home.node == node.numa && home.load > 0 && home.seen &&
                (!least || share_on(*home.seen, node.numa) <= share_on(*least->seen, node.numa)))
                least = &home;
        if (least) least->node = kNoNode;
    }
}

/// Holds a group on its main node, if there is reason and room; true if that is another than before.
bool MemoryHomes::find_home(MemoryHome& home, std::span<const Domain> nodes, const MemoryRules& rules,
                            Time now) {
    const bool is_held = home.node != kNoNode;
    const bool is_displaced = !home.lost.empty();
    if (!home.seen || (!home.is_new && !is_displaced)) return false;
    if (is_held && home.better_for < rules.patience) return false;
    if (home.was_held && !is_displaced && home.moved_at.size() >= rules.move_budget) return false;
    const auto& memory = *home.seen;
    const Domain& to = main_node(memory, nodes, home.node);
    const std::string lost = std::exchange(home.lost, {});
    if (share_on(memory, to.numa) < rules.share || memory.total_kib < rules.least_kib) return false;
    const double room = to.cpus.count() - load_on(to.numa);
    if (to.numa == home.node || home.load > room + kNothing) return false;

    home.reason = fmt::format("node {} holds {:.0f} % of its {} MiB", to.numa, share_on(memory, to.numa),
                              memory.total_kib / 1024);
    if (is_held)
        home.reason += fmt::format(", node {} {:.0f} %, for {} updates", home.node,
                                   share_on(memory, home.node), home.better_for);
    if (is_displaced) home.reason += fmt::format(", after {} went away", lost);
    if (home.load > 0)
        home.reason += fmt::format("; it wants {:.2f} of the {:.2f} CPUs left there", home.load, room);
    if (home.was_held && !is_displaced) home.moved_at.push_back(now);
    home.node = to.numa;
    home.is_bound = false;
    home.candidate = kNoNode;
    home.better_for = home.weak_for = 0;
    return std::exchange(home.was_held, true);
}

std::uint64_t MemoryHomes::settle(std::span<const Domain> nodes, const MemoryRules& rules, Time now) {
    lose_nodes(nodes);
    std::erase_if(crowded_for_, [&](const auto& crowded) { return !node_of(nodes, crowded.first); });
    bool any_new = false;
    for (auto& [group, home] : homes_) {
        std::erase_if(home.moved_at, [&](Time at) { return now - at >= kBudgetPeriod; });
        any_new = any_new || home.is_new;
        if (home.node == kNoNode || !home.is_new) continue;
        judge(home, nodes, rules);
        if (home.weak_for >= rules.patience && home.better_for == 0) home.node = kNoNode;
    }
    if (any_new) relieve(nodes, rules);
    std::uint64_t moves = 0;
    for (auto& [group, home] : homes_)
        if (find_home(home, nodes, rules, now)) ++moves;
    return moves;
}

} // namespace schedd::policies
