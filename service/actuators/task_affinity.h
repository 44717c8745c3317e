// The affinity of threads: reading, writing, and the text that keeps it for a whole process.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "components/kit/host.h"
#include "components/model/subject.h"

namespace schedd::actuators {

using namespace schedd::model;

/// What one thread may use. `follows`: it is all that its cpuset gives, and grows when that does.
struct TaskMask {
    CpuSet cpus;
    bool follows = false;
    bool operator==(const TaskMask&) const = default;
};

/// The affinity of a process: that of its main thread, and of the threads that differ from it. As text
/// "0-1*;1240=0": the star is `follows`.
struct ProcessMasks {
    TaskMask main;
    std::map<Pid, TaskMask> others;

    [[nodiscard]] const TaskMask& of(Pid tid) const {
        const auto at = others.find(tid);
        return at == others.end() ? main : at->second;
    }
    [[nodiscard]] std::string text() const;
    /// "CPUs 0-3, 2 threads on others".
    [[nodiscard]] std::string told() const;
    /// Fails with invalid_value.
    static Result<ProcessMasks> parse(std::string_view text);
    bool operator==(const ProcessMasks&) const = default;
};

/// sched_getaffinity: no_such_object, limit_exceeded (a CPU >= limits::kMaxCpus is in it), io.
Result<CpuSet> affinity_of(Pid tid);

/// sched_setaffinity: no_such_object, denied, cpu_offline (no CPU of the set is online and in the thread's
/// cpuset). `follows` asks for every CPU there is, which the kernel cuts to the cpuset, now and whenever that
/// changes.
Status set_affinity(Pid tid, const TaskMask& mask);

/// The threads of a process; no_such_object when it has ended, limit_exceeded.
Result<std::vector<Pid>> threads_of(Host& host, Pid pid);

/// Calls `visit` once for every thread, also for those born while it goes on: lists again until nothing is
/// new, at most limits::kThreadPasses times. Stops at the first failure; a thread that ends meanwhile is
/// none.
Status for_each_thread(Host& host, Pid pid, const std::function<Status(Pid tid)>& visit);

/// The affinity of all threads now.
Result<ProcessMasks> read_masks(Host& host, const Target& target);

/// Whether a thread that was given one of `written` shows something that neither we nor the kernel have made
/// of it. The kernel leaves what the cpuset allows, or lets the thread run on all of the cpuset when that is
/// nothing (and, before Linux 6.2, whenever the cpuset changes).
bool is_somebody_elses(const CpuSet& now, std::span<const CpuSet> written,
                       const std::optional<CpuSet>& cpuset);

/// Takes into `masks`, to be restored, what somebody else has set of the threads since `written` was. Returns
/// that in words, or nothing.
std::string keep_what_others_set(Host& host, const Target& target, std::span<const CpuSet> written,
                                 ProcessMasks& masks);

/// Puts every thread back; threads that are not named get the main thread's. Verifies. With `only_differing`
/// threads that are right already are left alone. Returns what was not exactly as before, in words, or
/// nothing.
Result<std::string> restore_masks(Host& host, const Target& target, const ProcessMasks& masks,
                                  bool only_differing);

} // namespace schedd::actuators
