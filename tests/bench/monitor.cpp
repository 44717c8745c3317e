// Telling the refreshes of a running monitor apart by what it prints.
#include "tests/bench/monitor.h"

#include <array>
#include <csignal>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "tests/bench/interrupt.h"
#include "tests/bench/sample.h"

namespace schedd::bench {

namespace {

/// Output after so long a silence belongs to the next refresh.
constexpr std::int64_t kSilenceNs = 200'000'000;
constexpr std::int64_t kGiveUpNs = 90'000'000'000;

} // namespace

Result<Monitor> Monitor::start(const Spec& spec) {
    auto file = find_program(spec.words.front());
    if (!file) return std::unexpected(file.error());
    auto process =
        Process::start(spec.words, {.has_terminal = spec.has_terminal,
                                    .discards = false,
                                    .errors = {},
                                    .environment = {"TERM=xterm", "LINES=50", "COLUMNS=160", "LC_ALL=C"}});
    if (!process) return std::unexpected(process.error());
    Monitor monitor(spec, std::move(*process));
    for (int i = 0; i < 2; ++i)
        if (auto seen = monitor.next_refresh(); !seen) return std::unexpected(seen.error());
    monitor.process_.signal(SIGSTOP);
    return monitor;
}

bool Monitor::takes_mark(std::string_view text) {
    const auto now = monotonic_ns();
    const bool is_new_burst = now - last_output_ns_ >= kSilenceNs;
    last_output_ns_ = now;
    if (spec_.mark.empty()) return is_new_burst;
    rest_ += text;
    const bool found = rest_.find(spec_.mark) != std::string::npos;
    // after a mark nothing of it may be found again
    rest_ =
        found ? std::string() : rest_.substr(rest_.size() - std::min(rest_.size(), spec_.mark.size() - 1));
    return found;
}

Result<std::int64_t> Monitor::next_refresh() {
    std::array<char, 65536> buffer;
    const auto give_up = monotonic_ns() + kGiveUpNs;
    while (monotonic_ns() < give_up) {
        if (auto going = not_interrupted(); !going) return std::unexpected(going.error());
        pollfd ready{.fd = process_.output(), .events = POLLIN, .revents = 0};
        if (poll(&ready, 1, 100) <= 0) continue;
        const auto got = read(process_.output(), buffer.data(), buffer.size());
        if (got <= 0 && !process_.alive()) return fail(Errc::io, spec_.name + " has ended");
        if (got > 0 && takes_mark({buffer.data(), static_cast<std::size_t>(got)}))
            return process_cpu_ns(process_.pid());
    }
    return fail(Errc::io, fmt::format("{} printed nothing for {} s", spec_.name, kGiveUpNs / 1'000'000'000));
}

Result<double> Monitor::measure(int count) {
    process_.signal(SIGCONT);
    auto first = next_refresh(); // was under way, or is the one that was missed
    if (first) first = next_refresh();
    auto last = first;
    for (int i = 0; i < count && last; ++i) last = next_refresh();
    process_.signal(SIGSTOP);
    if (!last) return std::unexpected(last.error());
    return static_cast<double>(*last - *first) / count;
}

} // namespace schedd::bench
