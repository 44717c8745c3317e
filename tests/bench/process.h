// Process: a program started for a measurement, ended by its pid when the object goes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "components/kit/result.h"

namespace schedd::bench {

using namespace schedd::kit;

/// The file of a program in PATH; no_such_object if there is none.
Result<std::string> find_program(const std::string& name);

class Process {
public:
    struct Options {
        bool has_terminal = false; // a pseudo terminal of 50 x 160 instead of a pipe; else a pipe
        bool discards = false;     // standard output goes to /dev/null
        std::string errors;        // standard error is appended to this file; "" = /dev/null
        std::vector<std::string> environment = {}; // NAME=VALUE, added
        std::function<bool()> enter = {}; // called before the program begins; false ends it, with errno
    };
    /// Runs in a session of its own and is killed when the bench dies.
    static Result<Process> start(const std::vector<std::string>& words, const Options& options);

    Process(Process&& other) noexcept;
    Process& operator=(Process&& other) noexcept;
    ~Process() { end(); }

    [[nodiscard]] pid_t pid() const { return pid_; }
    /// Where its output is read, non-blocking; -1 if discarded.
    [[nodiscard]] int output() const { return output_; }
    [[nodiscard]] bool alive() const;
    void signal(int number) const;
    /// SIGTERM, two seconds' grace, then SIGKILL; waits.
    void end();

private:
    Process(pid_t pid, int output) : pid_(pid), output_(output) {}
    pid_t pid_ = -1;
    int output_ = -1;
    mutable bool is_reaped_ = false;
};

/// Runs a program to its end with output discarded. Wall time is from the spawn to the exit seen.
struct Ended {
    double wall_ms;
    double cpu_ms;
    int exit_code; // 128 + signal if killed
};
Result<Ended> run_to_end(const std::vector<std::string>& words);

} // namespace schedd::bench
