// The bus service over a fake world: what needs a hand on the clock, the tick and the values.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "dbus/errors.h"
#include "tests/bus/client.h"
#include "tests/bus/served_world.h"

namespace schedd::test {
namespace {

const std::string kPort = "/org/schedd1/schedulers/S/load_5fbalancing/node_5fload";

struct TheService : ::testing::TestWithParam<BusKind> {
    void SetUp() override {
        if (!bus.obstacle().empty()) GTEST_SKIP() << bus.obstacle();
        served = std::make_unique<ServedWorld>(bus.address());
        client = std::make_unique<Client>(bus.address());
    }
    void build() {
        ASSERT_TRUE(client->apply_verbs(
            "create probes/cpu\ncreate schedulers/S\ncreate schedulers/S/load_balancing\n"));
        ASSERT_TRUE(
            client->link("cpu/load | threshold(threshold=5)", "schedulers/S/load_balancing/node_load"));
    }
    void measure(std::int64_t value) {
        served->run([&] {
            served->world.at<TestProbe>("probes/cpu").push(value, served->world.clock.now());
            served->service->sampled(served->world.clock.now());
        });
    }
    /// Flushes; what was sent before has reached the bus when this returns.
    void flush() {
        served->run([&] { served->service->flush_signals(); });
        (void)client->call<std::string>("Status");
    }
    /// Calls `seen` with each signal of a member until the slot is dropped.
    sdbus::Slot on(const std::string& member, std::function<void(sdbus::Message&)> seen) {
        return client->connection().addMatch("type='signal',sender='org.schedd1',member='" + member + "'",
                                             std::move(seen));
    }

    PrivateBus bus{GetParam()};
    std::unique_ptr<ServedWorld> served;
    std::unique_ptr<Client> client;
};

INSTANTIATE_TEST_SUITE_P(Bus, TheService, ::testing::Values(BusKind::dbus_daemon, BusKind::dbus_broker),
                         [](const auto& row) {
                             return row.param == BusKind::dbus_daemon ? "DbusDaemon" : "DbusBroker";
                         });

TEST_P(TheService, FailsASingleGetWithoutValueAndNoOther) {
    build();
    const auto value = client->get(kPort, "Port", "CollectedValue");
    EXPECT_EQ(value.error, "NoValue");
    EXPECT_EQ(value.message, "schedulers/S/load_balancing/node_load has no value: not measured yet");
    const auto all = client->call_at<Variants>(kPort, "org.freedesktop.DBus.Properties", "GetAll",
                                               std::string("org.schedd1.Port"));
    ASSERT_TRUE(all) << all.message;
    EXPECT_EQ(all.value.at("CollectedValue").get<sdbus::Variant>().get<std::string>(), "");
    EXPECT_TRUE(client->managed());
    measure(7);
    EXPECT_EQ(client->get(kPort, "Port", "CollectedValue").value.get<sdbus::Variant>().get<std::int64_t>(),
              7);
    EXPECT_EQ(client->read("schedulers/S/load_balancing/node_load/threshold").value, "7");
}

TEST_P(TheService, TellsAllThatChangedInOneSignalPerObjectAndTick) {
    build();
    flush();
    std::vector<std::string> seen;
    const auto slot = on("PropertiesChanged", [&](sdbus::Message& message) {
        std::string interface;
        std::map<std::string, sdbus::Variant> changed;
        std::vector<std::string> invalidated;
        message >> interface >> changed >> invalidated;
        std::string line = message.getPath() + " " + interface;
        for (const auto& [name, value] : changed) line += " " + name;
        for (const auto& name : invalidated) line += " ~" + name;
        seen.push_back(line);
    });
    for (int i = 0; i < 5; ++i)
        ASSERT_TRUE(client->set("/org/schedd1/probes/cpu", "Probe", "ProbePeriod",
                                sdbus::Variant(std::uint64_t(100 + static_cast<unsigned>(i)))));
    ASSERT_TRUE(client->set("/org/schedd1/probes/cpu", "Probe", "Gain", sdbus::Variant(std::uint64_t{2})));
    ASSERT_TRUE(client->remove("schedulers/S/load_balancing/node_load/threshold",
                               {{"recursive", sdbus::Variant(true)}}));
    served->run([&] { served->service->topology_changed(); });
    flush();
    flush();
    ASSERT_TRUE(client->wait_for([&] { return seen.size() >= 3; }));
    ASSERT_TRUE(client->call<std::string>("Status"));
    client->wait_for([&] { return seen.size() > 3; }, std::chrono::milliseconds(100));
    std::ranges::sort(seen);
    EXPECT_EQ(seen, (std::vector<
                        std::string>{"/org/schedd1 org.schedd1.Manager OnlineCpus TopologyGeneration ~Parts",
                                     "/org/schedd1/probes/cpu org.schedd1.Probe Gain ProbePeriod",
                                     kPort + " org.schedd1.Port SourceLink"}));
}

TEST_P(TheService, TellsWhatPartsReported) {
    served->run([&] { served->world.start({.pid = 20}); });
    build();
    ASSERT_TRUE(
        client->call<sdbus::ObjectPath>("Attach", std::string("S"), std::string("process:20"), Variants{}));
    flush();
    std::map<std::string, sdbus::Variant> changed;
    const auto slot = on("PropertiesChanged", [&](sdbus::Message& message) {
        std::string interface;
        message >> interface >> changed;
    });
    ASSERT_TRUE(client->call<std::string>("Status"));
    served->run([&] {
        auto& member = served->world.at<model::Member>("schedulers/S/process_set/process:20");
        member.report_text(model::Member::kState, "applied");
        member.report_text(model::Member::kEffectiveCpus, "0\xff");
        member.report_text(model::Member::kDetail, "");
        served->service->flush_signals();
    });
    ASSERT_TRUE(client->wait_for([&] { return !changed.empty(); }));
    EXPECT_EQ(changed.size(), 2U);
    EXPECT_EQ(changed.at("State").get<std::string>(), "applied");
    EXPECT_EQ(changed.at("EffectiveCpus").get<std::string>(), "0\xEF\xBF\xBD");
}

TEST_P(TheService, SendsWatchedSamplesAtTheWatchersPace) {
    build();
    std::vector<std::int64_t> seen;
    const auto slot = on("Sampled", [&](sdbus::Message& message) {
        sdbus::Variant value;
        message >> value;
        seen.push_back(value.get<std::int64_t>());
    });
    ASSERT_TRUE(client->call_at<Nothing>("/org/schedd1/probes/cpu/load", "org.schedd1.Source", "Watch",
                                         std::uint64_t{1000}));
    for (int i = 0; i < 25; ++i) {
        measure(i);
        served->run([&] { served->world.clock.advance(std::chrono::milliseconds(100)); });
    }
    ASSERT_TRUE(client->wait_for([&] { return seen.size() >= 3; }));
    EXPECT_EQ(seen, (std::vector<std::int64_t>{0, 10, 20}));
}

TEST_P(TheService, ForgetsWatchersThatLeave) {
    build();
    for (int i = 0; i < 300; ++i) {
        Client other(bus.address());
        const auto watched = other.call_at<Nothing>("/org/schedd1/probes/cpu/load", "org.schedd1.Source",
                                                    "Watch", std::uint64_t{1000});
        ASSERT_TRUE(watched) << i << ": " << watched.message;
    }
}

TEST_P(TheService, SendsTheManagersSignals) {
    std::string seen;
    const auto slot = on("Decided", [&](sdbus::Message& message) {
        std::string scheduler, target, cpus, reason;
        message >> scheduler >> target >> cpus >> reason;
        seen = scheduler + "|" + target + "|" + cpus + "|" + reason;
    });
    const auto conflict = on("Conflict", [&](sdbus::Message&) { seen += "|conflict"; });
    const auto ejected = on("Ejected", [&](sdbus::Message&) { seen += "|ejected"; });
    served->run([&] {
        served->service->decided("S", "process:1", "0-1",
                                 "be\xff"
                                 "cause");
        served->service->conflict("S", "process:1", "nothing left");
        served->service->ejected("S", "it was late");
    });
    ASSERT_TRUE(client->wait_for([&] { return seen.ends_with("ejected"); }));
    EXPECT_EQ(seen, "S|process:1|0-1|be\xEF\xBF\xBD"
                    "cause|conflict|ejected");
}

TEST_P(TheService, RefusesToShareItsName) {
    RecordingLog log;
    const auto second = dbus::Service::open(served->backend, log, {.bus = bus.address(), .lost = {}});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, Errc::held_by_other);
    EXPECT_EQ(second.error().what, "another schedd owns the name org.schedd1 on this bus");
}

TEST_P(TheService, SaysOnceThatTheBusIsGoneAndLivesOn) {
    build();
    bus.end();
    for (int i = 0; i < 1000 && served->lost == 0; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    measure(3);
    flush();
    served->run([&] {
        EXPECT_TRUE(served->world.apply("create probes/late cpu"));
        served->service->decided("a", "b", "c", "d");
        served->service->process();
    });
    EXPECT_EQ(served->lost, 1);
}

TEST_P(TheService, ReportsEveryKindOfErrorByItsName) {
    for (int i = 0; i <= static_cast<int>(Errc::io); ++i) {
        const auto kind = static_cast<Errc>(i);
        served->run([&] { served->backend.failure = Error{kind, "what \xff", "detail"}; });
        const auto answer = client->call<std::string>("Explain", std::string("x"));
        EXPECT_EQ("org.schedd1.Error." + answer.error, dbus::error_name(kind));
        EXPECT_EQ(answer.message, "what \xEF\xBF\xBD: detail");
    }
}

TEST_P(TheService, HandsRecipesToTheBackend) {
    const auto applied = client->call<std::string>("Apply", std::string("[probe.cpu]"),
                                                   Variants{{"prune", sdbus::Variant(true)},
                                                            {"dry_run", sdbus::Variant(true)}});
    ASSERT_TRUE(applied) << applied.message;
    auto told = nlohmann::json::parse(applied.value);
    ASSERT_EQ(told["plan"].size(), 1U) << "a dry run says what it would place: " << told;
    EXPECT_EQ(told["plan"][0]["target"], "process:1");
    told.erase("plan");
    EXPECT_EQ(told, nlohmann::json::parse(R"({"changes":["dry_run=true prune=true"],"dry_run":true})"));
    const Variants verbs{{"format", sdbus::Variant(std::string("verbs"))}};
    EXPECT_EQ(client->call<std::string>("Export", verbs).value,
              "create probes/cpu\nwrite probes/cpu.gain 3\n");
    EXPECT_EQ(client->call<std::string>("Export", Variants{}).value, "[probe.cpu]\n");
    EXPECT_EQ(nlohmann::json::parse(client->call<std::string>("Reload", Variants{}).value)["changes"][0],
              "reload dry_run=false");
    const auto unknown =
        client->call<std::string>("Export", Variants{{"format", sdbus::Variant(std::string("xml"))}});
    EXPECT_EQ(unknown.error, "InvalidValue");
    EXPECT_EQ(unknown.message, "there is no format 'xml': use toml or verbs");
    EXPECT_EQ(client
                  ->call<std::string>("Apply", std::string(),
                                      Variants{{"format", sdbus::Variant(std::string("verbs"))},
                                               {"prune", sdbus::Variant(true)}})
                  .error,
              "InvalidValue");
}

TEST_P(TheService, ChangesNothingInADryRun) {
    const Variants dry{{"dry_run", sdbus::Variant(true)}};
    const auto created = client->create("probes/cpu", "", dry);
    ASSERT_TRUE(created) << created.message;
    EXPECT_EQ(created.value, "/org/schedd1/probes/cpu");
    EXPECT_EQ(client->read("probes/cpu.probe_period").error, "NoSuchObject");
    EXPECT_EQ(client->create("probes/cpu", "nonsense", dry).error, "NoSuchObject");
}

TEST_P(TheService, CreatesAPartWithItsAttributesOrNotAtAll) {
    const auto with = [](std::uint64_t period) {
        return Variants{{"attributes", sdbus::Variant(Variants{{"probe_period", sdbus::Variant(period)},
                                                               {"gain", sdbus::Variant(std::string("3"))}})}};
    };
    EXPECT_EQ(client->create("probes/cpu", "", with(1)).error, "InvalidValue");
    EXPECT_EQ(client->read("probes/cpu.gain").error, "NoSuchObject");
    ASSERT_TRUE(client->create("probes/cpu", "", with(70)));
    EXPECT_EQ(client->read("probes/cpu.probe_period").value, "70");
    EXPECT_EQ(client->read("/org/schedd1/probes/cpu").error, "InvalidValue");
}

} // namespace
} // namespace schedd::test
