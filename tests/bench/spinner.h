// Spinner: a process that sleeps until it is told to take a whole CPU.
#pragma once

#include <sys/types.h>

#include "components/kit/result.h"

namespace schedd::bench {

using namespace schedd::kit;

/// Killed and reaped with the object; dies with the bench in any case.
class Spinner {
public:
    static Result<Spinner> start();
    Spinner(Spinner&& other) noexcept;
    Spinner& operator=(Spinner&& other) = delete;
    ~Spinner();

    [[nodiscard]] pid_t pid() const { return pid_; }
    void spin() const;
    /// On how many CPUs it may run now; 0 if it has ended.
    [[nodiscard]] int allowed_cpus() const;

private:
    explicit Spinner(pid_t pid) : pid_(pid) {}
    pid_t pid_;
};

} // namespace schedd::bench
