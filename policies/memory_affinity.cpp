// memory_affinity - keeps each control group on the CPUs of the NUMA node that holds most of its memory.
//   82 % of 512 MiB on node 1 -> held on node 1's CPUs, if what it wants of them is there
//   later 70 % on node 0      -> moved there after 3 updates
//   55 % on node 0, 45 % on 1 -> left alone
// The work follows the memory. Only with move_memory the rest of the memory follows the work, a unit at a
// time: AllowedMemoryNodes= makes the kernel move it, which costs and is done seldom. Which node is whose is
// in memory_homes.h. Usage: create schedulers/NUMA/memory_affinity; link probes/numa_memory/followed_memory
// .../memory and cgroup_memory, node_available, probes/cpu/process_load likewise
#include "policies/policies.h"

#include <algorithm>

#include <fmt/format.h>

#include "policies/considered.h"
#include "policies/memory_homes.h"

namespace schedd::policies {

namespace {

enum PortIndex : std::size_t { kMemory, kCgroupMemory, kProcessLoad, kNodeAvailable };
constexpr PortSpec kPorts[] = {
    {.name = "memory",
     .type = types::kMemory,
     .wants_updates = true,
     .doc = "Each update makes the policy decide; its value does not matter."},
    {.name = "cgroup_memory",
     .type = types::kMemoryByCgroup,
     .doc = "Where the memory of a control group lies; only read."},
    {.name = "process_load",
     .type = types::kLoadByPid,
     .doc = "What each process wants of a CPU; without it all is taken to fit. Only read."},
    {.name = "node_available",
     .type = types::kMemoryByNode,
     .doc = "What a node has left; without it no memory is moved. Only read."},
};

enum Attribute : std::size_t {
    kShare,
    kHysteresis,
    kLeast,
    kPatience,
    kMoveBudget,
    kMoveMemory,
    kMemoryBudget,
    kMoves,
    kRebinds,
    kStanding
};
constexpr AttributeSpec kAttributes[] = {
    {.name = "share",
     .unit = "percent",
     .initial = "60",
     .minimum = 1,
     .maximum = 100,
     .doc = "How much of a group's memory makes a node the one it is held on."},
    {.name = "hysteresis",
     .unit = "points",
     .initial = "20",
     .maximum = 100,
     .doc = "By how much another node's share must be above the present one's for a move, and how far below "
            "`share` the present one may fall."},
    {.name = "least",
     .unit = "MiB",
     .initial = "64",
     .maximum = 1'048'576,
     .doc = "A group with less memory is left alone; one that is held, with less than half of it."},
    {.name = "patience",
     .unit = "updates",
     .initial = "3",
     .minimum = 1,
     .maximum = 1000,
     .doc = "For how many updates in a row something must hold before a group is moved or let go."},
    {.name = "move_budget",
     .unit = "moves/min",
     .initial = "6",
     .maximum = 600,
     .doc = "Moves of one group in any minute; 0 = it stays where it was first held."},
    {.name = "move_memory",
     .kind = AttributeKind::boolean,
     .initial = "false",
     .doc = "Whether the memory of a unit is moved to the node that it is held on (AllowedMemoryNodes)."},
    {.name = "memory_budget",
     .unit = "units/min",
     .initial = "1",
     .maximum = 60,
     .doc = "Units whose memory is moved in any minute, all together."},
    {.name = "moves",
     .unit = "moves",
     .read_only = true,
     .doc = "How often a group that had been held got another node, or one again."},
    {.name = "rebinds",
     .unit = "units",
     .read_only = true,
     .doc = "How often the memory of a unit was moved."},
    {.name = "standing",
     .kind = AttributeKind::text,
     .initial = "not decided yet",
     .read_only = true,
     .doc = "How many groups are held, and why the others are not."},
};

constexpr Duration kMinute = std::chrono::minutes(1);

class MemoryAffinity final : public Policy {
public:
    using Policy::Policy;

    std::vector<Decision> decide(const View& view) override {
        const auto nodes = view.topology.domains(Level::numa);
        if (nodes.size() < 2) {
            homes_.clear();
            report(kStanding, fmt::format("{} NUMA node with usable CPUs: nothing to decide", nodes.size()));
            return {};
        }
        follow(view.subjects);
        measure(view.subjects, nodes);
        const MemoryRules rules = memory_rules();
        if (const auto moves = homes_.settle(nodes, rules, view.now); moves > 0)
            report(kMoves, unsigned_at(kMoves) + moves);
        bind_some(view);
        tell(view.subjects, nodes, rules);
        return decisions(view.subjects, nodes);
    }
    [[nodiscard]] std::vector<std::string> considered(const View& view,
                                                      const Subject& subject) const override;

protected:
    void changed(std::size_t /*index*/) override { make_due(); }

private:
    [[nodiscard]] MemoryRules memory_rules() const {
        return {.share = static_cast<double>(unsigned_at(kShare)),
                .hysteresis = static_cast<double>(unsigned_at(kHysteresis)),
                .least_kib = static_cast<std::int64_t>(unsigned_at(kLeast)) * 1024,
                .patience = unsigned_at(kPatience),
                .move_budget = unsigned_at(kMoveBudget)};
    }
    void consider_holding(const MemoryHome& home, std::span<const Domain> nodes,
                          std::vector<std::string>& lines) const;
    void consider_moving(const MemoryHome& home, std::span<const Domain> nodes,
                         std::vector<std::string>& lines) const;
    void follow(const Subjects& subjects);
    void measure(const Subjects& subjects, std::span<const Domain> nodes);
    [[nodiscard]] std::optional<GroupMemory> memory_of(const std::string& group,
                                                       std::span<const Domain> nodes) const;
    void bind_some(const View& view);
    bool has_room(MemoryHome& home, std::int64_t& promised_kib) const;
    void tell(const Subjects& subjects, std::span<const Domain> nodes, const MemoryRules& rules);
    [[nodiscard]] std::vector<Decision> decisions(const Subjects& subjects,
                                                  std::span<const Domain> nodes) const;

    MemoryHomes homes_;
    std::vector<Time> bound_at_; // in the last minute
};

void MemoryAffinity::follow(const Subjects& subjects) {
    std::vector<std::string_view> groups;
    for (const Subject& subject : subjects)
        if (!subject.group.empty()) groups.push_back(subject.group);
    std::ranges::sort(groups);
    groups.erase(std::ranges::unique(groups).begin(), groups.end());
    homes_.follow(groups);
}

/// What each group has where, and what its processes want. A load that is not known stays what it was.
void MemoryAffinity::measure(const Subjects& subjects, std::span<const Domain> nodes) {
    std::map<std::string_view, std::int64_t> loads;
    for (const Subject& subject : subjects) {
        if (subject.group.empty()) continue;
        if (subject.pids.empty()) loads.try_emplace(subject.group, 0); // nobody is in it
        for (const Pid pid : subject.pids) {
            const auto sample = port(kProcessLoad).collected(Parameter(static_cast<std::int64_t>(pid)));
            if (sample) loads[subject.group] += std::max<std::int64_t>(number_of(sample->value), 0);
        }
    }
    for (auto& [group, home] : homes_.all()) {
        if (const auto load = loads.find(group); load != loads.end())
            home.load = static_cast<double>(load->second) / 1000;
        homes_.measured(home, memory_of(group, nodes));
    }
}

std::optional<GroupMemory> MemoryAffinity::memory_of(const std::string& group,
                                                     std::span<const Domain> nodes) const {
    const auto total = port(kCgroupMemory).collected(Parameter(std::string_view(group)));
    if (!total) return std::nullopt;
    GroupMemory memory{std::max<std::int64_t>(number_of(total->value), 0), {}, total->time};
    for (const Domain& node : nodes) {
        const auto name = fmt::format("{}{}", node.numa, group);
        const auto part = port(kCgroupMemory).collected(Parameter(std::string_view(name)));
        // a node without memory of its own is in no numa_stat
        if (part)
            memory.on_node_kib[node.numa] =
                std::clamp<std::int64_t>(number_of(part->value), 0, memory.total_kib);
    }
    return memory;
}

/// The kernel swaps, or kills, when what may lie on one node alone does not fit there. So half of what is
/// left stays left.
bool MemoryAffinity::has_room(MemoryHome& home, std::int64_t& promised_kib) const {
    const auto sample = port(kNodeAvailable).collected(Parameter(static_cast<std::int64_t>(home.node)));
    if (!sample) return false;
    const auto here = home.seen->on_node_kib.find(home.node);
    const auto rest = home.seen->total_kib - (here == home.seen->on_node_kib.end() ? 0 : here->second);
    const auto left = number_of(sample->value) - promised_kib;
    if (rest > left / 2) return false;
    promised_kib += rest;
    home.bound_reason = fmt::format("; the other {} MiB are to be moved there, where {} MiB are left",
                                    rest / 1024, left / 1024);
    return true;
}

/// Lets units have memory on their node alone, as many as the budget allows.
void MemoryAffinity::bind_some(const View& view) {
    std::erase_if(bound_at_, [&](Time at) { return view.now - at >= kMinute; });
    for (auto& [group, home] : homes_.all())
        if (!flag_at(kMoveMemory) || home.node == kNoNode) home.is_bound = false;
    if (!flag_at(kMoveMemory)) return;
    std::map<int, std::int64_t> promised_kib; // by node, in this update
    for (const Subject& subject : view.subjects) {
        if (bound_at_.size() >= unsigned_at(kMemoryBudget)) return;
        if (subject.target.sort != Target::Sort::unit || subject.group.empty()) continue;
        auto& home = homes_.all().find(subject.group)->second;
        if (home.node == kNoNode || home.is_bound || !home.is_new) continue;
        if (!has_room(home, promised_kib[home.node])) continue;
        home.is_bound = true;
        bound_at_.push_back(view.now);
        report(kRebinds, unsigned_at(kRebinds) + 1);
    }
}

void MemoryAffinity::tell(const Subjects& subjects, std::span<const Domain> nodes, const MemoryRules& rules) {
    std::map<std::string_view, std::size_t> counts;
    for (const auto& [group, home] : homes_.all()) {
        const auto& seen = home.seen;
        if (home.node != kNoNode) ++counts["held"];
        else if (!seen) ++counts["not measured"];
        else if (seen->total_kib < rules.least_kib) ++counts["below least"];
        else if (share_on(*seen, main_node(*seen, nodes, kNoNode).numa) < rules.share) ++counts["spread"];
        else ++counts["waiting for CPUs or budget"];
    }
    const auto single =
        static_cast<std::size_t>(std::ranges::count(subjects, std::string(), &Subject::group));
    if (single > 0) counts["without a control group"] = single;
    std::string text;
    for (const auto& [what, count] : counts)
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
    report(kStanding, text.empty() ? std::string("no members") : text);
}

std::vector<Decision> MemoryAffinity::decisions(const Subjects& subjects,
                                                std::span<const Domain> nodes) const {
    std::vector<Decision> held;
    for (const Subject& subject : subjects) {
        if (subject.group.empty()) continue;
        const auto& home = homes_.all().find(subject.group)->second;
        if (home.node == kNoNode) continue;
        Decision decision{subject.target, node_of(nodes, home.node)->cpus, home.reason};
        if (home.is_bound && subject.target.sort == Target::Sort::unit) {
            CpuSet node;
            node.add(home.node);
            decision.tuning.memory_nodes = node;
            decision.reason += home.bound_reason;
        }
        held.push_back(std::move(decision));
    }
    return held;
}

/// Why a group that is not held is not.
void MemoryAffinity::consider_holding(const MemoryHome& home, std::span<const Domain> nodes,
                                      std::vector<std::string>& lines) const {
    const MemoryRules rules = memory_rules();
    const auto& seen = *home.seen;
    if (seen.total_kib < rules.least_kib) {
        lines.push_back(fmt::format("it has {} MiB, and with less than {} MiB (least) it is left alone",
                                    seen.total_kib / 1024, unsigned_at(kLeast)));
        return;
    }
    const Domain& main = main_node(seen, nodes, kNoNode);
    const double most = share_on(seen, main.numa);
    if (most < rules.share) {
        lines.push_back(fmt::format("node {} holds most, {:.0f} %, and {} % (share) are asked for", main.numa,
                                    most, unsigned_at(kShare)));
        if (most >= 1)
            lines.push_back(fmt::format("share={} would hold it on node {}, CPUs {}", static_cast<int>(most),
                                        main.numa, main.cpus.text()));
        return;
    }
    const double taken = homes_.load_on(main.numa);
    if (home.load > main.cpus.count() - taken)
        lines.push_back(fmt::format("it wants {:.2f} CPUs, and of the {} of node {} {:.2f} are wanted by "
                                    "groups that are held there",
                                    home.load, main.cpus.count(), main.numa, taken));
    else if (home.was_held && home.moved_at.size() >= rules.move_budget)
        lines.push_back(fmt::format("it was moved {} in the last minute, which is all of move_budget={}",
                                    counted(static_cast<int>(home.moved_at.size()), "time"),
                                    unsigned_at(kMoveBudget)));
    else lines.emplace_back("it can be held at the next measurement");
}

/// Why a group that is held stays where it is.
void MemoryAffinity::consider_moving(const MemoryHome& home, std::span<const Domain> nodes,
                                     std::vector<std::string>& lines) const {
    const MemoryRules rules = memory_rules();
    const auto& seen = *home.seen;
    const double here = share_on(seen, home.node);
    const Domain* other = nullptr;
    for (const Domain& node : nodes)
        if (node.numa != home.node && (!other || share_on(seen, node.numa) > share_on(seen, other->numa)))
            other = &node;
    if (!other) return; // the machine has become another since
    if (home.better_for > 0)
        lines.push_back(fmt::format("node {} holds more, for {} of {} updates; it was moved {} of at most {} "
                                    "times in the last minute",
                                    home.candidate, home.better_for, rules.patience, home.moved_at.size(),
                                    rules.move_budget));
    else
        lines.push_back(fmt::format("node {} would have to hold {:.0f} % for a move, and holds {:.0f} %",
                                    other->numa, std::max(rules.share, here + rules.hysteresis),
                                    share_on(seen, other->numa)));
    if (home.weak_for > 0)
        lines.push_back(
            fmt::format("its node holds too little of it, for {} of {} updates: then it is let go",
                        home.weak_for, rules.patience));
    if (const Domain* node = node_of(nodes, home.node))
        lines.push_back(fmt::format("the groups held on node {} want {:.2f} of its {}", home.node,
                                    homes_.load_on(home.node), counted(node->cpus.count(), "CPU")));
}

std::vector<std::string> MemoryAffinity::considered(const View& view, const Subject& subject) const {
    std::vector<std::string> lines;
    const auto nodes = view.topology.domains(Level::numa);
    if (nodes.size() < 2) {
        lines.push_back(fmt::format("there is {} with usable CPUs, so nothing to choose from",
                                    counted(static_cast<int>(nodes.size()), "NUMA node")));
        return lines;
    }
    if (subject.group.empty()) {
        lines.emplace_back("it has no control group of its own, and memory is known by control group alone");
        return lines;
    }
    const auto at = homes_.all().find(subject.group);
    if (at == homes_.all().end()) return lines; // nothing was decided about it yet
    const MemoryHome& home = at->second;
    if (!home.seen) {
        lines.push_back(
            fmt::format("cgroup_memory has no value for {}: link numa_memory/cgroup_memory", subject.group));
        return lines;
    }
    std::vector<std::string> shares;
    for (const Domain& node : nodes)
        shares.push_back(fmt::format("node {} {:.0f} %", node.numa, share_on(*home.seen, node.numa)));
    lines.push_back(fmt::format("of its {} MiB lie on {}", home.seen->total_kib / 1024, listed(shares)));
    if (home.node == kNoNode) consider_holding(home, nodes, lines);
    else consider_moving(home, nodes, lines);
    if (home.node != kNoNode && subject.target.sort == Target::Sort::unit && !flag_at(kMoveMemory))
        lines.push_back(
            fmt::format("move_memory=true would move the rest of its memory to node {}, as far as "
                        "that has room",
                        home.node));
    return lines;
}

} // namespace

const Descriptor kMemoryAffinity{
    .name = "memory_affinity",
    .kind = Kind::policy,
    .doc = "Keeps control groups on the NUMA node that holds most of their memory.",
    .make = make_part<MemoryAffinity>,
    .attributes = kAttributes,
    .ports = kPorts,
};

} // namespace schedd::policies
