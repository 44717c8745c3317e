// The verb hold: a command under a hold, or a list of the holds there are.
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/exec.h"
#include "cli/text.h"
#include "cli/verbs.h"

namespace schedd::cli {

namespace {

/// Passed on to the command, which decides what becomes of it.
constexpr std::array kPassed{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
/// How long a daemon of power profiles has to answer: three seconds.
constexpr int kProfileTries = 30;
constexpr unsigned kProfileTryUs = 100'000;

Answer<Exit> list_holds(const Session& session) {
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    const auto reply = bus->call("Status", {});
    if (!reply) return std::unexpected(reply.error());
    const auto json = parse_json(*reply, "Status");
    if (!json) return std::unexpected(json.error());
    const auto form = session.options.json;
    Json holds = field(*json, "holds");
    if (!holds.is_array()) holds = Json::array();
    const auto text = form == JsonForm::off ? print_holds(holds, session.look) : dump_json(holds, form);
    if (const auto written = print(text); !written) return std::unexpected(written.error());
    return Exit::ok;
}

sigset_t awaited() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (const int number : kPassed) sigaddset(&set, number);
    return set;
}

/// Runs the command to its end; its exit code, or that of a shell when a signal ended it.
Answer<Exit> run_command(const std::vector<std::string>& words) {
    const auto signals = awaited();
    sigset_t before;
    sigprocmask(SIG_BLOCK, &signals, &before);
    const pid_t child = ::fork();
    if (child < 0) return give_up(Exit::error, fmt::format("hold: cannot fork: {}", std::strerror(errno)));
    if (child == 0) {
        sigprocmask(SIG_SETMASK, &before, nullptr);
        ::_exit(become(words, "hold"));
    }
    while (true) {
        siginfo_t info{};
        const int number = ::sigwaitinfo(&signals, &info);
        // what the terminal sends goes to the command too
        if (number > 0 && number != SIGCHLD && info.si_code != SI_KERNEL) ::kill(child, number);
        int status = 0;
        if (number == SIGCHLD && ::waitpid(child, &status, WNOHANG) == child)
            return static_cast<Exit>(WIFSIGNALED(status) ? kSignalled + WTERMSIG(status)
                                                         : WEXITSTATUS(status));
    }
}

/// The daemon asks another one, and says what came of it in Status: a command that wants a profile is not
/// started without it.
Answer<bool> await_profile(Bus& bus, const std::string& what) {
    std::string state;
    for (int tries = 0; tries < kProfileTries; ++tries) {
        const auto reply = bus.call("Status", {});
        if (!reply) return std::unexpected(reply.error());
        const auto json = parse_json(*reply, "Status");
        if (!json) return std::unexpected(json.error());
        for (const auto& hold : field(*json, "holds"))
            if (number_at(hold, "pid") == ::getpid() && text_at(hold, "what") == what)
                state = text_at(hold, "state");
        if (state.starts_with("held")) return true;
        if (state.starts_with("refused")) break;
        ::usleep(kProfileTryUs);
    }
    return give_up(Exit::error, fmt::format("hold: {} is not held: {}", what,
                                            state.empty() || state == "asked" ? "its daemon does not answer"
                                                                              : shown(state)));
}

} // namespace

Answer<Exit> run_hold(const Session& session) {
    const auto& given = session.options;
    if (given.words.empty()) {
        if (given.what.empty() && given.profile.empty() && given.who.empty() && given.why.empty())
            return list_holds(session);
        return give_up(Exit::usage, "hold: no command given; use schedd-cli hold [OPTION...] -- COMMAND");
    }
    if (given.json != JsonForm::off)
        return give_up(Exit::usage, "hold: --json goes with the list, not with a command");
    if (!given.what.empty() && !given.profile.empty())
        return give_up(Exit::usage, "hold: --what and --profile exclude each other");
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    CallOptions options;
    options.interactive = may_ask(session);
    const auto& command = given.words.front();
    const auto what = !given.profile.empty() ? "profile:" + given.profile
                      : given.what.empty()   ? "scheduler:*"
                                             : given.what;
    const auto fd =
        bus->take_descriptor("Hold",
                             {what, given.who.empty() ? command.substr(0, 256) : given.who, given.why},
                             options);
    if (!fd) return std::unexpected(fd.error());
    if (!given.profile.empty())
        if (auto holds = await_profile(*bus, what); !holds) {
            ::close(*fd);
            return std::unexpected(holds.error());
        }
    auto ended = run_command(given.words);
    ::close(*fd);
    return ended;
}

} // namespace schedd::cli
