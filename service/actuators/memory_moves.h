// MemoryMoves: what units have on memory nodes that they may not use any more is moved to those they may, in
// child processes, one unit at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "service/actuators/cpuset_hierarchy.h"

namespace schedd::actuators {

/// migrate_pages(2) of one process: how many of its pages could not be moved, or a negative errno.
long migrate_pages_of(Pid pid, const CpuSet& from, const CpuSet& to);

/// Bytes of programs and of files that memory.numa_stat says lie on other nodes than these; none if it is no
/// such text.
std::optional<std::uint64_t> bytes_elsewhere(std::string_view numa_stat, const CpuSet& nodes);

/// The kernel moves pages when cpuset.mems is narrowed, but not (seen with Linux 6.1) when the controller has
/// been switched on in the same moment. A process has gigabytes, and the call returns when they are moved: so
/// a child makes it.
class MemoryMoves {
public:
    using Migrate = std::function<long(Pid pid, const CpuSet& from, const CpuSet& to)>;
    explicit MemoryMoves(const CpusetHierarchy& hierarchy, Migrate migrate = migrate_pages_of)
        : hierarchy_(hierarchy), migrate_(std::move(migrate)) {}
    /// Ends the child; what it has moved stays moved.
    ~MemoryMoves() { stop(); }
    MemoryMoves(const MemoryMoves&) = delete;
    MemoryMoves& operator=(const MemoryMoves&) = delete;

    /// From now on the unit may use these nodes alone. Said again of the same nodes it changes nothing; costs
    /// a read if all that the unit has lies there.
    void want(const std::string& unit, const std::string& group, const CpuSet& nodes);
    /// It may use others again, or is gone. What was moved is not moved back.
    void forget(const std::string& unit);
    /// Goes on: takes what a child has done, and begins with the next unit if none is under way. Returns what
    /// became of this one in words, "" if all that it has lay where it may.
    std::string look(const std::string& unit);

private:
    struct Job {
        std::string group;
        CpuSet nodes;
        std::optional<std::uint64_t> before; // bytes elsewhere; none if not known
        std::string told;
    };
    /// What a child says when it has done.
    struct Report {
        std::uint64_t unmoved = 0;   // pages
        std::uint32_t processes = 0; // that it was done for
        std::uint32_t refused = 0;   // ... and that it was not
        int error = 0;               // why, of one of these
    };
    [[nodiscard]] std::optional<std::uint64_t> elsewhere(const Job& job) const;
    [[nodiscard]] CpuSet all_nodes() const;
    void begin_next();
    bool begin(const Job& job);
    [[nodiscard]] Report work(const Job& job) const;
    void move_group(const std::string& group, const Job& job, int depth, Report& report) const;
    void take_report();
    void stop();
    [[nodiscard]] std::string words_for(const Job& job, const Report& report) const;

    const CpusetHierarchy& hierarchy_;
    Migrate migrate_;
    std::map<std::string, Job> jobs_;
    std::deque<std::string> waiting_;
    std::string moving_; // the unit that the child is for
    pid_t child_ = 0;    // 0: none
    int from_child_ = -1;
};

} // namespace schedd::actuators
