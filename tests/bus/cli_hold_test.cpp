// schedd-cli hold against the real daemon: the command's own exit code and signals, and the list.
#include <csignal>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include "tests/bus/attempts.h"
#include "tests/bus/daemon.h"
#include "tests/bus/held_from_here.h"
#include "tests/bus/played_polkit.h"

namespace schedd::test {
namespace {

struct TheHoldVerb : testing::Test {
    void SetUp() override { ASSERT_TRUE(daemon.is_running()) << daemon.log(); }
    [[nodiscard]] std::vector<std::string> words(const std::vector<std::string>& more) const {
        std::vector<std::string> all{SCHEDD_CLI, "--bus=" + bus.address(), "hold"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    int cli(const std::vector<std::string>& more) {
        int code = -1;
        output = run(words(more), &code);
        return code;
    }
    nlohmann::json holds() {
        return nlohmann::json::parse(client.call<std::string>("Status").value)["holds"];
    }

    PrivateBus bus{BusKind::dbus_daemon};
    Daemon daemon{bus};
    Client client{bus.address()};
    std::string output;
};

TEST_F(TheHoldVerb, EndsAsItsCommandEnds) {
    EXPECT_EQ(cli({"--", "true"}), 0) << output;
    EXPECT_EQ(cli({"--", "sh", "-c", "exit 42"}), 42);
    EXPECT_EQ(cli({"--", "sh", "-c", "kill -TERM $$"}), 128 + SIGTERM);
    EXPECT_EQ(cli({"--", "no-such-command-anywhere"}), 127);
    EXPECT_NE(output.find("cannot run 'no-such-command-anywhere'"), std::string::npos) << output;
    EXPECT_EQ(cli({"--", "/etc/passwd"}), 126);
    EXPECT_EQ(cli({"--", "echo", "--", "-n", "--help"}), 0);
    EXPECT_EQ(output, "-- -n --help\n") << "the command's words are its own";
    EXPECT_TRUE(client.wait_for([&] { return holds().empty(); }));
}

TEST_F(TheHoldVerb, HoldsWhileItsCommandRuns) {
    ASSERT_TRUE(client.apply_verbs("create schedulers/S\n"));
    const auto status = std::string(SCHEDD_CLI) + " --bus=" + bus.address() + " hold --json=short";
    ASSERT_EQ(cli({"--what=scheduler:S", "--who=bench", "--why=numbers", "--", "sh", "-c", status}), 0)
        << output;
    const auto listed = nlohmann::json::parse(output);
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_EQ(listed[0]["what"], "scheduler:S");
    EXPECT_EQ(listed[0]["who"], "bench");
    EXPECT_EQ(listed[0]["why"], "numbers");
    ASSERT_EQ(cli({"--", "sh", "-c", status}), 0);
    EXPECT_EQ(nlohmann::json::parse(output)[0]["what"], "scheduler:*");
    EXPECT_EQ(nlohmann::json::parse(output)[0]["who"], "sh");
}

TEST_F(TheHoldVerb, PassesSignalsOnToItsCommand) {
    const pid_t pid = ::fork();
    const auto file = bus.directory() + "/out";
    if (pid == 0)
        become(words({"--", "sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"}),
               file);
    ASSERT_TRUE(client.wait_for([&] { return content_of(file) == "ready\n"; })) << content_of(file);
    ::kill(pid, SIGTERM);
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
}

TEST_F(TheHoldVerb, IsReleasedWhenItIsKilled) {
    const pid_t pid = ::fork();
    if (pid == 0) become(words({"--", "sleep", "1000"}), "/dev/null");
    EXPECT_TRUE(client.wait_for([&] { return holds().size() == 1; }));
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    EXPECT_TRUE(client.wait_for([&] { return holds().empty(); })) << "though its command goes on";
}

TEST_F(TheHoldVerb, ListsHoldsAndShowsThemInStatus) {
    ASSERT_TRUE(client.apply_verbs("create schedulers/S\n"));
    EXPECT_EQ(cli({}), 0);
    EXPECT_EQ(output, "No holds.\n");
    EXPECT_EQ(cli({"--json=short"}), 0);
    EXPECT_EQ(output, "[]\n");
    const HeldFromHere hold(client, "scheduler:S", "bench \xE2\x80\xAE", "numbers");
    ASSERT_EQ(hold.error(), "") << hold.message();
    EXPECT_EQ(cli({}), 0);
    EXPECT_NE(output.find("scheduler:S"), std::string::npos) << output;
    EXPECT_EQ(output.find("\xE2\x80\xAE"), std::string::npos) << "what turns text around is shown escaped";
    int code = -1;
    const auto status = run({SCHEDD_CLI, "--bus=" + bus.address(), "status"}, &code);
    EXPECT_EQ(code, 0);
    EXPECT_EQ(status.find("\xE2\x80\xAE"), std::string::npos);
}

TEST_F(TheHoldVerb, RunsNothingWhenTheHoldIsRefused) {
    const auto trace = bus.directory() + "/trace";
    EXPECT_EQ(cli({"--what=moon", "--", "touch", trace}), 1);
    EXPECT_NE(output.find("scheduler:NAME"), std::string::npos) << output;
    EXPECT_EQ(cli({"--why=nothing"}), 2) << output;
    EXPECT_EQ(cli({"--json=short", "--", "touch", trace}), 2);
    EXPECT_NE(::access(trace.c_str(), F_OK), 0);
}

TEST_F(TheHoldVerb, EndsWithFourWhenDeniedAndAsksOnlyWhenItMay) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    PlayedPolkit polkit(bus.address(), Verdict::deny);
    std::vector<std::string> as_other{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
    const auto other = [&](const std::vector<std::string>& more, bool on_terminal) {
        auto all = as_other;
        auto rest = words(more);
        all.insert(all.end(), rest.begin(), rest.end());
        if (on_terminal) {
            std::string line;
            for (const auto& word : all) line += "'" + word + "' ";
            all = {"script", "--quiet", "--return", "--command", line, "/dev/null"};
        }
        int code = -1;
        output = run(all, &code);
        return code;
    };
    EXPECT_EQ(other({"--", "true"}, false), 4) << output;
    EXPECT_NE(output.find("org.schedd1.hold is denied to uid 65534"), std::string::npos) << output;
    EXPECT_EQ(other({"--", "true"}, true), 4) << output;
    EXPECT_EQ(other({"--no-ask-password", "--", "true"}, true), 4) << output;
    const auto asked = polkit.asked();
    ASSERT_EQ(asked.size(), 3U);
    EXPECT_EQ(asked[0].flags, 0U) << "there is nobody at a terminal";
    EXPECT_EQ(asked[1].flags, 1U);
    EXPECT_EQ(asked[2].flags, 0U);
}

} // namespace
} // namespace schedd::test
