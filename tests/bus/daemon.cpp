// Starting the real thing.
#include "tests/bus/daemon.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

namespace schedd::test {

Daemon::Daemon(const PrivateBus& bus, const std::string& configuration, std::vector<std::string> options)
    : options_(std::move(options)) {
    std::filesystem::create_directories(directory_.path() + "/config/schedulers.d");
    if (!configuration.empty()) configure("test.toml", configuration);
    start(bus);
}

void Daemon::configure(const std::string& name, const std::string& text) const {
    std::ofstream(directory_.path() + "/config/schedulers.d/" + name) << text;
}

void Daemon::kill() {
    ::kill(child_.pid(), SIGKILL);
    child_.end();
}

void Daemon::start(const PrivateBus& bus) {
    std::vector<std::string> words{SCHEDD_BINARY, "--bus=" + bus.address(),
                                   "--state-dir=" + directory_.path() + "/state",
                                   "--config-dir=" + directory_.path() + "/config"};
    words.insert(words.end(), options_.begin(), options_.end());
    child_ = Child(words, directory_.path() + "/log");
    Client client(bus.address());
    auto proxy = sdbus::createProxy(client.connection(), "org.freedesktop.DBus", "/org/freedesktop/DBus");
    for (int i = 0; i < 2000 && child_.is_running(); ++i) {
        auto call = proxy->createMethodCall("org.freedesktop.DBus", "NameHasOwner");
        call << std::string("org.schedd1");
        bool is_owned = false;
        proxy->callMethod(call) >> is_owned;
        if (is_owned) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

} // namespace schedd::test
