// The mirror of the parts there are, and the types.
#include <gtest/gtest.h>

#include "tests/unit/cli/fs/tree.h"

namespace schedd::cli::fs {
namespace {

Event added(const std::string& object, const std::string& interface, const std::string& type) {
    return {"", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded",
            Json::array({object, Json{{"org.freedesktop.DBus.Properties", Json::object()},
                                      {interface, Json{{"Type", type}}}}})};
}
Event removed(const std::string& object, const std::string& interface) {
    return {"", "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved",
            Json::array({object, Json::array({"org.freedesktop.DBus.Properties", interface})})};
}
const Part* find(const Mirror& mirror, std::string_view path) {
    return mirror.find(model::Path::parse(path).value());
}

TEST(AMirror, HasWhatWasDescribed) {
    Mirror mirror;
    EXPECT_TRUE(mirror.root().children.empty());
    mirror.load(described());
    ASSERT_TRUE(find(mirror, "probes/cpu"));
    EXPECT_EQ(find(mirror, "probes/cpu")->type, "cpu");
    EXPECT_EQ(find(mirror, "schedulers/A/load_balancing/node_load")->kind, Kind::port);
    EXPECT_FALSE(find(mirror, "probes/mem"));
    EXPECT_EQ(find(mirror, ""), &mirror.root());
}

TEST(AMirror, FollowsWhatComesAndGoes) {
    Mirror mirror;
    mirror.load(described());
    mirror.take(added("/org/schedd1/probes/mem_5fprobe", "org.schedd1.Probe", "mem_probe"));
    mirror.take(added("/org/schedd1/probes/mem_5fprobe/ram_5ffree", "org.schedd1.Source", "source"));
    ASSERT_TRUE(find(mirror, "probes/mem_probe/ram_free"));
    EXPECT_EQ(find(mirror, "probes/mem_probe")->type, "mem_probe");
    mirror.take(removed("/org/schedd1/probes/mem_5fprobe/ram_5ffree", "org.schedd1.Source"));
    mirror.take(removed("/org/schedd1/probes/mem_5fprobe", "org.schedd1.Probe"));
    EXPECT_FALSE(find(mirror, "probes/mem_probe"));
}

TEST(AMirror, KeepsChildrenOfWhatItIsToldTwice) {
    Mirror mirror;
    mirror.load(described());
    mirror.take(added("/org/schedd1/probes/cpu", "org.schedd1.Probe", "cpu"));
    EXPECT_TRUE(find(mirror, "probes/cpu/node_load"));
    mirror.take(removed("/org/schedd1/probes/other", "org.schedd1.Probe"));
    EXPECT_TRUE(find(mirror, "probes/cpu"));
}

TEST(AMirror, TakesNamesOfMembersAsTheyAre) {
    Mirror mirror;
    mirror.load(described());
    mirror.take(added("/org/schedd1/schedulers/A/process_5fset/exec_3a_2fusr_2f_2a_27",
                      "org.schedd1.Attachment", "member"));
    EXPECT_TRUE(find(mirror, "schedulers/A/process_set")->children.contains("exec:/usr/*'"));
}

TEST(AMirror, IgnoresWhatItDoesNotUnderstand) {
    Mirror mirror;
    mirror.load(described());
    mirror.take(added("/org/schedd1/holds/1", "org.schedd1.Hold", ""));
    mirror.take(added("/org/schedd1/probes/new", "org.schedd1.Hologram", ""));
    mirror.take(added("/elsewhere", "org.schedd1.Probe", "cpu"));
    mirror.take(added("/org/schedd1/probes/a/b/c", "org.schedd1.Source", "source"));
    mirror.take({"", "", "InterfacesAdded", Json::array()});
    mirror.take({"", "", "InterfacesRemoved", Json::array({"/org/schedd1/probes/cpu", 7})});
    mirror.take({"", "", "PropertiesChanged", Json::array({"a", Json::object(), Json::array()})});
    EXPECT_EQ(find(mirror, "probes")->children.size(), 1U);
    mirror.load(Json("no tree"));
    EXPECT_TRUE(mirror.root().children.empty());
    Json nested = part("a", "filter", "f");
    for (int i = 0; i < 1000; ++i) nested = part("a", "filter", "f", {nested});
    mirror.load(part("", "folder", "folder", {nested}));
    EXPECT_EQ(mirror.root().children.size(), 1U);
}

TEST(TheTypes, TellTheAttributesOfEachKind) {
    const SmallTree tree;
    const auto* cpu = find(tree.mirror, "probes/cpu");
    ASSERT_EQ(tree.types.attributes(*cpu).size(), 1U);
    EXPECT_EQ(tree.types.attribute(*cpu, "probe_period")->kind, "unsigned");
    EXPECT_FALSE(tree.types.attribute(*cpu, "threshold"));
    EXPECT_TRUE(tree.types.attributes(*find(tree.mirror, "probes/cpu/node_load")).empty());
    EXPECT_TRUE(tree.types.attribute(*find(tree.mirror, "schedulers/A"), "ejected")->read_only);
    EXPECT_TRUE(tree.types.attributes({Kind::policy, "unheard_of"}).empty());
    Types none;
    none.load(Json("nothing"));
    EXPECT_TRUE(none.attributes(*cpu).empty());
}

} // namespace
} // namespace schedd::cli::fs
