// Writing the files, and mounting them over the machine's.
#include "tests/bench/unit_tree.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/bench/interrupt.h"

namespace schedd::bench {

namespace {

constexpr const char* kDropIn = "run/systemd/system/test-many@.service.d/50-schedd.conf";
constexpr const char* kHierarchy = "/sys/fs/cgroup";
/// Where systemd puts the instances of test-many@.service.
constexpr const char* kSlice = "/system.slice/system-test\\x2dmany.slice";

Status make_directory(const std::string& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return fail(Errc::io, "cannot make the directory " + path, error.message());
    return {};
}

} // namespace

Result<UnitTree> UnitTree::make(const std::vector<pid_t>& pids, std::string cpus) {
    constexpr std::uint64_t kKibPerUnit = 64; // an inode and a page for each of its files
    if (auto room = room_in_memory(pids.size() * kKibPerUnit); !room) return std::unexpected(room.error());
    auto directory = ScratchDirectory::make("/dev/shm");
    if (!directory) return std::unexpected(directory.error());
    UnitTree tree(std::move(*directory), std::move(cpus));
    Status done;
    for (const auto* folder : {"membership", "run/systemd/system", "run/systemd/system.control"})
        if (done) done = make_directory(tree.place(folder));
    for (const auto* group : {"", "/system.slice", kSlice})
        if (done) done = tree.make_group(group);
    if (done) done = write_file(tree.place("online"), tree.cpus_ + "\n");
    if (done)
        done = write_file(tree.place("run/systemd/system/test-many@.service"),
                          "[Service]\nExecStart=/bin/sleep infinity\n");
    tree.mounts_ = {{tree.place("cgroup"), kHierarchy},
                    {tree.place("run"), "/run"},
                    {tree.place("online"), "/sys/devices/system/cpu/online"}};
    for (std::size_t i = 0; i < pids.size() && done; ++i) {
        done = tree.make_unit(i + 1, pids[i]);
        if (done) done = not_interrupted();
    }
    if (!done) return std::unexpected(done.error());
    return tree;
}

Status UnitTree::write_drop_in(const std::string& text) const {
    const auto file = place(kDropIn);
    std::error_code ignored;
    if (text.empty()) std::filesystem::remove(file, ignored);
    if (text.empty()) return {};
    auto done = make_directory(file.substr(0, file.rfind('/')));
    return done ? write_file(file, text) : done;
}

std::optional<std::string> UnitTree::drop_in() const {
    if (access(place(kDropIn).c_str(), F_OK) != 0) return std::nullopt;
    return std::string("/") + kDropIn;
}

/// The files that schedd may ask a group for. No tasks in them: see the README.
Status UnitTree::make_group(const std::string& group) const {
    const auto directory = place("cgroup" + group);
    auto done = make_directory(directory);
    const std::pair<const char*, std::string> files[] = {{"cgroup.controllers", "cpuset cpu memory pids\n"},
                                                         {"cgroup.procs", ""},
                                                         {"cgroup.threads", ""},
                                                         {"cpuset.cpus", "\n"},
                                                         {"cpuset.cpus.effective", cpus_ + "\n"}};
    for (const auto& [name, text] : files)
        if (done) done = write_file(fmt::format("{}/{}", directory, name), text);
    return done;
}

Status UnitTree::make_unit(std::size_t number, pid_t pid) {
    UnitFiles unit;
    unit.name = fmt::format("test-many@{}.service", number);
    unit.control_group = fmt::format("{}/{}", kSlice, unit.name);
    unit.directory = place("cgroup" + unit.control_group);
    unit.drop_in = place(fmt::format("run/systemd/system.control/{}.d/50-AllowedCPUs.conf", unit.name));
    const auto membership = place(fmt::format("membership/{}", number));
    auto done = make_group(unit.control_group);
    if (done) done = write_file(membership, fmt::format("0::{}\n", unit.control_group));
    if (!done) return done;
    mounts_.emplace_back(membership, fmt::format("/proc/{}/cgroup", pid));
    units_.push_back(std::move(unit));
    return {};
}

bool UnitTree::enter() const {
    if (unshare(CLONE_NEWNS) != 0) return false;
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
    // what is mounted there, of either version; nothing on a machine without
    if (umount2(kHierarchy, MNT_DETACH) != 0 && errno != EINVAL) return false;
    // libcgroup believes in what proc/mounts calls cgroup2; the files come over it
    if (mount("cgroup2", kHierarchy, "cgroup2", 0, nullptr) != 0) return false;
    for (const auto& [ours, theirs] : mounts_)
        if (mount(ours.c_str(), theirs.c_str(), nullptr, MS_BIND, nullptr) != 0) return false;
    return true;
}

} // namespace schedd::bench
