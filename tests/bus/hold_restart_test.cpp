// Holds over a restart of the daemon: systemd keeps the descriptors, here played by the test.
#include <map>

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sys/socket.h>
#include <sys/un.h>

#include <nlohmann/json.hpp>

#include "tests/bus/daemon.h"
#include "tests/bus/held_from_here.h"

namespace schedd::test {
namespace {

/// The socket at NOTIFY_SOCKET, and what it was given to keep.
class PlayedStore {
public:
    explicit PlayedStore(const std::string& path) : path_(path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) std::abort();
    }
    ~PlayedStore() {
        for (const auto& [name, fd] : kept) ::close(fd);
        ::close(socket_);
    }
    PlayedStore(const PlayedStore&) = delete;
    PlayedStore& operator=(const PlayedStore&) = delete;

    /// Takes what has come so far.
    void hear() {
        while (hear_one()) {}
    }
    std::map<std::string, int> kept;

private:
    bool hear_one() {
        char text[4096];
        iovec part{text, sizeof text};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        const auto size = ::recvmsg(socket_, &message, MSG_CMSG_CLOEXEC);
        if (size < 0) return false;
        const std::string said(text, static_cast<std::size_t>(size));
        const auto at = said.find("FDNAME=");
        const auto name = at == std::string::npos ? "" : said.substr(at + 7, said.find('\n', at) - at - 7);
        int fd = -1;
        for (auto* part_of = CMSG_FIRSTHDR(&message); part_of; part_of = CMSG_NXTHDR(&message, part_of))
            if (part_of->cmsg_type == SCM_RIGHTS) fd = *reinterpret_cast<int*>(CMSG_DATA(part_of));
        if (said.find("FDSTORE=1") != std::string::npos && fd >= 0) kept[name] = fd;
        else if (said.find("FDSTOREREMOVE=1") != std::string::npos && kept.contains(name)) {
            ::close(kept[name]);
            kept.erase(name);
        }
        return true;
    }
    std::string path_;
    int socket_ = -1;
};

struct AHoldOverARestart : ::testing::Test {
    void SetUp() override { start(); }
    /// As systemd would, with what it has kept.
    void start() {
        std::vector<std::string> words{SCHEDD_BINARY, "--bus=" + bus.address(),
                                       "--state-dir=" + directory.path() + "/state", "--actuator=dry-run",
                                       "--config-dir=" + directory.path()};
        std::string names;
        std::vector<int> fds;
        for (const auto& [name, fd] : store.kept) {
            names += (names.empty() ? "" : ":") + name;
            fds.push_back(fd);
        }
        const pid_t pid = ::fork();
        if (pid == 0) {
            for (auto& fd : fds) fd = ::fcntl(fd, F_DUPFD, 100);
            for (std::size_t i = 0; i < fds.size(); ++i) ::dup2(fds[i], static_cast<int>(3 + i));
            for (const int fd : fds) ::close(fd);
            if (!fds.empty()) {
                ::setenv("LISTEN_FDS", std::to_string(fds.size()).c_str(), 1);
                ::setenv("LISTEN_FDNAMES", names.c_str(), 1);
                ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
            }
            ::setenv("NOTIFY_SOCKET", socket().c_str(), 1);
            become(words, directory.path() + "/log");
        }
        daemon = Child(pid);
        ASSERT_TRUE(client.wait_for([&] { return static_cast<bool>(client.call<std::string>("Status")); }));
    }
    nlohmann::json holds() {
        return nlohmann::json::parse(client.call<std::string>("Status").value)["holds"];
    }
    [[nodiscard]] std::string socket() const { return directory.path() + "/notify"; }
    [[nodiscard]] std::string log() const { return content_of(directory.path() + "/log"); }
    void kill() {
        ::kill(daemon.pid(), SIGKILL);
        daemon.end();
        store.hear();
    }

    PrivateBus bus{BusKind::dbus_daemon};
    TemporaryDirectory directory;
    PlayedStore store{socket()};
    Client client{bus.address()};
    Child daemon;
};

TEST_F(AHoldOverARestart, IsKeptWithItsPathAndIsReleasedAfterIt) {
    ASSERT_TRUE(client.apply_verbs("create schedulers/S\n")); // gone after the restart; its hold is not
    HeldFromHere first(client, "scheduler:*", "first", "a \"quoted\" reason\\");
    HeldFromHere second(client, "scheduler:S", "second");
    const auto before = holds();
    EXPECT_EQ(daemon.end(), 0) << log();
    store.hear();
    ASSERT_EQ(store.kept.size(), 2U);
    EXPECT_TRUE(store.kept.contains("hold-1"));
    start();
    auto after = holds();
    ASSERT_EQ(after.size(), 2U) << log();
    for (const auto* key : {"id", "what", "who", "why", "uid", "pid", "since_us"})
        for (int i = 0; i < 2; ++i) EXPECT_EQ(after[i][key], before[i][key]) << key;
    EXPECT_EQ(client.get(first.path(), "Hold", "Who").value.get<std::string>(), "first");
    first.release();
    EXPECT_TRUE(client.wait_for([&] { return holds().size() == 1; }));
    store.hear();
    EXPECT_FALSE(store.kept.contains("hold-1")) << "systemd need not keep it any more";
    EXPECT_TRUE(store.kept.contains("hold-2"));
    const HeldFromHere third(client, "scheduler:*");
    EXPECT_EQ(third.path(), "/org/schedd1/holds/3") << "numbers are not used twice";
}

TEST_F(AHoldOverARestart, IsKeptAfterACrashToo) {
    const HeldFromHere hold(client, "scheduler:*", "me");
    kill();
    start();
    EXPECT_EQ(holds().size(), 1U) << log();
}

TEST_F(AHoldOverARestart, IsDroppedWhenItWasReleasedMeanwhile) {
    HeldFromHere hold(client, "scheduler:*", "me");
    HeldFromHere other(client, "scheduler:*", "other");
    kill();
    hold.release(); // the descriptor is still kept: the daemon sees its end
    start();
    EXPECT_TRUE(client.wait_for([&] { return holds().size() == 1; }));
    EXPECT_EQ(holds()[0]["who"], "other");
    store.hear();
    EXPECT_EQ(store.kept.size(), 1U);
}

TEST_F(AHoldOverARestart, IsDroppedWithoutADescriptorAndWithoutARecord) {
    const HeldFromHere lost(client, "scheduler:*", "lost");
    const HeldFromHere forgotten(client, "scheduler:*", "forgotten");
    kill();
    ::close(store.kept["hold-1"]);
    store.kept.erase("hold-1");
    std::ofstream(directory.path() + "/state/holds") << "{\"id\":1,\"what\":\"scheduler:*\"}\nnonsense\n{}\n";
    start();
    EXPECT_TRUE(holds().empty()) << log();
    EXPECT_NE(log().find("2 records cannot be read"), std::string::npos) << log();
    EXPECT_NE(log().find("hold 2 has no record and is dropped"), std::string::npos) << log();
    store.hear();
    EXPECT_TRUE(store.kept.empty());
}

TEST_F(AHoldOverARestart, IsNotMadeOfWhateverElseIsPassedOn) {
    store.kept["hold-x"] = ::dup(0);
    store.kept["hold-7"] = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    store.kept["socket"] = ::dup(0);
    kill();
    start();
    EXPECT_TRUE(holds().empty());
    store.hear();
    EXPECT_TRUE(store.kept.empty()) << "all of it is given back";
}

} // namespace
} // namespace schedd::test
