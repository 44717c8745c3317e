// SyntheticTree: a proc of made-up processes on a memory file system, for more of them than a machine would
// run.
#pragma once

#include <cstddef>

#include "tests/bench/machine_state.h"

namespace schedd::bench {

/// Processes 1000 .. 1000 + count - 1, single-threaded and asleep, as proc/PID/stat and proc/PID/schedstat.
class SyntheticTree {
public:
    static constexpr int kFirstPid = 1000;
    static Result<SyntheticTree> make(std::size_t count);
    [[nodiscard]] const std::string& root() const { return directory_.path(); }

private:
    explicit SyntheticTree(ScratchDirectory directory) : directory_(std::move(directory)) {}
    ScratchDirectory directory_;
};

} // namespace schedd::bench
