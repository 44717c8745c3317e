// The loop a daemon would have, with a door for the test.
#include "tests/bus/served_world.h"

#include <poll.h>

namespace schedd::test {

ServedWorld::ServedWorld(const std::string& address, dbus::Patience patience) {
    thread_ = std::thread([this] { serve(); });
    run([&] {
        service = dbus::Service::open(backend, world.log,
                                      {.bus = address, .lost = [this] { ++lost; }, .patience = patience})
                      .value();
    });
}

ServedWorld::~ServedWorld() {
    run([&] { service.reset(); });
    is_over_ = true;
    thread_.join();
}

void ServedWorld::run(const std::function<void()>& work) {
    std::packaged_task<void()> task(work);
    auto done = task.get_future();
    {
        const std::scoped_lock lock(mutex_);
        work_.push_back(std::move(task));
    }
    done.get();
}

void ServedWorld::serve() {
    while (!is_over_) {
        std::vector<std::packaged_task<void()>> todo;
        {
            const std::scoped_lock lock(mutex_);
            todo.swap(work_);
        }
        for (auto& task : todo) task();
        if (service) service->process();
        const auto wanted = service ? service->poll() : dbus::Service::Poll{};
        pollfd fd{wanted.fd, wanted.events, 0};
        ::poll(&fd, 1, wanted.timeout_us == 0 ? 0 : 2);
    }
}

} // namespace schedd::test
