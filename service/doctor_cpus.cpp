// What there is of CPUs: how many, cores, caches, kinds and NUMA nodes.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "service/doctor_checks.h"

namespace schedd::service::doctor {

namespace {

std::string counted(std::size_t count, std::string_view one) {
    return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

Check check_usable(Host& host, const Surroundings& around) {
    const auto& topology = around.topology;
    const auto usable = topology.usable();
    auto found = fmt::format("{} may be used ({})", counted(static_cast<std::size_t>(usable.count()), "CPU"),
                             usable.text());
    if (around.is_described) found += ", as they were described at the start";
    if (usable.count() < 2)
        return essential(lacks("cpus", found, "there is nothing to decide: all work runs there",
                               "give the machine, or the cpuset that schedd runs in, more CPUs"));
    const auto present =
        around.is_described ? Result<CpuSet>(topology.online) : CpuSet::parse(cpu_list(host, "present"));
    const auto offline = present ? *present - topology.online : CpuSet();
    const auto forbidden = topology.online - topology.allowed;
    if (!forbidden.empty())
        return warning("cpus", fmt::format("{}; online but not allowed here: {}", found, forbidden.text()),
                       "policies place nothing on the others", "widen the cpuset that schedd runs in");
    if (!offline.empty())
        return warning("cpus", fmt::format("{}; offline: {}", found, offline.text()),
                       "nothing runs on those until they come; schedd then counts them in by itself",
                       fmt::format("echo 1 > /sys/devices/system/cpu/cpu{}/online", offline.first()));
    return ok("cpus", found);
}

Check check_isolated(Host& host, const Surroundings& around) {
    const auto text = around.is_described ? std::string() : cpu_list(host, "isolated");
    const auto isolated = CpuSet::parse(text).value_or(CpuSet()) & around.topology.usable();
    if (isolated.empty()) return ok("isolation", "no usable CPU is isolated from the kernel's balancing");
    return warning("isolation", fmt::format("CPUs {} are isolated", isolated.text()),
                   "the kernel does not balance among them: of work held on several, each task stays on one",
                   "name them in reserved_cpus of schedd.conf, or boot without isolcpus=");
}

Check check_smt(Host& host, const Surroundings& around) {
    std::map<int, std::size_t> cpus_of_core;
    for (const auto& cpu : around.topology.cpus) ++cpus_of_core[cpu.core];
    std::size_t most = 0;
    for (const auto& [core, cpus] : cpus_of_core) most = std::max(most, cpus);
    const auto cores = counted(cpus_of_core.size(), "core");
    if (most > 1) return ok("smt", fmt::format("{} of up to {} CPUs", cores, most));
    const auto control = text_of(host, "sys/devices/system/cpu/smt/control");
    const bool is_off = control && !around.is_described && (*control == "off" || *control == "forceoff");
    return lacks("smt",
                 fmt::format("{} of one CPU each{}", cores,
                             is_off ? fmt::format("; smt/control says {}", *control) : ""),
                 "a CPU is a whole core: the attribute smt of exclusive_cores changes nothing",
                 is_off && *control == "off" ? "echo on > /sys/devices/system/cpu/smt/control" : "");
}

Check check_kinds(const Topology& topology) {
    std::map<int, CpuSet> kinds;
    for (const auto& cpu : topology.cpus)
        if (cpu.id >= 0 && cpu.id < limits::kMaxCpus) kinds[cpu.kind].add(cpu.id);
    if (kinds.size() < 2)
        return lacks("core-kinds", "all cores are of one kind",
                     "the attribute prefer of exclusive_cores changes nothing");
    std::string list;
    for (const auto& [kind, cpus] : kinds)
        list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", kind, cpus.text());
    return ok("core-kinds", fmt::format("{} kinds, 0 the slowest: {}", kinds.size(), list));
}

Check check_caches(const Topology& topology) {
    std::map<int, int> groups;
    bool is_known = true;
    for (const auto& cpu : topology.cpus) {
        is_known = is_known && cpu.l3 >= 0;
        ++groups[cpu.l3];
    }
    if (is_known) return ok("l3", counted(groups.size(), "L3 cache"));
    return lacks("l3", "the machine does not tell which CPUs share an L3 cache",
                 "with level l3 a domain is the whole package",
                 "in a virtual machine, let the hypervisor pass on the caches");
}

Check check_numa(const Topology& topology) {
    std::map<int, CpuSet> nodes;
    for (const auto& cpu : topology.cpus)
        if (cpu.id >= 0 && cpu.id < limits::kMaxCpus) nodes[cpu.numa].add(cpu.id);
    if (nodes.size() < 2)
        return lacks("numa", "one NUMA node", "all memory is equally near: memory_affinity decides nothing");
    constexpr std::size_t kListed = 8;
    std::string list;
    std::size_t count = 0;
    for (const auto& [node, cpus] : nodes)
        if (++count <= kListed) list += fmt::format("{}{} ({})", count == 1 ? "" : ", ", node, cpus.text());
    if (count > kListed) list += fmt::format(" and {} more", count - kListed);
    return ok("numa", fmt::format("{} nodes with CPUs: {}", nodes.size(), list));
}

} // namespace

void check_cpus(Host& host, const Surroundings& around, Checks& out) {
    out.push_back(check_usable(host, around));
    out.push_back(check_isolated(host, around));
    out.push_back(check_smt(host, around));
    out.push_back(check_kinds(around.topology));
    out.push_back(check_caches(around.topology));
    out.push_back(check_numa(around.topology));
}

} // namespace schedd::service::doctor
