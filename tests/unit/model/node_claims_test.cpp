// Which nodes schedulers have: the original's rules for named, exclusive and fitting sets, and what happens
// as nodes come and go (Kerrighed scheduler.c).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "components/model/node_claims.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using testing::HasSubstr;

struct Claims : ::testing::Test {
    World world;
    Claims() {
        world.cluster.fill(4);
        EXPECT_TRUE(world.apply("create schedulers/A\ncreate schedulers/B"));
        share();
    }
    void share() {
        for (auto& [scheduler, given] : share_nodes(world.tree)) scheduler->take_share(std::move(given));
    }
    /// Applies and shares; the error's kind, none on success.
    std::optional<Errc> write(const std::string& lines) {
        auto kind = world.kind(lines);
        share();
        return kind;
    }
    std::string error(const std::string& lines) {
        const auto done = world.apply(lines);
        return done ? "" : done.error().text();
    }
    /// As another node or a file says it.
    void take(const std::string& lines) {
        const auto recipe = parse_recipe(lines);
        ASSERT_TRUE(recipe);
        const auto done = world.tree.apply(*recipe, false, Tree::NodeSets::taken);
        ASSERT_TRUE(done) << done.error().text();
        share();
    }
    std::string nodes(const std::string& name) {
        return world.read("schedulers/" + name + ".effective_node_set");
    }
    std::string note(const std::string& name) { return world.read("schedulers/" + name + ".note"); }
    std::string set(const std::string& name) { return world.read("schedulers/" + name + ".node_set"); }
    std::string fits(const std::string& name) {
        return world.read("schedulers/" + name + ".node_set_max_fit");
    }
};
using AScheduler = Claims;
using AnExclusiveScheduler = Claims;
using ANodeSetWritten = Claims;
using ANodeThatComes = Claims;
using ANodeThatGoes = Claims;
using ClaimsMadeAtOnce = Claims;
using AJoiningNode = Claims;

TEST_F(AScheduler, HasAllNodesAtFirst) {
    EXPECT_EQ(set("A"), "all");
    EXPECT_EQ(fits("A"), "true");
    EXPECT_EQ(world.read("schedulers/A.node_set_exclusive"), "false");
    EXPECT_EQ(nodes("A"), "0-3");
    EXPECT_EQ(nodes("B"), "0-3");
    EXPECT_EQ(note("A"), "");
}
TEST_F(AScheduler, MaySharedNodesThatAnotherNamesToo) {
    EXPECT_FALSE(write("write schedulers/A.node_set 0-1"));
    EXPECT_FALSE(write("write schedulers/B.node_set 1-2"));
    EXPECT_EQ(nodes("A"), "0-1");
    EXPECT_EQ(nodes("B"), "1-2");
}
TEST_F(ANodeSetWritten, ClearsMaxFit) {
    EXPECT_FALSE(write("write schedulers/A.node_set 0-1"));
    EXPECT_EQ(fits("A"), "false");
    EXPECT_FALSE(write("write schedulers/A.node_set all"));
    EXPECT_EQ(fits("A"), "true");
}
TEST_F(ANodeSetWritten, MayNameNodesByName) {
    EXPECT_FALSE(write("write schedulers/A.node_set beta,3"));
    EXPECT_EQ(nodes("A"), "1,3");
}
TEST_F(ANodeSetWritten, MustNameNodesThatAreThere) {
    EXPECT_EQ(error("write schedulers/A.node_set 2-5"),
              "schedulers/A.node_set cannot hold 4-5: not there: accepted: all, or of 0 (alpha) 1 (beta) 2 "
              "(gamma) 3 (delta)");
    EXPECT_EQ(world.kind("write schedulers/A.node_set omega"), Errc::invalid_value);
    EXPECT_EQ(set("A"), "all");
    EXPECT_EQ(fits("A"), "true");
}
TEST_F(ANodeSetWritten, IsRefusedWhenItCannotBeRead) {
    for (const auto* bad : {"''", "3-1", "0,,", "' '", "all,1"})
        EXPECT_EQ(world.kind(std::string("write schedulers/A.node_set ") + bad), Errc::invalid_value) << bad;
    EXPECT_EQ(world.kind("write schedulers/A.node_set 65536"), Errc::limit_exceeded);
    EXPECT_THAT(error("write schedulers/A.node_set 3-1"), HasSubstr("schedulers/A.node_set"));
    EXPECT_EQ(set("A"), "all");
}
TEST_F(ANodeSetWritten, IsTakenWithoutAClusterWhoeverItNames) {
    world.cluster.rows.clear();
    EXPECT_FALSE(write("write schedulers/A.node_set 7,omega\nwrite schedulers/A.node_set_exclusive true"));
    EXPECT_EQ(nodes("A"), "");
    EXPECT_EQ(note("A"), "");
    EXPECT_EQ(world.at<Scheduler>("schedulers/A").runs_here(), Here::yes);
}

TEST_F(AScheduler, KeepsTheNodesOfNowWhenItNoLongerFits) {
    EXPECT_FALSE(write("write schedulers/A.node_set_max_fit false"));
    EXPECT_EQ(set("A"), "0-3");
    world.cluster.fill(6);
    share();
    EXPECT_EQ(nodes("A"), "0-3");
    EXPECT_EQ(nodes("B"), "0-5");
    EXPECT_FALSE(write("write schedulers/A.node_set_max_fit true"));
    EXPECT_EQ(nodes("A"), "0-5");
}
TEST_F(AScheduler, KeepsNothingWhereThereIsNoCluster) {
    world.cluster.rows.clear();
    share();
    EXPECT_THAT(error("write schedulers/A.node_set_max_fit false"), HasSubstr("name them in node_set"));
    EXPECT_FALSE(write("write schedulers/A.node_set_max_fit true"));
}
TEST_F(AScheduler, KeepsNothingWhereAnotherHasAll) {
    EXPECT_FALSE(write("write schedulers/A.node_set_exclusive true"));
    EXPECT_THAT(error("write schedulers/B.node_set_max_fit false"), HasSubstr("name them in node_set"));
    EXPECT_EQ(set("B"), "all");
}
TEST_F(AScheduler, IsToldOfMaxFitInTheOrderOfARecipe) {
    EXPECT_FALSE(write("write schedulers/A.node_set 1\nwrite schedulers/A.node_set_max_fit false"));
    EXPECT_EQ(set("A"), "1");
    EXPECT_FALSE(write("write schedulers/A.node_set 2\nwrite schedulers/A.node_set_max_fit true"));
    EXPECT_EQ(set("A"), "all");
    EXPECT_FALSE(write("create schedulers/C\nwrite schedulers/C.node_set_max_fit false"));
    EXPECT_EQ(set("C"), "0-3");
    EXPECT_EQ(world.kind("write schedulers/A.node_set_max_fit maybe"), Errc::invalid_value);
}
TEST_F(AScheduler, IsPutBackWholeWhenATransactionFails) {
    EXPECT_FALSE(write("write schedulers/A.node_set 1"));
    const auto before = world.dump();
    EXPECT_EQ(world.kind("write schedulers/A.node_set_max_fit true\nremove schedulers/none"),
              Errc::no_such_object);
    EXPECT_EQ(world.dump(), before);
    EXPECT_TRUE(
        world.apply("write schedulers/A.node_set_exclusive true\nwrite schedulers/A.node_set 2", true));
    EXPECT_EQ(world.dump(), before);
}
TEST(ARecipe, WithoutAliasesSaysTheSame) {
    World world;
    world.cluster.fill(2);
    ASSERT_TRUE(world.apply("create schedulers/A\nwrite schedulers/A.node_set 1"));
    const auto plain = [&](std::string_view lines) {
        std::string out;
        for (const auto& verb : world.tree.without_aliases(parse_recipe(lines).value()))
            out += text_of(verb) + ";";
        return out;
    };
    EXPECT_EQ(plain("write schedulers/A.node_set_max_fit false"), "write schedulers/A.node_set 1;");
    EXPECT_EQ(plain("write schedulers/A.node_set_max_fit yes"), "write schedulers/A.node_set all;");
    EXPECT_EQ(plain("create schedulers/B\nwrite schedulers/B.node_set_max_fit 0"),
              "create schedulers/B;write schedulers/B.node_set 0-1;");
    EXPECT_EQ(plain("write schedulers/A.precedence 5"), "write schedulers/A.precedence 5;");
}

TEST_F(AnExclusiveScheduler, TakesItsNodesFromThoseThatFit) {
    EXPECT_FALSE(write("write schedulers/A.node_set 0-1\nwrite schedulers/A.node_set_exclusive true"));
    EXPECT_EQ(nodes("A"), "0-1");
    EXPECT_EQ(nodes("B"), "2-3");
    EXPECT_EQ(note("B"), "");
    EXPECT_FALSE(write("write schedulers/A.node_set_exclusive false"));
    EXPECT_EQ(nodes("B"), "0-3");
}
TEST_F(AnExclusiveScheduler, CannotHaveWhatAnotherNames) {
    EXPECT_FALSE(write("write schedulers/A.node_set 0-1\nwrite schedulers/B.node_set 1-2"));
    EXPECT_EQ(world.kind("write schedulers/A.node_set_exclusive true"), Errc::busy);
    EXPECT_THAT(error("write schedulers/A.node_set_exclusive true"),
                HasSubstr("schedulers/A cannot have 1 alone: schedulers/B names it"));
    EXPECT_EQ(world.read("schedulers/A.node_set_exclusive"), "false");
    EXPECT_FALSE(write("write schedulers/B.node_set 2"));
    EXPECT_FALSE(write("write schedulers/A.node_set_exclusive true"));
}
TEST_F(AnExclusiveScheduler, CannotHaveWhatAnotherHasExclusively) {
    EXPECT_FALSE(write("write schedulers/A.node_set 0-1\nwrite schedulers/A.node_set_exclusive true"));
    EXPECT_EQ(world.kind("write schedulers/B.node_set 1-2\nwrite schedulers/B.node_set_exclusive true"),
              Errc::busy);
    EXPECT_EQ(set("B"), "all");
    EXPECT_FALSE(write("write schedulers/B.node_set 2-3\nwrite schedulers/B.node_set_exclusive true"));
    EXPECT_EQ(world.kind("write schedulers/B.node_set 0"), Errc::busy);
}
TEST_F(AnExclusiveScheduler, OfAllNodesNeedsEverybodyElseToFit) {
    EXPECT_FALSE(write("write schedulers/B.node_set 3"));
    EXPECT_EQ(world.kind("write schedulers/A.node_set_exclusive true"), Errc::busy);
    EXPECT_FALSE(write("write schedulers/B.node_set all"));
    EXPECT_FALSE(write("write schedulers/A.node_set_exclusive true"));
    EXPECT_EQ(nodes("A"), "0-3");
    EXPECT_EQ(nodes("B"), "");
    EXPECT_EQ(world.at<Scheduler>("schedulers/B").runs_here(), Here::no);
}
TEST_F(AnExclusiveScheduler, KeepsOthersFromNamingItsNodes) {
    EXPECT_FALSE(write("write schedulers/A.node_set 0-1\nwrite schedulers/A.node_set_exclusive true"));
    EXPECT_EQ(world.kind("write schedulers/B.node_set 1-3"), Errc::busy);
    EXPECT_THAT(error("write schedulers/B.node_set 1-3"),
                HasSubstr("schedulers/B cannot have 1: schedulers/A has it exclusively"));
    EXPECT_FALSE(write("write schedulers/B.node_set 2-3"));
}
TEST_F(AnExclusiveScheduler, CannotGrowOverWhatAnotherNames) {
    EXPECT_FALSE(write("write schedulers/A.node_set 0-1\nwrite schedulers/A.node_set_exclusive true\n"
                       "write schedulers/B.node_set 2-3"));
    EXPECT_EQ(world.kind("write schedulers/A.node_set 0-2"), Errc::busy);
    EXPECT_EQ(world.kind("write schedulers/A.node_set_max_fit true"), Errc::busy);
    EXPECT_EQ(nodes("A"), "0-1");
}
TEST_F(AnExclusiveScheduler, GivesItsNodesBackWhenItIsRemoved) {
    EXPECT_FALSE(write("write schedulers/A.node_set 0-1\nwrite schedulers/A.node_set_exclusive true"));
    EXPECT_FALSE(write("remove schedulers/A"));
    EXPECT_EQ(nodes("B"), "0-3");
    EXPECT_FALSE(write("write schedulers/B.node_set 0"));
}
TEST_F(AnExclusiveScheduler, MayChangePlacesWithAnotherInOneTransaction) {
    EXPECT_FALSE(write("write schedulers/A.node_set 0-1\nwrite schedulers/A.node_set_exclusive true\n"
                       "write schedulers/B.node_set 2-3\nwrite schedulers/B.node_set_exclusive true"));
    EXPECT_FALSE(write("write schedulers/A.node_set 2-3\nwrite schedulers/B.node_set 0-1"));
    EXPECT_EQ(nodes("A"), "2-3");
    EXPECT_EQ(nodes("B"), "0-1");
}
TEST_F(AnExclusiveScheduler, ThatIsRemovedInTheSameRecipeClaimsNothing) {
    EXPECT_FALSE(write("write schedulers/B.node_set 1"));
    EXPECT_FALSE(write("create schedulers/C\nwrite schedulers/C.node_set 1\n"
                       "write schedulers/C.node_set_exclusive true\nremove schedulers/C"));
}

TEST_F(ANodeThatComes, IsTakenByThoseThatFit) {
    EXPECT_FALSE(write("write schedulers/A.node_set 0-1\nwrite schedulers/A.node_set_exclusive true"));
    world.cluster.fill(5);
    share();
    EXPECT_EQ(nodes("A"), "0-1");
    EXPECT_EQ(nodes("B"), "2-4");
}
TEST_F(ANodeThatComes, GoesToTheOneThatHasAllExclusively) {
    EXPECT_FALSE(write("write schedulers/A.node_set_exclusive true"));
    world.cluster.fill(5);
    share();
    EXPECT_EQ(nodes("A"), "0-4");
    EXPECT_EQ(nodes("B"), "");
}
TEST_F(ANodeThatGoes, ShrinksSetsAndIsInThemAgainWhenItIsBack) {
    EXPECT_FALSE(write("write schedulers/A.node_set 1-3"));
    world.cluster.fill(3);
    share();
    EXPECT_EQ(nodes("A"), "1-2");
    EXPECT_EQ(nodes("B"), "0-2");
    EXPECT_EQ(note("A"), "3 not there");
    EXPECT_EQ(set("A"), "1-3");
    world.cluster.fill(4);
    share();
    EXPECT_EQ(nodes("A"), "1-3");
    EXPECT_EQ(note("A"), "");
}
TEST_F(ANodeThatGoes, KeepsNobodyFromChangingWhetherTheRestIsExclusive) {
    EXPECT_FALSE(write("write schedulers/A.node_set 1-3"));
    world.cluster.fill(3);
    share();
    EXPECT_FALSE(write("write schedulers/A.node_set_exclusive true"));
    EXPECT_EQ(nodes("B"), "0");
}

TEST_F(ClaimsMadeAtOnce, AreSettledByPrecedenceAndThenByName) {
    take("write schedulers/A.node_set 0-2\nwrite schedulers/A.node_set_exclusive true\n"
         "write schedulers/B.node_set 2-3\nwrite schedulers/B.node_set_exclusive true");
    EXPECT_EQ(nodes("A"), "0-2");
    EXPECT_EQ(nodes("B"), "3");
    EXPECT_EQ(note("B"), "2 is A's alone");
    take("write schedulers/B.precedence 1");
    EXPECT_EQ(nodes("A"), "0-1");
    EXPECT_EQ(nodes("B"), "2-3");
    EXPECT_EQ(note("A"), "2 is B's alone");
}
TEST_F(ClaimsMadeAtOnce, GoToTheNamedSetBeforeTheOneOfAll) {
    take("write schedulers/A.node_set_exclusive true\n"
         "write schedulers/B.node_set 2-3,7\nwrite schedulers/B.node_set_exclusive true");
    EXPECT_EQ(nodes("A"), "0-1");
    EXPECT_EQ(note("A"), "2-3 are B's alone");
    EXPECT_EQ(nodes("B"), "2-3");
    EXPECT_EQ(note("B"), "7 not there");
}
TEST_F(ClaimsMadeAtOnce, GoToTheExclusiveBeforeTheOneThatOnlyNames) {
    take("write schedulers/A.node_set 0-1,omega\nwrite schedulers/B.node_set 1\n"
         "write schedulers/B.node_set_exclusive true");
    EXPECT_EQ(nodes("A"), "0");
    EXPECT_EQ(note("A"), "1 is B's alone; omega not there");
}
TEST_F(ClaimsMadeAtOnce, DoNotKeepPeopleFromWritingElsewhere) {
    take("write schedulers/A.node_set 9\nwrite schedulers/A.node_set_exclusive true\n"
         "write schedulers/B.node_set 0,9");
    EXPECT_FALSE(write("write schedulers/A.precedence 7"));
    EXPECT_FALSE(write("create schedulers/C\nwrite schedulers/C.node_set 1"));
}

TEST_F(AJoiningNode, IsNobodysUntilItHasJoined) {
    world.cluster.rows[3].is_joining = true;
    share();
    EXPECT_EQ(nodes("A"), "0-2");
}
TEST_F(AJoiningNode, DoesNotKnowWhereItBelongsBeforeItHasItsNumber) {
    auto& self = world.cluster.rows[0];
    self.number = -1;
    self.is_joining = true;
    EXPECT_FALSE(write("write schedulers/A.node_set 1-2"));
    EXPECT_EQ(world.at<Scheduler>("schedulers/A").runs_here(), Here::unknown);
    EXPECT_EQ(world.at<Scheduler>("schedulers/B").runs_here(), Here::yes);
    EXPECT_FALSE(write("write schedulers/A.node_set alpha"));
    EXPECT_EQ(world.at<Scheduler>("schedulers/A").runs_here(), Here::yes);
    EXPECT_FALSE(write("write schedulers/A.node_set 1-2\nwrite schedulers/A.node_set_exclusive true"));
    EXPECT_EQ(world.at<Scheduler>("schedulers/B").runs_here(), Here::unknown);
    self.number = 4;
    share();
    EXPECT_EQ(world.at<Scheduler>("schedulers/A").runs_here(), Here::no);
    EXPECT_EQ(world.at<Scheduler>("schedulers/B").runs_here(), Here::yes);
}
TEST_F(AJoiningNode, ThatLostItsNumberForGoodIsInNoSetOfNumbers) {
    world.cluster.rows[0].number = -1;
    EXPECT_FALSE(write("write schedulers/A.node_set 1-2"));
    EXPECT_EQ(world.at<Scheduler>("schedulers/A").runs_here(), Here::no);
    EXPECT_EQ(nodes("B"), "1-3,alpha");
}

TEST_F(AScheduler, TellsItsPolicyWhoCameAndWentAndWhoDrains) {
    ASSERT_TRUE(world.apply("create schedulers/A/test_policy"));
    auto& policy = world.at<TestPolicy>("schedulers/A/test_policy");
    policy.done();
    share();
    EXPECT_EQ(policy.take_heard(), "");
    EXPECT_FALSE(policy.due());
    world.cluster.fill(5);
    world.cluster.rows.erase(world.cluster.rows.begin() + 1);
    share();
    EXPECT_EQ(policy.take_heard(), "0,2-4 +4 (epsilon) -1 (beta)\n");
    EXPECT_TRUE(policy.due());
    world.cluster.rows[2].is_draining = true;
    world.cluster.rows[2].takes_work = false;
    share();
    EXPECT_EQ(policy.take_heard(), "0,2-4\n");
    EXPECT_FALSE(write("write schedulers/A.node_set 2"));
    EXPECT_EQ(policy.take_heard(), "2 -0 (alpha) -3 (delta) -4 (epsilon)\n");
}
TEST(AThousandNodes, AreHeldOnceForAllSchedulersThatHaveThem) {
    World world;
    for (int i = 0; i < 1000; ++i)
        world.cluster.rows.push_back({.number = i, .name = "n" + std::to_string(i), .is_self = i == 7});
    ASSERT_TRUE(world.apply("create schedulers/A\ncreate schedulers/B\ncreate schedulers/C\n"
                            "write schedulers/C.node_set 500-999"));
    const auto shares = share_nodes(world.tree);
    ASSERT_EQ(shares.size(), 3U);
    EXPECT_EQ(shares[0].second.nodes->size(), 1000U);
    EXPECT_EQ(shares[0].second.nodes, shares[1].second.nodes);
    EXPECT_EQ(shares[2].second.nodes->size(), 500U);
    EXPECT_EQ(shares[2].second.here, Here::no);
}

} // namespace
} // namespace schedd::test
