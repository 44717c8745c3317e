// Objects come and go on the bus as parts do in the tree.
#include <set>

#include <nlohmann/json.hpp>

#include "components/kit/rng.h"
#include "dbus/paths.h"
#include "tests/bus/daemon.h"

namespace schedd::test {
namespace {

struct TheObjects : OnBothBuses {
    std::set<std::string> on_the_bus() {
        std::set<std::string> paths;
        for (const auto& [path, interfaces] : client->managed().value) paths.insert(path);
        return paths;
    }
    /// The object paths of all parts but folders, by Describe.
    std::set<std::string> in_the_tree() {
        std::set<std::string> paths;
        const std::function<void(const nlohmann::json&)> walk = [&](const nlohmann::json& part) {
            if (part["kind"] != "folder")
                paths.insert(dbus::object_path(model::Path::parse(part["path"].get<std::string>()).value()));
            for (const auto& child : part["children"]) walk(child);
        };
        walk(nlohmann::json::parse(client->call<std::string>("Describe", std::string()).value));
        return paths;
    }
};

INSTANTIATE_TEST_SUITE_P(Bus, TheObjects, ::testing::ValuesIn(kBothBuses), name_of_bus);

TEST_P(TheObjects, AreAnnouncedWhenTheyAnswerAndBeforeTheyStop) {
    std::vector<std::string> seen;
    const auto added =
        client->connection().addMatch("type='signal',sender='org.schedd1',member='InterfacesAdded'",
                                      [&](sdbus::Message& message) {
                                          sdbus::ObjectPath path;
                                          std::map<std::string, Variants> interfaces;
                                          message >> path >> interfaces;
                                          seen.push_back("+" + path);
                                          if (path == "/org/schedd1/probes/cpu") {
                                              EXPECT_EQ(interfaces.at("org.schedd1.Probe")
                                                            .at("ProbePeriod")
                                                            .get<std::uint64_t>(),
                                                        1000U);
                                          }
                                      });
    const auto removed =
        client->connection().addMatch("type='signal',sender='org.schedd1',member='InterfacesRemoved'",
                                      [&](sdbus::Message& message) {
                                          sdbus::ObjectPath path;
                                          std::vector<std::string> interfaces;
                                          message >> path >> interfaces;
                                          seen.push_back("-" + path);
                                          EXPECT_NE(std::ranges::find(interfaces,
                                                                      path == "/org/schedd1/probes/cpu"
                                                                          ? "org.schedd1.Probe"
                                                                          : "org.schedd1.Source"),
                                                    interfaces.end());
                                      });
    ASSERT_TRUE(client->create("probes/cpu"));
    ASSERT_TRUE(client->wait_for([&] { return seen.size() == 6; }));
    EXPECT_EQ(seen.front(), "+/org/schedd1/probes/cpu");
    seen.clear();
    ASSERT_TRUE(client->remove("probes/cpu"));
    ASSERT_TRUE(client->wait_for([&] { return seen.size() == 6; }));
    EXPECT_EQ(seen.back(), "-/org/schedd1/probes/cpu");
    EXPECT_FALSE(client->get("/org/schedd1/probes/cpu", "Probe", "Path"));
}

TEST_P(TheObjects, AreThoseOfTheTreeWhateverWasDone) {
    kit::Rng rng(11);
    const auto pick = [&](std::initializer_list<const char*> words) {
        return std::string(words.begin()[rng.below(words.size())]);
    };
    int done = 0;
    for (int i = 0; i < 400; ++i) {
        const auto probe = "probes/" + pick({"a", "b"});
        const auto scheduler = "schedulers/" + pick({"S", "T"});
        const auto policy = scheduler + "/load_balancing";
        const auto sink = policy + pick({"/node_load", "/node_load/threshold", "/node_load/freq_limit"});
        const Variants all{{"recursive", basic(rng.below(2) == 0)}};
        bool went_well = false;
        switch (rng.below(8)) {
        case 0: went_well = static_cast<bool>(client->create(probe, "cpu")); break;
        case 1: went_well = static_cast<bool>(client->create(scheduler)); break;
        case 2: went_well = static_cast<bool>(client->create(policy)); break;
        case 3:
            went_well = static_cast<bool>(client->create(sink + pick({"/threshold", "/freq_limit"})));
            break;
        case 4: went_well = static_cast<bool>(client->link(probe + "/node_load", sink)); break;
        case 5: went_well = static_cast<bool>(client->call("Unlink", sink, Variants{})); break;
        case 6: went_well = static_cast<bool>(client->remove(rng.below(3) == 0 ? policy : sink, all)); break;
        case 7:
            went_well = static_cast<bool>(client->remove(rng.below(2) == 0 ? probe : scheduler, all));
            break;
        }
        done += went_well ? 1 : 0;
        if (i % 40 == 39) { ASSERT_EQ(on_the_bus(), in_the_tree()) << "after " << i; }
    }
    EXPECT_GT(done, 40) << "most of what was tried was refused";
}

TEST_P(TheObjects, GetTheirSignalsOncePerTick) {
    build();
    int signals = 0;
    const auto slot = client->connection().addMatch("type='signal',sender='org.schedd1',member='"
                                                    "PropertiesChanged',path='/org/schedd1/probes/cpu'",
                                                    [&](sdbus::Message&) { ++signals; });
    std::string recipe;
    for (int i = 0; i < 200; ++i) recipe += "write probes/cpu.probe_period " + std::to_string(100 + i) + "\n";
    ASSERT_TRUE(client->apply_verbs(recipe));
    ASSERT_TRUE(client->wait_for([&] { return signals > 0; }));
    EXPECT_LE(signals, 2);
}

TEST_P(TheObjects, OfTheConfigurationAreThereWhenTheNameIs) {
    ASSERT_EQ(daemon->end(), 0);
    daemon = std::make_unique<Daemon>(bus, "[probe.cpu]\nprobe_period = 700\n");
    const auto period = client->get("/org/schedd1/probes/cpu", "Probe", "ProbePeriod");
    ASSERT_TRUE(period) << period.message << daemon->log();
    EXPECT_EQ(period.value.get<std::uint64_t>(), 700U);
}

} // namespace
} // namespace schedd::test
