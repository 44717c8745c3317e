// FarNode: another node as a place for work - the connection kept to it, and work carried there and back.
#pragma once

#include <string>

#include "cli/run_work.h"
#include "components/kit/ssh_command.h"

namespace schedd::cli {

/// Where this user's connections are kept, made if need be: below $XDG_RUNTIME_DIR, of root else below
/// /run/schedd. "" if there is no such place that is his alone: then each command makes its own connection.
std::string connections_folder();

/// What came of work on a node.
struct RunEnd {
    bool has_run = false; // begun, at least: it must not run elsewhere too
    int status = 0;       // of the command, as a shell has it; 255 if the connection broke
    int signal = 0;       // one that this process was sent
    std::string trouble;  // why it has not run, in one line; or what broke
    bool is_late = false; // it has not run, for the node took too long
};

class FarNode {
public:
    /// Both outlive it.
    FarNode(const kit::SshNode& node, const kit::SshSettings& settings) : node_(node), settings_(settings) {}

    /// Runs it there to its end, or (Work::waits is not set) until it has started. The node gets five seconds
    /// to take it; what it began nevertheless is stopped.
    RunEnd run(const Work& work);

private:
    /// "" when there is a kept connection, else why not.
    std::string connect(int& signal);
    RunEnd carry(const Work& work, const Words& asked);
    void send(const std::string& unit, std::string_view signal, int patience_ms);

    const kit::SshNode& node_;
    const kit::SshSettings& settings_;
};

/// The same on this node, in a unit.
RunEnd run_here_in_unit(const Work& work, bool is_root);

} // namespace schedd::cli
