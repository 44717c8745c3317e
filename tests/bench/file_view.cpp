// file-view: file operations through schedd-fs, against the same by bare calls on a kept connection.
#include <functional>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "components/kit/errno_error.h"
#include "tests/bench/bench.h"
#include "tests/bench/daemon_under_test.h"
#include "tests/bench/interrupt.h"

namespace schedd::bench {

namespace {

constexpr int kOperations = 200;
constexpr Goal kGoal{Goal::Sense::at_most, 5};

/// schedd-fs, mounted where nobody else sees it; reached through its root.
class MountedView {
public:
    static Result<MountedView> start(Run& run, const std::string& address) {
        const auto program = run.program("schedd-fs");
        if (access(program.c_str(), X_OK) != 0)
            return fail(Errc::no_such_object, program + " has not been built");
        auto directory = ScratchDirectory::make("/tmp");
        if (!directory) return std::unexpected(directory.error());
        const auto enter = [] {
            return ::unshare(CLONE_NEWNS) == 0 &&
                   ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
        };
        auto process = Process::start({program, "-f", "--bus=" + address, directory->path()},
                                      {.discards = true, .errors = {}, .enter = enter});
        if (!process) return std::unexpected(process.error());
        const auto top = fmt::format("/proc/{}/root{}/krg_scheduler", process->pid(), directory->path());
        for (int i = 0; i < 500 && process->alive(); ++i) {
            const int fd = ::open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            if (fd >= 0) return MountedView(std::move(*directory), std::move(*process), fd);
            ::usleep(10'000);
        }
        return fail(Errc::io, "schedd-fs does not mount", "no /dev/fuse, or not root?");
    }
    MountedView(MountedView&& other) noexcept
        : directory_(std::move(other.directory_)), process_(std::move(other.process_)),
          top_(std::exchange(other.top_, -1)) {}
    MountedView(const MountedView&) = delete;
    ~MountedView() {
        if (top_ >= 0) ::close(top_);
    }

    [[nodiscard]] Status read(const char* file) const { return use(file, O_RDONLY, {}); }
    [[nodiscard]] Status write(const char* file, std::string_view text) const {
        return use(file, O_WRONLY | O_TRUNC, text);
    }
    [[nodiscard]] Status make_and_remove(const char* directory) const {
        if (::mkdirat(top_, directory, 0755) != 0) return std::unexpected(errno_error(errno, "mkdir"));
        if (::unlinkat(top_, directory, AT_REMOVEDIR) != 0)
            return std::unexpected(errno_error(errno, "rmdir"));
        return {};
    }

private:
    MountedView(ScratchDirectory directory, Process process, int top)
        : directory_(std::move(directory)), process_(std::move(process)), top_(top) {}

    /// Opened, read to the end or written once, closed; as cat and echo do.
    [[nodiscard]] Status use(const char* file, int flags, std::string_view text) const {
        const int fd = ::openat(top_, file, flags | O_CLOEXEC);
        if (fd < 0) return std::unexpected(errno_error(errno, file));
        char bytes[8192];
        ssize_t done = text.empty() ? 1 : ::write(fd, text.data(), text.size());
        while (text.empty() && done > 0) done = ::read(fd, bytes, sizeof bytes);
        const int error = errno;
        ::close(fd);
        if (done < 0) return std::unexpected(errno_error(error, file));
        return {};
    }

    ScratchDirectory directory_;
    Process process_;
    int top_;
};

using Operation = std::function<Status()>;

Result<double> microseconds_of(const Operation& operation) {
    const auto started = monotonic_ns();
    for (int i = 0; i < kOperations; ++i)
        if (auto done = operation(); !done) return std::unexpected(done.error());
    return static_cast<double>(monotonic_ns() - started) / 1e3 / kOperations;
}

void contest(Run& run, const std::string& what, const Operation& ours, const Operation& bare,
             const std::string& note) {
    Pairs pairs;
    // one more than counted: the first finds nothing in any cache
    for (int pair = -1; pair < run.repeats(15, 7); ++pair) {
        const auto us = microseconds_of(ours);
        const auto them = microseconds_of(bare);
        if (!us || !them) return run.not_measured(what, "us", kGoal, us ? them.error() : us.error());
        if (auto going = not_interrupted(); !going) return run.not_measured(what, "us", kGoal, going.error());
        if (pair >= 0) pairs.add(*us, *them);
    }
    run.compared(what, "us", pairs, kGoal, note);
}

} // namespace

Status file_view(Run& run) {
    auto daemon = DaemonUnderTest::start(run, {"--actuator=dry-run"});
    if (!daemon) return std::unexpected(daemon.error());
    auto built = (*daemon)->apply("create probes/cpu\ncreate schedulers/CPU_LB\n"
                                  "create schedulers/CPU_LB/load_balancing\n"
                                  "create schedulers/CPU_LB/load_balancing/node_load/threshold_filter\n"
                                  "link probes/cpu/node_load "
                                  "schedulers/CPU_LB/load_balancing/node_load/threshold_filter\n");
    if (!built) return built;
    auto view = MountedView::start(run, (*daemon)->address());
    if (!view) return std::unexpected(view.error());
    auto& client = (*daemon)->client();
    const auto read = [&](const char* place) {
        return [&client, place]() -> Status {
            if (auto text = client.read(place); !text) return std::unexpected(text.error());
            return {};
        };
    };
    const auto apply = [&](const char* recipe) { return [&client, recipe] { return client.apply(recipe); }; };
    contest(
        run, "open, read, close of an attribute, against Manager.Read",
        [&] { return view->read("probes/cpu/probe_period"); }, read("probes/cpu.probe_period"),
        "3 names to walk");
    constexpr auto* kDeep = "schedulers/CPU_LB/load_balancing/node_load/threshold_filter";
    contest(
        run, "the same in a filter, against Manager.Read",
        [&] { return view->read(fmt::format("{}/threshold", kDeep).c_str()); },
        read("schedulers/CPU_LB/load_balancing/node_load/threshold_filter.threshold"), "6 names to walk");
    contest(run, "open, write, close of an attribute, against Manager.Apply of one write",
            [&] { return view->write("probes/cpu/probe_period", "500\n"); },
            apply("write probes/cpu.probe_period 500\n"), {});
    contest(
        run, "mkdir and rmdir of a scheduler, against two Manager.Apply",
        [&] { return view->make_and_remove("schedulers/T"); },
        [&]() -> Status {
            if (auto made = client.apply("create schedulers/T\n"); !made) return made;
            return client.apply("remove schedulers/T\n");
        },
        {});
    return not_interrupted();
}

} // namespace schedd::bench
