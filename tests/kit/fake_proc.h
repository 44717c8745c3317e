// FakeProc: writes processes into a FakeHost as the kernel would show them.
#pragma once

#include <map>
#include <vector>

#include <fmt/format.h>

#include "components/model/value.h"
#include "tests/kit/fake_host.h"

namespace schedd::test {

using model::Pid;

/// One process as proc shows it. `start_time` 0 means pid * 10, so that each pid has its own.
struct FakeProcess {
    Pid pid = 0;
    std::string comm = "work";
    Pid parent = 1;
    Pid group = 0;   // 0 = its own pid
    Pid session = 0; // 0 = its own pid
    std::uint64_t start_time = 0;
    bool kernel_thread = false;
    char state = 'S';
    int threads = 1;
    std::string cgroup = "/";
    std::uint32_t user = 0;
    std::string executable = "/usr/bin/work";
    std::string command_line = "work";
};

class FakeProc {
public:
    explicit FakeProc(FakeHost& host) : host_(host) {}

    /// Writes all files of a process. Its first thread has the pid as its id; `threads` more than one get pid
    /// + 1000000 and so on, unless add_thread() is used.
    void add(const FakeProcess& p) {
        const auto dir = fmt::format("proc/{}", p.pid);
        const auto group = p.group ? p.group : p.pid;
        const auto session = p.session ? p.session : p.pid;
        host_.set(dir + "/stat", stat_line(p, group, session));
        host_.set(dir + "/cgroup", fmt::format("4:cpuset:{0}\n1:name=systemd:{0}\n0::/\n", p.cgroup));
        host_.set(dir + "/status", fmt::format("Name:\t{}\nUid:\t{}\t0\t0\t0\n", p.comm, p.user));
        std::string line = p.command_line;
        for (char& c : line)
            if (c == ' ') c = '\0';
        host_.set(dir + "/cmdline", line + '\0');
        if (!p.executable.empty()) host_.set_link(dir + "/exe", p.executable);
        host_.set(dir + "/schedstat", "0 0 0\n");
        host_.set(fmt::format("{}/task/{}/schedstat", dir, p.pid), "0 0 0\n");
        for (int i = 1; i < p.threads; ++i)
            host_.set(fmt::format("{}/task/{}/schedstat", dir, p.pid + 1000000 * i), "0 0 0\n");
    }
    void remove(Pid pid) { host_.remove_tree(fmt::format("proc/{}", pid)); }

    /// Run and wait time of a task so far. The main thread's are shown in both of its places.
    void set_times(Pid pid, Pid tid, std::uint64_t run_ns, std::uint64_t wait_ns) {
        const auto text = fmt::format("{} {} 7\n", run_ns, wait_ns);
        host_.set(fmt::format("proc/{}/task/{}/schedstat", pid, tid), text);
        if (pid == tid) host_.set(fmt::format("proc/{}/schedstat", pid), text);
    }
    void set_times(Pid pid, std::uint64_t run_ns, std::uint64_t wait_ns = 0) {
        set_times(pid, pid, run_ns, wait_ns);
    }
    void remove_thread(Pid pid, Pid tid) { host_.remove(fmt::format("proc/{}/task/{}/schedstat", pid, tid)); }

private:
    static std::string stat_line(const FakeProcess& p, Pid group, Pid session) {
        const auto start = p.start_time ? p.start_time : static_cast<std::uint64_t>(p.pid) * 10;
        return fmt::format("{} ({}) {} {} {} {} 0 -1 {} 0 0 0 0 0 0 0 0 20 0 {} 0 {} 1000000 100 184467\n",
                           p.pid, p.comm, p.state, p.parent, group, session,
                           p.kernel_thread ? 0x00200040 : 0x00400000, p.threads, start);
    }

    FakeHost& host_;
};

} // namespace schedd::test
