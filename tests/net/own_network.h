// OwnNetwork: a network namespace of the test's own, which goes with the process; nothing needs removing.
#pragma once

#include <string>

#include "components/kit/log.h"

namespace schedd::net::test {

/// Makes one namespace for this process, once, with its loopback interface up. Empty, or why it cannot be.
const std::string& own_network();

/// Runs `ip ARGUMENTS` here; false if it failed.
bool ip(const std::string& arguments);

/// A second namespace, for the machine at the other end of a wire: while one of these lives, the process is
/// in it. Sockets stay in the namespace that they were made in.
class Elsewhere {
public:
    Elsewhere();
    ~Elsewhere();
    Elsewhere(const Elsewhere&) = delete;
    Elsewhere& operator=(const Elsewhere&) = delete;
    /// As `ip` takes it for "netns".
    [[nodiscard]] static std::string path();
};

/// Keeps what is logged.
class Lines final : public kit::Log {
public:
    void write(kit::Severity, std::string_view about, std::string_view message) override {
        text += std::string(about) + ": " + std::string(message) + "\n";
    }
    [[nodiscard]] bool has(std::string_view part) const { return text.find(part) != std::string::npos; }
    std::string text;
};

} // namespace schedd::net::test

/// At the beginning of a test that needs the kernel's network.
#define NEEDS_OWN_NETWORK()                                                                                  \
    if (const auto& why_not = schedd::net::test::own_network(); !why_not.empty()) GTEST_SKIP() << why_not
