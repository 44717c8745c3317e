// ConsoleLog: one line per message on standard error, in the form the journal understands where it listens.
#pragma once

#include <string>

#include "components/kit/log.h"

namespace schedd::service {

class ConsoleLog final : public kit::Log {
public:
    /// `level` is a word as in --log-level. Under systemd (JOURNAL_STREAM) lines start with <priority>.
    explicit ConsoleLog(std::string_view level);
    void set_level(std::string_view level);
    void write(kit::Severity severity, std::string_view about, std::string_view message) override;

private:
    kit::Severity least_{};
    bool is_journal_;
};

} // namespace schedd::service
