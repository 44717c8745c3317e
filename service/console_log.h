// ConsoleLog: one line per message on standard error, or in the journal with fields to filter by.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "components/kit/log.h"
#include "components/kit/result.h"

namespace schedd::service {

/// MESSAGE_ID of what people look for; units/schedd.catalog explains each.
namespace message_id {
inline constexpr std::string_view kPlaced = "4c276558151945ac9fbdb9241e4ed1a5";
inline constexpr std::string_view kReleased = "2cc3c60322b44298a796789b6200d419";
inline constexpr std::string_view kNotRestored = "19e038f375be4ae3acae6f4bf3620fc5";
inline constexpr std::string_view kDisturbed = "e0cea41b10c243659d89eb82f3f91230";
inline constexpr std::string_view kTakenBack = "867d8ea08be440f7b6bf771544ab81bf";
inline constexpr std::string_view kConflict = "6393b0c937ce4a1da83039bcd4fe4853";
inline constexpr std::string_view kEjected = "4675ce36cd5c4796b0ac4de64066349b";
inline constexpr std::string_view kRecovered = "14225a78c8fd41a7ad672c5eb8f653da";
inline constexpr std::string_view kMoved = "587ba0fcec5749a9bd716e15112ddae8";
inline constexpr std::string_view kConfigurationRefused = "35112b7b92dd4147aebd25efb7dd1ba2";
} // namespace message_id

class ConsoleLog final : public kit::Log {
public:
    /// `level` is a word as in --log-level. Where the journal listens (JOURNAL_STREAM is this very standard
    /// error) messages go there by its own protocol.
    explicit ConsoleLog(std::string_view level);
    void set_level(std::string_view level);
    [[nodiscard]] std::string level() const;
    void write(kit::Severity severity, std::string_view about, std::string_view message) override {
        tell({}, severity, about, message);
    }
    /// With a MESSAGE_ID ("" for none) and further fields, NAME and value. What is about "unit:NAME" is shown
    /// by `journalctl -u NAME` too.
    void tell(std::string_view id, kit::Severity severity, std::string_view about, std::string_view message,
              std::initializer_list<std::pair<std::string_view, std::string_view>> fields = {});

    void write_nowhere() { target_ = Target::null; }

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
