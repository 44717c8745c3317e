// Making and removing own control groups.
#include "service/actuators/own_groups.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace schedd::actuators {

namespace {

constexpr std::string_view kPrefix = "schedd.";
constexpr const char* kDaemonLeaf = "schedd-daemon"; // not an own group: nothing is placed in it
constexpr std::size_t kLongestList = 200;            // a name has at most 255 bytes

std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return hash;
}

/// systemd marks the groups it hands over (CGROUP_DELEGATION): an extended attribute "1".
bool marked_delegated(const std::string& directory) {
    for (const char* name : {"user.delegate", "trusted.delegate"}) {
        std::array<char, 8> value{};
        if (::getxattr(directory.c_str(), name, value.data(), value.size()) == 1 && value[0] == '1')
            return true;
    }
    return false;
}

bool inside(const std::string& group, const std::string& root) {
    return group == root || root == "/" || group.starts_with(root + "/");
}

} // namespace

std::string OwnGroups::name_for(const CpuSet& cpus) {
    const auto list = cpus.text();
    if (list.size() <= kLongestList) return fmt::format("{}{}", kPrefix, list);
    return fmt::format("{}{}-cpus-{:016x}", kPrefix, cpus.count(), fnv1a(list));
}

bool OwnGroups::is_own(const std::string& group) {
    const auto leaf = std::string_view(group).substr(group.rfind('/') + 1);
    return leaf.starts_with(kPrefix) && leaf.size() > kPrefix.size() && leaf[kPrefix.size()] >= '0' &&
           leaf[kPrefix.size()] <= '9';
}

Result<std::string> OwnGroups::base_for(const std::string& home) {
    if (hierarchy_.version() == 1) return home;
    auto delegated = prepare_delegated();
    if (!delegated) return delegated;
    if (!inside(home, *delegated))
        return fail(Errc::not_supported, fmt::format("its control group {} is not schedd's to change", home),
                    fmt::format("processes below {}; others are placed by --actuator=affinity", *delegated));
    return delegated;
}

Result<std::string> OwnGroups::prepare_delegated() {
    if (!delegated_.empty()) return delegated_;
    auto group = group_of(hierarchy_.host(), fmt::format("{}", ::getpid()));
    if (!group) return fail(Errc::io, "schedd's own control group cannot be read", "proc/self/cgroup");
    if (group->ends_with(std::string("/") + kDaemonLeaf))
        group = parent_of(*group); // prepared by an earlier start
    const auto directory = "/" + hierarchy_.mount().file(*group, "");
    const auto tasks = hierarchy_.some_tasks(*group);
    const bool alone = std::ranges::all_of(tasks, [](Pid tid) { return tid == ::getpid(); });
    if (*group == "/" ? ::access("/run/systemd/system", F_OK) == 0 : !alone && !marked_delegated(directory))
        return fail(Errc::not_supported,
                    fmt::format("the control group {} is not delegated to schedd", *group),
                    "start it as a service with Delegate=yes, or in a group of its own");
    const auto controllers = hierarchy_.read(*group, "cgroup.controllers");
    if (!controllers) return std::unexpected(controllers.error());
    if (fmt::format(" {} ", *controllers).find(" cpuset ") == std::string::npos)
        return fail(Errc::controller_unavailable, fmt::format("{} has no cpuset controller", *group),
                    fmt::format("+cpuset in the cgroup.subtree_control of {}, or Delegate=cpuset",
                                parent_of(*group)));
    // a group with processes in it cannot hand controllers on and stay an ordinary one: they go to a leaf
    if (*group != "/" && !tasks.empty()) {
        const auto leaf = child_of(*group, kDaemonLeaf);
        if (auto made = hierarchy_.create(leaf); !made) return std::unexpected(made.error());
        for (const Pid tid : tasks) {
            auto moved = hierarchy_.move_process(leaf, tid);
            if (!moved && moved.error().kind != Errc::no_such_object) return std::unexpected(moved.error());
        }
    }
    if (auto on = hierarchy_.write(*group, "cgroup.subtree_control", "+cpuset"); !on)
        return std::unexpected(on.error());
    delegated_ = *group;
    return delegated_;
}

Result<std::string> OwnGroups::ensure(const std::string& base, const CpuSet& cpus) {
    const auto allowed = hierarchy_.effective(base);
    if (!allowed) return std::unexpected(allowed.error());
    if (!cpus.subset_of(*allowed))
        return fail(Errc::cpu_offline,
                    fmt::format("{} cannot be given below the control group {}", cpus.text(), base),
                    fmt::format("CPUs of {}", allowed->text()));
    auto group = child_of(base, name_for(cpus));
    const bool was_there = hierarchy_.exists(group);
    if (auto made = hierarchy_.create(group); !made) return std::unexpected(made.error());
    if (auto filled = fill(base, group, cpus); !filled) {
        if (!was_there) static_cast<void>(hierarchy_.remove(group));
        return std::unexpected(filled.error());
    }
    return group;
}

Status OwnGroups::fill(const std::string& base, const std::string& group, const CpuSet& cpus) {
    // version 1 takes no task before CPUs and memory nodes are set; version 2 inherits the nodes
    if (hierarchy_.version() == 1) {
        const auto nodes = hierarchy_.read(base, "cpuset.mems");
        if (!nodes) return std::unexpected(nodes.error());
        const auto own_nodes = hierarchy_.read(group, "cpuset.mems");
        if (!own_nodes) return std::unexpected(own_nodes.error());
        if (*nodes != *own_nodes)
            if (auto set = hierarchy_.write(group, "cpuset.mems", *nodes); !set) return set;
    }
    const auto have = hierarchy_.cpus(group);
    if (!have) return std::unexpected(have.error());
    if (*have == cpus) return {}; // made for another process before
    return hierarchy_.write(group, "cpuset.cpus", cpus.text());
}

void OwnGroups::tidy(const std::string& group) {
    if (is_own(group)) static_cast<void>(hierarchy_.remove(group));
}

} // namespace schedd::actuators
