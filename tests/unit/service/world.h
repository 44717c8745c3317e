// What the tests of the adapters stand on: own directories, own processes, own control groups, all cleaned
// up.
#pragma once

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "components/model/subject.h"
#include "service/host/dir_host.h"

namespace schedd::test {

using namespace schedd::model;

/// The running machine's files.
Host& machine();

/// A directory of its own, removed with all that is in it.
class TempDir {
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }
    /// Writes a file below, with its directories.
    void write(const std::string& name, std::string_view text) const;
    [[nodiscard]] std::string read(const std::string& name) const;

private:
    std::string path_;
};

/// A process of our own that waits for commands; ended and reaped with this object, or when the test dies.
class Child {
public:
    /// With `threads` threads besides the main one.
    explicit Child(int threads = 0);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    [[nodiscard]] Pid pid() const { return pid_; }
    [[nodiscard]] Target target() const;
    /// All threads, the main one first.
    [[nodiscard]] std::vector<Pid> threads() const;
    /// Lets it start one more thread; returns when that runs.
    void start_thread() { ask('t'); }
    /// Lets it fork; the new process waits until this one ends. Returns its pid.
    Pid fork_child();
    /// Lets threads be born and die all the time, from now until the end; returns when the first has run.
    void churn_threads() { ask('c'); }
    /// Ends it without reaping: a zombie from then on.
    void end();

private:
    Pid ask(char command);
    void reap();

    Pid pid_ = 0;
    int to_ = -1;
    int from_ = -1;
    std::vector<Pid> forked_;
};

/// The running process `pid` as a target.
Target target_of(Pid pid);

/// Runs `work` in a forked process, as another user if `uid` is not 0, and returns the text it makes. The
/// test fails if the process does not end well.
std::string in_another_process(uid_t uid, const std::function<std::string()>& work);

/// The affinity of one thread.
CpuSet affinity(Pid tid);
void set_affinity(Pid tid, const CpuSet& cpus);

/// A group of our own in the version 1 cpuset hierarchy, with all CPUs and nodes of its parent; its tasks go
/// to the parent and it is removed, with all groups below it.
class CpusetGroup {
public:
    /// Empty if own groups can be made here, else why not.
    static std::string unavailable();

    explicit CpusetGroup(std::string path, std::string_view cpus = "parent");
    ~CpusetGroup();
    CpusetGroup(const CpusetGroup&) = delete;
    CpusetGroup& operator=(const CpusetGroup&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; } // "/schedd-test-123-a"
    [[nodiscard]] Target target() const { return Target::cgroup(path_); }
    [[nodiscard]] std::string read(const std::string& file) const;
    [[nodiscard]] bool write(const std::string& file, std::string_view text) const;
    [[nodiscard]] bool has(const std::string& child) const;
    void take(Pid pid) const;

private:
    std::string path_;
};

/// A name for a top group that no other test program uses: "/schedd-test-PID-name".
std::string unique_group(std::string_view name);

/// The group of a process in the cpuset hierarchy.
std::string cpuset_group(Pid pid);

} // namespace schedd::test
