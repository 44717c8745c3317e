// Jobs as child processes: how they ended, what they said, and that none is waited for for ever.
#include <poll.h>

#include <gtest/gtest.h>

#include "service/remote/systemd_runner.h"
#include "tests/kit/manual_clock.h"

namespace schedd::test {
namespace {

using namespace schedd::remote;

struct ARunner : testing::Test {
    ManualClock clock;
    std::unique_ptr<SystemdRunner> runner = *SystemdRunner::open(clock, {"/usr/bin/env"});
    std::vector<JobResult> results;

    void start(std::vector<std::string> words, Duration limit = std::chrono::seconds(60)) {
        runner->start({"try", std::move(words), limit},
                      [this](const JobResult& result) { results.push_back(result); });
    }
    /// As the loop does: woken by the descriptor.
    void wait_for(std::size_t count) {
        for (int i = 0; i < 10'000 && results.size() < count; ++i) {
            pollfd polled{runner->fd(), POLLIN, 0};
            (void)poll(&polled, 1, 100);
            runner->turn(clock.now());
        }
        ASSERT_EQ(results.size(), count);
    }
};

TEST_F(ARunner, TellsHowAJobEndedAndItsLastWord) {
    start({"sh", "-c", "echo out; echo first >&2; echo 'no space' >&2; exit 3"});
    wait_for(1);
    EXPECT_EQ(results[0].status, 3);
    EXPECT_EQ(results[0].said, "no space");
    EXPECT_EQ(results[0].printed, "out\n");
}

TEST_F(ARunner, RunsSeveralAtOnce) {
    for (int i = 0; i < 5; ++i) start({"sh", "-c", "exit 0"});
    wait_for(5);
    for (const auto& result : results) EXPECT_TRUE(result.is_done());
}

TEST_F(ARunner, TellsOfAJobThatCannotBeStarted) {
    runner = *SystemdRunner::open(clock, {"/nonexistent/program"});
    start({"x"});
    EXPECT_TRUE(results.empty()); // later, never from within
    runner->turn(clock.now());
    ASSERT_EQ(results.size(), 1U);
    EXPECT_FALSE(results[0].is_done());
    EXPECT_NE(results[0].said.find("/nonexistent/program"), std::string::npos);
}

TEST_F(ARunner, EndsAJobThatTakesTooLong) {
    start({"sleep", "1000"}, std::chrono::seconds(5));
    runner->turn(clock.now());
    EXPECT_TRUE(results.empty());
    clock.advance(std::chrono::seconds(30));
    runner->turn(clock.now());
    ASSERT_EQ(results.size(), 1U);
    EXPECT_EQ(results[0].status, -1);
    EXPECT_EQ(results[0].said, "it took longer than 5 s");
}

TEST_F(ARunner, KeepsTheEndOfWhatIsSaidAndTheBeginningOfWhatIsPrinted) {
    start({"sh", "-c",
           "head -c 300000 /dev/zero | tr '\\0' x; head -c 300000 /dev/zero | tr '\\0' y >&2; echo >&2; echo "
           "end >&2"});
    wait_for(1);
    EXPECT_EQ(results[0].printed.size(), 64U * 1024);
    EXPECT_EQ(results[0].said, "end");
}

TEST_F(ARunner, WaitsForNobodyWhoHoldsAPipeOpen) {
    start({"sh", "-c", "sleep 1000 & echo $! ; exit 0"});
    wait_for(1);
    EXPECT_TRUE(results[0].is_done());
    kill(std::stoi(results[0].printed), SIGKILL);
}

TEST_F(ARunner, LetsTheNextBeginFromWhatItTells) {
    runner->start({"a", {"sh", "-c", "exit 0"}, std::chrono::seconds(60)}, [this](const JobResult& first) {
        results.push_back(first);
        start({"sh", "-c", "exit 9"});
    });
    wait_for(2);
    EXPECT_EQ(results[1].status, 9);
}

} // namespace
} // namespace schedd::test
