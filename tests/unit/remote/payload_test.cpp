// What may be moved, and in words what may not.
#include <gtest/gtest.h>

#include "tests/unit/remote/played_runner.h"

namespace schedd::test {
namespace {

struct APayload : testing::Test {
    FakeHost host;
    APayload() { put_unit(host); }
    [[nodiscard]] std::string why() { return look_at(host, "work.service").why_not; }
    void expect_why(std::string_view part) {
        const auto said = why();
        EXPECT_NE(said.find(part), std::string::npos) << "'" << said << "' does not say '" << part << "'";
    }
    void open_file(const std::string& to) { host.set_link("proc/101/fd/7", to); }
};

TEST_F(APayload, InAPidNamespaceOfItsOwnMayMove) {
    const auto payload = look_at(host, "work.service");
    EXPECT_EQ(payload.why_not, "");
    EXPECT_EQ(payload.init, 101);
    EXPECT_EQ(payload.staying, std::vector<Pid>{100}); // unshare
    EXPECT_EQ(payload.bytes, 40'000U * 1024);
    EXPECT_EQ(payload.age_s, 60U);
}

TEST_F(APayload, OfAUnitFileStays) {
    host.remove("run/systemd/transient/work.service");
    expect_why("by a unit file");
}

TEST_F(APayload, ThatIsNoServiceStays) {
    EXPECT_NE(look_at(host, "run-1.scope").why_not.find("no service"), std::string::npos);
}

TEST_F(APayload, ThatSystemdWouldStartAgainStays) {
    host.set("run/systemd/transient/work.service", "[Service]\nSlice=batch-day.slice\nRestart=always\n");
    expect_why("Restart=always");
}

TEST_F(APayload, WithPidsOfTheHostStays) {
    host.set("proc/101/status", "Name:\tcount\nPPid:\t1\nUid:\t0\t0\t0\t0\nNSpid:\t101\n");
    expect_why("its pids (100 and so on) may be taken");
}

TEST_F(APayload, ThatHasEndedStays) {
    host.set("sys/fs/cgroup/batch.slice/batch-day.slice/work.service/cgroup.procs", "");
    expect_why("nothing runs in it");
}

TEST_F(APayload, SharedWithAProcessOutsideStays) {
    host.set("sys/fs/cgroup/batch.slice/batch-day.slice/work.service/cgroup.procs", "100\n101\n102\n");
    host.set("proc/102/status", "Name:\thelper\nPPid:\t1\nUid:\t0\t0\t0\t0\nNSpid:\t102\n");
    expect_why("process 102 (helper) of it lives outside");
}

TEST_F(APayload, LeavesWhoPassesOnItsOutputBehind) {
    host.set("sys/fs/cgroup/batch.slice/batch-day.slice/work.service/cgroup.procs", "100\n101\n102\n");
    host.set("proc/102/status", "Name:\tcat\nPPid:\t100\nUid:\t0\t0\t0\t0\nNSpid:\t102\n");
    EXPECT_EQ(why(), "");
}

TEST_F(APayload, OfAnotherUserThanRootStays) {
    host.set("proc/101/status", "Name:\tcount\nPPid:\t100\nUid:\t1000\t1000\t1000\t1000\nNSpid:\t101\t1\n");
    expect_why("runs as user 1000");
}

TEST_F(APayload, ThatIsTracedStays) {
    host.set("proc/101/status",
             "Name:\tcount\nPPid:\t100\nTracerPid:\t55\nUid:\t0\t0\t0\t0\nNSpid:\t101\t1\n");
    expect_why("traced by process 55");
}

TEST_F(APayload, WithAnotherNamespaceOfItsOwnStays) {
    host.set_link("proc/101/ns/mnt", "mnt:[2]");
    expect_why("a mount namespace of its own");
}

TEST_F(APayload, InAChangedRootStays) {
    host.set_link("proc/101/root", "/srv/jail");
    expect_why("/srv/jail as its root");
}

TEST_F(APayload, SaysWhatIsOpenThatKeepsItHere) {
    struct {
        const char* to;
        const char* why;
    } const cases[] = {{"/dev/sda", "a device open: /dev/sda"},
                       {"/dev/pts/3", "a terminal open: /dev/pts/3"},
                       {"/dev/tty", "a terminal open"},
                       {"/tmp/work (deleted)", "a file open that has been unlinked: /tmp/work"},
                       {"anon_inode:[io_uring]", "uses io_uring"},
                       {"anon_inode:[perf_event]", "cannot be made anew: [perf_event]"},
                       {"pipe:[90]", "whose other end is not moved with it"}};
    for (const auto& one : cases) {
        open_file(one.to);
        expect_why(one.why);
    }
}

TEST_F(APayload, MovesWithWhatIsTheSameEverywhere) {
    for (const auto* to : {"/dev/null", "/dev/urandom", "/var/log/work.log", "anon_inode:[eventfd]",
                           "anon_inode:inotify", "/memfd:x (deleted)", "socket:[5]"}) {
        open_file(to);
        EXPECT_EQ(why(), "") << to;
    }
}

TEST_F(APayload, WithASocketAsItsOutputStays) {
    host.set_link("proc/101/fd/1", "socket:[12]");
    expect_why("a socket as its standard output");
}

TEST_F(APayload, WithASocketOfTheNetworkStays) {
    open_file("socket:[4711]");
    host.set("proc/101/net/tcp",
             "  sl  local\n   0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0 4711 1 0\n");
    expect_why("a socket of the network open (tcp)");
}

TEST_F(APayload, MovesWithAPipeBetweenItsOwnProcesses) {
    open_file("pipe:[90]");
    host.set_link("proc/101/fd/8", "pipe:[90]");
    host.set("proc/101/fdinfo/7", "pos:\t0\nflags:\t0100000\n");
    host.set("proc/101/fdinfo/8", "pos:\t0\nflags:\t0100001\n");
    EXPECT_EQ(why(), "");
}

TEST_F(APayload, SaysWhatMemoryKeepsItHere) {
    const std::string line = "7f00-7f01 rw-s 00000000 00:01 5                      ";
    struct {
        const char* path;
        const char* why;
    } const cases[] = {{"/SYSV00000000 (deleted)", "shared memory of System V"},
                       {"/dev/dri/card0", "memory of a device: /dev/dri/card0"},
                       {"/usr/lib/old.so (deleted)", "mapped that has been unlinked: /usr/lib/old.so"},
                       {"anon_inode:[io_uring]", "io_uring"}};
    for (const auto& one : cases) {
        host.set("proc/101/maps", line + one.path + "\n");
        expect_why(one.why);
    }
    host.set("proc/101/maps", line + "/dev/zero (deleted)\n");
    EXPECT_EQ(why(), "");
}

TEST_F(APayload, WhoseProgramWasReplacedStays) {
    host.set_link("proc/101/exe", "/usr/bin/count (deleted)");
    expect_why("has been replaced or unlinked: /usr/bin/count");
}

TEST(AUnit, IsFoundOfAProcess) {
    FakeHost host;
    host.set("proc/5/cgroup", "12:pids:/x.service\n0::/system.slice/a.service\n");
    host.set("proc/6/cgroup", "1:name=systemd:/user.slice/user-0.slice/session-3.scope\n");
    host.set("proc/7/cgroup", "0::/\n");
    EXPECT_EQ(unit_of(host, 5), "a.service");
    EXPECT_EQ(unit_of(host, 6), "session-3.scope");
    EXPECT_EQ(unit_of(host, 7), "");
    EXPECT_EQ(unit_of(host, 8), "");
}

} // namespace
} // namespace schedd::test
