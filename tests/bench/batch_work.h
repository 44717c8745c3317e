// BatchWork: more workers of stress-ng than there are CPUs, and how much they get done.
#pragma once

#include <functional>
#include <string>

#include "tests/bench/process.h"

namespace schedd::bench {

/// Four workers that multiply matrices on two CPUs; ended with the object.
class BatchWork {
public:
    /// `directory` is where stress-ng leaves its figures and its own files.
    static Result<BatchWork> start(const std::string& directory, const std::function<bool()>& enter);
    /// Ends it. What was done per second from its start to here: bogo operations by stress-ng's own clock.
    Result<double> end();
    /// Works for so long; fails when interrupted.
    static Result<double> work_for_ms(std::int64_t ms, const std::string& directory,
                                      const std::function<bool()>& enter);

private:
    BatchWork(Process process, std::string figures)
        : process_(std::move(process)), figures_(std::move(figures)) {}
    Process process_;
    std::string figures_;
};

} // namespace schedd::bench
