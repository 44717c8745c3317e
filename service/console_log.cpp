// Printing log lines; control characters from outside are shown, not sent to a terminal.
#include "service/console_log.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

namespace schedd::service {

namespace {

constexpr std::array<std::string_view, 5> kWords{"debug", "info", "notice", "warning", "error"};
constexpr std::array<int, 5> kPriorities{7, 6, 5, 4, 3}; // syslog(3)
constexpr std::array<std::string_view, 8> kSyslog{"debug", "info", "notice", "warning",
                                                  "err",   "crit", "alert",  "emerg"};
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

ConsoleLog::ConsoleLog(std::string_view level)
    : has_journal_(is_journal(STDERR_FILENO)), target_(has_journal_ ? Target::journal : Target::console) {
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

void ConsoleLog::tell(std::string_view id, kit::Severity severity, std::string_view about,
                      std::string_view message,
                      std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    if (severity < least_ || target_ == Target::null) return;
    const auto index = static_cast<std::size_t>(severity);
    const auto text = fmt::format("{}: {}", printable(about), printable(message));
    if (target_ == Target::journal) {
        std::vector<std::string> all{"MESSAGE=" + text, fmt::format("PRIORITY={}", kPriorities[index]),
                                     "SYSLOG_IDENTIFIER=schedd", fmt::format("SCHEDD_ABOUT={}", about)};
        if (!id.empty()) all.push_back(fmt::format("MESSAGE_ID={}", id));
        if (about.starts_with(kUnit))
            all.push_back(fmt::format("OBJECT_SYSTEMD_UNIT={}", about.substr(kUnit.size())));
        for (const auto& [name, value] : fields) all.push_back(fmt::format("{}={}", name, value));
        if (send_to_journal(all)) return;
    }
    const auto line = target_ == Target::journal ? fmt::format("<{}>{}\n", kPriorities[index], text)
                                                 : fmt::format("schedd: {}: {}\n", kWords[index], text);
    std::fwrite(line.data(), 1, line.size(), stderr);
}

} // namespace schedd::service
