// PasswordAgent: polkit's question on this terminal, while a call waits for the answer.
#pragma once

#include <sys/types.h>

namespace schedd::cli {

/// Runs `program` (polkit's pkttyagent), as systemctl does, and returns when it is ready to ask; ends it when
/// it goes out of scope. Where there is no such program nothing happens: polkit then asks the desktop's agent
/// or refuses.
class PasswordAgent {
public:
    explicit PasswordAgent(const char* program = "pkttyagent");
    ~PasswordAgent();
    PasswordAgent(const PasswordAgent&) = delete;
    PasswordAgent& operator=(const PasswordAgent&) = delete;

    [[nodiscard]] bool is_running() const { return pid_ > 0; }

private:
    pid_t pid_ = -1;
};

} // namespace schedd::cli
