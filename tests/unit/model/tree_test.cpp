// The six verbs: what they do, and every refusal of the original's tables (semantics: 3.1 links, 3.3
// removal).
#include <gtest/gtest.h>

#include "components/kit/limits.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

struct Verbs : ::testing::Test {
    World world;
    Verbs() {
        EXPECT_TRUE(world.apply("create probes/cpu\ncreate schedulers/S\ncreate schedulers/S/test_policy"));
    }
    static constexpr const char* kPort = "schedulers/S/test_policy/node_load";
    std::optional<Errc> kind(const std::string& lines) { return world.kind(lines); }
    /// The text of a refusal; fails the test if it is none.
    std::string refusal(const std::string& lines) {
        const auto done = world.apply(lines);
        EXPECT_FALSE(done) << lines;
        return done ? "" : done.error().text();
    }
};
using ATree = Verbs;

TEST_F(ATree, BeginsWithThreeFolders) {
    World fresh;
    EXPECT_EQ(fresh.tree.root().children().size(), 3U);
    EXPECT_EQ(fresh.tree.probes().name(), "probes");
    EXPECT_EQ(fresh.tree.schedulers().name(), "schedulers");
    EXPECT_EQ(fresh.tree.nodes().name(), "nodes");
    EXPECT_EQ(fresh.tree.size(), 4U);
}
TEST_F(ATree, CallsAnInstanceAfterItsTypeUnlessNamed) {
    ASSERT_TRUE(world.apply("create probes/test_probe\ncreate probes/other test_probe"));
    EXPECT_EQ(world.read("probes/other.type"), "test_probe");
    EXPECT_EQ(world.read("probes/cpu.type"), "test_probe"); // by its alias
}
TEST_F(ATree, GivesAPartItsDefaultChildren) {
    EXPECT_NE(world.at("probes/cpu").child("process_load"), nullptr);
    EXPECT_NE(world.at("schedulers/S").child("process_set"), nullptr);
    EXPECT_NE(world.at("schedulers/S/test_policy").child("node_load"), nullptr);
}

// create
TEST_F(ATree, RefusesUnknownTypesAndNamesTheKnown) {
    EXPECT_EQ(kind("create probes/nonesuch"), Errc::no_such_object);
    EXPECT_EQ(kind("create probes/threshold_filter"), Errc::no_such_object);
    EXPECT_EQ(kind(std::string("create ") + kPort + "/cpu"), Errc::no_such_object);
    EXPECT_EQ(kind("create schedulers/T\ncreate schedulers/T/nonesuch"), Errc::no_such_object);
    EXPECT_EQ(kind("create schedulers/T test_policy"), Errc::no_such_object);
    EXPECT_NE(refusal("create probes/nonesuch").find("test_probe"), std::string::npos);
}
TEST_F(ATree, RefusesWhatExists) {
    EXPECT_EQ(kind("create probes/cpu"), Errc::exists);
    EXPECT_EQ(kind("create schedulers/S"), Errc::exists);
    EXPECT_EQ(kind("create /"), Errc::exists);
    EXPECT_EQ(kind("create probes"), Errc::exists);
}
TEST_F(ATree, RefusesASecondPolicy) {
    EXPECT_EQ(kind("create schedulers/S/other_policy"), Errc::busy);
    EXPECT_NE(refusal("create schedulers/S/other_policy").find("test_policy"), std::string::npos);
}
TEST_F(ATree, RefusesPlacesWhereNothingCanBe) {
    for (const auto* path : {"else", "probes/cpu/more", "probes/cpu/load/x"})
        EXPECT_EQ(kind(std::string("create ") + path), Errc::not_supported) << path;
    EXPECT_EQ(kind("create nowhere/x"), Errc::no_such_object);
    EXPECT_EQ(kind("create probes/none/x"), Errc::no_such_object);
    EXPECT_EQ(kind("create schedulers/S/test_policy/x"), Errc::not_supported);
}
TEST_F(ATree, RefusesBadNames) {
    for (const auto& name : std::vector<std::string>{"a.b", "-a", "a%2Fb", "a%20b", "%C3%A4",
                                                     std::string(65, 'n'), std::string(500, 'n')})
        EXPECT_EQ(kind("create probes/" + name + " test_probe"), Errc::invalid_value) << name;
    EXPECT_EQ(kind("create schedulers/" + std::string(10000, 'n')), Errc::invalid_value);
    EXPECT_LT(refusal("create schedulers/" + std::string(10000, 'n')).size(), 400U);
}
TEST_F(ATree, HasALimitOfParts) {
    Recipe recipe;
    for (std::size_t i = 0; i < 10000; ++i)
        recipe.push_back({.what = Verb::Do::create, .path = Path({"schedulers", fmt::format("s{}", i)})});
    const auto before = world.dump();
    const auto done = world.tree.apply(recipe);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, Errc::limit_exceeded);
    EXPECT_NE(done.error().text().find(std::to_string(limits::kParts)), std::string::npos);
    EXPECT_EQ(world.dump(), before);
}
TEST_F(ATree, HasALimitOfVerbs) {
    const Recipe recipe(limits::kRecipeVerbs + 1, Verb{.what = Verb::Do::read,
                                                       .path = Path({"probes", "cpu"}),
                                                       .word = "probe_period"});
    EXPECT_EQ(world.tree.apply(recipe).error().kind, Errc::limit_exceeded);
}
TEST_F(ATree, HasALimitOfFiltersInAChain) {
    std::string path = kPort;
    for (std::size_t i = 0; i < limits::kChainLength; ++i)
        ASSERT_TRUE(world.apply("create " + (path += "/pass")));
    EXPECT_EQ(kind("create " + path + "/pass"), Errc::limit_exceeded);
}

// filters
TEST_F(ATree, MakesAFilterTheSourceOfTheSinkItIsCreatedIn) {
    ASSERT_TRUE(world.apply(std::string("create ") + kPort + "/threshold"));
    EXPECT_EQ(world.read(std::string(kPort) + ".source"), std::string(kPort) + "/threshold");
    EXPECT_EQ(world.read(std::string(kPort) + "/threshold.type"), "load");
}
TEST_F(ATree, GivesAFilterTheTypeOfItsSink) {
    ASSERT_TRUE(world.apply("create schedulers/S/test_policy/process_load/pass"));
    EXPECT_EQ(world.read("schedulers/S/test_policy/process_load/pass.parameter"), "pid");
    EXPECT_EQ(kind("link probes/cpu/load schedulers/S/test_policy/process_load/pass"), Errc::type_mismatch);
}
TEST_F(ATree, RefusesAFilterInAnOccupiedSink) {
    ASSERT_TRUE(world.apply(std::string("link cpu/load ") + kPort));
    EXPECT_EQ(kind(std::string("create ") + kPort + "/threshold"), Errc::busy);
}

// link
TEST_F(ATree, LinksASourceToAPort) {
    ASSERT_TRUE(world.apply(std::string("link cpu/load ") + kPort));
    EXPECT_EQ(world.read(std::string(kPort) + ".source"), "probes/cpu/load");
    world.at<TestProbe>("probes/cpu").push(42, world.clock.now());
    EXPECT_EQ(world.read(kPort), "42");
}
TEST_F(ATree, RefusesALinkOfOtherTypesAndNamesBothSides) {
    for (const auto* source : {"cpu/memory", "cpu/process_load"})
        EXPECT_EQ(kind(std::string("link ") + source + " " + kPort), Errc::type_mismatch) << source;
    const auto text = refusal(std::string("link cpu/process_load ") + kPort);
    for (const auto* part :
         {"probes/cpu/process_load", "load [1/1000 task] by pid", kPort, "load [1/1000 task]"})
        EXPECT_NE(text.find(part), std::string::npos) << text;
}
TEST_F(ATree, RefusesASecondSource) {
    ASSERT_TRUE(world.apply(std::string("link cpu/load ") + kPort));
    EXPECT_EQ(kind(std::string("link cpu/load ") + kPort), Errc::busy);
    EXPECT_NE(refusal(std::string("link cpu/load ") + kPort).find("probes/cpu/load"), std::string::npos);
}
TEST_F(ATree, LinksNothingButAProbesSource) {
    ASSERT_TRUE(world.apply("create schedulers/T\ncreate schedulers/T/test_policy\ncreate "
                            "schedulers/T/test_policy/node_load/pass"));
    for (const auto* source :
         {"probes/cpu", "schedulers/T/test_policy/node_load", "schedulers/T/test_policy/node_load/pass",
          "schedulers/T", "schedulers/T/process_set"}) {
        const auto done = world.tree.apply(Verb{.what = Verb::Do::link,
                                                .path = Path::parse(kPort).value(),
                                                .source = Path::parse(source).value()});
        ASSERT_FALSE(done) << source;
        EXPECT_EQ(done.error().kind, Errc::type_mismatch) << source;
    }
}
TEST_F(ATree, RefusesACycle) {
    ASSERT_TRUE(world.apply(std::string("create ") + kPort + "/pass"));
    const std::string filter = std::string(kPort) + "/pass";
    EXPECT_EQ(kind("link " + filter + " " + filter), Errc::cycle);
    EXPECT_EQ(kind("link " + std::string(kPort) + " " + filter), Errc::cycle);
    EXPECT_EQ(kind(std::string("link schedulers/S/test_policy ") + filter), Errc::cycle);
}
TEST_F(ATree, LinksOnlyToSinks) {
    for (const auto* sink : {"probes/cpu", "probes/cpu/load", "schedulers/S", "schedulers/S/process_set"})
        EXPECT_EQ(kind(std::string("link cpu/load ") + sink), Errc::type_mismatch) << sink;
    EXPECT_EQ(kind("link cpu/load schedulers/S/nowhere"), Errc::no_such_object);
    EXPECT_EQ(kind(std::string("link cpu/none ") + kPort), Errc::no_such_object);
}
TEST_F(ATree, UnlinksAndForgetsTheValue) {
    ASSERT_TRUE(world.apply(std::string("link cpu/load ") + kPort));
    world.at<TestProbe>("probes/cpu").push(42, world.clock.now());
    ASSERT_TRUE(world.apply(std::string("unlink ") + kPort));
    EXPECT_TRUE(world.read(kPort).starts_with("error"));
    EXPECT_EQ(kind(std::string("unlink ") + kPort), Errc::no_such_object);
}
TEST_F(ATree, UnlinksAFilterOnlyByRemovingIt) {
    ASSERT_TRUE(world.apply(std::string("create ") + kPort + "/pass"));
    EXPECT_EQ(kind(std::string("unlink ") + kPort), Errc::busy);
    EXPECT_EQ(kind("unlink probes/cpu"), Errc::type_mismatch);
    ASSERT_TRUE(world.apply(std::string("remove ") + kPort + "/pass"));
    EXPECT_EQ(world.read(std::string(kPort) + ".source"), "");
}

// remove
TEST_F(ATree, RefusesToRemoveWhatIsLinkedTo) {
    ASSERT_TRUE(world.apply(std::string("link cpu/load ") + kPort));
    EXPECT_EQ(kind("remove probes/cpu"), Errc::busy);
    EXPECT_EQ(kind("remove -r probes/cpu"), Errc::busy);
    EXPECT_NE(refusal("remove probes/cpu").find(kPort), std::string::npos);
    ASSERT_TRUE(world.apply(std::string("unlink ") + kPort + "\nremove probes/cpu"));
    EXPECT_EQ(world.tree.probes().children().size(), 0U);
}
TEST_F(ATree, RefusesToRemoveWhatHasChildrenUnlessRecursive) {
    EXPECT_EQ(kind("remove schedulers/S"), Errc::busy);
    ASSERT_TRUE(world.apply("remove -r schedulers/S"));
    EXPECT_EQ(world.read("schedulers/S.type").substr(0, 5), "error");
}
TEST_F(ATree, RefusesToRemoveWhatHasALinkInsideUnlessRecursive) {
    ASSERT_TRUE(world.apply(std::string("link cpu/load ") + kPort));
    EXPECT_EQ(kind("remove schedulers/S/test_policy"), Errc::busy);
    ASSERT_TRUE(world.apply("remove -r schedulers/S"));
    EXPECT_TRUE(world.apply("remove probes/cpu")); // nothing is linked to it any more
}
TEST_F(ATree, RefusesToRemoveAFilterThatHasASource) {
    ASSERT_TRUE(world.apply(std::string("link 'cpu/load | pass' ") + kPort));
    EXPECT_EQ(kind(std::string("remove ") + kPort + "/pass"), Errc::busy);
    ASSERT_TRUE(world.apply(std::string("remove -r ") + kPort + "/pass"));
    EXPECT_EQ(world.read(std::string(kPort) + ".source"), "");
}
TEST_F(ATree, RefusesToRemoveWhatCameWithItsParent) {
    for (const auto* path :
         {"probes/cpu/load", kPort, "schedulers/S/process_set", "probes", "schedulers", "/"}) {
        EXPECT_EQ(kind(std::string("remove ") + path), Errc::not_supported) << path;
        EXPECT_EQ(kind(std::string("remove -r ") + path), Errc::not_supported) << path;
    }
    EXPECT_EQ(kind("remove probes/none"), Errc::no_such_object);
}
TEST_F(ATree, RefusesToRemoveASchedulerWithMembersButNotOneThatHandlesAll) {
    world.start({.pid = 10});
    ASSERT_TRUE(world.apply("create schedulers/T\ncreate schedulers/T/process_set/process:10"));
    EXPECT_EQ(kind("remove schedulers/T"), Errc::busy);
    ASSERT_TRUE(world.apply(
        "remove schedulers/T/process_set/process:10\nwrite schedulers/T/process_set.handle_all 1"));
    EXPECT_TRUE(world.apply("remove schedulers/T"));
}

// write, read
TEST_F(ATree, WritesAndReadsAttributes) {
    ASSERT_TRUE(world.apply("write probes/cpu.probe_period 0x100"));
    EXPECT_EQ(world.read("probes/cpu.probe_period"), "256");
    EXPECT_EQ(kind("write probes/cpu.nonesuch 1"), Errc::no_such_object);
    EXPECT_EQ(kind("write probes/cpu.mood angry"), Errc::not_supported);
    EXPECT_EQ(kind("write probes/cpu.probe_period x"), Errc::invalid_value);
    EXPECT_EQ(kind("write probes/none.probe_period 1"), Errc::no_such_object);
    EXPECT_NE(refusal("write probes/cpu.nonesuch 1").find("probe_period"), std::string::npos);
}
TEST_F(ATree, ReadsWhatFlows) {
    auto& probe = world.at<TestProbe>("probes/cpu");
    EXPECT_TRUE(world.read("probes/cpu/load").starts_with("error"));
    probe.push(5, world.clock.now());
    EXPECT_EQ(world.read("probes/cpu/load"), "5");
    EXPECT_EQ(world.read("probes/cpu/load.value"), "5");
    EXPECT_EQ(world.read("probes/cpu/load.type"), "load");
    EXPECT_EQ(world.read("probes/cpu/load.unit"), "1/1000 task");
    EXPECT_EQ(world.read("probes/cpu/load.parameter"), "");
    probe.set_process_load(7, 70, world.clock.now());
    probe.set_process_load(8, 80, world.clock.now());
    EXPECT_EQ(world.read("probes/cpu/process_load[8]"), "80");
    EXPECT_EQ(world.read("probes/cpu/process_load"), "7 70\n8 80");
    EXPECT_TRUE(world.read("probes/cpu/process_load[9]").starts_with("error"));
    EXPECT_TRUE(world.read("probes/cpu/load[9]").starts_with("error"));
    probe.clear_load();
    probe.set_trouble("proc/stat: no such file");
    EXPECT_NE(world.read("probes/cpu/load").find("proc/stat"), std::string::npos);
}
TEST_F(ATree, ReadsNoValueOfAPartWithoutOne) {
    for (const auto* place : {"probes", "schedulers/S", "probes/cpu", "", "/"})
        EXPECT_TRUE(world.read(place).starts_with("error")) << place;
    EXPECT_TRUE(world.read(std::string(kPort) + ".collected_value").starts_with("error"));
}
TEST_F(ATree, LocatesAMemberWithDotsInItsName) {
    ASSERT_TRUE(world.apply("create schedulers/S/process_set/unit:foo.service"));
    EXPECT_EQ(world.read("schedulers/S/process_set/unit:foo.service.weight"), "100");
    EXPECT_EQ(world.tree.locate("schedulers/S/process_set/unit:foo.service")->attribute, "");
    EXPECT_EQ(world.tree.locate("schedulers/S/process_set/unit:foo.bar").error().kind, Errc::no_such_object);
}
TEST_F(ATree, NamesTheDeepestPartThatWasFound) {
    const auto error = world.tree.find(Path({"schedulers", "S", "nope", "more"})).error();
    EXPECT_EQ(error.kind, Errc::no_such_object);
    EXPECT_NE(error.text().find("schedulers/S holds: process_set test_policy"), std::string::npos)
        << error.text();
}

// listeners
TEST_F(ATree, TellsItsListenersWhatHappenedAfterItDid) {
    RecordingListener listener;
    world.tree.add_listener(listener);
    ASSERT_TRUE(world.apply(std::string("write probes/cpu.gain 2\nlink 'cpu/load | pass' ") + kPort));
    EXPECT_EQ(listener.lines(),
              (std::vector<std::string>{"changed probes/cpu.gain", std::string("added ") + kPort + "/pass",
                                        std::string("changed ") + kPort + "/pass.source"}));
    listener.clear();
    ASSERT_TRUE(world.apply(std::string("remove -r ") + kPort + "/pass"));
    EXPECT_EQ(listener.lines(), std::vector<std::string>{std::string("removed ") + kPort + "/pass"});
    EXPECT_EQ(listener.last_removed_name(), "pass");
    listener.clear();
    ASSERT_TRUE(world.apply("create probes/two test_probe"));
    EXPECT_EQ(listener.lines().size(), 4U); // with its sources
    world.tree.remove_listener(listener);
    ASSERT_TRUE(world.apply("remove probes/two"));
    EXPECT_EQ(listener.lines().size(), 4U);
}
TEST_F(ATree, TellsNothingOfWhatCameAndWentInOneTransaction) {
    RecordingListener listener;
    world.tree.add_listener(listener);
    ASSERT_TRUE(world.apply("create probes/two test_probe\nwrite probes/two.gain 3\nremove probes/two"));
    EXPECT_EQ(listener.lines(), std::vector<std::string>{"removed probes/two"});
    world.tree.remove_listener(listener);
}

} // namespace
} // namespace schedd::test
