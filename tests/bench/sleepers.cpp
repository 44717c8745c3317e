// Orders to the nursery.
#include "tests/bench/sleepers.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/interrupt.h"
#include "tests/bench/machine_state.h"

namespace schedd::bench {

namespace {

/// Reads or writes all of `data`; false at the end of the pipe.
template <class Act, class Data> bool all(Act act, int fd, Data& data) {
    std::size_t done = 0;
    while (done < sizeof data) {
        const auto now = act(fd, reinterpret_cast<char*>(&data) + done, sizeof data - done);
        if (now < 0 && errno == EINTR) continue;
        if (now <= 0) return false;
        done += static_cast<std::size_t>(now);
    }
    return true;
}

std::string nursery_program() {
    return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "schedd-bench-nursery").string();
}

} // namespace

Result<Sleepers> Sleepers::start(std::size_t count) {
    const auto program = nursery_program();
    if (access(program.c_str(), X_OK) != 0)
        return fail(Errc::no_such_object, program + " has not been built");
    int orders[2];
    int answers[2];
    if (pipe2(orders, O_CLOEXEC) != 0 || pipe2(answers, O_CLOEXEC) != 0)
        return fail(Errc::io, "no pipe", std::strerror(errno));
    const pid_t nursery = fork();
    if (nursery < 0) return fail(Errc::io, "cannot fork", std::strerror(errno));
    if (nursery == 0) {
        dup2(orders[0], STDIN_FILENO);
        dup2(answers[1], STDOUT_FILENO);
        execl(program.c_str(), program.c_str(), nullptr);
        _exit(127);
    }
    close(orders[0]);
    close(answers[1]);
    Sleepers made(nursery, orders[1], answers[0]);
    if (auto grown = made.grow_to(count); !grown) return std::unexpected(grown.error());
    return made;
}

Sleepers::Sleepers(Sleepers&& other) noexcept
    : nursery_(std::exchange(other.nursery_, -1)), orders_(other.orders_), answers_(other.answers_),
      pids_(std::move(other.pids_)) {}

Sleepers::~Sleepers() {
    if (nursery_ < 0) return;
    close(orders_);
    close(answers_);
    while (waitpid(nursery_, nullptr, 0) < 0 && errno == EINTR) {}
}

Status Sleepers::grow_to(std::size_t count) {
    if (count > kMost)
        return fail(Errc::limit_exceeded, fmt::format("{} processes", count),
                    fmt::format("at most {}", kMost));
    if (count <= pids_.size()) return {};
    if (auto room = room_for_processes(count - pids_.size()); !room) return room;
    auto more = static_cast<std::uint32_t>(count - pids_.size());
    if (!all(::write, orders_, more)) return fail(Errc::io, "the nursery has ended");
    for (std::uint32_t i = 0; i < more; ++i) {
        pid_t pid = 0;
        if (!all(::read, answers_, pid) || pid <= 0)
            return fail(Errc::limit_exceeded, fmt::format("fork failed after {} processes", pids_.size()));
        pids_.push_back(pid);
        if (auto going = not_interrupted(); !going) return going;
    }
    return {};
}

} // namespace schedd::bench
