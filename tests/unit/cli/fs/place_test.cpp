// File names against parts, attributes, members, nodes and links.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/fs/tree.h"

namespace schedd::cli::fs {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;
using What = Place::What;

const SmallTree kTree;
const std::string kPolicy = "/krg_scheduler/schedulers/A/load_balancing";

TEST(APlace, IsFoundInThePartsOfTheTree) {
    EXPECT_EQ(kTree.at("/").what, What::root);
    EXPECT_EQ(kTree.at("/krg_scheduler").what, What::part);
    EXPECT_TRUE(kTree.at("/krg_scheduler").path.is_root());
    EXPECT_EQ(kTree.at("/krg_schedulers").what, What::slides_top);
    const auto filter = kTree.at(kPolicy + "/node_load/remote_cache");
    ASSERT_EQ(filter.what, What::part);
    EXPECT_EQ(filter.path.text(), "schedulers/A/load_balancing/node_load/remote_cache");
    EXPECT_EQ(filter.part->kind, Kind::filter);
    EXPECT_TRUE(filter.is_directory());
}

TEST(APlace, IsNothingWhereNothingIs) {
    for (const auto* file :
         {"/krg", "/krg_scheduler/probes/mem", "/krg_scheduler/probes/cpu/probe_period/x",
          "/krg_scheduler/probes/cpu/value", "/krg_schedulers/probes",
          "/krg_scheduler/schedulers/A/process_set/process:12", "/krg_scheduler/schedulers/A/%41"})
        EXPECT_EQ(kTree.at(file).what, What::nothing) << file;
}

TEST(APlace, IsAnAttributeByTheTypeOfItsPart) {
    const auto period = kTree.at("/krg_scheduler/probes/cpu/probe_period");
    ASSERT_EQ(period.what, What::attribute);
    EXPECT_EQ(period.attribute->name, "probe_period");
    EXPECT_EQ(period.path.text(), "probes/cpu");
    EXPECT_TRUE(kTree.at("/krg_scheduler/schedulers/A/ejected").attribute->read_only);
    EXPECT_EQ(kTree.at("/krg_scheduler/schedulers/A/process_set/handle_all").what, What::attribute);
}

TEST(APlace, IsAValueOfSourcesAndFiltersAndACollectedOneOfSinks) {
    EXPECT_EQ(kTree.at("/krg_scheduler/probes/cpu/node_load/value").what, What::value);
    EXPECT_EQ(kTree.at(kPolicy + "/node_load/remote_cache/value").what, What::value);
    EXPECT_EQ(kTree.at(kPolicy + "/node_load/remote_cache/collected_value").what, What::collected_value);
    EXPECT_EQ(kTree.at(kPolicy + "/node_load/collected_value").what, What::collected_value);
    EXPECT_EQ(kTree.at("/krg_scheduler/probes/cpu/node_load/collected_value").what, What::nothing);
    EXPECT_EQ(kTree.at(kPolicy + "/node_load/value").what, What::may_be_link)
        << "a port has no value of its own";
}

TEST(APlace, MayBeALinkInASinkOnly) {
    const auto link = kTree.at(kPolicy + "/node_load/remote_cache/freq_limit_filter/last_event/any name");
    ASSERT_EQ(link.what, What::may_be_link);
    EXPECT_EQ(link.name, "any name");
    EXPECT_EQ(link.path.leaf(), "last_event");
    EXPECT_EQ(kTree.at(kPolicy + "/any").what, What::nothing);
}

TEST(APlace, IsAMemberBelowTheDirectoryOfItsSort) {
    const std::string set = "/krg_scheduler/schedulers/A/process_set";
    EXPECT_EQ(kTree.at(set + "/single_processes").what, What::member_group);
    EXPECT_EQ(kTree.at(set + "/single_processes/12").path.leaf(), "process:12");
    EXPECT_EQ(kTree.at(set + "/process_groups/7").path.leaf(), "group:7");
    EXPECT_EQ(kTree.at(set + "/members/exec:%2Fusr%2Fbin%2Fmake").path.leaf(), "exec:/usr/bin/make");
    EXPECT_EQ(kTree.at(set + "/single_processes/12/weight").what, What::attribute);
    EXPECT_EQ(kTree.at(set + "/single_processes/7").what, What::nothing);
    EXPECT_EQ(kTree.at(set + "/members/process:12").what, What::nothing) << "one directory for one member";
}

TEST(APlace, IsANodesValueBelowASource) {
    const auto node = kTree.at("/krg_scheduler/probes/cpu/node_load/0");
    EXPECT_EQ(node.what, What::node);
    const auto value = kTree.at("/krg_scheduler/probes/cpu/node_load/00112233aabbccdd/value");
    ASSERT_EQ(value.what, What::node_value);
    EXPECT_EQ(value.name, "00112233aabbccdd");
    EXPECT_EQ(value.path.text(), "probes/cpu/node_load");
    EXPECT_EQ(kTree.at("/krg_scheduler/probes/cpu/node_load/1").what, What::nothing);
}

TEST(ADirectory, ListsWhatIsInIt) {
    EXPECT_THAT(kTree.names_in("/"), ElementsAre("krg_scheduler", "krg_schedulers"));
    EXPECT_THAT(kTree.names_in("/krg_scheduler"), ElementsAre("probes", "schedulers"));
    EXPECT_THAT(kTree.names_in("/krg_scheduler/probes/cpu"),
                UnorderedElementsAre("node_load", "process_load", "probe_period"));
    EXPECT_THAT(kTree.names_in("/krg_scheduler/probes/cpu/node_load"),
                UnorderedElementsAre("value", "0", "00112233aabbccdd"));
    EXPECT_THAT(kTree.names_in("/krg_scheduler/probes/cpu/node_load/0"), ElementsAre("value"));
    EXPECT_THAT(kTree.names_in(kPolicy + "/node_load/remote_cache"),
                UnorderedElementsAre("freq_limit_filter", "polling_period", "value", "collected_value"));
}

TEST(ADirectory, OfMembersListsThoseOfItsSort) {
    const std::string set = "/krg_scheduler/schedulers/A/process_set";
    EXPECT_THAT(kTree.names_in(set), ElementsAre("single_processes", "process_groups", "process_sessions",
                                                 "members", "handle_all"));
    EXPECT_THAT(kTree.names_in(set + "/single_processes"), ElementsAre("12"));
    EXPECT_THAT(kTree.names_in(set + "/process_groups"), ElementsAre("7"));
    EXPECT_THAT(kTree.names_in(set + "/process_sessions"), IsEmpty());
    EXPECT_THAT(kTree.names_in(set + "/members"),
                UnorderedElementsAre("exec:%2Fusr%2Fbin%2Fmake", "process+children:9"));
}

TEST(ADirectory, FindsAllThatItLists) {
    const auto look = [](const auto& self, const std::string& directory) -> void {
        for (const auto& entry : entries_of(kTree.at(directory), kTree.mirror, kTree.types)) {
            const auto file = directory + (directory == "/" ? "" : "/") + entry.name;
            const auto place = kTree.at(file);
            EXPECT_EQ(place.is_directory(), entry.sort == Entry::Sort::directory) << file;
            EXPECT_EQ(place.is_file(), entry.sort == Entry::Sort::file) << file;
            if (place.is_directory()) self(self, file);
        }
    };
    look(look, "/");
}

TEST(ADirectory, ShowsAPartRatherThanAnAttributeOfItsName) {
    SmallTree tree;
    auto json = described();
    json["children"][0]["children"][0]["children"].push_back(part("probe_period", "source", "source"));
    tree.mirror.load(json);
    EXPECT_EQ(tree.at("/krg_scheduler/probes/cpu/probe_period").what, What::part);
    const auto names = tree.names_in("/krg_scheduler/probes/cpu");
    EXPECT_EQ(std::ranges::count(names, "probe_period"), 1);
}

TEST(AMembersName, IsANumberWhereTheSortSaysSo) {
    EXPECT_EQ(member_name(kMemberGroups[0], "12"), "process:12");
    EXPECT_EQ(member_name(kMemberGroups[2], "3"), "session:3");
    for (const auto* junk : {"", "12x", "-1", "0x1", "%31", "1 ", "process:1"})
        EXPECT_EQ(member_name(kMemberGroups[0], junk), "") << junk;
}

TEST(AMembersName, IsTheTreesWhereTheSortIsPartOfIt) {
    EXPECT_EQ(member_name(kMemberGroups[3], "unit:a.service"), "unit:a.service");
    EXPECT_EQ(member_name(kMemberGroups[3], "cgroup:%2Fbatch"), "cgroup:/batch");
    EXPECT_EQ(member_name(kMemberGroups[3], "session:3"), "") << "it has a directory of its own";
    EXPECT_EQ(member_name(kMemberGroups[3], "unit:%61"), "")
        << "another spelling of what is listed otherwise";
    EXPECT_EQ(member_name(kMemberGroups[3], "exec:%2"), "");
}

TEST(ALinksName, IsDerivedSoThatNothingElseCanHaveIt) {
    const auto source = model::Path::parse("probes/cpu/node_load").value();
    EXPECT_EQ(derived_link_name(source), "cpu.node_load");
    EXPECT_THAT(kTree.names_in(kPolicy + "/node_load/remote_cache"), Not(Contains("cpu.node_load")));
}

TEST(ALinksTarget, LeadsUpToTheTop) {
    EXPECT_EQ(link_target(model::Path::parse("schedulers/A/p/port").value(),
                          model::Path::parse("probes/cpu/node_load").value()),
              "../../../../probes/cpu/node_load");
}

} // namespace
} // namespace schedd::cli::fs
