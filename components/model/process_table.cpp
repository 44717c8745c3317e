// Keeping the table of processes.
#include "components/model/process_table.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "components/kit/number.h"
#include "components/model/proc_text.h"

namespace schedd::model {

namespace {

constexpr std::size_t kBuffer = 4096;
using Buffer = std::array<char, kBuffer>;
constexpr std::size_t kReuseRotation = 16;

Error gone(Pid pid) { return {Errc::no_such_object, fmt::format("there is no process {}", pid), {}}; }

} // namespace

Result<ProcessInfo> ProcessTable::look(Pid pid) const {
    Buffer buffer;
    const auto text = pid > 0 ? host_.read(fmt::format("proc/{}/stat", pid), buffer)
                              : Result<std::string_view>(std::unexpected(gone(pid)));
    if (!text) return std::unexpected(gone(pid));
    const auto stat = parse_proc_stat(*text);
    if (!stat || stat->pid != pid)
        return fail(Errc::io, fmt::format("proc/{}/stat cannot be understood", pid), "ignoring the process");
    if (stat->state == 'Z' || stat->state == 'X') return std::unexpected(gone(pid));
    return ProcessInfo{pid,
                       stat->parent,
                       stat->group,
                       stat->session,
                       stat->start_time,
                       stat->kernel_thread,
                       std::string(stat->comm),
                       stat->threads};
}

Status ProcessTable::scan(bool anew) {
    std::vector<Pid> present;
    auto listed = host_.list("proc", [&](std::string_view name) {
        if (name.empty() || name.front() < '1' || name.front() > '9') return;
        const auto number = parse_unsigned(name);
        if (number && *number < INT32_MAX) present.push_back(static_cast<Pid>(*number));
    });
    if (!listed) return listed;
    std::ranges::sort(present);
    std::vector<Pid> left;
    for (const auto& [pid, row] : processes_)
        if (!std::ranges::binary_search(present, pid)) left.push_back(pid);
    for (const Pid pid : left) leave(pid);
    ++scans_;
    for (const Pid pid : present) {
        const auto at = processes_.find(pid);
        // numbers come round so seldom that it is enough to look for reuse in rotation
        if (at != processes_.end() && !anew && (static_cast<std::size_t>(pid) + scans_) % kReuseRotation != 0)
            continue;
        auto info = look(pid);
        if (at != processes_.end()) {
            if (info && info->start_time == at->second.info.start_time) {
                if (anew) take_anew(at->second, std::move(*info));
                continue;
            }
            leave(pid);
        }
        if (info) arrive(std::move(*info));
    }
    return {};
}

void ProcessTable::apply(const ProcessEvent& event) {
    using What = ProcessEvent::What;
    switch (event.what) {
    case What::fork: {
        if (processes_.contains(event.pid)) leave(event.pid);
        auto info = look(event.pid);
        if (!info) break;
        // by now the parent may have ended and the process been handed to another
        if (event.parent > 0) info->parent = event.parent;
        arrive(std::move(*info));
        break;
    }
    case What::exit: leave(event.pid); break;
    case What::thread:
    case What::thread_exit:
        if (const auto at = processes_.find(event.pid); at != processes_.end()) {
            auto& threads = at->second.info.threads;
            threads = std::max<std::int64_t>(threads + (event.what == What::thread ? 1 : -1), 1);
        }
        for (auto* listener : listeners_) listener->threads_changed(event.pid);
        break;
    case What::exec:
    case What::session: {
        auto info = look(event.pid);
        if (!info) break;
        const auto at = processes_.find(event.pid);
        if (at == processes_.end() || at->second.info.start_time != info->start_time) {
            if (at != processes_.end()) leave(event.pid);
            arrive(std::move(*info));
        } else {
            take_anew(at->second, std::move(*info));
        }
        break;
    }
    }
}

/// The same process, of which anything but who forked it may be another.
void ProcessTable::take_anew(Row& row, ProcessInfo now) {
    now.parent = row.info.parent;
    row.info = std::move(now);
    row.traits.reset();
    changed(row.info.pid);
}

void ProcessTable::changed(Pid pid) {
    ++generation_;
    journal_[generation_ % journal_.size()] = pid;
}

void ProcessTable::arrive(ProcessInfo info) {
    const auto pid = info.pid;
    ended_.erase(pid);
    changed(pid);
    const auto& stored = processes_.insert_or_assign(pid, Row{std::move(info), nullptr}).first->second.info;
    for (auto* listener : listeners_) listener->process_arrived(stored);
}

void ProcessTable::leave(Pid pid) {
    const auto at = processes_.find(pid);
    if (at == processes_.end()) return;
    ended_[pid] = {at->second.info.parent, generation_};
    ended_order_.emplace_back(pid, generation_);
    while (ended_order_.size() > kEndedKept) {
        const auto [old, serial] = ended_order_.front();
        ended_order_.pop_front();
        if (const auto kept = ended_.find(old); kept != ended_.end() && kept->second.serial == serial)
            ended_.erase(kept);
    }
    processes_.erase(at);
    changed(pid);
    for (auto* listener : listeners_) listener->process_left(pid);
}

const ProcessInfo* ProcessTable::find(Pid pid) const {
    const auto at = processes_.find(pid);
    return at == processes_.end() ? nullptr : &at->second.info;
}

std::optional<Pid> ProcessTable::parent_of(Pid pid) const {
    if (const auto* info = find(pid)) return info->parent;
    const auto at = ended_.find(pid);
    if (at == ended_.end()) return std::nullopt;
    return at->second.parent;
}

void ProcessTable::for_each(const std::function<void(const ProcessInfo&)>& visit) const {
    for (const auto& [pid, row] : processes_) visit(row.info);
}

void ProcessTable::refresh_ids(std::size_t traits) {
    for (auto& [pid, row] : processes_) {
        auto& info = row.info;
        if (info.kernel_thread) continue;
        std::optional<ProcessKernel::Ids> ids;
        if (kernel_) {
            ids = kernel_->ids(pid);
        } else if (const auto now = look(pid)) {
            ids = {now->group, now->session};
        }
        if (!ids || (ids->group == info.group && ids->session == info.session)) continue;
        info.group = ids->group;
        info.session = ids->session;
        changed(pid);
    }
    refresh_traits(traits);
}

void ProcessTable::refresh_traits(std::size_t count) {
    if (rotation_.empty())
        for (const auto& [pid, row] : processes_)
            if (row.traits) rotation_.push_back(pid);
    for (; count > 0 && !rotation_.empty(); --count) {
        const Pid pid = rotation_.back();
        rotation_.pop_back();
        const auto at = processes_.find(pid);
        if (at == processes_.end() || !at->second.traits) continue;
        const auto& program = (*at->second.traits)[static_cast<std::size_t>(Trait::executable)];
        if (program)
            if (const auto now = executable_of(pid); !now.empty() && now != *program) {
                at->second.traits.reset(); // as after an exec, with its command line
                changed(pid);
                continue;
            }
        bool is_new = false;
        for (const auto which : {Trait::cpuset_group, Trait::systemd_group, Trait::user}) {
            auto& kept = (*at->second.traits)[static_cast<std::size_t>(which)];
            if (!kept) continue;
            auto now = read_trait(pid, which);
            // unreadable is not moved: most likely it is ending
            if (now.empty() || now == *kept) continue;
            kept = std::move(now);
            is_new = true;
        }
        if (is_new) changed(pid);
    }
}

const std::string& ProcessTable::trait(Pid pid, Trait which) const {
    const auto at = processes_.find(pid);
    if (at == processes_.end()) return read_now_ = read_trait(pid, which);
    auto& traits = at->second.traits;
    if (!traits) traits = std::make_unique<Traits>();
    auto& kept = (*traits)[static_cast<std::size_t>(which)];
    if (!kept) kept = read_trait(pid, which);
    return *kept;
}

std::string ProcessTable::read_trait(Pid pid, Trait which) const {
    switch (which) {
    case Trait::cpuset_group: return cgroup_of(pid, "cpuset");
    case Trait::systemd_group: return cgroup_of(pid, "name=systemd");
    case Trait::executable: return executable_of(pid);
    case Trait::command_line: return command_line_of(pid);
    case Trait::user:
        if (const auto user = user_of(pid)) return std::to_string(*user);
        break;
    }
    return {};
}

Result<std::unique_ptr<ProcessHold>> ProcessTable::hold(Pid pid) const {
    if (kernel_) return kernel_->hold(pid);
    /// A recorded process: as alive as its record.
    class Recorded final : public ProcessHold {
    public:
        Recorded(const ProcessTable& table, const ProcessInfo& info)
            : table_(table), pid_(info.pid), start_time_(info.start_time) {}
        [[nodiscard]] bool alive() const override {
            const auto now = table_.look(pid_);
            return now && now->start_time == start_time_;
        }

    private:
        const ProcessTable& table_;
        Pid pid_;
        std::uint64_t start_time_;
    };
    const auto info = look(pid);
    if (!info) return std::unexpected(info.error());
    return std::make_unique<Recorded>(*this, *info);
}

std::string ProcessTable::cgroup_of(Pid pid, std::string_view controller) const {
    Buffer buffer;
    const auto text = host_.read(fmt::format("proc/{}/cgroup", pid), buffer);
    if (!text) return {};
    std::string unified;
    std::string_view rest = *text;
    while (!rest.empty()) {
        // "4:memory:/a/b"; "0::/a/b" is the unified hierarchy
        const auto line = take_line(rest);
        const auto first = line.find(':');
        const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos) continue;
        const auto names = line.substr(first + 1, second - first - 1);
        const auto path = line.substr(second + 1);
        if (names.empty()) unified = path;
        for (auto list = names; !list.empty();) {
            const auto comma = list.find(',');
            if (list.substr(0, comma) == controller) return std::string(path);
            list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
        }
    }
    return unified;
}

Status ProcessTable::cgroup_exists(const std::string& path) const {
    Buffer buffer;
    for (const auto* mount : {"sys/fs/cgroup/cpuset", "sys/fs/cgroup", "sys/fs/cgroup/unified"})
        if (host_.read(mount + path + "/cgroup.procs", buffer)) return {};
    return fail(Errc::no_such_object, "there is no control group " + path,
                "create it first, or name another");
}

std::string ProcessTable::executable_of(Pid pid) const {
    return host_.link_target(fmt::format("proc/{}/exe", pid)).value_or(std::string());
}

std::string ProcessTable::command_line_of(Pid pid) const {
    Buffer buffer;
    const auto text = host_.read(fmt::format("proc/{}/cmdline", pid), buffer);
    if (!text) return {};
    std::string line(*text);
    while (!line.empty() && line.back() == '\0') line.pop_back();
    std::ranges::replace(line, '\0', ' ');
    return line;
}

std::optional<std::uint32_t> ProcessTable::user_of(Pid pid) const {
    Buffer buffer;
    const auto text = host_.read(fmt::format("proc/{}/status", pid), buffer);
    if (!text) return std::nullopt;
    const auto at = text->find("\nUid:");
    if (at == std::string_view::npos) return std::nullopt;
    auto rest = text->substr(at + 5);
    const auto uid = take_number(rest);
    if (!uid || *uid > UINT32_MAX) return std::nullopt;
    return static_cast<std::uint32_t>(*uid);
}

void ProcessTable::set_opt_outs(std::map<std::string, std::string, std::less<>> units) {
    if (units == opt_outs_) return;
    opt_outs_ = std::move(units);
    generation_ += journal_.size() + 1; // more than the journal tells: all are looked at
}

std::string ProcessTable::opt_out_of(std::string_view unit) const {
    const auto at = opt_outs_.find(unit);
    return at == opt_outs_.end() ? std::string() : fmt::format("{} opted out in {}", at->first, at->second);
}

std::string ProcessTable::opt_out_in(std::string_view group) const {
    while (!group.empty() && !opt_outs_.empty()) {
        const auto slash = group.find('/');
        if (auto why = opt_out_of(group.substr(0, slash)); !why.empty()) return why;
        group.remove_prefix(slash == std::string_view::npos ? group.size() : slash + 1);
    }
    return {};
}

std::string ProcessTable::protection(const ProcessInfo& process) const {
    if (auto why = protection_of(process, own_pid_); !why.empty() || opt_outs_.empty()) return why;
    return opt_out_in(trait(process.pid, Trait::systemd_group));
}

std::string protection_of(const ProcessInfo& process, Pid own_pid) {
    if (process.pid == 1) return "PID 1 is never a member";
    if (process.kernel_thread) return "a kernel thread is never a member";
    if (process.pid == own_pid) return "schedd itself is never a member";
    // comm is cut at 15 bytes by the kernel
    static constexpr std::array kVital{std::string_view("schedd"),
                                       std::string_view("dbus-daemon"),
                                       std::string_view("dbus-broker"),
                                       std::string_view("dbus-broker-lau"),
                                       std::string_view("systemd-journal"),
                                       std::string_view("systemd-logind"),
                                       std::string_view("systemd-udevd"),
                                       std::string_view("systemd")};
    if (std::ranges::find(kVital, process.comm) != kVital.end())
        return fmt::format("{} is vital to the machine and never a member", process.comm);
    return {};
}

} // namespace schedd::model
