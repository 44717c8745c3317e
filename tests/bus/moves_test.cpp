// Moving work, as far as a daemon without systemd goes: guests are refused until that is taken back, and what
// cannot be moved is refused in words.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/bus/client.h"
#include "tests/bus/daemon.h"

namespace schedd::test {
namespace {

using testing::HasSubstr;

struct Guests : testing::TestWithParam<BusKind> {
    PrivateBus bus{GetParam()};
    std::unique_ptr<Daemon> daemon;
    std::unique_ptr<Client> client;

    void SetUp() override {
        if (!bus.obstacle().empty()) GTEST_SKIP() << bus.obstacle();
        daemon = std::make_unique<Daemon>(bus);
        client = std::make_unique<Client>(bus.address());
    }
    static bool is_blocked(Client& of) {
        const auto status = of.call<std::string>("Status");
        return nlohmann::json::parse(status.value)["migration"]["blocked"].get<bool>();
    }
};

INSTANTIATE_TEST_SUITE_P(Bus, Guests, ::testing::ValuesIn(kBothBuses), name_of_bus);

TEST_P(Guests, AreRefusedFromBlockToUnblockAlsoOverACrashAndByThatDaemonAlone) {
    EXPECT_FALSE(is_blocked(*client));
    ASSERT_TRUE(client->call("BlockGuests", true, Variants{}));
    EXPECT_TRUE(is_blocked(*client));
    const PrivateBus elsewhere(GetParam());
    const Daemon other(elsewhere);
    Client others(elsewhere.address());
    EXPECT_FALSE(is_blocked(others)) << "each has a state directory of its own";
    daemon->kill();
    daemon->start_again(bus);
    EXPECT_TRUE(is_blocked(*client));
    ASSERT_TRUE(client->call("BlockGuests", false, Variants{}));
    EXPECT_FALSE(is_blocked(*client));
    EXPECT_TRUE(client->call("BlockGuests", false, Variants{})) << "twice is no mistake";
}
TEST_P(Guests, AreNotTriedByADryRun) {
    ASSERT_TRUE(client->call("BlockGuests", true, Variants{{"dry_run", sdbus::Variant(true)}}));
    EXPECT_FALSE(is_blocked(*client));
}
TEST_P(Guests, DoNotLeaveWithoutANodeToGoTo) {
    const auto refused = client->call<std::uint64_t>("Migrate", std::string("unit:x.service"),
                                                     std::string("node2"), Variants{});
    EXPECT_FALSE(refused);
    EXPECT_THAT(refused.message, HasSubstr("membership is off"));
}

} // namespace
} // namespace schedd::test
