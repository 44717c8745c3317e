// Making two control groups, setting how they share, and leaving nothing behind.
#include "tests/bench/side_by_side.h"

#include <csignal>
#include <fstream>
#include <utility>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/bench/group_farm.h"
#include "tests/bench/inner_systemd.h"

namespace schedd::bench {

namespace {

constexpr const char* kCpusets = "/sys/fs/cgroup/cpuset";
constexpr const char* kCpuGroups = "/sys/fs/cgroup/cpu";
constexpr Side kSides[] = {Side::latency, Side::batch};
constexpr const char* kBothCpus = "0-1";
constexpr int kShares = 1024;  // the kernel's own
constexpr int kFewShares = 10; // 1 against 100
constexpr int kLeastNice = 19;
constexpr int kRealTimeUs = 20'000;

std::string own_name() { return fmt::format("schedd-bench.{}", getpid()); }
std::string name_of(Side side) { return side == Side::latency ? "latency" : "batch"; }

/// cyclictest asks whether it might run in real time before it does not; a group without time for that says
/// no, and it ends.
Status allow_real_time(const std::string& directory, int us) {
    const auto file = directory + "/cpu.rt_runtime_us";
    if (access(file.c_str(), W_OK) != 0) return {}; // this kernel does not divide it
    return write_file(file, fmt::format("{}\n", us));
}

void kill_all_in(const std::string& directory) {
    std::ifstream pids(directory + "/cgroup.procs");
    for (pid_t pid = 0; pids >> pid;)
        if (pid > 0) kill(pid, SIGKILL);
}

} // namespace

SideBySide::SideBySide(SideBySide&& other) noexcept
    : roots_(std::exchange(other.roots_, {})), way_(other.way_) {}

SideBySide::~SideBySide() {
    if (roots_.empty()) return;
    for (const Side side : kSides) kill_all_in(cpuset_of(side));
    for (const auto& root : roots_) remove_groups(root);
}

std::string SideBySide::group(Side side) const { return fmt::format("/{}/{}", own_name(), name_of(side)); }
std::string SideBySide::cpuset_of(Side side) const { return kCpusets + group(side); }
std::string SideBySide::cpu_group_of(Side side) const {
    return way_ == Way::weighed ? kCpuGroups + group(side) : fmt::format("{}/{}", kCpuGroups, own_name());
}

std::string SideBySide::cpus(Side side) const {
    std::string text;
    std::getline(std::ifstream(cpuset_of(side) + "/cpuset.cpus"), text);
    return text;
}

Result<SideBySide> SideBySide::make() {
    for (const char* mount : {kCpusets, kCpuGroups})
        if (access(fmt::format("{}/cgroup.procs", mount).c_str(), W_OK) != 0)
            return fail(Errc::controller_unavailable,
                        fmt::format("no control groups of version 1 can be made in {}", mount));
    SideBySide made;
    if (auto filled = made.fill(); !filled) return std::unexpected(filled.error());
    return made;
}

Status SideBySide::fill() {
    for (const char* mount : {kCpusets, kCpuGroups}) {
        const bool is_cpuset = mount == kCpusets;
        const auto root = fmt::format("{}/{}", mount, own_name());
        auto done = make_group(root);
        if (!done) return done;
        roots_.push_back(root);
        if (is_cpuset) done = inherit_cpuset(mount, root);
        else done = allow_real_time(root, 2 * kRealTimeUs);
        if (done && is_cpuset) done = write_file(root + "/cpuset.cpus", fmt::format("{}\n", kBothCpus));
        for (const Side side : kSides) {
            const auto directory = mount + group(side);
            if (done) done = make_group(directory);
            if (done && is_cpuset) done = inherit_cpuset(root, directory);
            if (done && !is_cpuset && side == Side::latency) done = allow_real_time(directory, kRealTimeUs);
            if (done && !is_cpuset)
                done = write_file(directory + "/cpu.shares",
                                  fmt::format("{}\n", side == Side::latency ? kShares : kFewShares));
        }
        if (!done) return done;
    }
    return {};
}

Status SideBySide::share(Way way) {
    way_ = way;
    for (const Side side : kSides) {
        const char* cpus = way != Way::split ? kBothCpus : side == Side::latency ? "1" : "0";
        if (auto set = write_file(cpuset_of(side) + "/cpuset.cpus", fmt::format("{}\n", cpus)); !set)
            return set;
    }
    return {};
}

std::function<bool()> SideBySide::enter(Side side) const {
    return [files = std::vector{cpuset_of(side) + "/cgroup.procs", cpu_group_of(side) + "/cgroup.procs"},
            is_nice = way_ == Way::nice && side == Side::batch] {
        for (const auto& file : files)
            if (!write_file(file, fmt::format("{}\n", getpid()))) return false;
        return !is_nice || setpriority(PRIO_PROCESS, 0, kLeastNice) == 0;
    };
}

} // namespace schedd::bench
