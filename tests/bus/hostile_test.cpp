// Callers that vanish, flood, or send what nobody expects: the daemon stays and stays whole.
#include <nlohmann/json.hpp>

#include "tests/bus/daemon.h"

namespace schedd::test {
namespace {

struct AHostileCaller : OnBothBuses {
    bool answers() { return static_cast<bool>(client->call<std::string>("Status")); }
    std::size_t parts() { return nlohmann::json::parse(client->call<std::string>("Status").value)["parts"]; }
};

INSTANTIATE_TEST_SUITE_P(Bus, AHostileCaller, ::testing::ValuesIn(kBothBuses), name_of_bus);

TEST_P(AHostileCaller, MayVanishInTheMiddleOfACall) {
    build();
    for (int i = 0; i < 100; ++i) {
        auto connection = sdbus::createSessionBusConnectionWithAddress(bus.address());
        auto proxy = sdbus::createProxy(*connection, "org.schedd1", "/org/schedd1");
        auto call = proxy->createMethodCall("org.schedd1.Manager", i % 2 == 0 ? "Describe" : "Create");
        if (i % 2 == 0) call << std::string();
        else call << "probes/p" + std::to_string(i) << std::string("cpu") << Variants{};
        proxy->callMethod(call, [](sdbus::MethodReply&, const sdbus::Error*) {
            FAIL() << "nobody waits for this";
        });
        // the connection goes before the answer has come
    }
    EXPECT_TRUE(answers());
    // a create either was carried out or was denied as its caller could no longer be told; never half
    const auto created =
        nlohmann::json::parse(client->call<std::string>("Describe", std::string("probes")).value)["children"];
    for (const auto& probe : created) EXPECT_EQ(probe["children"].size(), 5U) << probe["path"];
}

TEST_P(AHostileCaller, MayAskForMoreThanItReads) {
    build();
    auto connection = sdbus::createSessionBusConnectionWithAddress(bus.address());
    auto proxy = sdbus::createProxy(*connection, "org.schedd1", "/org/schedd1");
    for (int i = 0; i < 120; ++i) {
        auto call = proxy->createMethodCall("org.schedd1.Manager", "Types");
        proxy->callMethod(call, [](sdbus::MethodReply&, const sdbus::Error*) {});
    }
    EXPECT_TRUE(answers());
}

TEST_P(AHostileCaller, HitsALimitWithANameAfterManyCreates) {
    // most of the way in one step: the engine settles after each call, which takes time per scheduler
    std::string recipe;
    for (int i = 0; i < 3'500; ++i) recipe += "create schedulers/r" + std::to_string(i) + "\n";
    ASSERT_TRUE(client->apply_verbs(recipe));
    int created = 0;
    Answer<sdbus::ObjectPath> refused;
    for (int i = 0; i < 10'000 && refused; ++i) {
        refused = client->create("schedulers/s" + std::to_string(i));
        created += refused ? 1 : 0;
    }
    EXPECT_EQ(refused.error, "LimitExceeded");
    EXPECT_NE(refused.message.find("limit parts = 8192"), std::string::npos) << refused.message;
    EXPECT_GT(created, 500);
    EXPECT_TRUE(answers());
    EXPECT_GE(parts(), 8191U);
    EXPECT_EQ(client->managed().value.size(), parts() - 4) << "all parts but the four folders";
    ASSERT_TRUE(client->remove("schedulers/s0", {{"recursive", basic(true)}}));
    EXPECT_TRUE(client->create("schedulers/again"));
}

TEST_P(AHostileCaller, MaySendAnyText) {
    const std::vector<std::string> texts{std::string(),
                                         std::string("/"),
                                         std::string("//"),
                                         std::string("/org/schedd1/"),
                                         std::string("%"),
                                         std::string("%zz"),
                                         std::string("../.."),
                                         std::string(100'000, '/'),
                                         std::string(100'000, 'a'),
                                         std::string("a.b.c[["),
                                         std::string("]"),
                                         std::string("probes[\n]"),
                                         std::string("\xF4\x8F\xBF\xBD")};
    for (const auto& text : texts) {
        (void)client->read(text);
        (void)client->create(text, text);
        (void)client->remove(text);
        (void)client->link(text, text);
        (void)client->call("Unlink", text, Variants{});
        (void)client->call("Write", text, text, basic(text), Variants{});
        (void)client->call<sdbus::ObjectPath>("Attach", text, text, Variants{});
        (void)client->call("Detach", text, text, Variants{});
        (void)client->call<std::string>("Explain", text);
        (void)client->call<std::string>("Describe", text);
        (void)client->call<std::string>("Apply", text, Variants{});
        (void)client->apply_verbs(text);
        ASSERT_TRUE(answers()) << text.substr(0, 40);
    }
    EXPECT_EQ(parts(), 4U);
}

TEST_P(AHostileCaller, MaySendManyOptions) {
    Variants options;
    for (int i = 0; i < 5'000; ++i) options.emplace("key" + std::to_string(i), basic(true));
    EXPECT_EQ(client->create("probes/cpu", "", options).error, "InvalidValue");
    EXPECT_EQ(client->create("probes/cpu", "", {{"attributes", sdbus::Variant(options)}}).error,
              "NoSuchObject");
    EXPECT_TRUE(answers());
}

TEST_P(AHostileCaller, MayEndTheWorkInTheMiddle) {
    build();
    Sleeper work;
    ASSERT_TRUE(client->call<sdbus::ObjectPath>("Attach", std::string("S"), work.member(), Variants{}));
    const auto member = work.member();
    work.end();
    const auto detached = client->call("Detach", std::string("S"), member, Variants{});
    EXPECT_TRUE(detached || detached.error == "NoSuchObject") << detached.message;
    EXPECT_TRUE(answers());
}

} // namespace
} // namespace schedd::test
