// Making namespaces, and systemd in them.
#include "tests/bench/inner_systemd.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bus_client.h"
#include "tests/bench/private_bus.h"

namespace schedd::bench {

namespace {

constexpr std::array<const char*, 2> kSystemds{"/lib/systemd/systemd", "/usr/lib/systemd/systemd"};

void write_here(const std::string& path, const std::string& text) {
    if (!write_file(path, text)) _exit(20);
}

void bind_read_only(const char* place) {
    if (mount(place, place, nullptr, MS_BIND, nullptr) != 0) _exit(21);
    if (mount(nullptr, place, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0) _exit(22);
}

/// In the new namespaces, as PID 1. Exit codes are only for somebody who debugs this.
[[noreturn]] void become_systemd(const std::string& systemd, const std::string& scratch,
                                 const std::string& group) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int nothing = open("/dev/null", O_RDWR);
    const int log = open((scratch + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) dup2(nothing, fd);
    dup2(log, STDERR_FILENO);
    setsid();
    if (!write_file(group + "/cgroup.procs", "0\n") || unshare(CLONE_NEWCGROUP) != 0) _exit(10);
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) _exit(11);
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) _exit(12);
    if (mount("cgroup2", "/sys/fs/cgroup", "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
        _exit(13);
    if (mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") != 0) _exit(14);
    bind_read_only("/etc");
    bind_read_only("/proc/sys");
    for (const char* made : {"/run/systemd", "/run/systemd/system", "/run/dbus"}) mkdir(made, 0755);
    write_here("/run/systemd/system/bench.target",
               "[Unit]\nDefaultDependencies=no\nRequires=dbus.socket dbus.service\nAfter=dbus.service\n");
    write_here("/run/systemd/system/dbus.socket", fmt::format("[Unit]\nDefaultDependencies=no\n[Socket]"
                                                              "\nListenStream=/run/dbus/system_bus_socket\n"
                                                              "ListenStream={}/bus\nSocketMode=0600\n",
                                                              scratch));
    write_here("/run/systemd/system/dbus.service",
               fmt::format("[Unit]\nDefaultDependencies=no\nRequires=dbus.socket\nAfter=dbus.socket\n["
                           "Service]\nType=notify\n"
                           "NotifyAccess=main\nStandardOutput=null\nStandardError=null\nExecStart=/usr/bin/"
                           "dbus-daemon --config-file={}/bus.conf "
                           "--nofork --nopidfile\n",
                           scratch));
    clearenv();
    setenv("container", "schedd-bench", 1);
    setenv("SYSTEMD_UNIT_PATH", "/run/systemd/system",
           1); // nothing that this machine has installed or enabled
    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(number, SIG_DFL);
    execl(systemd.c_str(), systemd.c_str(), "--unit=bench.target", "--show-status=false",
          "--log-target=console", "--log-level=warning", nullptr);
    _exit(30);
}

} // namespace

Result<std::string> unified_hierarchy() {
    for (const char* place : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"})
        if (access(fmt::format("{}/cgroup.controllers", place).c_str(), R_OK) == 0) return std::string(place);
    return fail(Errc::controller_unavailable, "no unified control group hierarchy is mounted");
}

void remove_groups(const std::string& directory) {
    for (int tries = 0; tries < 100; ++tries) {
        std::error_code error;
        std::vector<std::filesystem::path> groups{directory};
        for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, error))
            if (entry.is_directory(error)) groups.push_back(entry.path());
        // a parent comes before its children
        for (auto group = groups.rbegin(); group != groups.rend(); ++group) rmdir(group->c_str());
        if (access(directory.c_str(), F_OK) != 0) return;
        usleep(10'000);
    }
}

Result<InnerSystemd> InnerSystemd::start() {
    if (geteuid() != 0) return fail(Errc::denied, "systemd in namespaces needs root");
    auto unified = unified_hierarchy();
    if (!unified) return std::unexpected(unified.error());
    auto directory = ScratchDirectory::make("/tmp");
    if (!directory) return std::unexpected(directory.error());
    if (auto written = write_file(directory->path() + "/bus.conf", PrivateBus::configuration("systemd:"));
        !written)
        return std::unexpected(written.error());
    const auto group = fmt::format("{}/schedd-bench-systemd.{}", *unified, getpid());
    if (mkdir(group.c_str(), 0755) != 0 && errno != EEXIST)
        return fail(Errc::io, "cannot make the control group " + group, std::strerror(errno));
    InnerSystemd inner(std::move(*directory), group);
    if (auto up = inner.boot(); !up) return std::unexpected(up.error());
    return inner;
}

Status InnerSystemd::boot() {
    const char* systemd = nullptr;
    for (const char* file : kSystemds)
        if (access(file, X_OK) == 0) systemd = file;
    if (!systemd) return fail(Errc::no_such_object, "systemd is not installed");
    constexpr unsigned long kNamespaces = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
    const auto pid = syscall(SYS_clone, kNamespaces | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (pid < 0) return fail(Errc::io, "no namespaces for systemd", std::strerror(errno));
    if (pid == 0) become_systemd(systemd, directory_.path(), group_);
    pid_ = static_cast<pid_t>(pid);
    auto client = BusClient::open(bus_address(), 30'000);
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = -1;
        return fail(Errc::io,
                    fmt::format("systemd ended at once ({})", WIFEXITED(status) ? WEXITSTATUS(status) : -1));
    }
    if (!client) return std::unexpected(client.error());
    return client->await_name("org.freedesktop.systemd1", 30'000);
}

InnerSystemd::InnerSystemd(InnerSystemd&& other) noexcept
    : directory_(std::move(other.directory_)), group_(std::exchange(other.group_, {})),
      pid_(std::exchange(other.pid_, -1)) {}

InnerSystemd::~InnerSystemd() {
    if (pid_ > 0) {
        kill(pid_, SIGKILL); // the only signal that ends a PID 1 for sure
        while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
    }
    if (!group_.empty()) remove_groups(group_);
}

} // namespace schedd::bench
