// Watches: callers that want the samples of a source as they come, each at its own pace.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "components/model/tree.h"
#include "dbus/connection.h"

namespace schedd::dbus {

class Watches {
public:
    /// Sends one Sampled to `destination`.
    using Send = std::function<void(const model::Part&, const model::Sample&, std::uint64_t age_ms,
                                    const std::string& destination)>;
    /// Puts a handle on the life of a unique name; null when there is none. See Connection::watch_owner.
    using Follow =
        std::function<Connection::Watch(const std::string& unique_name, std::function<void()> gone)>;

    Watches(Follow follow, Send send) : follow_(std::move(follow)), send_(std::move(send)) {}

    /// From now on `caller` gets a new sample of `part` at most every `interval_ms`; 0 ends that. A second
    /// call changes the interval. Ends by itself when the caller leaves the bus or the part is removed.
    /// Fails with invalid_value (interval), not_supported (a type with a parameter), limit_exceeded.
    Status watch(const model::Part& part, const std::string& caller, std::uint64_t interval_ms);
    void forget(const model::Part& part);
    /// Sends what is new and due.
    void tick(Time now);
    [[nodiscard]] std::size_t size() const { return watches_.size(); }

private:
    struct Watch {
        const model::Part* part;
        std::string caller;
        Duration interval;
        Time due{};
        Time last = kNever;
        bool over = false;
        Connection::Watch owner{nullptr, [](void*) {}};
    };

    void sweep();

    Follow follow_;
    Send send_;
    std::vector<std::unique_ptr<Watch>> watches_;
};

} // namespace schedd::dbus
