// fork, setns, and a page that is shared.
#include "tests/bench/player.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace schedd::bench {

bool enter_network_of(pid_t holder) {
    const int fd = open(fmt::format("/proc/{}/ns/net", holder).c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const bool is_there = setns(fd, CLONE_NEWNET) == 0;
    close(fd);
    return is_there;
}

Result<Player> Player::start(pid_t holder, const std::function<void(Count&)>& play) {
    auto* memory = mmap(nullptr, sizeof(Count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return fail(Errc::io, "no shared memory", std::strerror(errno));
    auto* count = new (memory) Count(0);
    const pid_t self = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != self || !enter_network_of(holder)) _exit(99);
        for (const int number : {SIGINT, SIGTERM}) std::signal(number, SIG_DFL);
        play(*count);
        _exit(0);
    }
    if (pid < 0) {
        munmap(memory, sizeof(Count));
        return fail(Errc::io, "cannot fork", std::strerror(errno));
    }
    return Player(pid, count);
}

Player::Player(Player&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), count_(std::exchange(other.count_, nullptr)) {}

Player::~Player() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    munmap(count_, sizeof(Count));
}

} // namespace schedd::bench
