// Interfaces of parts: names, signatures and promises about signals.
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "dbus/adaptors.h"
#include "tests/unit/dbus/fake_backend.h"

namespace schedd::dbus {
namespace {

struct AnAdaptor : ::testing::Test {
    AnAdaptor() {
        world.start({.pid = 20});
        EXPECT_TRUE(world.apply("create probes/cpu\ncreate schedulers/S\ncreate schedulers/S/load_balancing\n"
                                "link 'cpu/load | threshold' schedulers/S/load_balancing/node_load\n"
                                "create schedulers/S/process_set/process:20\n"));
    }
    Interface of(std::string_view path) { return interface_of(world.at(path), {backend, watches}).value(); }
    std::map<std::string, Property> properties(std::string_view path) {
        std::map<std::string, Property> out;
        for (auto& property : of(path).properties) {
            EXPECT_FALSE(out.contains(property.name)) << property.name << " twice at " << path;
            out.emplace(property.name, property);
        }
        return out;
    }
    test::World world;
    test::FakeBackend backend{world};
    Watches watches{[](const std::string&, std::function<void()>) {
                        return Connection::Watch(nullptr, [](void*) {});
                    },
                    [](const model::Part&, const model::Sample&, std::uint64_t, const std::string&) {}};
};

TEST_F(AnAdaptor, IsThereForEveryKindButFolders) {
    std::set<std::string> names;
    model::for_each_part(world.tree.root(), [&](model::Part& part) {
        const auto interface = interface_of(part, {backend, watches});
        EXPECT_EQ(interface.has_value(), part.kind() != model::Kind::folder) << part.path().text();
        if (interface) names.insert(interface->name);
    });
    EXPECT_EQ(names, (std::set<std::string>{"org.schedd1.Probe", "org.schedd1.Source", "org.schedd1.Filter",
                                            "org.schedd1.Port", "org.schedd1.Policy", "org.schedd1.Scheduler",
                                            "org.schedd1.ProcessSet", "org.schedd1.Attachment"}));
}

TEST_F(AnAdaptor, HasAPropertyForEachAttributeTypedAsDeclared) {
    model::for_each_part(world.tree.root(), [&](model::Part& part) {
        if (part.kind() == model::Kind::folder) return;
        const auto found = properties(part.path().text());
        for (const auto& spec : part.attributes()) {
            const auto at = found.find(model::camel_case(spec.name));
            ASSERT_NE(at, found.end()) << spec.name;
            EXPECT_EQ(at->second.signature, signature_of(spec.kind)) << spec.name;
            EXPECT_EQ(!at->second.set, spec.read_only) << spec.name;
            EXPECT_EQ(at->second.emits, Emits::change) << spec.name;
        }
        EXPECT_EQ(found.at("Path").emits, Emits::constant);
        EXPECT_EQ(found.at("Type").emits, Emits::constant);
        EXPECT_FALSE(found.at("Path").set);
    });
}

TEST_F(AnAdaptor, WritesAttributesThroughTheBackend) {
    const auto probe = properties("probes/cpu");
    EXPECT_TRUE(probe.at("ProbePeriod").set(Basic(std::uint64_t{250})));
    EXPECT_EQ(world.read("probes/cpu.probe_period"), "250");
    EXPECT_EQ(backend.applied, 1);
    const auto refused = probe.at("ProbePeriod").set(Basic(std::uint64_t{1}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Errc::invalid_value);
    EXPECT_EQ(world.read("probes/cpu.probe_period"), "250");
}

TEST_F(AnAdaptor, DoesNotPromiseSignalsForFastValues) {
    EXPECT_EQ(properties("probes/cpu/load").at("Value").emits, Emits::nothing);
    const auto filter = properties("schedulers/S/load_balancing/node_load/threshold");
    EXPECT_EQ(filter.at("Value").emits, Emits::nothing);
    EXPECT_EQ(filter.at("CollectedValue").emits, Emits::nothing);
    EXPECT_EQ(filter.at("SourceLink").emits, Emits::change);
    EXPECT_EQ(properties("schedulers/S/process_set").at("Members").emits, Emits::invalidation);
    EXPECT_EQ(properties("probes/cpu").at("Trouble").emits, Emits::nothing);
}

TEST_F(AnAdaptor, LetsPartsBeChangedByPropertiesOnly) {
    model::for_each_part(world.tree.root(), [&](model::Part& part) {
        if (part.kind() == model::Kind::folder) return;
        const auto interface = interface_of(part, {backend, watches});
        for (const auto& method : interface->methods)
            EXPECT_TRUE(std::holds_alternative<ReadHandler>(method.handler)) << method.name;
    });
}

} // namespace
} // namespace schedd::dbus
