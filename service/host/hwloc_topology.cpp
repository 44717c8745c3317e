// Reading hwloc 2.x topologies into plain values.
#include "service/host/hwloc_topology.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <hwloc.h>
#include <hwloc/cpukinds.h>
#include <sys/stat.h>
#include <unistd.h>

#include "components/kit/errno_error.h"

namespace schedd::host {

namespace {

constexpr const char* kAccepted =
    "auto, xml:FILE (as lstopo writes it), or synthetic:DESCRIPTION such as "
    "synthetic:\"package:2 l3:1 core:4 pu:2\", which ends with pu:N, the CPUs of a core";

struct Destroyer {
    void operator()(hwloc_topology* topology) const { hwloc_topology_destroy(topology); }
};
using Handle = std::unique_ptr<hwloc_topology, Destroyer>;

/// An environment variable for the length of one call: hwloc takes another file system root in no other way.
class EnvironmentGuard {
public:
    EnvironmentGuard(const char* name, const char* value) : name_(name) {
        if (const char* before = std::getenv(name)) before_ = before;
        ::setenv(name, value, 1);
    }
    ~EnvironmentGuard() {
        if (before_) ::setenv(name_, before_->c_str(), 1);
        else ::unsetenv(name_);
    }
    EnvironmentGuard(const EnvironmentGuard&) = delete;
    EnvironmentGuard& operator=(const EnvironmentGuard&) = delete;

private:
    const char* name_;
    std::optional<std::string> before_;
};

constexpr std::uint64_t kXmlBytes = 64U << 20U; // a file of kMaxCpus CPUs has about 16 MiB

/// How many CPUs a description asks for, which hwloc would make one by one without looking at their number:
/// the product of the counts, beside what stands in brackets. No more than UINT32_MAX.
std::uint64_t described_cpus(const std::string& text) {
    std::uint64_t product = 1;
    int depth = 0;
    bool is_count = true; // a number may stand here: at the start of a word, or after its colon
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '(' || c == '[') ++depth;
        else if (c == ')' || c == ']') --depth;
        const bool is_digit = c >= '0' && c <= '9';
        if (depth == 0 && is_count && is_digit) {
            char* end = nullptr;
            const auto count = std::strtoull(&text[i], &end, 0);
            product =
                std::min<std::uint64_t>(product * std::min<std::uint64_t>(count, UINT32_MAX), UINT32_MAX);
            i += static_cast<std::size_t>(end - &text[i]) - 1;
        }
        is_count = c == ' ' || c == ':';
    }
    return product;
}

Status check_file(const std::string& path) {
    if (::access(path.c_str(), R_OK) != 0)
        return std::unexpected(errno_error(errno, "reading the topology file " + path));
    struct stat facts{};
    if (::stat(path.c_str(), &facts) != 0)
        return std::unexpected(errno_error(errno, "reading the topology file " + path));
    // hwloc reads to the end, whatever it is
    if (!S_ISREG(facts.st_mode) || static_cast<std::uint64_t>(facts.st_size) > kXmlBytes)
        return fail(Errc::invalid_value, path + " is not an hwloc topology",
                    fmt::format("a regular file of at most {} MiB, as `lstopo file.xml` writes it",
                                kXmlBytes >> 20U));
    return {};
}

Status set_source(hwloc_topology_t topology, const TopologySource& source) {
    switch (source.kind) {
    case TopologySource::Kind::automatic: return {};
    case TopologySource::Kind::xml:
        if (auto readable = check_file(source.text); !readable) return readable;
        if (hwloc_topology_set_xml(topology, source.text.c_str()) != 0)
            return fail(Errc::invalid_value, source.text + " is not an hwloc topology",
                        "an XML file as `lstopo file.xml` writes it");
        return {};
    case TopologySource::Kind::synthetic:
        if (const auto cpus = described_cpus(source.text); cpus > limits::kMaxCpus)
            return fail(Errc::limit_exceeded,
                        fmt::format("\"{}\" has {} CPUs", source.text,
                                    cpus < UINT32_MAX ? std::to_string(cpus) : "too many"),
                        fmt::format("at most {} CPUs (limit kMaxCpus)", limits::kMaxCpus));
        if (hwloc_topology_set_synthetic(topology, source.text.c_str()) != 0)
            return fail(Errc::invalid_value, fmt::format("\"{}\" is not a synthetic topology", source.text),
                        kAccepted);
        return {};
    }
    return {};
}

/// The CPUs below the limit.
CpuSet cpu_set_of(hwloc_const_cpuset_t bits, bool infinite_is_all = false) {
    CpuSet set;
    if (bits == nullptr) return set;
    if (hwloc_bitmap_last(bits) < 0 && infinite_is_all) return CpuSet::range(0, limits::kMaxCpus - 1);
    for (int cpu = hwloc_bitmap_first(bits); cpu >= 0 && cpu < limits::kMaxCpus;
         cpu = hwloc_bitmap_next(bits, cpu))
        set.add(cpu);
    return set;
}

/// What is said about CPUs from the limit on; empty without any.
std::string beyond_limit(hwloc_const_cpuset_t bits) {
    int count = 0;
    for (int cpu = hwloc_bitmap_next(bits, limits::kMaxCpus - 1); cpu >= 0;
         cpu = hwloc_bitmap_next(bits, cpu))
        ++count;
    if (count == 0) return {};
    return fmt::format("the machine has a CPU {}, {} of its CPUs are beyond what is known",
                       hwloc_bitmap_last(bits), count);
}

/// Numbers of what CPUs share, in the order of the CPUs. hwloc's own logical indexes count a depth of its
/// tree alone, and objects of a type may be at several: a core whose second CPU is offline is the same set as
/// its caches, and below them, where other cores are above theirs.
class Numbers {
public:
    /// Of the object of this type that holds the CPU; -1 if there is none.
    int of(hwloc_topology_t topology, hwloc_obj_type_t type, hwloc_obj_t pu) {
        const hwloc_obj_t found = hwloc_get_ancestor_obj_by_type(topology, type, pu);
        return found != nullptr ? of(type, found) : -1;
    }
    int of(hwloc_obj_type_t type, hwloc_obj_t object) {
        auto& known = known_[type];
        return known.try_emplace(object->gp_index, static_cast<int>(known.size())).first->second;
    }

private:
    std::map<hwloc_obj_type_t, std::map<std::uint64_t, int>> known_;
};

/// The kernel's number, which cpuset.mems and numa_stat use; they may have gaps.
/// Several nodes may be local to a CPU (DRAM and high-bandwidth memory); hwloc lists DRAM first.
int numa_index(hwloc_topology_t topology, hwloc_obj_t pu) {
    const int first = pu->nodeset != nullptr ? hwloc_bitmap_first(pu->nodeset) : -1;
    const hwloc_obj_t node =
        first >= 0 ? hwloc_get_numanode_obj_by_os_index(topology, static_cast<unsigned>(first)) : nullptr;
    return node != nullptr && node->os_index < limits::kMaxNodes ? static_cast<int>(node->os_index) : 0;
}

/// The rank of the CPU's kind, 0 = slowest. Unknown (no kinds, no ranking) counts as one kind.
int kind_rank(hwloc_topology_t topology, hwloc_obj_t pu) {
    const int kind = hwloc_cpukinds_get_by_cpuset(topology, pu->cpuset, 0);
    int efficiency = -1;
    if (kind < 0 || hwloc_cpukinds_get_info(topology, static_cast<unsigned>(kind), nullptr, &efficiency,
                                            nullptr, nullptr, 0) != 0)
        return 0;
    return std::max(efficiency, 0);
}

Cpu describe(hwloc_topology_t topology, hwloc_obj_t pu, Numbers& numbers) {
    Cpu cpu;
    cpu.id = static_cast<int>(pu->os_index);
    cpu.core = numbers.of(topology, HWLOC_OBJ_CORE, pu);
    if (cpu.core < 0) cpu.core = numbers.of(HWLOC_OBJ_CORE, pu); // some virtual machines show no cores
    cpu.l2 = numbers.of(topology, HWLOC_OBJ_L2CACHE, pu);
    cpu.l3 = numbers.of(topology, HWLOC_OBJ_L3CACHE, pu);
    cpu.numa = numa_index(topology, pu);
    cpu.package = std::max(0, numbers.of(topology, HWLOC_OBJ_PACKAGE, pu));
    cpu.kind = kind_rank(topology, pu);
    return cpu;
}

Result<Topology> to_values(hwloc_topology_t topology) {
    Topology machine;
    machine.online = cpu_set_of(hwloc_topology_get_topology_cpuset(topology));
    // the allowed set comes from the cgroup that this process is in; XML files keep the one of their machine
    machine.allowed = cpu_set_of(hwloc_topology_get_allowed_cpuset(topology), true) & machine.online;
    Numbers numbers;
    for (hwloc_obj_t pu = nullptr; (pu = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PU, pu)) != nullptr;)
        if (pu->os_index < limits::kMaxCpus) machine.cpus.push_back(describe(topology, pu, numbers));
    std::ranges::sort(machine.cpus, {}, &Cpu::id);
    if (machine.cpus.empty() || machine.usable().empty())
        return fail(Errc::invalid_value, "the topology has no CPU that may be used",
                    "at least one online and allowed CPU");
    return machine;
}

Result<Topology> load_now(const TopologySource& source, const std::string& root, std::string& left_out) {
    // variables must be in place from hwloc_topology_init() on
    std::optional<EnvironmentGuard> other_root;
    std::optional<EnvironmentGuard> only_linux; // not cpuid of the machine that this runs on
    if (source.kind == TopologySource::Kind::automatic && root != "/") {
        if (::access((root + "/sys/devices/system/cpu").c_str(), R_OK) != 0)
            return std::unexpected(
                errno_error(errno, "reading the topology in " + root + "/sys/devices/system/cpu"));
        other_root.emplace("HWLOC_FSROOT", root.c_str());
        only_linux.emplace("HWLOC_COMPONENTS", "linux,stop");
    }
    hwloc_topology_t raw = nullptr;
    if (hwloc_topology_init(&raw) != 0) return std::unexpected(errno_error(errno, "starting hwloc"));
    const Handle topology(raw);
    // it would bind this process to each CPU in turn, isolated ones too, and leave it on what was online then
    if (hwloc_topology_set_components(raw, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86") != 0)
        return std::unexpected(errno_error(errno, "telling hwloc to read sysfs alone"));
    // loaded inside a cgroup hwloc shows only what is allowed there; schedd places others' work too
    if (hwloc_topology_set_flags(raw, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED) != 0)
        return std::unexpected(errno_error(errno, "asking hwloc for all CPUs"));
    hwloc_topology_set_all_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_STRUCTURE);
    hwloc_topology_set_cache_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_ALL);
    hwloc_topology_set_type_filter(raw, HWLOC_OBJ_CORE, HWLOC_TYPE_FILTER_KEEP_ALL);
    hwloc_topology_set_type_filter(raw, HWLOC_OBJ_PACKAGE, HWLOC_TYPE_FILTER_KEEP_ALL);
    hwloc_topology_set_io_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_NONE); // PCI discovery is slow and unused
    if (auto set = set_source(raw, source); !set) return std::unexpected(set.error());
    if (hwloc_topology_load(raw) != 0) {
        const int why = errno;
        if (source.kind == TopologySource::Kind::automatic)
            return std::unexpected(errno_error(why, "reading the machine's topology by hwloc"));
        return fail(Errc::invalid_value, fmt::format("hwloc cannot load the topology {}", source.text),
                    kAccepted);
    }
    const auto limit = fmt::format("at most {} CPUs, numbered from 0 (limit kMaxCpus)", limits::kMaxCpus);
    if (auto beyond = beyond_limit(hwloc_topology_get_topology_cpuset(raw)); !beyond.empty()) {
        // a description can be mended; on the machine itself the service does what it can
        if (source.kind != TopologySource::Kind::automatic)
            return fail(Errc::limit_exceeded, std::move(beyond), limit);
        left_out = fmt::format("{} and left alone: {}", beyond, limit);
    }
    return to_values(raw);
}

} // namespace

Result<TopologySource> TopologySource::parse(std::string_view option) {
    const auto rest_after = [&](std::string_view prefix) -> std::optional<std::string> {
        if (!option.starts_with(prefix) || option.size() == prefix.size()) return std::nullopt;
        return std::string(option.substr(prefix.size()));
    };
    if (option == "auto") return TopologySource{};
    if (auto file = rest_after("xml:")) return TopologySource{Kind::xml, std::move(*file)};
    if (auto text = rest_after("synthetic:")) return TopologySource{Kind::synthetic, std::move(*text)};
    return fail(Errc::invalid_value, fmt::format("\"{}\" names no topology", option), kAccepted);
}

Result<Topology> TopologyReader::load() {
    left_out_.clear();
    auto machine = load_now(source_, root_, left_out_);
    if (!machine) return machine;
    machine->generation = last_ ? last_->generation + (same_machine(*last_, *machine) ? 0 : 1) : 1;
    last_ = *machine;
    return machine;
}

bool same_machine(const Topology& a, const Topology& b) {
    return a.online == b.online && a.allowed == b.allowed && a.cpus == b.cpus;
}

} // namespace schedd::host
