// Runner: commands that take their time, run outside of the daemon. The daemon lets PID 1 run them, tests
// play them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "components/kit/clock.h"
#include "components/kit/result.h"

namespace schedd::remote {

using namespace schedd::kit;

struct Job {
    std::string name; // "carry", for people
    std::vector<std::string> words;
    Duration limit{}; // after that it is ended, and has failed
};

struct JobResult {
    int status = 0;      // exit code; -1 if it could not be started, was killed, or took too long
    std::string said;    // its last line on standard error, fit for a person
    std::string printed; // the whole of its standard output, some KiB at most
    [[nodiscard]] bool is_done() const { return status == 0; }
};

/// Jobs do not know of each other; several may be under way.
class Runner {
public:
    virtual ~Runner() = default;
    using Done = std::function<void(const JobResult&)>;
    /// `done` is called once, later, from the loop - also when it could not be started.
    virtual void start(Job job, Done done) = 0;
};

} // namespace schedd::remote
