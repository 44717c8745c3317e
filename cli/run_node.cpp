// Work over ssh: connect, check, carry, stop.
#include "cli/run_node.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/run_child.h"

namespace schedd::cli {

namespace {

constexpr int kPatienceMs = 5000;
constexpr int kSignalMs = 5000;
// A slow node's connection goes on being made when we have gone elsewhere: the next finds it.
constexpr std::chrono::seconds kConnect{30};
constexpr int kLateMs = 1000; // for what is tried of a node that has not answered for so long already
constexpr int kBroken = 255;  // of ssh itself

bool is_private(const std::string& folder) {
    struct stat info{};
    return ::lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == ::geteuid() &&
           (info.st_mode & 022U) == 0;
}

bool is_connected(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) return false;
    std::ranges::copy(path, address.sun_path);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return false;
    const bool is_there = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return is_there;
}

/// Held by who makes a connection: of many that start at once one shakes hands, and the others find it made.
class Turn {
public:
    explicit Turn(const std::string& path)
        : fd_(::open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {}
    ~Turn() {
        if (fd_ >= 0) ::close(fd_);
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    /// What is left of the patience; 0: others have not come to an end meanwhile.
    [[nodiscard]] int take(int patience_ms) const {
        constexpr std::chrono::milliseconds kLook{10};
        const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
        while (fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
            if (std::chrono::steady_clock::now() >= end) return 0;
            std::this_thread::sleep_for(kLook);
        }
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        return std::max(static_cast<int>(left.count()), 1);
    }

private:
    int fd_;
};

std::string_view name_of_signal(int signal) {
    return signal == SIGINT ? "SIGINT" : signal == SIGQUIT ? "SIGQUIT" : "";
}

/// The first of a terminal's signals goes to the work, which may deal with it; SIGTERM and SIGHUP stop the
/// unit, and so does the second of any; the third kills.
std::string_view answer_to(int signal, int count) {
    return count > 2 ? "SIGKILL" : count > 1 ? "" : name_of_signal(signal);
}

RunEnd end_of(const ChildEnd& child, const Work& work, const std::string& where) {
    const bool has_run = child.has_started || (!work.waits && child.status == 0 && !child.is_late);
    RunEnd end{has_run, child.status, child.signal, {}, !has_run && child.is_late};
    if (has_run) return end;
    end.trouble = child.is_late ? fmt::format("it did not start within {} s", kPatienceMs / 1000)
                                : trouble_in(child.said, where);
    return end;
}

ChildPlan plan_for(const Work& work, Words words) {
    ChildPlan plan{.words = std::move(words),
                   .started_line = {},
                   .keeps_said = false,
                   .patience_ms = 0,
                   .on_signal = {}};
    if (work.has_terminal) return plan;
    plan.patience_ms = kPatienceMs;
    if (work.waits) plan.started_line = started_line(work);
    else plan.keeps_said = true;
    return plan;
}

ChildPlan helper(Words words, int patience_ms) {
    return {.words = std::move(words),
            .started_line = {},
            .keeps_said = true,
            .patience_ms = patience_ms,
            .stays_when_late = false,
            .on_signal = {}};
}

} // namespace

std::string connections_folder() {
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    std::string folder;
    if (runtime && *runtime == '/' && is_private(runtime)) folder = std::string(runtime) + "/schedd-ssh";
    else if (::geteuid() == 0) folder = "/run/schedd/ssh";
    else return {};
    if (folder == "/run/schedd/ssh") ::mkdir("/run/schedd", 0755);
    ::mkdir(folder.c_str(), 0700);
    return is_private(folder) ? folder : std::string();
}

std::string FarNode::connect(int& signal) {
    auto settings = settings_;
    settings.connect = kConnect;
    // a name that is none makes no file either
    auto words = kit::ssh_command(node_, settings, {});
    if (!words) return words.error().text();
    const auto path = kit::ssh_control_path(node_, settings_);
    if (path.empty() || is_connected(path)) return {};
    const auto is_silent = fmt::format("it did not answer within {} s", kPatienceMs / 1000);
    const Turn turn(path);
    const int patience_ms = turn.take(kPatienceMs);
    if (patience_ms == 0) return is_silent;
    if (is_connected(path)) return {}; // by who went before
    auto plan = helper(std::move(*words), patience_ms);
    plan.stays_when_late = true;
    const auto end = run_child(plan);
    signal = end.signal;
    if (end.is_late) return is_silent;
    if (end.status == 0) return {};
    return trouble_in(end.said, node_.name);
}

void FarNode::send(const std::string& unit, std::string_view signal, int patience_ms) {
    if (auto words = kit::ssh_command(node_, settings_, signal_words(unit, signal)))
        static_cast<void>(run_child(helper(std::move(*words), patience_ms)));
}

RunEnd FarNode::run(const Work& work) {
    int signal = 0;
    if (auto trouble = connect(signal); !trouble.empty())
        return {false, 0, signal, std::move(trouble), false};
    // what starts without the line that tells of it: what cannot work is better known before
    if (work.has_terminal || !work.waits) {
        auto words = kit::ssh_command(node_, settings_, check_words(work));
        if (!words) return {false, 0, 0, words.error().text(), false};
        const auto end = run_child(helper(std::move(*words), kPatienceMs));
        if (end.status != 0) return {false, 0, end.signal, trouble_in(end.said, node_.name), false};
    }
    // Root's work goes straight to the system's manager, which saves a shell its start. Where it is somebody
    // else's there, the shell finds out: nothing has run, and its input is still here.
    const bool is_straight = ::geteuid() == 0 && node_.user.empty() && work.waits && !work.has_terminal;
    auto end = carry(work, is_straight ? local_words(work, true) : remote_words(work));
    if (is_straight && !end.has_run && !end.is_late && end.signal == 0 && end.status != kBroken)
        end = carry(work, remote_words(work));
    if (end.has_run && end.status == kBroken && !settings_.control_folder.empty() &&
        !is_connected(kit::ssh_control_path(node_, settings_)))
        end.trouble = fmt::format("the connection broke; {} may still run there", work.unit);
    return end;
}

RunEnd FarNode::carry(const Work& work, const Words& asked) {
    auto settings = settings_;
    settings.tty = work.has_terminal;
    settings.has_input = work.waits;
    auto words = kit::ssh_command(node_, settings, asked);
    if (!words) return {false, 0, 0, words.error().text(), false};
    auto plan = plan_for(work, std::move(*words));
    plan.on_signal = [&](int signal, int count) { send(work.unit, answer_to(signal, count), kSignalMs); };
    const auto child = run_child(plan);
    auto end = end_of(child, work, node_.name);
    if (!end.has_run && (child.is_late || child.signal != 0))
        send(work.unit, {}, kLateMs); // it may have begun
    if (child.is_late)                // perhaps the connection leads nowhere any more; who uses it may go on
        if (auto close = kit::ssh_close(node_, settings_))
            static_cast<void>(run_child(helper(std::move(*close), kLateMs)));
    return end;
}

RunEnd run_here_in_unit(const Work& work, bool is_root) {
    const auto send = [&](std::string_view signal) {
        static_cast<void>(run_child(helper(local_signal_words(work.unit, signal, is_root), kSignalMs)));
    };
    auto plan = plan_for(work, local_words(work, is_root));
    plan.on_signal = [&](int signal, int count) { send(answer_to(signal, count)); };
    const auto child = run_child(plan);
    auto end = end_of(child, work, "this node");
    if (!end.has_run && (child.is_late || child.signal != 0)) send({});
    return end;
}

} // namespace schedd::cli
