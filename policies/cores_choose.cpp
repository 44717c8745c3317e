// Which free cores a request gets: kind by kind, from nodes down to cores, the best fit at each level.
#include <algorithm>
#include <cstdint>

#include "policies/cores.h"

namespace schedd::policies {

namespace {

constexpr std::size_t kNone = SIZE_MAX;

} // namespace

/// A choice being made.
struct Cores::Pick {
    std::vector<int> cores;
    std::vector<bool> is_picked;                      // by core
    std::array<std::vector<bool>, kLevels> is_near{}; // by group: has cores of the one who asks
    std::vector<int> own_in_l3;                       // how many
    std::size_t kind = 0;                             // of which cores are looked for now
    bool spread = false;
    int package = -1; // where the last node was

    explicit Pick(const Cores& all)
        : is_picked(all.map_->cores.size()), own_in_l3(all.map_->groups[kL3].size()) {
        for (const Level level : {kNode, kL3, kL2, kCore}) is_near[level].resize(all.size_of(level));
    }
    void mark_near(const Cores& all, int core) {
        for (const Level level : {kNode, kL3, kL2, kCore})
            is_near[level][all.map_->parents[level][static_cast<std::size_t>(core)]] = true;
        const auto node = all.map_->parents[kNode][static_cast<std::size_t>(core)];
        package = all.map_->groups[kNode][node].package;
        ++own_in_l3[all.map_->parents[kL3][static_cast<std::size_t>(core)]];
    }
    void add(std::size_t core) {
        cores.push_back(static_cast<int>(core));
        is_picked[core] = true;
    }
};

int Cores::free_of_kind(std::size_t kind) const {
    int sum = 0;
    for (std::size_t node = 0; node < map_->groups[kNode].size(); ++node) sum += free_in(kNode, node, kind);
    return sum;
}

std::vector<std::size_t> Cores::kinds_for(CoreRequest::Kinds kinds, const Pick& pick) const {
    std::vector<std::size_t> order(map_->kinds.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    if (kinds == CoreRequest::Kinds::performance) std::ranges::reverse(order);
    if (kinds != CoreRequest::Kinds::any || order.size() < 2) return order;
    std::vector<bool> is_own(map_->kinds.size());
    for (std::size_t core = 0; core < map_->cores.size(); ++core)
        if (pick.is_near[kCore][core]) is_own[map_->cores[core].kind] = true;
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
        if (is_own[a] != is_own[b]) return static_cast<bool>(is_own[a]);
        return free_of_kind(a) > free_of_kind(b);
    });
    return order;
}

/// The group to go on with: near ones first; one that is enough by itself, with the least left over; else the
/// largest.
std::size_t Cores::best_group(const Pick& pick, Level level, std::size_t begin, const std::vector<bool>& done,
                              int need) const {
    std::size_t best = kNone;
    const auto is_better = [&](std::size_t group) {
        if (best == kNone) return true;
        if (pick.is_near[level][group] != pick.is_near[level][best])
            return static_cast<bool>(pick.is_near[level][group]);
        const int here = free_in(level, group, pick.kind);
        const int there = free_in(level, best, pick.kind);
        if ((here >= need) != (there >= need)) return here >= need;
        if (here != there) return here >= need ? here < there : here > there;
        return level == kNode && map_->groups[kNode][best].package != pick.package &&
               map_->groups[kNode][group].package == pick.package;
    };
    for (std::size_t i = 0; i < done.size(); ++i)
        if (!done[i] && free_in(level, begin + i, pick.kind) > 0 && is_better(begin + i)) best = begin + i;
    return best;
}

/// Takes `need` CPUs from the groups of one level, or all that there are.
void Cores::pack(Pick& pick, Level level, std::size_t begin, std::size_t end, int need) const {
    std::vector<bool> done(end - begin);
    while (need > 0) {
        const std::size_t best = best_group(pick, level, begin, done, need);
        if (best == kNone) return;
        done[best - begin] = true;
        const int part = std::min(need, free_in(level, best, pick.kind));
        need -= part;
        if (level == kCore) {
            pick.add(best);
            continue;
        }
        const Group& group = map_->groups[level][best];
        if (level == kNode) pick.package = group.package;
        if (level == kNode && pick.spread) spread(pick, best, part);
        else pack(pick, static_cast<Level>(level + 1), group.begin, group.end, part);
    }
}

/// Of an L3 group: the smallest core that is enough by itself, else the largest.
std::size_t Cores::best_core(const Pick& pick, std::size_t l3, int need) const {
    const Group& cache = map_->groups[kL3][l3];
    std::size_t best = kNone;
    for (std::size_t core = map_->groups[kL2][cache.begin].begin; core < map_->groups[kL2][cache.end - 1].end;
         ++core) {
        if (pick.is_picked[core] || free_in(kCore, core, pick.kind) == 0) continue;
        if (best == kNone) {
            best = core;
            continue;
        }
        const int here = map_->cores[core].capacity;
        const int there = map_->cores[best].capacity;
        if ((here >= need) != (there >= need) ? here >= need : here >= need ? here < there : here > there)
            best = core;
    }
    return best;
}

/// Takes core after core, each where it has fewest so far; of equals where most are free.
void Cores::spread(Pick& pick, std::size_t node, int need) const {
    const Group& group = map_->groups[kNode][node];
    std::vector<int> left;
    for (std::size_t l3 = group.begin; l3 < group.end; ++l3) left.push_back(free_in(kL3, l3, pick.kind));
    while (need > 0) {
        std::size_t best = kNone;
        for (std::size_t l3 = group.begin; l3 < group.end; ++l3) {
            if (left[l3 - group.begin] <= 0) continue;
            if (best == kNone || pick.own_in_l3[l3] < pick.own_in_l3[best] ||
                (pick.own_in_l3[l3] == pick.own_in_l3[best] &&
                 left[l3 - group.begin] > left[best - group.begin]))
                best = l3;
        }
        if (best == kNone) return;
        const std::size_t core = best_core(pick, best, need);
        pick.add(core);
        ++pick.own_in_l3[best];
        left[best - group.begin] -= map_->cores[core].capacity;
        need -= map_->cores[core].capacity;
    }
}

/// The largest cores, wherever they are: the last resort when few cores are left.
std::vector<int> Cores::fewest(int cpus) const {
    std::vector<int> order;
    for (int core = 0; core < size(); ++core)
        if (is_free(core)) order.push_back(core);
    std::ranges::stable_sort(order, std::ranges::greater{}, [&](int core) { return at(core).capacity; });
    std::size_t taken = 0;
    for (int got = 0; got < cpus; ++taken) got += at(order[taken]).capacity;
    order.resize(taken);
    return order;
}

/// Takes away what is not needed, the last chosen first.
void Cores::drop_superfluous(std::vector<int>& cores, int cpus) const {
    for (int surplus = capacity(cores) - cpus; surplus > 0;) {
        auto largest = cores.rend();
        for (auto core = cores.rbegin(); core != cores.rend(); ++core)
            if (at(*core).capacity <= surplus &&
                (largest == cores.rend() || at(*core).capacity > at(*largest).capacity))
                largest = core;
        if (largest == cores.rend()) return;
        surplus -= at(*largest).capacity;
        cores.erase(std::next(largest).base());
    }
}

int Cores::largest(int keep_free) const {
    int cores = free_cores_ - keep_free;
    int sum = 0;
    for (int capacity = static_cast<int>(free_by_capacity_.size()) - 1; capacity > 0 && cores > 0;
         --capacity) {
        const int used = std::min(cores, free_by_capacity_[static_cast<std::size_t>(capacity)]);
        sum += used * capacity;
        cores -= used;
    }
    return sum;
}

std::vector<int> Cores::choose(const CoreRequest& request, int keep_free, std::span<const int> near) const {
    if (request.cpus <= 0 || request.cpus > largest(keep_free)) return {};
    Pick pick(*this);
    pick.spread = request.spread;
    for (const int core : near) pick.mark_near(*this, core);
    int need = request.cpus;
    for (const std::size_t kind : kinds_for(request.kinds, pick)) {
        if (need <= 0) break;
        pick.kind = kind;
        pack(pick, kNode, 0, map_->groups[kNode].size(), need);
        need = request.cpus - capacity(pick.cores);
        // the next kind of core is looked for beside these
        std::ranges::fill(pick.own_in_l3, 0);
        for (const int core : near) pick.mark_near(*this, core);
        for (const int core : pick.cores) pick.mark_near(*this, core);
    }
    drop_superfluous(pick.cores, request.cpus);
    if (static_cast<int>(pick.cores.size()) > free_cores_ - keep_free) {
        pick.cores = fewest(request.cpus);
        drop_superfluous(pick.cores, request.cpus);
    }
    std::ranges::sort(pick.cores);
    return pick.cores;
}

std::vector<int> Cores::choose_among(const CoreRequest& request, std::span<const int> own) const {
    Cores only = *this;
    for (int core = 0; core < size(); ++core) {
        const bool is_own = std::ranges::find(own, core) != own.end();
        if (is_own != only.is_free(core)) only.count(core, is_own);
    }
    auto chosen = only.choose(request, 0);
    return chosen.empty() ? std::vector<int>(own.begin(), own.end()) : chosen;
}

} // namespace schedd::policies
