// The vectors of systemd-run and the small shell scripts around them.
#include "cli/run_work.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "components/kit/utf8.h"

namespace schedd::cli {

namespace {

// What speaks of the place that work comes from.
constexpr std::array<std::string_view, 37> kStays{"_",
                                                  "OLDPWD",
                                                  "PWD",
                                                  "SHLVL",
                                                  "DISPLAY",
                                                  "WAYLAND_DISPLAY",
                                                  "XAUTHORITY",
                                                  "DBUS_SESSION_BUS_ADDRESS",
                                                  "XDG_RUNTIME_DIR",
                                                  "XDG_SEAT",
                                                  "XDG_VTNR",
                                                  "XDG_SESSION_ID",
                                                  "XDG_SESSION_TYPE",
                                                  "XDG_SESSION_CLASS",
                                                  "XDG_SESSION_DESKTOP",
                                                  "SSH_AUTH_SOCK",
                                                  "SSH_AGENT_PID",
                                                  "SSH_CLIENT",
                                                  "SSH_CONNECTION",
                                                  "SSH_TTY",
                                                  "INVOCATION_ID",
                                                  "JOURNAL_STREAM",
                                                  "NOTIFY_SOCKET",
                                                  "LISTEN_FDS",
                                                  "LISTEN_PID",
                                                  "LISTEN_FDNAMES",
                                                  "MANAGERPID",
                                                  "MAINPID",
                                                  "SYSTEMD_EXEC_PID",
                                                  "WATCHDOG_PID",
                                                  "WATCHDOG_USEC",
                                                  "CREDENTIALS_DIRECTORY",
                                                  "MAKEFLAGS",
                                                  "MFLAGS",
                                                  "SCHEDD_MIGRATABLE",
                                                  "TMUX",
                                                  "STY"};

// Root's work is for the system's manager, anybody else's for his own, which is found as a session of his
// finds it.
constexpr std::string_view kManager =
    "u=; [ -w /run/systemd/system ] || {\n"
    "u=--user; [ \"$XDG_RUNTIME_DIR\" ] || export XDG_RUNTIME_DIR=\"/run/user/$(id -u)\"\n"
    "}\n";
constexpr std::string_view kHasSystemdRun =
    "command -v systemd-run >/dev/null 2>&1 || { echo 'systemd-run is not installed there' >&2; exit 1; }\n";

// Inside the unit. What fails before the line is said has not run, and may run elsewhere; a line that nobody
// takes any more (its client has given up) is a failure too. The shell stays, so that a command that a signal
// ends has the status a shell gives it; signals are for the command to deal with.
constexpr std::string_view kInside =
    "m=$1; cd -- \"$2\" || exit 1; shift 2\n"
    "command -v -- \"$1\" >/dev/null 2>&1 || { echo \"there is no command '$1' there\" >&2; exit 127; }\n"
    "trap : HUP INT QUIT TERM\n"
    "echo \"$m\" >&2 || exit 1\n"
    "\"$@\"\n";

constexpr std::string_view kCheck =
    "PATH=$3; cd -- \"$1\" || exit 1\n"
    "command -v -- \"$2\" >/dev/null 2>&1 || { echo \"there is no command '$2' there\" >&2; exit 127; }\n";

Words script(std::string_view text, Words arguments) {
    Words words{"/bin/sh", "-c", std::string(text), "schedd-run"};
    words.insert(words.end(), std::make_move_iterator(arguments.begin()),
                 std::make_move_iterator(arguments.end()));
    return words;
}

/// A word in the value of ExecStartPre= and its like, which systemd-run takes apart by quotes.
std::string exec_word(std::string_view text) {
    std::string word = "\"";
    for (const char c : unit_word(text)) {
        if (c == '"' || c == '\\') word += '\\';
        word += c;
    }
    return word + "\"";
}

bool is_name(std::string_view text) {
    const auto is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    return !text.empty() && is_letter(text.front()) &&
           std::ranges::all_of(text, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

std::string path_of(const Words& environment) {
    constexpr std::string_view kPath = "PATH=";
    for (const auto& entry : environment)
        if (entry.starts_with(kPath)) return entry.substr(kPath.size());
    return "/usr/local/bin:/usr/bin:/bin";
}

/// The command of the unit: as it is, in a PID namespace of its own, or with a shell that tells of the start.
Words inner_words(const Work& work) {
    if (work.waits && !work.has_terminal) {
        Words arguments{started_line(work), work.directory};
        arguments.insert(arguments.end(), work.command.begin(), work.command.end());
        return script(kInside, std::move(arguments));
    }
    if (!work.is_migratable) return work.command;
    // The pids that it sees are free on every node, and its processes are one tree with one root.
    auto words = work.encloser.empty() ? Words{"unshare", "--pid", "--fork", "setsid", "--"}
                                       : Words{work.encloser, "enclose", "--"};
    words.insert(words.end(), work.command.begin(), work.command.end());
    return words;
}

void add_membership(const Work& work, Words& words) {
    const auto call = [&](std::string_view verb) {
        return fmt::format("{} {} --local {} {}", exec_word(work.attacher), verb, exec_word(work.scheduler),
                           exec_word("unit:" + work.unit));
    };
    words.push_back("--property=ExecStartPre=+" + call("attach"));
    words.push_back("--property=ExecStopPost=-+" + call("detach"));
}

} // namespace

Words carried_environment(const char* const* environment) {
    Words carried;
    for (; environment && *environment; ++environment) {
        const std::string_view entry = *environment;
        const auto equals = entry.find('=');
        if (equals == std::string_view::npos || !is_name(entry.substr(0, equals))) continue;
        if (std::ranges::find(kStays, entry.substr(0, equals)) != kStays.end()) continue;
        if (kit::is_utf8(entry)) carried.emplace_back(entry);
    }
    return carried;
}

std::string unit_word(std::string_view text) {
    std::string word;
    for (const char c : text) word.append(c == '$' ? 2 : 1, c);
    return word;
}

std::string started_line(const Work& work) { return "schedd-run: " + work.unit + " has started"; }

Words service_words(const Work& work) {
    Words words{"--quiet", "--collect", "--service-type=exec", "--unit=" + work.unit,
                "--description=schedd-cli run: " + work.command.front()};
    // A command whose reader has gone is to end as in any shell; systemd has it ignored for services.
    if (work.waits) words.emplace_back("--property=IgnoreSIGPIPE=no");
    if (work.has_terminal) words.emplace_back("--pty");
    else if (work.waits) words.emplace_back("--pipe");
    if (work.waits) words.emplace_back("--wait");
    if (work.has_terminal || !work.waits) words.push_back("--working-directory=" + work.directory);
    for (const auto& entry : work.environment) words.push_back("--setenv=" + entry);
    if (work.is_migratable) {
        words.push_back("--setenv=" + std::string(kMigratableMark));
        words.emplace_back("--property=StandardInput=null");
        if (!work.output.empty())
            for (const auto* stream : {"Output", "Error"})
                words.push_back(fmt::format("--property=Standard{}=append:{}", stream, work.output));
    }
    if (!work.scheduler.empty()) add_membership(work, words);
    for (const auto& property : work.properties) words.push_back("--property=" + property);
    words.emplace_back("--");
    for (const auto& word : inner_words(work)) words.push_back(unit_word(word));
    return words;
}

Words local_words(const Work& work, bool is_root) {
    Words words{"systemd-run"};
    if (!is_root) words.emplace_back("--user");
    for (auto& word : service_words(work)) words.push_back(std::move(word));
    return words;
}

Words remote_words(const Work& work) {
    return script(fmt::format("{}{}exec systemd-run $u \"$@\"\n", kHasSystemdRun, kManager),
                  service_words(work));
}

Words check_words(const Work& work) {
    return script(fmt::format("{}{}", kHasSystemdRun, kCheck),
                  {work.directory, work.command.front(), path_of(work.environment)});
}

Words signal_words(const std::string& unit, std::string_view signal) {
    const auto there = fmt::format("{}exec systemctl $u \"$@\"\n", kManager);
    if (signal.empty()) return script(there, {"stop", "--", unit});
    return script(there, {"kill", fmt::format("--signal={}", signal), "--", unit});
}

Words local_signal_words(const std::string& unit, std::string_view signal, bool is_root) {
    Words words{"systemctl"};
    if (!is_root) words.emplace_back("--user");
    if (signal.empty()) words.insert(words.end(), {"stop", "--", unit});
    else words.insert(words.end(), {"kill", fmt::format("--signal={}", signal), "--", unit});
    return words;
}

std::string trouble_in(std::string_view said, const std::string& node) {
    const auto has = [&](std::string_view part) { return said.find(part) != std::string_view::npos; };
    if (has("REMOTE HOST IDENTIFICATION HAS CHANGED"))
        return fmt::format("its host key is another than the one known for {}; it was not trusted", node);
    if (has("Host key verification failed"))
        return fmt::format("its host key is not known; put it into known_hosts under the name {}", node);
    if (has("Permission denied ("))
        return "it wants a password or another key; a key that needs no question is wanted";
    while (true) {
        const auto end = said.find_last_not_of("\r\n \t");
        if (end == std::string_view::npos) break;
        said = said.substr(0, end + 1);
        const auto line = said.substr(said.find_last_of('\n') + 1); // npos + 1 is the beginning
        if (!line.starts_with("See ")) return std::string(line);    // where systemd says more
        said.remove_suffix(line.size());
    }
    return "it did not say why";
}

std::string unit_name_of(const std::string& given, std::string_view id) {
    if (given.empty()) return fmt::format("schedd-run-{}.service", id);
    return given.ends_with(".service") ? given : given + ".service";
}

} // namespace schedd::cli
