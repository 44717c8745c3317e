// ConsoleLog: one line per message on standard error, in the form the journal understands where it listens.
#pragma once

#include <string>

#include "components/kit/log.h"
#include "components/kit/result.h"

namespace schedd::service {

class ConsoleLog final : public kit::Log {
public:
    /// `level` is a word as in --log-level. Under systemd (JOURNAL_STREAM) lines start with <priority>.
    explicit ConsoleLog(std::string_view level);
    void set_level(std::string_view level);
    [[nodiscard]] std::string level() const;
    void write(kit::Severity severity, std::string_view about, std::string_view message) override;

    // The same in the words of syslog and systemd, as dbus::LogKnobs has them.
    [[nodiscard]] std::string syslog_level() const;
    kit::Status set_syslog_level(std::string_view level);
    [[nodiscard]] std::string target() const;
    kit::Status set_target(std::string_view target);

private:
    enum class Target { journal, console, null };
    kit::Severity least_{};
    bool has_journal_; // standard error goes there
    Target target_;
};

} // namespace schedd::service
