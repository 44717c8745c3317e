// UnitTree: what a machine of cgroup version 2 shows of many units, as plain files, and a view with them in
// place.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "tests/bench/machine_state.h"

namespace schedd::bench {

/// One unit and what stands for it.
struct UnitFiles {
    std::string name;          // test-many@7.service
    std::string control_group; // its path, as systemd tells it
    std::string directory;     // of its control group
    std::string drop_in;       // what systemd writes when its CPUs are set at run time
};

/// Control groups with the cpuset controller on, a run directory for systemd's files, the online CPUs, and
/// for each process the text of its proc/PID/cgroup. On a memory file system; goes with the object.
class UnitTree {
public:
    /// A unit for each of the pids, instances of one template in its slice, on a machine with these CPUs.
    static Result<UnitTree> make(const std::vector<pid_t>& pids, std::string cpus);

    [[nodiscard]] const std::vector<UnitFiles>& units() const { return units_; }
    [[nodiscard]] const std::string& cpus() const { return cpus_; }
    /// A drop-in of the template, and so of all units; "" takes it away again.
    [[nodiscard]] Status write_drop_in(const std::string& text) const;
    /// Its path as PID 1 and the daemon know it, if it is there.
    [[nodiscard]] std::optional<std::string> drop_in() const;
    /// Puts it in place of the machine's own files, for the calling process and its children alone (a mount
    /// namespace). Between fork and exec. False, with errno, when that is refused.
    [[nodiscard]] bool enter() const;

private:
    UnitTree(ScratchDirectory directory, std::string cpus)
        : directory_(std::move(directory)), cpus_(std::move(cpus)) {}
    [[nodiscard]] std::string place(const std::string& name) const { return directory_.path() + "/" + name; }
    Status make_group(const std::string& group) const;
    Status make_unit(std::size_t number, pid_t pid);

    ScratchDirectory directory_;
    std::string cpus_;
    std::vector<UnitFiles> units_;
    std::vector<std::pair<std::string, std::string>> mounts_; // a file or directory, and what it covers
};

} // namespace schedd::bench
