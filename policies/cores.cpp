// The cores of a machine as a table with free CPUs counted at each level. Which of them a request gets is in
// cores_choose.cpp.
#include "policies/cores.h"

#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/format.h>

namespace schedd::policies {

namespace {

/// "0-2,5" for numbers that need not be CPUs.
std::string list_of(const std::set<int>& numbers) {
    std::string text;
    for (auto at = numbers.begin(); at != numbers.end();) {
        const int first = *at;
        int last = first;
        while (++at != numbers.end() && *at == last + 1) last = *at;
        if (!text.empty()) text += ',';
        text += first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
    }
    return text;
}

} // namespace

Cores::Cores(const Topology& topology, const CpuSet& reserved, Smt smt) {
    const auto map = std::make_shared<Map>();
    auto& [cores, kinds, core_of_cpu, groups, parents, has_loose_cpus] = *map;
    const CpuSet usable = topology.usable();
    rest_ = usable - reserved;
    std::vector<Cpu> cpus;
    for (const Cpu& cpu : topology.cpus)
        if (usable.contains(cpu.id)) cpus.push_back(cpu);
    std::ranges::sort(cpus, {}, [](const Cpu& cpu) { return std::pair(cpu.core, cpu.id); });

    // each core once, with its lowest CPU to say where it is
    std::vector<std::pair<Cpu, CpuSet>> whole;
    for (auto at = cpus.begin(); at != cpus.end();) {
        const Cpu& first = *at;
        CpuSet members;
        for (; at != cpus.end() && at->core == first.core; ++at) members.add(at->id);
        if (members.intersects(reserved)) {
            has_loose_cpus = has_loose_cpus || !members.subset_of(reserved);
        } else {
            whole.emplace_back(first, members);
        }
    }
    std::ranges::sort(whole, {}, [](const auto& core) {
        return std::tuple(core.first.numa, core.first.l3, core.first.l2, core.first.core);
    });
    for (const auto& [first, members] : whole) kinds.push_back(first.kind);
    std::ranges::sort(kinds);
    kinds.erase(std::ranges::unique(kinds).begin(), kinds.end());

    core_of_cpu.assign(topology.width(), -1);
    std::vector<Cpu> firsts;
    for (const auto& [first, members] : whole) {
        for (int cpu = members.first(); cpu >= 0; cpu = members.next(cpu))
            core_of_cpu[static_cast<std::size_t>(cpu)] = static_cast<int>(cores.size());
        const auto kind = std::ranges::lower_bound(kinds, first.kind) - kinds.begin();
        cores.push_back({.cpus = members,
                         .capacity = smt == Smt::share ? members.count() : 1,
                         .numa = first.numa,
                         .l3 = first.l3,
                         .kind = static_cast<std::size_t>(kind)});
        firsts.push_back(first);
    }
    map->group_cores(firsts);
    map_ = map;
    int most = 0;
    for (const Core& core : cores) most = std::max(most, core.capacity);
    for (const Level level : {kNode, kL3, kL2, kCore}) free_[level].assign(size_of(level) * kinds.size(), 0);
    free_by_capacity_.assign(static_cast<std::size_t>(most) + 1, 0);
    is_free_.assign(cores.size(), false);
    for (int core = 0; core < size(); ++core) count(core, true);
}

/// Cores of the same L2, L3 and node stand in a row already; what differs in one differs in all below.
void Cores::Map::group_cores(std::span<const Cpu> firsts) {
    for (std::size_t i = 0; i < firsts.size(); ++i) {
        const bool new_node = i == 0 || firsts[i].numa != firsts[i - 1].numa;
        const bool new_l3 = new_node || firsts[i].l3 != firsts[i - 1].l3;
        const bool new_l2 = new_l3 || firsts[i].l2 != firsts[i - 1].l2;
        if (new_node) groups[kNode].push_back({.begin = groups[kL3].size(), .package = firsts[i].package});
        if (new_l3) groups[kL3].push_back({.begin = groups[kL2].size(), .parent = groups[kNode].size() - 1});
        if (new_l2) groups[kL2].push_back({.begin = i, .parent = groups[kL3].size() - 1});
        groups[kL2].back().end = i + 1;
        groups[kL3].back().end = groups[kL2].size();
        groups[kNode].back().end = groups[kL3].size();
        parents[kCore].push_back(i);
        parents[kL2].push_back(groups[kL2].size() - 1);
        parents[kL3].push_back(groups[kL3].size() - 1);
        parents[kNode].push_back(groups[kNode].size() - 1);
    }
}

void Cores::count(int core, bool free) {
    const Core& which = at(core);
    is_free_[static_cast<std::size_t>(core)] = free;
    const int cpus = free ? which.capacity : -which.capacity;
    for (const Level level : {kNode, kL3, kL2, kCore}) {
        const std::size_t group = map_->parents[level][static_cast<std::size_t>(core)];
        free_[level][group * map_->kinds.size() + which.kind] += cpus;
    }
    free_by_capacity_[static_cast<std::size_t>(which.capacity)] += free ? 1 : -1;
    free_cores_ += free ? 1 : -1;
}

void Cores::take(std::span<const int> cores) {
    for (const int core : cores) {
        count(core, false);
        rest_ = rest_ - at(core).cpus;
    }
}

void Cores::give_back(std::span<const int> cores) {
    for (const int core : cores) {
        count(core, true);
        rest_ |= at(core).cpus;
    }
}

int Cores::core_of(int cpu) const {
    return cpu >= 0 && static_cast<std::size_t>(cpu) < map_->core_of_cpu.size()
               ? map_->core_of_cpu[static_cast<std::size_t>(cpu)]
               : -1;
}

int Cores::capacity(std::span<const int> cores) const {
    int sum = 0;
    for (const int core : cores) sum += at(core).capacity;
    return sum;
}

bool Cores::is_too_much(std::span<const int> cores, int cpus) const {
    const int surplus = capacity(cores) - cpus;
    return std::ranges::any_of(cores, [&](int core) { return at(core).capacity <= surplus; });
}

CpuSet Cores::cpus(std::span<const int> cores) const {
    CpuSet all;
    for (const int core : cores) all |= at(core).cpus;
    return all;
}

CpuSet Cores::mask(std::span<const int> cores) const {
    CpuSet all;
    for (const int core : cores) {
        const Core& which = at(core);
        if (which.capacity == which.cpus.count()) all |= which.cpus;
        else all.add(which.cpus.first());
    }
    return all;
}

std::string Cores::place(std::span<const int> cores) const {
    std::set<int> nodes;
    std::set<int> caches;
    std::set<int> kinds;
    for (const int core : cores) {
        nodes.insert(at(core).numa);
        if (at(core).l3 >= 0) caches.insert(at(core).l3);
        kinds.insert(map_->kinds[at(core).kind]);
    }
    auto text = "numa " + list_of(nodes);
    if (!caches.empty()) text += ", l3 " + list_of(caches);
    if (map_->kinds.size() > 1) {
        const auto speed = kinds == std::set{map_->kinds.back()}    ? " (fastest)"
                           : kinds == std::set{map_->kinds.front()} ? " (slowest)"
                                                                    : "";
        text += fmt::format(", core kind {}{} of {}-{}", list_of(kinds), speed, map_->kinds.front(),
                            map_->kinds.back());
    }
    return text;
}

std::vector<Cores::Room> Cores::rooms() const {
    std::vector<Room> rooms(map_->groups[kL3].size());
    for (int core = 0; core < size(); ++core) {
        Room& room = rooms[map_->parents[kL3][static_cast<std::size_t>(core)]];
        if (room.all++ == 0)
            room.place = at(core).l3 < 0 ? fmt::format("numa {}", at(core).numa)
                                         : fmt::format("numa {}, l3 {}", at(core).numa, at(core).l3);
        room.free += is_free(core) ? 1 : 0;
    }
    return rooms;
}

std::vector<int> Cores::free_beside(std::span<const int> cores) const {
    std::vector<bool> is_beside(map_->groups[kL3].size());
    for (const int core : cores) is_beside[map_->parents[kL3][static_cast<std::size_t>(core)]] = true;
    std::vector<int> free;
    for (int core = 0; core < size(); ++core)
        if (is_free(core) && is_beside[map_->parents[kL3][static_cast<std::size_t>(core)]])
            free.push_back(core);
    return free;
}

} // namespace schedd::policies
