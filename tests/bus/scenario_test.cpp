// The slides' build, modify, replace and query scenarios, call by call, on the real daemon.
#include <nlohmann/json.hpp>

#include "tests/bus/daemon.h"

namespace schedd::test {
namespace {

using Json = nlohmann::json;

struct TheSlides : OnBothBuses {
    Json describe(const std::string& path) {
        return Json::parse(client->call<std::string>("Describe", path).value);
    }
    Json status() { return Json::parse(client->call<std::string>("Status").value); }
    /// Waits until a place can be read, as a person would look again.
    std::string await(const std::string& place) {
        Answer<std::string> answer;
        client->wait_for([&] { return static_cast<bool>(answer = client->read(place)); });
        return answer.error.empty() ? answer.value : answer.error + ": " + answer.message;
    }
};

INSTANTIATE_TEST_SUITE_P(Bus, TheSlides, ::testing::ValuesIn(kBothBuses), name_of_bus);

const std::string kPolicy = "schedulers/CPU_LB/load_balancing";

TEST_P(TheSlides, BuildModifyReplaceAndLetGo) {
    Sleeper work;
    ASSERT_EQ(client->create("probes/cpu").value, "/org/schedd1/probes/cpu");
    ASSERT_TRUE(client->call("Write", std::string("probes/cpu"), std::string("probe_period"), number(50),
                             Variants{}));
    ASSERT_EQ(client->create("schedulers/CPU_LB").value, "/org/schedd1/schedulers/CPU_5fLB");
    ASSERT_TRUE(client->create(kPolicy));
    ASSERT_TRUE(client->create(kPolicy + "/node_load/threshold"));
    ASSERT_TRUE(client->call("Write", kPolicy + "/node_load/threshold", std::string("threshold"),
                             basic("0x10"), Variants{}));
    EXPECT_EQ(client->read(kPolicy + "/node_load").error, "NoValue");
    ASSERT_TRUE(client->link("probes/cpu/node_load", kPolicy + "/node_load/threshold"));
    ASSERT_TRUE(client->link("cpu/process_load", kPolicy + "/process_load"));
    const auto member = client->call<sdbus::ObjectPath>("Attach", std::string("CPU_LB"), work.member(),
                                                        Variants{{"weight", number(200)}});
    ASSERT_TRUE(member) << member.message;
    EXPECT_EQ(client->get(member.value, "Attachment", "Weight").value.get<std::uint64_t>(), 200U);

    // the value at every stage
    for (const auto* place : {"probes/cpu/node_load", "schedulers/CPU_LB/load_balancing/node_load/threshold",
                              "schedulers/CPU_LB/load_balancing/node_load"})
        EXPECT_EQ(await(place).find_first_not_of("0123456789"), std::string::npos)
            << place << ": " << await(place);
    EXPECT_EQ(client->read(kPolicy + "/node_load/threshold.threshold").value, "16");
    const auto chain = describe(kPolicy + "/node_load");
    EXPECT_TRUE(chain["flow"]["collected_value"].is_number());
    EXPECT_EQ(chain["children"][0]["flow"]["source"], "probes/cpu/node_load");
    EXPECT_EQ(status()["schedulers"][0]["members"], 1);
    const auto why = client->call<std::string>("Explain", work.member());
    ASSERT_TRUE(why) << why.message;
    EXPECT_EQ(Json::parse(why.value)["subjects"][0]["target"], work.member());

    // the filter goes while all runs
    EXPECT_EQ(client->remove(kPolicy + "/node_load/threshold").error, "Busy");
    ASSERT_TRUE(client->remove(kPolicy + "/node_load/threshold", {{"recursive", basic(true)}}));
    ASSERT_TRUE(client->link("cpu/node_load", kPolicy + "/node_load"));
    EXPECT_EQ(await(kPolicy + "/node_load").find_first_not_of("0123456789"), std::string::npos);

    // another policy takes its place in one step
    const auto replaced = client->apply_verbs(
        "remove -r schedulers/CPU_LB/load_balancing\ncreate schedulers/CPU_LB/echo_policy\n"
        "create probes/mem_probe\nlink mem_probe/ram_free schedulers/CPU_LB/echo_policy/port_mem_free\n");
    ASSERT_TRUE(replaced) << replaced.message;
    EXPECT_EQ(Json::parse(replaced.value)["changes"].size(), 4U);
    EXPECT_EQ(client->get("/org/schedd1/schedulers/CPU_5fLB", "Scheduler", "Policy")
                  .value.get<sdbus::ObjectPath>(),
              "/org/schedd1/schedulers/CPU_5fLB/echo_5fpolicy");
    EXPECT_EQ(await("schedulers/CPU_LB/echo_policy/port_mem_free").find_first_not_of("0123456789"),
              std::string::npos);

    ASSERT_TRUE(client->call("Detach", std::string("CPU_LB"), work.member(), Variants{}));
    EXPECT_EQ(status()["held"], 0);
    EXPECT_EQ(Json::parse(client->call<std::string>("Verify").value)["ok"], true);
}

TEST_P(TheSlides, RefuseWhatDoesNotFitAndSayWhy) {
    build();
    ASSERT_TRUE(client->create("probes/mem_probe"));
    const std::string port = "schedulers/S/load_balancing/node_load";
    const auto mismatch = client->link("mem_probe/ram_free", port);
    EXPECT_EQ(mismatch.error, "TypeMismatch");
    EXPECT_NE(mismatch.message.find("memory [KiB]"), std::string::npos) << mismatch.message;
    ASSERT_TRUE(client->link("cpu/node_load", port));
    const auto second = client->link("cpu/node_load", port);
    EXPECT_EQ(second.error, "Busy");
    EXPECT_NE(second.message.find("a sink has one source"), std::string::npos) << second.message;
    EXPECT_EQ(client->remove("probes/cpu", {{"recursive", basic(true)}}).error, "Busy");
    EXPECT_EQ(client->read("probes/cpu.probe_period").error, "");
}

TEST_P(TheSlides, ComeBackFromTheirOwnExport) {
    const auto built = client->apply_verbs(
        "create probes/cpu\nwrite probes/cpu.probe_period 500\ncreate schedulers/S\ncreate "
        "schedulers/S/load_balancing\n"
        "link 'cpu/node_load | threshold(threshold=100)' schedulers/S/load_balancing/node_load\n");
    ASSERT_TRUE(built) << built.message;
    const auto toml = client->call<std::string>("Export", Variants{});
    ASSERT_TRUE(toml) << toml.message;
    EXPECT_EQ(Json::parse(client->call<std::string>("Apply", toml.value, Variants{{"prune", basic(true)}})
                              .value)["changes"]
                  .size(),
              0U);
    const auto verbs = client->call<std::string>("Export", Variants{{"format", basic("verbs")}}).value;
    ASSERT_TRUE(client->remove("schedulers/S", {{"recursive", basic(true)}}));
    ASSERT_TRUE(client->remove("probes/cpu", {{"recursive", basic(true)}}));
    ASSERT_TRUE(client->apply_verbs(verbs));
    EXPECT_EQ(client->call<std::string>("Export", Variants{}).value, toml.value);
}

TEST_P(TheSlides, AreWholeInADump) {
    build();
    const auto file = client->call<sdbus::UnixFd>("Dump");
    ASSERT_TRUE(file) << file.message;
    std::string text(1U << 20U, '\0');
    const auto size = ::read(file.value.get(), text.data(), text.size());
    ASSERT_GT(size, 0);
    text.resize(static_cast<std::size_t>(size));
    const auto dump = Json::parse(text);
    EXPECT_EQ(dump["status"]["actuator"], "dry-run");
    EXPECT_EQ(dump["tree"]["children"][0]["children"][0]["path"], "probes/cpu");
    EXPECT_TRUE(dump["explain"].is_array());
    EXPECT_LT(::write(file.value.get(), "x", 1), 0) << "the file is sealed";
}

TEST_P(TheSlides, MayBePlayedWithBusctl) {
    build();
    const auto busctl = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"busctl", "--address=" + bus.address()});
        int code = -1;
        auto out = run(words, &code);
        return code == 0 ? out : "failed: " + out;
    };
    const std::string cpu = "/org/schedd1/probes/cpu";
    EXPECT_EQ(busctl({"get-property", "org.schedd1", cpu, "org.schedd1.Probe", "ProbePeriod"}), "t 1000\n");
    EXPECT_EQ(busctl({"set-property", "org.schedd1", cpu, "org.schedd1.Probe", "ProbePeriod", "t", "250"}),
              "");
    EXPECT_EQ(busctl({"get-property", "org.schedd1", cpu, "org.schedd1.Probe", "ProbePeriod"}), "t 250\n");
    EXPECT_NE(busctl({"set-property", "org.schedd1", cpu, "org.schedd1.Probe", "ProbePeriod", "t", "1"})
                  .find("from 10 to 86400000"),
              std::string::npos);
    EXPECT_NE(busctl({"set-property", "org.schedd1", cpu, "org.schedd1.Probe", "Path", "s", "x"})
                  .find("failed"),
              std::string::npos);
    const auto tree = busctl({"tree", "--list", "org.schedd1"});
    EXPECT_NE(tree.find("/org/schedd1/schedulers/S/load_5fbalancing/node_5fload\n"), std::string::npos)
        << tree;
}

} // namespace
} // namespace schedd::test
