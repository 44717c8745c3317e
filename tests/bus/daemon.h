// Daemon: the real schedd on a private bus, with dry-run acting and directories of its own; and tests over
// both buses.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/bus/client.h"
#include "tests/bus/private_bus.h"

namespace schedd::test {

class Daemon {
public:
    /// Starts it and waits until it owns its name, or has ended.
    /// `configuration` is TOML for a file in its configuration directory, "" for none.
    explicit Daemon(const PrivateBus& bus, const std::string& configuration = "",
                    std::vector<std::string> options = {"--actuator=dry-run"});

    [[nodiscard]] bool is_running() { return child_.is_running(); }
    /// Its exit code after SIGTERM; -1 if it had to be killed.
    int end() { return child_.end(); }
    /// SIGKILL, and a start with the same directories.
    void kill();
    void start_again(const PrivateBus& bus) { start(bus); }
    [[nodiscard]] std::string log() const { return content_of(directory_.path() + "/log"); }
    [[nodiscard]] pid_t pid() const { return child_.pid(); }
    /// schedulers.d/NAME in its configuration directory.
    void configure(const std::string& name, const std::string& text) const;

private:
    void start(const PrivateBus& bus);

    TemporaryDirectory directory_;
    std::vector<std::string> options_;
    Child child_;
};

/// A process that does nothing, as work to schedule.
class Sleeper {
public:
    Sleeper() : child_({"sleep", "600"}, "/dev/null") {}
    [[nodiscard]] pid_t pid() const { return child_.pid(); }
    [[nodiscard]] std::string member() const { return "process:" + std::to_string(pid()); }
    void end() { child_.end(); }

private:
    Child child_;
};

struct OnBothBuses : ::testing::TestWithParam<BusKind> {
    void SetUp() override {
        if (!bus.obstacle().empty()) GTEST_SKIP() << bus.obstacle();
        daemon = std::make_unique<Daemon>(bus);
        ASSERT_TRUE(daemon->is_running()) << daemon->log();
        client = std::make_unique<Client>(bus.address());
    }
    void TearDown() override {
        if (!daemon) return;
        EXPECT_TRUE(daemon->is_running()) << daemon->log();
        EXPECT_EQ(daemon->end(), 0) << daemon->log();
    }
    /// probes/cpu, the scheduler S with load_balancing, nothing linked.
    void build() {
        const auto built = client->apply_verbs(
            "create probes/cpu\ncreate schedulers/S\ncreate schedulers/S/load_balancing\n");
        ASSERT_TRUE(built) << built.message;
    }

    PrivateBus bus{GetParam()};
    std::unique_ptr<Daemon> daemon;
    std::unique_ptr<Client> client;
};

inline constexpr auto kBothBuses = {BusKind::dbus_daemon, BusKind::dbus_broker};
inline std::string name_of_bus(const ::testing::TestParamInfo<BusKind>& row) {
    return row.param == BusKind::dbus_daemon ? "DbusDaemon" : "DbusBroker";
}

/// A D-Bus value of a basic type.
template <class T> sdbus::Variant basic(const T& value) { return sdbus::Variant(value); }
inline sdbus::Variant basic(const char* value) { return sdbus::Variant(std::string(value)); }
inline sdbus::Variant number(std::uint64_t value) { return sdbus::Variant(value); }

} // namespace schedd::test
