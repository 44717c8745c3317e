// numa_memory - on which NUMA nodes the memory of a control group lies, from memory.numa_stat (cgroup v2).
//   "anon N0=3145728 N1=1048576", "file N0=0 N1=0" of /db -> cgroup_memory[/db] 4096, cgroup_memory[0/db]
//   3072
// Counted are the pages of programs (anon) and of files, with all groups inside. Only groups that were asked
// for are followed, each until it is gone or nobody has asked for a while; so the first read of a group has
// no value yet. followed_memory tells its sinks after each measurement, so that a policy can decide on it.
// Single processes have no value: proc/PID/numa_maps walks all pages and costs a hundred times as much.
// Usage: create probes/numa_memory; read probes/numa_memory/cgroup_memory[1/system.slice/db.service]
#include <map>

#include <fmt/format.h>

#include "components/kit/number.h"
#include "components/probes/group_path.h"
#include "components/probes/kept_file.h"
#include "components/probes/numa_text.h"
#include "components/probes/probes.h"

namespace schedd::probes {

namespace {

// memory moves slowly, and each read makes the kernel sum up the counters of all CPUs
constexpr AttributeSpec kAttributes[] = {probe_period("5000"), publish()};

enum SourceIndex : std::size_t { kFollowed, kByCgroup, kAvailable };
constexpr SourceSpec kSourceSpecs[] = {
    {.name = "followed_memory",
     .type = types::kMemory,
     .doc = "Memory of all control groups that are followed; told after each measurement."},
    {.name = "cgroup_memory",
     .type = types::kMemoryByCgroup,
     .doc = "Memory of a group on all nodes (/batch), or on one (0/batch)."},
    {.name = "node_available",
     .type = types::kMemoryByNode,
     .doc = "Memory of a node that is free, or holds files not used for a while."},
};

/// What nobody has asked for during so many periods is followed no longer.
constexpr int kForgetAfterPeriods = 30;

/// "1/batch": node 1 of group "/batch"; without a number all nodes.
struct Place {
    std::optional<std::uint64_t> node;
    std::string_view path;
};

std::optional<Place> parse_place(const Parameter& parameter) {
    const auto* text = std::get_if<std::string_view>(&parameter);
    if (!text) return std::nullopt;
    const auto slash = text->find('/');
    if (slash == std::string_view::npos || !is_group_path(text->substr(slash))) return std::nullopt;
    Place place{std::nullopt, text->substr(slash)};
    if (slash == 0) return place;
    const auto number = text->substr(0, slash);
    if (number.size() > 4 || number.find_first_not_of("0123456789") != std::string_view::npos)
        return std::nullopt;
    place.node = parse_unsigned(number);
    return place;
}

class NumaMemory final : public Probe {
public:
    NumaMemory(const Descriptor& type, std::string name, const Environment& environment)
        : Probe(type, std::move(name), environment) {
        adopt(std::make_unique<PlainSource>(kSourceSpecs[kFollowed]));
        adopt(std::make_unique<LookupSource>(
            kSourceSpecs[kByCgroup], [this](const Parameter& p) { return look_group(p); },
            [this](const Output::Visit& visit) { list_groups(visit); }));
        adopt(std::make_unique<LookupSource>(
            kSourceSpecs[kAvailable], [this](const Parameter& p) { return look_node(p); },
            [this](const Output::Visit& visit) {
                for (const auto& [number, node] : nodes_)
                    if (node.available)
                        visit(Parameter(number), sample_of(*node.available, node.measured_at));
            }));
    }

    void measure(Time now) override {
        std::int64_t sum = 0;
        std::size_t unread = 0;
        for (auto at = groups_.begin(); at != groups_.end();) {
            auto& group = at->second;
            const bool is_wanted = now - group.asked_at <= kForgetAfterPeriods * period();
            if (is_wanted && measure_group(at->first, group, now)) {
                sum += group.total;
                ++at;
            } else {
                unread += is_wanted ? 1 : 0;
                at = groups_.erase(at);
            }
        }
        for (auto at = nodes_.begin(); at != nodes_.end();) {
            auto& node = at->second;
            const bool is_wanted = now - node.asked_at <= kForgetAfterPeriods * period();
            at = is_wanted && measure_node(node, now) ? std::next(at) : nodes_.erase(at);
        }
        note_trouble(unread > 0 && groups_.empty()
                         ? "no control group asked for has a memory.numa_stat that can be read: it needs "
                           "cgroup v2 with the memory controller"
                         : "");
        static_cast<PlainSource&>(*children()[kFollowed])
            .set({.value = sum, .time = now, .fresh_for = fresh_for()});
    }

private:
    struct Followed {
        std::optional<KeptFile> file;  // made when it is first measured
        std::vector<std::int64_t> kib; // by node, -1 = there is none
        std::int64_t total = 0;
        Time measured_at{};
        Time asked_at{};
    };
    struct Node {
        KeptFile file;
        std::optional<std::int64_t> available;
        Time measured_at{};
        Time asked_at{};
    };

    [[nodiscard]] Sample sample_of(std::int64_t kib, Time at) const {
        return {.value = kib, .time = at, .fresh_for = fresh_for()};
    }

    std::optional<Sample> look_group(const Parameter& parameter) {
        const auto place = parse_place(parameter);
        if (!place) return std::nullopt;
        auto at = groups_.find(place->path);
        if (at == groups_.end()) {
            if (groups_.size() >= limits::kMemoryGroups) return std::nullopt;
            at = groups_.emplace(place->path, Followed{}).first;
        }
        auto& group = at->second;
        group.asked_at = environment().clock.now();
        if (group.kib.empty()) return std::nullopt;
        if (!place->node) return sample_of(group.total, group.measured_at);
        if (*place->node >= group.kib.size() || group.kib[*place->node] < 0) return std::nullopt;
        return sample_of(group.kib[*place->node], group.measured_at);
    }

    void list_groups(const Output::Visit& visit) const {
        for (const auto& [path, group] : groups_) {
            if (group.kib.empty()) continue;
            visit(Parameter(std::string_view(path)), sample_of(group.total, group.measured_at));
            for (std::size_t node = 0; node < group.kib.size(); ++node) {
                if (group.kib[node] < 0) continue;
                const auto name = fmt::format("{}{}", node, path);
                visit(Parameter(std::string_view(name)), sample_of(group.kib[node], group.measured_at));
            }
        }
    }

    std::optional<Sample> look_node(const Parameter& parameter) {
        const auto* number = std::get_if<std::int64_t>(&parameter);
        if (!number || *number < 0 || *number >= limits::kMaxNodes) return std::nullopt;
        auto at = nodes_.find(*number);
        if (at == nodes_.end()) {
            KeptFile file(environment().host, fmt::format("sys/devices/system/node/node{}/meminfo", *number));
            at = nodes_.emplace(*number, Node{.file = std::move(file), .available = {}}).first;
        }
        at->second.asked_at = environment().clock.now();
        if (!at->second.available) return std::nullopt;
        return sample_of(*at->second.available, at->second.measured_at);
    }

    /// False when the group is gone, or was never one with such a file.
    bool measure_group(const std::string& path, Followed& group, Time now) {
        if (group.file) return read_group(group, now);
        const auto below = path == "/" ? std::string() : path;
        for (const auto mount : kUnifiedMounts) {
            group.file.emplace(environment().host, fmt::format("{}{}/memory.numa_stat", mount, below));
            if (read_group(group, now)) return true;
        }
        return false;
    }

    bool read_group(Followed& group, Time now) {
        const auto text = group.file->read(buffer_, "", limits::kNumaStat);
        if (!text || !parse_numa_stat(*text, group.kib)) return false;
        group.total = 0;
        for (const auto kib : group.kib) group.total += std::max<std::int64_t>(kib, 0);
        group.measured_at = now;
        return true;
    }

    /// False when there is no such node.
    bool measure_node(Node& node, Time now) {
        const auto text = node.file.read(buffer_, "", limits::kNumaStat);
        node.available = text ? parse_node_available(*text) : std::nullopt;
        node.measured_at = now;
        return node.available.has_value();
    }

    std::map<std::string, Followed, std::less<>> groups_;
    std::map<std::int64_t, Node> nodes_;
    std::vector<char> buffer_ = std::vector<char>(4096);
};

} // namespace

const Descriptor kNumaMemory{
    .name = "numa_memory",
    .kind = Kind::probe,
    .doc = "On which NUMA nodes the memory of control groups lies, and what the nodes have left.",
    .make = make_part<NumaMemory>,
    .attributes = kAttributes,
    .sources = kSourceSpecs,
};

} // namespace schedd::probes
