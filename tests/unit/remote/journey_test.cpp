// One move: its steps, and that the original goes on whatever fails in whichever of them.
#include <gtest/gtest.h>

#include "tests/unit/remote/played_runner.h"

namespace schedd::test {
namespace {

struct AJourney : testing::Test {
    ManualClock clock;
    PlayedRunner runner;
    Steps steps{"/lib/schedd-migrate", {}};
    std::optional<Site> seen = site(2, "two");
    std::vector<std::string> phases;
    Journey journey{{"work.service", "77", "one", site(2, "two"), 1000},
                    clock,
                    runner,
                    steps,
                    [this](const std::string&) { return seen; },
                    [this] {
                        const auto name = std::string(name_of(journey.phase()));
                        if (phases.empty() || phases.back() != name) phases.push_back(name);
                    }};

    void turn(int seconds) {
        for (int i = 0; i < seconds; ++i) {
            clock.advance(std::chrono::seconds(1));
            journey.turn(clock.now());
        }
    }
    /// Fails in `step`; all that undoes it goes well.
    void fail_in(const std::string& step, int status = 1, const std::string& said = "no") {
        journey.begin();
        runner.play_until(step);
        ASSERT_EQ(runner.current(), step);
        runner.end(status, said);
        while (!runner.running.empty()) runner.end();
    }
};

TEST_F(AJourney, GoesThroughItsStepsAndEndsTheOriginalLast) {
    journey.begin();
    while (!runner.running.empty()) {
        clock.advance(std::chrono::milliseconds(100));
        runner.end();
    }
    EXPECT_EQ(runner.names, (std::vector<std::string>{"link", "look", "ask", "carry", "commit"}));
    EXPECT_EQ(journey.phase(), Phase::moved);
    EXPECT_EQ(journey.frozen(), std::chrono::milliseconds(200));
    EXPECT_EQ(journey.trouble(), "");
    EXPECT_EQ(runner.count("thaw"), 0);
}

TEST_F(AJourney, StandsStillUntilTheCopyRunsNotUntilTheOriginalIsClearedAway) {
    journey.begin();
    runner.play_until("commit");
    clock.advance(std::chrono::seconds(9));
    runner.end(0, {}, "stood 1234\n");
    EXPECT_EQ(journey.phase(), Phase::moved);
    EXPECT_EQ(journey.frozen(), std::chrono::milliseconds(1234));
}

TEST_F(AJourney, TakesTheSizeThatWasFoundForItsLimits) {
    journey.begin();
    runner.play_until("look");
    runner.end(0, {}, "pid 12\nbytes 2000000000\n");
    runner.play_until("carry");
    EXPECT_EQ(runner.running.front().job.limit, std::chrono::seconds(3 * (60 + 5 * 20)));
}

TEST_F(AJourney, LetsTheOriginalGoOnWhateverStepFails) {
    for (const auto* step : {"link", "look", "ask", "carry"}) {
        PlayedRunner played;
        Journey one(
            {"work.service", "77", "one", site(2, "two"), 0}, clock, played, steps,
            [this](const std::string&) { return seen; }, [] {});
        one.begin();
        played.play_until(step);
        played.end(1, "no space is left");
        EXPECT_EQ(played.current(), "thaw") << step;
        played.end();
        // what has been told over there is cleared away, and only that
        const bool was_told = step != std::string("link") && step != std::string("look");
        EXPECT_EQ(played.current(), was_told ? "discard" : "") << step;
        while (!played.running.empty()) played.end();
        EXPECT_EQ(one.phase(), Phase::stayed) << step;
        EXPECT_EQ(one.trouble(), std::string(step) + ": no space is left");
        EXPECT_EQ(played.count("leave"), 0) << step;
    }
}

TEST_F(AJourney, OfAnOriginalThatEndedMeanwhileEndsTheCopy) {
    fail_in("commit", 3, "it has ended meanwhile");
    EXPECT_EQ(journey.phase(), Phase::stayed);
    EXPECT_EQ(runner.count("settle"), 0);
    EXPECT_EQ(runner.count("discard"), 1);
    EXPECT_EQ(journey.trouble(), "it has ended meanwhile");
}

TEST_F(AJourney, AsksWhetherTheCopyRunsWhenNobodySaidSo) {
    journey.begin();
    runner.play_until("commit");
    runner.end(4, "connection lost");
    ASSERT_EQ(runner.current(), "settle");
    runner.end(); // it runs
    ASSERT_EQ(runner.current(), "leave");
    runner.end();
    EXPECT_EQ(journey.phase(), Phase::moved);
    EXPECT_EQ(runner.count("thaw"), 0);
}

TEST_F(AJourney, ThawsWhenTheCopyDoesNotRun) {
    journey.begin();
    runner.play_until("commit");
    runner.end(-1, "it took too long");
    runner.end(4, "the copy does not run there");
    EXPECT_EQ(runner.current(), "thaw");
    while (!runner.running.empty()) runner.end();
    EXPECT_EQ(journey.phase(), Phase::stayed);
}

TEST_F(AJourney, AsksAgainAndAgainForAMinuteAndThenGoesOnHere) {
    journey.begin();
    runner.play_until("commit");
    runner.end(255, "broken pipe");
    for (int i = 0; i < 100 && runner.current() != "thaw"; ++i) {
        if (runner.current() == "settle") runner.end(255, "timed out");
        turn(1);
    }
    ASSERT_EQ(runner.current(), "thaw");
    EXPECT_GT(runner.count("settle"), 20);
    EXPECT_LE(runner.count("settle"), 32);
    EXPECT_NE(journey.trouble().find("both may run"), std::string::npos);
    runner.end();
    EXPECT_EQ(runner.current(), "discard"); // and the copy is ended when it can be reached
}

TEST_F(AJourney, DoesNotWaitForANodeThatIsDead) {
    for (const auto* step : {"ask", "carry"}) {
        PlayedRunner played;
        Journey one(
            {"work.service", "77", "one", site(2, "two"), 0}, clock, played, steps,
            [this](const std::string&) { return seen; }, [] {});
        seen = site(2, "two");
        one.begin();
        played.play_until(step);
        seen->is_gone = true;
        one.turn(clock.now());
        EXPECT_EQ(played.running.back().job.name, "thaw") << step;
        played.end(255, "too late"); // of the step: not heard
        EXPECT_EQ(one.phase(), Phase::thaw) << step;
        played.end();
        one.turn(clock.now());
        EXPECT_EQ(one.phase(), Phase::stayed) << step;
        EXPECT_NE(one.trouble().find("the node has gone"), std::string::npos);
    }
}

TEST_F(AJourney, ThawsAtOnceWhenTheNodeDiesBeforeItHasSaidThatTheCopyRuns) {
    journey.begin();
    runner.play_until("commit");
    runner.end(255, "broken pipe");
    seen->is_gone = true;
    turn(1);
    EXPECT_EQ(runner.running.back().job.name, "thaw");
}

TEST_F(AJourney, ThawsUntilItWorks) {
    journey.begin();
    runner.play_until("carry");
    runner.end(1, "no");
    for (int i = 0; i < 5; ++i) {
        ASSERT_EQ(runner.current(), "thaw");
        runner.end(-1, "PID 1 is busy");
        EXPECT_FALSE(journey.is_over());
        turn(3);
    }
    runner.end();
    runner.end();
    EXPECT_EQ(journey.phase(), Phase::stayed);
}

TEST_F(AJourney, GivesUpClearingAwayAfterTenMinutesAndSaysSo) {
    journey.begin();
    runner.play_until("carry");
    runner.end(1, "no");
    runner.end(); // thawed
    for (int i = 0; i < 700 && !journey.is_over(); ++i) {
        if (!runner.running.empty()) runner.end(255, "no route");
        turn(1);
    }
    EXPECT_EQ(journey.phase(), Phase::stayed);
    EXPECT_NE(journey.trouble().find("not cleared away: no route"), std::string::npos);
}

TEST_F(AJourney, ToANodeThatSshCannotNameFailsAtOnce) {
    Journey odd(
        {"work.service", "77", "one", site(2, "-bad name"), 0}, clock, runner, steps,
        [this](const std::string&) { return seen; }, [] {});
    odd.begin();
    EXPECT_EQ(runner.current(), "thaw");
    runner.end();
    EXPECT_EQ(odd.phase(), Phase::stayed);
    EXPECT_NE(odd.trouble().find("-bad name"), std::string::npos);
}

TEST_F(AJourney, ResumedKnowsTheNodeWhenItIsHeardOf) {
    seen.reset();
    Journey resumed(
        {"work.service", "77", "one", Site{.name = "two"}, 0}, clock, runner, steps,
        [this](const std::string&) { return seen; }, [] {});
    resumed.resume(Phase::settle);
    EXPECT_TRUE(runner.running.empty()); // there is no address yet
    clock.advance(std::chrono::seconds(3));
    seen = site(2, "two");
    resumed.turn(clock.now());
    ASSERT_EQ(runner.current(), "settle");
    EXPECT_NE(runner.line().find("HostName=10.0.0.2"), std::string::npos);
}

} // namespace
} // namespace schedd::test
