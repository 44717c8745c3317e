// Another user may read everything and change nothing.
#include <sstream>

#include <unistd.h>

#include "tests/bus/daemon.h"
#include "tests/bus/introspection.h"

namespace schedd::test {
namespace {

struct AnotherUser : OnBothBuses {
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
        OnBothBuses::SetUp();
    }
    /// busctl as uid 65534; its output, "ok" for none.
    std::string busctl(std::vector<std::string> words) {
        words.insert(words.begin(), {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "busctl",
                                     "--address=" + bus.address()});
        int code = -1;
        const auto out = run(words, &code);
        return code == 0 ? (out.empty() ? "ok" : out) : out;
    }
};

INSTANTIATE_TEST_SUITE_P(Bus, AnotherUser, ::testing::ValuesIn(kBothBuses), name_of_bus);

constexpr const char* kRefused = "uid 65534 may not change anything";

TEST_P(AnotherUser, IsDeniedEveryMethodThatChangesSomething) {
    build();
    const auto before = client->call<std::string>("Export", Variants{}).value;
    auto manager = parse_interfaces(
        content_of(std::string(SCHEDD_INTERFACES) + "/org.schedd1.Manager.xml"))["org.schedd1.Manager"];
    int tried = 0;
    for (const auto& method : manager.methods) {
        if (method.in_names.empty() || method.in_names.back() != "options" || method.name == "Export" ||
            method.name == "PlaceTask")
            continue;
        std::vector<std::string> words{"call",         "org.schedd1",
                                       "/org/schedd1", "org.schedd1.Manager",
                                       method.name,    ""};
        for (const auto& signature : method.in) {
            words[5] += signature;
            if (signature == "s") words.emplace_back("probes/cpu");
            else if (signature == "v") words.insert(words.end(), {"s", "500"});
            else words.emplace_back("0");
        }
        EXPECT_NE(busctl(words).find(kRefused), std::string::npos) << method.name << ": " << busctl(words);
        ++tried;
    }
    EXPECT_EQ(tried, 17);
    EXPECT_EQ(client->call<std::string>("Export", Variants{}).value, before);
}

TEST_P(AnotherUser, IsDeniedEveryWritableProperty) {
    build();
    int tried = 0;
    for (const auto& [path, interfaces] : client->managed().value)
        for (const auto& [name, xml] : parse_interfaces(client->introspect(path))) {
            for (const auto& line : xml.lines) {
                if (!line.starts_with("property ") || line.find(" readwrite ") == std::string::npos) continue;
                std::istringstream words(line);
                std::string sort, property, type;
                words >> sort >> property >> type;
                const auto value = type == "b" ? "true" : type == "s" ? "auto" : "11";
                EXPECT_NE(busctl({"set-property", "org.schedd1", path, name, property, type, value})
                              .find(kRefused),
                          std::string::npos)
                    << path << " " << property;
                ++tried;
            }
        }
    EXPECT_GT(tried, 8);
    EXPECT_EQ(client->read("probes/cpu.probe_period").value, "1000");
}

TEST_P(AnotherUser, MayTryWhateverChangesNothing) {
    build();
    const auto before = client->call<std::string>("Export", Variants{}).value;
    const auto try_out = [&](const std::string& method, const std::string& signature,
                             std::vector<std::string> arguments) {
        std::vector<std::string> words{"call", "org.schedd1",      "/org/schedd1", "org.schedd1.Manager",
                                       method, signature + "a{sv}"};
        words.insert(words.end(), arguments.begin(), arguments.end());
        words.insert(words.end(), {"1", "dry_run", "b", "true"});
        return busctl(words);
    };
    EXPECT_EQ(try_out("Create", "ss", {"schedulers/T", ""}), "o \"/org/schedd1/schedulers/T\"\n");
    EXPECT_NE(try_out("Create", "ss", {"schedulers/S", ""}).find("exists"), std::string::npos);
    EXPECT_EQ(try_out("Remove", "s", {"schedulers/S/load_balancing"}), "ok");
    EXPECT_TRUE(try_out("Apply", "s", {"[probe.cpu]\nprobe_period = 700\n"}).starts_with("s \"{"));
    EXPECT_TRUE(try_out("Reload", "", {}).starts_with("s \"{"));
    EXPECT_EQ(client->call<std::string>("Export", Variants{}).value, before);
}

TEST_P(AnotherUser, MayReadEverything) {
    build();
    const auto call = [&](const std::string& method, std::vector<std::string> arguments = {}) {
        std::vector<std::string> words{"call", "org.schedd1", "/org/schedd1", "org.schedd1.Manager", method};
        words.insert(words.end(), arguments.begin(), arguments.end());
        return busctl(words);
    };
    EXPECT_TRUE(call("Status").starts_with("s \"{"));
    EXPECT_TRUE(call("Describe", {"s", ""}).starts_with("s \"{"));
    EXPECT_TRUE(call("Types").starts_with("s \"["));
    EXPECT_TRUE(call("Verify").starts_with("s \"{"));
    EXPECT_TRUE(call("Export", {"a{sv}", "0"}).starts_with("s \""));
    EXPECT_EQ(call("Read", {"s", "probes/cpu.probe_period"}), "s \"1000\"\n");
    EXPECT_EQ(busctl({"get-property", "org.schedd1", "/org/schedd1/probes/cpu", "org.schedd1.Probe",
                      "ProbePeriod"}),
              "t 1000\n");
}

} // namespace
} // namespace schedd::test
