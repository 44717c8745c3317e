// TaskMeter: the load of every task, by the time it ran or waited for a CPU between two readings of its
// schedstat.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "components/kit/clock.h"
#include "components/kit/host.h"
#include "components/model/process_table.h"

namespace schedd::probes {

using namespace schedd::model;

/// Where the host has clocks of processes (Host::cpu_time_of), one look at the clock tells that none of a
/// process's tasks has run since the last pass, so that none of their files has changed: they are not read.
/// Files are kept open while the host's budget lasts: one pread per task and pass. Of the tasks beyond it
/// those that were idle at their last reading are, without clocks, read in rotation, an eighth of them per
/// pass, and their load is taken over their own interval; one that turns out busy takes over the file of an
/// idle one. A pass in which nothing arrives, leaves, or changes places allocates nothing.
class TaskMeter {
public:
    explicit TaskMeter(Host& host);

    /// Follows a process from the next pass on. One that was born after the last pass counts over its life,
    /// but for no less than a quarter of the time between the passes: how much it wants when it starts says
    /// little of what it will want. Where proc/uptime does not tell its age it counts over that time whole.
    /// One found late, or before the first pass, has its first reading as base line.
    void add(const ProcessInfo& process);
    void remove(Pid pid);
    /// Threads of the process came or went; its list of them is read by the next pass.
    void threads_changed(Pid pid);

    /// Reads the tasks whose turn it is. What a task did after its last reading before it ended is lost.
    void pass(Time now);

    /// Thousandths of an always-runnable task, summed over the threads, and what of it was waiting for a CPU;
    /// `time` is the oldest reading in it.
    struct Load {
        std::int64_t load;
        std::int64_t wait;
        Time time;
    };
    [[nodiscard]] std::optional<Load> load_of(Pid pid) const;
    void visit(const std::function<void(Pid, const Load&)>& visit) const;
    /// The sum over all tasks; none before the second pass, or when no task can be read.
    [[nodiscard]] std::optional<std::int64_t> total() const { return total_; }

    [[nodiscard]] std::size_t tasks() const { return tasks_.size() - free_tasks_.size(); }
    [[nodiscard]] std::size_t files_kept() const { return kept_; }
    /// A task may be this many passes old when read in rotation; 1 while all files are kept.
    [[nodiscard]] int longest_turn() const { return kept_ < tasks() ? kRotation : 1; }
    /// What could not be read or followed in the last pass; empty while all is well.
    [[nodiscard]] const std::string& trouble() const { return trouble_; }

private:
    static constexpr int kRotation = 8;
    static constexpr std::uint32_t kNone = UINT32_MAX;

    struct Task {
        std::unique_ptr<HostFile> file;
        std::uint64_t busy_ns = 0;
        std::uint64_t wait_ns = 0;
        Time read_at{};
        Pid pid = 0; // 0: a free slot
        Pid tid = 0;
        std::uint32_t process = 0;
        std::uint32_t next = kNone; // of the same process
        std::uint32_t previous = kNone;
        std::int32_t load = 0;
        std::int32_t wait = 0;
        bool has_base = false;
        bool is_newborn = false;
        bool is_measured = false;
        bool is_active = false;
    };
    struct Process {
        Pid pid = 0; // 0: a free slot
        std::uint32_t first = kNone;
        std::uint32_t tasks = 0;
        std::int64_t load = 0;
        std::int64_t wait = 0;
        std::uint64_t clock_ns = 0; // Host::cpu_time_of() as of the last pass
        Time oldest{};
        std::uint64_t start_time = 0; // clock ticks since boot
        bool has_clock = false;
        bool is_still = false; // its clock has not moved since the last pass
        bool is_measured = false;
        bool is_born = false;    // after the last pass
        bool is_settled = false; // was in a pass
        bool is_dirty = false;   // its list of threads is to be read
        bool new_are_born = false;
    };

    void add_task(std::uint32_t process, Pid tid, bool is_newborn);
    void drop_task(std::uint32_t index);
    void close(Task& task);
    void mark_dirty(std::uint32_t process, bool new_are_born);
    void list_threads(std::uint32_t process);
    void recheck_threads();
    void look_at_clock(Process& process);
    void read_task(std::uint32_t index, Time now);
    void take(Task& task, std::uint64_t busy_ns, std::uint64_t wait_ns, Time now);
    void keep_open(Task& task);
    bool free_a_file();
    [[nodiscard]] Time birth_of(const Process& process, Time now);
    void note(const Task& task, std::string_view what);
    [[nodiscard]] const std::string& path_of(const Task& task);

    Host& host_;
    std::vector<Task> tasks_;
    std::vector<std::uint32_t> free_tasks_;
    std::vector<Process> processes_;
    std::vector<std::uint32_t> free_processes_;
    std::unordered_map<Pid, std::uint32_t> index_;
    std::vector<std::uint32_t> dirty_;
    std::vector<Pid> listed_;
    std::vector<std::pair<Pid, std::uint32_t>> known_;
    std::string path_;
    std::string trouble_;
    std::size_t may_keep_;
    std::size_t keep_limit_; // lower while the host refuses to open more
    std::size_t kept_ = 0;
    std::size_t hand_ = 0;       // where the search for an idle file goes on
    std::size_t hand_steps_ = 0; // steps it may still take in this pass
    std::uint64_t pass_ = 0;
    Time last_pass_{};
    std::optional<std::uint64_t> uptime_; // clock ticks; none if not read in this pass
    bool has_uptime_ = false;             // ... or not to be read
    std::int64_t young_ = 0;  // by how much loads over a life exceed those over the time between passes
    bool is_primed_ = false;  // a pass has read tasks
    bool has_events_ = false; // somebody tells of threads
    bool is_over_limit_ = false;
    std::uint64_t newest_ = 0;         // start time of the youngest process
    std::uint64_t newest_at_pass_ = 0; // ... as of the last pass
    std::optional<std::int64_t> total_;
};

} // namespace schedd::probes
