// JSON out of parts, types and reports.
#include "dbus/describe.h"

#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "components/kit/limits.h"
#include "tests/kit/machine.h"
#include "tests/kit/world.h"

namespace schedd::dbus {
namespace {

using Json = nlohmann::json;

struct ADescription : ::testing::Test {
    Json of(std::string_view path) { return Json::parse(describe_part(world.tree, world.at(path))); }
    test::TestProbe& probe() { return world.at<test::TestProbe>("probes/cpu"); }
    test::World world;
};

constexpr const char* kPort = "schedulers/S/load_balancing/node_load";

TEST_F(ADescription, HoldsAPartAndAllBelowIt) {
    ASSERT_TRUE(world.apply("create probes/cpu"));
    const auto tree = Json::parse(describe_part(world.tree, world.tree.root()));
    EXPECT_EQ(tree["path"], "");
    EXPECT_EQ(tree["kind"], "folder");
    const auto& cpu = tree["children"][0]["children"][0];
    EXPECT_EQ(cpu["path"], "probes/cpu");
    EXPECT_EQ(cpu["kind"], "probe");
    EXPECT_EQ(cpu["type"], "test_probe");
    EXPECT_EQ(cpu["default"], false);
    EXPECT_EQ(cpu["attributes"]["probe_period"],
              (Json{{"value", 1000}, {"kind", "unsigned"}, {"unit", "ms"}, {"read_only", false}}));
    EXPECT_EQ(cpu["attributes"]["mood"]["value"], "calm");
    EXPECT_EQ(cpu["attributes"]["mood"]["read_only"], true);
    EXPECT_EQ(cpu["children"].size(), 3U);
    EXPECT_FALSE(cpu.contains("flow"));
}

TEST_F(ADescription, ShowsTheValueAtEachStage) {
    ASSERT_TRUE(
        world.apply("create probes/cpu\ncreate schedulers/S\ncreate schedulers/S/load_balancing\n"
                    "link 'cpu/load | threshold(threshold=100)' schedulers/S/load_balancing/node_load"));
    probe().push(250, world.clock.now());
    world.clock.advance(std::chrono::milliseconds(40));
    const auto port = of(kPort)["flow"];
    EXPECT_EQ(port["type"], "load");
    EXPECT_EQ(port["unit"], "1/1000 task");
    EXPECT_EQ(port["value"], nullptr);
    EXPECT_EQ(port["collected_value"], 250);
    EXPECT_EQ(port["age_ms"], 40);
    EXPECT_EQ(port["source"], std::string(kPort) + "/threshold");
    EXPECT_EQ(port["linked"], false);
    EXPECT_EQ(port["wants_updates"], true);
    EXPECT_EQ(port["why_none"], "");
    const auto filter = of(std::string(kPort) + "/threshold")["flow"];
    EXPECT_EQ(filter["value"], 250);
    EXPECT_EQ(filter["collected_value"], 250);
    EXPECT_EQ(filter["source"], "probes/cpu/load");
    EXPECT_EQ(filter["linked"], true);
    const auto source = of("probes/cpu/load")["flow"];
    EXPECT_EQ(source["value"], 250);
    EXPECT_EQ(source["wants_updates"], true);
    EXPECT_EQ(source["source"], nullptr);
}

TEST_F(ADescription, SaysWhyThereIsNoValue) {
    ASSERT_TRUE(world.apply("create probes/cpu\ncreate schedulers/S\ncreate schedulers/S/load_balancing\n"));
    probe().set_trouble("broken");
    EXPECT_EQ(of("probes/cpu")["trouble"], "broken");
    EXPECT_EQ(of("probes/cpu/load")["flow"]["why_none"], "broken");
    EXPECT_EQ(of("probes/cpu/load")["flow"]["age_ms"], nullptr);
    EXPECT_EQ(of(kPort)["flow"]["why_none"], std::string("no source is linked to ") + kPort);
}

TEST_F(ADescription, ListsTheValuesOfAParameterUpToALimitAndCountsAll) {
    ASSERT_TRUE(world.apply("create probes/cpu"));
    for (int pid = 1; pid <= 100; ++pid) probe().set_process_load(pid, pid * 10, world.clock.now());
    const auto flow = of("probes/cpu/process_load")["flow"];
    EXPECT_EQ(flow["parameter"], "pid");
    EXPECT_EQ(flow["count"], 100);
    EXPECT_EQ(flow["values"].size(), limits::kDescribedValues);
    EXPECT_EQ(flow["values"]["7"], 70);
    EXPECT_EQ(flow["why_none"], "");
    EXPECT_FALSE(of("probes/cpu/load")["flow"].contains("values"));
}

TEST_F(ADescription, StaysJsonWhateverTheBytes) {
    Facts facts;
    facts.version = "\xff\xfe\"\\\n";
    facts.schedulers.emplace_back().name = std::string("\0\x80", 2);
    const auto status = Json::parse(describe_facts(facts, 3));
    EXPECT_EQ(status["version"], "\xEF\xBF\xBD\xEF\xBF\xBD\"\\\n");
    EXPECT_EQ(status["parts"], 3);
    EXPECT_EQ(Json::parse(describe_changes({"create \xc3"}, true))["changes"].size(), 1U);
    Explanation odd;
    odd.comm = "\xf0\x28";
    EXPECT_EQ(Json::parse(describe_explanations({odd}))["subjects"].size(), 1U);
}

TEST_F(ADescription, ShowsNumbersThatAreNotFiniteAsNull) {
    ASSERT_TRUE(world.apply("create probes/cpu"));
    auto& source = world.at<model::PlainSource>("probes/cpu/load");
    for (const double value : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
        source.set({.value = value, .time = world.clock.now()});
        EXPECT_EQ(of("probes/cpu/load")["flow"]["value"], nullptr);
    }
    source.set({.value = std::string("\xff"), .time = world.clock.now()});
    EXPECT_EQ(of("probes/cpu/load")["flow"]["value"], "\xEF\xBF\xBD");
}

TEST_F(ADescription, OfTypesIsWhatTheyDeclare) {
    const auto types = Json::parse(describe_types(world.registry));
    std::map<std::string, Json> by_name;
    for (const auto& type : types) by_name[type["name"]] = type;
    const auto& probe_type = by_name.at("test_probe");
    EXPECT_EQ(probe_type["kind"], "probe");
    EXPECT_EQ(probe_type["alias"], "cpu");
    EXPECT_EQ(probe_type["sources"][1]["parameter"], "pid");
    EXPECT_EQ(probe_type["attributes"][0]["accepted"], "a number from 10 to 86400000 [ms]");
    const auto& policy = by_name.at("test_policy");
    EXPECT_EQ(policy["ports"][0], (Json{{"name", "node_load"},
                                        {"type", "load"},
                                        {"unit", "1/1000 task"},
                                        {"parameter", ""},
                                        {"wants_updates", true},
                                        {"doc", "Makes the policy due."}}));
    for (const char* kind : {"scheduler", "process_set", "member"}) EXPECT_EQ(by_name.at(kind)["kind"], kind);
    EXPECT_EQ(by_name.at("member")["attributes"][0]["name"], "weight");
}

TEST_F(ADescription, OfAnExplanationHasTheShapeOfTheReadme) {
    Explanation e;
    e.target = "process:12";
    e.comm = "make";
    e.members = {{"A", "session:7"}, {"B", "handle_all", {"it wants too little"}}};
    e.decisions = {{"A", "0-1", "because", 5, "decides", {"core 1 is full", "so is \xff"}},
                   {"C", "0", "because", 6, "conflict"}};
    e.wanted = e.written = e.effective = "0-1";
    e.state = "applied";
    e.original = "0-3";
    const auto subject = Json::parse(describe_explanations({e}))["subjects"][0];
    EXPECT_EQ(subject["members"], Json::parse(R"([
        {"scheduler":"A","member":"session:7"},
        {"scheduler":"B","member":"handle_all","considered":["it wants too little"]}])"));
    EXPECT_EQ(subject["decisions"], Json::parse(R"([
        {"scheduler":"A","cpus":"0-1","reason":"because","since_ms":5,"result":"decides",
         "considered":["core 1 is full","so is \uFFFD"]},
        {"scheduler":"C","cpus":"0","reason":"because","since_ms":6,"result":"conflict",
         "considered":[]}])"));
    for (const char* key :
         {"target", "comm", "wanted", "written", "effective", "state", "detail", "original"})
        EXPECT_TRUE(subject[key].is_string()) << key;
}

TEST_F(ADescription, OfTheMachineHasEveryCpu) {
    auto topology = test::machine({.nodes = 2});
    topology.allowed = model::CpuSet::of(1);
    const auto json = Json::parse(describe_machine({topology, "0-3", "\xff"}));
    EXPECT_EQ(json["online"], "0-1");
    EXPECT_EQ(json["usable"], "1");
    EXPECT_EQ(json["present"], "0-3");
    ASSERT_EQ(json["cpus"].size(), 2U);
    EXPECT_EQ(json["cpus"][0]["usable"], false);
    EXPECT_EQ(json["cpus"][1], (Json{{"id", 1},
                                     {"package", 1},
                                     {"numa", 1},
                                     {"l3", 1},
                                     {"l2", 1},
                                     {"core", 1},
                                     {"kind", 0},
                                     {"usable", true}}));
}

TEST_F(ADescription, OfChecksIsOkUnlessSomethingEssentialLacks) {
    const auto is_ok = [](const char* state, bool essential) -> bool {
        return Json::parse(describe_checks({{"x", state, essential, "f", "s", "d"}}))["ok"];
    };
    EXPECT_TRUE(is_ok("lacks", false));
    EXPECT_TRUE(is_ok("warning", true));
    EXPECT_FALSE(is_ok("lacks", true));
    const auto json = Json::parse(describe_checks({{"x", "lacks", true, "f", "s", "d"}}));
    EXPECT_EQ(json["checks"][0], (Json{{"check", "x"},
                                       {"state", "lacks"},
                                       {"essential", true},
                                       {"found", "f"},
                                       {"follows", "s"},
                                       {"remedy", "d"}}));
}

TEST_F(ADescription, OfFindingsIsOkOnlyWithoutAny) {
    EXPECT_EQ(Json::parse(describe_findings({})), Json::parse(R"({"ok":true,"findings":[],"waiting":[]})"));
    const auto found = Json::parse(describe_findings({{"process:1", "A", "overridden", "0", "0-1", "x"}}));
    EXPECT_EQ(found["ok"], false);
    EXPECT_EQ(found["findings"][0]["effective"], "0-1");
    const auto waits =
        Json::parse(describe_findings({{"unit:a.service", "A", "pending", "", "", "x", true}}));
    EXPECT_EQ(waits["ok"], true) << "what cannot hold yet is no difference";
    EXPECT_EQ(waits["waiting"][0]["target"], "unit:a.service");
    EXPECT_EQ(Json::parse(describe_findings({}, true))["dry_run"], true);
}

TEST_F(ADescription, OfChangesAndOfAllNameTheirParts) {
    EXPECT_EQ(Json::parse(describe_changes({"create a"}, true)),
              Json::parse(R"({"changes":["create a"],"dry_run":true})"));
    const auto all = Json::parse(describe_all(world.tree, {}, {}));
    EXPECT_TRUE(all["status"].is_object());
    EXPECT_EQ(all["status"]["topology"]["generation"], 0);
    EXPECT_EQ(all["tree"]["kind"], "folder");
    EXPECT_TRUE(all["explain"].is_array());
}

} // namespace
} // namespace schedd::dbus
