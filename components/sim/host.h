// SimHost: what proc and the control groups of the simulated machine would say, so that the daemon's own
// probes and process table read it as they read a real one.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "components/kit/host.h"
#include "components/sim/cpus.h"

namespace schedd::sim {

/// What files say of a process beside what it does.
struct SimProgram {
    std::string executable;
    std::string group = "/";
};

/// Files below proc: stat, schedstat, uptime, pressure/*, PID/{stat,cgroup,cmdline,status,exe,schedstat},
/// PID/task/TID/schedstat; below sys/fs/cgroup: GROUP/{cgroup.procs,cpu.stat,cpu.pressure,
/// memory.pressure,io.pressure}. Nothing ever waits for memory or io. The main thread has the pid as its id,
/// the others the numbers after it: pids must leave room for them.
class SimHost final : public Host {
public:
    explicit SimHost(SimCpus& cpus) : cpus_(cpus) {}

    /// Groups exist from now on, with all above them.
    void add_group(const std::string& group);
    void add(Pid pid, const SimProgram& program) { programs_[pid] = program; }
    void remove(Pid pid) { programs_.erase(pid); }

    Result<std::unique_ptr<HostFile>> open(const std::string& path) override;
    Result<std::string_view> read(const std::string& path, std::span<char> buffer) override;
    Status list(const std::string& path, const std::function<void(std::string_view)>& visit) override;
    Result<std::string> link_target(const std::string& path) override;
    [[nodiscard]] std::size_t open_budget() const override { return std::size_t{1} << 20U; }

    /// The whole text of a file now; no_such_object if there is none.
    Result<std::string> text_of(std::string_view path);

private:
    [[nodiscard]] Result<std::string> process_text(Pid pid, std::string_view file) const;
    [[nodiscard]] Result<std::string> group_text(std::string_view group, std::string_view file);
    [[nodiscard]] std::string all_schedstat() const;
    [[nodiscard]] std::string all_stat() const;

    SimCpus& cpus_;
    std::map<Pid, SimProgram> programs_;
    std::map<std::string, int, std::less<>> groups_{{"/", 0}};
};

} // namespace schedd::sim
