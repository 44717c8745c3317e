// proc/PID/fd, maps, exe and the tables of sockets.
#include "service/remote/open_files.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "components/model/proc_text.h"

namespace schedd::remote {

namespace {

constexpr std::size_t kFileBytes = 1024 * 1024;
constexpr std::size_t kFilesLookedAt = 4096;
/// The same everywhere, without a state of their own.
constexpr std::array<std::string_view, 5> kPlainDevices{"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                                        "/dev/urandom"};
/// Nameless files of the kernel that CRIU knows how to make anew.
constexpr std::array<std::string_view, 5> kKnown{"[eventfd]", "[eventpoll]", "inotify", "[signalfd]",
                                                 "[timerfd]"};
constexpr std::string_view kDeleted = " (deleted)";

std::string read(Host& host, const std::string& path) {
    std::string buffer(kFileBytes, '\0');
    const auto text = host.read(path, buffer);
    buffer.resize(text ? text->size() : 0);
    return buffer;
}

bool is_terminal(std::string_view path) {
    return path.starts_with("/dev/pts/") || path.starts_with("/dev/tty") || path == "/dev/console" ||
           path == "/dev/ptmx";
}

std::string of_nameless(Pid pid, std::string_view what) {
    if (what.find("io_uring") != std::string_view::npos) return fmt::format("process {} uses io_uring", pid);
    if (std::ranges::find(kKnown, what) != kKnown.end()) return {};
    return fmt::format("process {} has a kernel object open that cannot be made anew: {}", pid, what);
}

std::string of_path(Pid pid, std::string_view path) {
    if (is_terminal(path)) return fmt::format("process {} has a terminal open: {}", pid, path);
    if (path.starts_with("/dev/shm/") && !path.ends_with(kDeleted)) return {};
    if (path.starts_with("/memfd:")) return {};
    if (path.ends_with(kDeleted))
        return fmt::format("process {} has a file open that has been unlinked: {}", pid,
                           path.substr(0, path.size() - kDeleted.size()));
    if (path.starts_with("/dev/") && std::ranges::find(kPlainDevices, path) == kPlainDevices.end())
        return fmt::format("process {} has a device open: {}", pid, path);
    return {};
}

/// Of a connection over the network, who would have to know that it is elsewhere now.
std::string of_network(Host& host, Pid pid, std::string_view inode) {
    for (const auto* table : {"tcp", "tcp6", "udp", "udp6", "raw", "raw6", "packet"}) {
        const auto text = read(host, fmt::format("proc/{}/net/{}", pid, table));
        std::string_view rest = text;
        take_line(rest);
        while (!rest.empty()) {
            auto line = take_line(rest);
            // the 10th word of tcp and udp, the 9th of packet
            for (std::string_view word = take_word(line); !word.empty(); word = take_word(line))
                if (word == inode)
                    return fmt::format("process {} has a socket of the network open ({})", pid, table);
        }
    }
    return {};
}

/// A pipe that only this one has one end of leads out; what it says can be passed on over there, what it
/// hears cannot.
bool leads_out(Host& host, std::string_view pipe, std::span<const Pid> together) {
    std::size_t ends = 0;
    std::set<std::string> modes;
    for (const Pid pid : together) {
        const auto folder = fmt::format("proc/{}/fd", pid);
        (void)host.list(folder, [&](std::string_view fd) {
            const auto to = host.link_target(fmt::format("{}/{}", folder, fd));
            if (!to || *to != pipe) return;
            ++ends;
            const auto info = read(host, fmt::format("proc/{}/fdinfo/{}", pid, fd));
            const auto at = info.find("flags:");
            // the last octal digit: 0 reads, 1 writes, 2 both
            const auto end = at == std::string::npos ? at : info.find('\n', at);
            if (end != std::string::npos && end > 0) modes.insert(info.substr(end - 1, 1));
        });
    }
    return ends < 2 || modes.size() < 2;
}

std::string of_file(Host& host, Pid pid, std::string_view fd, std::string_view to,
                    std::span<const Pid> together) {
    if (to.starts_with("anon_inode:")) return of_nameless(pid, to.substr(11));
    if (to.starts_with("socket:[")) {
        if (fd == "0" || fd == "1" || fd == "2")
            return fmt::format("process {} has a socket as its {}, such as the journal's", pid,
                               fd == "0"   ? "standard input"
                               : fd == "1" ? "standard output"
                                           : "standard error");
        return of_network(host, pid, to.substr(8, to.size() - 9));
    }
    if (to.starts_with("pipe:[")) {
        if (fd == "1" || fd == "2" || !leads_out(host, to, together)) return {};
        return fmt::format("process {} has a pipe open (descriptor {}) whose other end is not moved with it",
                           pid, fd);
    }
    return to.starts_with('/') ? of_path(pid, to) : std::string();
}

} // namespace

std::string trouble_with_files(Host& host, Pid pid, std::span<const Pid> together) {
    if (const auto exe = host.link_target(fmt::format("proc/{}/exe", pid)); exe && exe->ends_with(kDeleted))
        return fmt::format("the program of process {} has been replaced or unlinked: {}", pid,
                           exe->substr(0, exe->size() - kDeleted.size()));
    const auto folder = fmt::format("proc/{}/fd", pid);
    std::string trouble;
    std::size_t seen = 0;
    (void)host.list(folder, [&](std::string_view fd) {
        if (!trouble.empty() || ++seen > kFilesLookedAt) return;
        if (const auto to = host.link_target(fmt::format("{}/{}", folder, fd)))
            trouble = of_file(host, pid, fd, *to, together);
    });
    return trouble;
}

std::string trouble_with_memory(Host& host, Pid pid) {
    const auto text = read(host, fmt::format("proc/{}/maps", pid));
    std::string_view rest = text;
    while (!rest.empty()) {
        auto line = take_line(rest);
        for (int i = 0; i < 5; ++i) take_word(line);
        const auto path = line.substr(std::min(line.find_first_not_of(' '), line.size()));
        if (path.starts_with("/SYSV")) return fmt::format("process {} has shared memory of System V", pid);
        if (path.starts_with("/dev/zero") || path.starts_with("/memfd:") || path.starts_with("/dev/shm/"))
            continue;
        if (path.find("io_uring") != std::string_view::npos)
            return fmt::format("process {} uses io_uring", pid);
        if (path.starts_with("/dev/")) return fmt::format("process {} has memory of a device: {}", pid, path);
        if (path.starts_with('/') && path.ends_with(kDeleted))
            return fmt::format("process {} has a file mapped that has been unlinked: {}", pid,
                               path.substr(0, path.size() - kDeleted.size()));
    }
    return {};
}

} // namespace schedd::remote
