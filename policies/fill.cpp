// Sums over the tree of domains, and choosing by them.
#include "policies/fill.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

namespace schedd::policies {

namespace {

constexpr double kNothing = 1e-9;  // below this a difference is rounding, not load
constexpr double kGrain = 1e6;     // loads are compared in millionths, so that sums made in another order tie
constexpr std::size_t kParts = 16; // of a key: two for each tier and some for the finest

std::int64_t grains(double value) { return std::llround(value * kGrain); }

/// Keys are compared part by part, the smallest wins.
struct Key {
    std::array<std::int64_t, kParts> parts{};
    std::size_t used = 0;
    void add(std::int64_t part) {
        if (used < kParts) parts[used++] = part;
    }
    auto operator<=>(const Key& other) const { return parts <=> other.parts; }
};

} // namespace

Fill::Fill(const Hierarchy& hierarchy, const FillRules& rules) : hierarchy_(hierarchy), rules_(rules) {
    const auto& domains = hierarchy.domains;
    rows_.resize(domains.size());
    std::map<int, std::size_t> nodes;
    for (std::size_t d = 0; d < domains.size(); ++d) {
        rows_[d].cpus = domains[d].cpus.count();
        rows_[d].inside = domains[d].children;
        rows_[d].around = domains[d].parent;
        if (hierarchy.tiers > 1) continue;
        const auto [at, is_new] = nodes.try_emplace(domains[d].numa, rows_.size());
        if (is_new) rows_.emplace_back();
        rows_[d].around = at->second;
        rows_[at->second].inside.push_back(d);
        rows_[at->second].cpus += rows_[d].cpus;
    }
    for (std::size_t leaf = 0; leaf < hierarchy.leaves; ++leaf)
        for (auto row = leaf; row != kNowhere; row = rows_[row].around) ++rows_[row].leaves;
    for (std::size_t row = 0; row < rows_.size(); ++row)
        if (rows_[row].around == kNowhere) roots_.push_back(row);
}

void Fill::change(std::size_t domain, const Work& work, int sign) {
    for (auto row = domain; row != kNowhere; row = rows_[row].around) {
        rows_[row].duty += sign * work.duty;
        rows_[row].load += sign * work.load;
        if (work.work_class == WorkClass::batch) rows_[row].batch += sign * work.duty;
        if (work.work_class == WorkClass::latency) rows_[row].latency += sign;
    }
}

bool Fill::would_strain(std::size_t domain, double duty) const {
    const Row& row = rows_[domain];
    const auto parent = hierarchy_.domains[domain].parent;
    if (rules_.widen_at <= 0 || parent == kNowhere) return false;
    const double wanted = row.duty + duty;
    const double around = (rows_[parent].duty + duty) / rows_[parent].cpus;
    return wanted > rules_.widen_at * row.cpus + kNothing &&
           wanted / row.cpus > (1 + rules_.imbalance) * around + kNothing;
}

std::size_t Fill::least_loaded(std::span<const std::size_t> rows, const Work& work) const {
    return *std::ranges::min_element(rows, {}, [&](std::size_t r) {
        return grains((rows_[r].load + work.load) / rows_[r].cpus);
    });
}

std::size_t Fill::place(const Work& work, std::size_t within) const {
    std::size_t at = within;
    while (true) {
        const auto& inside = at == kNowhere ? roots_ : rows_[at].inside;
        if (inside.empty()) return at;
        const auto next = least_loaded(inside, work);
        const bool is_domain = at != kNowhere && at < hierarchy_.domains.size();
        if (is_domain && would_strain(next, work.duty)) return at;
        at = next;
    }
}

std::size_t Fill::roomy(const Work& work, std::size_t within) const {
    std::size_t found = kNowhere;
    for (std::size_t at = within;; at = found) {
        std::vector<std::size_t> fitting;
        for (const auto inside : rows_[at].inside)
            if (rules_.widen_at <= 0 ||
                rows_[inside].duty + work.duty <=
                    rules_.widen_at * rows_[inside].cpus * (1 - rules_.hysteresis) + kNothing)
                fitting.push_back(inside);
        if (fitting.empty()) return found;
        found = least_loaded(fitting, work);
    }
}

bool Fill::fits_packed(const Work& work, std::size_t leaf, double margin) const {
    for (auto row = leaf; row != kNowhere; row = rows_[row].around)
        if (rows_[row].duty + work.duty > rules_.fill * rows_[row].cpus * (1 - margin) + kNothing)
            return false;
    return true;
}

std::size_t Fill::pack(const Work& work, double margin) const {
    std::size_t best = kNowhere;
    std::optional<Key> least;
    for (std::size_t leaf = 0; leaf < hierarchy_.leaves; ++leaf) {
        if (!fits_packed(work, leaf, margin)) continue;
        Key key;
        for (std::size_t tier = 0; tier + 1 < hierarchy_.tiers; ++tier)
            key.add(-grains(rows_[hierarchy_.around(leaf, tier)].batch));
        if (hierarchy_.tiers == 1) key.add(-grains(rows_[rows_[leaf].around].batch));
        key.add(-grains(rows_[leaf].batch));
        key.add(rows_[leaf].latency);
        key.add(grains(rows_[leaf].load / rows_[leaf].cpus));
        if (least && *least <= key) continue;
        least = key;
        best = leaf;
    }
    return best;
}

std::size_t Fill::spread(const Work& work) const {
    std::size_t best = kNowhere;
    std::optional<Key> least;
    for (std::size_t leaf = 0; leaf < hierarchy_.leaves; ++leaf) {
        const Row& row = rows_[leaf];
        if (row.latency > 0 || row.duty + work.duty > row.cpus + kNothing) continue;
        Key key;
        const auto add = [&](const Row& around) {
            key.add(grains(static_cast<double>(around.latency + 1) / around.leaves));
            key.add(grains((around.load + work.load) / around.cpus));
        };
        for (std::size_t tier = 0; tier + 1 < hierarchy_.tiers; ++tier)
            add(rows_[hierarchy_.around(leaf, tier)]);
        if (hierarchy_.tiers == 1) add(rows_[row.around]);
        key.add(grains((row.load + work.load) / row.cpus));
        if (least && *least <= key) continue;
        least = key;
        best = leaf;
    }
    return best;
}

std::size_t choose_to_leave(std::span<const double> duties, double excess) {
    const auto better = [&](double one, double other) {
        const bool is_enough = one >= excess - kNothing;
        if (is_enough != (other >= excess - kNothing)) return is_enough;
        return is_enough ? one < other : one > other;
    };
    std::size_t best = 0;
    for (std::size_t i = 1; i < duties.size(); ++i)
        if (better(duties[i], duties[best])) best = i;
    return best;
}

} // namespace schedd::policies
