// The verb run: a command on the node that the schedulers choose, or here.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/exec.h"
#include "cli/run_node.h"
#include "cli/run_scope.h"
#include "cli/text.h"
#include "cli/verbs.h"

extern char** environ;

namespace schedd::cli {

namespace {

// As env, nohup and timeout have it, so that a command's own exit codes stay its own.
constexpr auto kNotRun = static_cast<Exit>(125);
constexpr const char* kEncloser = SCHEDD_LIBEXEC_DIR "/schedd-migrate";
constexpr int kTriesMax = 4; // nodes that may refuse, five seconds each, before it stays here
constexpr std::uint64_t kQuestionMs = 2000;

struct Place {
    std::string node; // its number
    std::string name;
    bool is_here = true;
    std::string address;
    std::string reason;
};

/// Says something about the run, unless that is not wanted.
void tell(const Session& session, std::string_view text) {
    if (!session.options.quiet) complain(fmt::format("run: {}", shown(text)));
}

/// Where it runs is news for a person, and noise in a log.
void tell_place(const Session& session, const std::string& name, const std::string& reason) {
    if (!session.options.verbose && ::isatty(STDERR_FILENO) == 0) return;
    const std::string where = name.empty() ? "on this node" : "on " + name;
    tell(session, reason.empty() ? where : fmt::format("{} ({})", where, reason));
}

Answer<std::string> ask_place(const Session& session, const Work& work, const std::string& refused) {
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    bus->never_start(); // work does not wait for a daemon to come up
    bus->set_timeout_ms(kQuestionMs);
    CallOptions options;
    const auto add = [&](const char* key, const std::string& value) {
        if (!value.empty()) options.entries.emplace_back(key, value);
    };
    add("scheduler", session.options.scheduler);
    add("node", session.options.node);
    add("refused", refused);
    return bus->call("PlaceTask", {shown(work.command.front()).substr(0, 256)}, &options);
}

Answer<Place> place_in(const std::string& reply) {
    const auto json = parse_json(reply, "PlaceTask");
    if (!json) return std::unexpected(json.error());
    Place place;
    place.node = field(*json, "node").is_number() ? fmt::to_string(number_at(*json, "node")) : "";
    place.name = text_at(*json, "name");
    place.is_here = flag_at(*json, "here");
    place.reason = text_at(*json, "reason");
    const auto& addresses = field(*json, "addresses");
    if (addresses.is_array() && !addresses.empty() && addresses[0].is_string())
        place.address = addresses[0].get<std::string>();
    return place;
}

/// The file that standard output is, "" if it is none.
std::string output_file() {
    struct stat info{};
    if (::fstat(STDOUT_FILENO, &info) != 0 || !S_ISREG(info.st_mode)) return {};
    std::error_code error;
    const auto path = std::filesystem::read_symlink("/proc/self/fd/1", error);
    return error ? std::string() : path.string();
}

Answer<Work> work_of(const Session& session) {
    const auto& given = session.options;
    const auto wrong = [](std::string_view text) {
        return give_up(Exit::usage, fmt::format("run: {}", text));
    };
    if (given.is_migratable && given.has_terminal)
        return wrong("--migratable does not go with --pty: what has a terminal cannot move");
    if (given.is_migratable && given.wait)
        return wrong("--migratable does not go with --wait: what moves away has no end here");
    if (given.is_migratable && ::geteuid() != 0)
        return wrong("--migratable takes root: only root can take a process to another node");
    if (!given.host.empty()) return wrong("--host asks another machine; --node says where to run");
    if (given.wait && given.no_wait) return wrong("--wait and --no-wait are opposites");
    if (given.has_terminal && given.no_wait) return wrong("--pty does not go with --no-wait");
    if (given.json != JsonForm::off && !given.dry_run) return wrong("--json goes with --dry-run");
    std::uint64_t id = 0;
    if (::getrandom(&id, sizeof id, 0) != sizeof id) return give_up(kNotRun, "run: no random numbers");
    std::error_code error;
    Work work{.command = given.words,
              .directory = std::filesystem::current_path(error).string(),
              .environment = carried_environment(environ),
              .unit = unit_name_of(given.unit, fmt::format("{:016x}", id)),
              .scheduler = given.scheduler,
              .properties = given.properties,
              .attacher = std::filesystem::read_symlink("/proc/self/exe", error).string(),
              .output = given.is_migratable ? output_file() : "",
              .encloser = ::access(kEncloser, X_OK) == 0 ? kEncloser : "",
              .has_terminal = given.has_terminal,
              .waits = !given.no_wait && !given.is_migratable,
              .is_migratable = given.is_migratable};
    if (work.directory.empty()) return give_up(kNotRun, "run: the working directory is gone");
    return work;
}

/// Where no unit can be made: this process with all that it becomes.
Answer<void> attach_self(const Session& session, const std::string& scheduler) {
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    bus->never_start();
    CallOptions options;
    options.entries.emplace_back("local", true);
    options.interactive = may_ask(session);
    const auto member = fmt::format("process+children:{}", ::getpid());
    if (const auto made = bus->call("Attach", {scheduler, member}, &options); !made)
        return give_up(kNotRun, fmt::format("run: {}", made.error().text));
    return {};
}

Answer<Exit> ended(const RunEnd& end, const Session& session, const Work& work, const std::string& name) {
    if (!end.trouble.empty()) tell(session, fmt::format("{}: {}", name, end.trouble));
    if (work.waits) return static_cast<Exit>(end.status);
    if (const auto written = print(fmt::format("{}\n", work.unit)); !written)
        return std::unexpected(written.error());
    return Exit::ok;
}

/// A unit of systemd's where one is needed, else this process in a scope: it loses nothing of its
/// surroundings. Without systemd, as it is.
Answer<Exit> run_here(const Session& session, const Work& work, const std::string& reason) {
    const auto& given = session.options;
    const bool is_root = ::geteuid() == 0;
    const bool needs_unit = !work.waits || !given.unit.empty() || !work.properties.empty();
    tell_place(session, "", reason);
    if (needs_unit && !has_systemd())
        return give_up(kNotRun, "run: systemd does not run this machine; --no-wait, --unit, --property and "
                                "--migratable need it");
    if (needs_unit || (is_root && has_systemd() && !work.scheduler.empty())) {
        auto own = work;
        if (!is_root) own.scheduler.clear(); // the user's units are not the system's; and see below
        if (!is_root && !work.scheduler.empty())
            return give_up(kNotRun, "run: --scheduler with --no-wait, --unit or --property takes root");
        const auto end = run_here_in_unit(own, is_root);
        if (end.signal != 0 && !end.has_run) return static_cast<Exit>(kSignalled + end.signal);
        if (!end.has_run)
            return give_up(kNotRun, fmt::format("run: not started here: {}", shown(end.trouble)));
        return ended(end, session, own, "this node");
    }
    if (!work.scheduler.empty())
        if (auto attached = attach_self(session, work.scheduler); !attached)
            return std::unexpected(attached.error());
    if (has_systemd()) {
        auto scope = work.unit;
        scope.replace(scope.rfind('.'), std::string::npos, ".scope");
        if (auto made = enter_scope(scope, "schedd-cli run: " + shown(work.command.front())); !made)
            tell(session, made.error().text + "; it runs without one");
    }
    return static_cast<Exit>(become(work.command, "run"));
}

/// Tries the node; none if it has not taken the work, and another may.
std::optional<Answer<Exit>> run_there(const Session& session, const Work& work, const Place& place) {
    const kit::SshSettings settings{.control_folder = connections_folder(),
                                    .config = session.options.ssh_config};
    const kit::SshNode node{.name = place.name, .address = place.address, .user = {}, .port = 0};
    FarNode far(node, settings);
    tell_place(session, place.name, place.reason);
    const auto end = far.run(work);
    if (end.has_run) return ended(end, session, work, place.name);
    if (end.signal != 0) return static_cast<Exit>(kSignalled + end.signal);
    tell(session, fmt::format("{} did not take it: {}", place.name, end.trouble));
    return std::nullopt;
}

Answer<Exit> run_somewhere(const Session& session, const Work& work) {
    std::string refused;
    for (int tries = 0; tries < kTriesMax; ++tries) {
        const auto reply = ask_place(session, work, refused);
        if (!reply) {
            if (!session.options.scheduler.empty() || !session.options.node.empty())
                return give_up(kNotRun, fmt::format("run: {}", reply.error().text));
            return run_here(session, work, reply.error().text);
        }
        const auto place = place_in(*reply);
        if (!place) return std::unexpected(place.error());
        if (place->is_here) return run_here(session, work, place->reason);
        if (auto end = run_there(session, work, *place)) return std::move(*end);
        if (!session.options.node.empty()) return kNotRun; // why has been said
        refused += (refused.empty() ? "" : " ") + place->node;
    }
    return run_here(session, work, fmt::format("{} nodes have not taken it", kTriesMax));
}

std::string print_place(const Json& place, const Look& /*look*/) {
    const auto name = text_at(place, "name");
    const auto scheduler = text_at(place, "scheduler");
    return fmt::format("{}{}{}: {}\n", name.empty() ? "this node" : shown(name),
                       flag_at(place, "here") && !name.empty() ? " (this node)" : "",
                       scheduler.empty() ? "" : fmt::format(", by {}", shown(scheduler)),
                       shown(text_at(place, "reason")));
}

} // namespace

Answer<Exit> run_run(const Session& session) {
    // pipes are made later, and must not come to be the standard descriptors
    int fd = -1;
    while ((fd = ::open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO) {}
    if (fd > STDERR_FILENO) ::close(fd);
    const auto work = work_of(session);
    if (!work) return std::unexpected(work.error());
    if (session.options.dry_run)
        return show(session, ask_place(session, *work, ""), "PlaceTask", print_place);
    return run_somewhere(session, *work);
}

} // namespace schedd::cli
