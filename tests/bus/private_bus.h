// PrivateBus: a message bus of the test's own, in a directory of its own.
#pragma once

#include <string>

#include "tests/bus/child.h"

namespace schedd::test {

enum class BusKind { dbus_daemon, dbus_broker };

class PrivateBus {
public:
    /// `rules` are lines of its policy, after those that allow everything.
    explicit PrivateBus(BusKind kind, const std::string& rules = {});

    [[nodiscard]] const std::string& address() const { return address_; }
    [[nodiscard]] const std::string& directory() const { return directory_.path(); }
    /// Why this kind of bus cannot run here; empty if it does.
    [[nodiscard]] const std::string& obstacle() const { return obstacle_; }
    /// The bus dies.
    void end() { bus_.end(); }

private:
    void start_broker(const std::string& config, const std::string& socket);

    TemporaryDirectory directory_;
    std::string address_;
    std::string obstacle_;
    Child bus_;
};

} // namespace schedd::test
