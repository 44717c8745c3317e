// Nodes on a real bus: objects that come, change and go, their properties, and the manager's methods.
#include <algorithm>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "tests/bus/client.h"
#include "tests/bus/introspection.h"
#include "tests/bus/served_world.h"
#include "tests/unit/dbus/some_nodes.h"

namespace schedd::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;
using Aged = std::map<std::string, sdbus::Struct<std::int32_t, std::uint64_t>>;

const std::string kWeb2 = "/org/schedd1/nodes/2";

struct Nodes : testing::TestWithParam<BusKind> {
    void SetUp() override {
        if (!bus.obstacle().empty()) GTEST_SKIP() << bus.obstacle();
        served = std::make_unique<ServedWorld>(bus.address());
        client = std::make_unique<Client>(bus.address());
        know(some_nodes());
    }
    /// Once around the daemon's loop; what it has sent has reached the bus when this returns.
    void know(std::vector<dbus::NodeFacts> nodes) {
        served->run([&] {
            served->backend.peers = std::move(nodes);
            served->world.tree.set_nodes(dbus::states_of(served->backend.peers));
            served->service->flush_signals();
        });
        (void)client->call<std::string>("Status");
    }
    template <class T> T property(const std::string& name) {
        const auto answer = client->get(kWeb2, "Node", name);
        EXPECT_TRUE(answer) << name << ": " << answer.message;
        return answer ? answer.value.get<T>() : T();
    }
    sdbus::Slot on(const std::string& member, std::function<void(sdbus::Message&)> seen) {
        return client->connection().addMatch("type='signal',sender='org.schedd1',member='" + member + "'",
                                             std::move(seen));
    }

    PrivateBus bus{GetParam()};
    std::unique_ptr<ServedWorld> served;
    std::unique_ptr<Client> client;
};

INSTANTIATE_TEST_SUITE_P(Bus, Nodes, ::testing::Values(BusKind::dbus_daemon, BusKind::dbus_broker),
                         [](const auto& row) {
                             return row.param == BusKind::dbus_daemon ? "DbusDaemon" : "DbusBroker";
                         });

TEST_P(Nodes, AreObjectsWithTypedProperties) {
    EXPECT_EQ(property<std::string>("Path"), "nodes/2");
    EXPECT_EQ(property<std::string>("Type"), "node");
    EXPECT_EQ(property<std::string>("Uid"), "0000000000000022");
    EXPECT_EQ(property<std::string>("Name"), "web2");
    EXPECT_EQ(property<std::int64_t>("Number"), 2);
    EXPECT_EQ(property<std::string>("State"), "alive");
    EXPECT_EQ(property<std::string>("Address"), "10.0.0.2:7420");
    EXPECT_EQ(property<std::vector<std::string>>("Addresses"), std::vector<std::string>{"10.0.0.2:7420"});
    EXPECT_FALSE(property<bool>("Self"));
    EXPECT_EQ(property<std::uint64_t>("Applied"), 12U);
    EXPECT_EQ(property<std::uint64_t>("Silence"), 400U);
    EXPECT_EQ(property<std::uint64_t>("Since"), 75'000U);
    EXPECT_EQ(property<std::uint64_t>("Period"), 1000U);
    EXPECT_EQ(property<std::int64_t>("ClockOffset"), 0);
    EXPECT_EQ(property<double>("Loss"), 0.0);
    const auto values = property<Aged>("Values");
    ASSERT_EQ(values.size(), 1U); // not the one that is too old
    EXPECT_EQ(values.at("probes/cpu/node_load").get<0>(), 2500);
    EXPECT_EQ(values.at("probes/cpu/node_load").get<1>(), 700U);
    EXPECT_TRUE(client->get("/org/schedd1/nodes/1", "Node", "Self").value.get<bool>());
}

TEST_P(Nodes, AreShippedAsXmlTheWayTheyAre) {
    std::ostringstream text;
    text << std::ifstream(std::string(SCHEDD_INTERFACES) + "/org.schedd1.Node.xml").rdbuf();
    const auto shipped = parse_interfaces(text.str())["org.schedd1.Node"].lines;
    EXPECT_EQ(shipped.size(), 22U);
    EXPECT_EQ(shipped, parse_interfaces(client->introspect(kWeb2))["org.schedd1.Node"].lines);
}

TEST_P(Nodes, AnnounceWhatHasChangedAndNothingElse) {
    std::vector<std::string> seen;
    const auto slot = on("PropertiesChanged", [&](sdbus::Message& message) {
        std::string interface;
        std::map<std::string, sdbus::Variant> changed;
        std::vector<std::string> invalidated;
        message >> interface >> changed >> invalidated;
        if (interface != "org.schedd1.Node") return;
        std::string line = message.getPath();
        for (const auto& [name, value] : changed) line += " " + name;
        for (const auto& name : invalidated) line += " ~" + name;
        seen.push_back(line);
    });
    auto nodes = some_nodes();
    nodes[1].silence = std::chrono::seconds(4); // told with nobody's heartbeat
    know(nodes);
    nodes[1].state = "suspect";
    nodes[1].applied->failed = 2;
    know(nodes);
    ASSERT_TRUE(client->wait_for([&] { return !seen.empty(); }));
    EXPECT_THAT(seen, ElementsAre(kWeb2 + " Failed State"));
    EXPECT_EQ(property<std::uint64_t>("Silence"), 4000U);
}

TEST_P(Nodes, ComeAndGoAsObjects) {
    std::vector<std::string> seen;
    const auto came = on("InterfacesAdded", [&](sdbus::Message& message) {
        sdbus::ObjectPath path;
        message >> path;
        seen.push_back("came " + path);
    });
    const auto went = on("InterfacesRemoved", [&](sdbus::Message& message) {
        sdbus::ObjectPath path;
        message >> path;
        seen.push_back("went " + path);
    });
    auto nodes = some_nodes();
    nodes[1].number = 5;
    know(nodes);
    ASSERT_TRUE(client->wait_for([&] { return seen.size() >= 2; }));
    EXPECT_THAT(seen, ElementsAre("went " + kWeb2, "came /org/schedd1/nodes/5"));
    EXPECT_FALSE(client->get(kWeb2, "Node", "State"));
    know({});
    const auto managed = client->managed();
    ASSERT_TRUE(managed);
    for (const auto& [path, interfaces] : managed.value)
        EXPECT_FALSE(interfaces.contains("org.schedd1.Node"));
}

TEST_P(Nodes, AreListedWhereTheyAreAndNowhereElse) {
    auto nodes = some_nodes();
    auto stranger = nodes[1];
    stranger.uid = membership::NodeUid{0xab};
    stranger.number = -1;
    nodes.push_back(stranger);
    know(nodes);
    const auto folder = client->introspect("/org/schedd1/nodes");
    for (const auto* name : {"1", "2", "00000000000000ab"})
        EXPECT_THAT(folder, HasSubstr(fmt::format("<node name=\"{}\"/>", name)));
    EXPECT_THAT(folder, Not(HasSubstr("org.schedd1.Node")));
    const auto managed = client->managed();
    ASSERT_TRUE(managed);
    EXPECT_EQ(managed.value.at(kWeb2).at("org.schedd1.Node").at("State").get<std::string>(), "alive");
    EXPECT_EQ(std::ranges::count_if(managed.value,
                                    [](const auto& one) { return one.second.contains("org.schedd1.Node"); }),
              3);
    for (const auto* path : {"/org/schedd1/nodes", "/org/schedd1/nodes/3", "/org/schedd1/nodes/2/x"})
        EXPECT_FALSE(client->get(path, "Node", "State")) << path;
    EXPECT_FALSE(client->get(kWeb2, "Node", "Colour"));
}

TEST_P(Nodes, AnswerWhileTheyAreBeingForgotten) {
    served->run([&] { served->backend.peers.clear(); });
    EXPECT_EQ(property<std::string>("State"), "alive");
    EXPECT_TRUE(property<Aged>("Values").empty());
    EXPECT_TRUE(client->managed());
}

TEST_P(Nodes, AreListedByTheManager) {
    const auto json = Json::parse(client->call<std::string>("ListNodes").value);
    EXPECT_EQ(json["on"], true);
    ASSERT_EQ(json["nodes"].size(), 2U);
    EXPECT_EQ(json["nodes"][1]["values"]["probes/cpu/node_load"]["age_ms"], 700);
}

TEST_P(Nodes, AreReadLikeAnyPartAndOverTheirNameForWhatTheyPublish) {
    EXPECT_EQ(client->read("nodes/2.state").value, "alive");
    EXPECT_EQ(client->read("web2:probes/cpu/node_load").value, "2500");
    EXPECT_EQ(client->read("2:cpu/node_load").value, "2500");
    EXPECT_EQ(client->read("web2:mem/free").error, "NoValue");
    EXPECT_EQ(client->read("web3:cpu/node_load").error, "NoSuchObject");
    EXPECT_THAT(client->read("web2:cpu/none").message, HasSubstr("it publishes: probes/cpu/node_load"));
    const auto json =
        Json::parse(client->call<std::string>("Describe", std::string("web2:cpu/node_load")).value);
    EXPECT_EQ(json["kind"], "published");
    EXPECT_EQ(json["path"], "probes/cpu/node_load");
    EXPECT_EQ(json["age_ms"], 700);
    // this node by its own name: all that it has
    ASSERT_TRUE(client->create("probes/cpu"));
    EXPECT_EQ(client->read("web1:probes/cpu.type").value, "test_probe");
    served->run([&] { served->backend.net.off = "there is no key"; });
    EXPECT_EQ(client->read("web2:cpu/node_load").error, "NotSupported");
}

TEST_P(Nodes, AreDrainedByNameAndOnlyIfTheyAreThere) {
    const Variants dry{{"dry_run", sdbus::Variant(true)}};
    ASSERT_TRUE(client->call("DrainNode", std::string("web2"), true, Variants{}));
    EXPECT_EQ(served->backend.drained, "web2 true false");
    ASSERT_TRUE(client->call("DrainNode", std::string("2"), false, dry));
    EXPECT_EQ(served->backend.drained, "web2 false true");
    EXPECT_EQ(client->call("DrainNode", std::string("web3"), true, Variants{}).error, "NoSuchObject");
    EXPECT_EQ(client->call("DrainNode", std::string(), true, Variants{}).error, "NoSuchObject");
    const Variants junk{{"junk", sdbus::Variant(true)}};
    EXPECT_EQ(client->call("DrainNode", std::string("web2"), true, junk).error, "InvalidValue");
}

TEST_P(Nodes, AreFoundForNewWork) {
    const Variants options{{"scheduler", sdbus::Variant(std::string("S"))},
                           {"refused", sdbus::Variant(std::string("3 4"))}};
    const auto json =
        Json::parse(client->call<std::string>("PlaceTask", std::string("gcc -c a.c"), options).value);
    EXPECT_EQ(json["node"], 2);
    EXPECT_EQ(json["name"], "web2");
    EXPECT_EQ(json["here"], false);
    EXPECT_EQ(json["addresses"][0], "10.0.0.2");
    EXPECT_EQ(json["reason"], "it is the last");
    const auto& asked = served->backend.asked;
    EXPECT_EQ(asked.command, "gcc -c a.c");
    EXPECT_EQ(asked.scheduler, "S");
    EXPECT_EQ(asked.refused, (std::vector<model::NodeId>{3, 4}));
    EXPECT_EQ(asked.pid, static_cast<std::uint32_t>(::getpid())) << "the caller counts";
}

TEST_P(Nodes, AreNotFoundForNewWorkByQuestionsThatMakeNoSense) {
    const auto error = [&](const std::string& command, const Variants& options) {
        return client->call<std::string>("PlaceTask", command, options).error;
    };
    EXPECT_EQ(error("a", {{"refused", sdbus::Variant(std::string("two"))}}), "InvalidValue");
    EXPECT_EQ(error("a", {{"refused", sdbus::Variant(std::uint64_t{2})}}), "InvalidValue");
    EXPECT_EQ(error("a", {{"node", sdbus::Variant(true)}}), "InvalidValue");
    EXPECT_EQ(error("a", {{"junk", sdbus::Variant(true)}}), "InvalidValue");
    EXPECT_EQ(error("", {}), "");
    EXPECT_EQ(error(std::string(1'000'000, 'x'), {}), "");
    EXPECT_LE(served->backend.asked.command.size(), 512U);
}

TEST_P(Nodes, AreNotChangedByVerbs) {
    EXPECT_EQ(client->create("nodes/7").error, "NotSupported");
    EXPECT_EQ(client->remove("nodes/2").error, "NotSupported");
    EXPECT_FALSE(client->set(kWeb2, "Node", "State", sdbus::Variant(std::string("dead"))));
    EXPECT_EQ(property<std::string>("State"), "alive");
}

} // namespace
} // namespace schedd::test
