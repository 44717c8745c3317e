// One child, one loop: its end, its standard error, our standard input, signals and the time.
#include "cli/run_child.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/exec.h"

namespace schedd::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kSaidMax = 64 * 1024;
constexpr std::array kStopping{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/// A descriptor that is closed with its owner.
struct Fd {
    int number = -1;
    Fd() = default;
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { close(); }
    void close() {
        if (number >= 0) ::close(std::exchange(number, -1));
    }
};

struct Pipe {
    Fd out; // to read from
    Fd in;
    bool open() {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) return false;
        out.number = ends[0];
        in.number = ends[1];
        return true;
    }
};

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return; // nobody listens: no reason to end the work
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

class Loop {
public:
    explicit Loop(const ChildPlan& plan) : plan_(plan) {
        sigemptyset(&awaited_);
        for (const int signal : kStopping) sigaddset(&awaited_, signal);
        sigaddset(&awaited_, SIGCHLD);
        sigprocmask(SIG_BLOCK, &awaited_, &before_);
        pipe_before_ = std::signal(SIGPIPE, SIG_IGN);
    }
    ~Loop() {
        std::signal(SIGPIPE, pipe_before_);
        sigprocmask(SIG_SETMASK, &before_, nullptr);
    }
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    ChildEnd run() {
        if (!begin()) {
            end_.status = 126;
            end_.said = std::strerror(errno);
            return std::move(end_);
        }
        end_.has_started = !waits_for_line() && !plan_.keeps_said;
        const auto until = Clock::now() + std::chrono::milliseconds(plan_.patience_ms);
        while (child_ > 0) {
            const bool is_bound = plan_.patience_ms > 0 && !end_.has_started;
            const auto left =
                std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
            if (is_bound && left <= 0) {
                end_.is_late = true;
                if (plan_.stays_when_late) break;
                ::kill(child_, SIGKILL);
            }
            step(is_bound && left > 0 ? static_cast<int>(left) : -1);
        }
        while (take_said()) {} // what it said last
        return std::move(end_);
    }

private:
    [[nodiscard]] bool waits_for_line() const { return !plan_.started_line.empty(); }
    [[nodiscard]] bool keeps_said() const { return waits_for_line() || plan_.keeps_said; }

    bool begin() {
        signals_.number = ::signalfd(-1, &awaited_, SFD_CLOEXEC | SFD_NONBLOCK);
        if (signals_.number < 0) return false;
        if (keeps_said() && !said_.open()) return false;
        if (waits_for_line() && !input_.open()) return false;
        child_ = ::fork();
        if (child_ < 0) return false;
        if (child_ == 0) become();
        said_.in.close();
        input_.out.close();
        if (said_.out.number >= 0) ::fcntl(said_.out.number, F_SETFL, O_NONBLOCK);
        if (input_.in.number >= 0) ::fcntl(input_.in.number, F_SETFL, O_NONBLOCK);
        return true;
    }

    /// The signals stay blocked in what carries work: a terminal sends them to all, and they are this
    /// process's to deal with.
    [[noreturn]] void become() {
        auto mask = before_;
        for (const int signal : kStopping) sigaddset(&mask, signal);
        sigprocmask(SIG_SETMASK, keeps_said() && !waits_for_line() ? &before_ : &mask, nullptr);
        std::signal(SIGPIPE, plan_.stays_when_late ? SIG_IGN : SIG_DFL); // nobody may be there to hear it
        if (waits_for_line()) ::dup2(input_.out.number, STDIN_FILENO);
        if (plan_.keeps_said && !waits_for_line()) {
            const int nothing = ::open("/dev/null", O_RDWR);
            ::dup2(nothing, STDIN_FILENO);
            ::dup2(nothing, STDOUT_FILENO);
        }
        if (keeps_said()) ::dup2(said_.in.number, STDERR_FILENO);
        ::_exit(cli::become(plan_.words, "run"));
    }

    void step(int timeout_ms) {
        const bool passes = waits_for_line() && end_.has_started && input_.in.number >= 0;
        std::array<pollfd, 4> ready{pollfd{signals_.number, POLLIN, 0}, pollfd{said_.out.number, POLLIN, 0},
                                    pollfd{passes && unsent_.empty() ? STDIN_FILENO : -1, POLLIN, 0},
                                    pollfd{passes ? input_.in.number : -1,
                                           static_cast<short>(unsent_.empty() ? 0 : POLLOUT), 0}};
        if (::poll(ready.data(), ready.size(), timeout_ms) <= 0) return;
        if (ready[1].revents != 0) static_cast<void>(take_said());
        if (ready[3].revents != 0) send_input();
        if (ready[2].revents != 0 && passes) take_input();
        if (ready[0].revents != 0) take_signals();
    }

    /// False when there is no more for now.
    bool take_said() {
        if (said_.out.number < 0) return false;
        std::array<char, 16384> bytes{};
        const auto count = ::read(said_.out.number, bytes.data(), bytes.size());
        if (count < 0) return errno == EINTR;
        if (count == 0) {
            said_.out.close();
            return false;
        }
        const std::string_view text(bytes.data(), static_cast<std::size_t>(count));
        if (end_.has_started) write_all(STDERR_FILENO, text);
        else keep(text);
        return true;
    }

    void keep(std::string_view text) {
        end_.said.append(text);
        const auto line = plan_.started_line + "\n";
        const auto at = waits_for_line() ? end_.said.find(line) : std::string::npos;
        if (at != std::string::npos && (at == 0 || end_.said[at - 1] == '\n')) {
            end_.has_started = true;
            write_all(STDERR_FILENO, std::string_view(end_.said).substr(at + line.size()));
            end_.said.resize(at);
        }
        if (end_.said.size() > kSaidMax) end_.said.erase(0, end_.said.size() - kSaidMax);
    }

    void take_input() {
        unsent_.resize(65536);
        const auto count = ::read(STDIN_FILENO, unsent_.data(), unsent_.size());
        unsent_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        if (count > 0) send_input();
        else if (count == 0 || (errno != EINTR && errno != EAGAIN)) input_.in.close();
    }

    void send_input() {
        const auto sent = ::write(input_.in.number, unsent_.data(), unsent_.size());
        if (sent >= 0 && !unsent_.empty()) unsent_.erase(0, static_cast<std::size_t>(sent));
        else if (unsent_.empty() || (errno != EINTR && errno != EAGAIN)) {
            unsent_.clear(); // it reads no more
            input_.in.close();
        }
    }

    void take_signals() {
        signalfd_siginfo info{};
        while (child_ > 0 && ::read(signals_.number, &info, sizeof info) == sizeof info) {
            const auto signal = static_cast<int>(info.ssi_signo);
            if (signal == SIGCHLD) {
                reap();
                continue;
            }
            if (end_.signal == 0) end_.signal = signal;
            if (end_.has_started && plan_.on_signal) {
                plan_.on_signal(signal, ++signals_seen_);
                reap(); // what it ran has had its own end, and perhaps taken the word of ours
            } else {
                ::kill(child_, SIGKILL);
            }
        }
    }

    void reap() {
        int status = 0;
        if (child_ <= 0 || ::waitpid(child_, &status, WNOHANG) != child_) return;
        child_ = 0;
        end_.status = WIFSIGNALED(status) ? kSignalled + WTERMSIG(status) : WEXITSTATUS(status);
    }

    const ChildPlan& plan_;
    sigset_t awaited_{};
    sigset_t before_{};
    void (*pipe_before_)(int) = SIG_DFL;
    Fd signals_;
    Pipe said_;
    Pipe input_;
    std::string unsent_;
    pid_t child_ = -1;
    int signals_seen_ = 0;
    ChildEnd end_;
};

} // namespace

ChildEnd run_child(const ChildPlan& plan) { return Loop(plan).run(); }

} // namespace schedd::cli
