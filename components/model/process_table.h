// ProcessTable: the processes there are, kept current by kernel events and, where there are none, by scans.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "components/kit/host.h"
#include "components/model/value.h"

namespace schedd::model {

struct ProcessInfo {
    Pid pid = 0;
    Pid parent = 0;
    Pid group = 0;
    Pid session = 0;
    std::uint64_t start_time = 0;
    bool kernel_thread = false;
    std::string comm;
    std::int64_t threads = 1; // as last read, and told of since; changes are told by threads_changed()
};

/// What membership rules ask of a process beside its ids; costs a read each, so the table keeps the answers.
enum class Trait { cpuset_group, systemd_group, executable, command_line, user };

/// A process that is held: the number cannot come to mean another process while this lives (a pidfd).
class ProcessHold {
public:
    virtual ~ProcessHold() = default;
    [[nodiscard]] virtual bool alive() const = 0;
};

/// What only a live kernel can tell; a recorded tree has none of it.
class ProcessKernel {
public:
    virtual ~ProcessKernel() = default;
    /// Fails with no_such_object when there is no such process.
    virtual Result<std::unique_ptr<ProcessHold>> hold(Pid pid) = 0;
    /// The process group and session now (they change without an event); none when the process is gone.
    struct Ids {
        Pid group;
        Pid session;
    };
    virtual std::optional<Ids> ids(Pid pid) = 0;
};

/// One kernel event about processes and threads.
struct ProcessEvent {
    enum class What { fork, thread, exec, exit, thread_exit, session };
    What what;
    Pid pid = 0;    // the new or concerned process
    Pid tid = 0;    // thread, thread_exit: the thread
    Pid parent = 0; // fork: who forked
};

/// Told of arrivals and departures as they are found (cpu probe, actuators' ledger).
class ProcessListener {
public:
    virtual ~ProcessListener() = default;
    virtual void process_arrived(const ProcessInfo& /*process*/) {}
    virtual void process_left(Pid /*pid*/) {}
    virtual void threads_changed(Pid /*pid*/) {}
};

class ProcessTable {
public:
    /// `kernel` may be null (a recorded tree): then holds are fulfilled by pid and start time alone.
    /// `own_pid` is the daemon's, which is never a member.
    ProcessTable(Host& host, ProcessKernel* kernel, Pid own_pid)
        : host_(host), kernel_(kernel), own_pid_(own_pid) {}
    [[nodiscard]] Pid own_pid() const { return own_pid_; }

    /// Reads proc whole: arrivals, departures, reused pids. Costs about 4 us per new process, 0.3 us per old
    /// one; `anew`, after a time without news, 4 us for each: nothing kept of it is relied on.
    Status scan(bool anew = false);
    /// Takes one event. A fork that has ended before it could be read is no arrival.
    void apply(const ProcessEvent& event);

    [[nodiscard]] const ProcessInfo* find(Pid pid) const;
    [[nodiscard]] std::size_t size() const { return processes_.size(); }
    void for_each(const std::function<void(const ProcessInfo&)>& visit) const;
    /// Goes up by one whenever a process arrived, left, or changed session, program or a kept trait.
    [[nodiscard]] std::uint64_t generation() const { return generation_; }
    /// Visits the processes that changed after `generation`, some perhaps twice, gone ones too. False if that
    /// is too long ago to tell: then everything must be looked at.
    template <class Visit> bool visit_changed(std::uint64_t generation, const Visit& visit) const {
        if (generation_ - generation > journal_.size()) return false;
        while (generation < generation_) visit(journal_[++generation % journal_.size()]);
        return true;
    }
    /// Re-reads groups and sessions (events of setpgid and setsid are not complete), and, in rotation, group,
    /// user and program of `traits` processes for which somebody asked: a move between groups makes no event,
    /// nor does CRIU's restoring. A change bumps the generation. Costs 0.2 us per process and 4 us per trait.
    void refresh_ids(std::size_t traits = 64);

    /// A trait as kept: read when first asked for, dropped on exec. The user is its number in decimal. Empty
    /// if it cannot be read. Of a process outside the table it is read each time. Holds until the next call
    /// or change.
    [[nodiscard]] const std::string& trait(Pid pid, Trait which) const;
    /// Who forked it, also for a process that ended lately; none for one never seen.
    [[nodiscard]] std::optional<Pid> parent_of(Pid pid) const;

    /// Reads one process now, whether it is in the table or not.
    [[nodiscard]] Result<ProcessInfo> look(Pid pid) const;
    Result<std::unique_ptr<ProcessHold>> hold(Pid pid) const;
    /// Cgroup path of a process in the hierarchy of `controller` ("cpuset"), else in the unified one; "" if
    /// gone.
    [[nodiscard]] std::string cgroup_of(Pid pid, std::string_view controller) const;
    /// Whether a group of that path exists in the cpuset or the unified hierarchy.
    [[nodiscard]] Status cgroup_exists(const std::string& path) const;
    [[nodiscard]] std::string executable_of(Pid pid) const;
    /// The arguments joined by blanks, at most 4 KiB.
    [[nodiscard]] std::string command_line_of(Pid pid) const;
    [[nodiscard]] std::optional<std::uint32_t> user_of(Pid pid) const;

    /// Units that are never members, nor what runs in them, by name, each with where that is said. Replaces
    /// what was said before; everybody's membership is looked at anew.
    void set_opt_outs(std::map<std::string, std::string, std::less<>> units);
    [[nodiscard]] bool has_opt_outs() const { return !opt_outs_.empty(); }
    /// Why the unit, or the one that `group` is or is in, is never a member; "" if it may be one.
    [[nodiscard]] std::string opt_out_of(std::string_view unit) const;
    [[nodiscard]] std::string opt_out_in(std::string_view group) const;
    /// Why this process is never a member: what protection_of() says, or its unit has opted out.
    [[nodiscard]] std::string protection(const ProcessInfo& process) const;

    /// The listener outlives the table or removes itself.
    void add_listener(ProcessListener& listener) { listeners_.push_back(&listener); }
    void remove_listener(ProcessListener& listener) { std::erase(listeners_, &listener); }

private:
    using Traits = std::array<std::optional<std::string>, 5>;
    struct Row {
        ProcessInfo info;
        std::unique_ptr<Traits> traits; // null until asked for
    };
    /// A parent that ended before its children were looked at.
    struct Ended {
        Pid parent;
        std::uint64_t serial;
    };
    static constexpr std::size_t kEndedKept = 4096;
    static constexpr std::size_t kJournal = 4096;

    void arrive(ProcessInfo info);
    void leave(Pid pid);
    void take_anew(Row& row, ProcessInfo now);
    void changed(Pid pid);
    void refresh_traits(std::size_t count);
    [[nodiscard]] std::string read_trait(Pid pid, Trait which) const;

    Host& host_;
    ProcessKernel* kernel_;
    Pid own_pid_;
    mutable std::unordered_map<Pid, Row> processes_; // reading fills in traits
    mutable std::string read_now_;
    std::unordered_map<Pid, Ended> ended_;
    std::deque<std::pair<Pid, std::uint64_t>> ended_order_;
    std::vector<Pid> rotation_;
    std::size_t scans_ = 0;
    std::uint64_t generation_ = 1;
    std::vector<Pid> journal_ = std::vector<Pid>(kJournal); // by generation
    std::vector<ProcessListener*> listeners_;
    std::map<std::string, std::string, std::less<>> opt_outs_;
};

/// Why this process may never be a member: PID 1, a kernel thread, schedd itself, or one of the machine's
/// vital services; empty if it may.
std::string protection_of(const ProcessInfo& process, Pid own_pid);

} // namespace schedd::model
