// What there is of control groups: which version, the cpuset controller, partitions.
#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "service/doctor_checks.h"

namespace schedd::service::doctor {

namespace {

constexpr std::size_t kTopGroups = 1024; // entries of the root that are looked at for partitions
constexpr const char* kUseVersion2 = "boot with systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all";

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> words;
    while (!text.empty()) {
        const auto end = std::min(text.find(at), text.size());
        if (end > 0) words.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

bool has_option(std::string_view options, std::string_view option) {
    const auto all = split(options, ',');
    return std::ranges::find(all, option) != all.end();
}

/// What the options of a mount of version 1 name beside those of the file system.
std::string controllers_of(std::string_view options) {
    std::string out;
    for (const auto option : split(options, ',')) {
        for (const std::string_view known :
             {"cpu", "cpuacct", "cpuset", "memory", "blkio", "devices", "freezer", "pids", "hugetlb",
              "net_cls", "net_prio", "perf_event", "rdma", "misc"})
            if (option == known) out += (out.empty() ? "" : ",") + std::string(option);
    }
    return out;
}

Check check_version(const Groups& groups) {
    const bool has_old = !groups.version1_controllers.empty();
    if (groups.unified.empty() && !has_old)
        return lacks("cgroup", "no control groups are mounted",
                     "only single processes are placed, and groups have no pressure",
                     "mount -t cgroup2 none /sys/fs/cgroup");
    if (has_old)
        return warning("cgroup",
                       fmt::format("version 1 has {}{}", groups.version1_controllers,
                                   groups.unified.empty()
                                       ? ""
                                       : fmt::format("; version 2 is at /{} with {}", groups.unified,
                                                     groups.unified_controllers.empty()
                                                         ? "none"
                                                         : groups.unified_controllers)),
                       "units are not placed, and nobody's weight, quota or memory nodes are set",
                       kUseVersion2);
    return ok("cgroup",
              fmt::format("version 2 at /{} with {}", groups.unified,
                          groups.unified_controllers.empty() ? "no controller" : groups.unified_controllers));
}

/// Why neither version has it; proc/cgroups lists what the kernel was built with.
std::string why_no_cpuset(Host& host) {
    const auto table = text_of(host, "proc/cgroups");
    if (!table) return "no hierarchy has the cpuset controller";
    for (const auto line : split(*table, '\n')) {
        const auto cells = split(line, '\t');
        if (cells.empty() || cells[0] != "cpuset") continue;
        return cells.back() == "0" ? "the cpuset controller is switched off (cgroup_disable=cpuset)"
                                   : "no hierarchy that is mounted has the cpuset controller";
    }
    return "the kernel shows no cpuset controller";
}

Check check_cpuset(Host& host, const Groups& groups) {
    constexpr const char* kFollows =
        "neither units nor control groups are placed; single processes are, by their affinity";
    constexpr const char* kReadOnly = "schedd needs it writable; in a container, let it have its own";
    if (has_word(groups.unified_controllers, "cpuset")) {
        if (groups.is_unified_read_only)
            return essential(lacks("cpuset", fmt::format("/{} is mounted read-only", groups.unified),
                                   kFollows, kReadOnly));
        const auto passed_on = text_of(host, groups.unified + "/cgroup.subtree_control");
        const bool is_on = passed_on && has_word(*passed_on, "cpuset");
        return ok("cpuset", fmt::format("in version 2, {} below the root",
                                        is_on ? "on" : "off until the first unit or group needs it"));
    }
    if (!groups.cpuset.empty()) {
        if (groups.is_cpuset_read_only)
            return essential(
                lacks("cpuset", fmt::format("/{} is mounted read-only", groups.cpuset), kFollows, kReadOnly));
        return warning("cpuset", fmt::format("in version 1, at /{}", groups.cpuset),
                       "control groups and processes are placed, units are not", kUseVersion2);
    }
    return essential(lacks("cpuset", why_no_cpuset(host), kFollows,
                           "a kernel with CONFIG_CPUSETS, started without cgroup_disable=cpuset"));
}

/// Top groups that are partitions take their CPUs from all others, whatever these ask for.
Check check_partitions(Host& host, const Groups& groups) {
    constexpr const char* kNothing =
        "CPUs that are held for one alone are kept from the others by their masks only";
    if (!has_word(groups.unified_controllers, "cpuset"))
        return lacks("partitions", "they need the cpuset controller in version 2", kNothing);
    std::vector<std::string> names;
    static_cast<void>(host.list(groups.unified, [&](std::string_view name) {
        if (names.size() < kTopGroups) names.emplace_back(name);
    }));
    std::ranges::sort(names);
    bool is_known = text_of(host, groups.unified + "/cpuset.cpus.isolated").has_value();
    std::string roots;
    std::string broken;
    for (const auto& name : names) {
        const auto state = text_of(host, groups.unified + "/" + name + "/cpuset.cpus.partition");
        if (!state) continue;
        is_known = true;
        if (*state == "member") continue;
        auto& list = state->find("invalid") == std::string::npos ? roots : broken;
        list += fmt::format("{}/{} ({})", list.empty() ? "" : ", ", name, *state);
    }
    if (!broken.empty())
        return warning("partitions", broken, "these have not the CPUs for themselves that they ask for",
                       "make the cpusets of their siblings leave out those CPUs");
    if (!roots.empty())
        return warning("partitions", roots, "their CPUs are not to be had for members outside of them",
                       "echo member > cpuset.cpus.partition in those that are neither schedd's nor wanted");
    if (is_known) return ok("partitions", "the kernel has them; no top group is one");
    return ok("partitions", "no top group has the cpuset controller on, so none is one");
}

} // namespace

Groups groups_of(Host& host) {
    Groups groups;
    const auto mounts = text_of(host, "proc/mounts");
    if (!mounts) return groups;
    for (const auto line : split(*mounts, '\n')) {
        const auto cells = split(line, ' ');
        if (cells.size() < 4 || cells[1].size() < 2) continue;
        const std::string place(cells[1].substr(1));
        if (cells[2] == "cgroup2" && groups.unified.empty()) {
            groups.unified = place;
            groups.is_unified_read_only = has_option(cells[3], "ro");
        }
        if (cells[2] != "cgroup") continue;
        const auto controllers = controllers_of(cells[3]);
        if (!controllers.empty())
            groups.version1_controllers += (groups.version1_controllers.empty() ? "" : ",") + controllers;
        if (!has_option(controllers, "cpuset") || !groups.cpuset.empty()) continue;
        groups.cpuset = place;
        groups.is_cpuset_read_only = has_option(cells[3], "ro");
    }
    if (!groups.unified.empty())
        groups.unified_controllers =
            text_of(host, groups.unified + "/cgroup.controllers").value_or(std::string());
    return groups;
}

void check_groups(Host& host, Checks& out) {
    const auto groups = groups_of(host);
    out.push_back(check_version(groups));
    out.push_back(check_cpuset(host, groups));
    out.push_back(check_partitions(host, groups));
}

} // namespace schedd::service::doctor
