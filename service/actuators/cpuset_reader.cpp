// Reading cpusets.
#include "service/actuators/cpuset_reader.h"

#include <array>

#include <fmt/format.h>

#include "components/model/proc_text.h"

namespace schedd::actuators {

namespace {

/// The longest list of kMaxCpus CPUs, 0-1,3-4,... with ten characters for each three CPUs, fits, as does a
/// cgroup file with long paths. What is cut might end within a number.
constexpr std::size_t kBuffer = 32768;
static_assert(kBuffer > limits::kMaxCpus / 3 * 10 + 10);
using Buffer = std::array<char, kBuffer>;

std::optional<CpuSet> read_set(Host& host, const std::string& path) {
    Buffer buffer;
    const auto text = host.read(path, buffer);
    if (!text) return std::nullopt;
    auto set = CpuSet::parse(*text);
    if (!set) return std::nullopt;
    return *set;
}

bool lists_cpuset(std::string_view controllers) {
    while (!controllers.empty()) {
        const auto comma = controllers.find(',');
        if (controllers.substr(0, comma) == "cpuset") return true;
        controllers.remove_prefix(comma == std::string_view::npos ? controllers.size() : comma + 1);
    }
    return false;
}

} // namespace

std::string CpusetMount::file(const std::string& group, std::string_view name) const {
    return fmt::format("{}{}/{}", mount, group == "/" ? "" : group, name);
}

std::string parent_of(const std::string& group) {
    const auto slash = group.rfind('/');
    if (slash == std::string::npos || group.size() == 1) return {};
    return slash == 0 ? "/" : group.substr(0, slash);
}

std::string child_of(const std::string& group, std::string_view name) {
    return group == "/" ? fmt::format("/{}", name) : fmt::format("{}/{}", group, name);
}

std::optional<std::string> group_of(Host& host, const std::string& task) {
    Buffer buffer;
    const auto text = host.read(fmt::format("proc/{}/cgroup", task), buffer);
    if (!text) return std::nullopt;
    std::optional<std::string> unified;
    for (std::string_view rest = *text; !rest.empty();) {
        const auto line = take_line(rest); // "3:cpuset:/a/b"; "0::/a/b" is the unified hierarchy
        const auto first = line.find(':');
        const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos || second + 1 >= line.size()) continue;
        const auto controllers = line.substr(first + 1, second - first - 1);
        if (lists_cpuset(controllers)) return std::string(line.substr(second + 1));
        if (controllers.empty()) unified = line.substr(second + 1);
    }
    return unified;
}

Result<CpuSet> effective_of(Host& host, const CpusetMount& mount, const std::string& group) {
    Buffer buffer;
    if (!host.read(mount.file(group, mount.existence_file()), buffer))
        return fail(Errc::no_such_object,
                    fmt::format("there is no control group {} in {}", group, mount.mount));
    for (auto at = group; !at.empty(); at = parent_of(at)) {
        const auto set = read_set(host, mount.file(at, mount.effective_file()));
        if (set && !set->empty()) return *set;
    }
    const auto online = online_cpus(host);
    if (online.empty())
        return fail(Errc::io, "the online CPUs cannot be read", "sys/devices/system/cpu/online");
    return online;
}

std::optional<CpuSet> cpuset_of(Host& host, Pid pid) {
    const auto group = group_of(host, fmt::format("{}", pid));
    if (!group) return std::nullopt;
    for (const auto& mount : {CpusetMount{"sys/fs/cgroup/cpuset", 1}, CpusetMount{"sys/fs/cgroup", 2},
                              CpusetMount{"sys/fs/cgroup/unified", 2}})
        if (auto set = effective_of(host, mount, *group)) return *set;
    return online_cpus(host);
}

CpuSet online_cpus(Host& host) { return read_set(host, "sys/devices/system/cpu/online").value_or(CpuSet()); }

Status same_process(Host& host, const Target& target) {
    Buffer buffer;
    const auto text = host.read(fmt::format("proc/{}/stat", target.pid), buffer);
    const auto stat = text ? parse_proc_stat(*text) : std::nullopt;
    if (!stat || stat->state == 'Z' || stat->state == 'X')
        return fail(Errc::no_such_object, fmt::format("process {} has ended", target.pid));
    if (stat->start_time != target.start_time)
        return fail(Errc::no_such_object, fmt::format("process {} has ended", target.pid),
                    "the number now means another process");
    return {};
}

} // namespace schedd::actuators
