// The mover's rules: what it refuses and why, one after the other, and what people ask of it.
#include <gtest/gtest.h>

#include "tests/unit/remote/played_runner.h"

namespace schedd::test {
namespace {

using model::Move;
using model::Target;

struct AMover : testing::Test {
    ManualClock clock;
    FakeHost host;
    RecordingLog log;
    PlayedRunner runner;
    Steps steps{"/lib/schedd-migrate", {}};
    std::vector<Site> sites;
    std::vector<std::string> told;
    int ids = 0;
    RemoteMover mover{clock,
                      host,
                      log,
                      runner,
                      steps,
                      {[this] { return sites; },
                       [this](const MoveFacts& move) { told.push_back(move.unit + " " + move.phase); },
                       [this] { return std::to_string(++ids); }}};
    const Target work = Target::unit("work.service");

    AMover() {
        put_unit(host);
        sites = {site(1, "one"), site(2, "two"), site(3, "three")};
        sites[0].is_self = true;
        mover.begin();
        runner.end(); // recover
        runner.end(); // check
    }
    void turn(int seconds = 1) {
        for (int i = 0; i < seconds; ++i) {
            clock.advance(std::chrono::seconds(1));
            mover.turn(clock.now());
        }
    }
    void end_all() {
        while (!runner.running.empty()) runner.end();
        mover.turn(clock.now());
    }
    Errc refusal(const Status& status) {
        EXPECT_FALSE(status);
        reason = status ? "" : status.error().text();
        return status ? Errc::io : status.error().kind;
    }
    std::string reason;
    [[nodiscard]] bool says(std::string_view part) const { return reason.find(part) != std::string::npos; }
};

TEST_F(AMover, MovesWhatAPolicyWantsAndTellsOfEachPhase) {
    ASSERT_TRUE(mover.move("LB", Move{work, 2, "too much here", 0}));
    EXPECT_EQ(mover.on_going(), 1);
    EXPECT_EQ(mover.last_start(), clock.now());
    end_all();
    EXPECT_EQ(mover.on_going(), 0);
    EXPECT_EQ(told,
              (std::vector<std::string>{"work.service link", "work.service look", "work.service ask",
                                        "work.service carry", "work.service commit", "work.service moved"}));
    ASSERT_EQ(mover.facts().size(), 1U);
    EXPECT_EQ(mover.facts()[0].reason, "LB: too much here");
    EXPECT_EQ(mover.facts()[0].phase, "moved");
}

TEST_F(AMover, CountsEachStartAndEnd) {
    const auto before = mover.generation();
    ASSERT_TRUE(mover.move("LB", Move{work, 2, "", 0}));
    EXPECT_EQ(mover.generation(), before + 1);
    end_all();
    EXPECT_EQ(mover.generation(), before + 2);
}

TEST_F(AMover, TakesOneAtATimeAndOneInTwoSeconds) {
    put_unit(host, "other.service");
    ASSERT_TRUE(mover.move("LB", Move{work, 2, "", 0}));
    EXPECT_EQ(refusal(mover.move("LB", Move{work, 3, "", 0})), Errc::busy);
    EXPECT_TRUE(says("being moved to two already"));
    EXPECT_EQ(refusal(mover.move("LB", Move{Target::unit("other.service"), 2, "", 0})), Errc::busy);
    EXPECT_TRUE(says("another move is under way"));
    end_all();
    EXPECT_EQ(refusal(mover.move("LB", Move{Target::unit("other.service"), 2, "", 0})), Errc::busy);
    EXPECT_TRUE(says("less than 2 s ago"));
    turn(2);
    EXPECT_TRUE(mover.move("LB", Move{Target::unit("other.service"), 2, "", 0}));
}

TEST_F(AMover, DoesNotMoveToANodeThatTakesNoWork) {
    sites[1].trouble = "it takes no work: it is suspect";
    EXPECT_EQ(refusal(mover.move("LB", Move{work, 2, "", 0})), Errc::no_such_object);
    EXPECT_TRUE(says("it is suspect"));
    EXPECT_EQ(refusal(mover.move("LB", Move{work, 9, "", 0})), Errc::no_such_object);
    EXPECT_EQ(refusal(mover.move("LB", Move{work, 1, "", 0})), Errc::invalid_value);
    EXPECT_TRUE(runner.running.empty());
}

TEST_F(AMover, WeighsTheGainAgainstTheCostAndNamesTheFigures) {
    // 60 s old, 41 MB: 1.4 s cost; 0.05 of a CPU more for as long again is 3 s, 0.1 is 6 s
    EXPECT_EQ(refusal(mover.move("LB", Move{work, 2, "", 50})), Errc::not_applied);
    EXPECT_TRUE(says("3.0 s of CPU"));
    EXPECT_TRUE(says("3 times the 1.4 s"));
    EXPECT_TRUE(mover.move("LB", Move{work, 2, "", 100}));
}

TEST_F(AMover, LearnsWhatMovesCostFromThoseBefore) {
    ASSERT_TRUE(mover.move("LB", Move{work, 2, "", 0}));
    runner.play_until("commit");
    runner.end(0, {}, "stood 60400\n"); // 0.4 s of it for the images
    end_all();
    clock.advance(std::chrono::seconds(3));
    EXPECT_EQ(refusal(mover.move("LB", Move{work, 2, "", 1000})), Errc::not_applied);
    EXPECT_TRUE(says("60.0 s of CPU"));
    EXPECT_TRUE(says("3 times the 30.9 s")) << reason;
    for (int i = 0; i < 8; ++i) { // quick ones, that people want whatever they cost
        ASSERT_TRUE(mover.ask_for("unit:work.service", "two", "by hand", false));
        turn();
        runner.play_until("commit");
        runner.end(0, {}, "stood 500\n");
        end_all();
        clock.advance(std::chrono::seconds(3));
    }
    EXPECT_TRUE(mover.move("LB", Move{work, 2, "", 100}));
}

TEST_F(AMover, SaysWhyNotFromWhatItKnowsAndLooksInTheBackground) {
    host.reset_counts();
    EXPECT_EQ(mover.why_not(work), "it has not been looked at yet");
    EXPECT_EQ(host.counts().reads, 0U);
    turn();
    EXPECT_EQ(mover.why_not(work), "");
    host.set_link("proc/101/fd/9", "/dev/sda");
    EXPECT_EQ(mover.why_not(work), "");
    turn(3);
    EXPECT_NE(mover.why_not(work).find("/dev/sda"), std::string::npos);
    EXPECT_EQ(refusal(mover.move("LB", Move{work, 2, "", 0})), Errc::not_supported);
}

TEST_F(AMover, MovesAProcessWithItsUnit) {
    const auto group = "0::/batch.slice/batch-day.slice/work.service\n";
    host.set("proc/100/cgroup", group);
    host.set("proc/102/cgroup", group);
    const auto first = Target::process(101, 5);
    const auto child = Target::process(102, 5); // which may be all that has a load, or is a member
    (void)mover.why_not(first);
    turn();
    EXPECT_EQ(mover.why_not(first), "");
    EXPECT_EQ(mover.why_not(child), "");
    EXPECT_NE(mover.why_not(Target::process(100, 5)).find("it stays when work.service is moved"),
              std::string::npos);
    EXPECT_NE(mover.why_not(Target::process(999, 5)).find("in no unit"), std::string::npos);
    ASSERT_TRUE(mover.move("LB", Move{child, 2, "", 0}));
    EXPECT_EQ(mover.facts()[0].unit, "work.service");
    EXPECT_NE(mover.why_not(first).find("being moved"), std::string::npos);
}

TEST_F(AMover, WithoutCriuSaysSoAndMovesNothing) {
    RemoteMover lame(clock, host, log, runner, steps,
                     {[this] { return sites; }, [](const MoveFacts&) {}, [] { return "1"; }});
    lame.begin();
    runner.end();
    runner.end(1, "CRIU is not installed");
    EXPECT_EQ(lame.unavailable(), "migration unavailable: CRIU is not installed");
    EXPECT_EQ(lame.why_not(work), lame.unavailable());
    EXPECT_EQ(refusal(lame.move("LB", Move{work, 2, "", 0})), Errc::not_supported);
    EXPECT_FALSE(lame.expel(false));
    EXPECT_FALSE(lame.checkpoint("unit:work.service", "/tmp/x", false));
}

TEST_F(AMover, StartsNothingWhereNothingCanBeStarted) {
    RemoteMover lame(clock, host, log, runner, steps,
                     {[this] { return sites; }, [](const MoveFacts&) {}, [] { return "1"; }});
    lame.begin("systemd is not PID 1");
    EXPECT_TRUE(runner.running.empty());
    EXPECT_EQ(lame.unavailable(), "migration unavailable: systemd is not PID 1");
}

TEST_F(AMover, LetsPeopleWaitForTheirTurn) {
    put_unit(host, "other.service");
    ASSERT_TRUE(mover.ask_for("unit:work.service", "two", "by hand", false));
    ASSERT_TRUE(mover.ask_for("other", "3", "by hand", false));
    EXPECT_FALSE(mover.ask_for("other", "two", "by hand", false));
    EXPECT_FALSE(mover.ask_for("process:101", "two", "by hand", true)); // of other.service, too
    turn();
    EXPECT_EQ(mover.facts()[0].phase, "link");
    EXPECT_EQ(mover.facts()[1].phase, "waiting");
    end_all();
    turn(3);
    EXPECT_EQ(mover.facts()[1].phase, "link");
    EXPECT_EQ(mover.facts()[1].node, "three");
}

TEST_F(AMover, RefusesWhatMakesNoSense) {
    for (const auto* what : {"", "unit:", "unit:a/b", "session:4", "process:x", "process:4242"})
        EXPECT_FALSE(mover.ask_for(what, "two", "by hand", false)) << what;
    for (const auto* node : {"", "nowhere", "1", "one", "99"})
        EXPECT_FALSE(mover.ask_for("work", node, "by hand", false)) << node;
    sites.clear();
    EXPECT_FALSE(mover.ask_for("work", "two", "by hand", false));
    EXPECT_TRUE(runner.running.empty());
}

TEST_F(AMover, TellsOfAWishThatCannotBeMetAnyMoreWhenItsTurnComes) {
    ASSERT_TRUE(mover.ask_for("work", "two", "by hand", false));
    sites[1].trouble = "it takes no work: it is dead";
    turn();
    EXPECT_EQ(told, (std::vector<std::string>{"work.service stayed"}));
    EXPECT_NE(mover.facts()[0].detail.find("it is dead"), std::string::npos);
}

TEST_F(AMover, SendsGuestsHomeAndSpreadsThoseWithoutOne) {
    const std::string folder = "var/lib/schedd/migrate/guests/";
    for (const auto* unit : {"a.service", "b.service", "c.service", "d.service"}) put_unit(host, unit);
    host.set(folder + "a.service", "id=1\nfrom=three\nhome=three\n");
    host.set(folder + "b.service", "id=2\nfrom=two\nhome=gone\n");
    host.set(folder + "c.service", "id=3\nfrom=two\nhome=gone\n");
    host.set(folder + "d.service", "id=4\nfrom=two\nhome=one\n"); // it is at home
    host.set(folder + "ended.service", "id=5\nfrom=two\nhome=two\n");
    EXPECT_EQ(mover.guests().size(), 3U);
    EXPECT_EQ(mover.expel(true), 3U);
    EXPECT_TRUE(mover.facts().empty());
    EXPECT_EQ(mover.expel(false), 3U);
    std::vector<std::string> where;
    for (const auto& move : mover.facts()) where.push_back(move.unit + " " + move.node);
    EXPECT_EQ(where, (std::vector<std::string>{"a.service three", "b.service three", "c.service two"}));
}

TEST_F(AMover, AsksAllOthersForItsOwn) {
    sites[2].is_gone = true;
    EXPECT_EQ(mover.bring(false), 1U);
    ASSERT_EQ(runner.current(), "link");
    runner.end();
    ASSERT_EQ(runner.current(), "home_to");
    EXPECT_NE(runner.line().find("home_to one"), std::string::npos);
    runner.end(1, "busy");
    EXPECT_EQ(log.count("two does not send back"), 1U);
}

TEST_F(AMover, SavesAndRevives) {
    EXPECT_FALSE(mover.checkpoint("work", "relative", false));
    EXPECT_EQ(mover.checkpoint("work", "/srv/x", true), 0U);
    const auto id = mover.checkpoint("work", "/srv/x", false);
    ASSERT_TRUE(id);
    EXPECT_EQ(mover.facts()[0].phase, "saving");
    EXPECT_FALSE(mover.checkpoint("work", "/srv/y", false));
    EXPECT_EQ(refusal(mover.move("LB", Move{work, 2, "", 0})), Errc::busy);
    runner.end();
    EXPECT_EQ(mover.facts()[0].phase, "saved");
    ASSERT_TRUE(mover.revive("/srv/x", false));
    runner.end(0, {}, "work.service\n");
    EXPECT_EQ(mover.facts()[1].unit, "work.service");
    EXPECT_EQ(mover.facts()[1].phase, "revived");
    ASSERT_TRUE(mover.revive("/srv/none", false));
    runner.end(1, "/srv/none is no checkpoint");
    EXPECT_EQ(mover.facts()[2].phase, "failed");
    EXPECT_EQ(mover.facts()[2].detail, "/srv/none is no checkpoint");
}

TEST_F(AMover, TakesUpWhatAnEarlierRunLeftInTheMiddle) {
    RemoteMover next(clock, host, log, runner, steps,
                     {[this] { return sites; }, [](const MoveFacts&) {}, [] { return "1"; }});
    next.begin();
    runner.end(0, {}, "unclear work.service 4711 two\ndiscard half.service 4712 three\ngarbage\n");
    runner.end(); // check
    ASSERT_EQ(runner.running.size(), 2U);
    EXPECT_EQ(runner.current(), "settle");
    EXPECT_NE(runner.line().find("settle work.service 4711"), std::string::npos);
    runner.end();
    EXPECT_EQ(runner.current(), "discard");
    EXPECT_EQ(next.why_not(work), "it is being moved to two");
    EXPECT_FALSE(next.last_start());
}

TEST_F(AMover, RemembersTheLastThirtyTwo) {
    for (int i = 0; i < 40; ++i) {
        ASSERT_TRUE(mover.move("LB", Move{work, 2, "", 0})) << i;
        end_all();
        turn(2);
    }
    EXPECT_EQ(mover.facts().size(), 32U);
    EXPECT_EQ(mover.facts().front().id, 9U);
}

} // namespace
} // namespace schedd::test
