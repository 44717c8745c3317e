// Sleepers: many real processes that do nothing, gone with their owner whatever happens to it.
#pragma once

#include <cstddef>
#include <vector>

#include <sys/types.h>

#include "components/kit/result.h"

namespace schedd::bench {

using namespace schedd::kit;

/// They are children of schedd-bench-nursery, which kills and reaps each by its pid when the pipe to the
/// bench is closed, which also happens when the bench is killed; and each dies with the nursery.
class Sleepers {
public:
    /// Asks first whether there is room. `count` <= kMost.
    static Result<Sleepers> start(std::size_t count);
    static constexpr std::size_t kMost = 20000;

    Sleepers(Sleepers&& other) noexcept;
    Sleepers& operator=(Sleepers&& other) = delete;
    ~Sleepers();

    /// Forks so many more that there are `count`.
    Status grow_to(std::size_t count);
    [[nodiscard]] const std::vector<pid_t>& pids() const { return pids_; }

private:
    Sleepers(pid_t nursery, int orders, int answers)
        : nursery_(nursery), orders_(orders), answers_(answers) {}
    pid_t nursery_;
    int orders_;  // a number of processes to fork
    int answers_; // their pids; 0 = fork failed
    std::vector<pid_t> pids_;
};

} // namespace schedd::bench
