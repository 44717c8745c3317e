// Following tasks and reading their schedstat.
#include "components/probes/task_meter.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "components/kit/limits.h"
#include "components/kit/number.h"
#include "components/model/proc_text.h"

namespace schedd::probes {

namespace {

constexpr std::int32_t kActiveLoad = 10;  // thousandths; below it a task counts as idle
constexpr std::size_t kHandSteps = 16384; // slots looked at for an idle file, per pass
constexpr std::size_t kRecheckTurn = 32;  // a process's thread count is looked at once in so many passes ...
constexpr std::size_t kRecheckTurnEvents = 256; // ... and where events tell, in case one was lost
constexpr std::uint64_t kRetryKeeping = 64;     // after the host refused to open more than these passes ago
constexpr Duration kTick = std::chrono::milliseconds(10); // of start times: USER_HZ is 100
constexpr std::uint64_t kLongestLife = 360'000;           // ticks; older than this is no newborn's age
constexpr std::uint64_t kOtherTask = 2; // grew by more than that many intervals: another task's clock

void append_number(std::string& text, Pid number) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    text.append(digits.data(), end);
}

} // namespace

TaskMeter::TaskMeter(Host& host) : host_(host) {
    // the rest of the budget is for everybody else's files
    const auto budget = host.open_budget();
    may_keep_ = keep_limit_ = budget - std::min<std::size_t>(budget / 8, 512);
    path_.reserve(64);
    trouble_.reserve(128);
}

void TaskMeter::add(const ProcessInfo& process) {
    remove(process.pid);
    newest_ = std::max(newest_, process.start_time);
    std::uint32_t slot = 0;
    if (free_processes_.empty()) {
        slot = static_cast<std::uint32_t>(processes_.size());
        processes_.emplace_back();
    } else {
        slot = free_processes_.back();
        free_processes_.pop_back();
    }
    auto& row = processes_[slot];
    row = Process{};
    row.pid = process.pid;
    row.start_time = process.start_time;
    row.is_born = is_primed_ && process.start_time >= newest_at_pass_;
    index_[process.pid] = slot;
    add_task(slot, process.pid, row.is_born);
    if (process.threads > 1) mark_dirty(slot, row.is_born);
}

void TaskMeter::remove(Pid pid) {
    const auto at = index_.find(pid);
    if (at == index_.end()) return;
    const auto slot = at->second;
    index_.erase(at);
    while (processes_[slot].first != kNone) drop_task(processes_[slot].first);
    processes_[slot].pid = 0;
    free_processes_.push_back(slot);
}

void TaskMeter::threads_changed(Pid pid) {
    has_events_ = true;
    const auto at = index_.find(pid);
    if (at == index_.end()) return;
    const auto& process = processes_[at->second];
    mark_dirty(at->second, process.is_born || process.is_settled);
}

void TaskMeter::mark_dirty(std::uint32_t process, bool new_are_born) {
    auto& row = processes_[process];
    if (row.is_dirty) return;
    row.is_dirty = true;
    row.new_are_born = new_are_born;
    dirty_.push_back(process);
}

void TaskMeter::add_task(std::uint32_t process, Pid tid, bool is_newborn) {
    if (tasks() >= limits::kTasks) {
        is_over_limit_ = true;
        return;
    }
    std::uint32_t slot = 0;
    if (free_tasks_.empty()) {
        slot = static_cast<std::uint32_t>(tasks_.size());
        tasks_.emplace_back();
    } else {
        slot = free_tasks_.back();
        free_tasks_.pop_back();
    }
    auto& row = processes_[process];
    auto& task = tasks_[slot];
    task = Task{};
    task.pid = row.pid;
    task.tid = tid;
    task.process = process;
    task.is_newborn = is_newborn;
    task.next = row.first;
    if (row.first != kNone) tasks_[row.first].previous = slot;
    row.first = slot;
    ++row.tasks;
}

void TaskMeter::drop_task(std::uint32_t index) {
    auto& task = tasks_[index];
    auto& row = processes_[task.process];
    if (task.previous != kNone) tasks_[task.previous].next = task.next;
    else row.first = task.next;
    if (task.next != kNone) tasks_[task.next].previous = task.previous;
    --row.tasks;
    close(task);
    task.pid = 0;
    free_tasks_.push_back(index);
}

void TaskMeter::close(Task& task) {
    if (!task.file) return;
    task.file.reset();
    --kept_;
}

void TaskMeter::pass(Time now) {
    ++pass_;
    hand_steps_ = kHandSteps;
    if (pass_ % kRetryKeeping == 0) keep_limit_ = may_keep_;
    trouble_.clear();
    has_uptime_ = false;
    young_ = 0;
    recheck_threads();
    // a listing may find a process that is gone, but adds no process
    for (std::size_t i = 0; i < dirty_.size(); ++i) list_threads(dirty_[i]);
    dirty_.clear();
    for (auto& process : processes_) {
        process.load = process.wait = 0;
        process.oldest = now;
        process.is_measured = false;
        if (process.pid != 0) look_at_clock(process);
    }
    std::int64_t sum = 0;
    bool is_measured = false;
    for (std::uint32_t i = 0; i < tasks_.size(); ++i) {
        if (tasks_[i].pid == 0) continue;
        read_task(i, now);
        const auto& task = tasks_[i];
        if (task.pid == 0 || !task.is_measured) continue;
        auto& process = processes_[task.process];
        process.load += task.load;
        process.wait += task.wait;
        process.oldest = std::min(process.oldest, task.read_at);
        process.is_measured = true;
        sum += task.load;
        is_measured = true;
    }
    for (auto& process : processes_) {
        process.is_settled = true;
        process.is_born = false;
    }
    total_.reset();
    if (is_measured) total_ = sum - young_;
    if (tasks() > 0) is_primed_ = true;
    newest_at_pass_ = newest_;
    last_pass_ = now;
    if (is_over_limit_ && tasks() < limits::kTasks) is_over_limit_ = false;
    if (is_over_limit_ && trouble_.empty())
        fmt::format_to(std::back_inserter(trouble_), "limit tasks = {}: the newest are not measured",
                       limits::kTasks);
    if (tasks() == 0 && !index_.empty() && trouble_.empty())
        trouble_ = "proc/PID/schedstat of no process can be read";
}

/// Run time is added to schedstat while a task runs, wait time when it gets to run: without running neither
/// changes. The clock is read before the files, so what runs in between shows in the next pass.
void TaskMeter::look_at_clock(Process& process) {
    const auto clock = host_.cpu_time_of(process.pid);
    process.is_still = clock && process.has_clock && *clock == process.clock_ns;
    process.has_clock = clock.has_value();
    process.clock_ns = clock.value_or(0);
}

void TaskMeter::read_task(std::uint32_t index, Time now) {
    auto& task = tasks_[index];
    const auto& process = processes_[task.process];
    if (process.is_still && task.has_base && !task.is_newborn)
        return take(task, task.busy_ns, task.wait_ns, now);
    if (!task.file && kept_ < keep_limit_) {
        keep_open(task);
    } else if (!task.file && task.is_measured && !task.is_active && !process.has_clock) {
        if ((index + pass_) % kRotation != 0) return;
    } else if (!task.file && task.is_active && free_a_file()) {
        keep_open(task); // the idle one's file
    }
    std::array<char, 128> buffer;
    const auto text = task.file ? task.file->read(buffer) : host_.read(path_of(task), buffer);
    if (!text) {
        if (text.error().kind == Errc::no_such_object) return drop_task(index);
        note(task, text.error().text());
        close(task);
    }
    const auto stat = text ? parse_schedstat(*text) : std::nullopt;
    if (text && !stat) note(task, "cannot be understood");
    if (stat) return take(task, stat->run_ns + stat->wait_ns, stat->wait_ns, now);
    task.has_base = task.is_measured = task.is_active = task.is_newborn = false;
}

void TaskMeter::take(Task& task, std::uint64_t busy_ns, std::uint64_t wait_ns, Time now) {
    if (task.has_base && now <= task.read_at) return; // nothing can have happened
    if (task.is_newborn) {
        task.has_base = true;
        task.read_at = birth_of(processes_[task.process], now);
    }
    const auto passed = static_cast<std::uint64_t>(std::max<std::int64_t>((now - task.read_at).count(), 0));
    auto grown = busy_ns - task.busy_ns;
    if (task.is_newborn) grown = std::min(grown, passed); // found late, it may be older than it looks
    if (task.has_base && passed > 0 && busy_ns >= task.busy_ns && grown <= kOtherTask * passed) {
        // each of the two clocks alone may only have gone forward, and by no more than both together
        const auto waited = wait_ns >= task.wait_ns ? std::min(wait_ns - task.wait_ns, grown) : 0;
        task.load = static_cast<std::int32_t>((grown * 1000 + passed / 2) / passed);
        task.wait = static_cast<std::int32_t>((waited * 1000 + passed / 2) / passed);
        if (const auto whole = static_cast<std::uint64_t>((now - last_pass_).count()); task.is_newborn)
            young_ += task.load - static_cast<std::int64_t>((grown * 1000 + whole / 2) / whole);
        task.is_active = task.load >= kActiveLoad;
        task.is_measured = true;
    } else {
        task.is_measured = false;
    }
    task.is_newborn = false;
    task.has_base = true;
    task.busy_ns = busy_ns;
    task.wait_ns = wait_ns;
    task.read_at = now;
}

/// Since when a newborn counts. A thread that is born into an older process has an age too, but reading it
/// costs a file each, and what the whole process wants is hardly wrong by it.
Time TaskMeter::birth_of(const Process& process, Time now) {
    if (!process.is_born || now <= last_pass_) return last_pass_;
    if (!std::exchange(has_uptime_, true)) {
        std::array<char, 64> buffer;
        const auto text = host_.read("proc/uptime", buffer);
        uptime_ = text ? parse_uptime(*text) : std::nullopt;
    }
    if (!uptime_ || *uptime_ < process.start_time) return last_pass_; // of a container, or not there
    const auto ticks = std::min<std::uint64_t>(*uptime_ - process.start_time, kLongestLife);
    const auto youngest = now - (now - last_pass_) / 4;
    return std::clamp(now - static_cast<std::int64_t>(ticks) * kTick, last_pass_, youngest);
}

void TaskMeter::keep_open(Task& task) {
    auto opened = host_.open(path_of(task));
    if (opened) {
        task.file = std::move(*opened);
        ++kept_;
        return;
    }
    // others keep files too: what is open now is what there is room for
    if (opened.error().kind != Errc::no_such_object && opened.error().kind != Errc::denied)
        keep_limit_ = kept_;
}

bool TaskMeter::free_a_file() {
    for (; hand_steps_ > 0; --hand_steps_) {
        hand_ = (hand_ + 1) % tasks_.size();
        auto& task = tasks_[hand_];
        if (task.pid == 0 || !task.file || task.is_active || !task.is_measured) continue;
        close(task);
        return true;
    }
    return false;
}

void TaskMeter::recheck_threads() {
    const auto turn = has_events_ ? kRecheckTurnEvents : kRecheckTurn;
    std::array<char, 1024> buffer;
    for (std::size_t i = pass_ % turn; i < processes_.size(); i += turn) {
        const auto& process = processes_[i];
        if (process.pid == 0 || process.is_dirty) continue;
        path_.assign("proc/");
        append_number(path_, process.pid);
        path_.append("/stat");
        const auto text = host_.read(path_, buffer);
        const auto stat = text ? parse_proc_stat(*text) : std::nullopt;
        if (stat && static_cast<std::uint64_t>(stat->threads) != process.tasks)
            mark_dirty(static_cast<std::uint32_t>(i), process.is_born);
    }
}

void TaskMeter::list_threads(std::uint32_t process) {
    auto& row = processes_[process];
    if (!row.is_dirty) return;
    row.is_dirty = false;
    if (row.pid == 0) return;
    path_.assign("proc/");
    append_number(path_, row.pid);
    path_.append("/task");
    listed_.clear();
    const auto listed = host_.list(path_, [&](std::string_view name) {
        const auto number = parse_unsigned(name);
        if (number && *number > 0 && *number < INT32_MAX) listed_.push_back(static_cast<Pid>(*number));
    });
    if (!listed) return; // it is going; the table will say so
    std::ranges::sort(listed_);
    known_.clear();
    for (auto i = row.first; i != kNone; i = tasks_[i].next) known_.emplace_back(tasks_[i].tid, i);
    std::ranges::sort(known_);
    auto known = known_.begin();
    for (const Pid tid : listed_) {
        for (; known != known_.end() && known->first < tid; ++known) drop_task(known->second);
        if (known != known_.end() && known->first == tid) ++known;
        else add_task(process, tid, row.new_are_born);
    }
    for (; known != known_.end(); ++known) drop_task(known->second);
}

const std::string& TaskMeter::path_of(const Task& task) {
    path_.assign("proc/");
    append_number(path_, task.pid);
    if (task.tid != task.pid) {
        path_.append("/task/");
        append_number(path_, task.tid);
    }
    path_.append("/schedstat");
    return path_;
}

void TaskMeter::note(const Task& task, std::string_view what) {
    if (!trouble_.empty()) return;
    fmt::format_to(std::back_inserter(trouble_), "{}: {}", path_of(task), what);
}

std::optional<TaskMeter::Load> TaskMeter::load_of(Pid pid) const {
    const auto at = index_.find(pid);
    if (at == index_.end()) return std::nullopt;
    const auto& process = processes_[at->second];
    if (!process.is_measured) return std::nullopt;
    return Load{process.load, process.wait, process.oldest};
}

void TaskMeter::visit(const std::function<void(Pid, const Load&)>& visit) const {
    for (const auto& process : processes_)
        if (process.pid != 0 && process.is_measured)
            visit(process.pid, {process.load, process.wait, process.oldest});
}

} // namespace schedd::probes
