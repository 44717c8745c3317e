// Holding processes by pidfd (pidfd_open(2), Linux 5.3).
#include "service/host/live_kernel.h"

#include <cerrno>

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "components/kit/errno_error.h"

namespace schedd::host {

namespace {

class PidfdHold final : public ProcessHold {
public:
    explicit PidfdHold(int fd) : fd_(fd) {}
    ~PidfdHold() override { ::close(fd_); }
    PidfdHold(const PidfdHold&) = delete;
    PidfdHold& operator=(const PidfdHold&) = delete;
    [[nodiscard]] bool alive() const override {
        pollfd wait{fd_, POLLIN, 0}; // readable from the end of the process on, reaped or not
        return ::poll(&wait, 1, 0) == 0;
    }

private:
    int fd_;
};

} // namespace

Result<std::unique_ptr<ProcessHold>> LiveKernel::hold(Pid pid) {
    if (pid <= 0)
        return fail(Errc::no_such_object, fmt::format("there is no process {}", pid), "a pid is above 0");
    const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (fd < 0) {
        if (errno == ESRCH) return fail(Errc::no_such_object, fmt::format("there is no process {}", pid));
        if (errno == EINVAL || errno == ENOENT)
            return fail(Errc::no_such_object, fmt::format("{} is a thread, not a process", pid),
                        "name the process that it belongs to");
        return std::unexpected(errno_error(errno, fmt::format("holding process {}", pid)));
    }
    auto hold = std::make_unique<PidfdHold>(fd);
    if (!hold->alive()) return fail(Errc::no_such_object, fmt::format("process {} has ended", pid));
    return hold;
}

std::optional<ProcessKernel::Ids> LiveKernel::ids(Pid pid) {
    if (pid <= 0) return std::nullopt; // 0 would mean the caller itself
    const auto group = ::getpgid(pid);
    const auto session = ::getsid(pid);
    if (group < 0 || session < 0) return std::nullopt;
    return Ids{group, session};
}

} // namespace schedd::host
