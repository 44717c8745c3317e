// schedd-bench-nursery: forks sleeping processes on order. A program of its own, static and small, so that
// its children are as cheap to look at as a process can be: what htop and others pay for a process grows with
// what it has mapped.
//   stdin: how many more to fork, as uint32   stdout: their pids, as int32; 0 = fork failed
// At the end of its input it kills and reaps each child by its pid. Children also die with it.
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr std::size_t kMost = 20000;
std::array<pid_t, kMost> children;

[[noreturn]] void sleep_for_ever(pid_t nursery) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != nursery) _exit(0); // it died before we asked to die with it
    prctl(PR_SET_NAME, "bench-sleeper");
    for (;;) pause();
}

bool read_order(std::uint32_t& more) {
    ssize_t got = 0;
    do got = read(STDIN_FILENO, &more, sizeof more);
    while (got < 0 && errno == EINTR);
    return got == static_cast<ssize_t>(sizeof more);
}

} // namespace

int main() {
    // a Ctrl-C of the terminal reaches the whole group: the bench decides when we go. The children inherit
    // this.
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(number, SIG_IGN);
    const pid_t self = getpid();
    std::size_t count = 0;
    for (std::uint32_t more = 0; read_order(more);)
        for (; more > 0; --more) {
            pid_t child = count < kMost ? fork() : -1;
            if (child == 0) sleep_for_ever(self);
            if (child > 0) children[count++] = child;
            else child = 0;
            if (write(STDOUT_FILENO, &child, sizeof child) != static_cast<ssize_t>(sizeof child) ||
                child == 0)
                break;
        }
    for (std::size_t i = 0; i < count; ++i) kill(children[i], SIGKILL);
    for (std::size_t i = 0; i < count; ++i) waitpid(children[i], nullptr, 0);
    return 0;
}
