// What an explanation tells of the ways not taken: asked of the policy when a person asks, at no other time.
#include <gmock/gmock.h>

#include "tests/unit/placement/an_engine.h"

namespace schedd::placement {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Decides nothing, or what it is told, and says so many sentences about each subject.
class TalkingPolicy final : public Policy {
public:
    using Policy::Policy;
    std::vector<Decision> decide(const View& /*view*/) override { return decisions; }
    [[nodiscard]] std::vector<std::string> considered(const View& view,
                                                      const Subject& subject) const override {
        ++asked;
        if (sentences < 0) throw std::runtime_error("lost for words");
        std::vector<std::string> lines;
        for (int i = 0; i < sentences; ++i)
            lines.push_back(fmt::format("{} of {}, {} CPUs: {}", subject.target.text(), view.subjects.size(),
                                        view.topology.usable().count(), i));
        return lines;
    }
    std::vector<Decision> decisions;
    int sentences = 1;
    mutable int asked = 0;
};
const Descriptor kTalking{.name = "talking",
                          .kind = Kind::policy,
                          .doc = "Talks.",
                          .make = make_part<TalkingPolicy>,
                          .ports = kOnePort};

struct AnExplanation : EngineWorld {
    AnExplanation() : EngineWorld({&kTalking}, plain_machine(4)) {
        EXPECT_TRUE(world.apply("create schedulers/S\ncreate schedulers/S/talking\n"));
    }
    void attach(Pid first, Pid last) {
        std::string recipe;
        for (Pid pid = first; pid <= last; ++pid) {
            world.start({.pid = pid});
            recipe += fmt::format("create schedulers/S/process_set/process:{}\n", pid);
        }
        ASSERT_TRUE(world.apply(recipe));
    }
    TalkingPolicy& policy() { return world.at<TalkingPolicy>("schedulers/S/talking"); }
    void tick() {
        policy().make_due();
        EngineWorld::tick();
    }
    /// What is said about the only target of that name.
    std::vector<std::string> said(std::string_view what) {
        const auto rows = engine->explain(what).value();
        return rows.size() == 1 && rows[0].considered.size() == 1 ? rows[0].considered[0]
                                                                  : std::vector<std::string>{"?"};
    }
};

TEST_F(AnExplanation, TellsWhatThePolicySaysAboutThatMember) {
    attach(10, 11);
    policy().decisions = {{process(10), cpus("2"), "two is free"}};
    tick();
    EXPECT_EQ(policy().asked, 0) << "deciding costs nothing more";
    EXPECT_THAT(said("process:10"), ElementsAre("process:10 of 2, 4 CPUs: 0"));
    EXPECT_EQ(policy().asked, 1);
    EXPECT_THAT(said("11"), ElementsAre("process:11 of 2, 4 CPUs: 0")) << "also where nothing was decided";
    EXPECT_EQ(engine->explain("S").value().size(), 2U);
    EXPECT_EQ(policy().asked, 4);
}

TEST_F(AnExplanation, OfEverythingAsksNobody) {
    attach(10, 12);
    tick();
    const auto rows = engine->explain("").value();
    ASSERT_EQ(rows.size(), 3U);
    for (const auto& row : rows) EXPECT_THAT(row.considered, ElementsAre(IsEmpty()));
    engine->check_all();
    EXPECT_EQ(policy().asked, 0);
}

TEST_F(AnExplanation, AsksAboutTheFirstOfManyOnly) {
    attach(1000, 1000 + static_cast<Pid>(limits::kConsidered));
    tick();
    const auto rows = engine->explain("S").value();
    ASSERT_EQ(rows.size(), limits::kConsidered + 1);
    EXPECT_EQ(rows[limits::kConsidered - 1].considered[0].size(), 1U);
    EXPECT_THAT(rows[limits::kConsidered].considered, ElementsAre(IsEmpty()));
    EXPECT_EQ(policy().asked, static_cast<int>(limits::kConsidered));
}

TEST_F(AnExplanation, EndsTooManySentencesWithTheNumberOfTheOthers) {
    attach(10, 10);
    tick();
    policy().sentences = static_cast<int>(limits::kConsideredLines);
    EXPECT_EQ(said("10").back(), "process:10 of 1, 4 CPUs: 15");
    policy().sentences = 100'000;
    const auto lines = said("10");
    EXPECT_EQ(lines.size(), limits::kConsideredLines);
    EXPECT_EQ(lines.back(), "and 99985 more");
}

TEST_F(AnExplanation, SurvivesAPolicyThatThrowsAndLeavesItInAction) {
    attach(10, 10);
    policy().decisions = {{process(10), cpus("2"), "two is free"}};
    tick();
    policy().sentences = -1;
    EXPECT_THAT(said("10"), ElementsAre("its policy could not say what else it considered: lost for words"));
    EXPECT_EQ(engine->facts()[0].ejected, "");
    EXPECT_EQ(actuator.mask(process(10)), cpus("2"));
}

TEST_F(AnExplanation, SaysNothingMoreWithoutAPolicyOrForOneThatWasEjected) {
    attach(10, 10);
    policy().decisions = {{process(99), cpus("2"), "a stranger"}};
    tick();
    ASSERT_NE(engine->facts()[0].ejected, "");
    EXPECT_THAT(said("10"), IsEmpty());
    ASSERT_TRUE(world.apply("remove -r schedulers/S/talking"));
    engine->tick(world.clock.now());
    EXPECT_THAT(said("10"), IsEmpty());
}

TEST_F(AnExplanation, IsTheSameBeforeThePolicyHasDecidedAtAll) {
    attach(10, 10);
    engine->settle(world.clock.now());
    EXPECT_THAT(said("process:10"), ElementsAre("process:10 of 1, 4 CPUs: 0"));
}

} // namespace
} // namespace schedd::placement
