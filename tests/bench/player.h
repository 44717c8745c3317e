// Player: a process of the bench's own code in another network namespace, gone with the bench.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include <sys/types.h>

#include "components/kit/result.h"

namespace schedd::bench {

using namespace schedd::kit;

class Player {
public:
    using Count = std::atomic<std::uint64_t>;
    /// `play` runs in the network namespace of the process `holder`, until it returns or is killed. What it
    /// counts can be read here.
    static Result<Player> start(pid_t holder, const std::function<void(Count&)>& play);

    Player(Player&& other) noexcept;
    Player& operator=(Player&& other) = delete;
    ~Player();
    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] std::uint64_t count() const { return count_->load(); }

private:
    Player(pid_t pid, Count* count) : pid_(pid), count_(count) {}
    pid_t pid_;
    Count* count_; // in memory that both have
};

/// Enters the network namespace of a process; false, with errno, if it cannot.
bool enter_network_of(pid_t holder);

} // namespace schedd::bench
