// ServedWorld: the bus service over a fake world, on a private bus, in a thread that the test steers.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "dbus/service.h"
#include "tests/bus/private_bus.h"
#include "tests/unit/dbus/fake_backend.h"

namespace schedd::test {

class ServedWorld {
public:
    explicit ServedWorld(const std::string& address, dbus::Patience patience = {});
    ~ServedWorld();
    ServedWorld(const ServedWorld&) = delete;
    ServedWorld& operator=(const ServedWorld&) = delete;

    /// Runs `work` in the service's thread, between two turns, and waits for it. World and service are
    /// touched so only.
    void run(const std::function<void()>& work);

    World world;
    FakeBackend backend{world};
    std::unique_ptr<dbus::Service> service;
    std::atomic<int> lost = 0;

private:
    void serve();

    std::mutex mutex_;
    std::vector<std::packaged_task<void()>> work_;
    std::atomic<bool> is_over_ = false;
    std::thread thread_;
};

} // namespace schedd::test
