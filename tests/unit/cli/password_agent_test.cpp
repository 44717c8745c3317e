// The password agent is a child: started, waited for until it is ready, and ended, whatever it does.
#include "cli/password_agent.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>

namespace schedd::test {
namespace {

using cli::PasswordAgent;

/// A folder with a program that plays the agent.
struct Played : testing::Test {
    std::string folder = std::string(testing::TempDir()) + "agent-XXXXXX";
    std::string program;

    void SetUp() override {
        ASSERT_NE(::mkdtemp(folder.data()), nullptr);
        program = folder + "/agent";
    }
    void TearDown() override {
        std::error_code busy; // an agent that was ended may write its last file still
        for (int i = 0; i < 100; ++i) {
            std::filesystem::remove_all(folder, busy);
            if (!std::filesystem::exists(folder)) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        ADD_FAILURE() << folder << " cannot be removed: " << busy.message();
    }
    void play(const std::string& body) {
        std::ofstream(program) << "#!/bin/sh\necho \"$@\" >" << folder << "/words\n"
                               << "echo $$ >" << folder << "/pid\n"
                               << body << "\n";
        std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    }
    std::string text(const std::string& name) const {
        std::ifstream file(folder + "/" + name);
        return {std::istreambuf_iterator<char>(file), {}};
    }
};

using TheAgent = Played;

TEST_F(TheAgent, IsReadyWhenItIsThereAndEndsWithTheCall) {
    play("fd=$2; eval \"exec $fd>&-\"; touch " + folder + "/ready; exec sleep 60");
    pid_t pid = 0;
    {
        const PasswordAgent agent(program.c_str());
        ASSERT_TRUE(agent.is_running());
        EXPECT_NE(text("words").find("--notify-fd"), std::string::npos);
        EXPECT_NE(text("words").find("--fallback"), std::string::npos);
        pid = std::stoi(text("pid"));
        EXPECT_EQ(::kill(pid, 0), 0);
    }
    EXPECT_NE(::kill(pid, 0), 0) << "it is still there";
}

/// Nothing is left to wait for.
bool has_children() { return ::waitpid(-1, nullptr, WNOHANG) >= 0; }

TEST_F(TheAgent, ThatEndsAtOnceIsNotWaitedFor) {
    play("exit 1");
    { const PasswordAgent agent(program.c_str()); }
    EXPECT_FALSE(has_children());
}

TEST_F(TheAgent, ThatIsNotInstalledDoesNoHarm) {
    { const PasswordAgent agent((folder + "/none").c_str()); }
    EXPECT_FALSE(has_children());
}

} // namespace
} // namespace schedd::test
