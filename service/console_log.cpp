// Printing log lines; control characters from outside are shown, not sent to a terminal.
#include "service/console_log.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace schedd::service {

namespace {

constexpr std::array<std::string_view, 5> kWords{"debug", "info", "notice", "warning", "error"};
constexpr std::array<int, 5> kPriorities{7, 6, 5, 4, 3}; // syslog(3)
constexpr std::array<std::string_view, 8> kSyslog{"debug", "info", "notice", "warning",
                                                  "err",   "crit", "alert",  "emerg"};

std::string printable(std::string_view text) {
    std::string out(text);
    std::ranges::replace_if(out, [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
    return out;
}

} // namespace

ConsoleLog::ConsoleLog(std::string_view level)
    : has_journal_(std::getenv("JOURNAL_STREAM") != nullptr),
      target_(has_journal_ ? Target::journal : Target::console) {
    set_level(level);
}

std::string ConsoleLog::level() const { return std::string(kWords[static_cast<std::size_t>(least_)]); }

std::string ConsoleLog::syslog_level() const {
    return std::string(kSyslog[static_cast<std::size_t>(least_)]);
}

kit::Status ConsoleLog::set_syslog_level(std::string_view level) {
    const auto at = std::ranges::find(kSyslog, level);
    if (at == kSyslog.end())
        return fail(kit::Errc::invalid_value, fmt::format("there is no log level '{}'", level.substr(0, 64)),
                    fmt::format("it may be: {}", fmt::join(kSyslog, " ")));
    // there is nothing above an error here
    least_ = std::min(static_cast<kit::Severity>(at - kSyslog.begin()), kit::Severity::error);
    return {};
}

std::string ConsoleLog::target() const {
    return target_ == Target::journal ? "journal" : target_ == Target::console ? "console" : "null";
}

kit::Status ConsoleLog::set_target(std::string_view target) {
    if (target == "auto") target_ = has_journal_ ? Target::journal : Target::console;
    else if (target == "console") target_ = Target::console;
    else if (target == "null") target_ = Target::null;
    else if (target == "journal" && has_journal_) target_ = Target::journal;
    else if (target == "journal")
        return fail(kit::Errc::not_supported, "the journal does not listen", "standard error is not its own");
    else
        return fail(kit::Errc::invalid_value,
                    fmt::format("there is no log target '{}'", target.substr(0, 64)),
                    "it may be: auto console journal null");
    return {};
}

void ConsoleLog::set_level(std::string_view level) {
    const auto at = std::ranges::find(kWords, level);
    least_ = at == kWords.end() ? kit::Severity::info : static_cast<kit::Severity>(at - kWords.begin());
}

void ConsoleLog::write(kit::Severity severity, std::string_view about, std::string_view message) {
    if (severity < least_ || target_ == Target::null) return;
    const auto index = static_cast<std::size_t>(severity);
    const auto line =
        target_ == Target::journal
            ? fmt::format("<{}>{}: {}\n", kPriorities[index], printable(about), printable(message))
            : fmt::format("schedd: {}: {}: {}\n", kWords[index], printable(about), printable(message));
    std::fwrite(line.data(), 1, line.size(), stderr);
}

} // namespace schedd::service
