// Forking a process that sleeps, then spins.
#include "tests/bench/spinner.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace schedd::bench {

namespace {

[[noreturn]] void be_spinner(pid_t parent, const sigset_t& told) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);
    prctl(PR_SET_NAME, "bench-spinner");
    int number = 0;
    sigwait(&told, &number);
    for (volatile unsigned turns = 0;;) turns = turns + 1;
}

} // namespace

Result<Spinner> Spinner::start() {
    sigset_t told;
    sigset_t before;
    sigemptyset(&told);
    sigaddset(&told, SIGUSR1);
    sigprocmask(SIG_BLOCK, &told, &before); // from before the fork on, so that no word of it is lost
    const pid_t self = getpid();
    const pid_t pid = fork();
    if (pid == 0) be_spinner(self, told);
    const int why = errno;
    sigprocmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) return fail(Errc::io, "cannot fork", std::strerror(why));
    return Spinner(pid);
}

Spinner::Spinner(Spinner&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

Spinner::~Spinner() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
}

void Spinner::spin() const { kill(pid_, SIGUSR1); }

int Spinner::allowed_cpus() const {
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(pid_, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

} // namespace schedd::bench
