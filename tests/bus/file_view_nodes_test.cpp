// The view alone, without a mount, over a fake world with nodes.
#include <cerrno>

#include <gmock/gmock.h>

#include "cli/fs/view.h"
#include "tests/bus/client.h"
#include "tests/bus/served_world.h"
#include "tests/unit/dbus/some_nodes.h"

namespace schedd::test {
namespace {

using cli::fs::View;
using testing::UnorderedElementsAre;

struct AViewOfNodes : testing::Test {
    AViewOfNodes() {
        auto nodes = some_nodes();
        nodes[1].values = {{"probes/test_probe/load", 2500, 700, true}};
        nodes.push_back(a_node(0x33, -1, "web3")); // it has no number yet, and was heard last long ago
        nodes.back().values = {{"probes/test_probe/load", 7, 90'000, false}};
        know(std::move(nodes));
    }
    void know(std::vector<dbus::NodeFacts> nodes) {
        served->run([&] {
            served->backend.peers = std::move(nodes);
            served->world.tree.set_nodes(dbus::states_of(served->backend.peers));
            served->service->flush_signals();
        });
        (void)client.call<std::string>("Status"); // what was sent has reached the bus
    }
    std::string read(const std::string& file) {
        const auto text = view.read(file);
        return text ? *text : std::string("!") + ::strerrorname_np(text.error());
    }
    std::vector<std::string> names_in(const std::string& directory) {
        std::vector<std::string> names;
        for (const auto& entry : view.list(directory).value_or(std::vector<cli::fs::Entry>()))
            names.push_back(entry.name);
        return names;
    }

    PrivateBus bus{BusKind::dbus_daemon};
    std::unique_ptr<ServedWorld> served = std::make_unique<ServedWorld>(bus.address());
    Client client{bus.address()};
    std::vector<std::string> told;
    View view{{bus.address(), ""}, "/config", [this](const std::string& text) { told.push_back(text); }};
    const std::string source = "/krg_scheduler/probes/test_probe/load";
};

TEST_F(AViewOfNodes, HasADirectoryForEachBelowEachSource) {
    ASSERT_TRUE(view.make("/krg_scheduler/probes/test_probe"));
    EXPECT_THAT(names_in(source), UnorderedElementsAre("value", "1", "2", "0000000000000033"));
    EXPECT_THAT(names_in(source + "/2"), UnorderedElementsAre("value"));
    EXPECT_EQ(read(source + "/2/value"), "2500\n");
    EXPECT_EQ(view.remove(source + "/2").error(), EPERM);
    EXPECT_EQ(view.make(source + "/4").error(), EPERM);
    EXPECT_EQ(view.check_open(source + "/2/value", true).error(), EACCES);
    EXPECT_EQ(names_in("/krg_scheduler"), (std::vector<std::string>{"probes", "schedulers"}));
}

TEST_F(AViewOfNodes, TellsWhyANodeHasNoValue) {
    ASSERT_TRUE(view.make("/krg_scheduler/probes/test_probe"));
    EXPECT_EQ(read("/krg_scheduler/probes/test_probe/process_load/2/value"), "!EACCES")
        << "it does not tell that";
    EXPECT_EQ(read(source + "/4/value"), "!ENOENT") << "there is no such node";
    EXPECT_EQ(read(source + "/0000000000000033/value"), "!ENOENT") << "what it has told is too old";
    know({});
    EXPECT_THAT(names_in(source), UnorderedElementsAre("value"));
    EXPECT_EQ(read(source + "/2/value"), "!ENOENT") << "gone";
}

TEST_F(AViewOfNodes, ReadsTheEffectiveNodeSet) {
    ASSERT_TRUE(view.make("/krg_scheduler/schedulers/S"));
    EXPECT_EQ(read("/krg_scheduler/schedulers/S/node_set"), "all\n");
    EXPECT_EQ(read("/krg_scheduler/schedulers/S/node_set_max_fit"), "1\n");
    EXPECT_TRUE(view.write("/krg_scheduler/schedulers/S/node_set", "1,2\n"));
    EXPECT_EQ(read("/krg_scheduler/schedulers/S/node_set_max_fit"), "0\n") << "naming nodes clears it";
}

TEST_F(AViewOfNodes, TellsRefusalsInTheDaemonsWords) {
    EXPECT_EQ(view.make("/krg_scheduler/probes/hologram").error(), ENOENT);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_THAT(told.front(), testing::HasSubstr("hologram"));
}

TEST_F(AViewOfNodes, WaitsForAServiceThatIsAway) {
    served.reset();
    EXPECT_EQ(read(source + "/value"), "!ENOTCONN");
    EXPECT_EQ(view.make("/krg_scheduler/probes/test_probe").error(), ENOTCONN);
    EXPECT_TRUE(view.look("/krg_scheduler"));
    EXPECT_EQ(view.list("/krg_scheduler").error(), ENOTCONN);
    EXPECT_EQ(names_in("/").size(), 2U);
    EXPECT_EQ(view.descriptor(), -1);
    served = std::make_unique<ServedWorld>(bus.address());
    EXPECT_TRUE(view.make("/krg_scheduler/probes/test_probe"));
    EXPECT_GE(view.descriptor(), 0);
}

} // namespace
} // namespace schedd::test
