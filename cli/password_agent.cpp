// pkttyagent as a child, for as long as one call takes.
#include "cli/password_agent.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace schedd::cli {

namespace {

constexpr int kReadyMs = 10'000; // an agent that is not ready by then is not waited for

/// `ready` stays open until the agent has registered, or has ended.
[[noreturn]] void become(const char* program, int ready, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM); // so that it does not outlive one that is killed
    if (::getppid() != parent) ::_exit(1);
    ::fcntl(ready, F_SETFD, 0);
    auto number = std::to_string(ready);
    // --fallback: a desktop's agent, if there is one, is asked first
    std::array<std::string, 4> words{program, "--notify-fd", number, "--fallback"};
    std::array<char*, 5> arguments{};
    for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
    ::execvp(program, arguments.data());
    ::_exit(127);
}

} // namespace

PasswordAgent::PasswordAgent(const char* program) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    const pid_t self = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) become(program, ends[1], self);
    ::close(ends[1]);
    pollfd wait{.fd = ends[0], .events = POLLIN, .revents = 0};
    while (pid_ > 0 && ::poll(&wait, 1, kReadyMs) < 0 && errno == EINTR) {}
    ::close(ends[0]);
    if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
}

PasswordAgent::~PasswordAgent() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ::kill(pid_, SIGCONT); // one that the terminal has stopped
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
}

} // namespace schedd::cli
