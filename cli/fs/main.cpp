// schedd-fs: mounts the file view and serves it, in one thread, until it is unmounted or told to end.
#define FUSE_USE_VERSION 31

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <poll.h>
#include <syslog.h>

#include <fmt/format.h>
#include <fuse3/fuse.h>
#include <fuse3/fuse_lowlevel.h>
#include <systemd/sd-daemon.h>

#include "cli/fs/operations.h"
#include "cli/fs/view.h"

namespace schedd::cli::fs {

namespace {

constexpr const char* kHelp = R"(Usage: schedd-fs [OPTIONS] MOUNTPOINT

Shows the scheduler framework of org.schedd1 as files, as Kerrighed's configfs did: mkdir creates parts,
echo sets attributes, ln -s links a probe's source, cat reads values.

  --bus=BUS            system (default), session, or a D-Bus address; SCHEDD_BUS_ADDRESS is used if set
  -f                   stay in the foreground, refusals in words on standard error
  -d                   the same, and show what the kernel asks
  -o OPTION[,...]      mount options, among them:
      allow_other      everybody may read; without it only the user who mounted sees anything
      ro               nobody may change anything
      bus=BUS          as --bus
  -h, --help           this text
  -V, --version        the version

Unmount with umount MOUNTPOINT, or fusermount3 -u MOUNTPOINT. See schedd-fs(8).
)";

struct Settings {
    char* bus = nullptr;
};

const fuse_opt kOptions[] = {{"--bus=%s", offsetof(Settings, bus), 0},
                             {"bus=%s", offsetof(Settings, bus), 0},
                             FUSE_OPT_END};

struct Arguments {
    Arguments(int count, char** words) : list{count, words, 0} {}
    Arguments(const Arguments&) = delete;
    Arguments& operator=(const Arguments&) = delete;
    ~Arguments() { fuse_opt_free_args(&list); }
    fuse_args list;
};

struct Free {
    void operator()(char* text) const { std::free(text); }
};
using Text = std::unique_ptr<char, Free>;

void complain(const std::string& text) { fmt::print(stderr, "schedd-fs: {}\n", text); }

/// Waits for the kernel and the bus, so that signals are taken although nobody looks at a file.
void serve(fuse_session& session, View& view, const sigset_t& while_waiting) {
    fuse_buf request{};
    while (!fuse_session_exited(&session)) {
        pollfd waits[2] = {{fuse_session_fd(&session), POLLIN, 0}, {view.descriptor(), POLLIN, 0}};
        if (::ppoll(waits, 2, nullptr, &while_waiting) < 0) continue; // a signal: it may be time to end
        if (waits[1].revents != 0) view.take_events();
        if (waits[0].revents == 0) continue;
        const int got = fuse_session_receive_buf(&session, &request);
        if (got == -EINTR) continue;
        if (got <= 0) break; // unmounted
        fuse_session_process_buf(&session, &request);
    }
    std::free(request.mem);
}

/// From the mount on. `fuse` is destroyed by the caller.
int mount_and_serve(fuse& fuse, View& view, const std::string& mount_point, bool in_foreground) {
    auto& session = *fuse_get_session(&fuse);
    if (fuse_mount(&fuse, mount_point.c_str()) != 0) return 1; // it has said why
    int code = 1;
    if (fuse_daemonize(in_foreground) == 0 && fuse_set_signal_handlers(&session) == 0) {
        sigset_t ends;
        sigset_t before;
        sigemptyset(&ends);
        for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ends, signal);
        sigprocmask(SIG_BLOCK, &ends, &before);
        sd_notify(0, "READY=1");
        serve(session, view, before);
        fuse_remove_signal_handlers(&session);
        code = 0;
    }
    fuse_unmount(&fuse);
    return code;
}

/// A bus that cannot be meant is told now; one that is not there yet may come.
bool can_be_meant(const BusPlace& place) {
    const auto bus = Bus::open(place);
    if (bus) return true;
    complain(bus.error().text);
    return bus.error().exit == Exit::not_running;
}

int run(int count, char** words) {
    Arguments arguments(count, words);
    Settings settings;
    fuse_cmdline_opts command{};
    if (fuse_opt_parse(&arguments.list, &settings, kOptions, nullptr) != 0) return 2;
    const Text bus(settings.bus);
    if (fuse_parse_cmdline(&arguments.list, &command) != 0) return 2;
    const Text mount_point(command.mountpoint); // without symlinks; one that is not there was refused
    if (command.show_help) {
        fmt::print("{}", kHelp);
        return 0;
    }
    if (command.show_version) {
        fmt::print("schedd-fs {}, FUSE {}\n", SCHEDD_VERSION, fuse_pkgversion());
        return 0;
    }
    if (!mount_point) {
        complain("no mount point is named; schedd-fs --help shows how");
        return 2;
    }
    const char* from_environment = std::getenv("SCHEDD_BUS_ADDRESS");
    const BusPlace place{bus                                     ? bus.get()
                         : from_environment && *from_environment ? from_environment
                                                                 : "system",
                         ""};
    if (!can_be_meant(place)) return 2;
    // the kernel checks modes: others may read where the mount lets them
    fuse_opt_add_arg(&arguments.list, "-odefault_permissions,fsname=schedd,subtype=schedd");
    const bool in_foreground = command.foreground != 0;
    if (!in_foreground) ::openlog("schedd-fs", LOG_PID, LOG_DAEMON);
    View view(place, mount_point.get(), [in_foreground](const std::string& text) {
        if (in_foreground) complain(text);
        else ::syslog(LOG_NOTICE, "%s", text.c_str());
    });
    const std::unique_ptr<fuse, decltype(&fuse_destroy)> mount(fuse_new(&arguments.list, &operations(),
                                                                        sizeof(fuse_operations), &view),
                                                               fuse_destroy);
    if (!mount) return 2; // it has said which option it does not know
    return mount_and_serve(*mount, view, mount_point.get(), in_foreground);
}

} // namespace
} // namespace schedd::cli::fs

int main(int count, char** words) { return schedd::cli::fs::run(count, words); }
