// systemd-run as a child process; its pidfd and its pipes in an epoll set of their own.
#include "service/remote/systemd_runner.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <spawn.h>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "components/kit/errno_error.h"

namespace schedd::remote {

namespace {

constexpr std::size_t kPrinted = 64 * 1024;
constexpr std::size_t kSaid = 4096;
/// PID 1 ends a job at its limit; who has not been told so this much later asks no longer.
constexpr Duration kGrace = std::chrono::seconds(15);
constexpr Duration kLook = std::chrono::milliseconds(100); // where the kernel has no pidfds

void close_if(int& fd) {
    if (fd >= 0) close(fd);
    fd = -1;
}

std::string last_line(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    const auto at = text.rfind('\n');
    return std::string(at == std::string_view::npos ? text : text.substr(at + 1));
}

/// Both ends close on exec; the reading one does not block.
Status open_pipe(int& to_read, int& to_write) {
    std::array<int, 2> ends{-1, -1};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected(errno_error(errno, "a pipe"));
    to_read = ends[0];
    to_write = ends[1];
    fcntl(to_read, F_SETFL, O_NONBLOCK);
    return {};
}

} // namespace

struct SystemdRunner::Running {
    Done done;
    std::string name;
    Duration limit{};
    Time started{};
    std::string trouble; // it could not be started
    pid_t pid = -1;
    int epoll;        // not its own
    int process = -1; // pidfd
    int out = -1;
    int error = -1;
    std::string printed;
    std::string said;
    std::optional<int> status;

    explicit Running(int set) : epoll(set) {}
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() {
        forget(process);
        forget(out);
        forget(error);
    }
    /// Closing alone would leave it in the set while a child that is just being started has a copy.
    void forget(int& fd) const {
        if (fd >= 0) epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr);
        close_if(fd);
    }
};

SystemdRunner::SystemdRunner(const Clock& clock, int epoll, std::vector<std::string> front)
    : clock_(clock), epoll_(epoll), front_(std::move(front)) {}

Result<std::unique_ptr<SystemdRunner>> SystemdRunner::open(const Clock& clock,
                                                           std::vector<std::string> front) {
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) return std::unexpected(errno_error(errno, "epoll"));
    return std::unique_ptr<SystemdRunner>(new SystemdRunner(clock, epoll, std::move(front)));
}

SystemdRunner::~SystemdRunner() {
    // The jobs themselves go on, as units; at the next start it is looked what became of them.
    for (const auto& running : running_)
        if (running->pid > 0 && !running->status) {
            kill(running->pid, SIGKILL);
            waitpid(running->pid, nullptr, 0);
        }
    close(epoll_);
}

void SystemdRunner::start(Job job, Done done) {
    auto running = std::make_unique<Running>(epoll_);
    running->done = std::move(done);
    running->name = job.name;
    running->limit = job.limit;
    running->started = clock_.now();
    if (front_.empty()) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(job.limit).count();
        std::vector<std::string> front{"systemd-run", "--quiet", "--wait", "--pipe", "--collect"};
        front.push_back(fmt::format("--unit=schedd-step-{}-{}-{}", job.name, getpid(), ++serial_));
        front.push_back(fmt::format("--property=RuntimeMaxSec={}", std::max<long long>(seconds, 1)));
        front.insert(front.end(), {"--property=TimeoutStopSec=5", "--"});
        job.words.insert(job.words.begin(), front.begin(), front.end());
    } else {
        job.words.insert(job.words.begin(), front_.begin(), front_.end());
    }
    if (auto spawned = spawn(job, *running); !spawned) {
        running->trouble = spawned.error().text();
        running->status = -1;
    }
    running_.push_back(std::move(running));
}

Status SystemdRunner::spawn(const Job& job, Running& running) {
    int out = -1;
    int error = -1;
    auto piped = open_pipe(running.out, out);
    if (piped) piped = open_pipe(running.error, error);
    if (!piped) {
        close_if(out);
        return piped;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, error, 2);
    // the loop has signals of its own blocked, and one ignored
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::vector<char*> words;
    for (const auto& word : job.words) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    const int failed = posix_spawnp(&running.pid, words[0], &actions, &attributes, words.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close_if(out);
    close_if(error);
    if (failed != 0) {
        running.pid = -1;
        return std::unexpected(errno_error(failed, job.words.front()));
    }
    running.process = static_cast<int>(syscall(SYS_pidfd_open, running.pid, 0));
    for (const int fd : {running.process, running.out, running.error}) {
        epoll_event event{.events = EPOLLIN, .data = {}};
        if (fd >= 0) epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }
    return {};
}

void SystemdRunner::drain(Running& running) {
    const auto take = [&](int& fd, std::string& to, std::size_t most, bool is_end_kept) {
        std::array<char, 4096> buffer;
        while (fd >= 0) {
            const auto count = read(fd, buffer.data(), buffer.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return;
            if (count == 0) {
                running.forget(fd);
                return;
            }
            to.append(buffer.data(), static_cast<std::size_t>(count));
            if (to.size() <= most) continue;
            if (is_end_kept) to.erase(0, to.size() - most);
            else to.resize(most);
        }
    };
    take(running.out, running.printed, kPrinted, false);
    take(running.error, running.said, kSaid, true);
}

JobResult SystemdRunner::result_of(Running& running, Time now) {
    drain(running);
    JobResult result{*running.status, last_line(running.said), std::move(running.printed)};
    if (!running.trouble.empty()) result.said = running.trouble;
    else if (result.status != 0 && now - running.started >= running.limit)
        result = {-1,
                  fmt::format("it took longer than {} s",
                              std::chrono::duration_cast<std::chrono::seconds>(running.limit).count()),
                  {}};
    return result;
}

Time SystemdRunner::turn(Time now) {
    Time next = kNever;
    for (const auto& running : running_) {
        drain(*running);
        if (running->status) continue;
        int status = 0;
        const auto late = running->started + running->limit + kGrace;
        if (now >= late) kill(running->pid, SIGKILL);
        if (waitpid(running->pid, &status, now >= late ? 0 : WNOHANG) == running->pid)
            running->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        else next = std::min(next, running->process >= 0 ? late : now + kLook);
    }
    // what is told may start others
    std::vector<std::unique_ptr<Running>> ended;
    for (auto& running : running_)
        if (running->status) ended.push_back(std::move(running));
    std::erase(running_, nullptr);
    for (const auto& running : ended) running->done(result_of(*running, now));
    const bool has_more =
        std::ranges::any_of(running_, [](const auto& one) { return one->status.has_value(); });
    return has_more ? now : next;
}

} // namespace schedd::remote
