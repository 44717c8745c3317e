// The terminal of one invocation.
#include "cli/console.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace schedd::cli {

namespace {

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

/// As setlocale() would decide, without loading a locale.
bool speaks_utf8() {
    std::string_view locale;
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        locale = environment(name);
        if (!locale.empty()) break;
    }
    for (const char* word : {"UTF-8", "utf8", "utf-8", "UTF8"})
        if (locale.find(word) != std::string_view::npos) return true;
    return false;
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t wrote = ::write(fd, text.data(), text.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return true;
}

} // namespace

bool is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }

bool is_interactive() { return ::isatty(STDIN_FILENO) == 1; }

Look look_of_terminal(ColorMode mode) {
    Look look{.color = mode == ColorMode::always, .utf8 = speaks_utf8(), .width = 0};
    if (!is_terminal()) return look;
    if (mode == ColorMode::automatic)
        look.color = environment("NO_COLOR").empty() && environment("TERM") != "dumb";
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) look.width = size.ws_col;
    return look;
}

Answer<void> print(std::string_view text) {
    if (write_all(STDOUT_FILENO, text)) return {};
    return give_up(Exit::error,
                   fmt::format("writing to the standard output failed: {}", std::strerror(errno)));
}

void complain(std::string_view text) {
    static_cast<void>(write_all(STDERR_FILENO, fmt::format("schedd-cli: {}\n", text)));
}

std::string clock_text() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    tm local{};
    ::localtime_r(&now.tv_sec, &local);
    return fmt::format("{:02}:{:02}:{:02}.{:03}", local.tm_hour, local.tm_min, local.tm_sec,
                       now.tv_nsec / 1'000'000);
}

} // namespace schedd::cli
