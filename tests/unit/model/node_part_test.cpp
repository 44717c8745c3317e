// Nodes in the tree: they come, change and go by themselves, and no verb does it for them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

NodeState node(std::int64_t number, const std::string& uid, const std::string& state = "alive") {
    return {.uid = uid, .number = number, .name = "web" + uid, .state = state};
}

struct ANode : testing::Test {
    World world;
    RecordingListener listener;
    ANode() { world.tree.add_listener(listener); }
    ~ANode() override { world.tree.remove_listener(listener); }

    std::vector<std::string> told(std::vector<NodeState> nodes) {
        listener.clear();
        world.tree.set_nodes(nodes);
        return listener.lines();
    }
    std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (const auto& child : world.tree.nodes().children()) out.push_back(child->name());
        return out;
    }
    std::string refusal(std::string_view line) {
        const auto done = world.apply(line);
        return done ? "" : std::string(name_of(done.error().kind)) + " " + done.error().text();
    }
};

TEST_F(ANode, IsCalledAfterItsNumberOrItsUidWhileItHasNone) {
    EXPECT_THAT(told({node(-1, "0123456789abcdef"), node(2, "b")}),
                ElementsAre("added nodes/0123456789abcdef", "added nodes/2"));
    EXPECT_EQ(world.read("nodes/2.uid"), "b");
    EXPECT_EQ(world.read("nodes/2.name"), "webb");
    EXPECT_EQ(world.read("nodes/2.number"), "2");
    EXPECT_EQ(world.read("nodes/0123456789abcdef.number"), "-1");
    EXPECT_EQ(world.tree.size(), 6U);
}

TEST_F(ANode, TellsExactlyWhatHasChanged) {
    told({node(1, "a"), node(2, "b")});
    EXPECT_THAT(told({node(1, "a"), node(2, "b")}), testing::IsEmpty());
    auto changed = node(2, "b", "suspect");
    changed.failed = 3;
    changed.trouble = "no such type";
    EXPECT_THAT(told({node(1, "a"), changed}),
                ElementsAre("changed nodes/2.state", "changed nodes/2.failed", "changed nodes/2.trouble"));
    EXPECT_EQ(world.read("nodes/2.state"), "suspect");
    EXPECT_EQ(world.read("nodes/2.failed"), "3");
    EXPECT_EQ(world.read("nodes/2.trouble"), "no such type");
}

TEST_F(ANode, IsAnotherPartWithAnotherNumber) {
    told({node(-1, "a")});
    EXPECT_THAT(told({node(4, "a")}), ElementsAre("removed nodes/a", "added nodes/4"));
    EXPECT_EQ(world.tree.size(), 5U);
}

TEST_F(ANode, IsAnotherPartWhenAnotherMachineHasItsNumber) {
    told({node(4, "a")});
    EXPECT_THAT(told({node(4, "b")}), ElementsAre("removed nodes/4", "added nodes/4"));
    EXPECT_EQ(world.read("nodes/4.uid"), "b");
}

TEST_F(ANode, GivesWayToTheFirstOfItsNumber) {
    told({node(4, "a"), node(4, "b")});
    EXPECT_THAT(names(), ElementsAre("4", "b"));
    EXPECT_EQ(world.read("nodes/4.uid"), "a");
    // and one that is listed twice is there once
    told({node(-1, "a"), node(-1, "a")});
    EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_F(ANode, StandsWhereItWasListed) {
    told({node(1, "a"), node(9, "c")});
    told({node(1, "a"), node(5, "b"), node(9, "c")});
    EXPECT_THAT(names(), ElementsAre("1", "5", "9"));
    told({});
    EXPECT_THAT(names(), testing::IsEmpty());
    EXPECT_EQ(world.tree.size(), 4U);
}

TEST_F(ANode, IsNeitherMadeNorRemovedNorWrittenNorLinkedByVerbs) {
    told({node(2, "b")});
    ASSERT_TRUE(world.apply("create probes/cpu"));
    const auto before = world.dump();
    EXPECT_THAT(refusal("create nodes/7"), AllOf(HasSubstr("not_supported"), HasSubstr("name and key")));
    EXPECT_THAT(refusal("create nodes/2/cpu"), HasSubstr("nothing can be created in a node"));
    EXPECT_THAT(refusal("remove nodes/2"), AllOf(HasSubstr("not_supported"), HasSubstr("drained")));
    EXPECT_THAT(refusal("remove -r nodes/2"), HasSubstr("not_supported"));
    EXPECT_THAT(refusal("remove -r nodes"), HasSubstr("always there"));
    EXPECT_THAT(refusal("write nodes/2.state alive"), HasSubstr("nodes/2.state is read-only"));
    EXPECT_THAT(refusal("link cpu/load nodes/2"), HasSubstr("nodes/2 is not a sink"));
    EXPECT_THAT(refusal("unlink nodes/2"), HasSubstr("nodes/2 is not a sink"));
    EXPECT_THAT(refusal("create nodes/2"), HasSubstr("exists"));
    EXPECT_EQ(world.dump(), before);
}

TEST_F(ANode, IsNoSourceOfAPort) {
    told({node(2, "b")});
    ASSERT_TRUE(world.apply("create schedulers/S\ncreate schedulers/S/test_policy"));
    const auto& policy = *world.tree.find(Path({"schedulers", "S", "test_policy"})).value();
    ASSERT_FALSE(policy.children().empty());
    const auto port = policy.children().front()->path().text();
    EXPECT_THAT(refusal("link nodes/2 " + port), HasSubstr("there is no probes/nodes/2"));
}

TEST_F(ANode, IsOneOfManyWithoutMuchAdo) {
    std::vector<NodeState> many;
    for (int i = 0; i < 2048; ++i) many.push_back(node(i, fmt::format("{:016x}", i)));
    world.tree.set_nodes(many);
    EXPECT_EQ(world.tree.nodes().children().size(), 2048U);
    many.erase(many.begin(), many.begin() + 2000);
    EXPECT_EQ(told(many).size(), 2000U);
    EXPECT_EQ(names().front(), "2000");
}

} // namespace
} // namespace schedd::test
