// The interface files that are shipped against what the daemon shows.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "components/model/attribute.h"
#include "tests/bus/daemon.h"
#include "tests/bus/held_from_here.h"
#include "tests/bus/introspection.h"

namespace schedd::test {
namespace {

using Json = nlohmann::json;

struct TheShippedXml : OnBothBuses {
    InterfaceXml shipped(const std::string& name) {
        return parse_interfaces(content_of(std::string(SCHEDD_INTERFACES) + "/" + name + ".xml"))[name];
    }
    InterfaceXml live(const std::string& path, const std::string& name) {
        return parse_interfaces(client->introspect(path))[name];
    }

    /// One part of every type, and the object path of one of each.
    void create_all() {
        types = Json::parse(client->call<std::string>("Types").value);
        for (const auto& type : types) {
            const std::string name = type["name"];
            const std::string kind = type["kind"];
            const std::string scheduler = "schedulers/with_" + name;
            std::string part;
            if (kind == "probe") part = "probes/" + name;
            else if (kind == "policy") part = scheduler + "/" + name;
            else if (kind == "filter") part = scheduler + "/load_balancing/node_load/" + name;
            else continue;
            if (kind != "probe") { ASSERT_TRUE(client->create(scheduler)); }
            if (kind == "filter") { ASSERT_TRUE(client->create(scheduler + "/load_balancing")); }
            const auto created = client->create(part, name);
            ASSERT_TRUE(created) << created.message;
            objects[name] = created.value;
        }
        ASSERT_TRUE(client->create("schedulers/S"));
        ASSERT_TRUE(client->create("schedulers/S/load_balancing"));
        objects["scheduler"] = "/org/schedd1/schedulers/S";
        objects["process_set"] = "/org/schedd1/schedulers/S/process_5fset";
        objects["member"] =
            client->call<sdbus::ObjectPath>("Attach", std::string("S"), work.member(), Variants{}).value;
    }
    static std::string interface_of(const std::string& kind) {
        const std::map<std::string, std::string> names{{"probe", "Probe"},
                                                       {"filter", "Filter"},
                                                       {"policy", "Policy"},
                                                       {"scheduler", "Scheduler"},
                                                       {"process_set", "ProcessSet"},
                                                       {"member", "Attachment"}};
        return "org.schedd1." + names.at(kind);
    }
    /// org.schedd1.attributes.xml as it should be: what is live beyond the fixed members, with the
    /// declaration's words.
    std::string attributes_xml() {
        std::string out = "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n"
                          " \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n"
                          "<!-- The attributes of each type as properties of its kind's interface; made from "
                          "the declarations in the\n"
                          "     code by tests/bus/introspection_test.cpp (SCHEDD_UPDATE_GOLDEN=1), which "
                          "also compares. -->\n<node>\n";
        for (const auto& type : types) {
            const std::string name = type["name"];
            const auto interface = interface_of(type["kind"]);
            const auto lines = live(objects.at(name), interface).lines;
            out += fmt::format("  <!-- {} {}: {} -->\n  <node name=\"{}\">\n    <interface name=\"{}\">\n",
                               type["kind"].get<std::string>(), name, type["doc"].get<std::string>(), name,
                               interface);
            for (const auto& attribute : type["attributes"]) out += property_xml(attribute, lines);
            out += "    </interface>\n  </node>\n";
        }
        return out + "</node>\n";
    }
    static std::string property_xml(const Json& attribute, const std::set<std::string>& lines) {
        const auto name = model::camel_case(attribute["name"].get<std::string>());
        const auto at = std::ranges::find_if(lines, [&](const auto& line) {
            return line.starts_with("property " + name + " ");
        });
        if (at == lines.end()) return "      <missing name=\"" + name + "\"/>\n";
        std::istringstream words(*at);
        std::string sort, property, type, access, emits;
        words >> sort >> property >> type >> access >> emits;
        auto accepted =
            attribute["read_only"] ? std::string("reported") : attribute["accepted"].get<std::string>();
        return fmt::format("      <!-- {} {}, default \"{}\". {} -->\n      <property name=\"{}\" "
                           "type=\"{}\" access=\"{}\">\n"
                           "        <annotation name=\"org.freedesktop.DBus.Property.EmitsChangedSignal\" "
                           "value=\"{}\"/>\n      </property>\n",
                           attribute["name"].get<std::string>(), accepted,
                           attribute["default"].get<std::string>(), attribute["doc"].get<std::string>(), name,
                           type, access, emits);
    }

    Sleeper work;
    Json types;
    std::map<std::string, std::string> objects;
};

INSTANTIATE_TEST_SUITE_P(Bus, TheShippedXml, ::testing::ValuesIn(kBothBuses), name_of_bus);

TEST_P(TheShippedXml, IsWhatTheManagerShows) {
    const auto wanted = shipped("org.schedd1.Manager");
    EXPECT_GT(wanted.lines.size(), 20U);
    EXPECT_EQ(wanted.lines, live("/org/schedd1", "org.schedd1.Manager").lines);
}

TEST_P(TheShippedXml, IsWhatPartsShowWithTheAttributesOfTheirTypes) {
    create_all();
    const auto attributes = parse_interfaces(client->introspect("/org/schedd1"));
    const std::map<std::string, std::string>
        fixed{{"org.schedd1.Source", "/org/schedd1/probes/cpu/node_5fload"},
              {"org.schedd1.Port", "/org/schedd1/schedulers/S/load_5fbalancing/node_5fload"}};
    for (const auto& [name, path] : fixed) EXPECT_EQ(shipped(name).lines, live(path, name).lines) << name;
    for (const auto& type : types) {
        const auto name = interface_of(type["kind"]);
        auto wanted = shipped(name).lines;
        ASSERT_FALSE(wanted.empty()) << name;
        for (const auto& attribute : type["attributes"]) {
            const auto kind = attribute["kind"].get<std::string>();
            wanted.insert(fmt::format("property {} {} {} true",
                                      model::camel_case(attribute["name"].get<std::string>()),
                                      kind == "unsigned"  ? "t"
                                      : kind == "integer" ? "x"
                                      : kind == "boolean" ? "b"
                                                          : "s",
                                      attribute["read_only"] ? "read" : "readwrite"));
        }
        EXPECT_EQ(wanted, live(objects.at(type["name"]), name).lines) << type["name"];
    }
}

TEST_P(TheShippedXml, ListsTheAttributesOfEveryType) {
    create_all();
    const auto file = std::string(SCHEDD_INTERFACES) + "/org.schedd1.attributes.xml";
    const auto wanted = attributes_xml();
    if (std::getenv("SCHEDD_UPDATE_GOLDEN")) std::ofstream(file) << wanted;
    EXPECT_EQ(content_of(file), wanted)
        << "if the change is meant: SCHEDD_UPDATE_GOLDEN=1, and look at the difference";
}

TEST_P(TheShippedXml, HasAFileForEveryInterface) {
    create_all();
    const HeldFromHere hold(*client, "scheduler:S");
    EXPECT_EQ(shipped("org.schedd1.Hold").lines, live(hold.path(), "org.schedd1.Hold").lines);
    std::set<std::string> seen;
    for (const auto& [path, interfaces] : client->managed().value)
        for (const auto& [name, properties] : interfaces)
            if (name.starts_with("org.schedd1.")) seen.insert(name);
    seen.insert("org.schedd1.Manager");
    for (const auto& name : seen)
        EXPECT_TRUE(std::filesystem::exists(std::string(SCHEDD_INTERFACES) + "/" + name + ".xml")) << name;
    EXPECT_EQ(seen.size(), 10U);
}

} // namespace
} // namespace schedd::test
