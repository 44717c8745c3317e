// Running cyclictest and reading its histogram.
#include "tests/bench/wake_ups.h"

#include <cmath>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <unistd.h>

#include "tests/bench/interrupt.h"
#include "tests/bench/process.h"
#include "tests/bench/sample.h"

namespace schedd::bench {

namespace {

constexpr int kIntervalUs = 1000;
constexpr int kHistogramUs = 100'000;
constexpr std::int64_t kGraceMs = 10'000; // beside many others it starts and ends late

} // namespace

Result<WakeUps> WakeUps::measure(int seconds, const std::string& file, const std::function<bool()>& enter) {
    if (auto found = find_program("cyclictest"); !found) return std::unexpected(found.error());
    unlink(file.c_str());
    const auto errors = file + ".errors";
    auto process =
        Process::start({"cyclictest", "--quiet", "--default-system", "--policy=other",
                        fmt::format("--interval={}", kIntervalUs), fmt::format("--duration={}", seconds),
                        fmt::format("--histogram={}", kHistogramUs), "--histfile=" + file},
                       {.discards = true, .errors = errors, .enter = enter});
    if (!process) return std::unexpected(process.error());
    const auto give_up = monotonic_ns() + (seconds * std::int64_t{1000} + kGraceMs) * 1'000'000;
    while (process->alive()) {
        if (monotonic_ns() > give_up) return fail(Errc::io, "cyclictest does not end");
        if (auto rested = pause_for_ms(20); !rested) return std::unexpected(rested.error());
    }
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    auto parsed = parse(text.str());
    if (parsed) return parsed;
    std::string complaint;
    std::getline(std::ifstream(errors), complaint);
    return fail(Errc::io, parsed.error().text(), complaint);
}

Result<WakeUps> WakeUps::parse(const std::string& text) {
    WakeUps made;
    std::istringstream lines(text);
    std::uint64_t beyond = 0;
    const auto number_after = [](const std::string& line, std::string_view name) -> double {
        return line.starts_with(name) ? std::strtod(line.c_str() + name.size(), nullptr) : 0;
    };
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('#')) {
            made.latest_ += number_after(line, "# Max Latencies:");
            beyond += static_cast<std::uint64_t>(number_after(line, "# Histogram Overflows:"));
            continue;
        }
        std::size_t us = 0;
        std::uint64_t times = 0;
        if (!(std::istringstream(line) >> us >> times) || us > kHistogramUs) continue;
        if (made.by_us_.size() <= us) made.by_us_.resize(us + 1);
        made.by_us_[us] += times;
        made.count_ += times;
    }
    made.count_ += beyond;
    if (made.count_ == 0) return fail(Errc::no_value, "cyclictest counted no wake-up");
    return made;
}

double WakeUps::quantile(double part) const {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(count_)));
    std::uint64_t have = 0;
    for (std::size_t us = 0; us < by_us_.size(); ++us)
        if ((have += by_us_[us]) >= wanted && have > 0) return static_cast<double>(us);
    return latest_;
}

} // namespace schedd::bench
