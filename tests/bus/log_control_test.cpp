// org.freedesktop.LogControl1, as `systemctl service-log-level` uses it.
#include <unistd.h>

#include "tests/bus/attempts.h"
#include "tests/bus/daemon.h"
#include "tests/bus/played_polkit.h"

namespace schedd::test {
namespace {

struct TheLog : OnBothBuses {
    static constexpr const char* kPath = "/org/freedesktop/LogControl1";
    static constexpr const char* kInterface = "org.freedesktop.LogControl1";
    static constexpr const char* kProperties = "org.freedesktop.DBus.Properties";
    std::string get(const std::string& property) {
        const auto value =
            client->call_at<sdbus::Variant>(kPath, kProperties, "Get", std::string(kInterface), property);
        return value ? value.value.get<std::string>() : value.error + ": " + value.message;
    }
    static Answer<Nothing> set(Client& by, const std::string& property, const std::string& value) {
        return by.call_at<Nothing>(kPath, kProperties, "Set", std::string(kInterface), property,
                                   sdbus::Variant(value));
    }
};

INSTANTIATE_TEST_SUITE_P(Bus, TheLog, ::testing::ValuesIn(kBothBuses), name_of_bus);

TEST_P(TheLog, IsTurnedUpAndDownInSyslogsWords) {
    EXPECT_EQ(get("SyslogIdentifier"), "schedd");
    EXPECT_EQ(get("LogLevel"), "info");
    const std::map<std::string, std::string> words{{"debug", "debug"}, {"notice", "notice"},
                                                   {"err", "err"},     {"crit", "err"},
                                                   {"emerg", "err"},   {"info", "info"}};
    for (const auto& [written, read] : words) {
        EXPECT_TRUE(set(*client, "LogLevel", written)) << written;
        EXPECT_EQ(get("LogLevel"), read);
    }
    const auto refused = set(*client, "LogLevel", "loud");
    EXPECT_EQ(refused.error, "InvalidValue");
    EXPECT_NE(refused.message.find("it may be: debug info notice warning err"), std::string::npos)
        << refused.message;
}

TEST_P(TheLog, SaysMoreAtOnceAndKeepsItOverAReload) {
    ASSERT_TRUE(set(*client, "LogLevel", "err"));
    ASSERT_TRUE(client->call<std::string>("Reload", Variants{}));
    EXPECT_EQ(daemon->log().find("reloaded"), std::string::npos) << daemon->log();
    ASSERT_TRUE(set(*client, "LogLevel", "debug"));
    ASSERT_TRUE(client->call<std::string>("Reload", Variants{}));
    EXPECT_NE(daemon->log().find("reloaded"), std::string::npos) << daemon->log();
    EXPECT_EQ(get("LogLevel"), "debug");
}

TEST_P(TheLog, GoesWhereItIsSent) {
    EXPECT_EQ(get("LogTarget"), "console");
    ASSERT_TRUE(set(*client, "LogTarget", "null"));
    ASSERT_TRUE(client->call<std::string>("Reload", Variants{}));
    EXPECT_EQ(daemon->log().find("reloaded"), std::string::npos) << daemon->log();
    ASSERT_TRUE(set(*client, "LogTarget", "auto"));
    EXPECT_EQ(get("LogTarget"), "console");
    EXPECT_EQ(set(*client, "LogTarget", "journal").error, "NotSupported");
    EXPECT_EQ(set(*client, "LogTarget", "moon").error, "InvalidValue");
}

TEST_P(TheLog, IsSetByRootAloneWhateverPolkitSays) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    PlayedPolkit polkit(bus.address(), Verdict::allow);
    const auto caller = client_of(65534, bus.address());
    for (const auto* property : {"LogLevel", "LogTarget"}) {
        const auto refused = set(*caller, property, "debug");
        EXPECT_EQ(refused.error, "Denied");
        EXPECT_EQ(refused.message, "uid 65534 may not change this: this takes root");
    }
    EXPECT_EQ(get("LogLevel"), "info");
    EXPECT_TRUE(polkit.asked().empty());
}

} // namespace
} // namespace schedd::test
