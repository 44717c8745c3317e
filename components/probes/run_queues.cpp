// Reading proc/schedstat.
#include "components/probes/run_queues.h"

#include "components/kit/limits.h"
#include "components/kit/number.h"
#include "components/model/proc_text.h"

namespace schedd::probes {

using namespace schedd::model;

namespace {

constexpr std::size_t kLargest = 32U << 20U; // kMaxCpus CPUs with five domain lines each
constexpr std::uint64_t kOldestVersion = 15;
constexpr int kFieldsBefore = 6;

} // namespace

Status RunQueues::measure(Time now) {
    ++pass_;
    load_.reset();
    const auto text = file_.read(buffer_, {}, kLargest);
    const bool had_previous = std::exchange(has_previous_, false);
    if (!text) return std::unexpected(text.error());
    std::string_view rest = *text;
    auto head = take_line(rest);
    const auto version = take_word(head) == "version" ? take_number(head) : std::nullopt;
    if (version && *version < kOldestVersion)
        return fail(Errc::not_supported, "proc/schedstat is of an older kernel",
                    "version 15 or later is understood");
    const auto grown = version ? take_lines(rest) : std::nullopt;
    if (!grown)
        return fail(Errc::io, "proc/schedstat cannot be understood",
                    "expected a version and a line for each CPU");
    const auto passed = static_cast<std::uint64_t>((now - time_).count());
    if (had_previous && now > time_)
        load_ = static_cast<std::int64_t>((*grown / passed) * 1000 + (*grown % passed) * 1000 / passed);
    time_ = now;
    has_previous_ = true;
    return {};
}

std::optional<std::uint64_t> RunQueues::take_lines(std::string_view text) {
    std::uint64_t grown = 0;
    bool found = false;
    while (!text.empty()) {
        auto line = take_line(text);
        if (!line.starts_with("cpu")) continue; // timestamps and domains
        const auto number = parse_unsigned(take_word(line).substr(3));
        for (int i = 0; i < kFieldsBefore; ++i) (void)take_word(line);
        const auto run = take_number(line);
        const auto wait = run ? take_number(line) : std::nullopt;
        if (!number || !wait) return std::nullopt;
        found = true;
        if (*number >= limits::kMaxCpus) continue;
        if (*number >= cpus_.size()) cpus_.resize(*number + 1);
        auto& cpu = cpus_[*number];
        const auto busy = *run + *wait;
        if (cpu.seen + 1 == pass_ && busy > cpu.busy_ns) grown += busy - cpu.busy_ns;
        cpu.busy_ns = busy;
        cpu.seen = pass_;
    }
    if (!found) return std::nullopt;
    return grown;
}

} // namespace schedd::probes
