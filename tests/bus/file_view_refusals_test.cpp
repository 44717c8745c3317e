// What the file view refuses, by errno; and what becomes of it when somebody goes in the middle.
#include <csignal>
#include <thread>

#include <gmock/gmock.h>

#include "tests/bus/mounted_view.h"

namespace schedd::test {
namespace {

using testing::HasSubstr;

struct ARefusal : MountedView {
    const std::string policy = "schedulers/S/load_balancing";
    const std::string port = policy + "/node_load";
    void SetUp() override {
        MountedView::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        ASSERT_TRUE(client->apply_verbs("create probes/cpu\ncreate probes/mem_probe\ncreate schedulers/S\n"
                                        "create schedulers/S/load_balancing\n"));
    }
};

TEST_F(ARefusal, OfALinkSaysWhatTheOriginalSaid) {
    EXPECT_EQ(symlink("probes/mem_probe/ram_free", port + "/x"), EINVAL) << "the types differ";
    EXPECT_EQ(symlink("probes/cpu", port + "/x"), EINVAL) << "no source";
    EXPECT_EQ(symlink(policy, port + "/x"), EINVAL);
    EXPECT_EQ(symlink("schedulers/S/process_set/single_processes", port + "/x"), EINVAL);
    EXPECT_EQ(symlink("probes/cpu/probe_period", port + "/x"), ENOTDIR) << "an attribute";
    EXPECT_EQ(symlink("probes/nothing", port + "/x"), ENOENT);
    EXPECT_EQ(symlink_to("nowhere", port + "/x"), EPERM) << "outside the mount, wherever the test stands";
    EXPECT_EQ(symlink_to("/etc", port + "/x"), EPERM);
    EXPECT_EQ(symlink("probes/cpu/node_load", policy + "/x"), EPERM) << "a policy is no sink";
    EXPECT_EQ(symlink("probes/cpu/node_load", "schedulers/x"), EPERM);
    EXPECT_EQ(symlink("probes/cpu/node_load", "probes/cpu/node_load/x"), EPERM);
    EXPECT_EQ(symlink("probes/cpu/node_load", port + "/collected_value"), EEXIST);
    ASSERT_EQ(symlink("probes/cpu/node_load", port + "/x"), 0);
    EXPECT_EQ(symlink("probes/cpu/node_load", port + "/x"), EEXIST);
    EXPECT_EQ(symlink("probes/cpu/node_load", port + "/y"), EPERM) << "it has a source";
    EXPECT_EQ(symlink("probes/mem_probe/ram_free", port + "/y"), EPERM) << "before the types are looked at";
    EXPECT_EQ(mkdir(port + "/threshold_filter"), EBUSY) << "it has a source";
}

TEST_F(ARefusal, OfADirectorySaysWhatTheOriginalSaid) {
    EXPECT_EQ(mkdir("probes/hologram"), ENOENT) << "an unknown type";
    EXPECT_EQ(mkdir("schedulers/S/hologram"), EBUSY) << "there is a policy already";
    EXPECT_EQ(mkdir(port + "/hologram"), ENOENT);
    EXPECT_EQ(mkdir("schedulers/none/load_balancing"), ENOENT);
    EXPECT_EQ(mkdir("schedulers/S/echo_policy"), EBUSY);
    EXPECT_EQ(mkdir("probes/cpu"), EEXIST);
    EXPECT_EQ(mkdir("other"), EPERM);
    EXPECT_EQ(mkdir("../other"), EPERM);
    EXPECT_EQ(mkdir("probes/cpu/other"), EPERM);
    EXPECT_EQ(mkdir(policy + "/other"), EPERM);
    EXPECT_EQ(mkdir("schedulers/S/process_set/other"), EPERM);
    EXPECT_THAT(log(), HasSubstr("hologram")) << "the daemon's words are told";
}

TEST_F(ARefusal, OfARemovalSaysWhatTheOriginalSaid) {
    ASSERT_EQ(mkdir(port + "/threshold_filter"), 0);
    EXPECT_EQ(rmdir(policy), ENOTEMPTY) << "a filter is in it";
    EXPECT_EQ(rmdir("schedulers/S"), ENOTEMPTY) << "the policy is in it";
    ASSERT_EQ(rmdir(port + "/threshold_filter"), 0);
    ASSERT_EQ(symlink("probes/cpu/node_load", port + "/x"), 0);
    EXPECT_EQ(rmdir("probes/cpu"), EBUSY) << "linked to";
    EXPECT_EQ(rmdir(policy), ENOTEMPTY) << "a link in a default group";
    for (const auto* fixed :
         {"probes", "schedulers", "probes/cpu/node_load", "schedulers/S/process_set",
          "schedulers/S/process_set/single_processes", "schedulers/S/process_set/process_groups",
          "schedulers/S/process_set/process_sessions", "schedulers/S/process_set/members"})
        EXPECT_EQ(rmdir(fixed), EPERM) << fixed;
    EXPECT_EQ(rmdir(port), EPERM);
    EXPECT_EQ(rmdir("."), EINVAL);
    EXPECT_EQ(rmdir(port + "/x"), ENOTDIR);
    EXPECT_EQ(rmdir("probes/cpu/probe_period"), ENOTDIR);
    EXPECT_EQ(unlink("probes/cpu/probe_period"), EPERM);
    EXPECT_EQ(unlink("../krg_schedulers"), EPERM);
    ASSERT_EQ(unlink(port + "/x"), 0);
    EXPECT_EQ(rmdir(policy), 0);
    EXPECT_EQ(rmdir(policy), ENOENT);
    Sleeper work;
    ASSERT_EQ(mkdir("schedulers/S/process_set/single_processes/" + std::to_string(work.pid())), 0);
    EXPECT_EQ(rmdir("schedulers/S"), ENOTEMPTY) << "a member is in it";
    ASSERT_EQ(rmdir("schedulers/S/process_set/single_processes/" + std::to_string(work.pid())), 0);
    EXPECT_EQ(write("schedulers/S/process_set/handle_all", "1\n"), 0);
    EXPECT_EQ(rmdir("schedulers/S"), 0) << "whoever is in it through handle_all";
}

TEST_F(ARefusal, OfAMemberSaysWhatTheOriginalSaid) {
    Sleeper work;
    const std::string set = "schedulers/S/process_set";
    for (const auto* junk : {"x", "12x", "-1", "0", "%31"})
        EXPECT_EQ(mkdir(set + "/single_processes/" + junk), EINVAL) << junk;
    EXPECT_EQ(mkdir(set + "/members/process:1"), EINVAL) << "it has a directory of its own";
    EXPECT_EQ(mkdir(set + "/members/hologram:1"), EINVAL);
    EXPECT_EQ(mkdir(set + "/single_processes/4194305"), ESRCH);
    EXPECT_EQ(mkdir(set + "/process_groups/4194305"), ESRCH);
    EXPECT_EQ(mkdir(set + "/single_processes/1"), EPERM) << "never a member";
    ASSERT_EQ(write(set + "/handle_all", "1\n"), 0);
    EXPECT_EQ(mkdir(set + "/single_processes/" + std::to_string(work.pid())), EPERM) << "while handle_all";
    EXPECT_EQ(mkdir(set + "/single_processes/x"), EINVAL) << "before that";
    ASSERT_EQ(write(set + "/handle_all", "-1\n"), 0);
    EXPECT_EQ(read(set + "/handle_all"), "0\n");
    ASSERT_EQ(mkdir(set + "/single_processes/" + std::to_string(work.pid())), 0);
    EXPECT_EQ(write(set + "/handle_all", "1\n"), EPERM);
    EXPECT_EQ(write(set + "/handle_all", "0\n"), EPERM) << "even for 0";
}

TEST_F(ARefusal, OfAValueSaysWhetherItIsJunkOrOutOfRange) {
    const std::string period = "probes/cpu/probe_period";
    for (const auto* junk : {"x\n", "12x\n", "-1\n", "\n", " 500\n", "500 \n", "500\n\n", "5.0\n"})
        EXPECT_EQ(write(period, junk), EINVAL) << junk;
    EXPECT_EQ(write(period, "1\n"), ERANGE);
    EXPECT_EQ(write(period, "99999999999999999999999\n"), ERANGE);
    EXPECT_EQ(write(period, "0x1f4"), 0);
    EXPECT_EQ(read(period), "500\n");
    EXPECT_EQ(write("schedulers/S/precedence", "-2000\n"), ERANGE);
    EXPECT_EQ(write("schedulers/S/ejected", "x\n"), EACCES) << "read-only";
    EXPECT_EQ(write("probes/cpu/node_load/value", "1\n"), EACCES);
    EXPECT_EQ(write("probes/cpu/nothing", "1\n"), EACCES) << "no file can be made";
    EXPECT_EQ(write("probes/cpu", "1\n"), EISDIR);
    for (const auto* junk : {"\n", " \n", "3-1\n", "1;2\n"})
        EXPECT_EQ(write("schedulers/S/node_set", junk), EINVAL) << junk;
    EXPECT_EQ(write("schedulers/S/node_set", "999999\n"), ERANGE);
    EXPECT_EQ(write("schedulers/S/node_set", "0-1,\n"), 0) << "a comma at the end is tolerated";
    EXPECT_EQ(shell("echo fast > " + period, top), 1) << "a shell sees it";
    EXPECT_THAT(output, HasSubstr("Invalid argument"));
}

TEST_F(ARefusal, ToReadSaysWhetherAnythingIsConnected) {
    EXPECT_EQ(read(port + "/collected_value"), "!EACCES") << "nothing is connected";
    ASSERT_EQ(mkdir(port + "/remote_cache_filter"), 0);
    ASSERT_EQ(mkdir(port + "/remote_cache_filter/threshold_filter"), 0);
    EXPECT_EQ(read(port + "/collected_value"), "!EACCES") << "nor at the lower end of the chain";
    EXPECT_EQ(read(port + "/remote_cache_filter/value"), "!EACCES");
    EXPECT_EQ(read("probes"), "!EISDIR");
    EXPECT_EQ(read("probes/cpu/nothing"), "!ENOENT");
}

TEST_F(ARefusal, OfHostileNamesAndBytesIsPlain) {
    const std::string deep(300, 'n');
    EXPECT_EQ(mkdir("schedulers/" + deep), ENAMETOOLONG);
    EXPECT_EQ(mkdir("schedulers/" + deep.substr(0, 100)), ENAMETOOLONG) << "for a part";
    EXPECT_EQ(symlink("probes/cpu/node_load", port + "/" + deep), ENAMETOOLONG);
    EXPECT_EQ(symlink("probes/cpu/node_load", port + "/" + deep.substr(0, 255)), 0) << "for a link";
    EXPECT_EQ(unlink(port + "/" + deep.substr(0, 255)), 0);
    EXPECT_EQ(symlink("probes/cpu/node_load", port + "/\xff\n ..x"), 0) << "a link may have any name";
    EXPECT_EQ(list(port), (std::set<std::string>{"collected_value", "\xff\n ..x"}));
    for (const auto* name : {"..x", ".hidden", "a b", "a%2Fb", "\xff\xfe", "a\nb", "a;b", "-a"})
        EXPECT_EQ(mkdir(std::string("schedulers/") + name), EINVAL) << name;
    EXPECT_EQ(mkdir("schedulers/../probes/cpu/../../../x"), EPERM);
    EXPECT_EQ(mkdir("schedulers/../../../krg_x"), 0) << "the kernel goes up, and out of the mount";
    std::filesystem::remove(directory.path() + "/krg_x");

    const std::string period = "probes/cpu/probe_period";
    EXPECT_EQ(write(period, std::string(1U << 20U, '7')), EFBIG);
    EXPECT_EQ(write(period, std::string(4097, '7')), EFBIG);
    EXPECT_EQ(write(period, std::string("5\0"
                                        "00",
                                        4)),
              EINVAL);
    EXPECT_EQ(write("schedulers/S/node_set", "\xff\xfe\n"), EINVAL);
    EXPECT_EQ(write("schedulers/S/node_set", std::string(4096, '\x80')), EINVAL);
    EXPECT_EQ(read(period), "1000\n");
    EXPECT_EQ(shell("truncate -s 7 probe_period", top + "/probes/cpu"), 1);
    EXPECT_EQ(shell(": > probe_period", top + "/probes/cpu"), 0)
        << output << ": nothing written is nothing changed";
    EXPECT_EQ(read(period), "1000\n");
    for (const auto* command :
         {"mv probes/cpu probes/x", "ln probes/cpu/probe_period probes/cpu/y",
          "chmod 600 probes/cpu/probe_period", "chown 1 probes", "mkfifo probes/p", "touch probes/new"})
        EXPECT_EQ(shell(command, top), 1) << command;
    EXPECT_TRUE(view.is_running());
}

TEST_F(ARefusal, LeavesTwoWritersEachTheirOwn) {
    const auto writer = [&](const std::string& value) {
        for (int i = 0; i < 100; ++i) EXPECT_EQ(write("probes/cpu/probe_period", value), 0);
    };
    std::thread one(writer, "500\n");
    std::thread other(writer, "12345\n");
    for (int i = 0; i < 50; ++i) {
        const auto now = read("probes/cpu/probe_period");
        EXPECT_TRUE(now == "500\n" || now == "12345\n" || now == "1000\n") << now;
    }
    one.join();
    other.join();
    // several writes to one open file are several values, as in configfs
    EXPECT_EQ(shell("{ echo 700; echo 800; } > probe_period; cat probe_period", top + "/probes/cpu"), 0)
        << output;
    EXPECT_EQ(output, "800\n");
}

TEST_F(ARefusal, WhileTheDaemonIsAwayEndsWhenItIsBack) {
    ASSERT_EQ(symlink("probes/cpu/node_load", port + "/mine"), 0);
    daemon->kill();
    EXPECT_EQ(read("probes/cpu/probe_period"), "!ENOTCONN");
    EXPECT_EQ(mkdir("schedulers/T"), ENOTCONN);
    EXPECT_EQ(shell("ls " + mount), 0) << "what is there without it";
    EXPECT_EQ(shell("ls " + top), 2);
    EXPECT_THAT(output, HasSubstr("not connected"));
    daemon->start_again(bus);
    EXPECT_EQ(read("probes/cpu/probe_period"), "!ENOENT") << "it has started anew, with nothing";
    EXPECT_EQ(mkdir("probes/cpu"), 0);
    EXPECT_EQ(read("probes/cpu/probe_period"), "1000\n");
    // and a restart between two calls goes unnoticed
    daemon->kill();
    daemon->start_again(bus);
    EXPECT_EQ(mkdir("probes/cpu"), 0) << log();
}

TEST_F(ARefusal, ToBeUnmountedLastsWhileSomebodyIsInside) {
    const int inside = ::open((top + "/probes").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT_GE(inside, 0);
    EXPECT_EQ(::umount2(mount.c_str(), 0), -1);
    EXPECT_EQ(errno, EBUSY);
    EXPECT_EQ(view.end(), 0) << "told to end, it goes all the same\n" << log();
    EXPECT_FALSE(is_mounted());
    EXPECT_EQ(::mkdirat(inside, "cpu2", 0755), -1);
    EXPECT_EQ(errno, ENOTCONN) << "and whoever was inside is told";
    ::close(inside);
    mount_view();
    EXPECT_EQ(::umount2(mount.c_str(), 0), 0);
    EXPECT_TRUE(client->wait_for([&] { return !view.is_running(); })) << "it ends with its mount";
    view.end();
}

TEST_F(ARefusal, OfACommandLineSaysWhy) {
    int code = 0;
    const std::string program = SCHEDD_FS;
    EXPECT_THAT(run({program, "--help"}, &code), HasSubstr("allow_other"));
    EXPECT_EQ(code, 0);
    EXPECT_THAT(run({program, "--version"}, &code), HasSubstr("schedd-fs 0"));
    EXPECT_EQ(code, 0);
    EXPECT_THAT(run({program}, &code), HasSubstr("no mount point"));
    EXPECT_EQ(code, 2);
    EXPECT_THAT(run({program, "--bus=" + bus.address(), "/nonexistent/place"}, &code),
                HasSubstr("/nonexistent/place"));
    EXPECT_EQ(code, 2);
    EXPECT_THAT(run({program, "--bus=unix:nonsense=1", mount}, &code), HasSubstr("nonsense"));
    EXPECT_EQ(code, 2);
    EXPECT_THAT(run({program, "--bus=" + bus.address(), "--hologram", mount}, &code), HasSubstr("hologram"));
    EXPECT_EQ(code, 2);
}

} // namespace
} // namespace schedd::test
