// The manager's table against the rules all methods keep.
#include "dbus/manager_adaptor.h"

#include <set>

#include <gtest/gtest.h>

#include "tests/unit/dbus/fake_backend.h"

namespace schedd::dbus {
namespace {

struct TheManager : ::testing::Test {
    test::World world;
    test::FakeBackend backend{world};
    Interface interface = manager_interface(backend);
};

TEST_F(TheManager, AuthorizesEveryMethodThatChangesSomething) {
    const std::set<std::string_view> reads{"Read",   "Export",  "Describe",  "Status",
                                           "Types",  "Explain", "Verify",    "Topology",
                                           "Doctor", "Dump",    "ListNodes", "PlaceTask"};
    std::set<std::string_view> seen;
    for (const auto& method : interface.methods) {
        EXPECT_EQ(std::holds_alternative<ReadHandler>(method.handler), reads.contains(method.name))
            << method.name;
        EXPECT_TRUE(seen.insert(method.name).second) << method.name;
    }
    for (const auto name : reads) EXPECT_TRUE(seen.contains(name)) << name;
    for (const std::string_view name : {"Create", "Remove", "Write", "Link", "Unlink", "Apply", "Attach",
                                        "Detach", "Reload", "Hold", "DrainNode"})
        EXPECT_TRUE(seen.contains(name)) << name;
}

TEST_F(TheManager, EndsEveryChangingMethodInOptions) {
    for (const auto& method : interface.methods) {
        if (std::holds_alternative<ReadHandler>(method.handler)) continue;
        ASSERT_FALSE(method.in.empty()) << method.name;
        EXPECT_EQ(method.in.back().name, "options") << method.name;
        EXPECT_EQ(method.in.back().signature, "a{sv}") << method.name;
    }
}

TEST_F(TheManager, TakesTheActionOfItsKindForEachChange) {
    // what concerns other machines, and what leaves this one or comes to it
    const std::set<std::string_view> peers{"DrainNode", "Migrate",     "Expel",     "Bring",
                                           "Restore",   "BlockGuests", "Checkpoint"};
    for (const auto& method : interface.methods) {
        const auto wanted = method.name == "Attach" || method.name == "Detach" ? Action::attach
                            : method.name == "Hold"                            ? Action::hold
                            : peers.contains(method.name)                      ? Action::peers
                                                                               : Action::configure;
        EXPECT_EQ(method.action, wanted) << method.name;
    }
}

TEST_F(TheManager, HasNoWritableProperty) {
    for (const auto& property : interface.properties) EXPECT_FALSE(property.set) << property.name;
}

} // namespace
} // namespace schedd::dbus
