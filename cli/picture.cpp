// Running graphviz.
#include "cli/picture.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace schedd::cli {

namespace {

/// A child that dies early must be an error here, not a signal.
class IgnoredPipeSignal {
public:
    IgnoredPipeSignal() { ::signal(SIGPIPE, SIG_IGN); }
    IgnoredPipeSignal(const IgnoredPipeSignal&) = delete;
    IgnoredPipeSignal& operator=(const IgnoredPipeSignal&) = delete;
    ~IgnoredPipeSignal() { ::signal(SIGPIPE, SIG_DFL); }
};

int spawn_dot(int input, int output, pid_t& child) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    char name[] = "dot";
    char format[] = "-Tsvg";
    char* const arguments[] = {name, format, nullptr};
    const int result = ::posix_spawnp(&child, name, &actions, nullptr, arguments, environ);
    ::posix_spawn_file_actions_destroy(&actions);
    return result;
}

/// The whole file, from its start.
std::string content_of(int fd) {
    std::string text;
    char buffer[16384];
    for (;;) {
        const auto got = ::pread(fd, buffer, sizeof buffer, static_cast<off_t>(text.size()));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return text;
        text.append(buffer, static_cast<std::size_t>(got));
    }
}

} // namespace

Answer<void> write_to(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t wrote = ::write(fd, text.data(), text.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return give_up(Exit::error, fmt::format("writing failed: {}", std::strerror(errno)));
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return {};
}

Answer<std::string> draw_svg(std::string_view dot) {
    int ends[2];
    const int picture = ::memfd_create("schedd-graph", MFD_CLOEXEC);
    if (picture < 0 || ::pipe2(ends, O_CLOEXEC) != 0) {
        const int why = errno;
        if (picture >= 0) ::close(picture);
        return give_up(Exit::error, fmt::format("cannot make a pipe: {}", std::strerror(why)));
    }
    const IgnoredPipeSignal ignored;
    pid_t child = 0;
    const int result = spawn_dot(ends[0], picture, child);
    ::close(ends[0]);
    if (result != 0) {
        ::close(ends[1]);
        ::close(picture);
        if (result == ENOENT)
            return give_up(Exit::error,
                           "--format=svg needs graphviz, which is not installed (its program is called dot); "
                           "install the package graphviz, or use --format=dot or --format=text");
        return give_up(Exit::error, fmt::format("cannot run dot: {}", std::strerror(result)));
    }
    const auto written = write_to(ends[1], dot);
    ::close(ends[1]);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    auto svg = content_of(picture);
    ::close(picture);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return give_up(Exit::error, "dot could not draw the graph; --format=dot prints what it was given");
    if (!written) return std::unexpected(written.error());
    return svg;
}

} // namespace schedd::cli
