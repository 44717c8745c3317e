// Finding a node, and what it has published; every error says what there is.
#include "dbus/nodes.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "dbus/describe.h"
#include "tests/unit/dbus/some_nodes.h"

namespace schedd::test {
namespace {

using kit::Errc;

using dbus::find_node;
using dbus::published_by;
using dbus::remote_place;
using testing::AllOf;
using testing::HasSubstr;
using Json = nlohmann::json;

std::string found(std::string_view what) {
    const auto nodes = some_nodes();
    const auto node = find_node(nodes, what, "");
    return node ? (*node)->name : node.error().text();
}

TEST(ANodeOnTheBus, IsFoundByNumberNameOrUid) {
    EXPECT_EQ(found("2"), "web2");
    EXPECT_EQ(found("web2"), "web2");
    EXPECT_EQ(found("0000000000000022"), "web2");
    EXPECT_EQ(found("1"), "web1");
}

TEST(ANodeOnTheBus, IsMissedWithANoteOfWhoIsThere) {
    for (const auto* what : {"", "3", "-1", "web", "22", "WEB2", "18446744073709551615"})
        EXPECT_THAT(found(what), HasSubstr("there are: 1 (web1), 2 (web2)")) << what;
    EXPECT_LT(found(std::string(100'000, 'x')).size(), 300U);
    EXPECT_THAT(find_node({}, "web2", "").error().text(), HasSubstr("none has been heard"));
    const auto off = find_node(some_nodes(), "web2", "there is no key").error();
    EXPECT_EQ(off.kind, Errc::not_supported);
    EXPECT_EQ(off.what, "membership is off: there is no key");
}

TEST(ANodeOnTheBus, IsNotGuessedAmongSeveralOfOneName) {
    auto nodes = some_nodes();
    nodes[0].name = "web2";
    const auto error = find_node(nodes, "web2", "").error();
    EXPECT_EQ(error.kind, Errc::conflict);
    EXPECT_THAT(error.text(), AllOf(HasSubstr("0000000000000011"), HasSubstr("0000000000000022")));
    EXPECT_TRUE(find_node(nodes, "0000000000000011", ""));
}

TEST(APlace, HasAddressesAsSshTakesThem) {
    auto node = some_nodes()[1];
    membership::Address v6;
    v6.ip = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    v6.port = 7420;
    v6.interface = 3;
    node.addresses.push_back(v6);
    const auto place = dbus::place_at(node);
    EXPECT_THAT(place.addresses, testing::ElementsAre("10.0.0.2", "fe80::1%3"));
    EXPECT_EQ(place.number, 2);
    EXPECT_FALSE(place.is_here);
    EXPECT_TRUE(dbus::place_at(some_nodes()[0]).is_here);
    EXPECT_TRUE(dbus::place_at(some_nodes()[0]).addresses.empty()) << "nobody goes to himself by ssh";
}

TEST(APlace, IsDescribedWithANullWhereThereIsNoNumber) {
    const auto none = Json::parse(dbus::describe_place({}));
    EXPECT_TRUE(none["node"].is_null());
    EXPECT_EQ(none["here"], true);
    const auto place = Json::parse(dbus::describe_place(dbus::place_at(some_nodes()[1])));
    EXPECT_EQ(place["node"], 2);
    EXPECT_EQ(place["addresses"][0], "10.0.0.2");
}

TEST(NodeNumbers, AreReadAndAnythingElseIsRefused) {
    EXPECT_THAT(dbus::node_numbers("2 3,65535").value(), testing::ElementsAre(2, 3, 65535));
    EXPECT_TRUE(dbus::node_numbers("").value().empty());
    EXPECT_TRUE(dbus::node_numbers(" , ").value().empty());
    for (const auto* text : {"x", "-1", "65536", "1;2", "18446744073709551616"})
        EXPECT_EQ(dbus::node_numbers(text).error().kind, Errc::invalid_value) << text;
}

TEST(ANodeWithoutANumber, IsNotFoundByIt) {
    auto nodes = some_nodes();
    nodes[1].number = -1;
    EXPECT_FALSE(find_node(nodes, "2", ""));
    EXPECT_FALSE(find_node(nodes, "18446744073709551615", ""));
    EXPECT_THAT(find_node(nodes, "x", "").error().text(), HasSubstr("1 (web1), web2"));
}

TEST(ManyNodes, AreNotAllNamedInAnError) {
    std::vector<dbus::NodeFacts> nodes;
    for (int i = 0; i < 500; ++i) nodes.push_back(a_node(static_cast<std::uint64_t>(i), i, "n"));
    EXPECT_LT(find_node(nodes, "x", "").error().text().size(), 300U);
    EXPECT_LT(find_node(nodes, "n", "").error().text().size(), 500U);
}

TEST(APlaceAtANode, StandsBeforeTheFirstSlash) {
    const auto place = remote_place("web2:probes/cpu/node_load");
    ASSERT_TRUE(place);
    EXPECT_EQ(place->node, "web2");
    EXPECT_EQ(place->path, "probes/cpu/node_load");
    EXPECT_EQ(remote_place("2:")->path, "");
    for (const auto* local :
         {"", ":", ":x", "probes/cpu", "schedulers/A/process_set/process:1", "/a:b", "cpu"})
        EXPECT_FALSE(remote_place(local)) << local;
}

TEST(APublishedValue, IsReadByItsPathOrWithoutTheFolder) {
    const auto node = some_nodes()[1];
    EXPECT_EQ(published_by(node, "probes/cpu/node_load")->value, 2500);
    EXPECT_EQ(published_by(node, "cpu/node_load")->age_ms, 700U);
}

TEST(APublishedValue, IsRefusedWhenItIsTooOldOrNotThere) {
    auto node = some_nodes()[1];
    const auto old = published_by(node, "mem/free").error();
    EXPECT_EQ(old.kind, Errc::no_value);
    EXPECT_THAT(old.text(), AllOf(HasSubstr("node 2 (web2)"), HasSubstr("9000 ms ago"), HasSubstr("alive")));
    const auto none = published_by(node, "probes/cpu").error();
    EXPECT_EQ(none.kind, Errc::no_such_object);
    EXPECT_THAT(none.text(), AllOf(HasSubstr("publishes no 'probes/cpu'"),
                                   HasSubstr("it publishes: probes/cpu/node_load, probes/mem/free")));
    node.values.clear();
    node.state = "dead";
    EXPECT_THAT(published_by(node, "").error().text(),
                AllOf(HasSubstr("which is dead"), HasSubstr("no values")));
}

TEST(NodesInTheTree, HaveTheWordsOfTheirFacts) {
    auto nodes = some_nodes();
    nodes[1].trouble = "its number is taken";
    nodes[1].applied->failed = 3;
    nodes[0].applied = std::nullopt;
    nodes[0].digest = {};
    nodes[0].addresses.clear();
    const auto states = dbus::states_of(nodes);
    ASSERT_EQ(states.size(), 2U);
    EXPECT_EQ(states[1].uid, "0000000000000022");
    EXPECT_EQ(states[1].number, 2);
    EXPECT_EQ(states[1].address, "10.0.0.2:7420");
    EXPECT_EQ(states[1].configuration, "abcdef01");
    EXPECT_EQ(states[1].applied_configuration, "abcdef01");
    EXPECT_EQ(states[1].applied, 12U);
    EXPECT_EQ(states[1].failed, 3U);
    EXPECT_EQ(states[1].trouble, "its number is taken");
    EXPECT_TRUE(states[0].is_self);
    EXPECT_EQ(states[0].configuration, "");
    EXPECT_EQ(states[0].applied_configuration, "");
    EXPECT_EQ(states[0].address, "");
}

TEST(TheListOfNodes, IsJsonWithFreshValuesOnly) {
    dbus::NetworkFacts network;
    network.cluster = "lab";
    network.port = 7420;
    auto nodes = some_nodes();
    nodes[0].number = -1;
    nodes[0].applied = std::nullopt;
    nodes[1].name = "caf\xe9";
    const auto json = Json::parse(dbus::describe_nodes(network, nodes));
    EXPECT_EQ(json["on"], true);
    EXPECT_EQ(json["cluster"], "lab");
    const auto& self = json["nodes"][0];
    EXPECT_TRUE(self["number"].is_null());
    EXPECT_FALSE(self.contains("applied"));
    const auto& other = json["nodes"][1];
    EXPECT_EQ(other["name"], "caf\xEF\xBF\xBD");
    EXPECT_EQ(other["takes_work"], true);
    EXPECT_EQ(other["silence_ms"], 400);
    EXPECT_EQ(other["applied"], 12);
    EXPECT_EQ(other["values"], Json::parse(R"({"probes/cpu/node_load":{"value":2500,"age_ms":700}})"));
    network.off = "there is no key";
    const auto off = Json::parse(dbus::describe_nodes(network, {}));
    EXPECT_EQ(off["on"], false);
    EXPECT_EQ(off["off"], "there is no key");
    EXPECT_TRUE(off["nodes"].empty());
}

} // namespace
} // namespace schedd::test
