// The files of the simulated machine, written when they are read.
#include "components/sim/host.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "components/kit/number.h"

namespace schedd::sim {

namespace {

constexpr std::string_view kGroups = "sys/fs/cgroup";
constexpr std::int64_t kTickNs = 10'000'000; // USER_HZ is 100
constexpr std::int64_t kBootTicks = 100'000; // the machine was up for so long before it began to live

std::unexpected<Error> gone(std::string_view path) {
    return fail(Errc::no_such_object, fmt::format("cannot open {}", path), "no such file");
}

std::string pressure(double some_ns, double full_ns) {
    return fmt::format("some avg10=0.00 avg60=0.00 avg300=0.00 total={:.0f}\n"
                       "full avg10=0.00 avg60=0.00 avg300=0.00 total={:.0f}\n",
                       some_ns / 1000, full_ns / 1000);
}

/// Takes "123" off the front of "123/stat", with the slash.
std::optional<Pid> take_id(std::string_view& path) {
    const auto slash = path.find('/');
    const auto number = parse_unsigned(path.substr(0, slash));
    if (!number || *number > INT32_MAX) return std::nullopt;
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    return static_cast<Pid>(*number);
}

/// A file that is written anew at each read.
class SimFile final : public HostFile {
public:
    SimFile(SimHost& host, std::string path) : host_(host), path_(std::move(path)) {}
    Result<std::string_view> read(std::span<char> buffer) override { return host_.read(path_, buffer); }

private:
    SimHost& host_;
    std::string path_;
};

} // namespace

void SimHost::add_group(const std::string& group) {
    for (auto at = group.find('/', 1); at != std::string::npos; at = group.find('/', at + 1))
        groups_.try_emplace(group.substr(0, at), 0);
    groups_.try_emplace(group, 0);
}

Result<std::unique_ptr<HostFile>> SimHost::open(const std::string& path) {
    if (const auto text = text_of(path); !text) return std::unexpected(text.error());
    return std::make_unique<SimFile>(*this, path);
}

Result<std::string_view> SimHost::read(const std::string& path, std::span<char> buffer) {
    const auto text = text_of(path);
    if (!text) return std::unexpected(text.error());
    const auto size = std::min(text->size(), buffer.size());
    std::memcpy(buffer.data(), text->data(), size);
    return std::string_view(buffer.data(), size);
}

Result<std::string> SimHost::text_of(std::string_view path) {
    if (path == "proc/schedstat") return all_schedstat();
    if (path == "proc/stat") return all_stat();
    if (path == "proc/uptime") {
        const auto ticks = kBootTicks + cpus_.lived().count() / kTickNs;
        return fmt::format("{}.{:02} 0.00\n", ticks / 100, ticks % 100);
    }
    if (path == "proc/pressure/cpu") {
        const auto& stall = cpus_.stall_of("/");
        return pressure(stall.some_ns, 0); // of the whole machine the kernel knows no `full` for CPUs
    }
    if (path == "proc/pressure/memory" || path == "proc/pressure/io") return pressure(0, 0);
    if (path.starts_with(kGroups)) {
        const auto rest = path.substr(kGroups.size());
        const auto slash = rest.rfind('/');
        if (slash == std::string_view::npos) return gone(path);
        return group_text(slash == 0 ? "/" : rest.substr(0, slash), rest.substr(slash + 1));
    }
    if (!path.starts_with("proc/")) return gone(path);
    auto rest = path.substr(5);
    const auto pid = take_id(rest);
    if (!pid) return gone(path);
    return process_text(*pid, rest);
}

Result<std::string> SimHost::process_text(Pid pid, std::string_view file) const {
    const auto program = programs_.find(pid);
    const auto* task = cpus_.find(pid);
    if (program == programs_.end() || !task) return gone(fmt::format("proc/{}/{}", pid, file));
    const auto& executable = program->second.executable;
    const auto name = executable.substr(executable.rfind('/') + 1);
    if (file == "stat")
        return fmt::format("{0} ({1}) S 1 {0} {0} 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 {2} 0 {3} 0 0\n", pid,
                           name.substr(0, 15), task->threads.size(),
                           kBootTicks + task->born.count() / kTickNs);
    if (file == "cgroup") return fmt::format("0::{}\n", program->second.group);
    if (file == "cmdline") return executable + '\0';
    if (file == "status") return fmt::format("Name:\t{}\nUid:\t0\t0\t0\t0\n", name.substr(0, 15));
    std::size_t index = 0;
    if (file.starts_with("task/")) {
        file.remove_prefix(5);
        const auto thread = take_id(file);
        if (!thread || *thread < pid) return gone("a task");
        index = static_cast<std::size_t>(*thread - pid);
    }
    if (file != "schedstat" || index >= task->threads.size()) return gone(file);
    const auto& thread = task->threads[index];
    return fmt::format("{} {} 1\n", thread.run.count(), thread.wait.count());
}

Result<std::string> SimHost::group_text(std::string_view group, std::string_view file) {
    if (!groups_.contains(group)) return gone(fmt::format("{}{}", kGroups, group));
    if (file == "cgroup.procs") {
        std::string text;
        for (const auto& [pid, program] : programs_)
            if (program.group == group) text += fmt::format("{}\n", pid);
        return text;
    }
    if (file == "cpu.stat") // since it was first read, which is all that a difference needs
        return fmt::format("usage_usec {:.0f}\n", cpus_.stall_of(group).run_ns / 1000);
    if (file == "memory.pressure" || file == "io.pressure") return pressure(0, 0);
    if (file != "cpu.pressure") return gone(fmt::format("{}{}/{}", kGroups, group, file));
    const auto& stall = cpus_.stall_of(group);
    return pressure(stall.some_ns, stall.full_ns);
}

std::string SimHost::all_schedstat() const {
    std::string text = "version 15\ntimestamp 0\n";
    for (int id = cpus_.online().first(); id >= 0; id = cpus_.online().next(id)) {
        const auto& times = cpus_.times()[static_cast<std::size_t>(id)];
        text += fmt::format("cpu{} 0 0 0 0 0 0 {} {} 0\n", id, times.run.count(), times.wait.count());
    }
    return text;
}

std::string SimHost::all_stat() const {
    std::string text = "cpu  0 0 0 0 0 0 0 0 0 0\n";
    for (int id = cpus_.online().first(); id >= 0; id = cpus_.online().next(id)) {
        const auto& times = cpus_.times()[static_cast<std::size_t>(id)];
        const auto busy = times.run.count() / kTickNs;
        const auto all = cpus_.lived().count() / kTickNs;
        text += fmt::format("cpu{} {} 0 0 {} 0 0 0 0 0 0\n", id, busy, all - busy);
    }
    return text;
}

Status SimHost::list(const std::string& path, const std::function<void(std::string_view)>& visit) {
    if (path == "proc") {
        for (const auto& [pid, program] : programs_) visit(fmt::to_string(pid));
        return {};
    }
    std::string_view rest = path;
    if (!rest.starts_with("proc/")) return gone(path);
    rest.remove_prefix(5);
    const auto pid = take_id(rest);
    const auto* task = pid ? cpus_.find(*pid) : nullptr;
    if (!task || rest != "task") return gone(path);
    for (std::size_t i = 0; i < task->threads.size(); ++i) visit(fmt::to_string(*pid + static_cast<Pid>(i)));
    return {};
}

Result<std::string> SimHost::link_target(const std::string& path) {
    std::string_view rest = path;
    if (!rest.starts_with("proc/")) return gone(path);
    rest.remove_prefix(5);
    const auto pid = take_id(rest);
    const auto at = pid ? programs_.find(*pid) : programs_.end();
    if (at == programs_.end() || rest != "exe") return gone(path);
    return at->second.executable;
}

} // namespace schedd::sim
