// Printing log lines; control characters from outside are shown, not sent to a terminal.
#include "service/console_log.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

namespace schedd::service {

namespace {

constexpr std::array<std::string_view, 5> kWords{"debug", "info", "notice", "warning", "error"};
constexpr std::array<int, 5> kPriorities{7, 6, 5, 4, 3}; // syslog(3)
constexpr std::string_view kUnit = "unit:";

std::string printable(std::string_view text) {
    std::string out(text);
    std::ranges::replace_if(out, [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
    return out;
}

/// systemd.exec(5): JOURNAL_STREAM names device and inode of what the journal reads; after a redirection
/// standard error is something else.
bool is_journal(int fd) {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat about{};
    return stream && ::fstat(fd, &about) == 0 && fmt::format("{}:{}", about.st_dev, about.st_ino) == stream;
}

bool send_to_journal(const std::vector<std::string>& fields) {
    std::vector<iovec> parts;
    parts.reserve(fields.size());
    for (const auto& field : fields) parts.push_back({const_cast<char*>(field.data()), field.size()});
    return sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) >= 0;
}

} // namespace

ConsoleLog::ConsoleLog(std::string_view level) : is_journal_(is_journal(STDERR_FILENO)) { set_level(level); }

void ConsoleLog::set_level(std::string_view level) {
    const auto at = std::ranges::find(kWords, level);
    least_ = at == kWords.end() ? kit::Severity::info : static_cast<kit::Severity>(at - kWords.begin());
}

void ConsoleLog::tell(std::string_view id, kit::Severity severity, std::string_view about,
                      std::string_view message,
                      std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    if (severity < least_) return;
    const auto index = static_cast<std::size_t>(severity);
    const auto text = fmt::format("{}: {}", printable(about), printable(message));
    if (is_journal_) {
        std::vector<std::string> all{"MESSAGE=" + text, fmt::format("PRIORITY={}", kPriorities[index]),
                                     "SYSLOG_IDENTIFIER=schedd", fmt::format("SCHEDD_ABOUT={}", about)};
        if (!id.empty()) all.push_back(fmt::format("MESSAGE_ID={}", id));
        if (about.starts_with(kUnit))
            all.push_back(fmt::format("OBJECT_SYSTEMD_UNIT={}", about.substr(kUnit.size())));
        for (const auto& [name, value] : fields) all.push_back(fmt::format("{}={}", name, value));
        if (send_to_journal(all)) return;
    }
    const auto line = is_journal_ ? fmt::format("<{}>{}\n", kPriorities[index], text)
                                  : fmt::format("schedd: {}: {}\n", kWords[index], text);
    std::fwrite(line.data(), 1, line.size(), stderr);
}

} // namespace schedd::service
