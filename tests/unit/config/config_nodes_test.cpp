// Node sets in files, exports and entries: one way of saying each, and none that contradicts another.
#include "service/replication.h"

#include "tests/unit/config/config_world.h"

namespace schedd::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string error_in(std::string_view toml) { return error_of(parse_config("t.toml", toml)); }
std::string scheduler_with(std::string_view lines) { return "[scheduler.A]\n" + std::string(lines) + "\n"; }

TEST(ANodeSetInAFile, IsWrittenOnceAndHolds) {
    ConfigWorld w;
    const auto file = scheduler_with("node_set = \"0-2,alpha\"\nnode_set_exclusive = true");
    EXPECT_EQ(w.take(file), "");
    EXPECT_EQ(w.read("schedulers/A.node_set"), "0-2,alpha");
    EXPECT_EQ(w.read("schedulers/A.node_set_max_fit"), "false");
    EXPECT_EQ(w.read("schedulers/A.node_set_exclusive"), "true");
    EXPECT_THAT(w.verbs_to(file), IsEmpty());
    EXPECT_THAT(w.verbs_to(file, true), IsEmpty());
}
TEST(ANodeSetInAFile, GoesBackToAllWhenItIsPruned) {
    ConfigWorld w;
    ASSERT_EQ(w.take(scheduler_with("node_set = \"0-2\"")), "");
    EXPECT_THAT(w.verbs_to(scheduler_with(""), true), ElementsAre("write schedulers/A.node_set all"));
    EXPECT_THAT(w.verbs_to(scheduler_with("")), IsEmpty());
}
TEST(ANodeSetInAFile, MayBeSaidByMaxFit) {
    ConfigWorld w;
    ASSERT_EQ(w.take(scheduler_with("node_set = \"0-2\"")), "");
    const auto file = scheduler_with("node_set_max_fit = true");
    EXPECT_THAT(w.verbs_to(file), ElementsAre("write schedulers/A.node_set all"));
    ASSERT_EQ(w.take(file), "");
    EXPECT_THAT(w.verbs_to(file, true), IsEmpty());
    const auto both = scheduler_with("node_set = \"0-2\"\nnode_set_max_fit = false");
    ASSERT_EQ(w.take(both), "");
    EXPECT_THAT(w.verbs_to(both, true), IsEmpty());
}
TEST(ANodeSetInAFile, MustNotContradictItself) {
    EXPECT_THAT(error_in(scheduler_with("node_set = \"0-2\"\nnode_set_max_fit = true")),
                HasSubstr(":3:1: node_set names nodes, and node_set_max_fit asks for all"));
    EXPECT_THAT(error_in(scheduler_with("node_set_max_fit = false")),
                HasSubstr("name them: node_set = \"0-2\""));
    EXPECT_THAT(error_in(scheduler_with("node_set = \"all\"\nnode_set_max_fit = false")),
                HasSubstr("without the nodes that are meant"));
}
TEST(ANodeSetInAFile, ThatCannotBeReadIsToldWithItsPlace) {
    for (const auto* bad : {"\"\"", "\"3-1\"", "\"0,,\"", "7.5", "[0, 1]", "\"65536\""})
        EXPECT_THAT(error_in(scheduler_with("node_set = " + std::string(bad))), HasSubstr(":2:")) << bad;
    EXPECT_THAT(error_in(scheduler_with("node_set_max_fit = 3")), HasSubstr("true or false"));
    EXPECT_THAT(error_in(scheduler_with("node_sets = \"1\"")), HasSubstr("node_set_exclusive"));
}
TEST(ANodeSetInAFile, IsNotForTemplates) {
    EXPECT_THAT(error_in("[template.T]\nexec = [\"make\"]\nnode_set = \"1\"\n"),
                HasSubstr("unknown key 'node_set'"));
}
TEST(AnExport, LeavesOutWhatNodeSetSaysAlready) {
    ConfigWorld w;
    ASSERT_TRUE(w.apply("create schedulers/A\nwrite schedulers/A.node_set 1\ncreate schedulers/B"));
    const auto text = export_toml(w.tree);
    EXPECT_THAT(text, HasSubstr("node_set = \"1\""));
    EXPECT_THAT(text, Not(HasSubstr("max_fit")));
    for (const auto& verb : export_recipe(w.tree)) EXPECT_NE(verb.word, "node_set_max_fit");
}
TEST(OtherNodes, AreToldOfMaxFitAsANodeSet) {
    ConfigWorld w;
    w.cluster.fill(2);
    ASSERT_TRUE(w.apply("create schedulers/A"));
    const Replication replication(w.tree, [](const Recipe&) { return Status(); });
    const auto told = [&](std::string_view lines) {
        std::string text;
        for (const auto& write : replication.writes_for(parse_recipe(lines).value()))
            text += write.path + "=" + write.value.value_or("-") + ";";
        return text;
    };
    EXPECT_EQ(told("write schedulers/A.node_set_max_fit false"), "schedulers/A#node_set=0-1;");
    EXPECT_EQ(told("write schedulers/A.node_set 1\nwrite schedulers/A.node_set_max_fit true"),
              "schedulers/A#node_set=all;");
}
TEST(APublishList, IsKeptInFiles) {
    ConfigWorld w;
    const std::string file = "[probe.cpu]\npublish = \"load memory\"\n";
    ASSERT_EQ(w.take(file), "");
    EXPECT_THAT(w.verbs_to(file, true), IsEmpty());
    EXPECT_THAT(w.verbs_to("[probe.cpu]\n", true), ElementsAre("write probes/cpu.publish load"));
}

} // namespace
} // namespace schedd::test
