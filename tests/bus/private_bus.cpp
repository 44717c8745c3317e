// dbus-daemon by itself, dbus-broker through the launcher that systemd would use.
#include "tests/bus/private_bus.h"

#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace schedd::test {

namespace {

constexpr const char* kJournal = "/run/systemd/journal/socket";

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return address;
}

bool can_connect(const std::string& path) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = address_of(path);
    const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return connected;
}

void write_config(const std::string& file, const std::string& socket, const std::string& rules) {
    std::ofstream(file)
        << "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
           " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
           "<busconfig><type>session</type><listen>unix:path="
        << socket
        << "</listen><auth>EXTERNAL</auth><policy context=\"default\"><allow user=\"*\"/>"
           "<allow send_destination=\"*\"/><allow receive_sender=\"*\"/><allow "
           "own=\"*\"/>"
        << rules << "</policy></busconfig>\n";
}

volatile std::sig_atomic_t is_asked_to_end = 0;

/// In a mount namespace of its own: a /run with a journal socket, which the launcher insists on; then the
/// launcher as a child, and the journal's messages read away until this process is asked to end. It adopts
/// the broker that the launcher leaves behind, so that nothing stays after it.
[[noreturn]] void be_broker(const std::string& config, const std::string& socket, const std::string& log) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    struct sigaction ending{};
    ending.sa_handler = [](int) { is_asked_to_end = 1; };
    ::sigaction(SIGTERM, &ending, nullptr);
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", "/run", "tmpfs", 0, "mode=755") != 0)
        ::_exit(125);
    ::mkdir("/run/systemd", 0755);
    ::mkdir("/run/systemd/journal", 0755);
    const int journal = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto address = address_of(kJournal);
    if (::bind(journal, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) ::_exit(125);
    const timeval patience{0, 100'000};
    ::setsockopt(journal, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    Child launcher({"systemd-socket-activate", "-E", "DBUS_SESSION_BUS_ADDRESS=unix:path=" + socket, "-l",
                    socket, "dbus-broker-launch", "--scope", "user", "--config-file=" + config},
                   log);
    char buffer[4096];
    while (is_asked_to_end == 0 && launcher.is_running()) (void)!::recv(journal, buffer, sizeof buffer, 0);
    launcher.end();
    for (int i = 0; i < 200 && ::waitpid(-1, nullptr, WNOHANG) >= 0; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ::_exit(0);
}

} // namespace

PrivateBus::PrivateBus(BusKind kind, const std::string& rules) {
    const auto config = directory() + "/bus.conf";
    const auto socket = directory() + "/bus";
    address_ = "unix:path=" + socket;
    write_config(config, socket, rules);
    if (kind == BusKind::dbus_daemon)
        bus_ = Child({"dbus-daemon", "--config-file=" + config, "--nofork", "--nopidfile"},
                     directory() + "/bus.log");
    else if (::geteuid() == 0) start_broker(config, socket);
    else obstacle_ = "dbus-broker needs root here (a mount namespace for its journal socket)";
    for (int i = 0; obstacle_.empty() && !can_connect(socket); ++i) {
        if (i == 1000 || !bus_.is_running())
            obstacle_ = "the bus does not start: " + content_of(directory() + "/bus.log");
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ::chmod(socket.c_str(), 0777); // as dbus-daemon's is: other users may call
}

void PrivateBus::start_broker(const std::string& config, const std::string& socket) {
    const auto log = directory() + "/bus.log";
    const pid_t pid = ::fork();
    if (pid == 0) be_broker(config, socket, log);
    bus_ = Child(pid);
}

} // namespace schedd::test
