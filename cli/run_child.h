// Child: a program that carries somebody's work - ssh, systemd-run - with what it says before the work begins
// kept apart from what the work says.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace schedd::cli {

/// What a child is to be.
struct ChildPlan {
    std::vector<std::string> words; // looked for in PATH
    /// The line on its standard error with which the work begins. Until then standard error is kept and
    /// standard input is not read, so that another child can take over from this one; from then on both are
    /// passed through. "": it has begun from the start, and has our descriptors.
    std::string started_line;
    bool keeps_said = false;      // without such a line: standard error is kept, standard input is empty
    int patience_ms = 0;          // for the line, or without one for the end; 0: no bound. Then it is killed
    bool stays_when_late = false; // it is not killed, and goes on unwatched, for whoever comes next
    /// Called when this process is sent SIGINT, SIGTERM, SIGHUP or SIGQUIT after the work has begun, with the
    /// signal and how many there have been. The child itself does not get them. Before, the child is killed.
    std::function<void(int signal, int count)> on_signal;
};

struct ChildEnd {
    bool has_started = false;
    bool is_late = false; // killed, or left to itself, for want of patience
    int signal = 0;       // one that this process was sent, the first of them
    int status = 0;   // as a shell has it: 128 + N where a signal ended it; 127 not found, 126 not started
    std::string said; // what was kept, at most 64 KiB
};

/// Runs it to its end. Several at once are not for one process: signals are waited for meanwhile.
ChildEnd run_child(const ChildPlan& plan);

} // namespace schedd::cli
