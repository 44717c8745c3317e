// Files of proc, one question after the other; the first answer that speaks against a move counts.
#include "service/remote/payload.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "components/kit/number.h"
#include "components/model/proc_text.h"
#include "service/remote/open_files.h"

namespace schedd::remote {

namespace {

constexpr std::size_t kProcesses = 64;
constexpr std::size_t kFileBytes = 256 * 1024;
constexpr std::array kHierarchies{"sys/fs/cgroup", "sys/fs/cgroup/unified", "sys/fs/cgroup/systemd"};
/// What a service of its own does not have: they would have to be made over there, with all that is in them.
constexpr std::array kNamespaces{std::pair{"mnt", "mount"}, std::pair{"net", "network"},
                                 std::pair{"ipc", "IPC"}, std::pair{"uts", "host name"},
                                 std::pair{"user", "user"}};

std::string read(Host& host, const std::string& path) {
    std::string buffer(kFileBytes, '\0');
    const auto text = host.read(path, buffer);
    buffer.resize(text ? text->size() : 0);
    return buffer;
}

/// The value of a line "KEY:\tVALUE" or "KEY=VALUE".
std::string_view value_of(std::string_view text, std::string_view key) {
    while (!text.empty()) {
        auto line = take_line(text);
        if (!line.starts_with(key)) continue;
        line.remove_prefix(key.size());
        return line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
    }
    return {};
}

std::uint64_t number_in(std::string_view text) { return take_number(text).value_or(0); }

/// "a-b.slice" is "/a.slice/a-b.slice".
std::string path_of_slice(std::string_view slice) {
    if (slice.empty()) slice = "system.slice";
    if (slice == "-.slice") return {};
    std::string path;
    for (std::size_t at = 0; (at = slice.find_first_of("-.", at)) != std::string_view::npos; ++at) {
        path += fmt::format("/{}.slice", slice.substr(0, at));
        if (slice[at] == '.') break;
    }
    return path;
}

struct Process {
    Pid pid = 0;
    Pid parent = 0;
    Pid inner = 0; // in its own PID namespace, 0 if that is ours
    std::string status;
};

std::optional<Process> process_of(Host& host, Pid pid) {
    Process process{.pid = pid, .status = read(host, fmt::format("proc/{}/status", pid))};
    if (process.status.empty()) return std::nullopt;
    process.parent = static_cast<Pid>(number_in(value_of(process.status, "PPid:")));
    auto numbers = value_of(process.status, "NSpid:");
    take_number(numbers);
    while (const auto inner = take_number(numbers)) process.inner = static_cast<Pid>(*inner);
    return process;
}

std::vector<Process> processes_in(Host& host, const std::string& group) {
    std::vector<Process> processes;
    for (const auto* hierarchy : kHierarchies) {
        const auto text = read(host, fmt::format("{}{}/cgroup.procs", hierarchy, group));
        std::string_view rest = text;
        while (!rest.empty() && processes.size() <= kProcesses) {
            auto line = take_line(rest);
            if (const auto pid = take_number(line))
                if (auto process = process_of(host, static_cast<Pid>(*pid)))
                    processes.push_back(std::move(*process));
        }
        if (!processes.empty()) break;
    }
    return processes;
}

std::string comm_of(const Process& process) { return std::string(value_of(process.status, "Name:")); }

/// Who starts it, or passes on what it says, stays; everybody else in the unit must come along.
std::string who_stays(const std::vector<Process>& all, const Process& init) {
    std::set<Pid> ancestors;
    for (Pid at = init.parent; at > 1 && ancestors.insert(at).second;) {
        const auto up = std::ranges::find(all, at, &Process::pid);
        at = up == all.end() ? 0 : up->parent;
    }
    for (const auto& process : all) {
        if (process.inner != 0 || ancestors.contains(process.pid)) continue;
        const auto name = comm_of(process);
        if (name == "cat" || name == "systemd-cat") continue;
        return fmt::format("process {} ({}) of it lives outside of its PID namespace", process.pid, name);
    }
    return {};
}

std::string of_status(const Process& process) {
    const auto uid = number_in(value_of(process.status, "Uid:"));
    if (uid != 0)
        return fmt::format("process {} runs as user {}, and only root's can be moved", process.pid, uid);
    const auto tracer = number_in(value_of(process.status, "TracerPid:"));
    if (tracer != 0) return fmt::format("process {} is traced by process {}", process.pid, tracer);
    return {};
}

std::string of_namespaces(Host& host, const Process& process) {
    for (const auto& [name, what] : kNamespaces) {
        const auto own = host.link_target(fmt::format("proc/{}/ns/{}", process.pid, name));
        const auto host_own = host.link_target(fmt::format("proc/1/ns/{}", name));
        if (own && host_own && *own != *host_own)
            return fmt::format("process {} has a {} namespace of its own", process.pid, what);
    }
    const auto root = host.link_target(fmt::format("proc/{}/root", process.pid));
    if (root && *root != "/") return fmt::format("process {} has {} as its root", process.pid, *root);
    return {};
}

std::uint64_t age_of(Host& host, Pid pid) {
    const auto stat_text = read(host, fmt::format("proc/{}/stat", pid));
    const auto stat = parse_proc_stat(stat_text);
    const auto uptime = parse_uptime(read(host, "proc/uptime"));
    return stat && uptime && *uptime > stat->start_time ? (*uptime - stat->start_time) / 100 : 0;
}

std::string of_unit(Host& host, const std::string& unit, std::string& group) {
    if (!unit.ends_with(".service"))
        return fmt::format("{} is no service: it cannot be started over there as it is here", unit);
    const auto settings = read(host, "run/systemd/transient/" + unit);
    if (settings.empty())
        return "it was not started by schedd-cli run or systemd-run, but by a unit file: a copy over there "
               "would not be that unit";
    const auto restart = value_of(settings, "Restart=");
    if (!restart.empty() && restart != "no")
        return fmt::format("systemd starts it again when it ends (Restart={}), so two would run", restart);
    group = path_of_slice(value_of(settings, "Slice=")) + "/" + unit;
    return {};
}

} // namespace

Payload look_at(Host& host, const std::string& unit) {
    Payload payload;
    std::string group;
    payload.why_not = of_unit(host, unit, group);
    if (!payload.why_not.empty()) return payload;
    const auto all = processes_in(host, group);
    const auto init = std::ranges::find(all, 1, &Process::inner);
    if (all.empty()) payload.why_not = "nothing runs in it";
    else if (init == all.end())
        payload.why_not =
            fmt::format("its pids ({} and so on) may be taken over there: only what lives in a PID "
                        "namespace of its own can be moved (schedd-cli run --migratable)",
                        all.front().pid);
    else if (all.size() > kProcesses)
        payload.why_not = fmt::format("it has more than {} processes", kProcesses);
    else payload.why_not = who_stays(all, *init);
    if (!payload.why_not.empty()) return payload;
    payload.init = init->pid;
    payload.age_s = age_of(host, init->pid);
    std::vector<Pid> inside;
    for (const auto& process : all) (process.inner != 0 ? inside : payload.staying).push_back(process.pid);
    for (const auto& process : all) {
        if (process.inner == 0) continue;
        payload.bytes += 1024 * (number_in(value_of(process.status, "VmRSS:")) +
                                 number_in(value_of(process.status, "VmSwap:")));
        if (payload.why_not.empty()) payload.why_not = of_status(process);
        if (payload.why_not.empty()) payload.why_not = of_namespaces(host, process);
        if (payload.why_not.empty()) payload.why_not = trouble_with_files(host, process.pid, inside);
        if (payload.why_not.empty()) payload.why_not = trouble_with_memory(host, process.pid);
    }
    return payload;
}

std::string unit_of(Host& host, Pid pid) {
    const auto text = read(host, fmt::format("proc/{}/cgroup", pid));
    std::string_view rest = text;
    while (!rest.empty()) {
        const auto line = take_line(rest);
        // "0::/..." of version 2; "1:name=systemd:/..." where that is of version 1
        if (!line.starts_with("0::/") && line.find(":name=systemd:/") == std::string_view::npos) continue;
        const auto name = line.substr(line.rfind('/') + 1);
        if (name.ends_with(".service") || name.ends_with(".scope")) return std::string(name);
    }
    return {};
}

} // namespace schedd::remote
