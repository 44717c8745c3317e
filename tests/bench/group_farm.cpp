// Making control groups.
#include "tests/bench/group_farm.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/bench/inner_systemd.h"
#include "tests/bench/interrupt.h"

namespace schedd::bench {

namespace {

constexpr const char* kCpusets = "/sys/fs/cgroup/cpuset";

std::string own_name() { return fmt::format("schedd-bench.{}", getpid()); }

} // namespace

Status make_group(const std::string& directory) {
    if (mkdir(directory.c_str(), 0755) != 0)
        return fail(Errc::io, "cannot make the control group " + directory, std::strerror(errno));
    return {};
}

Status inherit_cpuset(const std::string& parent, const std::string& directory) {
    for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {
        std::string value;
        std::getline(std::ifstream(parent + "/" + file) >> std::ws, value);
        if (auto written = write_file(directory + "/" + file, value + "\n"); !written) return written;
    }
    return {};
}

GroupFarm::GroupFarm(GroupFarm&& other) noexcept
    : sleepers_(std::move(other.sleepers_)), roots_(std::exchange(other.roots_, {})) {}

GroupFarm::~GroupFarm() {
    if (roots_.empty()) return;
    { const Sleepers ended(std::move(sleepers_)); }
    for (const auto& root : roots_) remove_groups(root);
}

std::string GroupFarm::group(std::size_t index) const { return fmt::format("/{}/g{}", own_name(), index); }

Result<GroupFarm> GroupFarm::make(std::size_t count) {
    if (access(fmt::format("{}/cpuset.cpus", kCpusets).c_str(), R_OK) != 0)
        return fail(Errc::controller_unavailable, fmt::format("no cpusets version 1 at {}", kCpusets));
    auto sleepers = Sleepers::start(count);
    if (!sleepers) return std::unexpected(sleepers.error());
    GroupFarm farm(std::move(*sleepers));
    if (auto made = farm.fill(kCpusets, true); !made) return std::unexpected(made.error());
    if (const auto unified = unified_hierarchy())
        if (auto made = farm.fill(*unified, false); !made) return std::unexpected(made.error());
    return farm;
}

Status GroupFarm::fill(const std::string& mount, bool is_cpuset) {
    const auto root = mount + "/" + own_name();
    if (auto made = make_group(root); !made) return made;
    roots_.push_back(root);
    Status done;
    if (is_cpuset) done = inherit_cpuset(mount, root);
    for (std::size_t i = 0; i < sleepers_.pids().size() && done; ++i) {
        const auto directory = mount + group(i);
        done = make_group(directory);
        if (done && is_cpuset) done = inherit_cpuset(root, directory);
        if (done) done = write_file(directory + "/cgroup.procs", fmt::format("{}\n", sleepers_.pids()[i]));
        if (done) done = not_interrupted();
    }
    return done;
}

} // namespace schedd::bench
