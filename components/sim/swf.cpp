// Reading lines of 18 numbers.
#include "components/sim/swf.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "components/model/proc_text.h"
#include "components/sim/limits.h"

namespace schedd::sim {

namespace {

constexpr std::size_t kFields = 18;
// of the fields, from 0
constexpr std::size_t kSubmit = 1;
constexpr std::size_t kRun = 3;
constexpr std::size_t kAllocated = 4;
constexpr std::size_t kRequested = 7;
constexpr double kLongest = 1e9; // s; 30 years, so that a time in ns fits

/// A number with or without a fraction; nothing before or after it.
bool take(std::string_view word, double& number) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    return error == std::errc{} && end == word.data() + word.size() && number >= -kLongest &&
           number <= kLongest;
}

/// A file from elsewhere may hold anything: no more than this of it is repeated.
std::string shown(std::string_view word) {
    std::string text;
    for (const char c : word.substr(0, 32)) text += c >= ' ' && c <= '~' ? c : '?';
    return text;
}

Duration seconds(double number) { return Duration(static_cast<std::int64_t>(number * 1e9)); }

} // namespace

Result<SwfLog> parse_swf(std::string_view name, std::string_view text) {
    SwfLog log;
    for (std::size_t line = 1; !text.empty(); ++line) {
        auto rest = model::take_line(text);
        if (rest.ends_with('\r')) rest.remove_suffix(1);
        const auto begin = rest.find_first_not_of(" \t");
        if (begin == std::string_view::npos || rest[begin] == ';') continue;
        std::array<double, kFields> fields{};
        for (std::size_t i = 0; i < kFields; ++i) {
            const auto start = std::min(rest.find_first_not_of(" \t"), rest.size());
            const auto end = std::min(rest.find_first_of(" \t", start), rest.size());
            const auto word = rest.substr(start, end - start);
            rest.remove_prefix(end);
            if (take(word, fields[i])) continue;
            const auto what = word.empty() ? "ends there" : fmt::format("is \"{}\"", shown(word));
            return fail(Errc::invalid_value, fmt::format("{}:{}: field {} {}", name, line, i + 1, what),
                        "18 numbers of at most 1e9 (Standard Workload Format)");
        }
        const double processors = fields[kAllocated] > 0 ? fields[kAllocated] : fields[kRequested];
        if (fields[kRun] <= 0 || fields[kSubmit] < 0) {
            ++log.skipped;
            continue;
        }
        if (log.jobs.size() >= kSimJobs)
            return fail(Errc::limit_exceeded, fmt::format("{}:{}: too many jobs", name, line),
                        fmt::format("at most {} (limit kSimJobs)", kSimJobs));
        // the shortest run is one that can be told from none
        log.jobs.push_back({seconds(fields[kSubmit]), std::max(seconds(fields[kRun]), Duration(1)),
                            static_cast<int>(std::clamp(processors, 1.0, 1e6))});
    }
    if (log.jobs.empty())
        return fail(Errc::invalid_value, fmt::format("{} holds no job that ran", name),
                    "lines of 18 numbers (Standard Workload Format)");
    std::ranges::stable_sort(log.jobs, {}, &LoggedJob::submitted);
    const auto first = log.jobs.front().submitted;
    for (auto& job : log.jobs) job.submitted -= first;
    return log;
}

} // namespace schedd::sim
