// Printing log lines; control characters from outside are shown, not sent to a terminal.
#include "service/console_log.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

namespace schedd::service {

namespace {

constexpr std::array<std::string_view, 5> kWords{"debug", "info", "notice", "warning", "error"};
constexpr std::array<int, 5> kPriorities{7, 6, 5, 4, 3}; // syslog(3)

std::string printable(std::string_view text) {
    std::string out(text);
    std::ranges::replace_if(out, [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
    return out;
}

} // namespace

ConsoleLog::ConsoleLog(std::string_view level) : is_journal_(std::getenv("JOURNAL_STREAM") != nullptr) {
    set_level(level);
}

void ConsoleLog::set_level(std::string_view level) {
    const auto at = std::ranges::find(kWords, level);
    least_ = at == kWords.end() ? kit::Severity::info : static_cast<kit::Severity>(at - kWords.begin());
}

void ConsoleLog::write(kit::Severity severity, std::string_view about, std::string_view message) {
    if (severity < least_) return;
    const auto index = static_cast<std::size_t>(severity);
    const auto line =
        is_journal_
            ? fmt::format("<{}>{}: {}\n", kPriorities[index], printable(about), printable(message))
            : fmt::format("schedd: {}: {}: {}\n", kWords[index], printable(about), printable(message));
    std::fwrite(line.data(), 1, line.size(), stderr);
}

} // namespace schedd::service
