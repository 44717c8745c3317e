// Own directories, processes and control groups for tests.
#include "tests/unit/service/world.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "components/model/proc_text.h"
#include "service/actuators/cpuset_reader.h"

namespace schedd::test {

namespace {

namespace fs = std::filesystem;

constexpr const char* kCpusets = "/sys/fs/cgroup/cpuset";

std::string slurp(const std::string& path) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    auto all = text.str();
    while (!all.empty() && all.back() == '\n') all.pop_back();
    return all;
}

bool spill(const std::string& path, std::string_view text) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const auto wrote = ::write(fd, text.data(), text.size());
    ::close(fd);
    return wrote == static_cast<ssize_t>(text.size());
}

void wait_for_ever() {
    for (;;) ::pause();
}

void answer(int fd, Pid value) {
    if (::write(fd, &value, sizeof value) != sizeof value) ::_exit(3);
}

std::atomic<int> g_running = 0; // NOLINT: in the forked child only

void start_waiting_thread() {
    const int before = g_running;
    std::thread([] {
        ++g_running;
        wait_for_ever();
    }).detach();
    while (g_running == before) std::this_thread::yield();
}

void start_churn() {
    std::thread([] {
        for (;;) {
            std::array<std::thread, 8> brood;
            for (auto& one : brood) one = std::thread([] { ++g_running; });
            for (auto& one : brood) one.join();
        }
    }).detach();
    while (g_running < 8) std::this_thread::yield();
}

[[noreturn]] void live(int commands, int answers, int threads) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL); // the test's death ends it too
    for (int i = 0; i < threads; ++i) start_waiting_thread();
    answer(answers, ::getpid());
    char command = 0;
    while (::read(commands, &command, 1) == 1) {
        Pid value = 0;
        if (command == 't') start_waiting_thread();
        if (command == 'c') start_churn();
        if (command == 'f') {
            const auto parent = ::getpid();
            value = ::fork();
            if (value == 0) {
                ::prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (::getppid() != parent) ::_exit(0);
                wait_for_ever();
            }
        }
        answer(answers, value);
    }
    ::_exit(0);
}

} // namespace

Host& machine() {
    static const auto host = host::DirHost::open_root("/").value();
    return *host;
}

TempDir::TempDir() : path_((fs::temp_directory_path() / "schedd-test-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "mkdtemp: " << std::strerror(errno);
}

TempDir::~TempDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

void TempDir::write(const std::string& name, std::string_view text) const {
    const auto path = fs::path(path_) / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
}

std::string TempDir::read(const std::string& name) const { return slurp(path_ + "/" + name); }

Child::Child(int threads) {
    std::array<int, 2> commands{};
    std::array<int, 2> answers{};
    if (::pipe2(commands.data(), O_CLOEXEC) != 0 || ::pipe2(answers.data(), O_CLOEXEC) != 0) std::abort();
    ::prctl(PR_SET_CHILD_SUBREAPER,
            1); // grandchildren come to us when their parent ends, so that we can reap them
    pid_ = ::fork();
    if (pid_ == 0) {
        ::close(commands[1]);
        ::close(answers[0]);
        live(commands[0], answers[1], threads);
    }
    ::close(commands[0]);
    ::close(answers[1]);
    to_ = commands[1];
    from_ = answers[0];
    Pid said = 0;
    if (::read(from_, &said, sizeof said) != sizeof said) ADD_FAILURE() << "the child did not start";
}

Child::~Child() {
    end();
    reap();
    ::close(to_);
    ::close(from_);
}

void Child::end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT); // it has ended, but is not reaped
}

void Child::reap() {
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
    for (const Pid pid : forked_) { // their parent's death has ended them
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
    forked_.clear();
}

Pid Child::ask(char command) {
    Pid value = -1;
    if (::write(to_, &command, 1) != 1 || ::read(from_, &value, sizeof value) != sizeof value)
        ADD_FAILURE() << "the child does not answer";
    return value;
}

Pid Child::fork_child() {
    forked_.push_back(ask('f'));
    return forked_.back();
}

Target Child::target() const { return target_of(pid_); }

std::vector<Pid> Child::threads() const {
    std::vector<Pid> found{pid_};
    for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/task", pid_))) {
        const auto tid = std::stoi(entry.path().filename().string());
        if (tid != pid_) found.push_back(tid);
    }
    return found;
}

Target target_of(Pid pid) {
    const auto text = slurp(fmt::format("/proc/{}/stat", pid));
    const auto stat = parse_proc_stat(text);
    return Target::process(pid, stat ? stat->start_time : 0);
}

std::string in_another_process(uid_t uid, const std::function<std::string()>& work) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) std::abort();
    const auto pid = ::fork();
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (uid != 0 && (::setgid(uid) != 0 || ::setuid(uid) != 0)) ::_exit(4);
        const auto text = work();
        const auto wrote = ::write(pipe[1], text.data(), text.size());
        ::_exit(wrote == static_cast<ssize_t>(text.size()) ? 0 : 5);
    }
    ::close(pipe[1]);
    std::string text;
    std::array<char, 4096> buffer;
    for (ssize_t got = 0; (got = ::read(pipe[0], buffer.data(), buffer.size())) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(got));
    ::close(pipe[0]);
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "the other process ended with " << status;
    return text;
}

CpuSet affinity(Pid tid) {
    cpu_set_t bits;
    CPU_ZERO(&bits);
    CpuSet cpus;
    if (::sched_getaffinity(tid, sizeof bits, &bits) != 0) {
        ADD_FAILURE() << "no affinity of " << tid << ": " << std::strerror(errno);
        return cpus;
    }
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(static_cast<std::size_t>(cpu), &bits)) cpus.add(cpu);
    return cpus;
}

void set_affinity(Pid tid, const CpuSet& cpus) {
    cpu_set_t bits;
    CPU_ZERO(&bits);
    for (int cpu = cpus.first(); cpu >= 0; cpu = cpus.next(cpu))
        CPU_SET(static_cast<std::size_t>(cpu), &bits);
    if (::sched_setaffinity(tid, sizeof bits, &bits) != 0)
        ADD_FAILURE() << "cannot set the affinity of " << tid << ": " << std::strerror(errno);
}

std::string CpusetGroup::unavailable() {
    if (!fs::exists(fmt::format("{}/cpuset.cpus", kCpusets)))
        return "there is no version 1 cpuset hierarchy here";
    const auto probe = kCpusets + unique_group("probe");
    if (::mkdir(probe.c_str(), 0755) != 0)
        return fmt::format("no group can be made here: {}", std::strerror(errno));
    ::rmdir(probe.c_str());
    if (slurp(fmt::format("{}/cpuset.effective_cpus", kCpusets)) != "0-1" &&
        CpuSet::parse(slurp(fmt::format("{}/cpuset.effective_cpus", kCpusets))).value_or(CpuSet()).count() <
            2)
        return "there is only one CPU here";
    return {};
}

CpusetGroup::CpusetGroup(std::string path, std::string_view cpus) : path_(std::move(path)) {
    if (::mkdir((kCpusets + path_).c_str(), 0755) != 0)
        ADD_FAILURE() << path_ << ": " << std::strerror(errno);
    const auto parent = kCpusets + actuators::parent_of(path_);
    EXPECT_TRUE(write("cpuset.mems", slurp(parent + "/cpuset.mems")));
    const auto list = cpus == "parent" ? slurp(parent + "/cpuset.cpus") : std::string(cpus);
    if (!list.empty()) { EXPECT_TRUE(write("cpuset.cpus", list)); }
}

CpusetGroup::~CpusetGroup() {
    const auto parent = kCpusets + actuators::parent_of(path_) + "/cgroup.procs";
    std::vector<fs::path> groups{kCpusets + path_};
    for (std::size_t i = 0; i < groups.size(); ++i) {
        std::error_code ignored;
        for (const auto& entry : fs::directory_iterator(groups[i], ignored))
            if (entry.is_directory()) groups.push_back(entry.path());
    }
    for (auto at = groups.rbegin(); at != groups.rend(); ++at) {
        for (std::istringstream pids(slurp((*at / "cgroup.procs").string())); pids;) {
            std::string pid;
            if (pids >> pid) spill(parent, pid);
        }
        if (::rmdir(at->c_str()) != 0) ADD_FAILURE() << "leaving " << *at << ": " << std::strerror(errno);
    }
}

std::string CpusetGroup::read(const std::string& file) const { return slurp(kCpusets + path_ + "/" + file); }

bool CpusetGroup::write(const std::string& file, std::string_view text) const {
    return spill(kCpusets + path_ + "/" + file, text);
}

bool CpusetGroup::has(const std::string& child) const { return fs::exists(kCpusets + path_ + "/" + child); }

void CpusetGroup::take(Pid pid) const { EXPECT_TRUE(write("cgroup.procs", fmt::format("{}", pid))); }

std::string unique_group(std::string_view name) {
    return fmt::format("/schedd-test-{}-{}", ::getpid(), name);
}

std::string cpuset_group(Pid pid) {
    return actuators::group_of(machine(), fmt::format("{}", pid)).value_or("(none)");
}

} // namespace schedd::test
