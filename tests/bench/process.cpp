// Starting and ending programs.
#include "tests/bench/process.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <pty.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/interrupt.h"
#include "tests/bench/sample.h"

namespace schedd::bench {

namespace {

std::unexpected<Error> refused(const std::string& what) { return fail(Errc::io, what, std::strerror(errno)); }

std::vector<char*> argv_of(const std::vector<std::string>& words) {
    std::vector<char*> argv;
    for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    return argv;
}

[[noreturn]] void become(const std::vector<std::string>& words, const Process::Options& options) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(number, SIG_DFL);
    const int errors = options.errors.empty()
                           ? open("/dev/null", O_WRONLY)
                           : open(options.errors.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(errors, STDERR_FILENO);
    for (const auto& pair : options.environment) putenv(const_cast<char*>(pair.c_str()));
    if (options.enter && !options.enter()) {
        dprintf(STDERR_FILENO, "its surroundings are refused: %s\n", std::strerror(errno));
        _exit(126);
    }
    auto argv = argv_of(words);
    execvp(argv[0], argv.data());
    _exit(127);
}

} // namespace

Result<std::string> find_program(const std::string& name) {
    const char* path = std::getenv("PATH");
    std::istringstream places(std::string(path ? path : "/usr/bin:/bin") + ":/usr/sbin:/sbin");
    for (std::string place; std::getline(places, place, ':');)
        if (const auto file = place + "/" + name; access(file.c_str(), X_OK) == 0) return file;
    return fail(Errc::no_such_object, fmt::format("{} is not installed", name));
}

Result<Process> Process::start(const std::vector<std::string>& words, const Options& options) {
    int ends[2] = {-1, -1};
    pid_t pid = -1;
    if (options.has_terminal) {
        winsize size{.ws_row = 50, .ws_col = 160, .ws_xpixel = 0, .ws_ypixel = 0};
        pid = forkpty(&ends[0], nullptr, nullptr, &size);
        if (pid == 0) become(words, options);
        if (pid > 0) fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    } else {
        if (!options.discards && pipe2(ends, O_CLOEXEC) != 0) return refused("no pipe");
        pid = fork();
        if (pid == 0) {
            setsid();
            const int input = open("/dev/null", O_RDONLY);
            dup2(input, STDIN_FILENO);
            dup2(options.discards ? open("/dev/null", O_WRONLY) : ends[1], STDOUT_FILENO);
            become(words, options);
        }
        if (ends[1] >= 0) close(ends[1]);
    }
    if (pid < 0) return refused("cannot start " + words[0]);
    if (ends[0] >= 0) fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return Process(pid, ends[0]);
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), output_(std::exchange(other.output_, -1)),
      is_reaped_(other.is_reaped_) {}

Process& Process::operator=(Process&& other) noexcept {
    if (this == &other) return *this;
    end();
    pid_ = std::exchange(other.pid_, -1);
    output_ = std::exchange(other.output_, -1);
    is_reaped_ = other.is_reaped_;
    return *this;
}

bool Process::alive() const {
    if (pid_ < 0 || is_reaped_) return false;
    is_reaped_ = waitpid(pid_, nullptr, WNOHANG) == pid_;
    return !is_reaped_;
}

void Process::signal(int number) const {
    if (alive()) kill(pid_, number);
}

void Process::end() {
    if (alive()) {
        kill(pid_, SIGTERM);
        kill(pid_, SIGCONT);
        const auto give_up = monotonic_ns() + 2'000'000'000;
        while (alive() && monotonic_ns() < give_up) usleep(5000);
        if (alive()) {
            kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
    }
    if (output_ >= 0) close(output_);
    pid_ = output_ = -1;
}

Result<Ended> run_to_end(const std::vector<std::string>& words) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    auto argv = argv_of(words);
    pid_t pid = -1;
    const auto started = monotonic_ns();
    const int error = posix_spawnp(&pid, argv[0], &files, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) return fail(Errc::io, "cannot start " + words[0], std::strerror(error));
    int status = 0;
    rusage used{};
    while (wait4(pid, &status, 0, &used) < 0)
        if (errno != EINTR) return refused("waiting for " + words[0]);
    const auto ended = monotonic_ns();
    const auto ms = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
    };
    return Ended{static_cast<double>(ended - started) / 1e6, ms(used.ru_utime) + ms(used.ru_stime),
                 WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)};
}

} // namespace schedd::bench
