// Processes, namespaces and wires.
#include "tests/net/bridge.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/net/own_network.h"

namespace schedd::net::test {

namespace {

bool succeeds(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0; // NOLINT(cert-env33-c)
}

/// A process in a new namespace that waits to be killed; -1 if there can be none.
pid_t hold_namespace() {
    std::array<int, 2> told{};
    if (::pipe2(told.data(), O_CLOEXEC) != 0) return -1;
    const auto pid = ::fork();
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const bool is_made = ::unshare(CLONE_NEWNET) == 0;
        (void)!::write(told[1], is_made ? "y" : "n", 1);
        for (;;) ::pause();
    }
    char answer = 'n';
    (void)!::read(told[0], &answer, 1);
    ::close(told[0]);
    ::close(told[1]);
    return answer == 'y' ? pid : -1;
}

} // namespace

std::string make_bridges() {
    ::signal(SIGPIPE, SIG_IGN); // a node that has ended is noticed by what it does not say
    if (const auto& why_not = own_network(); !why_not.empty()) return why_not;
    for (const int bridge : {0, 1}) {
        const auto name = fmt::format("br{}", bridge);
        if (!succeeds("ip link show " + name) &&
            !(succeeds("ip link add " + name + " type bridge") && succeeds("ip link set " + name + " up")))
            return "no bridge can be made here";
    }
    return {};
}

bool set_bridge(int bridge, const std::string& settings) {
    return succeeds(fmt::format("ip link set br{} type bridge {}", bridge, settings));
}

bool within(std::chrono::seconds most, const std::function<bool()>& holds) {
    for (const auto end = std::chrono::steady_clock::now() + most; std::chrono::steady_clock::now() < end;) {
        if (holds()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return holds();
}

Machine::Machine(const Settings& settings, const std::string& directory, int bridge)
    : settings_(settings), directory_(directory), holder_(hold_namespace()) {
    (void)run("ip link set lo up");
    wire(bridge);
}

Machine::~Machine() {
    end(SIGKILL);
    if (holder_ > 0) {
        ::kill(holder_, SIGKILL);
        ::waitpid(holder_, nullptr, 0);
    }
    // the wire goes with the namespace, but not at once: the next test may want the name
    succeeds("ip link del " + port());
}

std::string Machine::uid() const { return fmt::format("{:016x}", settings_.number); }
std::string Machine::address() const {
    return fmt::format("10.7.{}.{}", settings_.number / 250, settings_.number % 250 + 1);
}
std::string Machine::port() const { return fmt::format("v{}", settings_.number); }

bool Machine::run(const std::string& command) const {
    return succeeds(fmt::format("nsenter -t {} -n {}", holder_, command));
}

void Machine::plug(int bridge) const { succeeds(fmt::format("ip link set {} master br{}", port(), bridge)); }

void Machine::wire(int bridge, int mtu) const {
    succeeds(fmt::format("ip link add {} mtu {} type veth peer name {} mtu {} netns {}", port(), mtu,
                         settings_.interface, mtu, holder_));
    plug(bridge);
    succeeds(fmt::format("ip link set {} up", port()));
    run(fmt::format("sh -c 'ip link set {0} up; ip addr add {1}/16 dev {0}; "
                    "ip addr add fd07::{2:x}/64 dev {0} nodad'",
                    settings_.interface, address(), settings_.number));
}

void Machine::start(const std::string& more) {
    end(SIGKILL);
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) return;
    const auto state = fmt::format("{}/state-{}", directory_, settings_.number);
    succeeds("mkdir -p " + state);
    const auto line = fmt::format("--uid {0} --name node{0} --state {1} --keys {2}/{3} {4} {5}",
                                  settings_.number, state, directory_, settings_.keys, settings_.more, more);
    std::vector<std::string> words{SCHEDD_NODE};
    std::istringstream split(line);
    for (std::string word; split >> word;) words.push_back(word);
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const auto space = fmt::format("/proc/{}/ns/net", holder_);
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int fd = ::open(space.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0 || ::setns(fd, CLONE_NEWNET) != 0) ::_exit(99);
        ::dup2(in[0], STDIN_FILENO);
        ::dup2(out[1], STDOUT_FILENO);
        ::execv(SCHEDD_NODE, arguments.data());
        ::_exit(98);
    }
    ::close(in[0]);
    ::close(out[1]);
    in_ = in[1];
    out_ = out[0];
    ::fcntl(out_, F_SETFL, O_NONBLOCK);
}

void Machine::end(int signal) {
    if (pid_ > 0) {
        ::kill(pid_, signal);
        ::kill(pid_, SIGCONT);
        ::waitpid(pid_, nullptr, 0);
    }
    pid_ = -1;
    if (in_ >= 0) ::close(in_);
    read_some();
    if (out_ >= 0) ::close(out_);
    in_ = out_ = -1;
}

void Machine::kill() { end(SIGKILL); }
void Machine::pause(bool is_paused) const { ::kill(pid_, is_paused ? SIGSTOP : SIGCONT); }

void Machine::read_some() {
    std::array<char, 65536> bytes{};
    for (;;) {
        const auto got = out_ < 0 ? 0 : ::read(out_, bytes.data(), bytes.size());
        if (got <= 0) return;
        said_.append(bytes.data(), static_cast<std::size_t>(got));
    }
}

const std::string& Machine::said() {
    read_some();
    return said_;
}

void Machine::tell(const std::string& line) {
    const auto whole = line + "\n";
    (void)!::write(in_, whole.data(), whole.size());
}

std::string Machine::ask(const std::string& word) {
    read_some();
    const auto from = said_.size();
    tell(word);
    const auto first = "\n" + word.substr(0, word.find(' '));
    std::string answer;
    within(std::chrono::seconds(10), [&] {
        pollfd waiting{out_, POLLIN, 0};
        ::poll(&waiting, 1, 50);
        read_some();
        // from the newline before what is new
        const auto at = said_.find(first, from == 0 ? 0 : from - 1);
        const auto end = at == std::string::npos ? at : said_.find('\n', at + 1);
        if (end == std::string::npos) return false;
        answer = said_.substr(at + 1, end - at - 1);
        return true;
    });
    return answer;
}

} // namespace schedd::net::test
